#include "sdk/verify/trust_snapshot.hpp"

#include <algorithm>

namespace chancery {
namespace {

std::vector<VerifyKey> parse_keys(const std::vector<PublicKey>& keys) {
  std::vector<VerifyKey> out;
  for (const PublicKey& key : keys) {
    if (auto parsed = VerifyKey::from(key)) out.push_back(*std::move(parsed));
  }
  return out;
}

std::shared_ptr<const HeldStatusLists> open_all(const std::vector<FetchedStatusList>& lists,
                                                const std::vector<VerifyKey>& keys) {
  auto out = std::make_shared<HeldStatusLists>();
  for (const FetchedStatusList& fetched : lists) {
    auto opened = open_status_list(fetched.token, keys);
    if (!opened) continue;
    out->by_uri_and_key.insert_or_assign(
        {fetched.uri, opened->key.thumbprint()},
        HeldStatusList{std::move(opened->list), opened->key.public_key().algorithm(), fetched.fetched_at});
  }
  return out;
}

}  // namespace

bool ReadyAnchor::allows_status_list(std::string_view uri) const {
  const auto& prefixes = config.status_prefixes;
  return prefixes.empty() ||
         std::ranges::any_of(prefixes, [&](const std::string& prefix) { return uri.starts_with(prefix); });
}

TrustSnapshot::TrustSnapshot() : TrustSnapshot(TrustConfig{}) {}

TrustSnapshot::TrustSnapshot(TrustConfig config) : ended_tokens_(std::move(config.ended_tokens)) {
  auto impl = std::make_shared<Impl>();
  impl->issuers = parse_keys(config.issuers);
  impl->status_keys = parse_keys(config.status_keys);
  std::vector<VerifyKey> all_status_keys = impl->status_keys;
  for (TrustAnchor& anchor : config.anchors) {
    const std::vector<VerifyKey> own = parse_keys(anchor.status_keys);
    all_status_keys.insert(all_status_keys.end(), own.begin(), own.end());
    // Own keys that are all unusable stay own keys: the others do not stand in for them.
    std::vector<VerifyKey> status_keys = anchor.status_keys.empty() ? impl->status_keys : own;
    std::vector<VerifyKey> keys = parse_keys(anchor.keys);
    std::vector<VerifyKey> verifiers = parse_keys(anchor.attestation_verifiers);
    impl->anchors.push_back(
        {std::move(anchor), std::move(keys), std::move(status_keys), std::move(verifiers)});
  }
  status_lists_ = open_all(config.status_lists, all_status_keys);
  impl->ended_keys = std::move(config.ended_keys);
  std::ranges::sort(impl->ended_keys);
  impl_ = std::move(impl);
}

TrustSnapshot TrustSnapshot::with(EndedTokens ended) const {
  TrustSnapshot out = *this;
  out.ended_tokens_ = std::move(ended);
  return out;
}

TrustSnapshot TrustSnapshot::with_status_lists_of(const TrustSnapshot& other) const {
  TrustSnapshot out = *this;
  out.status_lists_ = other.status_lists_;
  return out;
}

}  // namespace chancery
