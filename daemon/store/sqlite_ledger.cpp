#include "daemon/store/sqlite_ledger.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "daemon/store/horizon.hpp"
#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_gate_book.hpp"
#include "daemon/store/sqlite_permit_book.hpp"
#include "daemon/store/sqlite_proof_book.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::store {
namespace {

using Outcome = Recording::Outcome;

constexpr std::string_view kBook = "totals";

// Long enough for whoever retries, and beyond the life of the proof in the request.
constexpr std::chrono::hours kAnswerLife{24};
// How long it can be told how a reservation has ended.
constexpr std::chrono::hours kReservationMemory{24};

// Check and debit in one. Parameters: token, kind, key, window, amount, expiry, bound. The caller has made sure
// that the amount is within the bound by itself, so that nothing overflows.
constexpr const char* kDebit =
    "INSERT INTO totals (token, kind, key, window, spent, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
    "ON CONFLICT DO UPDATE SET spent = spent + ?5, expires_at = max(expires_at, ?6) WHERE spent <= ?7 - ?5";
constexpr const char* kGiveBack =
    "UPDATE totals SET spent = spent - ? WHERE token = ? AND kind = ? AND key = ? AND window = ?";
constexpr const char* kTotal =
    "SELECT spent FROM totals WHERE token = ? AND kind = ? AND key = ? AND window = ?";

constexpr const char* kKeepAnswer =
    "INSERT INTO answers (caller, key, request, answer, expires_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING";
constexpr const char* kAnswer = "SELECT request, answer FROM answers WHERE caller = ? AND key = ?";

constexpr const char* kReserve =
    "INSERT INTO reservations (id, caller, audience, state, expires_at) VALUES (?, ?, ?, 'reserved', ?)";
constexpr const char* kReserveAmount =
    "INSERT INTO reserved_amounts (reservation, token, kind, key, window, parameter, amount) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kEnd =
    "UPDATE reservations SET state = ?1 WHERE id = ?2 AND caller = ?3 AND state = 'reserved' AND "
    "expires_at > ?4 RETURNING seq";
constexpr const char* kReservation = "SELECT caller, audience, state FROM reservations WHERE id = ?";
constexpr std::string_view kReleased = "released";
constexpr const char* kReservedAmounts =
    "SELECT token, kind, key, window, parameter, amount FROM reserved_amounts WHERE reservation = ?";

constexpr const char* kSettleExpired =
    "UPDATE reservations SET state = 'settled' WHERE state = 'reserved' AND expires_at <= ?";
constexpr const char* kForgetReservations =
    "DELETE FROM reservations WHERE state <> 'reserved' AND expires_at < ?";
constexpr const char* kForgetAnswers = "DELETE FROM answers WHERE expires_at < ?";
constexpr const char* kForgetTotals = "DELETE FROM totals WHERE expires_at < ?";
// Parameters: now, the latest end of a reservation, of an answer, of a total.
constexpr const char* kAnythingToPrune =
    "SELECT EXISTS (SELECT 1 FROM reservations WHERE state = 'reserved' AND expires_at <= ?1) OR "
    "EXISTS (SELECT 1 FROM reservations WHERE state <> 'reserved' AND expires_at < ?2) OR "
    "EXISTS (SELECT 1 FROM answers WHERE expires_at < ?1) OR "
    "EXISTS (SELECT 1 FROM totals WHERE expires_at < ?3)";

constexpr const char* kCountTotals = "SELECT count(*) FROM totals";
constexpr const char* kCountReservations = "SELECT count(*) FROM reservations WHERE state = 'reserved'";

// By what is open, which is little at any time, and not by the tokens, which may be many.
// From the open ones, which an index has alone: in the other order SQLite goes through all that is kept.
constexpr const char* kOpenAmounts =
    "SELECT DISTINCT reservation, token FROM reservations CROSS JOIN reserved_amounts ON reservation = seq "
    "WHERE state = 'reserved' AND expires_at > ?";

// Undoes the effect; what was recorded instead stands beside it.
constexpr Error kUndo{ErrorCode::kConflict, "the decision was not recorded"};
bool is_undone(const Error& error) { return error.what == kUndo.what; }

constexpr Error kNoReservation{ErrorCode::kNotFound, "no reservation is open under this decision id"};

/// What is reserved of one total.
struct ReservedAmount {
  std::string token;
  std::int64_t kind = 0;
  std::string key;
  std::int64_t window = 0;
  std::string parameter;
  Millionths amount = 0;
};

Result<ReservedAmount> read_reserved(const Query& row) {
  return ReservedAmount{row.text(0), row.number(1), row.text(2), row.number(3), row.text(4), row.number(5)};
}

Status check_decision(const Decision& decision) {
  const auto is_sound = [](const Debit& debit) {
    return debit.amount >= 0 && debit.total.kind >= TotalKind::kLifetime &&
           debit.total.kind <= TotalKind::kRate;
  };
  const bool is_named = !decision.caller.empty() && (!decision.id.empty() || !decision.reserved_until);
  if (is_named && std::ranges::all_of(decision.debits, is_sound)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "a decision has a caller, a reservation an id, and no debit is negative"};
}

Millionths saturated_sum(Millionths a, Millionths b) {
  constexpr Millionths kMost = std::numeric_limits<Millionths>::max();
  return a > kMost - b ? kMost : a + b;
}

class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<Recording> record(const Decision& decision, const AuditEntry& audit) override {
    CHANCERY_TRY(check_decision(decision));
    Recording recording;
    const bool releases = decision.permit != nullptr && decision.permit->release;
    const auto recorded =
        journal_->mutate(releases ? decision.permit->release->audit : audit, [&]() -> Status {
          recording = Recording{};
          if (decision.attempt != nullptr) CHANCERY_TRY(journal_->append_before(*decision.attempt));
          CHANCERY_TRY(keep_answer(decision, recording));
          CHANCERY_TRY(use_proof(decision.proof, recording));
          if (decision.approved != nullptr) CHANCERY_TRY(use_up(decision, recording));
          if (decision.repeated != nullptr) return require_waiting(decision, recording);
          if (decision.parked != nullptr) return park(decision, recording);
          CHANCERY_TRY(debit_all(decision, recording));
          CHANCERY_TRY(reserve(decision));
          if (decision.permit != nullptr) CHANCERY_TRY(give_permit(database(), *decision.permit));
          CHANCERY_TRY(let_through(*journal_, decision.let_through, decision.at));
          return releases ? journal_->append_before(audit) : Status{};
        });
    // Another error is the store's: then what was found in the transaction, such as another's answer, is not kept.
    if (!recorded && !is_undone(recorded.error())) return recorded.error();
    return recording;
  }

