#include "daemon/service/daemon_keys.hpp"

#include <algorithm>

#include "daemon/service/audit_entry.hpp"

namespace chancery::service {
namespace {

using store::KeyState;
using Kind = store::KeyIntent::Kind;

Error lost(std::string_view owner) {
  const char* what = "the issuer key is lost or revoked: `chancery issuer rotate` makes a new one";
  if (owner == store::kStatusLists)
    what = "the key of status lists is lost or revoked: `chancery status-key rotate` makes a new one";
  if (owner == store::kAttestation)
    what = "the key of attestation results is lost or revoked: `chancery attest rotate-key` makes a new one";
  if (owner == store::kAudit)
    what = "the key of the audit log is lost or revoked: `chancery audit-key rotate` makes a new one";
  if (owner == store::kWebhook)
    what = "the key of the webhook is lost or revoked: `chancery webhook-key rotate` makes a new one";
  return {ErrorCode::kKeyLost, what};
}

}  // namespace

// "issuer_key.create" and so on.
std::string DaemonKeys::action_of(std::string_view what) const {
  return std::string(options_.owner) + "_key." + std::string(what);
}

bool DaemonKeys::is_published(const store::Key& key) const {
  const std::vector<PublicKey> published = trust_.keys(options_.owner);
  return std::ranges::find(published, key.stored.public_key) != published.end();
}

Result<store::Key> DaemonKeys::current(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  {
    // Without the lock: while a device makes the next key, the present one signs.
    CHANCERY_ASSIGN(std::optional<store::Key> key, newest());
    if (key && key->state == KeyState::kActive && is_published(*key)) return *std::move(key);
  }
  const std::lock_guard lock(making_);
  CHANCERY_ASSIGN(std::optional<store::Key> key, newest());
  if (!key || key->state == KeyState::kRetired || key->state == KeyState::kRotating) {
    return make({{Kind::kMake, options_.backend, std::string(options_.owner), {}, options_.overlap}},
                {now, deadline, nullptr});
  }
  if (key->state != KeyState::kActive) return lost(options_.owner);
  // One that was stored when publishing it failed: nobody could verify what it signs.
  if (!is_published(*key)) CHANCERY_TRY(publish(now));
  return *std::move(key);
}

Result<std::optional<store::Key>> DaemonKeys::newest() const {
  auto key = store_.newest_key(options_.owner, options_.backend);
  if (!key && key.error().code == ErrorCode::kNotFound) return std::optional<store::Key>();
  if (!key) return key.error();
  return std::optional<store::Key>(*std::move(key));
}

Result<store::Key> DaemonKeys::rotate(const Occasion& occasion, std::chrono::seconds overlap) {
  const std::lock_guard lock(making_);
  return make({{Kind::kRotate, options_.backend, std::string(options_.owner), {}, overlap}}, occasion);
}

Status DaemonKeys::resume(const store::KeyIntent& intent, std::chrono::sys_seconds now,
                          hsm::Deadline deadline) {
  if (intent.backend != options_.backend) return store_.drop_intent(intent);
  const std::lock_guard lock(making_);
  CHANCERY_TRY(make({intent, true}, {now, deadline, nullptr}));
  return {};
}

Result<store::Key> DaemonKeys::make(KeyLife::NewKey wanted, const Occasion& occasion) {
  const std::chrono::sys_seconds overlap_until = occasion.now + wanted.intent.overlap;
  const std::string action = action_of(wanted.intent.kind == Kind::kMake ? "create" : "rotate");
  const auto record = [&](const store::Key& key) -> Status {
    CHANCERY_TRY(store_.add_key(key, overlap_until, audit_entry(action, occasion, key_facts(key))));
    return {};
  };
  CHANCERY_ASSIGN(store::Key key, life_.make(std::move(wanted), occasion.now, occasion.deadline, record));
  CHANCERY_TRY(publish(occasion.now));
  return key;
}

void DaemonKeys::remember_for(std::chrono::seconds memory) {
  auto before = memory_.load();
  while (before < memory && !memory_.compare_exchange_weak(before, memory)) {
  }
}

Status DaemonKeys::publish(std::chrono::sys_seconds now) {
  const std::lock_guard lock(publishing_);  // so that what was read last is published last
  is_stale_ = true;
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store_.keys_in_use(options_.owner));
  if (options_.owner == store::kIssuer) {
    CHANCERY_ASSIGN(std::vector<Thumbprint> ended, store_.ended_keys(now - memory_.load(), now));
    trust_.publish(keys, std::move(ended));
  } else {
    trust_.publish_keys(options_.owner, keys);
  }
  is_stale_ = false;
  return {};
}

Result<Signature> DaemonKeys::sign(const store::Key& key, ByteView message, std::chrono::sys_seconds now,
                                   hsm::Deadline deadline) {
  CHANCERY_TRY(options_.may_sign());
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(key.backend));
  auto signature = backend->sign(key.stored, message, deadline);
  if (signature || signature.error().code != ErrorCode::kKeyLost) return signature;
  // A conflict: it was found out before, or the key ended meanwhile.
  const auto marked = store_.change_key(key.stored.public_key.thumbprint(), KeyState::kLost, "key_lost",
                                        audit_entry(action_of("lost"), now, key_facts(key)));
  return marked || marked.error().code == ErrorCode::kConflict ? signature : marked.error();
}

}  // namespace chancery::service
