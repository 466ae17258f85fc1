#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/schema/schema_of.hpp"

// What is said of an instance: where, by which keyword, and in words that hold nothing of it.

namespace chancery::schema {
namespace {

struct Row {
  const char* schema;
  const char* instance;
  const char* at;
  const char* keyword;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.schema << " " << row.instance;
}

const Row kRows[] = {
    {R"({"type":"string"})", "5", "", "/type", "must be a string, not a number"},
    {R"({"type":["string","null"]})", "[]", "", "/type", "must be null or a string, not a list"},
    {R"({"type":"integer"})", "1.5", "", "/type", "must be a whole number"},
    {R"({"type":"integer"})", "\"1\"", "", "/type", "must be a whole number, not a string"},
    {R"({"enum":["a",1]})", "\"b\"", "", "/enum", "must be one of \"a\", 1"},
    {R"({"const":{"a":1}})", "{}", "", "/const", "must be {\"a\":1}"},
    {R"({"minimum":1})", "0.5", "", "/minimum", "must be 1 at least"},
    {R"({"exclusiveMinimum":1})", "1", "", "/exclusiveMinimum", "must be more than 1"},
    {R"({"maximum":1.5})", "2", "", "/maximum", "must be 1.5 at most"},
    {R"({"exclusiveMaximum":1})", "1", "", "/exclusiveMaximum", "must be less than 1"},
    {R"({"multipleOf":0.01})", "0.015", "", "/multipleOf", "must be a multiple of 0.01"},
    {R"({"minLength":1})", "\"\"", "", "/minLength", "must have 1 character at least"},
    {R"({"maxItems":2})", "[1,2,3]", "", "/maxItems", "must have 2 items at most"},
    {R"({"minProperties":2})", "{\"a\":1}", "", "/minProperties", "must have 2 properties at least"},
    {R"({"pattern":"^a$"})", "\"b\"", "", "/pattern", "must match the pattern \"^a$\""},
    {R"({"uniqueItems":true})", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]", "", "/uniqueItems",
     "must not hold the same item twice"},
    {R"({"required":["a","b","c"]})", "{\"b\":1}", "", "/required", "lacks the properties \"a\", \"c\""},
    {R"({"dependentRequired":{"a":["b"]}})", "{\"a\":1}", "", "/dependentRequired",
     "lacks the property \"b\""},
    {R"({"properties":{"a/b":{"type":"null"}}})", "{\"a/b\":1}", "/a~1b", "/properties/a~1b/type",
     "must be null, not a number"},
    {R"({"additionalProperties":false,"properties":{"amount":true}})", "{\"ammount\":1}", "",
     "/additionalProperties", "has a property that is not declared; these are: \"amount\""},
    {R"({"unevaluatedProperties":false})", "{\"x\":1}", "", "/unevaluatedProperties",
     "has a property that no part of the schema describes"},
    {R"({"unevaluatedItems":false})", "[1]", "", "/unevaluatedItems",
     "has an item that no part of the schema describes"},
    {R"({"propertyNames":{"maxLength":1}})", "{\"xx\":1}", "", "/propertyNames",
     "has a property whose name is not allowed"},
    {R"({"items":{"$ref":"#/$defs/t"},"$defs":{"t":{"type":"null"}}})", "[null,1]", "/1", "/$defs/t/type",
     "must be null, not a number"},
    {R"({"prefixItems":[true],"items":false})", "[1,2]", "", "/items", "must have 1 item at most"},
    {R"({"contains":{"const":1},"minContains":2})", "[1,2]", "", "/contains",
     "must have 2 items of a kind at least, and has 1"},
    {R"({"contains":{"const":1},"maxContains":1})", "[1,1]", "", "/contains",
     "must have 1 item of a kind at most, and has 2"},
    {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "1", "", "/anyOf",
     "must fit one of the 2 alternatives at least, and fits none"},
    {R"({"oneOf":[true,true]})", "1", "", "/oneOf", "must fit exactly one of the 2 alternatives, and fits 2"},
    {R"({"not":{}})", "1", "", "/not", "must not fit what is excluded here"},
    {R"({"properties":{"a":false}})", "{\"a\":1}", "/a", "/properties/a", "is not allowed here"},
    {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":2}})", "\"a\"", "",
     "/then/minLength", "must have 2 characters at least"},
    {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":2}})", "1", "", "/else/minimum",
     "must be 2 at least"},
};

BOOST_DATA_TEST_CASE(finding_says_where_by_which_keyword_and_what_is_wanted,
                     boost::unit_test::data::make(kRows), row) {
  const auto findings = checked(schema_of(row.schema), row.instance);
  BOOST_REQUIRE(findings);
  BOOST_REQUIRE(findings->size() == 1u);
  BOOST_TEST(findings->front().instance == row.at);
  BOOST_TEST(findings->front().keyword == row.keyword);
  BOOST_TEST(findings->front().message == row.message);
}

BOOST_AUTO_TEST_CASE(all_that_is_wrong_is_found_up_to_the_bound) {
  const Schema schema = schema_of(R"({"items":{"type":"null"}})");
  Bounds bounds;
  bounds.max_findings = 3;
  BOOST_TEST(checked(schema, "[1,2]", bounds)->size() == 2u);
  BOOST_TEST(checked(schema, "[1,2,3,4,5]", bounds)->size() == 3u);
  bounds.max_findings = 0;  // there is no check without an answer
  BOOST_TEST(checked(schema, "[1,2]", bounds)->size() == 1u);
  BOOST_TEST(checked(schema, "[null]", bounds)->empty());
}

BOOST_AUTO_TEST_CASE(no_message_holds_octets_of_the_instance) {
  constexpr const char* kSecret = "s3cr3t-7f1c";
  const std::string instance =
      std::string(R"({"a":")") + kSecret + R"(","b":[")" + kSecret + R"("],")" + kSecret + R"(":1})";
  for (const Row& row : kRows) {
    for (const std::string& value : {instance, "[" + instance + "]", "\"" + std::string(kSecret) + "\""}) {
      const auto findings = checked(schema_of(row.schema), value);
      BOOST_REQUIRE(findings);
      for (const Finding& finding : *findings) BOOST_TEST(finding.message.find(kSecret) == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(long_texts_of_a_schema_are_shortened_and_control_characters_escaped) {
  const std::string pattern(5000, 'a');
  const auto long_one = checked(schema_of("{\"pattern\":\"" + pattern + "\"}"), "\"\"");
  BOOST_TEST(long_one->front().message.size() < 300u);
  const auto names = checked(schema_of(R"({"required":["a\u001b[2J"]})"), "{}");
  BOOST_TEST(names->front().message == "lacks the property \"a\\u{1B}[2J\"");
}

}  // namespace
}  // namespace chancery::schema