  Status settle(std::string_view id, std::string_view caller, const SettledAmounts& amounts,
                const AuditEntry& audit) override {
    return end(id, caller, "settled", audit, [&](const std::vector<ReservedAmount>& reserved) {
      return give_back_unused(reserved, amounts);
    });
  }

  Status release(std::string_view id, std::string_view caller, const AuditEntry& audit) override {
    return end(id, caller, kReleased, audit, [&](const std::vector<ReservedAmount>& reserved) -> Status {
      for (const ReservedAmount& line : reserved) CHANCERY_TRY(give_back(line, line.amount));
      return {};
    });
  }

  Status prune(sys_seconds now) override;

  Result<Millionths> total(const TotalName& name) override {
    const auto guard = journal_->hold();
    return read_total(name);
  }

  Result<std::uint64_t> open_reservations(const std::set<std::string_view>& tokens,
                                          sys_seconds now) override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database().query(kOpenAmounts));
    select.bind(now);
    std::set<std::int64_t> found;
    for (;;) {
      CHANCERY_ASSIGN(const bool row, select.step());
      if (!row) return found.size();
      if (tokens.contains(select.text(1))) found.insert(select.number(0));
    }
  }

  Result<Reservation> reservation(std::string_view id) override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database().query(kReservation));
    CHANCERY_ASSIGN(const bool row, select.bind(id).step());
    if (!row) return kNoReservation;
    return Reservation{.audience = select.text(1), .is_released = select.text(2) == kReleased};
  }

  Result<LedgerCounts> counts() override {
    const auto guard = journal_->hold();
    LedgerCounts counts;
    CHANCERY_ASSIGN(counts.totals, count(kCountTotals));
    CHANCERY_ASSIGN(counts.reservations, count(kCountReservations));
    return counts;
  }

  Result<std::uint64_t> reservation_count() override {
    const auto guard = journal_->hold();
    return count(kCountReservations);
  }

 private:
  // Steps of record(), each within its transaction.
  Status keep_answer(const Decision& decision, Recording& recording);
  Status use_proof(const ProofUse& proof, Recording& recording);
  Status debit_all(const Decision& decision, Recording& recording);
  Result<bool> debit(const Debit& debit);
  Status park(const Decision& decision, Recording& recording);
  Status require_waiting(const Decision& decision, Recording& recording);
  Status use_up(const Decision& decision, Recording& recording);
  Status require_possible(const Decision& decision, Recording& recording);
  Status reserve(const Decision& decision);

  // Steps of settle() and release().
  using GiveBack = std::function<Status(const std::vector<ReservedAmount>&)>;
  Status end(std::string_view id, std::string_view caller, std::string_view state, const AuditEntry& audit,
             const GiveBack& give_back);
  Result<std::int64_t> end_row(std::string_view id, std::string_view caller, std::string_view state,
                               sys_seconds now);
  Status give_back_unused(const std::vector<ReservedAmount>& reserved, const SettledAmounts& amounts);
  Status give_back(const ReservedAmount& line, Millionths amount);

  Result<Millionths> read_total(const TotalName& name);
  Result<std::uint64_t> count(const char* statement);
  Status forget(const char* statement, sys_seconds until);
  Database& database() { return journal_->database(); }

  std::shared_ptr<Journal> journal_;
};

