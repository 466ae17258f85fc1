#include <array>
#include <memory>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/upstreams/mcp_conversation.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/mcp/tool.hpp"
#include "tests/unit/mcp/scripted_upstream.hpp"

// One connection to an MCP server: what it is held against, and what a call is known to have done.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using chancery::tests::answer_with;
using chancery::tests::ScriptedUpstream;
namespace data = boost::unit_test::data;
using Kind = UpstreamOutcome::Kind;

const std::string kTool = R"({"name":"refund","description":"Refunds.","inputSchema":{"type":"object"}})";
const std::string kNoMethod = R"({"jsonrpc":"2.0","id":$id,"error":{"code":-32601,"message":"no"}})";
const std::string kChangedNotice = R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})";

mcp::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::minutes{1}; }

std::string listing(const std::string& tools) { return answer_with(R"({"tools":[)" + tools + "]}"); }

/// A server of 2025-11-25, and the connection to it.
struct Server {
  /// \param listed  what it says to the first question for its tools
  explicit Server(ScriptedUpstream::Reaction listed = {listing(kTool)}) {
    script->react({kNoMethod});
    script->react(
        {answer_with(R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{}})")});
    script->react(std::move(listed));
  }
  McpConversation open(std::uint64_t max_response = 1000) {
    const auto document = json::Document::parse(kTool);
    const auto tool = mcp::read_tool(document->root());
    return {std::unique_ptr<mcp::UpstreamTransport>(owned.release()),
            McpTool{"refund", hex_encode(*mcp::description_digest(*tool)), max_response}, false};
  }

  std::unique_ptr<ScriptedUpstream> owned = std::make_unique<ScriptedUpstream>();
  ScriptedUpstream* script = owned.get();
};

struct Offered {
  const char* name;
  std::string tools;
  Standing want;
};
std::ostream& operator<<(std::ostream& out, const Offered& row) { return out << row.name; }
const std::array kOffered{
    Offered{"as it was reviewed", kTool, Standing::kAsReviewed},
    Offered{"beside another one", kTool + R"(,{"name":"other","inputSchema":{"type":"object"}})",
            Standing::kAsReviewed},
    Offered{"another description",
            R"({"name":"refund","description":"Refunds!","inputSchema":{"type":"object"}})",
            Standing::kChanged},
    Offered{
        "other arguments",
        R"({"name":"refund","description":"Refunds.","inputSchema":{"type":"object","properties":{"x":{}}}})",
        Standing::kChanged},
    Offered{"a title",
            R"({"name":"refund","title":"T","description":"Refunds.","inputSchema":{"type":"object"}})",
            Standing::kChanged},
    Offered{"characters that nobody sees",
            R"({"name":"refund","description":"Refunds.\u202e","inputSchema":{"type":"object"}})",
            Standing::kChanged},
    Offered{"twice", kTool + "," + kTool, Standing::kChanged},
    Offered{"not any more", R"({"name":"other","inputSchema":{"type":"object"}})", Standing::kGone},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_conversations)

BOOST_DATA_TEST_CASE(a_tool_is_held_against_its_pin, data::make(kOffered), row) {
  Server server({listing(row.tools)});
  McpConversation conversation = server.open();
  const auto standing = conversation.begin(soon());
  BOOST_REQUIRE(standing.has_value());
  BOOST_TEST((*standing == row.want));
}

BOOST_AUTO_TEST_CASE(an_answer_is_a_document_and_what_came_before_is_known) {
  Server server;
  server.script->react(
      {R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"psst"}})",
       answer_with(R"({"content":[{"type":"text","text":"a"}],"structuredContent":{"b":1}})")});
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  const UpstreamOutcome out = conversation.call(R"({"amount":1})", soon());
  BOOST_TEST((out.kind == Kind::kAnswered));
  BOOST_TEST(!out.is_error);
  BOOST_TEST(out.document == R"({"content":[{"text":"a","type":"text"}],"structuredContent":{"b":1}})");
  BOOST_TEST(out.raw.find("structuredContent") != std::string::npos);
  BOOST_TEST(out.heard.find("psst") != std::string::npos);
  BOOST_TEST(server.script->sent.back().text.find(R"("arguments":{"amount":1})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_server_is_an_answer_in_its_words) {
  Server server;
  server.script->react({R"({"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":"no such charge"}})"});
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  const UpstreamOutcome out = conversation.call("{}", soon());
  BOOST_TEST((out.kind == Kind::kAnswered));
  BOOST_TEST(out.is_error);
  BOOST_TEST(out.is_refusal);
  BOOST_TEST(out.document == R"({"content":[{"text":"no such charge","type":"text"}],"isError":true})");
}

// What was cut could not be looked through for secrets.
BOOST_AUTO_TEST_CASE(a_refusal_of_the_server_is_whole_before_it_is_redacted) {
  const std::string words = std::string(1020, 'x') + "canary-4711-value";
  Server server;
  server.script->react(
      {R"({"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":")" + words + R"("}})"});
  McpConversation conversation = server.open(4000);
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  BOOST_TEST(conversation.call("{}", soon()).document.find(words) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_credential_that_is_refused_in_a_call_is_told_by_its_status) {
  Server server;
  server.script->failure = {ErrorCode::kRequestRefused, "not with this one", 401};
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  BOOST_TEST(conversation.call("{}", soon()).status == 401);
}

BOOST_AUTO_TEST_CASE(a_call_without_an_answer_may_have_been_made) {
  Server server;
  server.script->react({});
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  const UpstreamOutcome out = conversation.call("{}", soon());
  BOOST_TEST((out.kind == Kind::kMaybeSent));
  BOOST_TEST((out.error.code == ErrorCode::kTimeout));
}

BOOST_AUTO_TEST_CASE(a_call_that_could_not_be_sent_was_not_made) {
  Server server;
  server.script->failure = {ErrorCode::kConnectFailed, "nobody is there"};
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  BOOST_TEST((conversation.call("{}", soon()).kind == Kind::kNeverSent));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_long_does_not_pass) {
  Server server;
  server.script->react(
      {answer_with(R"({"content":[{"type":"text","text":")" + std::string(2000, 'a') + R"("}]})")});
  McpConversation conversation = server.open(1000);
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  const UpstreamOutcome out = conversation.call("{}", soon());
  BOOST_TEST((out.kind == Kind::kMaybeSent));
  BOOST_TEST((out.error.code == ErrorCode::kTooLarge));
  BOOST_TEST(out.document.empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_says_that_its_tools_are_others_is_looked_at_before_the_call) {
  for (const bool is_same : {true, false}) {
    Server server({kChangedNotice, listing(kTool)});
    server.script->react({listing(is_same ? kTool : kOffered[2].tools)});
    server.script->react({answer_with(R"({"content":[]})")});
    McpConversation conversation = server.open();
    const auto standing = conversation.begin(soon());
    BOOST_REQUIRE(standing.has_value());
    BOOST_TEST((*standing == Standing::kAsReviewed));
    const UpstreamOutcome out = conversation.call("{}", soon());
    BOOST_TEST((out.kind == (is_same ? Kind::kAnswered : Kind::kChanged)));
    BOOST_TEST(out.heard.find("list_changed") != std::string::npos);
    BOOST_TEST((out.standing == (is_same ? Standing::kAsReviewed : Standing::kChanged)));
    const bool was_called = server.script->sent.back().text.find("tools/call") != std::string::npos;
    BOOST_TEST(was_called == is_same);
  }
}

BOOST_AUTO_TEST_CASE(what_a_server_asks_is_refused_and_told) {
  Server server;
  server.script->react({R"({"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}})",
                        answer_with(R"({"content":[]})")});
  McpConversation conversation = server.open();
  BOOST_REQUIRE(conversation.begin(soon()).has_value());
  BOOST_TEST((conversation.call("{}", soon()).kind == Kind::kAnswered));
  BOOST_TEST(
      (conversation.take_events() == std::vector<mcp::UpstreamEvent>{mcp::UpstreamEvent::kAskedForSampling}));
  BOOST_TEST(server.script->sent.back().text.find("-32601") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
