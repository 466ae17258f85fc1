#include "daemon/store/sqlite_approval_book.hpp"

#include <array>
#include <utility>

#include "daemon/store/sqlite_rows.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kMemory = 7 * 24h;

constexpr std::array<std::string_view, 3> kStateNames{"pending", "cancelled", "expired"};

// The columns of every look-up, in the order in which summary_from() reads them; a document comes after them.
#define COLUMNS \
  "id, digest, subject, runtime, token, key, first_key, principal, tool, state, asked_at, expires_at, ended_at"
constexpr int kDocument = 13;

constexpr const char* kInsert =
    "INSERT INTO parked_calls (id, document, digest, subject, runtime, token, key, first_key, principal, tool, state, "
    "asked_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)";
constexpr const char* kSame = "SELECT id FROM parked_calls WHERE subject = ? AND state = 'pending'";
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
constexpr const char* kList = "SELECT " COLUMNS " FROM parked_calls WHERE seq > ? ORDER BY seq LIMIT ?";
constexpr const char* kListInState =
    "SELECT " COLUMNS " FROM parked_calls WHERE seq > ? AND state = ? ORDER BY seq LIMIT ?";
constexpr const char* kOverdue =
    "SELECT " COLUMNS
    " FROM parked_calls WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?";
#undef COLUMNS

// One that was decided, by whomever, is not decided again; and nothing is decided too late.
constexpr const char* kDecide =
    "UPDATE parked_calls SET state = ?2, ended_at = ?3, document = '' "
    "WHERE id = ?1 AND state = 'pending' AND expires_at > ?3";
constexpr const char* kExpire =
    "UPDATE parked_calls SET state = ?2, ended_at = ?3, document = '' "
    "WHERE id = ?1 AND state = 'pending' AND expires_at <= ?3";
constexpr const char* kForget = "DELETE FROM parked_calls WHERE ended_at < ?";

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
  return out;
}

// What somebody is to approve is what was asked for, or nothing.
Result<ParkedCall> call_from(const Query& row) {
  CHANCERY_ASSIGN(ParkedCall out, summary_from(row));
  if (out.state != ApprovalState::kPending) return out;
  out.document = row.text(kDocument);
  if (hex_encode(sha256(as_bytes(out.document))) != out.digest) return kDamagedRow;
  return out;
}

// Why a call does not leave the state `pending` in this way.
Error not_ended(const ParkedCall& call, sys_seconds now) {
  if (call.state == ApprovalState::kCancelled)
    return {ErrorCode::kConflict, "the call waits for nothing any more: it was cancelled"};
  if (call.state == ApprovalState::kExpired || call.expires_at <= now)
    return {ErrorCode::kConflict, "the call waits for nothing any more: its time is over, ask for it again"};
  return {ErrorCode::kConflict, "the call waits still: its time is not over"};
}

Result<std::uint64_t> count_of(Query& query) {
  CHANCERY_ASSIGN(const bool row, query.step());
  if (!row) return kDamagedRow;
  return static_cast<std::uint64_t>(query.number(0));
}

class SqliteApprovalBook final : public ApprovalBook {
 public:
  explicit SqliteApprovalBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<ParkedCall> find(std::string_view id) override {
    const auto held = journal_->hold();
    return read(kFind, id, call_from);
  }

  Result<ParkedCall> summary(std::string_view id) override {
    const auto held = journal_->hold();
    return read(kSummary, id, summary_from);
  }

  Result<std::vector<ParkedCall>> list(const ApprovalQuery& query) override {
    CHANCERY_TRY(check_page(query.limit));
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(const std::int64_t after, place_of(query.after));
    const auto limit = static_cast<std::int64_t>(query.limit);
    if (!query.state) {
      CHANCERY_ASSIGN(Query rows, database().query(kList));
      return read_all<ParkedCall>(rows.bind(after).bind(limit), summary_from);
    }
    CHANCERY_ASSIGN(Query rows, database().query(kListInState));
    return read_all<ParkedCall>(rows.bind(after).bind(approval_state_name(*query.state)).bind(limit),
                                summary_from);
  }

  Result<std::uint64_t> cancel(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return end(kDecide, id, ApprovalState::kCancelled, now, audit);
  }

