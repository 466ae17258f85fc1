#pragma once

#include <optional>
#include <utility>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "sdk/base/descriptor.hpp"

namespace chancery::hsm {

/// One end of a connected pair of local sockets that carry whole packets (SOCK_SEQPACKET): threads may send at
/// once, one may receive.
class PacketSocket {
 public:
  /// \return both ends, closed on exec; kProcessFailed
  [[nodiscard]] static Result<std::pair<PacketSocket, PacketSocket>> make_pair();
  explicit PacketSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  enum class Sent : std::uint8_t { kYes, kNotNow, kNever };
  /// \return kNotNow when the other end has yet to receive what was sent before, kNever when it is gone
  [[nodiscard]] Sent try_send(ByteView packet) const noexcept;
  /// Waits until the other end has room. \return false when it is gone
  bool send(ByteView packet) const noexcept;

  enum class Received : std::uint8_t { kPacket, kNothing, kEnd };
  /// \param waits  whether to wait for a packet
  /// \param into  room for the longest packet; a longer one counts as the end
  /// \return kPacket with its size; kEnd when the other end is gone
  [[nodiscard]] std::pair<Received, std::size_t> receive(std::span<std::uint8_t> into,
                                                         bool waits) const noexcept;

  /// Tells the other end that nothing more comes.
  void shut_down() const noexcept;
  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
};

}  // namespace chancery::hsm
