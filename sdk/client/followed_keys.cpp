#include "sdk/client/followed_keys.hpp"

#include <algorithm>

namespace chancery::client {

bool FollowedKeys::is_held(const PublicKey& key) const {
  return std::ranges::find(held_, key, &Held::key) != held_.end();
}

bool FollowedKeys::is_known(const PublicKey& key) const {
  if (!held_.empty()) return is_held(key);
  return pins_.empty() || std::ranges::find(pins_, key.thumbprint()) != pins_.end();
}

Status FollowedKeys::take(const std::vector<PublicKey>& published, std::chrono::sys_seconds now) {
  if (published.empty())
    return Error{ErrorCode::kBadResponse, "the server publishes no key that could be used"};
  expire(now);
  if (std::ranges::none_of(published, [&](const PublicKey& key) { return is_known(key); })) {
    return Error{
        ErrorCode::kConflict,
        "none of the published keys is known: ask the other side; if it is right, follow it anew with new pins"};
  }
  for (Held& held : held_) {
    const bool is_published = std::ranges::find(published, held.key) != published.end();
    if (is_published) held.until.reset();
    if (!is_published && !held.until) held.until = now + overlap_;
  }
  const auto added = std::ranges::count_if(published, [&](const PublicKey& key) { return !is_held(key); });
  if (held_.size() + static_cast<std::size_t>(added) > kMaxFollowedKeys) {
    return Error{ErrorCode::kTooLarge,
                 "the server publishes, or did a while ago, more than 16 keys: ask the other side"};
  }
  for (const PublicKey& key : published) {
    if (!is_held(key)) held_.push_back({key, std::nullopt});
  }
  return {};
}

void FollowedKeys::expire(std::chrono::sys_seconds now) {
  std::erase_if(held_, [&](const Held& held) { return held.until && *held.until < now; });
}

std::vector<PublicKey> FollowedKeys::keys() const {
  std::vector<PublicKey> out;
  for (const Held& held : held_) out.push_back(held.key);
  return out;
}

}  // namespace chancery::client
