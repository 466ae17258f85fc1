// Agents of frameworks that were written elsewhere, through the real bridge, runtime and daemon. Where a model would decide
// what to call, a script does.

#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include "tests/integration/mcp/bridge_scene.hpp"

namespace chancery::tests {
namespace {

/// A script in which two agents, one on a pipe and one over HTTP, are asked by a ticket to refund 75, and then 1000.
void expect_refunds_within_the_bound(BridgeScene& scene, const char* script) {
  const ProgramResult end = run_node({(std::filesystem::path(CHANCERY_MCP_AGENTS) / script).string(),
                                      scene.described(scene.listen()).string()});
  BOOST_TEST_REQUIRE(end.exit_status == 0, end.output << scene.listener_output());
  scene.expect_no_secret_in(end.output);
  scene.expect_no_secret_in(scene.listener_output());
  scene.expect_upstream_saw_its_credential_alone();
  BOOST_TEST(scene.upstream.seen().size() == 2u);
  BOOST_TEST(scene.entries("credential.release") == 2u);
  BOOST_TEST(scene.entries("tool.permit", R"("outcome":"deny")") == 2u);
  BOOST_TEST(scene.entries("tool.result", R"("status":"done")") == 2u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_agents)

BOOST_FIXTURE_TEST_CASE(an_agent_of_langgraph_refunds_within_its_bound, BridgeScene) {
  expect_refunds_within_the_bound(*this, "langgraph.mjs");
}

BOOST_FIXTURE_TEST_CASE(an_agent_of_openais_sdk_refunds_within_its_bound, BridgeScene) {
  expect_refunds_within_the_bound(*this, "openai.mjs");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
