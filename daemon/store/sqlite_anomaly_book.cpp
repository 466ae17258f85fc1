#include "daemon/store/sqlite_anomaly_book.hpp"

namespace chancery::store {
namespace {

constexpr const char* kBaselines =
    "SELECT agent, learned FROM baselines JOIN agents ON agents.id = agent WHERE retired_at IS NULL";
constexpr const char* kForgetRetired =
    "DELETE FROM baselines WHERE agent NOT IN (SELECT id FROM agents WHERE retired_at IS NULL)";
constexpr const char* kKeepBaseline =
    "INSERT INTO baselines (agent, learned) VALUES (?, ?) "
    "ON CONFLICT (agent) DO UPDATE SET learned = excluded.learned";
constexpr const char* kAdd = "INSERT INTO anomalies (anomaly) VALUES (?)";
constexpr const char* kForget = "DELETE FROM anomalies WHERE id <= ?";
constexpr const char* kLastTold = "SELECT number FROM told_anomalies";
constexpr const char* kForgetTold = "DELETE FROM told_anomalies";
constexpr const char* kTell =
    "INSERT INTO told_anomalies (only_one, number) VALUES (1, ?) "
    "ON CONFLICT DO UPDATE SET number = excluded.number";
constexpr const char* kNext = "SELECT id, anomaly FROM anomalies WHERE id > ? ORDER BY id LIMIT 1";
constexpr const char* kWaiting = "SELECT count(*) FROM anomalies JOIN told_anomalies WHERE id > number";
constexpr const char* kNewest = "SELECT coalesce(max(id), 0) FROM anomalies";
constexpr const char* kRecent = "SELECT id, anomaly FROM anomalies ORDER BY id DESC LIMIT ?";

class SqliteAnomalyBook final : public AnomalyBook {
 public:
  explicit SqliteAnomalyBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::vector<Learned>> baselines() override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kBaselines));
    std::vector<Learned> out;
    for (;;) {
      CHANCERY_ASSIGN(const bool row, query.step());
      if (!row) return out;
      out.emplace_back(query.text(0), query.text(1));
    }
  }

  Status keep_baselines(std::span<const Learned> baselines) override {
    return journal_->write([&]() -> Status {
      for (const auto& [agent, learned] : baselines) {
        CHANCERY_ASSIGN(Query keep, database().query(kKeepBaseline));
        CHANCERY_TRY(keep.bind(agent).bind(learned).run());
      }
      return {};
    });
  }

  Status forget_retired() override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForgetRetired));
      return forget.run();
    });
  }

  Status add(std::string_view json) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kAdd));
      CHANCERY_TRY(insert.bind(json).run());
      CHANCERY_ASSIGN(Query forget, database().query(kForget));
      return forget.bind(database().last_row() - kMostAnomalies).run();
    });
  }

  Result<std::vector<Kept>> recent(std::size_t limit) override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kRecent));
    query.bind(static_cast<std::int64_t>(limit));
    std::vector<Kept> out;
    for (;;) {
      CHANCERY_ASSIGN(const bool row, query.step());
      if (!row) return out;
      out.emplace_back(query.number(0), query.text(1));
    }
  }

  Result<std::int64_t> newest() override {
    const auto guard = journal_->hold();
    return database().number(kNewest);
  }

  Result<std::optional<std::int64_t>> last_told() override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kLastTold));
    CHANCERY_ASSIGN(const bool row, query.step());
    return row ? std::optional(query.number(0)) : std::nullopt;
  }

  Status set_last_told(std::optional<std::int64_t> number) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query query, database().query(number ? kTell : kForgetTold));
      if (number) query.bind(*number);
      return query.run();
    });
  }

  Result<std::optional<Kept>> next_after(std::int64_t number) override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kNext));
    query.bind(number);
    CHANCERY_ASSIGN(const bool row, query.step());
    return row ? std::optional(Kept(query.number(0), query.text(1))) : std::nullopt;
  }

  Result<std::uint64_t> waiting() override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kWaiting));
    CHANCERY_TRY(query.step());
    return static_cast<std::uint64_t>(query.number(0));
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<AnomalyBook> make_sqlite_anomaly_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteAnomalyBook>(std::move(journal));
}

}  // namespace chancery::store
