#include "daemon/service/agent_keys.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "sdk/base/name.hpp"

namespace chancery::service {
namespace {

constexpr std::chrono::hours kLongestLifetime{90 * 24};

// The operator, whom it delegates to, and two more; one token beyond for the last one's session.
constexpr std::int64_t kMaxDepth = 5;

// Everything. Who receives a part of it for minting grants must say for whom: the bounds that are wide here
// cannot be left out further down, only narrowed.
Authority all_of_it() {
  const std::string mint(scope::kGrantsMint);
  return {{std::string(kControlPlane) + "*"}, {{mint + "#agent", Prefix{}}, {mint + "#sub", Prefix{}}}};
}

}  // namespace

Result<api::Grant> create_operator(Office& office, const CallContext& context,
                                   const api::CreateOperator& message) {
  note_attempt(context, {.principal = "operator:" + message.name, .ids = {{"key", message.jkt}}});
  const auto policy = office.policy.current();
  CHANCERY_TRY(require_operator(*context.caller.process, policy->operators));
  if (!is_name(message.name)) {
    return Error{ErrorCode::kInvalidArgument, "`name` must be like an agent's: [a-z0-9][a-z0-9._-]{0,62}"};
  }
  if (message.lifetime > kLongestLifetime) {
    return Error{ErrorCode::kInvalidArgument, "`lifetime_s` must be at most 7776000 seconds, 90 days"};
  }
  Claims claims;
  CHANCERY_ASSIGN(claims.holder, read_thumbprint(message.jkt));
  claims.iss = policy->issuer_url;
  claims.sub = "operator:" + message.name;
  claims.client_id = "spiffe://" + policy->trust_domain + "/operator/" + message.name;
  claims.aud = {policy->issuer_url};
  claims.iat = static_cast<double>(context.now.time_since_epoch().count());
  claims.exp = claims.iat + static_cast<double>(message.lifetime.count());
  claims.del_max_depth = kMaxDepth;
  claims.authority = all_of_it();
  CHANCERY_ASSIGN(std::string root,
                  issue_root(office, context, std::move(claims), nullptr, {"operator.create"}));
  return api::Grant{{std::move(root)}, {}};
}

}  // namespace chancery::service
