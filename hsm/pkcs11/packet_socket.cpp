#include "hsm/pkcs11/packet_socket.hpp"

#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace chancery::hsm {

Result<std::pair<PacketSocket, PacketSocket>> PacketSocket::make_pair() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Error{ErrorCode::kProcessFailed, "no socket to another process could be made: raise LimitNOFILE",
                 static_cast<std::uint64_t>(errno)};
  }
  // As much as the kernel grants: a full queue of requests, or one long message, should pass at once.
  const int room = 1 << 20;
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return std::pair(PacketSocket(Descriptor(ends[0])), PacketSocket(Descriptor(ends[1])));
}

PacketSocket::Sent PacketSocket::try_send(ByteView packet) const noexcept {
  ssize_t sent = -1;
  do {
    sent = ::send(get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(packet.size())) return Sent::kYes;
  return sent < 0 && (errno == EAGAIN || errno == ENOBUFS) ? Sent::kNotNow : Sent::kNever;
}

bool PacketSocket::send(ByteView packet) const noexcept {
  ssize_t sent = -1;
  do {
    sent = ::send(get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(packet.size());
}

std::pair<PacketSocket::Received, std::size_t> PacketSocket::receive(std::span<std::uint8_t> into,
                                                                     bool waits) const noexcept {
  iovec room{into.data(), into.size()};
  msghdr message{};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  ssize_t size = -1;
  do {
    size = ::recvmsg(get(), &message, waits ? 0 : MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return {Received::kNothing, 0};
  // No message of ours is empty: a packet of no octets looks like the end, and is one.
  if (size <= 0 || (message.msg_flags & MSG_TRUNC) != 0) return {Received::kEnd, 0};
  return {Received::kPacket, static_cast<std::size_t>(size)};
}

void PacketSocket::shut_down() const noexcept { ::shutdown(get(), SHUT_WR); }

}  // namespace chancery::hsm
