#include "daemon/service/trust.hpp"

namespace chancery::service {
namespace {

std::vector<PublicKey> public_keys(const std::vector<store::Key>& keys) {
  std::vector<PublicKey> out;
  for (const store::Key& key : keys) out.push_back(key.stored.public_key);
  return out;
}

}  // namespace

std::string_view without_slash(std::string_view url) {
  return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
}

std::string status_list_prefix(std::string_view issuer_url) {
  return std::string(without_slash(issuer_url)) + "/v1/status-lists/";
}

TrustSnapshot TrustPublisher::current() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

TrustSnapshot TrustPublisher::own() const {
  const std::lock_guard lock(mutex_);
  return own_;
}

std::vector<PublicKey> TrustPublisher::keys(std::string_view owner) const {
  const std::lock_guard lock(mutex_);
  return owner == store::kIssuer ? issuer_keys_ : status_keys_;
}

void TrustPublisher::publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys) {
  TrustAnchor anchor;
  anchor.iss = issuer_url_;
  anchor.keys = public_keys(issuer_keys);
  anchor.known_status_prefix = status_list_prefix(issuer_url_);
  std::vector<PublicKey> keys = anchor.keys;
  TrustConfig own;
  own.ended_keys = std::move(ended_keys);
  if (!keys.empty()) own.anchors.push_back(std::move(anchor));
  TrustConfig all = configured_;
  all.ended_keys = own.ended_keys;
  all.anchors.insert(all.anchors.begin(), own.anchors.begin(), own.anchors.end());
  const TrustSnapshot own_snapshot(std::move(own));
  const TrustSnapshot snapshot(std::move(all));
  const std::lock_guard lock(mutex_);
  own_ = own_snapshot.with(snapshot_.ended_tokens());
  snapshot_ = snapshot.with(snapshot_.ended_tokens());
  issuer_keys_ = std::move(keys);
  ++generation_;
}

void TrustPublisher::publish_status_keys(const std::vector<store::Key>& keys) {
  const std::lock_guard lock(mutex_);
  status_keys_ = public_keys(keys);
  ++generation_;
}

void TrustPublisher::publish_ended_tokens(EndedTokens ended) {
  const std::lock_guard lock(mutex_);
  set_ended_tokens(std::move(ended));
}

void TrustPublisher::publish_changes(std::span<const EndedTokens::Change> changes) {
  const std::lock_guard lock(mutex_);
  set_ended_tokens(snapshot_.ended_tokens().with(changes));
}

void TrustPublisher::set_ended_tokens(EndedTokens ended) {
  own_ = own_.with(ended);
  snapshot_ = snapshot_.with(std::move(ended));
  ++generation_;
}

}  // namespace chancery::service
