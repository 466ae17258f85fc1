#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <chancery/result.hpp>

#include "hsm/pkcs11/packet_socket.hpp"

namespace chancery::hsm {

/// A process that holds a token's module, and the socket to it. Started by exec, since a plain fork of a
/// process with threads may do next to nothing. Move-only; the destructor kills and reaps it.
///
/// It dies with the thread that started it, also when this process is killed.
class OwnerProcess {
 public:
  /// \param program      run as `program --pkcs11-owner 3`, with the socket as descriptor 3 and no other but
  ///                     the standard ones, of which only the error output leads anywhere
  /// \param environment  "NAME=value"
  /// \return kProcessFailed
  [[nodiscard]] static Result<OwnerProcess> start(const std::filesystem::path& program,
                                                  const std::vector<std::string>& environment);
  ~OwnerProcess() { kill(); }
  OwnerProcess(OwnerProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}
  OwnerProcess& operator=(OwnerProcess&&) = delete;

  [[nodiscard]] const PacketSocket& socket() const noexcept { return socket_; }

  /// Lets it close the token's sessions, and kills it if it has not ended after `patience`.
  void end(std::chrono::milliseconds patience) noexcept;
  void kill() noexcept;

 private:
  OwnerProcess(pid_t pid, PacketSocket socket) : pid_(pid), socket_(std::move(socket)) {}

  pid_t pid_ = -1;
  PacketSocket socket_;
};

/// The descriptor that `program --pkcs11-owner FD` names; nothing when it was started otherwise.
[[nodiscard]] std::optional<int> owner_process_argument(std::span<char* const> arguments);

/// Serves a token to the process at the other end of the socket until that one ends: the life of a process
/// that OwnerProcess started, to be called by its main before there are threads.
/// \return its exit status
[[nodiscard]] int run_owner_process(int descriptor);

}  // namespace chancery::hsm
