#include "daemon/store/sqlite_permit_book.hpp"

#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/sqlite_vault_book.hpp"

namespace chancery::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kMemory = 24h;

// The agent is the key's owner; of a process's own key, which a session has, the token knows it.
constexpr const char* kInsert =
    "INSERT INTO permits (id, decision, runtime, token, key, tool, scope, credential, arguments, given_at, "
    "expires_at, leaf_expires_at, released_at, agent_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
    "coalesce((SELECT owner FROM keys WHERE thumbprint = ?5), (SELECT agent_id FROM tokens WHERE id = ?4), ''))";
constexpr const char* kFind =
    "SELECT id, decision, runtime, token, key, tool, scope, credential, arguments, given_at, expires_at, "
    "released_at, ended_at, receipt, leaf_expires_at FROM permits WHERE id = ?";
constexpr const char* kUnreported =
    "SELECT id, decision, runtime, token, key, tool, scope, credential, arguments, given_at, expires_at, "
    "released_at, ended_at, receipt, leaf_expires_at FROM permits WHERE ended_at IS NULL AND given_at < ? ORDER BY given_at LIMIT ?";
constexpr const char* kRelease =
    "UPDATE permits SET released_at = ?2 WHERE id = ?1 AND released_at IS NULL AND ended_at IS NULL AND "
    "expires_at > ?2";
constexpr const char* kEnd =
    "UPDATE permits SET ended_at = ?2, receipt = ?3 WHERE id = ?1 AND ended_at IS NULL";
constexpr const char* kForget = "DELETE FROM permits WHERE expires_at < ? AND ended_at IS NOT NULL";

constexpr Error kEnded{ErrorCode::kConflict, "the permit has ended: its result was reported before"};

Result<Permit> permit_from(const Query& row) {
  Permit out;
  out.id = row.text(0);
  out.decision = row.text(1);
  out.runtime = row.text(2);
  out.token = row.text(3);
  CHANCERY_ASSIGN(out.key, read_thumbprint(row.text(4)));
  out.tool = row.text(5);
  out.scope = row.text(6);
  out.credential = row.text(7);
  out.arguments = row.text(8);
  out.given_at = row.time(9);
  out.expires_at = row.time(10);
  out.released_at = optional_time(row, 11);
  out.ended_at = optional_time(row, 12);
  out.receipt = row.text(13);
  out.leaf_expires_at = row.time(14);
  return out;
}

// Why a permit releases nothing.
Error not_released(const Permit& permit, sys_seconds now) {
  if (permit.released_at)
    return {ErrorCode::kConflict, "the permit was used before: each releases its credential once"};
  if (permit.ended_at) return kEnded;
  if (permit.expires_at <= now)
    return {ErrorCode::kConflict, "the permit has expired: ask for another, with a fresh proof"};
  return {ErrorCode::kConflict, "the permit was used meanwhile: each releases its credential once"};
}

class SqlitePermitBook final : public PermitBook {
 public:
  explicit SqlitePermitBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<Permit> find(std::string_view id) override {
    const auto held = journal_->hold();
    return read(id);
  }

  Result<std::uint64_t> release(const Permit& permit, const Credential& read_before, const CredentialUse& use,
                                sys_seconds now, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      {
        CHANCERY_ASSIGN(Query update, database().query(kRelease));
        CHANCERY_TRY(update.bind(permit.id).bind(now).run());
      }
      if (database().changes() != 1) {
        CHANCERY_ASSIGN(const Permit found, read(permit.id));
        return not_released(found, now);
      }
      return take_use_within(database(), read_before, use, now);
    });
  }

  Result<std::uint64_t> record_issue(std::string_view id, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(const Permit permit, read(id));
      return permit.ended_at ? Status{kEnded} : Status{};
    });
  }

  Result<std::uint64_t> end(std::string_view id, std::string_view receipt, sys_seconds now,
                            const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      {
        CHANCERY_ASSIGN(Query update, database().query(kEnd));
        CHANCERY_TRY(update.bind(id).bind(now).bind(receipt).run());
      }
      if (database().changes() != 1) {
        CHANCERY_TRY(read(id));
        return kEnded;
      }
      return end_use_within(database(), id);
    });
  }

  Result<std::vector<Permit>> unreported(sys_seconds given_before) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kUnreported));
    return read_all<Permit>(rows.bind(given_before).bind(static_cast<std::int64_t>(kMaxPage)), permit_from);
  }

  Status prune(sys_seconds now) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForget));
      return forget.bind(now - kMemory).run();
    });
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Result<Permit> read(std::string_view id) { return read_permit(database(), id); }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

Result<Permit> read_permit(Database& database, std::string_view id) {
  CHANCERY_ASSIGN(Query select, database.query(kFind));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return kNoSuchPermit;
  return permit_from(select);
}

Status give_permit(Database& database, const NewPermit& given) {
  const Permit& permit = given.permit;
  const std::string key = permit.key.text();
  {
    CHANCERY_ASSIGN(Query insert, database.query(kInsert));
    insert.bind(permit.id).bind(permit.decision).bind(permit.runtime).bind(permit.token).bind(key);
    insert.bind(permit.tool).bind(permit.scope).bind(permit.credential).bind(permit.arguments);
    insert.bind(permit.given_at).bind(permit.expires_at).bind(permit.leaf_expires_at);
    CHANCERY_TRY(insert.bind_optional(permit.released_at).run());
  }
  if (!given.release) return {};
  return take_use_within(database, given.release->credential, given.release->use, permit.given_at);
}

std::unique_ptr<PermitBook> make_sqlite_permit_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqlitePermitBook>(std::move(journal));
}

}  // namespace chancery::store
