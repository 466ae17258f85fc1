#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/schema/decimal.hpp"
#include "tests/unit/schema/schema_of.hpp"

// What is refused when a schema is compiled; what the official suite does not ask of checks.

namespace chancery::schema {
namespace {

struct Refused {
  const char* schema;
  const char* location;
  const char* message;  ///< a part of it
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.schema; }

const Refused kRefused[] = {
    {"5", "", "a schema is an object, true or false"},
    {R"({"properties":{"a":5}})", "/properties/a", "a schema is an object, true or false"},
    {R"({"type":"strin"})", "/type", "must be array, boolean"},
    {R"({"type":[]})", "/type", "must be array, boolean"},
    {R"({"enum":"a"})", "/enum", "must be a list"},
    {R"({"minimum":"1"})", "/minimum", "must be a number"},
    {R"({"multipleOf":0})", "/multipleOf", "above zero"},
    {R"({"multipleOf":-1})", "/multipleOf", "above zero"},
    {R"({"minLength":-1})", "/minLength", "whole number"},
    {R"({"minLength":1.5})", "/minLength", "whole number"},
    {R"({"maxItems":9007199254740993})", "/maxItems", "within 2^53"},
    {R"({"required":"a"})", "/required", "list of different names"},
    {R"({"required":["a","a"]})", "/required", "list of different names"},
    {R"({"dependentRequired":{"a":"b"}})", "/dependentRequired", "list of different names"},
    {R"({"uniqueItems":1})", "/uniqueItems", "true or false"},
    {R"({"items":[{}]})", "/items", "prefixItems"},
    {R"({"allOf":[]})", "/allOf", "not empty"},
    {R"({"allOf":{}})", "/allOf", "not empty"},
    {R"({"properties":[]})", "/properties", "must be an object"},
    {R"({"title":1})", "/title", "must be a string"},
    {R"({"$ref":5})", "/$ref", "must be a string"},
    {R"({"$ref":"#/$defs/a"})", "/$ref", "leads to a place that is not there"},
    {R"({"$ref":"#a"})", "/$ref", "an anchor that is not there"},
    {R"({"$ref":"#/~2"})", "/$ref", "no JSON pointer"},
    {R"({"$ref":"https://example.org/other.json"})", "/$ref",
     "leads to another document, \"https://example.org/other.json\""},
    {R"({"$ref":"file:///etc/passwd"})", "/$ref", "none is fetched"},
    {R"({"$id":"https://example.org/a#b"})", "/$id", "no fragment"},
    {R"({"$id":5})", "/$id", "must be a URI"},
    {R"({"$anchor":"1a"})", "/$anchor", "must be a name"},
    {R"({"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}})", "/$defs/b/$anchor", "two places"},
    {R"({"$defs":{"a":{"$id":"x:y"},"b":{"$id":"x:y"}}})", "/$defs/b/$id", "two places"},
    {R"({"$schema":"http://json-schema.org/draft-07/schema#"})", "/$schema", "dialect"},
    {R"({"$ref":"#"})", "", "leads back to itself"},
    {R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}})", "/$defs/a",
     "leads back to itself"},
    {R"({"anyOf":[{"type":"null"},{"not":{"$ref":"#"}}]})", "", "leads back to itself"},
    {"{\"pattern\":\"(?=a)\"}", "/pattern", "linear time"},
    {R"({"patternProperties":{"(a)\\1":true}})", "/patternProperties", "linear time"},
};

BOOST_DATA_TEST_CASE(schema_that_cannot_be_used_is_refused_with_its_place,
                     boost::unit_test::data::make(kRefused), row) {
  const auto schema = compiled(row.schema);
  BOOST_REQUIRE(!schema);
  BOOST_TEST(schema.error().location == row.location);
  BOOST_TEST(schema.error().message.find(row.message) != std::string::npos, schema.error().message);
}

BOOST_AUTO_TEST_CASE(unknown_keywords_are_refused_by_name_where_that_is_asked_for) {
  constexpr const char* kTypingError = R"({"properties":{"a":{"minimun":5}}})";
  Options options;
  BOOST_TEST(is_valid(schema_of(kTypingError), R"({"a":1})"));
  options.refuse_unknown = true;
  const auto schema = compiled(kTypingError, options);
  BOOST_REQUIRE(!schema);
  BOOST_TEST(schema.error().location == "/properties/a/minimun");
  BOOST_TEST(schema.error().message == "unknown keyword \"minimun\": did you mean \"minimum\"?");
  BOOST_TEST(bool(
      compiled(R"({"properties":{"minimun":{"minimum":5}},"default":{"x":1},"const":{"y":2}})", options)));
}

BOOST_AUTO_TEST_CASE(formats_are_asserted_where_that_is_asked_for_and_known) {
  Options options;
  BOOST_TEST(is_valid(schema_of(R"({"format":"date"})"), "\"x\""));
  options.assert_formats = true;
  const auto findings = checked(schema_of(R"({"format":"date"})", options), "\"x\"");
  BOOST_REQUIRE(findings->size() == 1u);
  BOOST_TEST(findings->front().message == "must be a date such as 2026-03-01");
  BOOST_TEST(is_valid(schema_of(R"({"format":"int64"})", options), "\"x\""));
  BOOST_TEST(!asserts_format("int64"));
}

struct Multiple {
  double value;
  double divisor;
  bool want;
};
std::ostream& operator<<(std::ostream& out, const Multiple& row) {
  return out << row.value << " " << row.divisor;
}
const Multiple kMultiples[] = {
    {0.07, 0.01, true},
    {19.99, 0.01, true},
    {1.1, 0.1, true},
    {4.35, 0.01, true},
    {0.075, 0.01, false},
    {1e-7, 1e-8, true},
    {1e-8, 1e-7, false},
    {0, 0.3, true},
    {-0.9, 0.3, true},
    {9007199254740991, 3, false},
    {9007199254740991, 1, true},
    {1e300, 0.01, true},
    {1e300, 7, false},
    {5e-324, 1, false},
    {12.5, 2.5, true},
    {100, 1e-300, true},
};
BOOST_DATA_TEST_CASE(multiples_are_told_by_decimal_digits, boost::unit_test::data::make(kMultiples), row) {
  BOOST_TEST(is_multiple(decimal_of(row.value), decimal_of(row.divisor)) == row.want);
}

BOOST_AUTO_TEST_CASE(schema_outlives_the_document_that_it_was_compiled_from) {
  std::optional<Schema> kept;
  {
    auto document = json::Document::parse(
        R"({"properties":{"name":{"$ref":"#/$defs/t"}},"$defs":{"t":{"maxLength":2}}})");
    kept.emplace(*Schema::compile(document->root()));
  }
  const Schema copy = *kept;
  BOOST_TEST(is_valid(copy, R"({"name":"ab"})"));
  BOOST_TEST(!is_valid(copy, R"({"name":"abc"})"));
  BOOST_TEST(copy.document().find("properties") != nullptr);
}

BOOST_AUTO_TEST_CASE(references_may_lead_into_places_that_are_no_keywords) {
  const Schema schema = schema_of(R"({"$ref":"#/definitions/a","definitions":{"a":{"type":"null"}}})");
  BOOST_TEST(is_valid(schema, "null"));
  BOOST_TEST(!is_valid(schema, "1"));
}

}  // namespace
}  // namespace chancery::schema
