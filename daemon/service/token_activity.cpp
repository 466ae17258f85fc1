#include "daemon/service/token_activity.hpp"

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kMostDenied = 1000;  // different chains between two calls of take_denied()

// Token::digest() without the parsing; of a token that was found to be well-formed.
Sha256Digest digest_of(std::string_view compact) {
  return sha256(as_bytes(compact.substr(0, compact.rfind('.'))));
}

}  // namespace

void TokenActivity::note(const Verdict& verdict, std::span<const std::string_view> chain,
                         const TrustSnapshot& trust, std::chrono::sys_seconds now) {
  if (!verdict.valid()) return note_denied(verdict.denial(), chain, trust, now);
  for (const auto& token : verdict.chain().tokens()) recent_uses_.note(token->digest(), now);
}

void TokenActivity::note_denied(const Denial& denial, std::span<const std::string_view> chain,
                                const TrustSnapshot& trust, std::chrono::sys_seconds now) {
  if (denial.outcome != Outcome::kRevoked) return;
  const Sha256Digest token = digest_of(chain[static_cast<std::size_t>(denial.hop)]);
  if (trust.ended_tokens().find(token) != TokenEnd::kSuspended) return;
  Sha256Digest leaf = digest_of(chain.back());
  const std::lock_guard lock(denied_mutex_);
  // Whoever holds a suspended token can make chains below it without end.
  if (denied_.size() >= kMostDenied && !denied_.contains({token, leaf})) leaf = {};
  store::DeniedUse& use = denied_[{token, leaf}];
  if (use.count == 0) {
    use = {hex_encode(token), leaf == Sha256Digest{} ? std::string(store::kOtherLeaves) : hex_encode(leaf), 0,
           now, now};
  }
  ++use.count;
  use.last_at = now;
}

std::vector<store::DeniedUse> TokenActivity::take_denied() {
  std::vector<store::DeniedUse> out;
  const std::lock_guard lock(denied_mutex_);
  for (auto& [tokens, use] : denied_) out.push_back(std::move(use));
  denied_.clear();
  return out;
}

}  // namespace chancery::service
