#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/cli/chancery_process.hpp"
#include "tests/unit/client/fake_daemon.hpp"

namespace chancery::testing {

inline constexpr const char* kJson = "application/json";
inline constexpr const char* kProblem = "application/problem+json";

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A daemon that answers by route, and keeps the requests that it got.
class Stage {
 public:
  void answer(const std::string& route, std::string octets) { answers_[route] = {std::move(octets)}; }
  /// Each once, and the last one from then on.
  void answer_in_turn(const std::string& route, std::deque<std::string> octets) {
    answers_[route] = std::move(octets);
  }
  [[nodiscard]] std::string request(const std::string& route) {
    const std::lock_guard lock(mutex_);
    return requests_[route];
  }
  Run run(std::vector<std::string> arguments, const std::string& input = {}) {
    chancery_.set("CHANCERY_SOCKET", daemon_->socket());
    return chancery_.run(arguments, input);
  }
  Chancery& chancery() { return chancery_; }
  [[nodiscard]] std::string socket() const { return daemon_->socket(); }

 private:
  void serve(Connection& connection) {
    const std::string request = connection.read_request();
    const std::string route = request.substr(0, request.find(" HTTP/"));
    const std::lock_guard lock(mutex_);
    requests_[route] = request;
    connection.write(next_answer(route));
  }
  std::string next_answer(const std::string& route) {
    const auto found = answers_.find(route);
    if (found == answers_.end())
      return http_answer(404, kProblem, R"({"code":"route_unknown","detail":"no such route"})");
    std::deque<std::string>& octets = found->second;
    std::string next = octets.front();
    if (octets.size() > 1) octets.pop_front();
    return next;
  }

  Chancery chancery_;
  std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> answers_;
  std::map<std::string, std::string> requests_;
  std::unique_ptr<FakeDaemon> daemon_ =
      FakeDaemon::on_socket([this](Connection& connection) { serve(connection); });
};

}  // namespace chancery::testing
