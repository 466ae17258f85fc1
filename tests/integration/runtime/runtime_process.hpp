#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <signal.h>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/runtime/unix_http.hpp"

namespace chancery::tests {

/// The real chancery-runtime beside a daemon of the test's, in the daemon's folder.
class RuntimeProcess {
 public:
  /// \param url  where agents call it, as the daemon's configuration has it
  RuntimeProcess(const DaemonProcess& daemon, std::string url)
      : folder_(daemon.folder() / "runtime"), url_(std::move(url)) {
    std::filesystem::create_directories(folder_ / "tools.d");
    std::ofstream(folder_ / "runtime.toml")
        << "[runtime]\nurl = \"" << url_ << "\"\ndaemon = \"" << daemon.socket().string() << "\"\ntools = \""
        << (folder_ / "tools.d").string() << "\"\nsocket = \"" << socket().string() << "\"\n";
  }
  ~RuntimeProcess() { stop(); }
  RuntimeProcess(const RuntimeProcess&) = delete;
  RuntimeProcess& operator=(const RuntimeProcess&) = delete;

  void declare(const std::string& name, const std::string& toml) const {
    std::ofstream(folder_ / "tools.d" / (name + ".toml")) << toml;
  }
  void undeclare(const std::string& name) const {
    std::filesystem::remove(folder_ / "tools.d" / (name + ".toml"));
  }
  /// Further options of `[runtime]`.
  void configure(const std::string& toml) const {
    std::ofstream(folder_ / "runtime.toml", std::ios::app) << toml;
  }
  void start() { start_by({CHANCERY_BINARY_DIR "/chancery-runtime"}); }
  /// The same by other words in the place of the program's, such as those of a program that becomes it.
  void start_by(std::vector<std::string> command) {
    command.insert(command.end(), {"--config", (folder_ / "runtime.toml").string()});
    pid_ = start_program(command, folder_ / "output");
    // It answers a moment before its log says so, and where.
    const bool up = eventually([&] {
      return std::filesystem::exists(socket()) && send("GET", "/healthz").status == 200 &&
             output().find("serving") != std::string::npos;
    });
    BOOST_REQUIRE_MESSAGE(up, "the runtime does not answer: " << output());
  }
  int stop() {
    if (pid_ <= 0) return -1;
    ::kill(pid_, SIGTERM);
    return end();
  }
  /// Waits for the end of one that was told to. \return the exit status
  int end() { return end_of_program(std::exchange(pid_, -1)); }

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "runtime.sock"; }
  [[nodiscard]] std::filesystem::path tools() const { return folder_ / "tools.d"; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] std::string output() const {
    std::ifstream in(folder_ / "output");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

  [[nodiscard]] HttpReply send(const std::string& method, const std::string& path,
                               const HttpHeaders& headers = {}, const std::string& body = {}) const {
    return send_over_unix(socket(), {method, path, headers, body});
  }

 private:
  const std::filesystem::path folder_;
  const std::string url_;
  pid_t pid_ = -1;
};

}  // namespace chancery::tests
