#include "daemon/store/sqlite_freeze_book.hpp"

#include <optional>
#include <utility>

#include "daemon/store/sqlite_rows.hpp"

namespace chancery::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeToRegister = 1h;

constexpr const char* kFrozen = "SELECT agent_id, since, reason FROM freezes ORDER BY agent_id";
constexpr const char* kFreeze = "INSERT OR IGNORE INTO freezes (agent_id, since, reason) VALUES (?, ?, ?)";
constexpr const char* kUnfreeze = "DELETE FROM freezes WHERE agent_id = ?";
constexpr const char* kSlots = "SELECT agent_id, slot FROM freeze_slots ORDER BY slot";
constexpr const char* kSlotOf = "SELECT slot FROM freeze_slots WHERE agent_id = ?";
constexpr const char* kTake = "INSERT INTO freeze_slots (agent_id, slot, taken_at) VALUES (?, ?, ?)";
constexpr const char* kReturnOfRetired =
    "DELETE FROM freeze_slots WHERE agent_id IN (SELECT id FROM agents WHERE retired_at IS NOT NULL)";
constexpr const char* kReturnOfUnknown =
    "DELETE FROM freeze_slots WHERE taken_at < ? AND agent_id NOT IN (SELECT id FROM agents)";
// To SQLite a CROSS JOIN says which side comes first: by itself it sorts all keys for each page.
constexpr const char* kActiveKeys =
    "SELECT a.seq, k.backend, k.blob FROM agents a CROSS JOIN keys k ON k.seq = a.key "
    "WHERE a.seq > ? AND a.retired_at IS NULL AND k.state = 'active' ORDER BY a.seq LIMIT ?";
// In the order of the index of states, which has a backend's keys in theirs.
constexpr const char* kRotatingKeys =
    "SELECT k.seq, k.backend, k.blob FROM keys k WHERE k.state = 'rotating' AND k.backend = ? AND k.seq > ? "
    "AND EXISTS (SELECT 1 FROM agents a WHERE a.id = k.owner) ORDER BY k.seq LIMIT ?";

Result<Freeze> freeze_from(const Query& row) {
  return Freeze{std::string(row.text(0)), row.time(1), std::string(row.text(2))};
}

Result<FreezeSlot> slot_from(const Query& row) {
  return FreezeSlot{std::string(row.text(0)), static_cast<std::uint16_t>(row.number(1))};
}

Result<AgentKey> key_from(const Query& row) { return AgentKey{row.number(0), row.text(1), row.octets(2)}; }

/// The lowest from 1 on that is not among these, which ascend.
std::uint16_t lowest_free(const std::vector<FreezeSlot>& taken, const SlotRequest& request) {
  std::set<std::uint16_t> unfit = request.avoid;
  for (const FreezeSlot& slot : taken) unfit.insert(slot.slot);
  for (std::uint16_t slot = 1; slot <= request.last; ++slot) {
    if (!unfit.contains(slot)) return slot;
  }
  return 0;
}

class SqliteFreezeBook final : public FreezeBook {
 public:
  explicit SqliteFreezeBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::vector<Freeze>> frozen() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kFrozen));
    return read_all<Freeze>(rows, freeze_from);
  }

  Result<std::uint64_t> freeze(const Freeze& freeze, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kFreeze));
      return insert.bind(freeze.agent_id).bind(freeze.since).bind(freeze.reason).run();
    });
  }

  Result<std::uint64_t> unfreeze(std::string_view agent_id, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query remove, database().query(kUnfreeze));
      CHANCERY_TRY(remove.bind(agent_id).run());
      if (database().changes() == 1) return {};
      return Error{ErrorCode::kConflict, "it is not frozen: there is nothing to unfreeze"};
    });
  }

  Result<std::vector<FreezeSlot>> slots() override {
    const auto held = journal_->hold();
    return all_slots();
  }

  Result<std::uint16_t> take_slot(const SlotRequest& request, sys_seconds now) override {
    std::uint16_t slot = 0;
    const Status taken = journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(slot, present_slot(request.agent_id));
      if (slot != 0) return {};
      CHANCERY_TRY(return_slots(now));
      CHANCERY_ASSIGN(const std::vector<FreezeSlot> others, all_slots());
      slot = lowest_free(others, request);
      if (slot == 0) return {};
      CHANCERY_ASSIGN(Query insert, database().query(kTake));
      return insert.bind(request.agent_id).bind(std::int64_t{slot}).bind(now).run();
    });
    if (!taken) return taken.error();
    return slot;
  }

  Result<std::vector<AgentKey>> active_keys(std::int64_t after, std::size_t limit) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kActiveKeys));
    rows.bind(after).bind(static_cast<std::int64_t>(limit));
    return read_all<AgentKey>(rows, key_from);
  }

  Result<std::vector<AgentKey>> rotating_keys(std::string_view backend, std::int64_t after,
                                              std::size_t limit) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kRotatingKeys));
    rows.bind(backend).bind(after).bind(static_cast<std::int64_t>(limit));
    return read_all<AgentKey>(rows, key_from);
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Result<std::vector<FreezeSlot>> all_slots() {
    CHANCERY_ASSIGN(Query rows, database().query(kSlots));
    return read_all<FreezeSlot>(rows, slot_from);
  }

  Result<std::uint16_t> present_slot(std::string_view agent_id) {
    CHANCERY_ASSIGN(Query select, database().query(kSlotOf));
    CHANCERY_ASSIGN(const bool row, select.bind(agent_id).step());
    return row ? static_cast<std::uint16_t>(select.number(0)) : std::uint16_t{0};
  }

  Status return_slots(sys_seconds now) {
    {
      CHANCERY_ASSIGN(Query retired, database().query(kReturnOfRetired));
      CHANCERY_TRY(retired.run());
    }
    CHANCERY_ASSIGN(Query unknown, database().query(kReturnOfUnknown));
    return unknown.bind(now - kTimeToRegister).run();
  }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::unique_ptr<FreezeBook> make_sqlite_freeze_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteFreezeBook>(std::move(journal));
}

}  // namespace chancery::store
