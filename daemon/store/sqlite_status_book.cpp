#include "daemon/store/sqlite_status_book.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/status_statements.hpp"
#include "daemon/store/token_ends.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

using TargetKind = StatusTarget::Kind;
using ActKind = StatusAct::Kind;

constexpr auto kMost = static_cast<std::int64_t>(kMaxPage);
constexpr std::int64_t kMostDenied = 1000;
constexpr std::chrono::days kDenialMemory{7};
constexpr std::chrono::days kActMemory{100};
constexpr Error kNoSuchToken{ErrorCode::kNotFound, "no such token was issued here"};
constexpr Error kNoSuchAct{ErrorCode::kNotFound,
                           "no such suspension: `chancery impact` shows those that stand"};
constexpr Error kNoSuchList{ErrorCode::kNotFound, "there is no such status list"};

constexpr std::array<std::string_view, 5> kTargetKinds{"token", "subtree", "agent", "key", "principal"};
constexpr std::array<std::string_view, 3> kActKinds{"revoke", "suspend", "drill"};

Result<StatusAct> read_act(const Query& row) {
  const auto target = target_kind_named(row.text(2));
  const auto kind = std::ranges::find(kActKinds, row.text(1));
  if (!target || kind == kActKinds.end()) return kDamagedRow;
  return StatusAct{.id = row.number(0),
                   .kind = static_cast<ActKind>(kind - kActKinds.begin()),
                   .target = {*target, row.text(3)},
                   .reason = row.text(4),
                   .at = row.time(5),
                   .until = optional_time(row, 6),
                   .lifted_at = optional_time(row, 7),
                   .tokens = static_cast<std::uint64_t>(row.number(8))};
}

Result<TokenStatus> read_status(const Query& row) {
  return TokenStatus{row.text(0), static_cast<unsigned>(row.number(1))};
}

Result<StatusListRecord::Entry> read_entry(const Query& row) {
  return StatusListRecord::Entry{static_cast<std::uint64_t>(row.number(0)),
                                 static_cast<unsigned>(row.number(1))};
}

Result<ConcernedToken> read_concerned(const Query& row) {
  ConcernedToken token{.id = row.text(0),
                       .parent_id = std::nullopt,
                       .agent = row.text(2),
                       .issued_at = row.time(3),
                       .expires_at = row.time(4),
                       .is_named = row.number(5) != 0};
  if (!row.is_null(1)) token.parent_id = row.text(1);
  return token;
}

Result<DeniedUse> read_denied(const Query& row) {
  return DeniedUse{
      .token = {},
      .leaf = row.text(0),
      .count = static_cast<std::uint64_t>(row.number(1)),
      .first_at = row.time(2),
      .last_at = row.time(3),
  };
}

const char* concerned_statement(TargetKind kind) {
  switch (kind) {
    case TargetKind::kToken:
    case TargetKind::kSubtree:
      return sql::kConcernedBySubtree;
    case TargetKind::kAgent:
      return sql::kConcernedByAgent;
    case TargetKind::kKey:
      return sql::kConcernedByKey;
    case TargetKind::kPrincipal:
      return sql::kConcernedByPrincipal;
  }
  return nullptr;
}

bool names_token(const StatusTarget& target) {
  return target.kind == TargetKind::kToken || target.kind == TargetKind::kSubtree;
}

Result<std::uint64_t> random_below(std::uint64_t power_of_two) {
  std::array<std::uint8_t, 8> octets;
  CHANCERY_TRY(random_bytes(octets));
  std::uint64_t number = 0;
  std::memcpy(&number, octets.data(), sizeof number);
  return number & (power_of_two - 1);
}

class SqliteStatusBook final : public StatusBook {
 public:
  SqliteStatusBook(std::shared_ptr<Journal> journal, std::uint64_t list_size) noexcept
      : journal_(std::move(journal)), database_(journal_->database()), list_size_(list_size) {}

  Result<StatusPlace> allocate(sys_seconds expires_at) override;
  Result<std::vector<TokenStatus>> adopt(const std::vector<IssuedToken>& chain) override;
  Result<DoneAct> add(const StatusAct& act, const AuditEntry& audit) override;
  Result<DoneAct> lift(std::int64_t id, const AuditEntry& audit) override;
  Result<StatusAct> act(std::int64_t id) override;
  Result<std::vector<StatusAct>> standing(const StatusTarget& target) override;
  Result<std::vector<StatusAct>> overdue_drills(sys_seconds now) override;
  Result<std::vector<TokenStatus>> ended(sys_seconds now) override;
  Result<std::vector<ConcernedToken>> concerned(const StatusTarget& target, sys_seconds now) override;
  Result<StatusListRecord> list(std::uint64_t name) override;
  Status add_denied(const std::vector<DeniedUse>& uses) override;
  Result<std::vector<DeniedUse>> denied(std::int64_t drill) override;
  Result<StatusCounts> counts(sys_seconds now) override;
  Status forget_expired(sys_seconds now) override;

