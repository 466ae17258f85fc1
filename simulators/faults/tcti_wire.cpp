#include "simulators/faults/tcti_wire.hpp"

#include <array>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chancery::simulators {
namespace {

constexpr std::size_t kHeaderSize = 10;

}  // namespace

void put_number(Bytes& message, std::size_t offset, std::uint32_t number) {
  for (std::size_t i = 4; i-- > 0; number >>= 8) message[offset + i] = static_cast<std::uint8_t>(number);
}

std::uint32_t number_at(ByteView message, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | message[offset + i];
  return number;
}

int connect_to(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

Bytes read_message(int fd) {
  Bytes message(kHeaderSize);
  if (::recv(fd, message.data(), kHeaderSize, MSG_WAITALL) != static_cast<ssize_t>(kHeaderSize)) return {};
  const std::size_t size = number_at(message, 2) & 0xFFFF;  // those of a TPM are below 64 KiB
  if (size < kHeaderSize) return {};
  message.resize(size);
  const auto rest = static_cast<ssize_t>(size - kHeaderSize);
  if (rest > 0 && ::recv(fd, message.data() + kHeaderSize, size - kHeaderSize, MSG_WAITALL) != rest) {
    return {};
  }
  return message;
}

void write_octets(int fd, ByteView octets) { ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL); }

Bytes response_of(std::uint32_t code, std::uint32_t size) {
  Bytes response(kHeaderSize);
  response[0] = 0x80;
  response[1] = 0x01;
  put_number(response, 2, size);
  put_number(response, 6, code);
  return response;
}

std::uint32_t code_of(ByteView message) { return number_at(message, 6); }

void fix_size(Bytes& message) { put_number(message, 2, static_cast<std::uint32_t>(message.size())); }

void wait_for_end(int fd) {
  std::array<char, 256> ignored;
  while (::recv(fd, ignored.data(), ignored.size(), 0) > 0) {
  }
}

void wait_on(int fd, std::chrono::milliseconds time) {
  pollfd descriptor{fd, POLLRDHUP, 0};
  ::poll(&descriptor, 1, static_cast<int>(time.count()));
}

}  // namespace chancery::simulators
