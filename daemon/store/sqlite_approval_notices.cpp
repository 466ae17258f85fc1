#include "daemon/store/sqlite_approval_notices.hpp"

#include <utility>

#include "sdk/json/writer.hpp"

namespace chancery::store {
namespace {

// Of those that were forgotten too: their numbers are not given again.
constexpr const char* kNewest =
    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'approval_notices'), 0)";
constexpr const char* kLastTold = "SELECT number FROM told_approvals";
constexpr const char* kTell =
    "INSERT INTO told_approvals (only_one, number) VALUES (1, ?) "
    "ON CONFLICT DO UPDATE SET number = excluded.number";
constexpr const char* kForgetTold = "DELETE FROM approval_notices WHERE id <= ?";
constexpr const char* kTellNobody = "DELETE FROM told_approvals";
constexpr const char* kForgetAll = "DELETE FROM approval_notices";
constexpr const char* kNext =
    "SELECT id, request, state, at FROM approval_notices WHERE id > ? ORDER BY id LIMIT 1";
constexpr const char* kWaiting =
    "SELECT count(*) FROM approval_notices JOIN told_approvals WHERE id > number";

class SqliteApprovalNotices final : public Outbox {
 public:
  explicit SqliteApprovalNotices(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::int64_t> newest() override {
    const auto held = journal_->hold();
    return database().number(kNewest);
  }

  Result<std::optional<std::int64_t>> last_told() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kLastTold));
    CHANCERY_ASSIGN(const bool row, query.step());
    return row ? std::optional(query.number(0)) : std::nullopt;
  }

  Status set_last_told(std::optional<std::int64_t> number) override {
    return journal_->write([&]() -> Status {
      {
        CHANCERY_ASSIGN(Query query, database().query(number ? kTell : kTellNobody));
        if (number) query.bind(*number);
        CHANCERY_TRY(query.run());
      }
      CHANCERY_ASSIGN(Query forget, database().query(number ? kForgetTold : kForgetAll));
      if (number) forget.bind(*number);
      return forget.run();
    });
  }

  Result<std::optional<Kept>> next_after(std::int64_t number) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kNext));
    query.bind(number);
    CHANCERY_ASSIGN(const bool row, query.step());
    if (!row) return std::optional<Kept>();
    const json::Node notice =
        json::Node::object({{"id", query.text(1)}, {"state", query.text(2)}, {"at", query.number(3)}});
    return std::optional(Kept(query.number(0), json::to_jcs(notice)));
  }

  Result<std::uint64_t> waiting() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(const std::int64_t count, database().number(kWaiting));
    return static_cast<std::uint64_t>(count);
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<Outbox> make_sqlite_approval_notices(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteApprovalNotices>(std::move(journal));
}

}  // namespace chancery::store
