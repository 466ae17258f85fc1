// Values that are known to be secret, in whatever form they are written.

#include "sdk/redaction/known_secrets.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/redaction/escapes.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace chancery::redaction {
namespace {

const std::string kValue = "correct horse/battery+staple&more";

std::vector<Hit> find(const KnownSecrets& known, std::string_view text) {
  std::vector<Hit> hits;
  known.find(text, hits);
  return hits;
}

bool covers(const std::vector<Hit>& hits, std::size_t begin, std::size_t end) {
  return std::ranges::any_of(
      hits, [&](const Hit& hit) { return hit.extent.begin <= begin && hit.extent.end >= end; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_known_value_is_found_in_every_form_and_place) {
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes(kValue), "crm").has_value());
  for (const tests::WrittenForm& form : tests::written_forms(kValue)) {
    for (const std::string before : {"", "x = ", "{\"a\":\"", "https://example.org/?q="}) {
      const std::string text = before + form.text + "\" and what is behind";
      const auto hits = find(known, text);
      BOOST_TEST(covers(hits, before.size() + form.begin, before.size() + form.end),
                 form.form << ": " << text);
      for (const Hit& hit : hits) BOOST_TEST((hit.kind == HitKind::kKnown && hit.name == "crm"));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_stands_around_a_form_stays) {
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes(kValue), "crm").has_value());
  for (const tests::WrittenForm& form : tests::written_forms(kValue)) {
    const std::string text = "before: <" + form.text + "> behind";
    for (const Hit& hit : find(known, text)) {
      BOOST_TEST(hit.extent.begin >= 9, form.form);
      BOOST_TEST(hit.extent.end <= text.size() - 8, form.form);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_form_of_nearly_the_value_is_none) {
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes(kValue), "crm").has_value());
  std::string other = kValue;
  other.back() = 'a';
  for (const tests::WrittenForm& form : tests::written_forms(other))
    BOOST_TEST(find(known, form.text).empty(), form.form);
}

BOOST_AUTO_TEST_CASE(base64_that_is_folded_into_lines_is_read_through) {
  KnownSecrets known;
  const std::string value = "a-rather-long-value-0123456789-that-takes-more-than-one-line-of-mail-0123456789";
  BOOST_TEST_REQUIRE(known.add(as_bytes(value), "long").has_value());
  const std::string whole = base64_encode(as_bytes("user:" + value));
  for (const std::string line_end : {"\n", "\r\n", "\n    ", "\\n"}) {
    std::string text;
    for (std::size_t at = 0; at < whole.size(); at += 64) text += whole.substr(at, 64) + line_end;
    BOOST_TEST(find(known, text).size() == 1u, text);
  }
}

BOOST_AUTO_TEST_CASE(several_values_are_told_apart) {
  KnownSecrets known;
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(1000 + i);
    BOOST_TEST_REQUIRE(known.add(as_bytes("value-number-" + number), "n" + number).has_value());
  }
  const auto hits = find(known, "a value-number-1017 and value-number-1199, but not value-number-1200");
  BOOST_TEST_REQUIRE(hits.size() == 2u);
  BOOST_TEST(hits[0].name == "n1017");
  BOOST_TEST(hits[1].name == "n1199");
  BOOST_TEST((hits[1].extent == Extent{24, 41}));
}

BOOST_AUTO_TEST_CASE(a_value_that_was_removed_is_found_no_more) {
  KnownSecrets known;
  const auto first = known.add(as_bytes("issued-value-1"), "issued-value-1");
  BOOST_TEST_REQUIRE(first.has_value());
  for (const char* const value : {"issued-value-2", "issued-value-3"})
    BOOST_TEST_REQUIRE(known.add(as_bytes(value), value).has_value());
  known.remove(*first);
  known.remove(*first);  // has no effect on what has taken its place
  const auto hits = find(known, "issued-value-1 issued-value-2 issued-value-3");
  BOOST_TEST_REQUIRE(hits.size() == 2u);
  BOOST_TEST(hits[0].name == "issued-value-2");
  BOOST_TEST(hits[1].name == "issued-value-3");
}

