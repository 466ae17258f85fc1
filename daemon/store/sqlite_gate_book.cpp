#include "daemon/store/sqlite_gate_book.hpp"

#include <atomic>
#include <utility>

#include "daemon/store/sqlite_approval_book.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::store {
namespace {

constexpr const char* kWasLetThrough = "SELECT 1 FROM let_through WHERE gate = ? AND value = ?";
constexpr const char* kLetThrough =
    "INSERT INTO let_through (gate, value, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
constexpr const char* kWasDenied =
    "SELECT 1 FROM parked_calls WHERE matter = ? AND state = 'denied' AND expires_at > ? AND (key = ? OR first_key = ?)";
constexpr const char* kAnyGated = "SELECT EXISTS (SELECT 1 FROM gated_tokens)";
constexpr const char* kGateOf = "SELECT gate FROM gated_tokens WHERE token = ?";
constexpr const char* kPutBehind = "INSERT INTO gated_tokens (token, gate) VALUES (?, ?)";

Status error_of(Parking::Outcome outcome) {
  switch (outcome) {
    case Parking::Outcome::kParked:
      return {};
    case Parking::Outcome::kWaitsAlready:
    case Parking::Outcome::kApproved:
      return Error{ErrorCode::kConflict, "the same was asked for at this moment: ask again"};
    case Parking::Outcome::kTooManyOfKey:
    case Parking::Outcome::kTooManyOfFirst:
    case Parking::Outcome::kTooMany:
      return Error{ErrorCode::kOverloaded,
                   "too many requests wait for an approval: `chancery approval list` shows them"};
  }
  return {};
}

class SqliteGateBook final : public GateBook {
 public:
  explicit SqliteGateBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Status park(const ParkedCall& request, const AuditEntry& audit) override {
    CHANCERY_TRY(journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(const Parking parked, park_call(journal_->database(), request));
      return error_of(parked.outcome);
    }));
    return {};
  }

  Status require_room(const ParkedCall& request) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(const Parking::Outcome outcome, room_for(journal_->database(), request));
    return error_of(outcome);
  }

  Result<bool> was_let_through(const LetThrough& value) override {
    const auto held = journal_->hold();
    const std::string sealed = hex_encode(journal_->seal().of(value));
    CHANCERY_ASSIGN(Query select, journal_->database().query(kWasLetThrough));
    return select.bind(value.gate).bind(sealed).step();
  }

  Result<bool> was_denied(const ParkedCall& asked, sys_seconds now) override {
    const std::string key = asked.key.text();
    const std::string first = asked.first.text();
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query select, journal_->database().query(kWasDenied));
    return select.bind(asked.matter).bind(now).bind(key).bind(first).step();
  }

  Result<std::string> gate_of(std::string_view token) override {
    if (gated_ == Gated::kNone) return std::string();
    const auto held = journal_->hold();
    if (gated_ == Gated::kUnknown) {
      CHANCERY_ASSIGN(const std::int64_t any, journal_->database().number(kAnyGated));
      auto unknown = Gated::kUnknown;
      gated_.compare_exchange_strong(unknown, any == 0 ? Gated::kNone : Gated::kSome);
    }
    CHANCERY_ASSIGN(Query select, journal_->database().query(kGateOf));
    CHANCERY_ASSIGN(const bool row, select.bind(token).step());
    return row ? select.text(0) : std::string();
  }

  void note_gated() noexcept override { gated_ = Gated::kSome; }

 private:
  // Each action asks, and must not wait for a commit where nothing is gated.
  enum class Gated : std::uint8_t { kUnknown, kNone, kSome };
  std::atomic<Gated> gated_ = Gated::kUnknown;
  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<GateBook> make_sqlite_gate_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteGateBook>(std::move(journal));
}

Status let_through(Journal& journal, const std::vector<LetThrough>& values, sys_seconds now) {
  for (const LetThrough& value : values) {
    const std::string sealed = hex_encode(journal.seal().of(value));
    CHANCERY_ASSIGN(Query insert, journal.database().query(kLetThrough));
    CHANCERY_TRY(insert.bind(value.gate).bind(sealed).bind(now).run());
  }
  return {};
}

Status put_behind(Database& database, const std::string& token, const std::string& gate) {
  if (gate.empty()) return {};
  CHANCERY_ASSIGN(Query insert, database.query(kPutBehind));
  return insert.bind(token).bind(gate).run();
}

}  // namespace chancery::store
