#include "daemon/runtime/issued_secrets.hpp"

#include <algorithm>

#include "sdk/crypto/hash.hpp"

namespace chancery::runtime {

using std::chrono::sys_seconds;

IssuedSecrets::Id IssuedSecrets::id_of(const api::ReleasedCredential& credential) {
  return sha256(credential.value.view());
}

Status IssuedSecrets::call_begins(const api::ReleasedCredential& credential, sys_seconds now) {
  const std::lock_guard lock(mutex_);
  forget_expired(now);
  const Id id = id_of(credential);
  Issued& issued = issued_[id];
  if (issued.calls == 0 && issued.expires_at) ended_.erase({*issued.expires_at, id});
  ++issued.calls;
  if (credential.expires_at) {
    const sys_seconds end{std::chrono::seconds(*credential.expires_at)};
    issued.expires_at = std::max(issued.expires_at.value_or(end), end);
  }
  if (issued.handles.contains(credential.name)) return {};
  auto known = known_.add(credential.value.view(), credential.name);
  issued.handles.emplace(credential.name, known ? *known : redaction::KnownSecrets::Handle());
  return known ? Status{} : Status{known.error()};
}

void IssuedSecrets::call_ended(const Id& id, sys_seconds now) {
  const std::lock_guard lock(mutex_);
  const auto found = issued_.find(id);
  if (found == issued_.end() || found->second.calls == 0 || --found->second.calls > 0) return;
  if (found->second.expires_at) {
    ended_.emplace(*found->second.expires_at, id);
  } else {  // or it would be looked for as long as this process lives
    forget(found);
  }
  forget_expired(now);
  while (ended_.size() > kMostEnded) forget_next();
}

void IssuedSecrets::forget_expired(sys_seconds now) {
  while (!ended_.empty() && ended_.begin()->first < now - kLeeway) forget_next();
}

void IssuedSecrets::forget_next() {
  forget(issued_.find(ended_.begin()->second));
  ended_.erase(ended_.begin());
}

void IssuedSecrets::forget(All::iterator issued) {
  for (const auto& [name, handle] : issued->second.handles) known_.remove(handle);
  issued_.erase(issued);
}

}  // namespace chancery::runtime
