#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/types.h>

namespace chancery::tests {

/// A program that a test started, with its output in a file. Its end is the test's.
class ServerProcess {
 public:
  /// \param ending  the signal that has it end and leave nothing behind
  ServerProcess(const std::vector<std::string>& command, std::filesystem::path output, int ending = SIGTERM);
  ~ServerProcess() { end(ending_); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Sends the signal and waits; nothing if it has ended. \return its exit status
  int end(int signal);
  [[nodiscard]] int wait() { return end(0); }
  [[nodiscard]] bool has_ended();
  [[nodiscard]] std::string output() const;

  void pause() const { ::kill(pid_, SIGSTOP); }
  void resume() const { ::kill(pid_, SIGCONT); }

 private:
  const std::filesystem::path output_;
  const int ending_;
  pid_t pid_ = -1;
  int status_ = -1;
};

/// What a program printed, which must have ended well. A Boost requirement.
[[nodiscard]] std::string output_of(const std::vector<std::string>& command,
                                    const std::filesystem::path& folder);

/// The whole of a file; empty when there is none.
[[nodiscard]] std::string text_of_file(const std::filesystem::path& file);

/// A certificate that is its own authority, for `localhost` alone: tls.pem and tls.key in the folder.
void make_certificate(const std::filesystem::path& folder);

/// A port of 127.0.0.1 that nobody uses at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace chancery::tests
