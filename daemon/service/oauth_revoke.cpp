#include "daemon/service/audit_entry.hpp"
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
  CHANCERY_TRY(office.statuses.tokens.add(act, audit_entry("token.revoke", context, act_details(act))));
  return {};
}

}  // namespace

Status revoke_token(Office& office, const CallContext& context, std::string_view text) {
  const auto tokens = split_chain(text);
  const auto token = tokens.empty() ? Result<Token>(Error{}) : Token::parse(tokens.back());
  if (!token) return {};
  const std::string id = hex_encode(token->digest());
  const auto issued = office.store.token(id);
  if (!issued) return issued.error().code == ErrorCode::kNotFound ? Status{} : Status{issued.error()};
  // Who holds a token needs no authority to be rid of it.
  if (issued->holder == context.caller.chain->leaf().claims().holder) return give_back(office, context, id);
  CHANCERY_TRY(revoke(office, context, {{"subtree", id}, kReason}));
  return {};
}

}  // namespace chancery::service
