#include "daemon/service/recent_uses.hpp"

#include <utility>

namespace chancery::service {

void RecentUses::note(const Sha256Digest& token, std::chrono::sys_seconds now) {
  Shard& shard = shards_[shard_of(token)];
  const std::lock_guard lock(shard.mutex);
  const bool is_new = shard.recent.insert_or_assign(token, now).second;
  if (is_new && shard.recent.size() > most_in_shard_) shard.former = std::exchange(shard.recent, {});
}

std::optional<std::chrono::sys_seconds> RecentUses::find(const Sha256Digest& token) const {
  const Shard& shard = shards_[shard_of(token)];
  const std::lock_guard lock(shard.mutex);
  for (const Uses* const uses : {&shard.recent, &shard.former}) {
    const auto found = uses->find(token);
    if (found != uses->end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace chancery::service
