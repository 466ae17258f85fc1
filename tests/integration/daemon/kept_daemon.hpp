#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {

/// A port that is free now: an issuer's URL holds it, so it must be known before the daemon listens.
inline std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  BOOST_REQUIRE(bound);
  return ntohs(address.sin_port);
}

/// A TPM, and what a daemon with it keeps: unlike that of a developer it can be ended and started again.
struct KeptDaemon {
  [[nodiscard]] DaemonSettings settings() const {
    return {.tcti = tpm.tcti(),
            .issuer_url = "https://localhost:" + std::to_string(port),
            .tls_port = port,
            .plain_port = plain_port};
  }
  [[nodiscard]] std::unique_ptr<DaemonProcess> started() const {
    auto daemon = std::make_unique<DaemonProcess>(settings());
    daemon->start();
    return daemon;
  }

  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  std::uint16_t port = free_port();
  std::uint16_t plain_port = free_port();
};

}  // namespace chancery::tests
