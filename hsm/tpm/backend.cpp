#include "hsm/tpm/backend.hpp"

#include <algorithm>
#include <cstdlib>

#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kMasterSize = 32;
constexpr Error kSimulator{ErrorCode::kSimulatorRefused,
                           "this TPM is a simulator, and [tpm] allow_simulator is off: use a hardware TPM, or allow it knowingly"};

}  // namespace

Result<std::unique_ptr<TpmBackend>> TpmBackend::open(TpmOptions options) {
  CHANCERY_ASSIGN(const TctiAddress address, TctiAddress::parse(options.tcti));
  const bool simulator = address.kind == TctiAddress::Kind::kSwtpm;
  if (simulator && !options.allow_simulator) return kSimulator;
  if (!simulator && options.sessions == SessionKind::kPlain) {
    return Error{ErrorCode::kInvalidArgument, "plain sessions are for simulators only: set sessions = \"encrypted\""};
  }
  if (options.master.size() != kMasterSize) {
    return Error{ErrorCode::kInvalidArgument, "the master secret must have exactly 32 octets"};
  }
  // The stack would write errors to stderr on its own, handles and all; ours go through check_tpm.
  ::setenv("TSS2_LOG", "all+none", 0);

  std::unique_ptr<TpmBackend> backend(new TpmBackend(std::move(options)));
  TpmBackend& self = *backend;
  DeviceOptions device;
  device.connection = {address, self.options_.sessions, self.options_.key_cache, &self.options_.master};
  device.queue = self.options_.queue;
  device.accept = [&self](const TpmFacts& facts, ByteView name) { return self.accept(facts, name); };
  backend->device_ = std::make_unique<TpmDevice>(std::move(device));
  return backend;
}

Status TpmBackend::accept(const TpmFacts& facts, ByteView storage_key_name) {
  if (facts.emulated && !options_.allow_simulator) return kSimulator;
  if (options_.pinned_name.empty()) {
    if (options_.pin) CHANCERY_TRY(options_.pin(storage_key_name));
    options_.pinned_name.assign(storage_key_name.begin(), storage_key_name.end());
    return {};
  }
  if (equal_constant_time(storage_key_name, options_.pinned_name)) return {};
  return Error{ErrorCode::kWrongDevice,
               "this is not the TPM that holds our keys, or it was cleared: connect the right one, or register the agents again"};
}

Result<StoredKey> TpmBackend::create(const KeyBinding& binding, Deadline deadline) {
  return device_->run<StoredKey>(deadline, [binding](TpmConnection& tpm) { return tpm.create(binding); });
}

Result<Signature> TpmBackend::sign(const StoredKey& key, ByteView message, Deadline deadline) {
  const Sha256Digest digest = sha256(message);
  CHANCERY_ASSIGN(const Signature signature,
                  device_->run<Signature>(deadline, [key, digest](TpmConnection& tpm) { return tpm.sign(key, digest); }));
  // On the caller's thread: the device is free for the next request meanwhile.
  if (!verify_signature(key.public_key, digest, message, signature)) {
    return Error{ErrorCode::kKeyMismatch, "the TPM signed with another key than the agent's: the signature was discarded"};
  }
  return signature;
}

Status TpmBackend::destroy(const StoredKey& key, Deadline deadline) {
  const auto done = device_->run<bool>(deadline, [key](TpmConnection& tpm) {
    tpm.forget(key);
    return Result<bool>(true);
  });
  return done ? Status{} : Status{done.error()};
}

Status TpmBackend::check(Deadline deadline) {
  const auto alive = device_->run<bool>(deadline, [](TpmConnection& tpm) -> Result<bool> {
    CHANCERY_TRY(tpm.ping());
    return true;
  });
  return alive ? Status{} : Status{alive.error()};
}

BackendInfo TpmBackend::describe() const {
  const TpmFacts facts = device_->facts();
  return {options_.name, "tpm", facts.manufacturer, facts.firmware, facts.emulated, {Algorithm::kES256}};
}

}  // namespace chancery::hsm
