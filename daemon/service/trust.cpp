#include "daemon/service/trust.hpp"

namespace chancery::service {

TrustSnapshot TrustPublisher::current() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<PublicKey> TrustPublisher::issuer_keys() const {
  const std::lock_guard lock(mutex_);
  return issuer_keys_;
}

void TrustPublisher::publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys) {
  TrustConfig config = configured_;
  config.ended_keys = std::move(ended_keys);
  TrustAnchor own;
  own.iss = issuer_url_;
  for (const store::Key& key : issuer_keys) own.keys.push_back(key.stored.public_key);
  std::vector<PublicKey> keys = own.keys;
  if (!own.keys.empty()) config.anchors.insert(config.anchors.begin(), std::move(own));
  TrustSnapshot snapshot(std::move(config));
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
  issuer_keys_ = std::move(keys);
}

}  // namespace chancery::service
