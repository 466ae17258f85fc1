#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

namespace chancery::hsm {

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