  Result<std::uint64_t> expire(std::string_view id, sys_seconds now, const AuditEntry& audit) override {
    return end(kExpire, id, ApprovalState::kExpired, now, audit);
  }

  Result<std::vector<ParkedCall>> overdue(sys_seconds now) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kOverdue));
    return read_sound<ParkedCall>(rows.bind(now).bind(static_cast<std::int64_t>(kMaxPage)), summary_from);
  }

  Result<std::uint64_t> pending(sys_seconds now) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kCount));
    return count_of(query.bind(now));
  }

  Status prune(sys_seconds now) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForget));
      return forget.bind(now - kMemory).run();
    });
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  using Reader = Result<ParkedCall> (*)(const Query& row);
  Result<ParkedCall> read(const char* statement, std::string_view id, Reader read_row) {
    CHANCERY_ASSIGN(Query select, database().query(statement));
    CHANCERY_ASSIGN(const bool row, select.bind(id).step());
    if (!row) return kNoSuchApproval;
    return read_row(select);
  }

  Result<std::int64_t> place_of(std::string_view id) {
    if (id.empty()) return std::int64_t{0};
    CHANCERY_ASSIGN(Query select, database().query(kPlace));
    CHANCERY_ASSIGN(const bool row, select.bind(id).step());
    if (!row) return kNoSuchApproval;
    return select.number(0);
  }

  // The one way out of `pending`.
  Result<std::uint64_t> end(const char* statement, std::string_view id, ApprovalState state, sys_seconds now,
                            const AuditEntry& audit) {
    return journal_->mutate(audit, [&]() -> Status {
      {
        CHANCERY_ASSIGN(Query update, database().query(statement));
        CHANCERY_TRY(update.bind(id).bind(approval_state_name(state)).bind(now).run());
      }
      if (database().changes() == 1) return {};
      CHANCERY_ASSIGN(const ParkedCall found, read(kSummary, id, summary_from));
      return not_ended(found, now);
    });
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

std::optional<ApprovalState> approval_state_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return static_cast<ApprovalState>(i);
  }
  return std::nullopt;
}

Result<Parking> park_call(Database& database, const ParkedCall& call) {
  const std::string key = call.key.text();
  const std::string first = call.first.text();
  {
    CHANCERY_ASSIGN(Query select, database.query(kSame));
    CHANCERY_ASSIGN(const bool row, select.bind(call.subject).step());
    if (row) return Parking{Parking::Outcome::kWaitsAlready, select.text(0)};
  }
  {
    CHANCERY_ASSIGN(Query count, database.query(kCountOfKey));
    CHANCERY_ASSIGN(const bool too_many, are_too_many(count.bind(key).bind(call.asked_at), kMostParkedOfKey));
    if (too_many) return Parking{Parking::Outcome::kTooManyOfKey};
  }
  {
    CHANCERY_ASSIGN(Query count, database.query(kCountOfFirst));
    CHANCERY_ASSIGN(const bool too_many,
                    are_too_many(count.bind(first).bind(call.asked_at), kMostParkedOfFirst));
    if (too_many) return Parking{Parking::Outcome::kTooManyOfFirst};
  }
  {
    CHANCERY_ASSIGN(Query count, database.query(kCount));
    CHANCERY_ASSIGN(const bool too_many, are_too_many(count.bind(call.asked_at), kMostParked));
    if (too_many) return Parking{Parking::Outcome::kTooMany};
  }
  CHANCERY_ASSIGN(Query insert, database.query(kInsert));
  insert.bind(call.id).bind(call.document).bind(call.digest).bind(call.subject).bind(call.runtime);
  insert.bind(call.token).bind(key).bind(first).bind(call.principal).bind(call.tool);
  CHANCERY_TRY(insert.bind(call.asked_at).bind(call.expires_at).run());
  return Parking{};
}

Result<bool> is_waiting(Database& database, std::string_view id, sys_seconds now) {
  CHANCERY_ASSIGN(Query select, database.query(kWaits));
  return select.bind(id).bind(now).step();
}

std::unique_ptr<ApprovalBook> make_sqlite_approval_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteApprovalBook>(std::move(journal));
}

}  // namespace chancery::store
