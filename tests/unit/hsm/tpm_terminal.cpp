#include "tests/unit/hsm/tpm_terminal.hpp"

#include <cstdlib>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "simulators/faults/tcti_wire.hpp"

namespace chancery::hsm {
namespace {

using namespace simulators;

bool read_exactly(int fd, std::span<std::uint8_t> octets) {
  while (!octets.empty()) {
    const ssize_t got = ::read(fd, octets.data(), octets.size());
    if (got <= 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

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
    command.resize(static_cast<std::size_t>(command[4]) << 8 | command[5]);
    if (!read_exactly(terminal_, std::span(command).subspan(10))) break;
    write_octets(tpm, command);
    const Bytes response = read_message(tpm);
    if (response.empty() || ::write(terminal_, response.data(), response.size()) < 0) break;
  }
  if (tpm >= 0) ::close(tpm);
}

}  // namespace chancery::hsm