// --- record

Status SqliteLedger::keep_answer(const Decision& decision, Recording& recording) {
  if (!decision.repeatable) return {};
  const std::string request = hex_encode(decision.repeatable->request);
  const std::string& key = decision.repeatable->key;
  if (!decision.answer.empty()) {
    CHANCERY_ASSIGN(Query keep, database().query(kKeepAnswer));
    keep.bind(decision.caller).bind(key).bind(request).bind(decision.answer);
    CHANCERY_TRY(keep.bind(decision.at + kAnswerLife).run());
    if (database().changes() == 1) return {};
  }
  CHANCERY_ASSIGN(Query select, database().query(kAnswer));
  CHANCERY_ASSIGN(const bool row, select.bind(decision.caller).bind(key).step());
  if (!row) return decision.answer.empty() ? Status{} : Status{kDamagedRow};
  const bool is_same = select.text(0) == request;
  recording.outcome = is_same ? Outcome::kAnsweredBefore : Outcome::kOtherRequest;
  if (is_same) recording.answer = select.text(1);
  return kUndo;
}

Status SqliteLedger::use_proof(const ProofUse& proof, Recording& recording) {
  CHANCERY_ASSIGN(const ProofRecord record, insert_proof(*journal_, proof));
  switch (record) {
    case ProofRecord::kRecorded:
      return {};
    case ProofRecord::kUsedBefore:
      recording.outcome = Outcome::kProofUsed;
      return kUndo;
    case ProofRecord::kTooMany:
      recording.outcome = Outcome::kTooManyProofs;
      return kUndo;
  }
  return kDamagedRow;
}

Status SqliteLedger::debit_all(const Decision& decision, Recording& recording) {
  if (decision.debits.empty()) return {};
  CHANCERY_TRY(require_remembered(database(), kBook, decision.at));
  for (std::size_t i = 0; i < decision.debits.size(); ++i) {
    CHANCERY_ASSIGN(const bool is_within, debit(decision.debits[i]));
    if (is_within) continue;
    CHANCERY_ASSIGN(const Millionths spent, read_total(decision.debits[i].total));
    recording = {Outcome::kOverBound, {}, i, saturated_sum(spent, decision.debits[i].amount)};
    return kUndo;
  }
  return {};
}

