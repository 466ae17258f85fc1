#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/store/record_seal.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

inline constexpr Error kNoSuchAgent{ErrorCode::kNotFound,
                                    "no such agent: `chancery agent list` shows the agents"};
inline constexpr Error kNoSuchKey{ErrorCode::kNotFound,
                                  "no such key: `chancery key list` shows the keys of an agent"};
inline constexpr Error kNoPin{ErrorCode::kNotFound, "no device is pinned for this backend yet"};
inline constexpr Error kDamagedRow{
    ErrorCode::kStoreCorrupt,
    "a record in the database is damaged, or was changed by another hand: restore "
    "it from a backup"};

/// An agent, and the row of its newest key.
struct PlacedAgent {
  Agent agent;
  std::int64_t key_place = 0;
};

// What a row holds, in the order of columns that statements.hpp gives. kStoreCorrupt when it is damaged, or
// not sealed with this seal.

[[nodiscard]] Result<Key> parse_key(const Query& row);            ///< whatever its seal
[[nodiscard]] Result<PlacedAgent> parse_agent(const Query& row);  ///< whatever its seal
[[nodiscard]] Result<Key> read_key(const Query& row, const RecordSeal& seal);
[[nodiscard]] Result<Agent> read_agent(const Query& row, const RecordSeal& seal);
[[nodiscard]] Result<IssuedToken> read_token(const Query& row);
[[nodiscard]] Result<KeyIntent> read_intent(const Query& row);
[[nodiscard]] Result<AuditRecord> read_audit(const Query& row);
[[nodiscard]] Result<Thumbprint> read_thumbprint(std::string_view text);
[[nodiscard]] Result<KeyState> read_key_state(std::string_view name);
[[nodiscard]] std::string_view intent_name(KeyIntent::Kind kind) noexcept;

/// The time in a column that may be NULL.
[[nodiscard]] std::optional<sys_seconds> optional_time(const Query& row, int column);

/// kInvalidArgument unless it is 1 to kMaxPage.
[[nodiscard]] Status check_page(std::size_t limit);

/// All rows, each read by `read`: Query → Result<Record>.
template <typename Record, typename Read>
[[nodiscard]] Result<std::vector<Record>> read_all(Query& rows, Read read) {
  std::vector<Record> records;
  while (true) {
    CHANCERY_ASSIGN(const bool row, rows.step());
    if (!row) return records;
    CHANCERY_ASSIGN(Record record, read(rows));
    records.push_back(std::move(record));
  }
}

/// Those that are not damaged.
template <typename Record, typename Read>
[[nodiscard]] Result<std::vector<Record>> read_sound(Query& rows, Read read) {
  std::vector<Record> records;
  while (true) {
    CHANCERY_ASSIGN(const bool row, rows.step());
    if (!row) return records;
    if (auto record = read(rows)) records.push_back(*std::move(record));
  }
}

}  // namespace chancery::store