 private:
  struct OpenList {
    std::int64_t name = 0;
    std::uint64_t size = 0;
  };
  Result<OpenList> open_list(sys_seconds expires_at);
  Result<std::uint64_t> take_index(const OpenList& list);
  Result<bool> has_token(std::string_view id);
  Result<bool> is_to_adopt(const std::vector<IssuedToken>& chain);
  Status forget(const char* statement, sys_seconds before);
  Status expect_token(const StatusTarget& target);
  Result<StatusAct> find_act(std::int64_t id);
  Result<std::vector<TokenStatus>> statuses_of(std::int64_t act);

  const std::shared_ptr<Journal> journal_;
  Database& database_;
  const std::uint64_t list_size_;
};

// --- places

Result<SqliteStatusBook::OpenList> SqliteStatusBook::open_list(sys_seconds expires_at) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kOpenList));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (row) return OpenList{select.number(0), static_cast<std::uint64_t>(select.number(1))};
  CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertList));
  CHANCERY_TRY(insert.bind(static_cast<std::int64_t>(list_size_)).bind(expires_at).run());
  return OpenList{database_.last_row(), list_size_};
}

// A list is half empty at least, so that two tries are enough on the average.
Result<std::uint64_t> SqliteStatusBook::take_index(const OpenList& list) {
  for (;;) {
    CHANCERY_ASSIGN(const std::uint64_t index, random_below(list.size));
    CHANCERY_ASSIGN(Query take, database_.query(sql::kTakeIndex));
    CHANCERY_TRY(take.bind(list.name).bind(static_cast<std::int64_t>(index)).run());
    if (database_.changes() == 1) return index;
  }
}

Result<StatusPlace> SqliteStatusBook::allocate(sys_seconds expires_at) {
  StatusPlace place;
  const Status allocated = journal_->write([&]() -> Status {
    CHANCERY_ASSIGN(const OpenList list, open_list(expires_at));
    place.list = static_cast<std::uint64_t>(list.name);
    CHANCERY_ASSIGN(place.index, take_index(list));
    CHANCERY_ASSIGN(Query count, database_.query(sql::kCountIndex));
    return count.bind(expires_at).bind(list.name).run();
  });
  CHANCERY_TRY(allocated);
  return place;
}

// --- acts

Result<bool> SqliteStatusBook::has_token(std::string_view id) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kHasToken));
  return select.bind(id).step();
}

Status SqliteStatusBook::expect_token(const StatusTarget& target) {
  if (!names_token(target)) return {};
  CHANCERY_ASSIGN(const bool is_known, has_token(target.value));
  return is_known ? Status{} : Status{kNoSuchToken};
}

// Mostly all are known, and nothing is written.
Result<bool> SqliteStatusBook::is_to_adopt(const std::vector<IssuedToken>& chain) {
  const auto guard = journal_->hold();
  for (const IssuedToken& token : chain) {
    CHANCERY_ASSIGN(const bool is_known, has_token(token.id));
    if (!is_known) return &token != &chain.front();
  }
  return false;
}

Result<std::vector<TokenStatus>> SqliteStatusBook::adopt(const std::vector<IssuedToken>& chain) {
  std::vector<TokenStatus> adopted;
  CHANCERY_ASSIGN(const bool is_to_do, is_to_adopt(chain));
  if (!is_to_do) return adopted;
  CHANCERY_TRY(journal_->write([&]() -> Status {
    for (const IssuedToken& token : chain) {
      CHANCERY_ASSIGN(std::optional<TokenStatus> status, adopt_token(database_, token));
      if (status) adopted.push_back(*std::move(status));
    }
    return {};
  }));
  return adopted;
}

Result<StatusAct> SqliteStatusBook::find_act(std::int64_t id) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAct));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return kNoSuchAct;
  return read_act(select);
}

Result<std::vector<TokenStatus>> SqliteStatusBook::statuses_of(std::int64_t act) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kStatusesOfAct));
  return read_all<TokenStatus>(select.bind(act), read_status);
}

Result<DoneAct> SqliteStatusBook::add(const StatusAct& act, const AuditEntry& audit) {
  DoneAct done;
  const auto sequence = journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(expect_token(act.target));
    CHANCERY_ASSIGN(done.act, record_act(database_, act));
    CHANCERY_ASSIGN(done.tokens, statuses_of(done.act.id));
    return {};
  });
  CHANCERY_TRY(sequence);
  return done;
}

Result<DoneAct> SqliteStatusBook::lift(std::int64_t id, const AuditEntry& audit) {
  DoneAct done;
  const auto sequence = journal_->mutate(audit, [&]() -> Status {
    {
      CHANCERY_ASSIGN(Query update, database_.query(sql::kLiftAct));
      CHANCERY_TRY(update.bind(audit.at).bind(id).run());
    }
    const bool is_lifted = database_.changes() == 1;
    CHANCERY_ASSIGN(done.act, find_act(id));
    if (!is_lifted) {
      return Error{ErrorCode::kConflict,
                   done.act.kind == ActKind::kRevoke
                       ? "a revocation cannot be undone: obtain new authority"
                       : "the suspension was lifted before: `chancery impact` shows those that stand"};
    }
    CHANCERY_ASSIGN(done.tokens, statuses_of(id));
    return {};
  });
  CHANCERY_TRY(sequence);
  return done;
}

