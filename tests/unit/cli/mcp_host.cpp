// What the runtime made of a call, as an agent is told of it over MCP.

#include "sdk/cli/mcp_host.hpp"

#include <array>
#include <optional>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/client/tool_messages.hpp"

namespace chancery::cli {
namespace {

namespace data = boost::unit_test::data;

struct DoneCase {
  const char* name;
  const char* answer;  // of the runtime
  bool is_mcp;
  const char* content;
  std::optional<std::string> structured;
  bool is_error;
};
std::ostream& operator<<(std::ostream& out, const DoneCase& c) { return out << c.name; }

const std::array kDone{
    DoneCase{"an object", R"({"outcome":"done","result":{"a":1}})", false, "[]", R"({"a":1})", false},
    DoneCase{"a list", R"({"outcome":"done","result":[1]})", false, "[]", "[1]", false},
    DoneCase{"a text is its own content", R"({"outcome":"done","result":"ä \"b\""})", false,
             R"([{"text":"ä \"b\"","type":"text"}])", std::nullopt, false},
    DoneCase{"null is nothing", R"({"outcome":"done","result":null})", false, "[]", std::nullopt, false},
    DoneCase{"no result", R"({"outcome":"done"})", false, "[]", std::nullopt, false},
    DoneCase{"an error has what the upstream said as text",
             R"({"code":"upstream_error","message":"status 500","outcome":"error","result":{"why":"x"}})",
             false, R"([{"text":"status 500","type":"text"},{"text":"{\"why\":\"x\"}","type":"text"}])",
             std::nullopt, true},
    DoneCase{"an error without an answer", R"({"message":"status 500","outcome":"error","result":null})",
             false, R"([{"text":"status 500","type":"text"}])", std::nullopt, true},
    DoneCase{"an MCP tool's content",
             R"({"outcome":"done","result":{"content":[{"type":"text","text":"x"}]}})", true,
             R"([{"type":"text","text":"x"}])", std::nullopt, false},
    DoneCase{"an MCP tool's structured content alone",
             R"({"outcome":"done","result":{"structuredContent":{"a":1}}})", true, "[]", R"({"a":1})", false},
    DoneCase{"an MCP tool that failed", R"({"outcome":"done","result":{"content":[],"isError":true}})", true,
             "[]", std::nullopt, true},
};

struct RefusedCase {
  const char* name;
  const char* answer;
  mcp::RefusalKind kind;
  const char* code;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const RefusedCase& c) { return out << c.name; }

constexpr std::array kRefused{
    RefusedCase{"unknown", R"({"code":"unknown_tool","message":"none","outcome":"unknown"})",
                mcp::RefusalKind::kUnknownTool, "unknown_tool", "none"},
    RefusedCase{"denied",
                R"({"code":"ceiling_exceeded","decision":{"x":1},"message":"too much","outcome":"denied"})",
                mcp::RefusalKind::kDenied, "ceiling_exceeded", "too much"},
    RefusedCase{
        "denied, with the bound",
        R"({"code":"c","decision":{"expected":"amount max 100","found":"amount = 1000","remedy":"stay within"},"message":"beyond","outcome":"denied"})",
        mcp::RefusalKind::kDenied, "c", "beyond (found amount = 1000, expected amount max 100): stay within"},
    RefusedCase{
        "denied, by a bound that is another's",
        R"({"code":"c","decision":{"expected":"","found":"x","remedy":"ask"},"message":"beyond","outcome":"denied"})",
        mcp::RefusalKind::kDenied, "c", "beyond: ask"},
    RefusedCase{"arguments, with their place",
                R"({"argument":"/a","code":"invalid_arguments","message":"wrong","outcome":"invalid"})",
                mcp::RefusalKind::kBadArgument, "invalid_arguments", "wrong (at /a)"},
    RefusedCase{
        "arguments, with what the schema says",
        R"({"argument":"/a","code":"c","findings":[{"instance":"/a"}],"message":"wrong","outcome":"invalid"})",
        mcp::RefusalKind::kBadArgument, "c", R"(wrong (at /a): [{"instance":"/a"}])"},
    RefusedCase{"failed", R"({"code":"upstream_failed","message":"no","outcome":"failed","permit":"p"})",
                mcp::RefusalKind::kFailed, "upstream_failed", "no"},
    RefusedCase{
        "an approval that nobody can give",
        R"({"code":"approval_required","document":{},"message":"not yet","outcome":"approval_required"})",
        mcp::RefusalKind::kDenied, "approval_required", "not yet"},
};

mcp::ToolAnswer answer_to(const char* json, bool is_mcp = false) {
  auto outcome = client::read_outcome(json);
  BOOST_REQUIRE(outcome);
  outcome->is_mcp_result = is_mcp;
  return tool_answer(*outcome);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_host)

BOOST_DATA_TEST_CASE(what_a_tool_answered_is_its_result, data::make(kDone), c) {
  const mcp::ToolAnswer answer = answer_to(c.answer, c.is_mcp);
  BOOST_REQUIRE(std::holds_alternative<mcp::ToolDone>(answer));
  const auto& done = std::get<mcp::ToolDone>(answer);
  BOOST_TEST(done.content == c.content);
  BOOST_TEST((done.structured == c.structured), done.structured.value_or("none"));
  BOOST_TEST(done.is_error == c.is_error);
}

BOOST_DATA_TEST_CASE(a_refusal_has_its_kind_and_what_to_do, data::make(kRefused), c) {
  const mcp::ToolAnswer answer = answer_to(c.answer);
  BOOST_REQUIRE(std::holds_alternative<mcp::ToolRefused>(answer));
  const auto& refused = std::get<mcp::ToolRefused>(answer);
  BOOST_TEST((refused.kind == c.kind));
  BOOST_TEST(refused.code == c.code);
  BOOST_TEST(refused.message == c.message);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_an_approval_is_pending) {
  const mcp::ToolAnswer answer = answer_to(
      R"({"approval":"00112233445566778899aabbccddeeff","code":"approval_required","document":{"tool":"x"},)"
      R"("expires_at":1800000000,"message":"waits","outcome":"approval_required",)"
      R"("url":"https://chancery.example.org/ui#/approvals/00112233445566778899aabbccddeeff"})");
  BOOST_REQUIRE(std::holds_alternative<mcp::ToolPending>(answer));
  const auto& pending = std::get<mcp::ToolPending>(answer);
  BOOST_TEST(pending.request == "00112233445566778899aabbccddeeff");
  BOOST_TEST(pending.document == R"({"tool":"x"})");
  BOOST_TEST(pending.url == "https://chancery.example.org/ui#/approvals/00112233445566778899aabbccddeeff");
}

BOOST_AUTO_TEST_CASE(an_mcp_result_that_is_none_does_not_pass) {
  for (const char* json :
       {R"({"outcome":"done","result":"text"})", R"({"outcome":"done","result":{"other":1}})"}) {
    const mcp::ToolAnswer answer = answer_to(json, true);
    BOOST_REQUIRE(std::holds_alternative<mcp::ToolRefused>(answer));
    BOOST_TEST(std::get<mcp::ToolRefused>(answer).code == "bad_response");
  }
}

BOOST_AUTO_TEST_CASE(a_call_without_an_answer_says_why) {
  ClientError away;
  away.error = {ErrorCode::kConnectFailed, "nobody is there"};
  const mcp::ToolAnswer answer = tool_answer(away);
  const auto& refused = std::get<mcp::ToolRefused>(answer);
  BOOST_TEST(refused.code == "connect_failed");
  BOOST_TEST(refused.message == "nobody is there");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli
