#include "daemon/store/sqlite_approval_book.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "daemon/store/gate_terms.hpp"
#include "daemon/store/sqlite_approver_book.hpp"
#include "daemon/store/sqlite_decided_documents.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/sqlite_votes.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr std::array<std::string_view, 7> kStateNames{"pending", "cancelled", "expired", "approved",
                                                      "denied",  "used",      "lapsed"};
constexpr std::array<std::string_view, 3> kKindNames{"call", "action", "grant"};

// The columns of every look-up, in the order in which summary_from() reads them; what else is asked for comes after them.
#define COLUMNS                                                                                                   \
  "id, digest, subject, runtime, token, key, first_key, principal, tool, state, asked_at, expires_at, ended_at, " \
  "kind, gates, requesters, lifetime, approved_at, approved_until, agent, risk, amounts, matter, scope"
constexpr int kDocument = 24;

// Whose the keys are is found as for permits.
constexpr const char* kInsert =
    "INSERT INTO parked_calls (id, document, digest, subject, runtime, token, key, first_key, principal, tool, state, "
    "asked_at, expires_at, kind, gates, requesters, lifetime, agent, risk, amounts, matter, scope, agent_id, first_agent_id) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, "
    "coalesce((SELECT owner FROM keys WHERE thumbprint = ?7), (SELECT agent_id FROM tokens WHERE id = ?6), ''), "
    "coalesce((SELECT owner FROM keys WHERE thumbprint = ?8), ''))";
constexpr const char* kOpenFor =
    "SELECT " COLUMNS " FROM parked_calls WHERE subject = ? AND ended_at IS NULL";
constexpr const char* kCountOfKey =
    "SELECT count(*) FROM parked_calls WHERE key = ? AND state = 'pending' AND expires_at > ?";
constexpr const char* kCountOfFirst =
    "SELECT count(*) FROM parked_calls WHERE first_key = ? AND state = 'pending' AND expires_at > ?";
constexpr const char* kCount = "SELECT count(*) FROM parked_calls WHERE state = 'pending' AND expires_at > ?";
constexpr const char* kFind = "SELECT " COLUMNS ", document FROM parked_calls WHERE id = ?";
constexpr const char* kSummary = "SELECT " COLUMNS " FROM parked_calls WHERE id = ?";
constexpr const char* kWaits =
    "SELECT 1 FROM parked_calls WHERE id = ? AND state = 'pending' AND expires_at > ?";
constexpr const char* kPlace = "SELECT seq FROM parked_calls WHERE id = ?";
// In both directions. Of what is settled no index tells: what is passed over is pending, and of that there are kMostParked.
constexpr std::array<const char*, 2> kList{
    "SELECT " COLUMNS " FROM parked_calls WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    "SELECT " COLUMNS " FROM parked_calls WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"};
constexpr std::array<const char*, 2> kListSettled{
    "SELECT " COLUMNS " FROM parked_calls WHERE seq > ?1 AND state <> 'pending' ORDER BY seq LIMIT ?2",
    "SELECT " COLUMNS " FROM parked_calls WHERE seq < ?1 AND state <> 'pending' ORDER BY seq DESC LIMIT ?2"};
constexpr std::array<const char*, 2> kListOpen{
    "SELECT " COLUMNS
    " FROM parked_calls WHERE seq > ?1 AND state = ?3 AND ended_at IS NULL ORDER BY seq LIMIT ?2",
    "SELECT " COLUMNS
    " FROM parked_calls WHERE seq < ?1 AND state = ?3 AND ended_at IS NULL ORDER BY seq DESC LIMIT ?2"};
constexpr std::array<const char*, 2> kListEnded{
    "SELECT " COLUMNS
    " FROM parked_calls WHERE seq > ?1 AND state = ?3 AND ended_at IS NOT NULL ORDER BY seq LIMIT ?2",
    "SELECT " COLUMNS
    " FROM parked_calls WHERE seq < ?1 AND state = ?3 AND ended_at IS NOT NULL ORDER BY seq DESC LIMIT ?2"};
constexpr const char* kOverdue =
    "SELECT " COLUMNS
    " FROM parked_calls WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?";
constexpr const char* kUnused =
    "SELECT " COLUMNS
    " FROM parked_calls WHERE state = 'approved' AND approved_until <= ? ORDER BY approved_until LIMIT ?";
#undef COLUMNS

// The ways out of `pending`. One that was decided, by whomever, is not decided again; and nothing is decided too late.
constexpr const char* kEnd =
    "UPDATE parked_calls SET state = ?2, ended_at = ?3, document = '', amounts = '' "
    "WHERE id = ?1 AND state = 'pending' AND expires_at > ?3";
constexpr const char* kExpire =
    "UPDATE parked_calls SET state = ?2, ended_at = ?3, document = '', amounts = '' "
    "WHERE id = ?1 AND state = 'pending' AND expires_at <= ?3";
constexpr const char* kApprove =
    "UPDATE parked_calls SET state = 'approved', approved_at = ?2, approved_until = ?2 + lifetime "
    "WHERE id = ?1 AND state = 'pending' AND expires_at > ?2";
// The ways out of `approved`.
constexpr const char* kUse =
    "UPDATE parked_calls SET state = 'used', ended_at = ?3, document = '', amounts = '' "
    "WHERE id = ?1 AND subject = ?2 AND state = 'approved' AND approved_until > ?3";
constexpr const char* kLapse =
    "UPDATE parked_calls SET state = ?2, ended_at = ?3, document = '', amounts = '' "
    "WHERE id = ?1 AND state = 'approved' AND approved_until <= ?3";
constexpr const char* kLapseEarly =
    "UPDATE parked_calls SET state = 'lapsed', ended_at = ?2, document = '', amounts = '' "
    "WHERE id = ?1 AND state = 'approved'";
constexpr const char* kForget = "DELETE FROM parked_calls WHERE ended_at < ?";

// What a denial holds for too, of what is open: as GateBook::was_denied() has it of what is asked for afterwards. What is overdue expires.
constexpr const char* kTwins =
    "SELECT id, state = 'approved' FROM parked_calls WHERE matter = ?1 AND id <> ?2 AND (key = ?3 OR first_key = ?4) AND "
    "ended_at IS NULL AND state IN ('pending', 'approved') AND (state = 'approved' OR expires_at > ?5)";

Result<ApprovalKind> kind_from(std::string_view name) {
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<ApprovalKind>(i);
  }
  return kDamagedRow;
}

Result<ParkedCall> summary_from(const Query& row) {
  ParkedCall out;
  out.id = row.text(0);
  out.digest = row.text(1);
  out.subject = row.text(2);
  out.runtime = row.text(3);
  out.token = row.text(4);
  CHANCERY_ASSIGN(out.key, read_thumbprint(row.text(5)));
  CHANCERY_ASSIGN(out.first, read_thumbprint(row.text(6)));
  out.principal = row.text(7);
  out.tool = row.text(8);
  const auto state = approval_state_named(row.text(9));
  out.asked_at = row.time(10);
  out.expires_at = row.time(11);
  out.ended_at = optional_time(row, 12);
  if (!state) return kDamagedRow;
  out.state = *state;
  CHANCERY_ASSIGN(out.kind, kind_from(row.text(13)));
  CHANCERY_ASSIGN(out.gates, gates_from(row.text(14)));
  CHANCERY_ASSIGN(out.requesters, names_from(row.text(15)));
  out.lifetime = std::chrono::seconds(row.number(16));
  out.approved_at = optional_time(row, 17);
  out.approved_until = optional_time(row, 18);
  out.agent = row.text(19);
  out.risk = row.text(20);
  out.amounts = row.text(21);
  out.matter = row.text(22);
  out.scope = row.text(23);
  return out;
}

// What somebody is to approve is what was asked for, or nothing.
Result<ParkedCall> call_from(const Query& row) {
  CHANCERY_ASSIGN(ParkedCall out, summary_from(row));
  if (!is_open(out.state)) return out;
  out.document = row.text(kDocument);
  if (hex_encode(sha256(as_bytes(out.document))) != out.digest) return kDamagedRow;
  return out;
}

using Reader = Result<ParkedCall> (*)(const Query& row);

Result<ParkedCall> read_call(Database& database, const char* statement, std::string_view id, Reader read) {
  CHANCERY_ASSIGN(Query select, database.query(statement));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return kNoSuchApproval;
  return read(select);
}