Result<bool> SqliteLedger::debit(const Debit& debit) {
  if (debit.amount > debit.bound) return false;
  const std::string token = hex_encode(debit.total.token);
  CHANCERY_ASSIGN(Query query, database().query(kDebit));
  query.bind(token).bind(static_cast<std::int64_t>(debit.total.kind)).bind(debit.total.key);
  query.bind(debit.total.window).bind(debit.amount).bind(debit.expires_at).bind(debit.bound);
  CHANCERY_TRY(query.run());
  return database().changes() == 1;
}

Status SqliteLedger::park(const Decision& decision, Recording& recording) {
  CHANCERY_TRY(require_possible(decision, recording));
  CHANCERY_ASSIGN(Parking parking, park_call(database(), *decision.parked));
  switch (parking.outcome) {
    case Parking::Outcome::kParked:
      return {};
    case Parking::Outcome::kWaitsAlready:
      recording = {Outcome::kWaitsAlready, std::move(parking.id)};
      return kUndo;
    case Parking::Outcome::kApproved:
      recording = {Outcome::kApproved, std::move(parking.id)};
      return kUndo;
    case Parking::Outcome::kTooManyOfKey:
      recording.outcome = Outcome::kTooManyOfKey;
      return kUndo;
    case Parking::Outcome::kTooManyOfFirst:
      recording.outcome = Outcome::kTooManyOfFirst;
      return kUndo;
    case Parking::Outcome::kTooMany:
      recording.outcome = Outcome::kTooManyParked;
      return kUndo;
  }
  return kDamagedRow;
}

// It may have been cancelled since it was found: nobody is told that it waits then.
Status SqliteLedger::require_waiting(const Decision& decision, Recording& recording) {
  CHANCERY_ASSIGN(const bool waits, is_waiting(database(), decision.repeated->id, decision.at));
  if (waits) return {};
  recording.outcome = Outcome::kWaitsNoLonger;
  return kUndo;
}

// Of any number who ask again at once, one goes on.
Status SqliteLedger::use_up(const Decision& decision, Recording& recording) {
  CHANCERY_ASSIGN(const bool is_used, use_approval(*journal_, *decision.approved, decision.at));
  if (is_used) return {};
  recording.outcome = Outcome::kApprovedNoLonger;
  return kUndo;
}

// Nobody is asked about what could not be done today. A total that is full may have room again only if what was reserved is
// given back.
Status SqliteLedger::require_possible(const Decision& decision, Recording& recording) {
  if (decision.debits.empty()) return {};
  CHANCERY_TRY(require_remembered(database(), kBook, decision.at));
  for (std::size_t i = 0; i < decision.debits.size(); ++i) {
    const Debit& debit = decision.debits[i];
    Millionths spent = 0;
    if (debit.total.kind != TotalKind::kRate) {
      CHANCERY_ASSIGN(spent, read_total(debit.total));
    }
    const Millionths total = saturated_sum(spent, debit.amount);
    if (total <= debit.bound) continue;
    recording = {Outcome::kOverBound, {}, i, total};
    return kUndo;
  }
  return {};
}

Status SqliteLedger::reserve(const Decision& decision) {
  if (!decision.reserved_until) return {};
  {
    CHANCERY_ASSIGN(Query insert, database().query(kReserve));
    insert.bind(decision.id).bind(decision.caller).bind(decision.audience);
    CHANCERY_TRY(insert.bind(*decision.reserved_until).run());
  }
  const std::int64_t reservation = database().last_row();
  for (const Debit& debit : decision.debits) {
    const std::string token = hex_encode(debit.total.token);
    CHANCERY_ASSIGN(Query insert, database().query(kReserveAmount));
    insert.bind(reservation).bind(token).bind(static_cast<std::int64_t>(debit.total.kind));
    insert.bind(debit.total.key).bind(debit.total.window).bind(debit.parameter).bind(debit.amount);
    CHANCERY_TRY(insert.run());
  }
  return {};
}

// --- settle and release

