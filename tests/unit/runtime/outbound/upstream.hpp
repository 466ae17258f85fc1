#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/outbound/outbound_call.hpp"
#include "tests/unit/client/fake_daemon.hpp"

namespace chancery::testing {

/// A server over TLS on 127.0.0.1 whose connections serve one request after the other, by a script of the test's.
class Upstream {
 public:
  /// Answers a request; false ends the connection.
  using Answer = std::function<bool(Connection&, const std::string& request)>;

  explicit Upstream(Answer answer) : answer_(std::move(answer)) {}
  /// Answers each request with these octets and keeps the connection.
  explicit Upstream(std::string octets)
      : Upstream([octets = std::move(octets)](Connection& connection, const std::string&) {
          connection.write(octets);
          return true;
        }) {}

  [[nodiscard]] std::string origin() const { return server_->address(); }
  [[nodiscard]] std::string port() const { return origin().substr(origin().rfind(':') + 1); }
  [[nodiscard]] int connections() const { return connections_; }
  /// All of them so far, head and body.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// A GET that declares loopback and this server's authority.
  [[nodiscard]] runtime::OutboundRequest request(const std::string& path = "/") const {
    runtime::OutboundRequest request;
    request.url = origin() + path;
    request.allowed.push_back(runtime::AddressRange::parse("127.0.0.0/8").value());
    request.ca_file = server_->ca_file();
    request.limits.timeout = std::chrono::seconds{60};  // for machines that are busy
    request.limits.connect_timeout = std::chrono::seconds{60};
    return request;
  }

 private:
  void serve(Connection& connection) {
    ++connections_;
    for (;;) {
      const std::string request = connection.read_request();
      if (request.empty()) return;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!answer_(connection, request)) return;
    }
  }

  Answer answer_;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::unique_ptr<FakeDaemon> server_ =
      FakeDaemon::on_tls([this](Connection& connection) { serve(connection); });  // ends before the above do
};

/// Resolves every name to these, and counts how often it was asked.
class CountingResolver {
 public:
  explicit CountingResolver(std::vector<const char*> addresses = {"127.0.0.1"}) {
    for (const char* text : addresses) addresses_.push_back(runtime::Address::parse(text).value());
  }
  /// What a caller is to be given: refers to this.
  [[nodiscard]] runtime::Resolver asked() {
    return [this](const std::string&, std::chrono::milliseconds) {
      ++count_;
      return Result<std::vector<runtime::Address>>(addresses_);
    };
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  std::vector<runtime::Address> addresses_;
  std::atomic<int> count_{0};
};

}  // namespace chancery::testing
