#include <string>

#include <boost/test/unit_test.hpp>

#include "tests/unit/schema/schema_of.hpp"

// Hostile schemas and instances cost a bounded amount of work and stack, and end in an error.

namespace chancery::schema {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// "a0" refers to the rest of the chain twice: two to the power of `length` ways through it.
std::string doubling(std::size_t length) {
  std::string defs;
  for (std::size_t i = 0; i < length; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/a" + std::to_string(i + 1) + "\"}";
    defs += "\"a" + std::to_string(i) + "\":{\"allOf\":[" + next + "," + next + "]},";
  }
  return "{\"$ref\":\"#/$defs/a0\",\"$defs\":{" + defs + "\"a" + std::to_string(length) + "\":true}}";
}

void refused_as_too_much(const Schema& schema, std::string_view instance, const Bounds& bounds = {}) {
  const auto findings = checked(schema, instance, bounds);
  BOOST_REQUIRE(!findings);
  BOOST_TEST((findings.error().code == ErrorCode::kTooLarge));
}

BOOST_AUTO_TEST_CASE(work_is_bounded) {
  BOOST_TEST(is_valid(schema_of(doubling(8)), "1"));
  refused_as_too_much(schema_of(doubling(40)), "1");
}

BOOST_AUTO_TEST_CASE(what_was_not_looked_at_is_no_match) {
  // Were a check that broke off a plain "no", these would hold.
  const std::string endless = doubling(40).substr(1, std::string::npos);
  for (const char* keyword : {"not", "if"}) {
    const std::string text = "{\"$defs\":{\"x\":{\"$id\":\"x:x\",\"" + std::string(keyword) +
                             "\":{\"$id\":\"y:y\"," + endless + "}},\"$ref\":\"#/$defs/x\"}";
    refused_as_too_much(schema_of(text), "1");
  }
}

BOOST_AUTO_TEST_CASE(depth_is_bounded) {
  const Schema tree = schema_of(R"({"properties":{"a":{"$ref":"#"}}})");
  BOOST_TEST(is_valid(tree, repeated("{\"a\":", 60) + "1" + repeated("}", 60)));
  refused_as_too_much(tree, repeated("{\"a\":", 900) + "1" + repeated("}", 900));
  // A chain of references is as deep as it is long.
  std::string chain;
  for (int i = 0; i < 1000; ++i) {
    chain += "\"a" + std::to_string(i) + "\":{\"$ref\":\"#/$defs/a" + std::to_string(i + 1) + "\"},";
  }
  refused_as_too_much(schema_of("{\"$ref\":\"#/$defs/a0\",\"$defs\":{" + chain + "\"a1000\":true}}"), "1");
}

BOOST_AUTO_TEST_CASE(number_of_subschemas_and_patterns_is_bounded) {
  Options options;
  options.max_subschemas = 10;
  BOOST_TEST(bool(compiled("{\"allOf\":[" + repeated("true,", 8) + "true]}", options)));
  const auto many = compiled("{\"allOf\":[" + repeated("true,", 9) + "true]}", options);
  BOOST_REQUIRE(!many);
  BOOST_TEST(many.error().message == "the schema has too many parts: use at most 10");

  options = {};
  options.max_patterns = 2;
  BOOST_TEST(bool(compiled(R"({"allOf":[{"pattern":"a"},{"pattern":"b"}]})", options)));
  const auto patterns = compiled(R"({"allOf":[{"pattern":"a"},{"pattern":"b"},{"pattern":"c"}]})", options);
  BOOST_REQUIRE(!patterns);
  BOOST_TEST(patterns.error().location == "/allOf/2/pattern");
}

BOOST_AUTO_TEST_CASE(nesting_of_a_schema_is_bounded) {
  BOOST_TEST(bool(compiled(repeated("{\"not\":", 60) + "true" + repeated("}", 60))));
  json::Limits limits;
  limits.max_depth = 1024;
  const auto document =
      json::Document::parse(repeated("{\"not\":", 500) + "true" + repeated("}", 500), limits);
  BOOST_REQUIRE(document);
  BOOST_TEST(!Schema::compile(document->root()));
}

BOOST_AUTO_TEST_CASE(circles_that_only_a_check_can_see_end_it) {
  // Where "$dynamicRef" leads depends on the way there: here back to its own schema.
  const Schema schema =
      schema_of(R"({"$id":"x:outer","$dynamicAnchor":"a","$ref":"x:inner","$defs":{)"
                R"("i":{"$id":"x:inner","$dynamicRef":"#a","$defs":{"b":{"$dynamicAnchor":"a"}}}}})");
  refused_as_too_much(schema, "1");
}

BOOST_AUTO_TEST_CASE(large_instances_cost_steps) {
  const std::string members = [] {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
    return "{" + text + "}";
  }();
  std::string names;
  for (int i = 0; i < 2000; ++i) names += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\"";
  refused_as_too_much(schema_of("{\"required\":[" + names + "]}"), members);
  const std::string same = "[" + repeated("\"abcdefgh\",", 50000) + "1]";
  BOOST_TEST(!is_valid(schema_of(R"({"uniqueItems":true})"), same));
  Bounds bounds;
  bounds.max_steps = 1000;
  refused_as_too_much(schema_of(R"({"uniqueItems":true})"), same, bounds);
  refused_as_too_much(schema_of(R"({"items":{"minLength":1}})"), same, bounds);
  refused_as_too_much(schema_of(R"({"pattern":"(a|aa)+$"})"), "\"" + repeated("a", 2000) + "b\"", bounds);
  BOOST_TEST(!is_valid(schema_of(R"({"pattern":"^(a|aa)+$"})"), "\"" + repeated("a", 100000) + "b\""));
}

}  // namespace
}  // namespace chancery::schema
