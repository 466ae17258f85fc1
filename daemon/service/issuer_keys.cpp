#include "daemon/service/issuer_keys.hpp"

#include <algorithm>

#include "daemon/service/audit_entry.hpp"

namespace chancery::service {
namespace {

using store::KeyState;
using Kind = store::KeyIntent::Kind;

constexpr Error kLost{ErrorCode::kKeyLost,
                      "the issuer key is lost or revoked: `chancery issuer rotate` makes a new one"};

// What such a key signed still counts.
bool is_published(const store::Key& key) {
  return key.state == KeyState::kActive || key.state == KeyState::kRotating || key.state == KeyState::kLost;
}

}  // namespace

Result<store::Key> IssuerKeys::current(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::lock_guard lock(making_);
  CHANCERY_ASSIGN(std::optional<store::Key> key, newest());
  if (!key || key->state == KeyState::kRetired || key->state == KeyState::kRotating) {
    return make({Kind::kMake, options_.backend, std::string(store::kIssuer), {}, options_.overlap}, now,
                deadline);
  }
  if (key->state != KeyState::kActive) return kLost;
  // One that was stored when publishing it failed: nobody could verify what it signs.
  const std::vector<PublicKey> published = trust_.issuer_keys();
  if (std::ranges::find(published, key->stored.public_key) == published.end()) CHANCERY_TRY(publish(now));
  return *std::move(key);
}

Result<std::optional<store::Key>> IssuerKeys::newest() const {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store_.keys(store::kIssuer));
  const auto found = std::ranges::find(keys, options_.backend, &store::Key::backend);
  if (found == keys.end()) return std::optional<store::Key>();
  return std::optional<store::Key>(*found);
}

Result<store::Key> IssuerKeys::rotate(std::chrono::sys_seconds now, std::chrono::seconds overlap,
                                      hsm::Deadline deadline, const std::string& key_id) {
  const std::lock_guard lock(making_);
  return make({Kind::kRotate, options_.backend, std::string(store::kIssuer), key_id, overlap}, now, deadline);
}

Result<store::Key> IssuerKeys::make(store::KeyIntent intent, std::chrono::sys_seconds now,
                                    hsm::Deadline deadline) {
  const std::chrono::sys_seconds overlap_until = now + intent.overlap;
  const char* const action = intent.kind == Kind::kMake ? "issuer_key.create" : "issuer_key.rotate";
  const auto record = [&](const store::Key& key) -> Status {
    CHANCERY_TRY(store_.add_key(key, overlap_until, audit_entry(action, now, key_details(key))));
    return {};
  };
  CHANCERY_ASSIGN(store::Key key, life_.make({std::move(intent), Algorithm::kES256}, now, deadline, record));
  CHANCERY_TRY(publish(now));
  return key;
}

Status IssuerKeys::publish(std::chrono::sys_seconds now) {
  const std::lock_guard lock(publishing_);  // so that what was read last is published last
  CHANCERY_ASSIGN(std::vector<store::Key> keys, store_.keys(store::kIssuer));
  std::erase_if(keys, [](const store::Key& key) { return !is_published(key); });
  CHANCERY_ASSIGN(std::vector<Thumbprint> ended, store_.ended_keys(now - options_.memory));
  trust_.publish(keys, std::move(ended));
  return {};
}

Result<Signature> IssuerKeys::sign(const store::Key& key, ByteView message, std::chrono::sys_seconds now,
                                   hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(key.backend));
  auto signature = backend->sign(key.stored, message, deadline);
  if (signature || signature.error().code != ErrorCode::kKeyLost) return signature;
  // A conflict: it was found out before, or the key ended meanwhile.
  const auto marked = store_.change_key(key.stored.public_key.thumbprint(), KeyState::kLost, "key_lost",
                                        audit_entry("issuer_key.lost", now, key_details(key)));
  return marked || marked.error().code == ErrorCode::kConflict ? signature : marked.error();
}

}  // namespace chancery::service
