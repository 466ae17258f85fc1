#include "hsm/tpm/backend.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "hsm/binding_octets.hpp"
#include "hsm/tpm/condition.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kMasterSize = 32;
constexpr std::size_t kAuthSize = 32;

constexpr Error kSimulator{
    ErrorCode::kSimulatorRefused,
    "this TPM is a simulator, and allow_simulator is off: use a hardware TPM, or allow it knowingly"};

constexpr Error kBehindGate{
    ErrorCode::kForbidden,
    "this key signs only what its gate's approvers have signed for: ask for it as a gated key"};

constexpr Error kOtherSwitch{
    ErrorCode::kKeyLost,
    "the key hangs on a kill switch that is not configured here, or on that of another operator's key: configure it again, "
    "or rotate the agent's key"};

// Where the TPM is, provided that the options allow what is there.
Result<TctiAddress> allowed_address(const TpmOptions& options) {
  CHANCERY_ASSIGN(TctiAddress address, TctiAddress::parse(options.tcti));
  const bool is_simulator = address.kind == TctiAddress::Kind::kSwtpm;
  if (is_simulator && !options.allow_simulator) return kSimulator;
  if (!is_simulator && options.sessions == SessionKind::kPlain) {
    return Error{ErrorCode::kInvalidArgument,
                 "plain sessions are for simulators only: set sessions = \"encrypted\""};
  }
  return address;
}

// What comes back by itself is no reason not to start.
bool may_recover(const Error& error) {
  using enum ErrorCode;
  return error.code == kDeviceUnavailable || error.code == kDeviceTimeout || error.code == kDeviceError ||
         error.code == kDeviceLockout || error.code == kWrongDevice;
}

}  // namespace

Status TpmBackend::check_options(const TpmOptions& options) {
  CHANCERY_TRY(allowed_address(options));
  if (options.kill_switch)
    CHANCERY_TRY(SwitchBanks::of(*options.kill_switch, SecretBytes(Bytes(kMasterSize))));
  return {};
}

Result<std::unique_ptr<TpmBackend>> TpmBackend::open(TpmOptions options) {
  CHANCERY_ASSIGN(TctiAddress address, allowed_address(options));
  if (options.master.size() != kMasterSize) {
    return Error{ErrorCode::kInvalidArgument, "the master secret must have exactly 32 octets"};
  }
  // The stack would write errors to stderr on its own, handles and all; ours go through check_tpm.
  ::setenv("TSS2_LOG", "all+none", 0);

  const Deadline first_answer = std::chrono::steady_clock::now() + options.timeout;
  std::unique_ptr<TpmBackend> backend(new TpmBackend(std::move(options)));
  TpmBackend& self = *backend;
  DeviceOptions device;
  device.connection = {std::move(address), self.options_.sessions, self.options_.timeout,
                       [&self](const TpmFacts& facts, ByteView name) { return self.accept(facts, name); }};
  device.queue = self.options_.queue;
  device.key_cache = self.options_.key_cache;
  self.device_ = std::make_unique<TpmDevice>(std::move(device));
  self.counter_ = std::make_unique<NvCounter>(*self.device_, self.options_.master);
  if (self.options_.kill_switch) {
    CHANCERY_ASSIGN(self.banks_, SwitchBanks::of(*self.options_.kill_switch, self.options_.master));
    self.kill_switch_ = std::make_unique<TpmKillSwitch>(
        *self.device_, self.banks_,
        [&self](const KeyBinding& binding, KillSwitch::Slot slot, Deadline deadline) {
          return self.make_key(binding, slot, deadline);
        });
  }
  self.sealer_ = std::make_unique<TpmSealer>(*self.device_, self.options_.master);
  self.attester_ = std::make_unique<TpmAttester>(*self.device_, self.options_.master,
                                                 std::move(self.options_.attestation_key),
                                                 [&self](const StoredKey& key) { return self.prepare(key); });
  self.gated_keys_ = std::make_unique<TpmGatedKeys>(*self.device_, *self.attester_, self.destroyed_);

  const Status first = self.device_->wait_for_first_attempt(first_answer);
  if (!first && !may_recover(first.error())) return first.error();
  return backend;
}

Status TpmBackend::accept(const TpmFacts& facts, ByteView storage_key_name) {
  if (facts.emulated && !options_.allow_simulator) return kSimulator;
  const std::lock_guard lock(name_mutex_);
  if (options_.pinned_name.empty()) {
    if (options_.pin) CHANCERY_TRY(options_.pin(storage_key_name));
    options_.pinned_name.assign(storage_key_name.begin(), storage_key_name.end());
    return {};
  }
  if (std::ranges::equal(storage_key_name, options_.pinned_name)) {
    refused_name_.clear();
    return {};
  }
  refused_name_.assign(storage_key_name.begin(), storage_key_name.end());
  return Error{
      ErrorCode::kWrongDevice,
      "this is not the TPM that holds our keys, or it was cleared: put the right one back; if it is to "
      "serve from now on, `chancery backend adopt` takes it, and the agents get new keys"};
}

// The device thread seeks on by itself, and takes this one at the next attempt.
Status TpmBackend::adopt(const std::function<Status(ByteView name)>& keep) {
  const std::lock_guard lock(name_mutex_);
  if (refused_name_.empty()) {
    return Error{ErrorCode::kConflict, "no other TPM was met than the one that is pinned: nothing to adopt"};
  }
  CHANCERY_TRY(keep(refused_name_));
  options_.pinned_name = std::exchange(refused_name_, {});
  return {};
}

// --- keys

SecretBytes TpmBackend::derive_auth(const KeyBinding& binding) const {
  return hkdf_sha256(options_.master.view(), {}, "chancery tpm key auth" + binding_octets(binding),
                     kAuthSize);
}

