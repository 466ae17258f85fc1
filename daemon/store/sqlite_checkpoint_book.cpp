#include "daemon/store/sqlite_checkpoint_book.hpp"

#include <charconv>
#include <string>

#include "daemon/store/horizon.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/token_ends.hpp"

namespace chancery::store {
namespace {

constexpr const char* kWhyEnded = "an older copy was accepted";
constexpr const char* kLast = "SELECT value, intended FROM checkpoint";
constexpr const char* kKeep =
    "INSERT INTO checkpoint (only_one, value, intended) VALUES (1, ?, ?) ON CONFLICT DO UPDATE "
    "SET value = excluded.value, intended = excluded.intended";

Result<std::uint64_t> read_value(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return kDamagedRow;
  return value;
}

class SqliteCheckpointBook final : public CheckpointBook {
 public:
  explicit SqliteCheckpointBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::optional<Checkpoint>> last() override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, journal_->database().query(kLast));
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return std::optional<Checkpoint>();
    Checkpoint checkpoint;
    CHANCERY_ASSIGN(checkpoint.value, read_value(select.text(0)));
    if (!select.is_null(1)) {
      CHANCERY_ASSIGN(checkpoint.intended, read_value(select.text(1)));
    }
    return std::optional(checkpoint);
  }

  Status keep(const Checkpoint& checkpoint) override {
    return journal_->write([&] { return write(checkpoint); });
  }

  Result<std::uint64_t> record(const Checkpoint& checkpoint, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&] { return write(checkpoint); });
  }

  Status accept(const Decision& decision, const AuditEntry& audit) override {
    const auto accepted = journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(reset_horizons(journal_->database()));
      if (decision.ends_tokens) CHANCERY_TRY(end_all_tokens(journal_->database(), kWhyEnded, audit.at));
      return decision.checkpoint ? write(*decision.checkpoint) : Status{};
    });
    return accepted ? Status{} : Status{accepted.error()};
  }

 private:
  Status write(const Checkpoint& checkpoint) {
    const std::string value = std::to_string(checkpoint.value);
    std::optional<std::string> intended;
    if (checkpoint.intended) intended = std::to_string(*checkpoint.intended);
    CHANCERY_ASSIGN(Query keep, journal_->database().query(kKeep));
    return keep.bind(value).bind_optional(intended).run();
  }

  std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<CheckpointBook> make_sqlite_checkpoint_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteCheckpointBook>(std::move(journal));
}

}  // namespace chancery::store
