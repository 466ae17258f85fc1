#include "daemon/store/audit_refs.hpp"

#include <algorithm>
#include <vector>

#include "daemon/store/sqlite_rows.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr std::size_t kRefSize = 16;

// Whoever looks for a reference reads through all that wait.
constexpr std::int64_t kMostWaiting = 4096;
constexpr std::int64_t kBetweenLooks = 64;  // entries

constexpr const char* kKeep = "INSERT INTO audit_recent (sequence, refs) VALUES (?, ?)";
constexpr const char* kOldest = "SELECT sequence, refs FROM audit_recent ORDER BY sequence LIMIT ?";
constexpr const char* kInsert = "INSERT INTO audit_refs (ref, sequence) VALUES (?, ?) ON CONFLICT DO NOTHING";
constexpr const char* kForget = "DELETE FROM audit_recent WHERE sequence <= ?";

struct Waiting {
  std::int64_t sequence;
  Bytes refs;
};

Result<Waiting> read_waiting(const Query& row) { return Waiting{row.number(0), row.octets(1)}; }

Result<std::vector<Waiting>> oldest(Database& database, std::size_t most) {
  CHANCERY_ASSIGN(Query select, database.query(kOldest));
  return read_all<Waiting>(select.bind(static_cast<std::int64_t>(most)), read_waiting);
}

Status insert(Database& database, const Waiting& entry) {
  for (ByteView rest = entry.refs; rest.size() >= kRefSize; rest = rest.subspan(kRefSize)) {
    CHANCERY_ASSIGN(Query insert, database.query(kInsert));
    CHANCERY_TRY(insert.bind(rest.first(kRefSize)).bind(entry.sequence).run());
  }
  return {};
}

Status make_room(Database& database, std::int64_t sequence) {
  if (sequence % kBetweenLooks != 0) return {};
  CHANCERY_ASSIGN(const std::vector<Waiting> first, oldest(database, 1));
  if (first.empty() || first.front().sequence + kMostWaiting > sequence) return {};
  CHANCERY_TRY(index_refs(database, 2 * kBetweenLooks));
  return {};
}

}  // namespace

Bytes audit_ref(std::string_view identifier) {
  const Sha256Digest digest = sha256(as_bytes(identifier));
  return {digest.begin(), digest.begin() + kRefSize};
}

Status keep_refs(Database& database, std::int64_t sequence, std::span<const std::string> identifiers) {
  CHANCERY_TRY(make_room(database, sequence));
  if (identifiers.empty()) return {};
  Bytes refs;
  refs.reserve(identifiers.size() * kRefSize);
  for (const std::string& identifier : identifiers) {
    const Bytes ref = audit_ref(identifier);
    refs.insert(refs.end(), ref.begin(), ref.end());
  }
  CHANCERY_ASSIGN(Query insert, database.query(kKeep));
  return insert.bind(sequence).bind(refs).run();
}

Result<std::size_t> index_refs(Database& database, std::size_t most) {
  CHANCERY_ASSIGN(const std::vector<Waiting> entries, oldest(database, most));
  for (const Waiting& entry : entries) CHANCERY_TRY(insert(database, entry));
  if (entries.empty()) return std::size_t{0};
  CHANCERY_ASSIGN(Query forget, database.query(kForget));
  CHANCERY_TRY(forget.bind(entries.back().sequence).run());
  return entries.size();
}

}  // namespace chancery::store
