#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/oauth.hpp"
#include "daemon/service/status_acts.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

constexpr const char* kReason = "given back";

Status give_back(Office& office, const CallContext& context, const std::string& token) {
  const store::StatusAct act{.kind = store::StatusAct::Kind::kRevoke,
                             .target = {store::StatusTarget::Kind::kSubtree, token},
                             .reason = kReason,
                             .at = context.now};
  CHANCERY_TRY(office.statuses.tokens.add(act, audit_entry("token.revoke", context, act_facts(act))));
  return {};
}

Result<bool> knows(const Office& office, const std::string& token) {
  const auto issued = office.store.token(token);
  if (!issued && issued.error().code != ErrorCode::kNotFound) return issued.error();
  return issued.has_value();
}

}  // namespace

Status revoke_token(Office& office, const CallContext& context, std::string_view text) {
  const auto tokens = split_chain(text);
  const auto token = tokens.empty() ? Result<Token>(Error{}) : Token::parse(tokens.back());
  if (!token) return {};
  const std::string id = hex_encode(token->digest());
  const api::StatusTarget target{"subtree", id};
  CHANCERY_ASSIGN(const bool is_known, knows(office, id));
  const VerifiedChain& own = *context.caller.chain;
  const bool is_own = own.leaf().digest() == token->digest();  // then what comes before it is known
  const auto shown = is_own ? Result<VerifiedChain>(own) : verify_shown(office, tokens, context.now);
  if (!is_known && !shown) return {};
  // Who holds a token needs no authority to be rid of it.
  const bool is_holders = token->claims().holder == own.leaf().claims().holder;
  if (!is_holders) CHANCERY_TRY(require_authority_on(office, context, scope::kRevocationsCreate, target));
  if (!is_known) CHANCERY_TRY(adopt_shown(office, *shown));
  if (is_holders) return give_back(office, context, id);
  CHANCERY_TRY(revoke(office, context, {target, kReason}));
  return {};
}

}  // namespace chancery::service
