#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <chancery/bytes.hpp>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::hsm {

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

 private:
  [[nodiscard]] std::string path() const { return (folder_.path() / "s").string(); }
  void serve();

  const testing::TemporaryFolder folder_;
  const Script script_;
  int listening_ = -1;
  std::mutex mutex_;
  bool ending_ = false;
  int connected_ = -1;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

/// One whole command; empty when the other side has gone.
Bytes read_command(int fd);
void write_octets(int fd, ByteView octets);
/// A response without parameters.
[[nodiscard]] Bytes response_of(std::uint32_t code, std::uint32_t size = 10);
/// Returns when the other side has gone.
void wait_for_end(int fd);

}  // namespace chancery::hsm
