#include "daemon/service/keys.hpp"

#include <algorithm>
#include <array>

#include "daemon/service/audit_entry.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {

void Backends::add(std::string name, std::unique_ptr<hsm::KeyBackend> backend) {
  names_.push_back(name);
  backends_.emplace(std::move(name), std::move(backend));
}

Result<hsm::KeyBackend*> Backends::find(std::string_view name) const {
  const auto found = backends_.find(name);
  if (found == backends_.end()) {
    return Error{ErrorCode::kBackendUnknown, "no key backend of that name is configured: see [[backend]]"};
  }
  return found->second.get();
}

Result<std::string> random_id() {
  std::array<std::uint8_t, 16> octets;
  CHANCERY_TRY(random_bytes(octets));
  return hex_encode(octets);
}

Result<store::DaemonKey> IssuerKeys::current(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::lock_guard lock(making_);
  CHANCERY_ASSIGN(std::optional<store::DaemonKey> made, existing());
  if (!made) return make(now, deadline);
  // One that was stored when publishing it failed: nobody could verify what it signs.
  const std::vector<PublicKey> published = trust_.issuer_keys();
  if (std::ranges::find(published, made->key.public_key) == published.end()) CHANCERY_TRY(publish());
  return *std::move(made);
}

Result<std::optional<store::DaemonKey>> IssuerKeys::existing() const {
  CHANCERY_ASSIGN(const std::vector<store::DaemonKey> keys, all());
  const auto newest = std::ranges::find(keys, backend_name_, &store::DaemonKey::backend);
  if (newest == keys.end()) return std::optional<store::DaemonKey>();
  return std::optional<store::DaemonKey>(*newest);
}

Result<store::DaemonKey> IssuerKeys::make(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(backend_name_));
  CHANCERY_ASSIGN(std::string key_id, random_id());
  CHANCERY_ASSIGN(hsm::StoredKey key,
                  backend->create({"daemon", std::move(key_id)}, Algorithm::kES256, deadline));
  store::DaemonKey made{std::string(kPurpose), backend_name_, std::move(key), now};
  json::Node details =
      json::Node::object({{"backend", backend_name_}, {"jkt", made.key.public_key.thumbprint().text()}});
  const auto added = store_.add_daemon_key(made, audit_entry("issuer_key.create", now, std::move(details)));
  if (!added) {
    static_cast<void>(backend->destroy(made.key, deadline));  // some devices keep what they make
    return added.error();
  }
  CHANCERY_TRY(publish());
  return made;
}

Status IssuerKeys::publish() {
  CHANCERY_ASSIGN(const std::vector<store::DaemonKey> keys, all());
  trust_.publish(keys);
  return {};
}

Result<Signature> IssuerKeys::sign(const store::DaemonKey& key, ByteView message,
                                   hsm::Deadline deadline) const {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(key.backend));
  return backend->sign(key.key, message, deadline);
}

}  // namespace chancery::service
