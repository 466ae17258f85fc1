#pragma once

#include <tss2/tss2_tcti.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Where a TPM is reached. TCTI strings are code elsewhere (`cmd:` runs a command, a path is loaded as a library), so
/// only these two forms are accepted, each with an absolute path.
struct TctiAddress {
  enum class Kind : std::uint8_t {
    kDevice,  ///< "device:/dev/tpmrm0"
    kSwtpm,   ///< "swtpm:path=/run/…/socket", a simulator's Unix socket
  };
  Kind kind = Kind::kDevice;
  std::string path;

  /// \return the address, or kInvalidArgument
  [[nodiscard]] static Result<TctiAddress> parse(std::string_view text);
};

/// A TCTI (TCG TSS 2.0 TCTI specification) that keeps one connection and a hard deadline.
///
/// The stock one for swtpm reconnects at every command and waits for ever: a restarted TPM would go unnoticed and a
/// stopped one would hang its caller. Here a lost connection is an error for good, and so is a deadline that passes:
/// the answer may still come, and would be taken for the next command's. Not thread-safe; never moved, since the TSS
/// keeps its address.
class DeadlineTcti {
 public:
  /// \return the connection, or kDeviceUnavailable with the errno
  [[nodiscard]] static Result<std::unique_ptr<DeadlineTcti>> connect(const TctiAddress& address);
  ~DeadlineTcti();
  DeadlineTcti(const DeadlineTcti&) = delete;
  DeadlineTcti& operator=(const DeadlineTcti&) = delete;

  [[nodiscard]] TSS2_TCTI_CONTEXT* context() noexcept { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&interface_); }
  /// Commands from now on must be answered by then.
  void set_deadline(Deadline deadline) noexcept { deadline_ = deadline; }
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

 private:
  // The TSS sees the first member and hands its address back.
  struct Interface {
    TSS2_TCTI_CONTEXT_COMMON_V1 v1{};
    DeadlineTcti* self = nullptr;
  };
  static constexpr std::size_t kMaxResponse = 8192;

  DeadlineTcti(int fd, bool whole_messages) noexcept;

  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command);
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t timeout);
  static void finalize(TSS2_TCTI_CONTEXT* context);

  [[nodiscard]] TSS2_RC send_all(const std::uint8_t* command, std::size_t size);
  [[nodiscard]] TSS2_RC read_response();
  [[nodiscard]] TSS2_RC read_at_least(std::size_t wanted);
  [[nodiscard]] bool wait(short events);
  [[nodiscard]] TSS2_RC fail() noexcept;

  Interface interface_;
  int fd_;
  const bool whole_messages_;  // a character device: one read gives one response
  Deadline deadline_{};
  bool broken_ = false;
  bool timed_out_ = false;
  std::array<std::uint8_t, kMaxResponse> response_{};
  std::size_t received_ = 0;
};

}  // namespace chancery::hsm
