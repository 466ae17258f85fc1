#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tss2/tss2_tcti.h>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/interrupt.hpp"

namespace chancery::hsm {

/// Where a TPM is reached. TCTI strings are code elsewhere (`cmd:` runs a command, a path is loaded as a
/// library), so only these two forms are accepted, each with an absolute path.
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

/// The code of a command that the TPM did not answer in time; of the TCTI's layer, in the range that is left
/// to implementations.
inline constexpr TSS2_RC kTctiTimedOut = TSS2_TCTI_RC_LAYER | (TSS2_LAYER_IMPLEMENTATION_SPECIFIC_OFFSET + 1);

/// A TCTI (TCG TSS 2.0 TCTI specification) that keeps one connection and a hard deadline for each command.
///
/// The stock one for swtpm reconnects at every command and waits for ever: a restarted TPM would go unnoticed
/// and a stopped one would hang its caller. Here a lost connection is an error for good, and so is a deadline
/// that passes: the answer may still come, and would be taken for the next command's. Not thread-safe; never
/// moved, since the TSS keeps its address.
class DeadlineTcti {
 public:
  /// \param time_limit  for each command with its answer; once `interrupt` is raised, a second at most
  /// \param interrupt   must outlive the connection
  /// \return the connection, or kDeviceUnavailable with the errno
  [[nodiscard]] static Result<std::unique_ptr<DeadlineTcti>> connect(const TctiAddress& address,
                                                                     std::chrono::milliseconds time_limit,
                                                                     const Interrupt& interrupt);
  ~DeadlineTcti();
  DeadlineTcti(const DeadlineTcti&) = delete;
  DeadlineTcti& operator=(const DeadlineTcti&) = delete;

  [[nodiscard]] TSS2_TCTI_CONTEXT* context() noexcept {
    return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&interface_);
  }

  /// Answers the next command with this code, without sending it.
  void answer_next_with(TSS2_RC rc) noexcept { prepared_answer_ = rc; }

  /// Whether the other side is still there, as far as can be told without asking it anything.
  [[nodiscard]] bool connected() const noexcept;

 private:
  // The TSS sees the first member and hands its address back.
  struct Interface {
    TSS2_TCTI_CONTEXT_COMMON_V1 v1{};
    DeadlineTcti* self = nullptr;
  };
  static constexpr std::size_t kMaxResponse = 8192;

  DeadlineTcti(int fd, bool is_device, std::chrono::milliseconds time_limit,
               const Interrupt& interrupt) noexcept;

  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command);
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                         std::int32_t timeout);
  static void finalize(TSS2_TCTI_CONTEXT* context);

  void answer_myself(TSS2_RC rc) noexcept;
  [[nodiscard]] TSS2_RC send_all(const std::uint8_t* command, std::size_t size) noexcept;
  [[nodiscard]] TSS2_RC read_response() noexcept;
  [[nodiscard]] TSS2_RC read_until(std::size_t wanted, std::size_t room) noexcept;
  [[nodiscard]] TSS2_RC wait(short events) noexcept;
  [[nodiscard]] TSS2_RC fail(TSS2_RC rc) noexcept;

  Interface interface_;
  const int fd_;
  const bool is_device_;  // one read gives one whole response
  const std::chrono::milliseconds time_limit_;
  const Interrupt& interrupt_;
  bool interrupted_ = false;
  Deadline deadline_{};
  TSS2_RC prepared_answer_ = TSS2_RC_SUCCESS;  // of the next command; success: it is sent
  TSS2_RC failure_ = TSS2_RC_SUCCESS;          // what every call answers since the connection broke
  std::array<std::uint8_t, kMaxResponse> response_{};
  std::size_t received_ = 0;
};

}  // namespace chancery::hsm
