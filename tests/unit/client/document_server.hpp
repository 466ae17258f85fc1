#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/unit/client/fake_daemon.hpp"

namespace chancery::testing {

/// A server on loopback, over TLS, whose documents a test exchanges as it goes.
class DocumentServer {
 public:
  [[nodiscard]] std::string origin() const { return server_->address(); }
  [[nodiscard]] std::string ca_file() const { return server_->ca_file(); }

  /// Answers requests for `path` with this from now on; the empty text ends the connection without an answer.
  void set(const std::string& path, std::string answer) {
    const std::lock_guard lock(mutex_);
    answers_[path] = std::move(answer);
  }
  /// Ends every connection without an answer, or no longer.
  void be_silent(bool silent) {
    const std::lock_guard lock(mutex_);
    silent_ = silent;
  }
  /// The paths of all requests so far.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(Connection& connection) {
    const std::string request = connection.read_request();
    if (request.empty()) return;
    const std::size_t begin = request.find(' ') + 1;
    const std::string path = request.substr(begin, request.find(' ', begin) - begin);
    connection.write(answer_to(path));
  }
  std::string answer_to(const std::string& path) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(path);
    if (silent_) return {};
    const auto found = answers_.find(path);
    return found == answers_.end() ? http_answer(404, "text/plain", "none") : found->second;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> requests_;
  bool silent_ = false;
  std::unique_ptr<FakeDaemon> server_ =
      FakeDaemon::on_tls([this](Connection& connection) { serve(connection); });  // ends before the above do
};

}  // namespace chancery::testing
