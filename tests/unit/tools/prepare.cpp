#include "daemon/runtime/tools/prepare.hpp"

#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/tools/declared.hpp"

// What is authorized, recorded and sent are the same values, each in its one spelling.

namespace chancery::tools {
namespace {

constexpr const char* kEveryForm = R"(
[tool.arguments]
type = "object"
required = ["amount"]
[tool.arguments.properties]
amount = { type = "number", minimum = 0 }
note = { type = "string" }
file = { type = "string", pattern = "^/data/" }
page = { type = "string" }
host = { type = "string" }
deep = { type = "object", properties = { list = { type = "array" } } }
[[tool.constraint]]
argument = "/amount"
parameter = "amount"
as = "number"
[[tool.constraint]]
argument = "/note"
parameter = "note"
as = "string"
[[tool.constraint]]
argument = "/file"
parameter = "path"
as = "path"
[[tool.constraint]]
argument = "/page"
parameter = "url"
as = "url"
[[tool.constraint]]
argument = "/deep/list/0"
parameter = "host"
as = "host"
[tool.mcp_stdio]
command = ["/usr/bin/example"]
tool = "example"
)";

BOOST_AUTO_TEST_CASE(params_and_arguments_are_made_of_the_same_canonical_values) {
  const Tool tool = tool_of(with_response(kEveryForm));
  const PreparedCall call =
      call_of(tool, R"({"page":"HTTPS://Host:443/a/../b","file":"/data/%2e/x//y","amount":1.50,)"
                    R"("note":"a\nb","deep":{"list":["EXAMPLE.org","Other"],"more":null}})");
  BOOST_TEST(call.arguments ==
             R"({"amount":1.5,"deep":{"list":["example.org","Other"],"more":null},"file":"/data/x/y",)"
             R"("note":"a\nb","page":"https://host/b"})");
  BOOST_TEST(
      call.params ==
      R"({"amount":1.5,"host":"example.org","note":"a\nb","path":"/data/x/y","url":"https://host/b"})");
  BOOST_TEST(hex_encode(call.arguments_sha256) == hex_encode(sha256(as_bytes(call.arguments))));
  const auto* request = std::get_if<McpRequest>(&call.request);
  BOOST_REQUIRE(request != nullptr);
  BOOST_TEST(request->tool == "example");
  BOOST_TEST(request->arguments == call.arguments);
}

BOOST_AUTO_TEST_CASE(same_arguments_in_other_spellings_have_the_same_hash) {
  const Tool tool = tool_of(with_response(kEveryForm));
  const auto one = call_of(tool, R"({"amount":10,"page":"http://HOST:80"})");
  const auto other = call_of(tool, R"( { "page" : "http://host/%2e", "amount" : 1e1 } )");
  BOOST_TEST(hex_encode(one.arguments_sha256) == hex_encode(other.arguments_sha256));
}

BOOST_AUTO_TEST_CASE(parameters_of_arguments_that_are_not_there_are_left_out) {
  const auto call = call_of(tool_of(with_response(kEveryForm)), R"({"amount":1})");
  BOOST_TEST(call.params == R"({"amount":1})");
  BOOST_TEST(call.arguments == R"({"amount":1})");
}

struct Refused {
  const char* arguments;
  const char* argument;
  bool by_schema;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.arguments; }

const Refused kRefused[] = {
    {"{}", "", true},
    {"[]", "", true},
    {R"({"amount":-1})", "/amount", true},
    {R"({"amount":1,"ammount":2})", "", true},
    {R"({"amount":1,"file":"/etc/passwd"})", "/file", true},
    // The pattern holds for what was given, and not for what it stands for.
    {R"({"amount":1,"file":"/data/../etc/passwd"})", "/file", true},
    {R"({"amount":1,"file":"/data/%2e%2e/etc"})", "/file", true},
    {R"({"amount":1,"file":"/data/%252e%252e/etc"})", "/file", false},
    {R"({"amount":1,"file":"/data/../../etc"})", "/file", false},
    {R"({"amount":1,"page":"http://user@host/"})", "/page", false},
    {R"({"amount":1,"page":"http://0x7f.1/"})", "/page", false},
    {R"({"amount":1,"deep":{"list":["2130706433"]}})", "/deep/list/0", false},
    {R"({"amount":1,"deep":{"list":[7]}})", "/deep/list/0", false},
};
BOOST_DATA_TEST_CASE(call_that_may_not_be_made_names_the_argument, boost::unit_test::data::make(kRefused),
                     row) {
  const auto call = prepared(tool_of(with_response(kEveryForm)), row.arguments);
  BOOST_REQUIRE(!call);
  BOOST_TEST((call.error().error.code == ErrorCode::kInvalidArgument));
  BOOST_TEST(call.error().argument == row.argument);
  BOOST_TEST(call.error().findings.empty() == !row.by_schema);
}

BOOST_AUTO_TEST_CASE(arguments_that_take_too_much_to_check_are_refused_as_such) {
  const Tool tool = tool_of(with_response(R"(
[tool.arguments]
type = "object"
properties = { a = { type = "array", items = { "$ref" = "#/$defs/a0" } } }
[tool.arguments."$defs"]
a0 = { allOf = [{ "$ref" = "#/$defs/a1" }, { "$ref" = "#/$defs/a1" }, { "$ref" = "#/$defs/a1" }] }
a1 = { allOf = [{ "$ref" = "#/$defs/a2" }, { "$ref" = "#/$defs/a2" }, { "$ref" = "#/$defs/a2" }] }
a2 = { allOf = [{ "$ref" = "#/$defs/a3" }, { "$ref" = "#/$defs/a3" }, { "$ref" = "#/$defs/a3" }] }
a3 = { type = ["number"] }
[tool.mcp_stdio]
command = ["/usr/bin/example"]
tool = "example"
)"));
  std::string list = "1";
  BOOST_TEST(bool(prepared(tool, R"({"a":[)" + list + "]}")));
  for (int i = 0; i < 50000; ++i) list += ",1";
  const auto call = prepared(tool, R"({"a":[)" + list + "]}");
  BOOST_REQUIRE(!call);
  BOOST_TEST((call.error().error.code == ErrorCode::kTooLarge));
}

}  // namespace
}  // namespace chancery::tools
