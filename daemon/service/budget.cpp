#include "daemon/service/amounts.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/office.hpp"
#include "sdk/wire/messages.hpp"

// Reservations and what becomes of them; the state of spending.

namespace chancery::service {
namespace {

constexpr const char* kOlderCopyAccepted = "older_copy_accepted";

Result<store::SettledAmounts> amounts_of(const api::Settlement& message) {
  store::SettledAmounts amounts;
  for (const auto& [parameter, number] : message.amounts) {
    const auto amount = exact_millionths(number);
    if (!amount) {
      return Error{ErrorCode::kInvalidArgument,
                   "`amounts` must be numbers that are not negative, with at most six decimals"};
    }
    amounts.emplace(parameter, *amount);
  }
  return amounts;
}

// A chain is judged as it was when it reserved, for the same audience. Whose reservation it is, the ledger knows.
Status require_enforcement_point(const Office& office, const CallContext& context,
                                 std::string_view decision) {
  CHANCERY_TRY(office.spending.require_newest());
  const auto& chain = context.caller.chain;
  if (!chain) return require_authority(office, context, scope::kAuthorize);
  CHANCERY_TRY(require_scope(*office.policy.current(), *chain, scope::kAuthorize));
  CHANCERY_ASSIGN(const store::Reservation reserved, office.spending.ledger().reservation(decision));
  return require_authority(office, context, scope::kAuthorize, {{"audience", reserved.audience}});
}

AuditFacts decision_facts(std::string_view decision) {
  return {.ids = {{"decision", std::string(decision)}}};
}

// Amounts are parameters of the action: of them there is a salted hash, as of those of its decision.
AuditFacts settlement_facts(const Office& office, std::string_view decision, const api::Settlement& message) {
  AuditFacts facts = decision_facts(decision);
  facts.details.set("amounts", office.audit.hash_parameters(decision, wire::write(message)));
  return facts;
}

Result<std::optional<FormerTokens>> former_tokens(const api::AcceptBudget& message) {
  if (!message.tokens) return std::optional<FormerTokens>();
  if (*message.tokens == "end") return std::optional(FormerTokens::kEnd);
  if (*message.tokens == "keep") return std::optional(FormerTokens::kKeep);
  return Error{ErrorCode::kInvalidArgument, "`tokens` is \"end\" or \"keep\""};
}

// Of what was issued after the copy was made, it knows nothing that could be revoked: such chains end with the key under
// which they begin. First, so that a daemon that is killed in between has accepted nothing.
Status end_issuer_keys(Office& office, const CallContext& context) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys_in_use(store::kIssuer));
  for (const store::Key& key : keys) {
    CHANCERY_TRY(office.store.change_key(key.stored.public_key.thumbprint(), store::KeyState::kRevoked,
                                         kOlderCopyAccepted,
                                         audit_entry("key.revoke", context, key_facts(key))));
  }
  return office.issuer.publish(context.now);
}

Result<api::Budget> present_budget(const Office& office) {
  const Spending& spending = office.spending;
  CHANCERY_ASSIGN(const store::LedgerCounts counts, spending.ledger().counts());
  const auto reason = spending.reason();
  return api::Budget{std::string(spending_state_name(spending.state())), reason ? reason->what : "",
                     spending.with_counter() ? "counter" : "none", static_cast<std::int64_t>(counts.totals),
                     static_cast<std::int64_t>(counts.reservations)};
}

}  // namespace

Result<api::EndedReservation> settle(Office& office, const CallContext& context, std::string_view decision,
                                     const api::Settlement& message) {
  CHANCERY_TRY(require_enforcement_point(office, context, decision));
  CHANCERY_ASSIGN(const store::SettledAmounts amounts, amounts_of(message));
  CHANCERY_TRY(office.spending.ledger().settle(
      decision, identity_of(context.caller), amounts,
      audit_entry("reservation.settle", context, settlement_facts(office, decision, message))));
  return api::EndedReservation{std::string(decision), "settled"};
}

Result<api::EndedReservation> release(Office& office, const CallContext& context, std::string_view decision) {
  CHANCERY_TRY(require_enforcement_point(office, context, decision));
  CHANCERY_TRY(office.spending.ledger().release(
      decision, identity_of(context.caller),
      audit_entry("reservation.release", context, decision_facts(decision))));
  return api::EndedReservation{std::string(decision), "released"};
}

Result<api::Budget> show_budget(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kProcessRead));
  return present_budget(office);
}

Result<api::Budget> accept_budget(Office& office, const CallContext& context,
                                  const api::AcceptBudget& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kBudgetsAccept));
  CHANCERY_ASSIGN(const std::optional<FormerTokens> tokens, former_tokens(message));
  if (tokens == FormerTokens::kEnd) {
    CHANCERY_TRY(office.spending.may_accept(context, tokens));
    CHANCERY_TRY(end_issuer_keys(office, context));
  }
  CHANCERY_TRY(office.spending.accept(context, tokens));
  CHANCERY_TRY(office.statuses.tokens.publish(context.now));
  return present_budget(office);
}

}  // namespace chancery::service
