#include "tests/unit/hsm/tpm_proxy.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

namespace chancery::hsm {
namespace {

int connect_to(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

std::uint32_t number_at(const Bytes& message, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | message[offset + i];
  return number;
}

bool read_exactly(int fd, std::span<std::uint8_t> octets) {
  while (!octets.empty()) {
    const ssize_t got = ::read(fd, octets.data(), octets.size());
    if (got <= 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

TpmProxy::TpmProxy(std::filesystem::path tpm_socket, ResponseHook hook)
    : tpm_socket_(std::move(tpm_socket)), hook_(std::move(hook)), front_([this](int fd) { relay(fd); }) {}

void TpmProxy::relay(int fd) {
  const int tpm = connect_to(tpm_socket_);
  for (;;) {
    const Bytes command = read_command(fd);
    if (command.empty()) break;
    write_octets(tpm, command);
    Bytes response = read_command(tpm);  // has the same header
    if (response.empty()) break;
    {
      const std::lock_guard lock(mutex_);
      traffic_.insert(traffic_.end(), command.begin(), command.end());
      traffic_.insert(traffic_.end(), response.begin(), response.end());
    }
    if (hook_ && !hook_(number_at(command, 6), response)) break;
    write_octets(fd, response);
  }
  if (tpm >= 0) ::close(tpm);
}

bool TpmProxy::has_seen(ByteView octets) {
  const std::lock_guard lock(mutex_);
  return std::search(traffic_.begin(), traffic_.end(), octets.begin(), octets.end()) != traffic_.end();
}

TpmTerminal::TpmTerminal(std::filesystem::path tpm_socket)
    : terminal_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0) std::abort();
  device_ = ::ptsname(terminal_);
  held_open_ = ::open(device_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios raw{};
  ::tcgetattr(held_open_, &raw);
  ::cfmakeraw(&raw);
  if (::tcsetattr(held_open_, TCSANOW, &raw) != 0) std::abort();
  thread_ = std::thread([this, socket = std::move(tpm_socket)] { serve(socket); });
}

TpmTerminal::~TpmTerminal() {
  ending_ = true;
  thread_.join();
  ::close(held_open_);
  ::close(terminal_);
}

void TpmTerminal::serve(const std::filesystem::path& tpm_socket) {
  const int tpm = connect_to(tpm_socket);
  while (!ending_) {
    pollfd descriptor{terminal_, POLLIN, 0};
    if (::poll(&descriptor, 1, 10) <= 0) continue;
    Bytes command(10);
    if (!read_exactly(terminal_, command)) break;
    command.resize(number_at(command, 2));
    if (!read_exactly(terminal_, std::span(command).subspan(10))) break;
    write_octets(tpm, command);
    const Bytes response = read_command(tpm);
    if (response.empty() || ::write(terminal_, response.data(), response.size()) < 0) break;
  }
  if (tpm >= 0) ::close(tpm);
}

}  // namespace chancery::hsm
