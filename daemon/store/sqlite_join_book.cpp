#include "daemon/store/sqlite_join_book.hpp"

namespace chancery::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kMemory = 24h;

constexpr const char* kInsert =
    "INSERT INTO join_tokens (hash, agent_id, chain, created_at, expires_at) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kTake =
    "UPDATE join_tokens SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at >= ?2";
constexpr const char* kGiveBack = "UPDATE join_tokens SET used_at = NULL WHERE hash = ?";
constexpr const char* kFind =
    "SELECT hash, agent_id, chain, created_at, expires_at, used_at FROM join_tokens WHERE hash = ?";
constexpr const char* kForget = "DELETE FROM join_tokens WHERE expires_at < ?";

class SqliteJoinBook final : public JoinBook {
 public:
  explicit SqliteJoinBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::uint64_t> add(const JoinToken& token, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kInsert));
      insert.bind(token.hash).bind(token.agent_id).bind(token.chain);
      return insert.bind(token.created_at).bind(token.expires_at).run();
    });
  }

  Result<JoinUse> take(std::string_view hash, sys_seconds now, JoinToken& out) override {
    JoinUse use{};
    CHANCERY_TRY(journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(use, take_within(hash, now, out));
      return {};
    }));
    return use;
  }

  Status give_back(std::string_view hash) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query update, database().query(kGiveBack));
      return update.bind(hash).run();
    });
  }

  Status prune(sys_seconds now) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForget));
      return forget.bind(now - kMemory).run();
    });
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Result<JoinUse> take_within(std::string_view hash, sys_seconds now, JoinToken& out) {
    {
      CHANCERY_ASSIGN(Query take, database().query(kTake));
      CHANCERY_TRY(take.bind(hash).bind(now).run());
    }
    const bool is_taken = database().changes() == 1;
    CHANCERY_ASSIGN(Query find, database().query(kFind));
    CHANCERY_ASSIGN(const bool row, find.bind(hash).step());
    if (!row) return JoinUse::kUnknown;
    out = {find.text(0), find.text(1), find.text(2), find.time(3), find.time(4)};
    if (is_taken) return JoinUse::kTaken;
    return find.is_null(5) ? JoinUse::kExpired : JoinUse::kUsedBefore;
  }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<JoinBook> make_sqlite_join_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteJoinBook>(std::move(journal));
}

}  // namespace chancery::store
