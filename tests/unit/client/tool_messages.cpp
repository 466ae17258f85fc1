// What passes between an agent and a tool runtime.

#include "sdk/client/tool_messages.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

namespace chancery::client {
namespace {

namespace data = boost::unit_test::data;

struct DigestCase {
  const char* name;
  std::map<std::string, std::string> parameters;
  const char* arguments;
  const char* params;  // of the action that is proved
};
std::ostream& operator<<(std::ostream& out, const DigestCase& c) { return out << c.name; }

const std::array kDigests{
    DigestCase{"no parameters", {}, R"({"b":2,"a":"x"})", R"({"a":"x","b":2})"},
    DigestCase{"no arguments", {}, "{}", "{}"},
    DigestCase{"one that stands at the top", {{"amount", "/amount"}}, R"({"amount":75})", R"({"amount":75})"},
    DigestCase{"one from a deeper place",
               {{"amount", "/order/amount"}},
               R"({"order":{"amount":75}})",
               R"({"amount":75,"order":{"amount":75}})"},
    DigestCase{
        "one from a list", {{"first", "/ids/0"}}, R"({"ids":["a","b"]})", R"({"first":"a","ids":["a","b"]})"},
    DigestCase{"one that is not there", {{"amount", "/order/amount"}}, R"({"order":{}})", R"({"order":{}})"},
    DigestCase{"a name of its own that is another argument's",
               {{"amount", "/order/amount"}},
               R"({"amount":1,"order":{"amount":75}})",
               R"({"amount":75,"order":{"amount":75}})"},
    DigestCase{"escapes in a pointer",
               {{"x", "/a~1b/c~0d"}},
               R"({"a/b":{"c~d":true}})",
               R"({"a/b":{"c~d":true},"x":true})"},
};

constexpr std::array kNoTools{
    R"({"tools":{}})",
    R"({})",
    R"({"tools":[{"name":"x","scope":"y","arguments":{}}]})",
    R"({"tools":[{"name":"x","scope":"y","arguments":[],"parameters":{}}]})",
    R"({"tools":[{"name":"x","scope":"y","arguments":{},"parameters":{"a":"no pointer"}}]})",
    R"({"tools":[{"name":"","scope":"y","arguments":{},"parameters":{}}]})",
    R"({"tools":[1]})",
};

constexpr std::array kNoOutcomes{
    R"({})",   R"([])", R"({"outcome":"perhaps"})", R"({"outcome":1})", R"({"outcome":"done","code":1})",
    "no JSON",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_messages)

BOOST_DATA_TEST_CASE(a_proof_is_for_the_arguments_and_what_constraints_look_at, data::make(kDigests), c) {
  OfferedTool tool;
  tool.scope = "payments.refund";
  tool.parameters = c.parameters;
  const auto digest = call_digest(tool, c.arguments);
  const auto parameters = parse_parameters(c.params);
  BOOST_REQUIRE(digest);
  BOOST_REQUIRE(parameters);
  BOOST_TEST(*digest == *action_digest(tool.scope, *parameters));
  tool.scope = "payments.other";
  BOOST_TEST(*call_digest(tool, c.arguments) != *digest);
}

BOOST_AUTO_TEST_CASE(arguments_that_are_no_object_are_proved_for_nothing) {
  for (const char* arguments : {"[]", "1", "null", "{", R"({"a":1,"a":2})"})
    BOOST_TEST(!call_digest(OfferedTool{}, arguments), arguments);
}

BOOST_AUTO_TEST_CASE(a_list_says_of_each_tool_what_a_call_takes) {
  const auto tools = read_tools(
      R"({"tools":[{"answer":"mcp","approval":"required","arguments":{"type":"object"},"description":"What","name":"a",)"
      R"("parameters":{"x":"/y"},"risk":"high","scope":"s","later":1},)"
      R"({"answer":"json","arguments":{},"name":"b","parameters":{},"scope":"t"}]})");
  BOOST_REQUIRE(tools);
  BOOST_REQUIRE(tools->size() == 2u);
  const OfferedTool want{"a", "What", "s", "high", "required", R"({"type":"object"})", {{"x", "/y"}}, true};
  BOOST_TEST((tools->front() == want));
  BOOST_TEST(!tools->back().answers_mcp);
}

BOOST_DATA_TEST_CASE(a_list_that_is_none_is_not_read, data::make(kNoTools), json) {
  BOOST_TEST(!read_tools(json));
}

BOOST_DATA_TEST_CASE(an_outcome_that_is_none_is_not_read, data::make(kNoOutcomes), json) {
  BOOST_TEST(!read_outcome(json));
}

BOOST_AUTO_TEST_CASE(an_outcome_keeps_what_the_runtime_says) {
  const auto outcome = read_outcome(
      R"({"argument":"/a","code":"c","decision":{"d":1},"document":{"o":2},"findings":[3],"message":"m","outcome":"denied",)"
      R"("permit":"p","receipt":{"r":4},"result":[5],"approval":"q","expires_at":6,"url":"https://u"})");
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDenied));
  BOOST_TEST(outcome->decision == R"({"d":1})");
  BOOST_TEST(outcome->document == R"({"o":2})");
  BOOST_TEST(outcome->findings == "[3]");
  BOOST_TEST(outcome->receipt == R"({"r":4})");
  BOOST_TEST(outcome->result == "[5]");
  BOOST_TEST(outcome->approval == "q");
  BOOST_TEST(outcome->expires_at == 6);
  BOOST_TEST(outcome->url == "https://u");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::client