BOOST_AUTO_TEST_CASE(a_value_that_was_added_twice_is_found_until_it_was_removed_twice) {
  KnownSecrets known;
  const auto one = known.add(as_bytes("the-same-value-1"), "orders-db");
  const auto other = known.add(as_bytes("the-same-value-1"), "reports-db");
  BOOST_TEST_REQUIRE((one && other));
  known.remove(*one);
  BOOST_TEST(!find(known, "the-same-value-1").empty());
  BOOST_TEST(!find(known, "1-eulav-emas-eht").empty());
  known.remove(*other);
  BOOST_TEST(find(known, "the-same-value-1 1-eulav-emas-eht").empty());
}

BOOST_AUTO_TEST_CASE(a_key_takes_its_lines_with_it_and_no_lines_of_others) {
  const std::string line = "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAq7BFUpkGp3";
  const std::string own = std::string(48, 'Q');
  const std::string key =
      "-----BEGIN PRIVATE " + std::string("KEY-----\n") + line + "\n" + own + "\n-----END PRIVATE KEY-----\n";
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes(line), "line").has_value());
  const auto added = known.add(as_bytes(key), "key");
  BOOST_TEST_REQUIRE(added.has_value());
  BOOST_TEST(!find(known, own).empty());
  known.remove(*added);
  BOOST_TEST(find(known, own).empty());
  BOOST_TEST(find(known, line).size() >= 1u);
  known.remove(KnownSecrets::Handle());
  BOOST_TEST(find(known, line).size() >= 1u);
}

BOOST_AUTO_TEST_CASE(many_values_come_and_go_and_the_others_are_found) {
  KnownSecrets known;
  std::vector<KnownSecrets::Handle> handles;
  const auto value = [](int i) {
    return "value-" + std::string(static_cast<std::size_t>(i % 7), 'x') + std::to_string(1000 + i);
  };
  for (int i = 0; i < 300; ++i) {
    const auto handle = known.add(as_bytes(value(i)), "n");
    BOOST_TEST_REQUIRE(handle.has_value());
    handles.push_back(*handle);
  }
  for (std::size_t i = 0; i < handles.size(); i += 3) known.remove(handles[i]);
  for (int i = 0; i < 300; ++i) BOOST_TEST(find(known, value(i)).empty() == (i % 3 == 0), value(i));
}

BOOST_AUTO_TEST_CASE(a_value_may_have_several_names) {
  KnownSecrets known;
  for (const char* const name : {"orders-db", "reports-db", "orders-db"})
    BOOST_TEST_REQUIRE(known.add(as_bytes("the-same-value-1"), name).has_value());
  const auto hits = find(known, "the-same-value-1");
  BOOST_TEST_REQUIRE(hits.size() == 2u);
  BOOST_TEST(hits[0].name == "orders-db");
  BOOST_TEST(hits[1].name == "reports-db");
}

BOOST_AUTO_TEST_CASE(values_may_have_one_name) {
  KnownSecrets known;
  for (const char* const value : {"issued-value-1", "issued-value-2"})
    BOOST_TEST_REQUIRE(known.add(as_bytes(value), "orders-db").has_value());
  const auto hits = find(known, "issued-value-1 issued-value-2");
  BOOST_TEST_REQUIRE(hits.size() == 2u);
  for (const auto& hit : hits) BOOST_TEST(hit.name == "orders-db");
}

BOOST_AUTO_TEST_CASE(white_space_around_a_value_is_none_of_it) {
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes("\n  hunter22\r\n"), "file").has_value());
  BOOST_TEST(find(known, "it is hunter22.").size() == 1u);
}

