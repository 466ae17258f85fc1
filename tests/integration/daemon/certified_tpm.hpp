#pragma once

#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {

/// A TPM whose EK a simulated vendor certified.
inline simulators::Swtpm certified_tpm() {
  simulators::SwtpmOptions options;
  options.certificates = true;
  return required(simulators::Swtpm::start(options));
}

/// That vendor's authority: a file with its certificate.
inline std::string root_of(const simulators::Swtpm& tpm) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tpm.folder())) {
    if (entry.path().filename() == "issuercert.pem") return entry.path().string();
  }
  BOOST_FAIL("the simulated vendor has no certificate");
  return {};
}

}  // namespace chancery::tests
