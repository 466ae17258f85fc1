#include "tests/unit/hsm/fake_tpm.hpp"

#include <array>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chancery::hsm {

FakeTpm::FakeTpm(Script script) : script_(std::move(script)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening_, 8) != 0) {
    std::abort();
  }
  thread_ = std::thread([this] { serve(); });
}

FakeTpm::~FakeTpm() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (connected_ >= 0) ::shutdown(connected_, SHUT_RDWR);
  }
  ::shutdown(listening_, SHUT_RDWR);
  thread_.join();
  ::close(listening_);
}

void FakeTpm::serve() {
  for (;;) {
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    {
      const std::lock_guard lock(mutex_);
      if (!ending_) connected_ = fd;
    }
    ++connections_;
    if (connected_ == fd) script_(fd);
    const std::lock_guard lock(mutex_);
    connected_ = -1;
    ::close(fd);
  }
}

Bytes read_command(int fd) {
  Bytes command(10);
  if (::recv(fd, command.data(), command.size(), MSG_WAITALL) != 10) return {};
  const std::size_t size = static_cast<std::size_t>(command[4]) << 8 | command[5];  // ours are below 64 KiB
  command.resize(size);
  const auto rest = static_cast<ssize_t>(size - 10);
  if (rest > 0 && ::recv(fd, command.data() + 10, size - 10, MSG_WAITALL) != rest) return {};
  return command;
}

void write_octets(int fd, ByteView octets) { ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL); }

Bytes response_of(std::uint32_t code, std::uint32_t size) {
  Bytes response{0x80, 0x01};
  for (const std::uint32_t number : {size, code}) {
    for (int shift = 24; shift >= 0; shift -= 8)
      response.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return response;
}

void wait_for_end(int fd) {
  std::array<char, 256> ignored;
  while (::recv(fd, ignored.data(), ignored.size(), 0) > 0) {
  }
}

}  // namespace chancery::hsm