Status SqliteLedger::end(std::string_view id, std::string_view caller, std::string_view state,
                         const AuditEntry& audit, const GiveBack& give_back) {
  CHANCERY_TRY(journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(const std::int64_t row, end_row(id, caller, state, audit.at));
    CHANCERY_ASSIGN(Query select, database().query(kReservedAmounts));
    CHANCERY_ASSIGN(const std::vector<ReservedAmount> reserved,
                    read_all<ReservedAmount>(select.bind(row), read_reserved));
    return give_back(reserved);
  }));
  return {};
}

Result<std::int64_t> SqliteLedger::end_row(std::string_view id, std::string_view caller,
                                           std::string_view state, sys_seconds now) {
  {
    CHANCERY_ASSIGN(Query update, database().query(kEnd));
    CHANCERY_ASSIGN(const bool row, update.bind(state).bind(id).bind(caller).bind(now).step());
    if (row) return update.number(0);
  }
  CHANCERY_ASSIGN(Query select, database().query(kReservation));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return kNoReservation;
  if (select.text(0) != caller) {
    return Error{ErrorCode::kForbidden, "only the enforcement point that reserved may settle or release"};
  }
  return Error{
      ErrorCode::kConflict,
      "the reservation has ended: it was settled or released before, or settled in full when it expired"};
}

Status SqliteLedger::give_back_unused(const std::vector<ReservedAmount>& reserved,
                                      const SettledAmounts& amounts) {
  for (const auto& settled : amounts) {
    const auto is_possible = [&](const ReservedAmount& line) {
      return line.parameter == settled.first && settled.second >= 0 && settled.second <= line.amount;
    };
    if (settled.first.empty() || !std::ranges::any_of(reserved, is_possible)) {
      return Error{ErrorCode::kInvalidArgument,
                   "`amounts` must name parameters that were reserved, with no more than was reserved"};
    }
  }
  for (const ReservedAmount& line : reserved) {
    const auto used = amounts.find(line.parameter);
    if (used != amounts.end()) CHANCERY_TRY(give_back(line, line.amount - used->second));
  }
  return {};
}

// A total that was forgotten meanwhile, such as that of a window that is over, is not missed.
Status SqliteLedger::give_back(const ReservedAmount& line, Millionths amount) {
  CHANCERY_ASSIGN(Query query, database().query(kGiveBack));
  return query.bind(amount).bind(line.token).bind(line.kind).bind(line.key).bind(line.window).run();
}

// --- upkeep

Status SqliteLedger::prune(sys_seconds now) {
  const sys_seconds ended_reservations = now - kReservationMemory;
  const sys_seconds ended_totals = now - kClockMargin;
  {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query any, database().query(kAnythingToPrune));
    CHANCERY_ASSIGN(const bool row, any.bind(now).bind(ended_reservations).bind(ended_totals).step());
    if (!row || any.number(0) == 0) return {};
  }
  return journal_->write([&]() -> Status {
    CHANCERY_TRY(forget(kSettleExpired, now));
    CHANCERY_TRY(forget(kForgetReservations, ended_reservations));
    CHANCERY_TRY(forget(kForgetAnswers, now));
    CHANCERY_TRY(forget(kForgetTotals, ended_totals));
    if (database().changes() == 0) return {};
    return note_forgotten(database(), kBook, ended_totals);
  });
}

Status SqliteLedger::forget(const char* statement, sys_seconds until) {
  CHANCERY_ASSIGN(Query query, database().query(statement));
  return query.bind(until).run();
}

Result<Millionths> SqliteLedger::read_total(const TotalName& name) {
  const std::string token = hex_encode(name.token);
  CHANCERY_ASSIGN(Query select, database().query(kTotal));
  select.bind(token).bind(static_cast<std::int64_t>(name.kind)).bind(name.key).bind(name.window);
  CHANCERY_ASSIGN(const bool row, select.step());
  return row ? select.number(0) : Millionths{0};
}

Result<std::uint64_t> SqliteLedger::count(const char* statement) {
  CHANCERY_ASSIGN(Query select, database().query(statement));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (!row) return kDamagedRow;
  return static_cast<std::uint64_t>(select.number(0));
}

}  // namespace

std::unique_ptr<Ledger> make_sqlite_ledger(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteLedger>(std::move(journal));
}

}  // namespace chancery::store
