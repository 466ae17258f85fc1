#include "daemon/runtime/upstreams/mcp_upstream.hpp"

#include <memory>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "tests/unit/mcp/scripted_upstream.hpp"
#include "tests/unit/runtime/upstreams/declared_tool.hpp"

// A server that gets the credential before it can be looked at: what it does with it is known also when no call is made.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
using chancery::tests::answer_with;
using chancery::tests::ScriptedUpstream;
using Kind = UpstreamOutcome::Kind;

const std::string kNoMethod = R"({"jsonrpc":"2.0","id":$id,"error":{"code":-32601,"message":"no"}})";
const std::string kOpened =
    answer_with(R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{}})");

const tools::Tool& declared() {
  static const tools::Tool tool =
      mcp_tool("[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ncredential_in = \"env:KEY\"\n",
               "allow = [\"\"]", "credential = \"psp\"\n");
  return tool;
}

UpstreamOutcome called(std::unique_ptr<ScriptedUpstream> script) {
  auto open = [&script](const SecretBytes*, const std::stop_token&) -> Result<OpenedTransport> {
    return OpenedTransport{std::move(script), [] { return std::string(); }};
  };
  McpUpstream upstream(declared(), open, LookAhead::kNever);
  const SecretBytes credential(as_bytes("canary-4711-value"));
  tools::PreparedCall prepared;
  prepared.request = tools::McpRequest{"create_refund", "{}"};
  return upstream.call(prepared, &credential, {});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_upstreams)

BOOST_AUTO_TEST_CASE(what_is_said_in_a_list_of_other_tools_is_heard) {
  auto script = std::make_unique<ScriptedUpstream>();
  script->react({kNoMethod});
  script->react({kOpened});
  script->react({answer_with(
      R"({"tools":[{"name":"other","description":"canary-4711-value","inputSchema":{"type":"object"}}]})")});
  const UpstreamOutcome out = called(std::move(script));
  BOOST_TEST((out.kind == Kind::kChanged));
  BOOST_TEST((out.standing == Standing::kGone));
  BOOST_TEST(out.heard.find("canary-4711-value") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_said_instead_of_a_list_is_heard) {
  auto script = std::make_unique<ScriptedUpstream>();
  script->react({kNoMethod});
  script->react({kOpened});
  script->react({answer_with(R"({"tools":"canary-4711-value"})")});
  const UpstreamOutcome out = called(std::move(script));
  BOOST_TEST((out.kind == Kind::kNeverSent));
  BOOST_TEST(out.heard.find("canary-4711-value") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_credential_that_is_refused_from_the_start_is_told_by_its_status) {
  auto script = std::make_unique<ScriptedUpstream>();
  script->failure = {ErrorCode::kRequestRefused, "not with this one", 401};
  const UpstreamOutcome out = called(std::move(script));
  BOOST_TEST((out.kind == Kind::kNeverSent));
  BOOST_TEST(out.status == 401);
}

BOOST_AUTO_TEST_SUITE_END()
