#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/types.h>

#include <chancery/client.hpp>

namespace chancery::tests {

/// How a test's daemon is configured; the rest is as packaged.
struct DaemonSettings {
  std::string tcti{};              ///< of the one backend, which is called "tpm"
  std::string sessions = "plain";  ///< fast; the encrypted kind has the contract suite
  std::string extra{};             ///< further TOML, at the end
  std::string issuer_backend = "tpm";
  std::string trust_domain = "test.example";
  std::string issuer_url = "https://issuer.test.example";
  std::uint16_t tls_port = 0;    ///< 0: any
  std::uint16_t plain_port = 0;  ///< of a plain address; 0: none
  std::string backend_timeout = "3s";
  std::size_t blocking_threads = 8;
  bool allow_simulator = true;
  bool allow_root = true;
};

/// A chanceryd of the test's own, the real program, in a folder of its own. The destructor ends it and
/// removes the folder.
class DaemonProcess {
 public:
  explicit DaemonProcess(DaemonSettings settings);
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  /// `chanceryd --dev`, started and ready; its socket is where it said.
  [[nodiscard]] static std::unique_ptr<DaemonProcess> development();

  /// Starts it and waits until it answers on its socket. A Boost requirement.
  void start();
  /// The same by a program that takes the daemon's command as its last arguments.
  void start_by(const std::vector<std::string>& launcher);
  /// Starts it and waits for its end.
  struct Ending {
    int exit_status = -1;
    std::string output;
  };
  [[nodiscard]] Ending start_and_fail();
  /// `chanceryd --check` with its configuration.
  [[nodiscard]] Ending check();
  /// Sends the signal, and returns the exit status.
  int stop(int signal = SIGTERM);
  void kill();
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  [[nodiscard]] std::filesystem::path folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path socket() const { return socket_; }
  [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }
  [[nodiscard]] Client client() const;
  [[nodiscard]] std::string output() const;

 private:
  DaemonProcess();  // a folder and nothing in it

  void write_config() const;
  void spawn(const std::vector<std::string>& arguments, std::vector<std::string> launcher = {});
  void spawn_configured(const std::vector<std::string>& launcher = {});

  DaemonSettings settings_;
  std::filesystem::path folder_;
  std::filesystem::path socket_;
  pid_t pid_ = -1;
};

/// The answer of a call that must have one.
template <typename T>
T answered(ClientResult<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().detail));
  return *std::move(result);
}

/// Starts a program that ends with the test, its output going to a file. \return its id
[[nodiscard]] pid_t start_program(const std::vector<std::string>& arguments,
                                  const std::filesystem::path& output);
/// Waits for its end. \return the exit status; 128 and the signal's number when one ended it
int end_of_program(pid_t pid);

/// Runs a program to its end with standard output and error captured.
struct ProgramResult {
  int exit_status = -1;
  std::string output;
};
[[nodiscard]] ProgramResult run_program(const std::vector<std::string>& arguments);

/// Runs `body` in a child process under another uid (only root can); its return value is the child's exit
/// status.
[[nodiscard]] int run_as(std::uint32_t uid, const std::function<int()>& body);

/// Polls until `condition` holds; false when it did not within `patience`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds patience = std::chrono::seconds(20));

// The story's messages.
[[nodiscard]] api::CreateAgent agent_of(const std::string& name, std::uint32_t uid);
[[nodiscard]] api::CreateGrant grant_to(const std::string& agent);
[[nodiscard]] api::CreateDelegation delegation_of(const std::vector<std::string>& chain,
                                                  const std::string& to);
/// What an enforcement point asks about a refund, with a fresh proof by the chain's holder.
[[nodiscard]] ClientResult<api::Authorize> refund_of(const Client& daemon,
                                                     const std::vector<std::string>& chain, int amount,
                                                     const std::string& audience = "https://api.example.org");
/// Enrols a key that an approver keeps in a file, as the operator may while nobody is enrolled.
void enroll_first(const Client& daemon, const std::string& person, const PublicKey& key);

}  // namespace chancery::tests