Result<std::int64_t> place_of(Database& database, std::string_view id) {
  CHANCERY_ASSIGN(Query select, database.query(kPlace));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return kNoSuchApproval;
  return select.number(0);
}

Result<std::optional<ParkedCall>> find_open(Database& database, std::string_view subject) {
  CHANCERY_ASSIGN(Query select, database.query(kOpenFor));
  CHANCERY_ASSIGN(const bool row, select.bind(subject).step());
  if (!row) return std::optional<ParkedCall>();
  CHANCERY_ASSIGN(ParkedCall found, summary_from(select));
  return std::optional(std::move(found));
}

// Why a request does not leave its state in this way.
Error not_ended(const ParkedCall& call, sys_seconds now) {
  const auto conflict = [](const char* what) { return Error{ErrorCode::kConflict, what}; };
  switch (call.state) {
    case ApprovalState::kPending:
      if (call.expires_at > now) return conflict("it waits still: its time is not over");
      [[fallthrough]];
    case ApprovalState::kExpired:
      return conflict("it waits for nothing any more: its time is over, ask for it again");
    case ApprovalState::kCancelled:
      return conflict("it waits for nothing any more: it was cancelled");
    case ApprovalState::kDenied:
      return conflict("it waits for nothing any more: it was denied");
    case ApprovalState::kApproved:
      return conflict("it waits for nothing any more: it was approved, and can be done until that lapses");
    case ApprovalState::kUsed:
      return conflict("it waits for nothing any more: it was approved, and done");
    case ApprovalState::kLapsed:
      return conflict("it waits for nothing any more: its approval was not used in time, ask for it again");
  }
  return kDamagedRow;
}

Result<std::uint64_t> count_of(Query& query) {
  CHANCERY_ASSIGN(const bool row, query.step());
  if (!row) return kDamagedRow;
  return static_cast<std::uint64_t>(query.number(0));
}

Status lapse_early(Database& database, std::string_view id, sys_seconds now) {
  CHANCERY_ASSIGN(Query update, database.query(kLapseEarly));
  return update.bind(id).bind(now).run();
}

// For its entry. A row that cannot be read ends as any other: else it would keep somebody from denying another request, or from revoking a
// key.
Result<ParkedCall> ended_call(Database& database, std::string_view id, ApprovalState state) {
  auto call = read_call(database, kSummary, id, summary_from);
  if (call || call.error().code != ErrorCode::kStoreCorrupt) return call;
  ParkedCall unread;
  unread.id = id;
  unread.state = state;
  return unread;
}

// The TPM asks for each approver's own signature: without it an approval would be good for nothing.
Status require_policy_signature(const ParkedCall& call, const Ballot& ballot,
                                const std::vector<std::string>& gates) {
  const auto takes_it = [&](const GateTerms& gate) {
    return gate.tpm_enforced && std::ranges::find(gates, gate.gate) != gates.end();
  };
  if (!ballot.approves || !ballot.policy_signature.empty() || std::ranges::none_of(call.gates, takes_it))
    return {};
  return Error{
      ErrorCode::kInvalidArgument,
      "a TPM enforces this gate: it takes `policy_signature` besides, which `chancery approve` makes"};
}

class SqliteApprovalBook final : public ApprovalBook {
 public:
  explicit SqliteApprovalBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<ParkedCall> find(std::string_view id) override {
    const auto held = journal_->hold();
    return read_request(database(), id);
  }

  Result<ParkedCall> summary(std::string_view id) override {
    const auto held = journal_->hold();
    return read_call(database(), kSummary, id, summary_from);
  }

  Result<std::vector<ParkedCall>> list(const ApprovalQuery& query) override {
    CHANCERY_TRY(check_page(query.limit));
    const auto held = journal_->hold();
    const std::size_t direction = query.is_newest_first ? 1 : 0;
    std::int64_t after = query.is_newest_first ? std::numeric_limits<std::int64_t>::max() : 0;
    if (!query.after.empty()) {
      CHANCERY_ASSIGN(after, place_of(database(), query.after));
    }
    const auto limit = static_cast<std::int64_t>(query.limit);
    if (!query.state) {
      const auto& statements = query.is_settled ? kListSettled : kList;
      CHANCERY_ASSIGN(Query rows, database().query(statements[direction]));
      return read_all<ParkedCall>(rows.bind(after).bind(limit), summary_from);
    }
    const auto& statements = is_open(*query.state) ? kListOpen : kListEnded;
    CHANCERY_ASSIGN(Query rows, database().query(statements[direction]));
    return read_all<ParkedCall>(rows.bind(after).bind(limit).bind(approval_state_name(*query.state)),
                                summary_from);
  }

  Result<std::optional<ParkedCall>> open_for(std::string_view subject) override {
    const auto held = journal_->hold();
    return find_open(database(), subject);
  }

  Result<std::vector<Vote>> votes(std::string_view id) override {
    const auto held = journal_->hold();
    return votes_about(database(), id);
  }

  Result<std::optional<DecidedDocument>> last_decided_like(const ParkedCall& call) override {
    const auto held = journal_->hold();
    return decided_like(database(), call);
  }

  // The entry is composed anew once it is known what the request became.
  Result<Counted> decide(const Ballot& ballot, sys_seconds now, const EntryOf& entry) override {
    Counted out;
    CHANCERY_ASSIGN(out.call, summary(ballot.request));
    AuditEntry audit = entry(out.call);
    CHANCERY_ASSIGN(out.sequence, journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(count(ballot, now, entry));
      CHANCERY_ASSIGN(out.call, read_call(database(), kSummary, ballot.request, summary_from));
      audit = entry(out.call);
      return {};
    }));
    return out;
  }

  Result<std::uint64_t> cancel(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return end(kEnd, id, ApprovalState::kCancelled, now, audit);
  }

  Result<std::uint64_t> expire(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return end(kExpire, id, ApprovalState::kExpired, now, audit);
  }

  Result<std::uint64_t> lapse(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return end(kLapse, id, ApprovalState::kLapsed, now, audit);
  }

  Result<std::uint64_t> withdraw(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(lapse_early(database(), id, now));
      return require_changed(id, now);
    });
  }

  Result<std::vector<ParkedCall>> overdue(sys_seconds now) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(std::vector<ParkedCall> out, due(kOverdue, now));
    CHANCERY_ASSIGN(const std::vector<ParkedCall> unused, due(kUnused, now));
    out.insert(out.end(), unused.begin(), unused.end());
    return out;
  }

  Result<std::uint64_t> pending(sys_seconds now) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kCount));
    return count_of(query.bind(now));
  }

  Status prune(sys_seconds before) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForget));
      return forget.bind(before).run();
    });
  }

  Status forget_decided(sys_seconds before) override {
    return journal_->write([&] { return forget_decided_before(database(), before); });
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Result<std::vector<ParkedCall>> due(const char* statement, sys_seconds now) {
    CHANCERY_ASSIGN(Query rows, database().query(statement));
    return read_sound<ParkedCall>(rows.bind(now).bind(static_cast<std::int64_t>(kMaxPage)), summary_from);
  }

  // What a ballot changes. Nothing that the caller has read before counts.
  Status count(const Ballot& ballot, sys_seconds now, const EntryOf& entry) {
    CHANCERY_ASSIGN(const ParkedCall call, read_call(database(), kSummary, ballot.request, summary_from));
    if (call.state != ApprovalState::kPending || call.expires_at <= now) return not_ended(call, now);
    CHANCERY_ASSIGN(const Approver person, active_approver(*journal_, ballot.key));
    if (person.principal != ballot.principal)
      return Error{ErrorCode::kForbidden,
                   "the decision names another person than the one whose key signed it"};
    CHANCERY_ASSIGN(std::vector<std::string> gates, gates_for(call, person));
    CHANCERY_TRY(require_policy_signature(call, ballot, gates));
    CHANCERY_ASSIGN(const std::int64_t place, place_of(database(), call.id));
    CHANCERY_TRY(insert_vote(database(), place,
                             {person.principal,
                              ballot.key,
                              ballot.approves,
                              std::move(gates),
                              now,
                              ballot.reason,
                              ballot.jws,
                              ballot.policy_signature,
                              {}}));
    if (ballot.approves) {
      CHANCERY_ASSIGN(const std::vector<Vote> votes, votes_of(database(), place));
      if (!are_all_open(call.gates, votes)) return {};
    }
    if (ballot.keeps_document) CHANCERY_TRY(keep_decided(database(), call.id, ballot.approves, now));
    if (ballot.approves) return approve(call.id, now);
    CHANCERY_TRY(change(kEnd, call.id, ApprovalState::kDenied, now));
    return end_twins(call, now, entry);
  }

  // Who has denied one is not to find that another approved the same, which was asked for in another way.
  Status end_twins(const ParkedCall& denied, sys_seconds now, const EntryOf& entry) {
    if (denied.matter.empty()) return {};  // of before there was any: they would all be one
    CHANCERY_ASSIGN(const std::vector<Twin> twins, twins_of(denied, now));
    for (const Twin& twin : twins) {
      CHANCERY_TRY(twin.was_approved ? lapse_early(database(), twin.id, now)
                                     : change(kEnd, twin.id, ApprovalState::kCancelled, now));
      if (twin.was_approved) CHANCERY_TRY(forget_decided_of(database(), twin.id));
      const ApprovalState state = twin.was_approved ? ApprovalState::kLapsed : ApprovalState::kCancelled;
      CHANCERY_ASSIGN(const ParkedCall ended, ended_call(database(), twin.id, state));
      CHANCERY_TRY(journal_->append_before(entry(ended)));
    }
    return {};
  }

  struct Twin {
    std::string id;
    bool was_approved = false;
  };

  Result<std::vector<Twin>> twins_of(const ParkedCall& denied, sys_seconds now) {
    const std::string key = denied.key.text();
    const std::string first = denied.first.text();
    CHANCERY_ASSIGN(Query select, database().query(kTwins));
    return read_all<Twin>(select.bind(denied.matter).bind(denied.id).bind(key).bind(first).bind(now),
                          [](const Query& row) -> Result<Twin> {
                            return Twin{row.text(0), row.number(1) != 0};
                          });
  }

  Status approve(std::string_view id, sys_seconds now) {
    {
      CHANCERY_ASSIGN(Query update, database().query(kApprove));
      CHANCERY_TRY(update.bind(id).bind(now).run());
    }
    return require_changed(id, now);
  }

  Status change(const char* statement, std::string_view id, ApprovalState state, sys_seconds now) {
    {
      CHANCERY_ASSIGN(Query update, database().query(statement));
      CHANCERY_TRY(update.bind(id).bind(approval_state_name(state)).bind(now).run());
    }
    return require_changed(id, now);
  }

  // Of any number who change it at once, one has.
  Status require_changed(std::string_view id, sys_seconds now) {
    if (database().changes() == 1) return {};
    CHANCERY_ASSIGN(const ParkedCall found, read_call(database(), kSummary, id, summary_from));
    return not_ended(found, now);
  }

  Result<std::uint64_t> end(const char* statement, std::string_view id, ApprovalState state, sys_seconds now,
                            const AuditEntry& audit) {
    return journal_->mutate(audit, [&] { return change(statement, id, state, now); });
  }

  const std::shared_ptr<Journal> journal_;
};

Result<bool> are_too_many(Query& query, std::uint64_t most) {
  CHANCERY_ASSIGN(const std::uint64_t count, count_of(query));
  return count >= most;
}

}  // namespace

std::string_view approval_state_name(ApprovalState state) noexcept {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::string_view approval_kind_name(ApprovalKind kind) noexcept {
  return kKindNames[static_cast<std::size_t>(kind)];
}

bool is_tpm_enforced(const ParkedCall& call) noexcept {
  return !call.gates.empty() && std::ranges::all_of(call.gates, &GateTerms::tpm_enforced);
}

std::optional<ApprovalState> approval_state_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return static_cast<ApprovalState>(i);
  }
  return std::nullopt;
}

Result<ParkedCall> read_request(Database& database, std::string_view id) {
  return read_call(database, kFind, id, call_from);
}

Result<std::vector<Vote>> votes_about(Database& database, std::string_view id) {
  CHANCERY_ASSIGN(const std::int64_t place, place_of(database, id));
  return votes_of(database, place);
}

Result<Parking::Outcome> room_for(Database& database, const ParkedCall& call) {
  const std::string key = call.key.text();
  const std::string first = call.first.text();
  {
    CHANCERY_ASSIGN(Query count, database.query(kCountOfKey));
    CHANCERY_ASSIGN(const bool too_many, are_too_many(count.bind(key).bind(call.asked_at), kMostParkedOfKey));
    if (too_many) return Parking::Outcome::kTooManyOfKey;
  }
  {
    CHANCERY_ASSIGN(Query count, database.query(kCountOfFirst));
    CHANCERY_ASSIGN(const bool too_many,
                    are_too_many(count.bind(first).bind(call.asked_at), kMostParkedOfFirst));
    if (too_many) return Parking::Outcome::kTooManyOfFirst;
  }
  CHANCERY_ASSIGN(Query count, database.query(kCount));
  CHANCERY_ASSIGN(const bool too_many, are_too_many(count.bind(call.asked_at), kMostParked));
  return too_many ? Parking::Outcome::kTooMany : Parking::Outcome::kParked;
}

Result<Parking> park_call(Database& database, const ParkedCall& call) {
  const std::string key = call.key.text();
  const std::string first = call.first.text();
  const std::string gates = gates_text(call.gates);
  const std::string requesters = names_text(call.requesters);
  CHANCERY_TRY(check_gates(call.gates));
  CHANCERY_ASSIGN(const std::optional<ParkedCall> same, find_open(database, call.subject));
  if (same) {
    const bool is_approved = same->state == ApprovalState::kApproved;
    return Parking{is_approved ? Parking::Outcome::kApproved : Parking::Outcome::kWaitsAlready, same->id};
  }
  CHANCERY_ASSIGN(const Parking::Outcome room, room_for(database, call));
  if (room != Parking::Outcome::kParked) return Parking{room};
  CHANCERY_ASSIGN(Query insert, database.query(kInsert));
  insert.bind(call.id).bind(call.document).bind(call.digest).bind(call.subject).bind(call.runtime);
  insert.bind(call.token).bind(key).bind(first).bind(call.principal).bind(call.tool);
  insert.bind(call.asked_at).bind(call.expires_at).bind(approval_kind_name(call.kind)).bind(gates);
  insert.bind(requesters).bind(std::int64_t{call.lifetime.count()}).bind(call.agent).bind(call.risk);
  CHANCERY_TRY(insert.bind(call.amounts).bind(call.matter).bind(call.scope).run());
  return Parking{};
}

Result<bool> is_waiting(Database& database, std::string_view id, sys_seconds now) {
  CHANCERY_ASSIGN(Query select, database.query(kWaits));
  return select.bind(id).bind(now).step();
}

Result<bool> use_approval(Journal& journal, const ApprovalUse& use, sys_seconds now) {
  {
    CHANCERY_ASSIGN(Query update, journal.database().query(kUse));
    CHANCERY_TRY(update.bind(use.id).bind(use.subject).bind(now).run());
  }
  if (journal.database().changes() != 1) return false;
  if (use.audit != nullptr) CHANCERY_TRY(journal.append_before(*use.audit));
  return true;
}

Result<std::vector<std::string>> void_votes(Journal& journal, const Thumbprint& key, sys_seconds now,
                                            const EntryOf& lapsed) {
  Database& database = journal.database();
  CHANCERY_ASSIGN(const std::vector<std::string> calls, open_calls_of(database, key));
  CHANCERY_TRY(
      forget_decided_by(database, key));  // nobody is to take what such a key approved for an example
  CHANCERY_TRY(void_open_votes(database, key, now));
  std::vector<std::string> out;
  for (const std::string& id : calls) {
    CHANCERY_TRY(lapse_early(database, id, now));
    if (database.changes() != 1) continue;  // it is pending still, and lacks one
    CHANCERY_ASSIGN(const ParkedCall call, ended_call(database, id, ApprovalState::kLapsed));
    CHANCERY_TRY(journal.append_before(lapsed(call)));
    out.push_back(id);
  }
  return out;
}

std::unique_ptr<ApprovalBook> make_sqlite_approval_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteApprovalBook>(std::move(journal));
}

}  // namespace chancery::store
