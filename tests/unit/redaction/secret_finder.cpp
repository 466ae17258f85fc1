// What is found in arguments and answers, and how JSON stays JSON.

#include "sdk/redaction/secret_finder.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/redaction/secret_patterns.hpp"

namespace chancery::redaction {
namespace {

constexpr std::string_view kValue = "tr0ub4dor&3-and-more";
const std::string kGitHub = "ghp_" + std::string("aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6");

SecretFinder finder(FinderOptions options = {}) {
  const auto known = std::make_shared<KnownSecrets>();
  BOOST_TEST_REQUIRE(known->add(as_bytes(kValue), "crm").has_value());
  return SecretFinder(known, std::move(options));
}

FieldPaths fields(const std::vector<std::string>& pointers) { return FieldPaths::parse(pointers).value(); }

struct JsonCase {
  const char* name;
  std::string json;
  std::string want;  // empty: as it is
};
std::ostream& operator<<(std::ostream& out, const JsonCase& c) { return out << c.name; }

const std::vector<JsonCase> kJson{
    {"nothing secret", R"({"b" : 1, "a":"x"})", ""},
    {"numbers beyond binary64 stay", R"({"id":123456789012345678901,"x":1.50})", ""},
    {"numbers stay as they were written beside a secret",
     R"({"id":123456789012345678901,"p":"tr0ub4dor&3-and-more"})",
     R"({"id":123456789012345678901,"p":"[redacted]"})"},
    {"a value with an escape", R"({"p":"say tr0ub4dor\u00263-and-more!"})", R"({"p":"say [redacted]!"})"},
    {"in an array", R"(["a",["tr0ub4dor&3-and-more"],null,true])", R"(["a",["[redacted]"],null,true])"},
    {"a text alone", R"("tr0ub4dor&3-and-more")", R"("[redacted]")"},
    {"a member's name", R"({"tr0ub4dor&3-and-more":1})", R"({"[redacted]":1})"},
    {"two members' names", R"({"a tr0ub4dor&3-and-more":1,"a dHIwdWI0ZG9yJjMtYW5kLW1vcmU":2})",
     R"({"a [redacted]":1,"a [redacted] 2":2})"},
    {"a name that is there already", R"({"[redacted]":0,"tr0ub4dor&3-and-more":1})",
     R"({"[redacted]":0,"[redacted] 2":1})"},
    {"a member named as a password", R"({"Password":"hunter2 is it","n":1})",
     R"({"Password":"[redacted]","n":1})"},
    {"camel case", R"({"clientSecret":"x","dbPassword":"y","apiKey":"z"})",
     R"({"apiKey":"[redacted]","clientSecret":"[redacted]","dbPassword":"[redacted]"})"},
    {"a PIN as a number", R"({"password":1234})", R"({"password":"[redacted]"})"},
    {"a password that is not there", R"({"password":"","secret":null,"cookie":false})", ""},
    {"a schema", R"({"properties":{"password":{"type":"string"}}})", ""},
    {"names of something else", R"({"token_type":"Bearer","password_policy":"long","secretary":"A"})", ""},
    {"it is redacted already", R"({"password":"[redacted]"})", ""},
    {"no JSON", "{\"a\": tr0ub4dor&3-and-more", "{\"a\": [redacted]"},
};

}  // namespace

BOOST_DATA_TEST_CASE(json_without_its_secrets_is_json, boost::unit_test::data::make(kJson), c) {
  const SecretFinder secrets = finder();
  const Redacted out = secrets.redact_json(c.json);
  BOOST_TEST(out.text == (c.want.empty() ? c.json : c.want));
  BOOST_TEST(out.hits.empty() == c.want.empty());
  BOOST_TEST(secrets.redact_json(out.text).text == out.text);
}

BOOST_AUTO_TEST_CASE(a_hit_says_where_and_what_but_nothing_of_the_secret) {
  const std::string json = R"({"a":[{"b/c":"x tr0ub4dor&3-and-more"}],"token":")" + kGitHub + R"("})";
  const std::vector<Hit> hits = finder().find_json(json);
  BOOST_TEST_REQUIRE(hits.size() >= 2u);
  BOOST_TEST((hits[0].kind == HitKind::kKnown));
  BOOST_TEST(hits[0].name == "crm");
  BOOST_TEST(hits[0].where == "/a/0/b~1c");
  BOOST_TEST((hits[0].extent == Extent{2, 22}));
  BOOST_TEST((hits[1].kind == HitKind::kPattern));
  BOOST_TEST(hits[1].where == "/token");
  for (const Hit& hit : hits) {
    BOOST_TEST(hit.name.find("ub4dor") == std::string::npos);
    BOOST_TEST(hit.name.find(kGitHub.substr(4)) == std::string::npos);
  }
  const auto in_name = finder().find_json(R"({"tr0ub4dor&3-and-more":{"password":"x"}})");
  BOOST_TEST_REQUIRE(in_name.size() == 2u);
  BOOST_TEST(in_name[1].where == "/[redacted]/password");
}

BOOST_AUTO_TEST_CASE(listed_fields_are_redacted_whatever_they_hold) {
  const SecretFinder secrets = finder();
  const std::string json =
      R"({"people":[{"name":"A","ssn":1},{"name":"B","ssn":{"n":2}}],"a/b":"x","ssn":"kept"})";
  BOOST_TEST(
      secrets.redact_json(json, fields({"/people/*/ssn", "/a~1b"})).text ==
      R"({"a/b":"[redacted]","people":[{"name":"A","ssn":"[redacted]"},{"name":"B","ssn":"[redacted]"}],"ssn":"kept"})");
  BOOST_TEST(secrets.redact_json(json, fields({"/people/1"})).text ==
             R"({"a/b":"x","people":[{"name":"A","ssn":1},"[redacted]"],"ssn":"kept"})");
  BOOST_TEST(secrets.redact_json(json, fields({"/people/2", "/other", "/people/*/ssn/m"})).hits.empty());
  BOOST_TEST(secrets.redact_json(json, fields({"/*"})).hits.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_field_that_is_no_pointer_is_refused) {
  for (const char* const pointer : {"", "a", "a/b", "/a~2", "/a~"}) {
    const std::vector<std::string> pointers{pointer};
    BOOST_TEST((FieldPaths::parse(pointers).error().code == ErrorCode::kInvalidArgument), pointer);
  }
  const std::vector<std::string> good{"/", "/~0~1", "/*/0"};
  BOOST_TEST(FieldPaths::parse(good).has_value());
}

BOOST_AUTO_TEST_CASE(each_detector_can_be_left_out) {
  FinderOptions none;
  none.patterns = none.random_tokens = none.named_members = false;
  const SecretFinder nothing(nullptr, none);
  const std::string text = kGitHub + " aZ3kQ9pL2xT7vB4nM8rW1cY6 a.person@example.org " + std::string(kValue);
  BOOST_TEST(nothing.find(text).empty());
  BOOST_TEST(nothing.redact_json(R"({"password":"x"})").hits.empty());

  FinderOptions personal = none;
  personal.personal.email = true;
  BOOST_TEST(SecretFinder(nullptr, personal).redact(text).hits.size() == 1u);
  FinderOptions configured = none;
  configured.configured = {"customer-\\d+"};
  BOOST_TEST(SecretFinder(nullptr, configured).redact("of customer-17").text == "of [redacted]");
}

BOOST_AUTO_TEST_CASE(a_random_token_in_a_member_named_as_a_hash_is_none) {
  const std::string token = std::string("aZ3kQ9pL2x") + "T7vB4nM8rW1cY6hD0s";
  BOOST_TEST(finder().find_json(R"({"kid":")" + token + R"("})").empty());
  BOOST_TEST(finder().find_json(R"({"trace_id":")" + token + R"("})").empty());
  BOOST_TEST(finder().find_json(R"({"value":")" + token + R"("})").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_value_that_becomes_known_is_found_from_then_on) {
  const auto known = std::make_shared<KnownSecrets>();
  const SecretFinder secrets(known);
  BOOST_TEST(secrets.find("it is hunter22").empty());
  BOOST_TEST_REQUIRE(known->add(as_bytes("hunter22"), "crm").has_value());
  BOOST_TEST(secrets.find("it is hunter22").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_character_in_json_is_redacted_whole) {
  const auto known = std::make_shared<KnownSecrets>();
  BOOST_TEST_REQUIRE(known->add(as_bytes("\xA9secret\xC3"), "half").has_value());
  const SecretFinder secrets(known);
  BOOST_TEST(secrets.redact_json("{\"a\":\"x\xC3\xA9secret\xC3\xA9y\"}").text == R"({"a":"x[redacted]y"})");
}

BOOST_AUTO_TEST_CASE(marks_that_stand_close_together_hide_no_secret) {
  const SecretFinder secrets = finder();
  for (const SecretPattern& pattern : secret_patterns()) {
    std::string text;
    for (int i = 0; i < 50; ++i) text += std::string(pattern.marks.substr(0, pattern.marks.find(' ')));
    text += " " + kGitHub;
    BOOST_TEST(secrets.redact(text).text.find(kGitHub) == std::string::npos, pattern.name);
  }
}

}  // namespace chancery::redaction
