#include "daemon/store/sqlite_proof_book.hpp"

#include "daemon/store/horizon.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::store {
namespace {

constexpr std::string_view kBook = "proofs";

constexpr const char* kInsert =
    "INSERT INTO proofs (holder, jti, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
constexpr const char* kCount = "SELECT count(*) FROM proofs WHERE holder = ? AND expires_at >= ?";
constexpr const char* kFind = "SELECT 1 FROM proofs WHERE holder = ? AND jti = ?";
constexpr const char* kExpired = "SELECT 1 FROM proofs WHERE expires_at < ? LIMIT 1";
constexpr const char* kForget = "DELETE FROM proofs WHERE expires_at < ?";

class SqliteProofBook final : public ProofBook {
 public:
  explicit SqliteProofBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<ProofRecord> record(const ProofUse& use) override {
    ProofRecord record{};
    CHANCERY_TRY(journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(record, insert_proof(*journal_, use));
      return {};
    }));
    return record;
  }

  Status prune(std::chrono::sys_seconds now) override {
    const std::chrono::sys_seconds until = now - kClockMargin;
    {
      const auto guard = journal_->hold();
      CHANCERY_ASSIGN(Query expired, journal_->database().query(kExpired));
      CHANCERY_ASSIGN(const bool any, expired.bind(until).step());
      if (!any) return {};
    }
    return journal_->write([&]() -> Status {
      CHANCERY_TRY(note_forgotten(journal_->database(), kBook, until));
      CHANCERY_ASSIGN(Query forget, journal_->database().query(kForget));
      return forget.bind(until).run();
    });
  }

 private:
  std::shared_ptr<Journal> journal_;
};

Result<std::int64_t> count_proofs(Database& database, const std::string& holder,
                                  std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(Query select, database.query(kCount));
  CHANCERY_ASSIGN(const bool row, select.bind(holder).bind(now).step());
  return row ? select.number(0) : 0;
}

}  // namespace

Result<ProofRecord> insert_proof(Journal& journal, const ProofUse& use) {
  Database& database = journal.database();
  CHANCERY_TRY(require_remembered(database, kBook, use.at));
  const std::string holder = use.holder.text();
  const std::string jti = hex_encode(use.jti);
  ProofCounts::Count& count = journal.proof_counts().of(use.holder, use.at);
  if (!count || *count >= kMaxProofs) {
    CHANCERY_ASSIGN(count, count_proofs(database, holder, use.at));
  }
  if (*count < kMaxProofs) {
    CHANCERY_ASSIGN(Query insert, database.query(kInsert));
    CHANCERY_TRY(insert.bind(holder).bind(jti).bind(use.expires_at).run());
    if (database.changes() == 0) return ProofRecord::kUsedBefore;
    ++*count;
    return ProofRecord::kRecorded;
  }
  CHANCERY_ASSIGN(Query find, database.query(kFind));
  CHANCERY_ASSIGN(const bool is_known, find.bind(holder).bind(jti).step());
  return is_known ? ProofRecord::kUsedBefore : ProofRecord::kTooMany;
}

std::unique_ptr<ProofBook> make_sqlite_proof_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteProofBook>(std::move(journal));
}

}  // namespace chancery::store
