#include "daemon/service/trust.hpp"

namespace chancery::service {
namespace {

std::vector<PublicKey> public_keys(const std::vector<store::Key>& keys) {
  std::vector<PublicKey> out;
  for (const store::Key& key : keys) out.push_back(key.stored.public_key);
  return out;
}

}  // namespace

std::string status_list_prefix(std::string_view issuer_url) {
  return std::string(issuer_url) + "/v1/status-lists/";
}

Status TrustPublisher::keep_up(const PartnerOptions& options) {
  if (configured_.anchors.empty()) return {};
  const auto changed = [this](TrustConfig anchors) { take_anchors(std::move(anchors)); };
  CHANCERY_ASSIGN(partners_, Partners::open(configured_, options, changed));
  return {};
}

TrustSnapshot TrustPublisher::current() const {
  const std::lock_guard lock(mutex_);
  return partners_ ? snapshot_.with_status_lists_of(partners_->held()) : snapshot_;
}

std::optional<TrustSnapshot> TrustPublisher::fetch_for(std::span<const std::string_view> chain,
                                                       const VerifyOptions& options) {
  if (!partners_ || !partners_->fetch_for(chain, options)) return std::nullopt;
  return current();
}

TrustSnapshot TrustPublisher::own() const {
  const std::lock_guard lock(mutex_);
  return own_;
}

std::vector<PublicKey> TrustPublisher::keys(std::string_view owner) const {
  const std::lock_guard lock(mutex_);
  const auto found = own_keys_.find(owner);
  return found != own_keys_.end() ? found->second : std::vector<PublicKey>();
}

void TrustPublisher::publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys) {
  TrustAnchor anchor;
  anchor.iss = issuer_url_;
  anchor.keys = public_keys(issuer_keys);
  anchor.known_status_prefix = status_list_prefix(issuer_url_);
  anchor.attestation_verifiers = attestation_verifiers_;
  std::vector<PublicKey> keys = anchor.keys;
  TrustConfig own;
  own.ended_keys = std::move(ended_keys);
  if (!keys.empty()) own.anchors.push_back(std::move(anchor));
  const std::lock_guard order(publishing_);
  own_config_ = std::move(own);
  rebuild();
  const std::lock_guard lock(mutex_);
  own_keys_[std::string(store::kIssuer)] = std::move(keys);
  ++generation_;
}

void TrustPublisher::take_anchors(TrustConfig configured) {
  const std::lock_guard order(publishing_);
  configured_ = std::move(configured);
  rebuild();
}

// The daemon's own anchor comes first: no other that has its key speaks in its place.
void TrustPublisher::rebuild() {
  TrustConfig all = configured_;
  all.ended_keys = own_config_.ended_keys;
  all.anchors.insert(all.anchors.begin(), own_config_.anchors.begin(), own_config_.anchors.end());
  const TrustSnapshot own_snapshot(own_config_);
  const TrustSnapshot snapshot(std::move(all));
  const std::lock_guard lock(mutex_);
  own_ = own_snapshot.with(snapshot_.ended_tokens());
  snapshot_ = snapshot.with(snapshot_.ended_tokens());
}

void TrustPublisher::publish_keys(std::string_view owner, const std::vector<store::Key>& keys) {
  const std::lock_guard lock(mutex_);
  own_keys_[std::string(owner)] = public_keys(keys);
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
