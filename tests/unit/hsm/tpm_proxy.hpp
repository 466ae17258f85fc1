#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <chancery/bytes.hpp>

#include "tests/unit/hsm/fake_tpm.hpp"

namespace chancery::hsm {

/// Sees each response before its receiver does and may change it.
/// \return false to cut the connection in its place
using ResponseHook = std::function<bool(std::uint32_t command_code, Bytes& response)>;

/// Stands between a backend and a swtpm, as whoever owns the bus could.
class TpmProxy {
 public:
  explicit TpmProxy(std::filesystem::path tpm_socket, ResponseHook hook = nullptr);

  [[nodiscard]] std::string tcti() const { return front_.tcti(); }
  /// Whether these octets have gone by, in either direction.
  [[nodiscard]] bool has_seen(ByteView octets);

 private:
  void relay(int fd);

  const std::filesystem::path tpm_socket_;
  const ResponseHook hook_;
  std::mutex mutex_;
  Bytes traffic_;
  FakeTpm front_;  // last: its thread uses the above
};

/// A swtpm behind a character device: a pseudo-terminal in raw mode, which takes and gives octets as they
/// are.
class TpmTerminal {
 public:
  explicit TpmTerminal(std::filesystem::path tpm_socket);
  ~TpmTerminal();
  TpmTerminal(const TpmTerminal&) = delete;
  TpmTerminal& operator=(const TpmTerminal&) = delete;

  [[nodiscard]] std::string tcti() const { return "device:" + device_; }

 private:
  void serve(const std::filesystem::path& tpm_socket);

  int terminal_ = -1;
  int held_open_ = -1;  // the device's side, so that it outlives each of its users
  std::string device_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace chancery::hsm
