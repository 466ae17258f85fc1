#include "daemon/service/key_life.hpp"

#include <array>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "hsm/gated_keys.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using Kind = store::KeyIntent::Kind;

constexpr std::string_view kProbe = "chancery: signed by nobody, to see that a destroyed key is gone";

// Whether the device has surely made nothing.
bool is_final(const Error& error) {
  using enum ErrorCode;
  return error.code == kUnsupportedAlgorithm || error.code == kDeviceBusy || error.code == kInvalidArgument;
}

// A device that did not answer may have made the key, or make it yet: then the intent stays, as one of which
// nothing is to remain.
Status give_up(store::Store& store, const KeyLife::NewKey& wanted, const Error& error) {
  const bool is_worth_a_retry = wanted.is_resumed && error.code == ErrorCode::kDeviceBusy;
  if (is_final(error) && !is_worth_a_retry) return store.drop_intent(wanted.intent);
  if (wanted.is_resumed) return {};
  store::KeyIntent abandoned = wanted.intent;
  abandoned.kind = Kind::kMake;
  return store.add_intent(abandoned);
}

// A key behind a gate signs for nobody alone: that it is gone shows in that its device does not find it any more.
Status require_gone_behind_gate(hsm::KeyBackend& backend, const hsm::StoredKey& key, hsm::Deadline deadline) {
  if (backend.gated_keys() == nullptr) return {};
  const auto statement = backend.gated_keys()->certify(key, {}, deadline);
  if (!statement) return statement.error().code == ErrorCode::kKeyLost ? Status{} : Status{statement.error()};
  return Error{ErrorCode::kDeviceError,
               "the device still knows a key that it says is destroyed: look for a copy of it"};
}

// The proof that a key is gone is a signature that fails for this reason and no other.
Status require_gone(hsm::KeyBackend& backend, const hsm::StoredKey& key, hsm::Deadline deadline) {
  const auto signature = backend.sign(key, as_bytes(kProbe), deadline);
  if (signature) {
    return Error{ErrorCode::kDeviceError,
                 "the device still signs with a key that it says is destroyed: look for a copy of it"};
  }
  return signature.error().code == ErrorCode::kKeyLost ? Status{} : Status{signature.error()};
}

}  // namespace

Result<std::string> random_id() {
  std::array<std::uint8_t, 16> octets;
  CHANCERY_TRY(random_bytes(octets));
  return hex_encode(octets);
}

hsm::KeyBinding binding_of(const std::string& owner, const std::string& key_id) {
  return {store::is_daemons(owner) ? "daemon" : owner, key_id};
}

/// Says that this process is at a key, so that nobody else is, for as long as it lives.
class KeyLife::Claim {
 public:
  Claim(KeyLife& life, std::string key_id) : life_(life), key_id_(std::move(key_id)) {
    const std::lock_guard lock(life_.mutex_);
    is_ours_ = life_.claimed_.insert(key_id_).second;
  }
  ~Claim() {
    const std::lock_guard lock(life_.mutex_);
    if (is_ours_) life_.claimed_.erase(key_id_);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  /// kDeviceBusy when somebody else is at it.
  [[nodiscard]] Status check() const {
    if (is_ours_) return {};
    return Error{ErrorCode::kDeviceBusy, "the key is being made or destroyed: wait for the end of that"};
  }

 private:
  KeyLife& life_;
  const std::string key_id_;
  bool is_ours_ = false;
};

// The daemon's own keys hang on no kill switch: what it signs for agents can be verified also while they are frozen.
Result<hsm::StoredKey> KeyLife::make_in_device(hsm::KeyBackend& backend, const store::KeyIntent& intent,
                                               std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const hsm::KeyBinding binding = binding_of(intent.owner, intent.key_id);
  if (freezes_ == nullptr || store::is_daemons(intent.owner))
    return backend.create(binding, intent.algorithm, deadline);
  return freezes_->make_key(backend, binding, intent.algorithm, now, deadline);
}

Result<store::Key> KeyLife::make(NewKey wanted, std::chrono::sys_seconds now, hsm::Deadline deadline,
                                 const Record& record) {
  store::KeyIntent& intent = wanted.intent;
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(intent.backend));
  if (intent.key_id.empty()) {
    CHANCERY_ASSIGN(intent.key_id, random_id());
  }
  const Claim claim(*this, intent.key_id);
  CHANCERY_TRY(claim.check());
  CHANCERY_TRY(store_.add_intent(intent));
  const hsm::KeyBinding binding = binding_of(intent.owner, intent.key_id);
  auto made =
      wanted.create ? wanted.create(*backend, binding) : make_in_device(*backend, intent, now, deadline);
  if (!made) {
    CHANCERY_TRY(give_up(store_, wanted, made.error()));
    return made.error();
  }
  store::Key key{
      .owner = intent.owner, .backend = intent.backend, .stored = *std::move(made), .created_at = now};
  const Status recorded = record(key);
  if (recorded) return key;
  // Some devices keep what they make: nobody would ever ask for this one again.
  if (backend->destroy(key.stored, deadline)) {
    CHANCERY_TRY(store_.drop_intent(intent));
  } else {
    CHANCERY_TRY(give_up(store_, wanted, recorded.error()));
  }
  return recorded.error();
}

Status KeyLife::destroy(const store::Key& key, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const Claim claim(*this, key.stored.binding.key_id);
  CHANCERY_TRY(claim.check());
  return destroy_claimed(key, now, deadline);
}

Status KeyLife::destroy_claimed(const store::Key& key, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(key.backend));
  CHANCERY_TRY(backend->destroy(key.stored, deadline));
  CHANCERY_TRY(key.owner.starts_with(store::kGateOwner)
                   ? require_gone_behind_gate(*backend, key.stored, deadline)
                   : require_gone(*backend, key.stored, deadline));
  const store::KeyIntent intent{Kind::kDestroy, key.backend, key.owner, key.stored.binding.key_id, {}};
  AuditFacts facts = key_facts(key);
  facts.details.set("proof", "no longer signs");
  CHANCERY_TRY(store_.key_destroyed(intent, audit_entry("key.destroyed", now, std::move(facts))));
  return {};
}

// What is settled is what the store says now: the intent may be an old one, and the key well and in use.
Status KeyLife::settle(const store::KeyIntent& intent, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const Claim claim(*this, intent.key_id);
  CHANCERY_TRY(claim.check());
  const auto key = store_.key_by_id(intent.backend, intent.key_id);
  if (!key && key.error().code != ErrorCode::kNotFound) return key.error();
  const bool has_ended =
      key && (key->state == store::KeyState::kRetired || key->state == store::KeyState::kRevoked);
  if (has_ended && !key->destroyed_at) return destroy_claimed(*key, now, deadline);
  if (key) return store_.drop_intent(intent);
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(intent.backend));
  return backend->discard(binding_of(intent.owner, intent.key_id), deadline);
}

}  // namespace chancery::service
