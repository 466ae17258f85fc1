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

}  // namespace

TrustSnapshot::TrustSnapshot() : TrustSnapshot(TrustConfig{}) {}

TrustSnapshot::TrustSnapshot(TrustConfig config) : ended_tokens_(std::move(config.ended_tokens)) {
  auto impl = std::make_shared<Impl>();
  impl->issuers = parse_keys(config.issuers);
  impl->status_keys = parse_keys(config.status_keys);
  std::vector<VerifyKey> all_status_keys = impl->status_keys;
  for (TrustAnchor& anchor : config.anchors) {
    for (VerifyKey& key : parse_keys(anchor.status_keys)) all_status_keys.push_back(std::move(key));
    std::vector<VerifyKey> keys = parse_keys(anchor.keys);
    impl->anchors.push_back({std::move(anchor), std::move(keys)});
  }
  for (const FetchedStatusList& fetched : config.status_lists) {
    auto opened = open_status_list(fetched.token, all_status_keys);
    if (!opened) continue;
    impl->status_lists.insert_or_assign(
        fetched.uri, HeldStatusList{std::move(opened->list), opened->key.thumbprint(),
                                    opened->key.public_key().algorithm(), fetched.fetched_at});
  }
  impl->ended_keys = std::move(config.ended_keys);
  std::ranges::sort(impl->ended_keys);
  impl_ = std::move(impl);
}

TrustSnapshot TrustSnapshot::with(EndedTokens ended) const {
  TrustSnapshot out = *this;
  out.ended_tokens_ = std::move(ended);
  return out;
}

}  // namespace chancery
