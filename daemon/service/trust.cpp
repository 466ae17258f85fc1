#include "daemon/service/trust.hpp"

#include <algorithm>

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
  const std::lock_guard order(publishing_);
  CHANCERY_ASSIGN(std::shared_ptr<Partners> opened, open_partners(configured_, options, edition_));
  const std::lock_guard lock(mutex_);
  partners_ = std::move(opened);
  return {};
}

Result<std::shared_ptr<Partners>> TrustPublisher::open_partners(const TrustConfig& configured,
                                                                const PartnerOptions& options,
                                                                std::uint64_t edition) {
  if (configured.anchors.empty()) return std::shared_ptr<Partners>();
  const auto changed = [this, edition](TrustConfig anchors) { take_anchors(std::move(anchors), edition); };
  CHANCERY_ASSIGN(std::unique_ptr<Partners> opened, Partners::open(configured, options, changed));
  return std::shared_ptr<Partners>(std::move(opened));
}

// The former partners end last, and without a lock: they wait for a look at their keys that is under way, and that may
// be about to tell of it.
Status TrustPublisher::configure(TrustConfig configured, std::vector<PublicKey> attestation_verifiers,
                                 const PartnerOptions& options, const std::function<Status()>& record) {
  std::shared_ptr<Partners> next;
  const std::lock_guard order(publishing_);
  CHANCERY_ASSIGN(next, open_partners(configured, options, edition_ + 1));
  CHANCERY_TRY(record());
  ++edition_;
  configured_ = std::move(configured);
  attestation_verifiers_ = std::move(attestation_verifiers);
  for (TrustAnchor& own : own_config_.anchors) own.attestation_verifiers = attestation_verifiers_;
  rebuild();
  const std::lock_guard lock(mutex_);
  partners_.swap(next);
  return {};
}

std::shared_ptr<Partners> TrustPublisher::partners() const {
  const std::lock_guard lock(mutex_);
  return partners_;
}

TrustSnapshot TrustPublisher::current() const {
  const std::lock_guard lock(mutex_);
  return partners_ ? snapshot_.with_status_lists_of(partners_->held()) : snapshot_;
}

std::optional<TrustSnapshot> TrustPublisher::fetch_for(std::span<const std::string_view> chain,
                                                       const VerifyOptions& options) {
  const auto held = partners();
  if (!held || !held->fetch_for(chain, options)) return std::nullopt;
  return current();
}

TrustSnapshot TrustPublisher::own() const {
  const std::lock_guard lock(mutex_);
  return own_;
}

TrustSnapshot TrustPublisher::issued() const {
  const std::lock_guard lock(mutex_);
  return issued_;
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
  std::vector<PublicKey> keys = anchor.keys;
  TrustConfig own;
  own.ended_keys = std::move(ended_keys);
  const std::lock_guard order(publishing_);
  anchor.attestation_verifiers = attestation_verifiers_;
  if (!keys.empty()) own.anchors.push_back(std::move(anchor));
  own_config_ = std::move(own);
  rebuild();
  const std::lock_guard lock(mutex_);
  own_keys_[std::string(store::kIssuer)] = std::move(keys);
  ++generation_;
}

void TrustPublisher::take_anchors(TrustConfig configured, std::uint64_t edition) {
  const std::lock_guard order(publishing_);
  if (edition != edition_) return;
  configured_ = std::move(configured);
  rebuild();
}

void TrustPublisher::publish_gates(GateCeilings ceilings) {
  const std::lock_guard order(publishing_);
  {
    const std::lock_guard lock(mutex_);
    if (ceilings == ceilings_) return;  // whoever waits for a grant behind a gate asks again and again
    ceilings_ = std::move(ceilings);
  }
  rebuild();
  const std::lock_guard lock(mutex_);
  ++generation_;
}

GateCeilings TrustPublisher::gate_ceilings() const {
  const std::lock_guard lock(mutex_);
  return ceilings_;
}

TrustAnchor TrustPublisher::own_anchor(std::vector<PublicKey> keys,
                                       std::optional<std::vector<std::string>> scopes) const {
  TrustAnchor anchor;
  anchor.iss = issuer_url_;
  anchor.keys = std::move(keys);
  anchor.known_status_prefix = status_list_prefix(issuer_url_);
  anchor.attestation_verifiers = attestation_verifiers_;
  if (scopes) anchor.ceiling = Authority{*std::move(scopes), {}};
  return anchor;
}

// A key that signs by itself grants nothing that a gate is about, and one behind a gate nothing else.
TrustConfig TrustPublisher::own_with_gates(const GateCeilings& ceilings) const {
  TrustConfig own = own_config_;
  for (TrustAnchor& anchor : own.anchors) {
    if (ceilings.ungated) anchor.ceiling = Authority{*ceilings.ungated, {}};
  }
  for (const auto& [name, gated] : ceilings.gated) {
    if (!gated.keys.empty()) own.anchors.push_back(own_anchor(gated.keys, gated.scopes));
  }
  return own;
}

// The daemon's own anchors come first: no other that has its key speaks in its place.
void TrustPublisher::rebuild() {
  const GateCeilings ceilings = gate_ceilings();
  TrustConfig own = own_with_gates(ceilings);
  TrustConfig issued = own;
  if (!ceilings.former.empty()) issued.anchors.push_back(own_anchor(ceilings.former, ceilings.ungated));
  for (TrustConfig* const config : {&own, &issued}) {
    if (is_doubtful_)
      std::ranges::for_each(config->anchors, [](TrustAnchor& anchor) { anchor.known_status_prefix.clear(); });
  }
  TrustConfig all = configured_;
  all.ended_keys = own.ended_keys;
  all.anchors.insert(all.anchors.begin(), issued.anchors.begin(), issued.anchors.end());
  const TrustSnapshot own_snapshot(std::move(own));
  const TrustSnapshot issued_snapshot(std::move(issued));
  const TrustSnapshot snapshot(std::move(all));
  const std::lock_guard lock(mutex_);
  own_ = own_snapshot.with(snapshot_.ended_tokens());
  issued_ = issued_snapshot.with(snapshot_.ended_tokens());
  snapshot_ = snapshot.with(snapshot_.ended_tokens());
}

void TrustPublisher::doubt_statuses(bool doubtful) {
  const std::lock_guard order(publishing_);
  if (is_doubtful_ == doubtful) return;
  is_doubtful_ = doubtful;
  rebuild();
  const std::lock_guard lock(mutex_);
  ++generation_;
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
  issued_ = issued_.with(ended);
  snapshot_ = snapshot_.with(std::move(ended));
  ++generation_;
}

}  // namespace chancery::service
