// MCP clients that were written elsewhere, through the real bridge, the real runtime and the real daemon.

#include <array>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include "tests/integration/mcp/bridge_scene.hpp"

namespace chancery::tests {
namespace {

const std::filesystem::path kClients = CHANCERY_MCP_CLIENTS;

/// Of one agent that goes through gateway_checks.mjs: refunds of 75, of 1 eight times, of 2 and 3; one above its bound.
constexpr std::size_t kRefunds = 11;
constexpr std::size_t kDenied = 1;

/// Runs a script in which two agents do: one on a pipe, one over HTTP.
void expect_two_agents(BridgeScene& scene, const char* script) {
  const ProgramResult end =
      run_node({(kClients / script).string(), scene.described(scene.listen()).string()});
  BOOST_TEST_REQUIRE(end.exit_status == 0, end.output << scene.listener_output());
  scene.release_slow();
  scene.expect_no_secret_in(end.output);
  scene.expect_no_secret_in(scene.listener_output());
  scene.expect_upstream_saw_its_credential_alone();
  BOOST_TEST(scene.entries("credential.release") == 2 * kRefunds);
  BOOST_TEST(scene.entries("tool.permit", R"("outcome":"deny")") == 2 * kDenied);
  BOOST_TEST(scene.entries("tool.refuse") == 2u);  // arguments that the tool does not take
  BOOST_TEST(scene.end_listener() == 0);
}

// Those that tools over HTTP can be. The others are with tools that a test makes up (clients.cpp).
constexpr std::array kScenarios{"server-initialize",
                                "ping",
                                "tools-list",
                                "tools-call-simple-text",
                                "tools-call-error",
                                "json-schema-2020-12",
                                "dns-rebinding-protection"};

}  // namespace

BOOST_AUTO_TEST_SUITE(bridge_clients)

BOOST_FIXTURE_TEST_CASE(an_agent_of_2025_11_25_does_what_its_chain_allows_and_no_more, BridgeScene) {
  expect_two_agents(*this, "bridge_session.mjs");
}

BOOST_FIXTURE_TEST_CASE(an_agent_of_2026_07_28_does_what_its_chain_allows_and_no_more, BridgeScene) {
  expect_two_agents(*this, "bridge_stateless.mjs");
}

BOOST_FIXTURE_TEST_CASE(the_conformance_suite_finds_no_fault_in_the_bridge, BridgeScene) {
  const std::string url = listen();
  for (const char* scenario : kScenarios) {
    const ProgramResult end =
        run_node({(kClients / "node_modules/@modelcontextprotocol/conformance/dist/index.js").string(),
                  "server", "--url", url, "--scenario", scenario});
    BOOST_TEST(end.exit_status == 0, scenario << ": " << end.output);
    BOOST_TEST(end.output.find(", 0 failed") != std::string::npos, scenario << ": " << end.output);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
