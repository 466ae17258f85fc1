#include "daemon/service/authority.hpp"
#include "daemon/service/oauth.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

// The tokens from the root to this one, as far as this daemon has recorded them: whether they hold is for
// verification.
Result<std::vector<std::string>> recorded_chain(const Office& office, std::string_view compact) {
  std::vector<std::string> chain{std::string(compact)};
  while (chain.size() < office.policy->verify.max_tokens) {
    const auto token = Token::parse(chain.front());
    if (!token || !token->claims().par_hash) break;
    const auto digest = base64url_decode_exactly<32>(*token->claims().par_hash);
    if (!digest) break;
    auto parent = office.store.token(hex_encode(*digest));
    if (!parent && parent.error().code == ErrorCode::kNotFound) break;
    if (!parent) return parent.error();
    chain.insert(chain.begin(), std::move(parent->compact));
  }
  return chain;
}

}  // namespace

Result<std::optional<VerifiedChain>> introspect(Office& office, const CallContext& context,
                                                std::string_view text) {
  CHANCERY_TRY(require_authority(office, context, scope::kIntrospect));
  std::vector<std::string_view> tokens = split_chain(text);
  std::vector<std::string> recorded;
  if (tokens.size() == 1) {
    CHANCERY_ASSIGN(recorded, recorded_chain(office, tokens.front()));
    tokens.assign(recorded.begin(), recorded.end());
  }
  const Verdict verdict = judge_use(office, tokens, context.now, office.policy->verify);
  return verdict.valid() ? std::optional(verdict.chain()) : std::nullopt;
}

}  // namespace chancery::service
