#include "daemon/service/trust.hpp"

namespace chancery::service {

TrustSnapshot TrustPublisher::current() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

TrustSnapshot TrustPublisher::own() const {
  const std::lock_guard lock(mutex_);
  return own_;
}

std::vector<PublicKey> TrustPublisher::issuer_keys() const {
  const std::lock_guard lock(mutex_);
  return issuer_keys_;
}

void TrustPublisher::publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys) {
  TrustAnchor anchor;
  anchor.iss = issuer_url_;
  for (const store::Key& key : issuer_keys) anchor.keys.push_back(key.stored.public_key);
  std::vector<PublicKey> keys = anchor.keys;
  TrustConfig own;
  own.ended_keys = std::move(ended_keys);
  if (!keys.empty()) own.anchors.push_back(std::move(anchor));
  TrustConfig all = configured_;
  all.ended_keys = own.ended_keys;
  all.anchors.insert(all.anchors.begin(), own.anchors.begin(), own.anchors.end());
  TrustSnapshot own_snapshot(std::move(own));
  TrustSnapshot snapshot(std::move(all));
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
  own_ = std::move(own_snapshot);
  issuer_keys_ = std::move(keys);
}

}  // namespace chancery::service
