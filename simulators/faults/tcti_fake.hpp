#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace chancery::simulators {

/// What listens on a Unix socket and answers as its script says: one connection after the other, on one
/// thread.
class FakeTpm {
 public:
  /// Called with each connection's descriptor, which is closed when it returns.
  using Script = std::function<void(int fd)>;

  explicit FakeTpm(Script script);
  ~FakeTpm();
  FakeTpm(const FakeTpm&) = delete;
  FakeTpm& operator=(const FakeTpm&) = delete;

  [[nodiscard]] std::string tcti() const { return "swtpm:path=" + path(); }
  [[nodiscard]] int connections() const noexcept { return connections_; }

  [[nodiscard]] std::string path() const { return (folder_ / "s").string(); }

 private:
  void serve();

  std::filesystem::path folder_;  // its own, removed at the end
  const Script script_;
  int listening_ = -1;
  std::mutex mutex_;
  bool ending_ = false;
  int connected_ = -1;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace chancery::simulators
