// The searches below the finders: they find what a plain search finds, and do no more work on texts that were made for it.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/redaction/digit_runs.hpp"
#include "sdk/redaction/escapes.hpp"
#include "sdk/redaction/known_secrets.hpp"
#include "sdk/redaction/secret_prints.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace chancery::redaction {
namespace {

using tests::random_text;
using tests::RandomSource;
using Places = std::set<std::pair<std::size_t, std::size_t>>;

bool is_joined(std::string_view text, std::size_t begin, std::size_t end) {
  const auto has = [&](std::size_t at) { return tests::kAlphanumeric.find(text[at]) != std::string::npos; };
  return (begin > 0 && has(begin - 1)) || (end < text.size() && has(end));
}

Places plain_search(const std::vector<std::string>& secrets, std::string_view text) {
  Places places;
  for (const std::string& secret : secrets) {
    for (std::size_t at = text.find(secret); at != std::string_view::npos; at = text.find(secret, at + 1)) {
      const std::size_t end = at + secret.size();
      if (secret.size() >= 8 || !is_joined(text, at, end)) places.emplace(at, end);
    }
  }
  return places;
}

Places places_of(const std::vector<SecretPrints::Found>& found) {
  Places places;
  for (const SecretPrints::Found& one : found) places.emplace(one.extent.begin, one.extent.end);
  return places;
}

SecretPrints prints_of(const std::vector<std::string>& secrets) {
  SecretPrints prints;
  for (const std::string& secret : secrets) prints.add(secret);
  return prints;
}

}  // namespace

// Of two letters, so that secrets stand there often, overlap, and have middles in common.
BOOST_AUTO_TEST_CASE(prints_find_what_a_plain_search_finds) {
  RandomSource random(11);
  std::size_t found = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> secrets;
    for (std::size_t i = 0; i < 1 + random.below(6); ++i)
      secrets.push_back(random_text(random, "aaab", 4 + random.below(12)));
    const std::string text = random_text(random, "aaaabaaaabaaaab.", random.below(3000));
    const Places places = places_of(prints_of(secrets).find_all(text));
    BOOST_TEST_REQUIRE((places == plain_search(secrets, text)), "round " << round);
    found += places.size();
  }
  BOOST_TEST(found > 1000u);
}

