#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {

/// Node.js as the MCP clients' packages pin it, with a script and its arguments; at most two minutes.
[[nodiscard]] ProgramResult run_node(const std::vector<std::string>& arguments);

/// The real daemon on a swtpm, the real runtime with tools over HTTP, an API behind them, and an agent whose chain lets it
/// refund 100 at most and test tools, and not read mail.
class BridgeScene {
 public:
  static constexpr const char* kUrl = kToolsUrl;
  static constexpr const char* kSecret = "psp-canary 7f41c09d/+key";

  /// \param more  TOML of the daemon's, behind its configuration
  explicit BridgeScene(const std::string& more = {});
  ~BridgeScene();

  /// The bridge's command line, beginning with the program.
  /// \param more  further options, each with its value, in the place of those that it has anyway
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& more = {}) const;

  /// Runs the bridge on a pipe until its input, which a file has, ends.
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& more = {},
                                  const std::filesystem::path& input = "/dev/null") const;

  /// Starts the bridge with --listen on a free port. \return its URL
  std::string listen(const std::vector<std::string>& more = {});
  [[nodiscard]] std::string listener_output() const;
  [[nodiscard]] pid_t listener() const noexcept { return listener_; }
  /// Ends what listen() started. \return its exit status
  int end_listener(int signal = SIGTERM);

  /// A file for scripts: `{"command", "args", "url"}`. \param url  of a listening bridge
  [[nodiscard]] std::filesystem::path described(const std::string& url) const;

  /// Writes a chain for these scopes and this audience, and has the bridges to come use it.
  void use_chain(const std::vector<std::string>& scopes, const std::string& audience = kUrl,
                 std::chrono::seconds lifetime = std::chrono::hours(1));
  [[nodiscard]] const std::vector<std::string>& chain() const noexcept { return chain_; }

  /// Entries of the audit log with that action and, unless it is empty, that text in them.
  [[nodiscard]] std::size_t entries(const std::string& action, const std::string& text = {}) const;
  /// Whether the credential, or what clients send as Authorization, stands in a place where neither belongs.
  void expect_no_secret_in(const std::string& text) const;
  void expect_upstream_saw_its_credential_alone() const;

  /// Lets calls of the tool `slow` be answered.
  void release_slow();

  [[nodiscard]] std::filesystem::path folder() const { return daemon.folder(); }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon;
  UpstreamServer upstream;
  RuntimeProcess runtime;

 private:
  void declare_tools() const;
  void answer(const UpstreamServer::Request& request, UpstreamServer::Response& response);

  std::vector<std::string> chain_;
  pid_t listener_ = -1;
  std::mutex mutex_;
  std::condition_variable released_;
  bool is_slow_ = true;  // under the mutex
};

/// What clients send as Authorization, and nobody must see behind the bridge.
inline constexpr const char* kForeignToken = "foreign-token-5d2e9b";

}  // namespace chancery::tests
