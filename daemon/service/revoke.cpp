// Revocation, suspension and its lifting.

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/status_acts.hpp"

namespace chancery::service {
namespace {

using ActKind = store::StatusAct::Kind;
using TargetKind = store::StatusTarget::Kind;

Result<store::StatusAct> act_of(Office& office, const CallContext& context, ActKind kind,
                                const api::ChangeStatus& message) {
  const std::string_view needed =
      kind == ActKind::kRevoke ? scope::kRevocationsCreate : scope::kRevocationsSuspend;
  CHANCERY_ASSIGN(const api::StatusTarget named, admit_target(office, context, needed, message.target));
  CHANCERY_TRY(check_reason(message.reason));
  CHANCERY_ASSIGN(store::StatusTarget target, resolve(office, named));
  CHANCERY_TRY(require_no_ancestor(office, context, target));
  return store::StatusAct{.kind = kind,
                          .target = std::move(target),
                          .reason = office.redactor->text(message.reason),
                          .at = context.now};
}

// A key of this daemon ends with its tokens, in the same transaction.
Result<api::StatusAct> revoke_with_key(Office& office, const CallContext& context,
                                       const api::ChangeStatus& message) {
  CHANCERY_ASSIGN(const api::Revocation revoked,
                  revoke_key(office, context, message.target.value, {message.reason}));
  return api::StatusAct{.kind = std::string(store::act_kind_name(ActKind::kRevoke)),
                        .target = message.target,
                        .reason = message.reason,
                        .at = context.now.time_since_epoch().count(),
                        .tokens = revoked.ended.held + revoked.ended.descendants};
}

Result<bool> is_own_key(const Office& office, const store::StatusTarget& target) {
  if (target.kind != TargetKind::kKey) return false;
  CHANCERY_ASSIGN(const Thumbprint thumbprint, read_thumbprint(target.value));
  const auto key = office.store.key(thumbprint);
  if (!key && key.error().code != ErrorCode::kNotFound) return key.error();
  return key.has_value();
}

}  // namespace

Result<api::StatusAct> revoke(Office& office, const CallContext& context, const api::ChangeStatus& message) {
  CHANCERY_ASSIGN(const store::StatusAct act, act_of(office, context, ActKind::kRevoke, message));
  CHANCERY_ASSIGN(const bool ends_key, is_own_key(office, act.target));
  if (ends_key) return revoke_with_key(office, context, message);
  CHANCERY_ASSIGN(const store::StatusAct done,
                  office.statuses.tokens.add(act, audit_entry("token.revoke", context, act_facts(act))));
  // One of somebody else's: chains through it are denied from now on, known or not.
  if (act.target.kind == TargetKind::kKey) CHANCERY_TRY(office.issuer.publish(context.now));
  return describe_act(office, done);
}

Result<api::StatusAct> suspend(Office& office, const CallContext& context, const api::ChangeStatus& message) {
  CHANCERY_ASSIGN(const store::StatusAct act, act_of(office, context, ActKind::kSuspend, message));
  CHANCERY_ASSIGN(const store::StatusAct done,
                  office.statuses.tokens.add(act, audit_entry("token.suspend", context, act_facts(act))));
  return describe_act(office, done);
}

Result<api::StatusAct> lift(Office& office, const CallContext& context, std::string_view id) {
  CHANCERY_ASSIGN(const store::StatusAct act, require_act(office, context, scope::kRevocationsLift, id));
  CHANCERY_ASSIGN(const store::StatusAct done,
                  office.statuses.tokens.lift(act.id, audit_entry("token.lift", context, act_facts(act))));
  return describe_act(office, done);
}

}  // namespace chancery::service