Result<StatusAct> SqliteStatusBook::act(std::int64_t id) {
  const auto guard = journal_->hold();
  return find_act(id);
}

Result<std::vector<StatusAct>> SqliteStatusBook::standing(const StatusTarget& target) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kStandingActs));
  select.bind(target_kind_name(target.kind)).bind(target.value);
  return read_all<StatusAct>(select.bind(std::int64_t{names_token(target)}).bind(kMost), read_act);
}

Result<std::vector<StatusAct>> SqliteStatusBook::overdue_drills(sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kOverdueDrills));
  return read_all<StatusAct>(select.bind(now).bind(kMost), read_act);
}

// --- statuses

Result<std::vector<TokenStatus>> SqliteStatusBook::ended(sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kEndedTokens));
  return read_all<TokenStatus>(select.bind(now), read_status);
}

Result<StatusCounts> SqliteStatusBook::counts(sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kStatusCounts));
  CHANCERY_ASSIGN(const bool row, select.bind(now).step());
  if (!row) return kDamagedRow;
  const auto count = [&](int column) { return static_cast<std::uint64_t>(select.number(column)); };
  return StatusCounts{count(0), count(1), count(2)};
}

Result<std::vector<ConcernedToken>> SqliteStatusBook::concerned(const StatusTarget& target, sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_TRY(expect_token(target));
  CHANCERY_ASSIGN(Query select, database_.query(concerned_statement(target.kind)));
  return read_all<ConcernedToken>(select.bind(target.value).bind(now), read_concerned);
}

Result<StatusListRecord> SqliteStatusBook::list(std::uint64_t name) {
  if (name > INT64_MAX) return kNoSuchList;
  const auto guard = journal_->hold();
  StatusListRecord record;
  {
    CHANCERY_ASSIGN(Query select, database_.query(sql::kStatusList));
    CHANCERY_ASSIGN(const bool row, select.bind(static_cast<std::int64_t>(name)).step());
    if (!row) return kNoSuchList;
    record.size = static_cast<std::uint64_t>(select.number(0));
  }
  CHANCERY_ASSIGN(Query select, database_.query(sql::kStatusListEntries));
  select.bind(static_cast<std::int64_t>(name));
  CHANCERY_ASSIGN(record.entries, read_all<StatusListRecord::Entry>(select, read_entry));
  return record;
}

// --- drills

Status SqliteStatusBook::add_denied(const std::vector<DeniedUse>& uses) {
  return journal_->write([&]() -> Status {
    for (const DeniedUse& use : uses) {
      CHANCERY_ASSIGN(Query add, database_.query(sql::kAddDenied));
      add.bind(use.token).bind(use.leaf).bind(static_cast<std::int64_t>(use.count));
      CHANCERY_TRY(add.bind(use.first_at).bind(use.last_at).bind(kOtherLeaves).bind(kMostDenied).run());
    }
    return {};
  });
}

Result<std::vector<DeniedUse>> SqliteStatusBook::denied(std::int64_t drill) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kDenied));
  return read_all<DeniedUse>(select.bind(drill), read_denied);
}

Status SqliteStatusBook::forget(const char* statement, sys_seconds before) {
  CHANCERY_ASSIGN(Query remove, database_.query(statement));
  return remove.bind(before).run();
}

Status SqliteStatusBook::forget_expired(sys_seconds now) {
  const sys_seconds before = now - std::chrono::days(1);
  return journal_->write([&]() -> Status {
    for (const char* const statement : {sql::kForgetIndexes, sql::kForgetLists, sql::kForgetMarks}) {
      CHANCERY_TRY(forget(statement, before));
    }
    CHANCERY_TRY(forget(sql::kForgetDenials, now - kDenialMemory));
    return forget(sql::kForgetActs, now - kActMemory);
  });
}

}  // namespace

std::string_view target_kind_name(TargetKind kind) noexcept {
  return kTargetKinds[static_cast<std::size_t>(kind)];
}

std::optional<TargetKind> target_kind_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(kTargetKinds, name);
  if (found == kTargetKinds.end()) return std::nullopt;
  return static_cast<TargetKind>(found - kTargetKinds.begin());
}

std::string_view act_kind_name(ActKind kind) noexcept { return kActKinds[static_cast<std::size_t>(kind)]; }

std::unique_ptr<StatusBook> make_sqlite_status_book(std::shared_ptr<Journal> journal,
                                                    std::uint64_t list_size) {
  return std::make_unique<SqliteStatusBook>(std::move(journal), list_size);
}

}  // namespace chancery::store
