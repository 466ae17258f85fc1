#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/unit_test.hpp>
#include <signal.h>

#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

/// What an HTTP server answered.
struct HttpReply {
  int status = 0;
  std::string body;
};

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
  void start() {
    pid_ = start_program(
        {CHANCERY_BINARY_DIR "/chancery-runtime", "--config", (folder_ / "runtime.toml").string()},
        folder_ / "output");
    const bool up = eventually(
        [&] { return std::filesystem::exists(socket()) && send("GET", "/healthz").status == 200; });
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
                               const std::vector<std::pair<std::string, std::string>>& headers = {},
                               const std::string& body = {}) const {
    namespace http = boost::beast::http;
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket peer(io);
    boost::system::error_code failed;
    peer.connect(boost::asio::local::stream_protocol::endpoint(socket().string()), failed);
    if (failed) return {};
    http::request<http::string_body> request(http::string_to_verb(method), path, 11);
    request.set(http::field::host, "tools");
    request.keep_alive(false);
    for (const auto& [name, value] : headers) request.set(name, value);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    http::write(peer, request, failed);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(peer, buffer, response, failed);
    if (failed) return {};
    return {static_cast<int>(response.result_int()), response.body()};
  }

 private:
  const std::filesystem::path folder_;
  const std::string url_;
  pid_t pid_ = -1;
};

}  // namespace chancery::tests
