#include "daemon/service/token_activity.hpp"

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kMostInShard = 8192;
constexpr std::size_t kMostDenied = 16'384;  // different chains between two calls of take_denied()

// Token::digest() without the parsing; of a token that was found to be well-formed.
Sha256Digest digest_of(std::string_view compact) {
  return sha256(as_bytes(compact.substr(0, compact.rfind('.'))));
}

}  // namespace

void TokenActivity::note(const Verdict& verdict, std::span<const std::string_view> chain,
                         const TrustSnapshot& trust, std::chrono::sys_seconds now) {
  if (!verdict.valid()) return note_denied(verdict.denial(), chain, trust, now);
  for (const auto& token : verdict.chain().tokens()) {
    Shard& shard = shards_[shard_of(token->digest())];
    const std::lock_guard lock(shard.mutex);
    if (shard.last_uses.size() >= kMostInShard) shard.last_uses.erase(shard.last_uses.begin());
    shard.last_uses.insert_or_assign(token->digest(), now);
  }
}

void TokenActivity::note_denied(const Denial& denial, std::span<const std::string_view> chain,
                                const TrustSnapshot& trust, std::chrono::sys_seconds now) {
  if (denial.outcome != Outcome::kRevoked) return;
  const Sha256Digest token = digest_of(chain[static_cast<std::size_t>(denial.hop)]);
  if (trust.ended_tokens().find(token) != TokenEnd::kSuspended) return;
  const Sha256Digest leaf = digest_of(chain.back());
  const std::lock_guard lock(denied_mutex_);
  auto found = denied_.find({token, leaf});
  if (found == denied_.end()) {
    if (denied_.size() >= kMostDenied) return;
    found = denied_
                .emplace(std::pair(token, leaf),
                         store::DeniedUse{hex_encode(token), hex_encode(leaf), 0, now, now})
                .first;
  }
  ++found->second.count;
  found->second.last_at = now;
}

std::optional<std::chrono::sys_seconds> TokenActivity::last_used(const Sha256Digest& token) const {
  const Shard& shard = shards_[shard_of(token)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.last_uses.find(token);
  if (found == shard.last_uses.end()) return std::nullopt;
  return found->second;
}

std::vector<store::DeniedUse> TokenActivity::take_denied() {
  std::vector<store::DeniedUse> out;
  const std::lock_guard lock(denied_mutex_);
  for (auto& [tokens, use] : denied_) out.push_back(std::move(use));
  denied_.clear();
  return out;
}

}  // namespace chancery::service