BOOST_AUTO_TEST_CASE(each_line_of_a_key_in_pem_is_secret) {
  const std::string line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0123456789abcdef";
  const std::string key = "-----BEGIN PRIVATE " + std::string("KEY-----\n") + line + "\n" +
                          std::string(48, 'Q') + "\n-----END PRIVATE " + "KEY-----\n";
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes(key), "key").has_value());
  BOOST_TEST(find(known, "the key is " + line).size() == 1u);
  BOOST_TEST(find(known, key).size() >= 1u);
  BOOST_TEST(find(known, "PRIVATE KEY").empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_for_is_refused) {
  KnownSecrets known;
  BOOST_TEST((known.add(as_bytes("abc"), "short").error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((known.add(as_bytes(" abc \n"), "short").error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((known.add(as_bytes(std::string(KnownSecrets::kLongest + 1, 'x')), "long").error().code ==
              ErrorCode::kTooLarge));
  BOOST_TEST(known.add(as_bytes(std::string(KnownSecrets::kLongest, 'x')), "longest").has_value());
  BOOST_TEST(known.longest() == KnownSecrets::kLongest);
  BOOST_TEST(find(KnownSecrets(), "anything").empty());
}

BOOST_AUTO_TEST_CASE(short_values_count_where_they_stand_alone_in_any_form) {
  KnownSecrets known;
  BOOST_TEST_REQUIRE(known.add(as_bytes("4711"), "pin").has_value());
  BOOST_TEST(find(known, "pin 4711.").size() == 1u);
  BOOST_TEST(find(known, "order 847113").empty());
  BOOST_TEST(find(known, "%34%37%31%31").size() == 1u);
  BOOST_TEST(find(known, base64_encode(as_bytes("4711"))).size() == 1u);
}

struct EscapeCase {
  const char* text;
  Escapes kind;
  std::size_t size;
  const char* octets;
};
std::ostream& operator<<(std::ostream& out, const EscapeCase& c) { return out << c.text; }

BOOST_AUTO_TEST_CASE(escapes_are_read_as_their_standards_have_them) {
  const std::vector<EscapeCase> cases{
      {"%2f", Escapes::kPercent, 3, "/"},
      {"%2F", Escapes::kPercent, 3, "/"},
      {"%2", Escapes::kPercent, 0, ""},
      {"%2g", Escapes::kPercent, 0, ""},
      {"+", Escapes::kForm, 1, " "},
      {"+", Escapes::kPercent, 0, ""},
      {"\\n", Escapes::kBackslash, 2, "\n"},
      {"\\/", Escapes::kBackslash, 2, "/"},
      {"\\\"", Escapes::kBackslash, 2, "\""},
      {"\\u00e9", Escapes::kBackslash, 6, "\xC3\xA9"},
      {"\\u00E", Escapes::kBackslash, 0, ""},
      {"\\ud83d\\ude00", Escapes::kBackslash, 12, "\xF0\x9F\x98\x80"},
      {"\\ud83d", Escapes::kBackslash, 0, ""},
      {"\\ude00", Escapes::kBackslash, 0, ""},
      {"\\x41", Escapes::kBackslash, 4, "A"},
      {"\\101", Escapes::kBackslash, 4, "A"},
      {"\\18", Escapes::kBackslash, 0, ""},
      {"\\777", Escapes::kBackslash, 0, ""},
      {"\\", Escapes::kBackslash, 0, ""},
      {"\\$", Escapes::kBackslash, 2, "$"},
      {"&amp;", Escapes::kEntity, 5, "&"},
      {"&#65;", Escapes::kEntity, 5, "A"},
      {"&#65 ", Escapes::kEntity, 4, "A"},
      {"&#x41;", Escapes::kEntity, 6, "A"},
      {"&#X000041;", Escapes::kEntity, 10, "A"},
      {"&#x20AC;", Escapes::kEntity, 8, "\xE2\x82\xAC"},
      {"&#x110000;", Escapes::kEntity, 0, ""},
      {"&nothing;", Escapes::kEntity, 0, ""},
      {"&", Escapes::kEntity, 0, ""},
      {"&#;", Escapes::kEntity, 0, ""},
  };
  for (const EscapeCase& c : cases) {
    const Unescaped found = unescape(c.text, c.kind);
    BOOST_TEST(found.size == c.size, c);
    BOOST_TEST(found.octets == c.octets, c);
  }
}

BOOST_AUTO_TEST_CASE(a_part_with_escapes_has_what_stands_around_them) {
  const std::string text = "0123456789%41-abcdefghijklmnopqrstuvwxyz%42%43.";
  EscapedParts parts(text, Escapes::kPercent, 4);
  View view;
  BOOST_TEST_REQUIRE(parts.next(view));
  BOOST_TEST(view.text() == "6789A-abc");
  BOOST_TEST((view.origin({4, 5}) == Extent{10, 13}));
  BOOST_TEST((view.origin({3, 6}) == Extent{9, 14}));
  BOOST_TEST_REQUIRE(parts.next(view));
  BOOST_TEST(view.text() == "wxyzBC.");
  BOOST_TEST(!parts.next(view));
}

}  // namespace chancery::redaction
