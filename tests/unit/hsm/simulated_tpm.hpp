#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "hsm/tpm/backend.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "simulators/swtpm/swtpm.hpp"

namespace chancery::hsm {

// What the tests of the TPM backend share.

/// Further away than CTest's patience: a call that returns did not wait for it.
inline Deadline far_away() { return std::chrono::steady_clock::now() + std::chrono::hours(1); }
inline Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

inline simulators::Swtpm start_swtpm() {
  auto tpm = simulators::Swtpm::start();
  BOOST_REQUIRE_MESSAGE(tpm, (tpm ? "" : tpm.error().what));
  return *std::move(tpm);
}

inline TpmOptions options_for(std::string tcti) {
  TpmOptions options;
  options.name = "test";
  options.tcti = std::move(tcti);
  options.allow_simulator = true;
  options.master = SecretBytes(Bytes(32, 0x5a));
  return options;
}

inline std::unique_ptr<TpmBackend> open_backend(TpmOptions options) {
  auto backend = TpmBackend::open(std::move(options));
  BOOST_REQUIRE_MESSAGE(backend, (backend ? "" : backend.error().what));
  return *std::move(backend);
}

inline StoredKey create_key(TpmBackend& backend, const std::string& agent = "agent") {
  auto key = backend.create({agent, "k1"}, Algorithm::kES256, far_away());
  BOOST_REQUIRE_MESSAGE(key, (key ? "" : key.error().what));
  return *std::move(key);
}

/// The error of a signature, or nothing when it was given; a wrong signature ends the test.
inline std::optional<ErrorCode> sign_error(TpmBackend& backend, const StoredKey& key,
                                           Deadline deadline = far_away()) {
  const ByteView message = as_bytes("message");
  const auto signature = backend.sign(key, message, deadline);
  if (!signature) return signature.error().code;
  BOOST_REQUIRE(verify_signature(key.public_key, sha256(message), message, *signature));
  return std::nullopt;
}

inline std::optional<ErrorCode> check_error(TpmBackend& backend, Deadline deadline = far_away()) {
  const Status status = backend.check(deadline);
  return status ? std::nullopt : std::optional(status.error().code);
}

/// Polls until it holds; CTest's limit ends what never does.
template <typename Condition>
void eventually(Condition condition) {
  const hsm::Deadline latest = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < latest, "what was waited for never came");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// The handles that the TPM itself lists from `first` on.
inline std::uint32_t count_handles(TpmBackend& backend, TPM2_HANDLE first) {
  const auto count = std::make_shared<std::uint32_t>(0);
  const Status done = backend.device().run("test", far_away(), [count, first](OpenTpm& tpm) {
    TPMS_CAPABILITY_DATA* data = nullptr;
    const Status listed = tpm.connection->command("no handles", [&] {
      return Esys_GetCapability(tpm.connection->esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, nullptr, &data);
    });
    const EsysOwned<TPMS_CAPABILITY_DATA> owned(data);
    if (listed) *count = data->data.handles.count;
    return listed;
  });
  BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  return *count;
}

}  // namespace chancery::hsm
