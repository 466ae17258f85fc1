#include "daemon/service/authority.hpp"

#include <algorithm>
#include <array>

#include "sdk/verify/action.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

// A chain that says nothing of such a parameter would speak for everybody: that is never what was meant.
struct Bounded {
  std::string_view scope;
  std::string_view parameter;
  bool may_be_prefix;
};
constexpr auto kBounded = std::to_array<Bounded>({
    {scope::kGrantsMint, "sub", true},
    {scope::kGrantsMint, "agent", true},
    {scope::kAuthorize, "audience", false},
    {scope::kPermitsCreate, "agent", false},
});

bool bounds(const Constraint& constraint, const Bounded& wanted) {
  const auto qualified = qualified_key(constraint.key);
  const std::string_view name = qualified ? qualified->name : std::string_view(constraint.key);
  if (name != wanted.parameter || !key_reaches(constraint.key, wanted.scope)) return false;
  const auto* membership = std::get_if<Membership>(&constraint.rule);
  if (membership != nullptr) return !membership->negated;
  return wanted.may_be_prefix && std::holds_alternative<Prefix>(constraint.rule);
}

bool lacks_bounds(const Authority& authority, std::string_view scope) {
  return std::ranges::any_of(kBounded, [&](const Bounded& wanted) {
    return wanted.scope == scope &&
           std::ranges::none_of(authority.constraints,
                                [&](const Constraint& constraint) { return bounds(constraint, wanted); });
  });
}

Status judge(const ConsoleVisitor& visitor, std::string_view scope) {
  const bool acts = visitor.is_confirmed && visitor.role == ConsoleRole::kOperator;
  if (acts || may_read(visitor, scope)) return {};
  return Error{
      ErrorCode::kForbidden,
      "this session of the console may not: an approver sees what waits for a decision, and what changes "
      "something takes the operator and a passkey"};
}

Error forbidden(const char* what, std::size_t hop) {
  return {ErrorCode::kForbidden, what, 0, static_cast<std::int16_t>(hop)};
}

Status judge(const Policy& policy, const VerifiedChain& chain, const ActionRequest& action,
             std::chrono::sys_seconds now) {
  CHANCERY_TRY(require_scope(policy, chain, action.scope));
  if (lacks_bounds(chain.leaf().claims().authority, action.scope)) {
    return Error{ErrorCode::kForbidden,
                 "the chain grants this without bounds: its last token must constrain the parameters that "
                 "docs/protocol/control-plane.md names"};
  }
  const auto denial = check_action(action, chain.tokens(), now, policy.verify.zones);
  if (!denial) return {};
  return forbidden(
      "the chain grants this within bounds that this request is outside of: ask for less, or for a wider chain",
      static_cast<std::size_t>(denial->hop));
}

}  // namespace

bool only_reads(std::string_view scope) noexcept {
  return scope.ends_with(".read") || scope == scope::kRevocationsImpact;
}

bool may_read(const ConsoleVisitor& visitor, std::string_view scope) noexcept {
  constexpr std::array kOfApprovers{scope::kApprovalsRead, scope::kApproversRead, scope::kGatesRead};
  if (visitor.role == ConsoleRole::kOperator) return only_reads(scope);
  return std::ranges::find(kOfApprovers, scope) != kOfApprovers.end();
}

Status require_audience(const Policy& policy, const VerifiedChain& chain) {
  const auto tokens = chain.tokens();
  for (std::size_t hop = 0; hop < tokens.size(); ++hop) {
    const auto& audience = tokens[hop]->claims().aud;
    if (std::ranges::find(audience, policy.issuer_url) != audience.end()) continue;
    return forbidden(
        "the chain is not meant for this daemon: each of its tokens must name the issuer's URL as audience",
        hop);
  }
  return {};
}

Status require_scope(const Policy& policy, const VerifiedChain& chain, std::string_view scope) {
  CHANCERY_TRY(require_audience(policy, chain));
  const auto& scopes = chain.leaf().claims().authority.scopes;
  const bool is_granted =
      std::ranges::any_of(scopes, [&](const std::string& granted) { return scope_covers(granted, scope); });
  if (is_granted) return {};
  return forbidden(
      "the chain does not grant this: docs/protocol/control-plane.md names the scope of each path",
      chain.tokens().size() - 1);
}

Status require_authority(const Office& office, const CallContext& context, std::string_view scope,
                         std::initializer_list<Parameter> parameters) {
  const Caller& caller = context.caller;
  const auto policy = office.policy.current();
  if (caller.process) return require_operator(*caller.process, policy->operators);
  if (caller.visitor) return judge(*caller.visitor, scope);
  if (!caller.chain) {
    return Error{ErrorCode::kUnauthenticated, "this takes authority: present a chain and a DPoP proof"};
  }
  ActionRequest action;
  action.audience = policy->issuer_url;
  action.scope = scope;
  for (const auto& [name, value] : parameters) action.parameters.emplace(name, ParameterValue::of(value));
  return judge(*policy, *caller.chain, action, context.now);
}

Status require_agent(const Office& office, const CallContext& context, std::string_view scope,
                     const store::Agent& agent) {
  if (!context.caller.process) return require_authority(office, context, scope, {{"agent", agent.name}});
  CHANCERY_ASSIGN(const api::Selectors selectors, wire::read_selectors(agent.selectors));
  return require_match(*context.caller.process, selectors);
}

}  // namespace chancery::service