Result<StoredKey> TpmBackend::create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) {
  if (algorithm != Algorithm::kES256) {
    return Error{ErrorCode::kUnsupportedAlgorithm,
                 "TPMs make P-256 keys only: leave the algorithm out, or ask for ES256"};
  }
  return make_key(binding, std::nullopt, deadline);
}

Result<TPM2B_PUBLIC> TpmBackend::template_for(Slot slot) const {
  if (!slot) return signing_key_template();
  if (!banks_ || *slot > banks_->last_slot()) return kOtherSwitch;
  CHANCERY_ASSIGN(const Sha256Digest policy,
                  attest::switched_key_policy(banks_->checks(*slot), banks_->policy));
  return switched_key_template(policy);
}

Result<StoredKey> TpmBackend::make_key(const KeyBinding& binding, Slot slot, Deadline deadline) {
  CHANCERY_ASSIGN(const TPM2B_PUBLIC wanted, template_for(slot));
  const auto auth = std::make_shared<const SecretBytes>(derive_auth(binding));
  const auto made = std::make_shared<KeyParts>();
  CHANCERY_TRY(device_->run(binding.agent_id, deadline, [auth, made, wanted](OpenTpm& tpm) -> Status {
    CHANCERY_ASSIGN(*made, tpm.keys.create(*auth, wanted));
    return {};
  }));
  made->slot = slot;
  const auto public_key = signing_key_of(made->public_area);
  if (!public_key || !is_like(made->public_area, wanted))
    return Error{ErrorCode::kDeviceError, "the TPM made another kind of key than was asked for"};
  CHANCERY_ASSIGN(Bytes blob, marshal(*made));
  return StoredKey{binding, *public_key, std::move(blob)};
}

Result<std::shared_ptr<const PreparedKey>> TpmBackend::prepare(const StoredKey& key) const {
  if (is_gated_blob(key.blob)) return kBehindGate;
  CHANCERY_ASSIGN(const KeyParts parts, unmarshal(key.blob));
  CHANCERY_ASSIGN(const PublicKey in_blob, signing_key_of(parts.public_area));
  if (in_blob != key.public_key) {
    return Error{ErrorCode::kKeyMismatch,
                 "the stored blob is of another key than its record says: look for tampering"};
  }
  auto prepared = std::make_shared<PreparedKey>();
  if (parts.slot) {
    CHANCERY_ASSIGN(const TPM2B_PUBLIC wanted, template_for(parts.slot));
    if (!is_like(parts.public_area, wanted)) return kOtherSwitch;
    prepared->checks = banks_->checks(*parts.slot);
  }
  prepared->identity = identity_of(key);
  prepared->parts = parts;
  prepared->auth = derive_auth(key.binding);
  return std::shared_ptr<const PreparedKey>(std::move(prepared));
}

Result<Signature> TpmBackend::sign(const StoredKey& key, ByteView message, Deadline deadline) {
  CHANCERY_ASSIGN(const std::shared_ptr<const PreparedKey> prepared, prepare(key));
  if (destroyed_.contains(prepared->identity)) return kKeyDestroyed;
  const Sha256Digest digest = sha256(message);
  const auto signature = std::make_shared<Signature>();
  CHANCERY_TRY(device_->run(key.binding.agent_id, deadline,
                            [this, prepared, digest, signature](OpenTpm& tpm) -> Status {
                              // Again, since it waited: a key that was destroyed meanwhile signs no more.
                              if (destroyed_.contains(prepared->identity)) return kKeyDestroyed;
                              CHANCERY_ASSIGN(*signature, tpm.keys.sign(*prepared, digest));
                              return {};
                            }));
  // On the caller's thread: the device is free for the next request meanwhile.
  if (!verify_signature(key.public_key, digest, message, *signature)) {
    return Error{ErrorCode::kKeyMismatch,
                 "the TPM signed with another key than the agent's: the signature was discarded"};
  }
  return *signature;
}

Status TpmBackend::destroy(const StoredKey& key, Deadline deadline) {
  const Sha256Digest identity = identity_of(key);
  if (deadline <= std::chrono::steady_clock::now()) {
    return Error{ErrorCode::kDeviceTimeout, "no time was left to destroy the key: the deadline had passed"};
  }
  destroyed_.add(identity);
  const Status done = device_->run(key.binding.agent_id, deadline, [identity](OpenTpm& tpm) -> Status {
    tpm.keys.forget(identity);
    return {};
  });
  // Copies end with the connection, so a TPM that is away holds none.
  const bool is_away = !done && done.error().code == ErrorCode::kDeviceUnavailable;
  return is_away ? Status{} : done;
}

// --- the device

Status TpmBackend::check(Deadline deadline) {
  return device_->run({}, deadline, [](OpenTpm& tpm) { return tpm.connection->ping(); });
}

Result<std::vector<Fact>> TpmBackend::facts(Deadline deadline) {
  const auto condition = std::make_shared<TpmCondition>();
  CHANCERY_TRY(device_->run({}, deadline, [condition](OpenTpm& tpm) -> Status {
    tpm.keys.make_room();  // what we keep loaded to be fast is no shortage
    CHANCERY_ASSIGN(*condition, read_condition(*tpm.connection));
    return {};
  }));
  return judge(*condition);
}

BackendInfo TpmBackend::describe() const {
  const TpmFacts facts = device_->facts();
  return {options_.name, "tpm", facts.manufacturer, facts.firmware, facts.emulated, {Algorithm::kES256}};
}

Bytes TpmBackend::storage_key_name() const {
  const std::lock_guard lock(name_mutex_);
  return options_.pinned_name;
}

}  // namespace chancery::hsm
