#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/backend.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "simulators/faults/pkcs11_faults.hpp"
#include "simulators/softhsm/softhsm.hpp"

namespace chancery::hsm {

// What the tests of the PKCS#11 backend share.

/// Further away than CTest's patience: a call that returns did not wait for it.
inline Deadline far_away() { return std::chrono::steady_clock::now() + std::chrono::hours(1); }
inline Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

/// Polls until it holds; CTest's limit ends what never does.
template <typename Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

template <typename T>
T required(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

/// A token of SoftHSM, behind the shim that makes it fail.
struct SimulatedToken {
  simulators::SoftHsm store = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(store.add_token("first"));
  simulators::Pkcs11Faults faults = required(simulators::Pkcs11Faults::create());

  SimulatedToken() {
    store.use_in_this_process();
    faults.wrap_in_this_process(simulators::SoftHsm::module());
  }

  [[nodiscard]] Pkcs11Options options(std::size_t sessions = 2) const {
    Pkcs11Options options;
    options.name = "hsm";
    options.module = simulators::Pkcs11Faults::module();
    options.serial = token.serial;
    options.pin_file = token.pin_file;
    options.allow_simulator = true;
    options.sessions = sessions;
    options.master = SecretBytes(Bytes(32, 0x5a));
    return options;
  }
  /// The module in a process of its own: the daemon's program, as it starts itself.
  [[nodiscard]] Pkcs11Options isolated(std::size_t sessions = 2) const {
    Pkcs11Options isolated = options(sessions);
    isolated.isolate = true;
    isolated.owner_program = CHANCERY_BINARY_DIR "/chanceryd";
    return isolated;
  }
  [[nodiscard]] std::unique_ptr<Pkcs11Backend> open(std::size_t sessions = 2) const {
    return required(Pkcs11Backend::open(options(sessions)));
  }
};

inline StoredKey create_key(KeyBackend& backend, const std::string& agent = "agent") {
  return required(backend.create({agent, "k1"}, Algorithm::kES256, far_away()));
}

/// The error of a signature, or nothing when it was given; a wrong signature ends the test.
inline std::optional<Error> sign_error(KeyBackend& backend, const StoredKey& key,
                                       Deadline deadline = far_away()) {
  const ByteView message = as_bytes("message");
  const auto signature = backend.sign(key, message, deadline);
  if (!signature) return signature.error();
  BOOST_REQUIRE(verify_signature(key.public_key, sha256(message), message, *signature));
  return std::nullopt;
}

inline std::optional<ErrorCode> sign_code(KeyBackend& backend, const StoredKey& key,
                                          Deadline deadline = far_away()) {
  const auto error = sign_error(backend, key, deadline);
  return error ? std::optional(error->code) : std::nullopt;
}

}  // namespace chancery::hsm