// Hashes are made for parts of a text: none may be missing at their ends, whatever the lengths.
BOOST_AUTO_TEST_CASE(prints_find_a_secret_at_each_place_of_a_long_text) {
  RandomSource random(12);
  for (const std::size_t size : {4u, 7u, 8u, 9u, 40u, 3000u}) {
    const std::string secret = random_text(random, tests::kAlphanumeric, size);
    const SecretPrints prints = prints_of({secret, random_text(random, tests::kAlphanumeric, 5000)});
    for (std::size_t at = 0; at < 2 * 8192 + 50; at += at % 8192 < 50 || at % 8192 > 8140 ? 1 : 97) {
      std::string text(3 * 8192, '.');
      text.replace(at, size, secret);
      const auto places = places_of(prints.find_all(text));
      BOOST_TEST_REQUIRE((places == Places{{at, at + size}}), size << " octets at " << at);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_thousand_values_are_found_in_every_form_and_none_besides) {
  RandomSource random(13);
  KnownSecrets known;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < 1000; ++i) {
    values.push_back(random_text(random, tests::kAlphanumeric, 12 + i % 50));
    BOOST_TEST_REQUIRE(known.add(as_bytes(values.back()), std::to_string(i)).has_value());
  }
  std::vector<Hit> hits;
  known.find(random_text(random, tests::kBase64Alphabet, 1u << 18), hits);
  BOOST_TEST(hits.empty());
  for (std::size_t i = 0; i < values.size(); i += 50) {
    for (const tests::WrittenForm& form : tests::written_forms(values[i])) {
      hits.clear();
      known.find("<" + form.text + ">", hits);
      const bool is_found =
          std::ranges::any_of(hits, [&](const Hit& hit) { return hit.name == std::to_string(i); });
      BOOST_TEST(is_found, form.form << " of value " << i);
    }
  }
}

namespace {

struct RunCase {
  const char* text;
  Digits kind;
  std::size_t least;
  std::vector<std::string> octets;  // of each run, in the first division
};

std::string repeated(std::string_view part, std::size_t octets) {
  std::string out;
  while (out.size() < octets) out.append(part);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(runs_of_digits_are_read_through_what_divides_them) {
  const std::vector<RunCase> cases{
      {"QUJD", Digits::kBase64, 4, {"ABC"}},
      {"QUJD", Digits::kBase64, 5, {}},
      {"QU.JD", Digits::kBase64, 4, {}},
      {"x: QUJDRA==;QUJD", Digits::kBase64, 4, {"ABCD", "ABC"}},
      {"QUJD\nREVG", Digits::kBase64, 8, {"ABCDEF"}},
      {"QUJD\r\n \tREVG.", Digits::kBase64, 8, {"ABCDEF"}},
      {"QUJD  REVG", Digits::kBase64, 8, {}},
      {"QUJD\n\nREVG", Digits::kBase64, 8, {}},
      {"Q\nU\nJ\nD", Digits::kBase64, 4, {"ABC"}},
      {"414243", Digits::kHex, 6, {"ABC"}},
      {"41:42:43", Digits::kHex, 6, {"ABC"}},
      {"41 42 43, 44", Digits::kHex, 6, {"ABC"}},
      {"41-42:43:44", Digits::kHex, 6, {"BCD"}},
      {"x41:42:43y", Digits::kHex, 6, {"ABC"}},
      {"41:42:4", Digits::kHex, 4, {"AB"}},
      {"4142", Digits::kHex, 6, {}},
  };
  for (const RunCase& c : cases) {
    DigitRuns runs(c.text, c.kind, c.least);
    std::vector<std::string> octets;
    for (DigitRun run; runs.next(run);) run.decode(0, octets.emplace_back());
    BOOST_TEST((octets == c.octets), c.text);
  }
}

BOOST_AUTO_TEST_CASE(no_digit_is_decoded_more_than_once_for_a_division) {
  for (const char* part :
       {"a\n", "\n", "a", "aa:bb-", "aa:", "a:", "\r\n \t", " ", "a \n", "0f\n0f:", "aa:bb"}) {
    for (const Digits kind : {Digits::kBase64, Digits::kHex}) {
      for (const std::size_t least : {5u, 42u, 20000u}) {
        const std::string text = repeated(part, 1u << 18);
        DigitRuns runs(text, kind, least);
        std::size_t digits = 0;
        for (DigitRun run; runs.next(run);) digits += run.size();
        // Of pairs the last one may begin the next run.
        BOOST_TEST(digits <= text.size() + text.size() / 2, part << ", " << least);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(escapes_have_no_text_decoded_more_than_twice) {
  for (const char* part :
       {"%41", "%41 and some text", "\\u0041", "\\", "\\\\", "&#65;", "&amp", "% %", "+"}) {
    for (const Escapes kind : {Escapes::kPercent, Escapes::kForm, Escapes::kBackslash, Escapes::kEntity}) {
      for (const std::size_t around : {8u, 100u, 40000u}) {
        const std::string text = repeated(part, 1u << 17);
        EscapedParts parts(text, kind, around);
        std::size_t decoded = 0;
        for (View view; parts.next(view);) decoded += view.text().size();
        BOOST_TEST(decoded <= 2 * text.size(), part << ", " << around);
      }
    }
  }
}

// Each of them would take hours if the work grew with the square of a text.
BOOST_AUTO_TEST_CASE(texts_that_were_made_for_it_are_searched_to_the_end) {
  KnownSecrets known;
  const std::string value =
      std::string(100, 'a') + "b" + std::string(12000, 'a');  // its middle is everywhere
  BOOST_TEST_REQUIRE(known.add(as_bytes(value), "long").has_value());
  BOOST_TEST_REQUIRE(known.add(as_bytes("aaaaaaab"), "short").has_value());
  for (const char* part :
       {"a", "a\n", "%61", "\\u0061", "&#97;", "YWFh", "616161", "61:", "\n", "aaaaaaac"}) {
    const std::string text = repeated(part, 1u << 19);
    std::vector<Hit> hits;
    known.find(text, hits);
    BOOST_TEST(hits.empty(), part);
    known.find(text + " aaaaaaab", hits);
    BOOST_TEST(!hits.empty(), part);
  }
}

}  // namespace chancery::redaction
