#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <chancery/client.hpp>
#include <chancery/session.hpp>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/http_connection.hpp"
#include "tests/integration/runtime/upstream_server.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::bench {

/// A program of ours that runs until the object's end.
class Program {
 public:
  Program(const std::vector<std::string>& command, const std::filesystem::path& output);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// What it has had of the processors so far.
  [[nodiscard]] std::chrono::milliseconds processor_time() const;

 private:
  pid_t pid_;
};

/// The real daemon on a swtpm, the real runtime with a tool of an API in this process, and agents that may call it.
class RuntimeScene {
 public:
  /// \param more  of the daemon's configuration, such as gates
  explicit RuntimeScene(const std::string& more = {});

  [[nodiscard]] std::filesystem::path folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path runtime_socket() const { return folder_.path() / "r"; }
  [[nodiscard]] std::string upstream() const { return upstream_.url(); }
  /// Of the daemon, as the runtime itself, which has the same user here.
  [[nodiscard]] Client daemon() const;
  [[nodiscard]] const Program& daemon_program() const { return *daemon_; }
  [[nodiscard]] const Program& runtime_program() const { return *runtime_; }
  /// An agent's session: a key of its own in this process, and a chain that ends with it.
  [[nodiscard]] std::shared_ptr<const Session> open_session() const;

 private:
  void configure(const std::string& more) const;
  void declare_tool() const;
  void register_agents();

  testing::TemporaryFolder folder_;
  simulators::Swtpm tpm_;
  tests::UpstreamServer upstream_;
  std::unique_ptr<Program> daemon_;
  std::unique_ptr<Program> runtime_;
  std::vector<std::string> chain_;
};

/// What a tool's call is made of.
inline constexpr const char* kRuntimeUrl = "https://tools.bench.example";
inline constexpr const char* kToolPath = "/v1/tools/refund";
inline constexpr const char* kToolScope = "payments.refund";
inline constexpr const char* kToolArguments = R"({"amount":0.01,"charge":"ch_1"})";
inline constexpr const char* kToolCredential = "sk-bench-51f0c2a9e7d84b36a1";
inline constexpr const char* kUpstreamPath = "/v1/charges/ch_1/refunds";
inline constexpr const char* kUpstreamBody = R"({"amount":0.01})";

/// As whoever this process is to the daemon.
[[nodiscard]] Client client_at(const std::filesystem::path& socket);
/// A key of its own in this process, and a chain that ends with it.
[[nodiscard]] std::shared_ptr<const Session> session_at(const std::filesystem::path& socket,
                                                        const std::vector<std::string>& chain);
/// That an agent may call the tool for an hour, in alice's name.
[[nodiscard]] api::CreateGrant refund_grant(const std::string& agent);

/// What proves the session's holder for that call, and its parameters.
[[nodiscard]] Presented present_call(const Session& session, const std::string& arguments = kToolArguments);
/// The call as the runtime gets it.
[[nodiscard]] HttpRequest tool_call(const Session& session, const std::string& arguments = kToolArguments);
/// The same as an action, as the daemon is asked by an enforcement point.
[[nodiscard]] api::Authorize question_of(const Session& session,
                                         const std::string& arguments = kToolArguments);

}  // namespace chancery::bench
