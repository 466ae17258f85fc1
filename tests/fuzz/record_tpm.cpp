// Writes what a swtpm answers while a connection to it is made ready, for tests/fuzz/corpus/tpm: `record_tpm > FILE`.

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "hsm/tpm/connection.hpp"
#include "hsm/tpm/tcti.hpp"
#include "simulators/faults/tcti_fake.hpp"
#include "simulators/faults/tcti_wire.hpp"
#include "simulators/swtpm/swtpm.hpp"

int main() {
  using namespace chancery;
  const auto tpm = simulators::Swtpm::start({});
  if (!tpm) return 1;
  Bytes heard;
  {
    const std::string path = hsm::TctiAddress::parse(tpm->tcti())->path;
    const simulators::FakeTpm between([&](int fd) {
      const int real = simulators::connect_to(path);
      for (Bytes command; !(command = simulators::read_message(fd)).empty();) {
        simulators::write_octets(real, command);
        const Bytes response = simulators::read_message(real);
        heard.insert(heard.end(), response.begin(), response.end());
        simulators::write_octets(fd, response);
      }
      ::close(real);
    });
    hsm::ConnectionOptions options;
    options.address = *hsm::TctiAddress::parse(between.tcti());
    options.sessions = hsm::SessionKind::kPlain;
    options.accept = [](const hsm::TpmFacts&, ByteView) { return Status{}; };
    const hsm::Interrupt interrupt;
    hsm::LiveCounts live;
    if (!hsm::TpmConnection::open(options, interrupt, live)) return 1;
  }
  return std::fwrite(heard.data(), 1, heard.size(), stdout) == heard.size() ? 0 : 1;
}
