#include "daemon/service/key_life.hpp"

#include <array>

#include "daemon/service/audit_entry.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using Kind = store::KeyIntent::Kind;

constexpr std::string_view kProbe = "chancery: signed by nobody, to see that a destroyed key is gone";

json::Node destruction_details(const store::KeyIntent& intent, std::string_view proof) {
  return json::Node::object(
      {{"owner", intent.owner}, {"backend", intent.backend}, {"key_id", intent.key_id}, {"proof", proof}});
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
  return {owner == store::kIssuer ? "daemon" : owner, key_id};
}

/// Marks a key as being made by this process, for as long as it lives.
class KeyLife::Making {
 public:
  Making(KeyLife& life, std::string key_id) : life_(life), key_id_(std::move(key_id)) {
    const std::lock_guard lock(life_.mutex_);
    life_.making_.insert(key_id_);
  }
  ~Making() {
    const std::lock_guard lock(life_.mutex_);
    life_.making_.erase(key_id_);
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  KeyLife& life_;
  const std::string key_id_;
};

Result<store::Key> KeyLife::make(NewKey wanted, std::chrono::sys_seconds now, hsm::Deadline deadline,
                                 const Record& record) {
  store::KeyIntent& intent = wanted.intent;
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(intent.backend));
  if (intent.key_id.empty()) {
    CHANCERY_ASSIGN(intent.key_id, random_id());
  }
  const Making making(*this, intent.key_id);
  CHANCERY_TRY(store_.add_intent(intent));
  auto made = backend->create(binding_of(intent.owner, intent.key_id), wanted.algorithm, deadline);
  if (!made) {
    // Of an error nothing remains in the device.
    if (!wanted.is_resumed) CHANCERY_TRY(store_.drop_intent(intent));
    return made.error();
  }
  store::Key key{
      .owner = intent.owner, .backend = intent.backend, .stored = *std::move(made), .created_at = now};
  const Status recorded = record(key);
  if (recorded) return key;
  // Some devices keep what they make: nobody would ever ask for this one again.
  if (backend->destroy(key.stored, deadline)) CHANCERY_TRY(store_.drop_intent(intent));
  return recorded.error();
}

Status KeyLife::destroy(const store::Key& key, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::string& key_id = key.stored.binding.key_id;
  const Making making(*this, key_id);
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(key.backend));
  CHANCERY_TRY(backend->destroy(key.stored, deadline));
  CHANCERY_TRY(require_gone(*backend, key.stored, deadline));
  const store::KeyIntent intent{Kind::kDestroy, key.backend, key.owner, key_id, {}};
  CHANCERY_TRY(store_.key_destroyed(
      intent, audit_entry("key.destroyed", now, destruction_details(intent, "no longer signs"))));
  return {};
}

Status KeyLife::settle(const store::KeyIntent& intent, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (making_.contains(intent.key_id)) {
      return Error{ErrorCode::kDeviceBusy, "the key is being made or destroyed: wait for the end of that"};
    }
  }
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(intent.backend));
  CHANCERY_TRY(backend->discard(binding_of(intent.owner, intent.key_id), deadline));
  if (intent.kind != Kind::kDestroy) return {};
  CHANCERY_TRY(store_.key_destroyed(
      intent, audit_entry("key.destroyed", now, destruction_details(intent, "the device has none of it"))));
  return {};
}

}  // namespace chancery::service
