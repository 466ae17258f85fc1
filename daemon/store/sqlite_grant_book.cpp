#include "daemon/store/sqlite_grant_book.hpp"

#include "daemon/store/sqlite_rows.hpp"

namespace chancery::store {
namespace {

constexpr const char* kFind =
    "SELECT issuer, state, since, generation, data_key, value, value IS NULL FROM issuer_grants WHERE issuer = ?";
constexpr const char* kInsert =
    "INSERT INTO issuer_grants (issuer, state, since, generation, data_key, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
constexpr const char* kReplace =
    "UPDATE issuer_grants SET state = ?2, since = ?3, generation = ?4, data_key = ?5, value = ?6 WHERE issuer = ?1 AND "
    "generation = ?4 - 1";
constexpr const char* kInsertEnded =
    "INSERT INTO issuer_grants (issuer, state, since, generation) VALUES (?1, ?2, ?3, ?4)";
constexpr const char* kEnd =
    "UPDATE issuer_grants SET state = ?2, since = ?3, generation = ?4, data_key = NULL, value = NULL WHERE "
    "issuer = ?1 AND generation = ?4 - 1";

constexpr Error kOtherGrant{ErrorCode::kConflict, "the grant was replaced by another meanwhile"};

Result<GrantState> state_from(std::string_view name) {
  using enum GrantState;
  for (const GrantState state : {kUsable, kRefreshing, kUncertain, kEnded}) {
    if (grant_state_name(state) == name) return state;
  }
  return kDamagedRow;
}

Result<SealedGrant> grant_from(const Query& row) {
  SealedGrant out;
  out.issuer = row.text(0);
  CHANCERY_ASSIGN(out.state, state_from(row.text(1)));
  out.since = row.time(2);
  out.generation = static_cast<std::uint64_t>(row.number(3));
  if (row.number(6) == 0) out.envelope = Envelope{row.octets(4), row.octets(5)};
  return out;
}

class SqliteGrantBook final : public GrantBook {
 public:
  explicit SqliteGrantBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::optional<SealedGrant>> find(std::string_view issuer) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kFind));
    CHANCERY_ASSIGN(const bool row, query.bind(issuer).step());
    if (!row) return std::optional<SealedGrant>();
    CHANCERY_ASSIGN(SealedGrant grant, grant_from(query));
    return std::optional(std::move(grant));
  }

  Status replace(const SealedGrant& next, const AuditEntry* audit) override {
    const Journal::Effect effect = [&] { return put(next); };
    if (audit == nullptr) CHANCERY_TRY(journal_->write(effect));
    if (audit != nullptr) CHANCERY_TRY(journal_->mutate(*audit, effect));
    // What was there stands in the log's older pages until these are written back.
    const auto held = journal_->hold();
    static_cast<void>(database().execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    return {};
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Status put(const SealedGrant& next) {
    const bool is_first = next.generation == 1;
    const bool has_token = next.envelope.has_value();
    const char* const first = has_token ? kInsert : kInsertEnded;
    const char* const later = has_token ? kReplace : kEnd;
    CHANCERY_ASSIGN(Query query, database().query(is_first ? first : later));
    query.bind(next.issuer).bind(grant_state_name(next.state)).bind(next.since);
    query.bind(static_cast<std::int64_t>(next.generation));
    if (has_token) query.bind(next.envelope->data_key).bind(next.envelope->value);
    const Status done = query.run();
    if (!done) return done.error().code == ErrorCode::kConflict ? Status{kOtherGrant} : done;
    return database().changes() == 1 ? Status{} : Status{kOtherGrant};
  }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::string_view grant_state_name(GrantState state) noexcept {
  switch (state) {
    case GrantState::kUsable:
      return "usable";
    case GrantState::kRefreshing:
      return "refreshing";
    case GrantState::kUncertain:
      return "uncertain";
    case GrantState::kEnded:
      return "ended";
  }
  return "";
}

std::unique_ptr<GrantBook> make_sqlite_grant_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteGrantBook>(std::move(journal));
}

}  // namespace chancery::store
