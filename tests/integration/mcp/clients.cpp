// Clients that were written elsewhere, against the bridge's listener with tools that a test makes up: the reference SDKs of
// both versions, and the conformance suite. bridge.cpp has them with the real runtime behind it.

#include <array>
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/cli/mcp_listener.hpp"
#include "tests/integration/mcp/bridge_scene.hpp"
#include "tests/unit/mcp/fixed_host.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using cli::ListenerOptions;
using mcp::CallProgress;
using mcp::ToolCall;
using mcp::ToolDone;

const std::filesystem::path kClients = CHANCERY_MCP_CLIENTS;

// One red dot, and a tenth of a second of silence.
constexpr const char* kImage =
    R"({"type":"image","mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="})";
constexpr const char* kAudio =
    R"({"type":"audio","mimeType":"audio/wav","data":"UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="})";

void add_static(FixedHost& host, const std::string& name, const std::string& content, bool is_error = false) {
  host.add(name, [=](const ToolCall&, CallProgress&) { return ToolDone{content, {}, is_error}; });
}

// What the conformance suite wants to find, by its names.
void add_suite_tools(FixedHost& host) {
  const std::string text = R"({"type":"text","text":"This is a simple text response for testing."})";
  const std::string resource =
      R"({"type":"resource","resource":{"uri":"test://embedded-resource","mimeType":"text/plain","text":"This is an embedded resource content."}})";
  const std::string mixed =
      R"({"type":"resource","resource":{"uri":"test://mixed-content-resource","mimeType":"application/json","text":"{}"}})";
  add_static(host, "test_simple_text", "[" + text + "]");
  add_static(host, "test_image_content", std::string("[") + kImage + "]");
  add_static(host, "test_audio_content", std::string("[") + kAudio + "]");
  add_static(host, "test_embedded_resource", "[" + resource + "]");
  add_static(host, "test_multiple_content_types", "[" + text + "," + kImage + "," + mixed + "]");
  add_static(host, "test_error_handling",
             R"([{"type":"text","text":"This tool intentionally returns an error for testing"}])", true);
  host.add("test_tool_with_progress", [](const ToolCall&, CallProgress& progress) {
    for (const int done : {0, 50, 100}) progress.advance(done, 100, {});
    return text_answer("done");
  });
  host.add("test_tool_with_logging", [](const ToolCall&, CallProgress& progress) {
    for (const char* what : {"Tool execution started", "Tool processing data", "Tool execution completed"}) {
      progress.log(mcp::LogLevel::kInfo, what);
    }
    return text_answer("done");
  });
  host.add(
      mcp::Tool{
          "json_schema_2020_12_tool",
          {},
          "Tool with JSON Schema 2020-12 features",
          R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":)"
          R"({"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},"properties":)"
          R"({"name":{"type":"string"},"address":{"$ref":"#/$defs/address"}},"additionalProperties":false})",
          {},
          {}},
      [](const ToolCall&, CallProgress&) { return text_answer("ok"); });
}

ListenerOptions listener_options(std::size_t page_size) {
  ListenerOptions options;
  options.address = "127.0.0.1:0";
  options.http.server.version = "1";
  options.http.server.page_size = page_size;
  options.http.server.logging = true;
  return options;
}

struct Scene {
  explicit Scene(std::size_t page_size = 5) {
    add_usual_tools(host);
    add_suite_tools(host);
    host.add("wait", [this](const ToolCall&, CallProgress& progress) {
      progress.advance(1, {}, "waiting");  // so that whoever cancels knows that it began
      if (wait_for_cancellation(progress)) ++cancelled;
      return text_answer("too late");
    });
    host.add("cancelled",
             [this](const ToolCall&, CallProgress&) { return text_answer(std::to_string(cancelled)); });
    auto started = cli::McpListener::start(listener_options(page_size), host);
    BOOST_REQUIRE(started);
    server.emplace(*std::move(started));
  }

  [[nodiscard]] ProgramResult run(const char* script) const {
    return run_node({(kClients / script).string(), server->url()});
  }

  std::atomic<int> cancelled = 0;
  FixedHost host;
  std::optional<cli::McpListener> server;
};

constexpr std::array kScenarios{"server-initialize",
                                "ping",
                                "tools-list",
                                "tools-call-simple-text",
                                "tools-call-image",
                                "tools-call-audio",
                                "tools-call-embedded-resource",
                                "tools-call-mixed-content",
                                "tools-call-error",
                                "tools-call-with-progress",
                                "tools-call-with-logging",
                                "json-schema-2020-12",
                                "dns-rebinding-protection"};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_sdk_of_2025_11_25_has_its_session, Scene) {
  const ProgramResult end = run("session.mjs");
  BOOST_TEST(end.exit_status == 0, end.output);
}

BOOST_FIXTURE_TEST_CASE(the_client_of_2026_07_28_needs_none, Scene) {
  const ProgramResult end = run("stateless.mjs");
  BOOST_TEST(end.exit_status == 0, end.output);
}

BOOST_DATA_TEST_CASE(the_conformance_suite_finds_no_fault, data::make(kScenarios), scenario) {
  const Scene scene(64);  // the suite reads one page
  const ProgramResult end =
      run_node({(kClients / "node_modules/@modelcontextprotocol/conformance/dist/index.js").string(),
                "server", "--url", scene.server->url(), "--scenario", scenario});
  BOOST_TEST(end.exit_status == 0, end.output);
  BOOST_TEST(end.output.find(", 0 failed") != std::string::npos, end.output);
}

}  // namespace chancery::tests
