#pragma once

#include <string>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "simulators/softhsm/softhsm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

// What the tests share in which the daemon has a token, called "hsm", beside its TPM.

/// The value of a result that must be one.
template <typename T>
T required(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

/// The token's section of the configuration; more of its options may follow.
/// \param module  SoftHSM's, or what stands before it
inline std::string token_section(const simulators::SoftToken& token,
                                 const std::filesystem::path& module = simulators::SoftHsm::module()) {
  return "[[backend]]\nname = \"hsm\"\ntype = \"pkcs11\"\nallow_simulator = true\nmodule = \"" +
         module.string() + "\"\nserial = \"" + token.serial + "\"\npin_file = \"" + token.pin_file.string() +
         "\"\n";
}

/// An agent that is whoever runs the tests, with its key in this backend.
inline api::CreateAgent agent_on(const std::string& backend, const std::string& name) {
  api::CreateAgent request = agent_of(name, ::geteuid());
  request.backend = backend;
  return request;
}

}  // namespace chancery::tests
