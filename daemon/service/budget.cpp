#include "daemon/service/amounts.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/office.hpp"

// Reservations and what becomes of them; the state of spending.

namespace chancery::service {
namespace {

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
  const auto& chain = context.caller.chain;
  if (!chain) return require_authority(office, context, scope::kAuthorize);
  CHANCERY_TRY(require_scope(office.policy, *chain, scope::kAuthorize));
  CHANCERY_ASSIGN(const store::Reservation reserved, office.spending.ledger().reservation(decision));
  return require_authority(office, context, scope::kAuthorize, {{"audience", reserved.audience}});
}

store::AuditEntry ending(const char* action, const CallContext& context, std::string_view decision) {
  return audit_entry(action, context, json::Node::object({{"decision_id", decision}}));
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
  CHANCERY_TRY(office.spending.ledger().settle(decision, identity_of(context.caller), amounts,
                                               ending("settle", context, decision)));
  return api::EndedReservation{std::string(decision), "settled"};
}

Result<api::EndedReservation> release(Office& office, const CallContext& context, std::string_view decision) {
  CHANCERY_TRY(require_enforcement_point(office, context, decision));
  CHANCERY_TRY(office.spending.ledger().release(decision, identity_of(context.caller),
                                                ending("release", context, decision)));
  return api::EndedReservation{std::string(decision), "released"};
}

Result<api::Budget> show_budget(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kProcessRead));
  return present_budget(office);
}

Result<api::Budget> accept_budget(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kBudgetsAccept));
  CHANCERY_TRY(office.spending.accept(
      audit_entry("budget.accept", context,
                  json::Node::object({{"state", spending_state_name(office.spending.state())}}))));
  return present_budget(office);
}

}  // namespace chancery::service
