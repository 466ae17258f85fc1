#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <chancery/client.hpp>

#include "tests/unit/client/fake_daemon.hpp"

namespace chancery::testing {

using Answers = std::map<std::string, std::string>;  ///< by request line

/// A daemon that answers each request line as it is told, refuses all others, and keeps what it was asked; with a client of
/// its, of that type. What begins with `{` is answered as JSON, anything else as plain text.
template <typename Calls>
class ScriptedDaemon {
 public:
  explicit ScriptedDaemon(Answers answers)
      : answers_(std::move(answers)),
        daemon_(FakeDaemon::on_socket([this](Connection& connection) {
          const std::string request = connection.read_request();
          const std::string line = request.substr(0, request.find(" HTTP/"));
          const std::lock_guard lock(mutex_);
          bodies_[line] = request.substr(std::min(request.find("\r\n\r\n") + 4, request.size()));
          connection.write(answer_to(line));
        })),
        client_(connect(daemon_->socket())) {}

  [[nodiscard]] Calls client() const { return Calls(client_); }
  /// The body of a request that was made.
  [[nodiscard]] std::string body(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    return bodies_.at(line);
  }
  [[nodiscard]] bool was_asked(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    return bodies_.contains(line);
  }

 private:
  static Client connect(const std::string& socket) {
    ClientOptions options;
    options.socket = socket;
    return Client::connect(options).value();
  }

  [[nodiscard]] std::string answer_to(const std::string& line) const {
    const auto answer = answers_.find(line);
    if (answer == answers_.end()) {
      return http_answer(404, "application/problem+json",
                         R"({"code":"not_found","detail":"nothing is known of this key"})");
    }
    const bool is_json = answer->second.starts_with('{');
    return http_answer(200, is_json ? "application/json" : "text/plain", answer->second);
  }

  Answers answers_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> bodies_;
  std::unique_ptr<FakeDaemon> daemon_;
  Client client_;
};

}  // namespace chancery::testing
