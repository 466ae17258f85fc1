#include "daemon/store/sqlite_audit_book.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/store/audit_refs.hpp"
#include "daemon/store/audit_tree.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr const char* kName = "UPDATE audit_log SET origin = ? WHERE origin IS NULL";
constexpr const char* kIdentity = "SELECT id, origin FROM audit_log";
constexpr const char* kRename = "UPDATE audit_log SET id = ?, origin = ?";
constexpr const char* kEntry = "SELECT sequence, at, entry FROM audit WHERE sequence = ?";
constexpr const char* kBefore =
    "SELECT sequence, at, entry FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?";
constexpr const char* kKeep = "INSERT INTO audit_checkpoints (size, at, note) VALUES (?, ?, ?)";
// The first line of a checkpoint is the log's name.
constexpr const char* kLastCheckpoint =
    "SELECT c.size, c.at, c.note FROM audit_checkpoints c, audit_log l WHERE instr(c.note, l.origin || char(10)) = 1 "
    "ORDER BY c.size DESC LIMIT 1";
constexpr const char* kLastOfAnyName =
    "SELECT size, at, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1";
constexpr const char* kCheckpoints =
    "SELECT c.size, c.at, c.note FROM audit_checkpoints c, audit_log l WHERE instr(c.note, l.origin || char(10)) = 1 "
    "AND c.size > ? ORDER BY c.size LIMIT ?";

constexpr const char* kWaiting = "SELECT count(*) FROM audit_recent";

constexpr std::size_t kIdOctets = 16;
// Whoever records something meanwhile waits for it: so it is done seldom, of many entries, which share pages.
constexpr std::size_t kIndexedTogether = 512;
constexpr std::size_t kIdOctetsInOrigin = 8;
constexpr std::string_view kBeforeId = "/audit/";

constexpr Error kNoSuchEntry{ErrorCode::kNotFound,
                             "the audit log has no such entry: they are counted from 1"};
constexpr Error kNoSuchTree{ErrorCode::kInvalidArgument,
                            "the audit log never had a tree of that size: name one up to its present size"};

// What SQLite can count; beyond it there is nothing.
std::int64_t bounded(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
}

Result<SignedCheckpoint> read_checkpoint(const Query& row) {
  return SignedCheckpoint{static_cast<std::uint64_t>(row.number(0)), row.time(1), row.text(2)};
}

std::string origin_of(std::string_view host, ByteView id) {
  return std::string(host).append(kBeforeId) + hex_encode(id.first(std::min(id.size(), kIdOctetsInOrigin)));
}

class SqliteAuditBook final : public AuditBook {
 public:
  explicit SqliteAuditBook(std::shared_ptr<Journal> journal) noexcept
      : journal_(std::move(journal)), database_(journal_->database()) {}

  void govern_by(std::string policy) override { journal_->govern_by(std::move(policy)); }

  Result<std::string> origin(std::string_view host) override {
    CHANCERY_ASSIGN(std::string known, known_origin());
    if (!known.empty()) return known;
    CHANCERY_TRY(journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(const Bytes id, id_of_log());
      const std::string origin = origin_of(host, id);
      CHANCERY_ASSIGN(Query name, database_.query(kName));
      return name.bind(origin).run();
    }));
    return known_origin();
  }

  Result<std::string> known_origin() override {
    const auto guard = journal_->hold();
    return read_log_name(database_);
  }

  // One that has no name yet may have been given one elsewhere: its number changes all the same.
  Status rename(const AuditEntry& audit) override {
    Bytes id(kIdOctets);
    CHANCERY_TRY(random_bytes(id));
    CHANCERY_TRY(journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(const std::string former, read_log_name(database_));
      std::optional<std::string> origin;
      if (!former.empty()) origin = origin_of(former.substr(0, former.rfind(kBeforeId)), id);
      CHANCERY_ASSIGN(Query rename, database_.query(kRename));
      return rename.bind(id).bind_optional(origin).run();
    }));
    return {};
  }

  AuditCounts counts() const override { return journal_->audit_counts(); }

  Result<AuditRecord> entry(std::uint64_t sequence) override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(kEntry));
    CHANCERY_ASSIGN(const bool row, select.bind(bounded(sequence)).step());
    return row ? read_audit(select) : kNoSuchEntry;
  }

  Result<std::vector<AuditRecord>> with_ref(std::string_view ref, std::uint64_t after,
                                            std::size_t limit) override {
    CHANCERY_TRY(check_page(limit));
    const Bytes key = audit_ref(ref);
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(kWithRef));
    select.bind(key).bind(bounded(after)).bind(static_cast<std::int64_t>(limit));
    return read_all<AuditRecord>(select, read_audit);
  }

  Result<std::vector<AuditRecord>> last_with_ref(std::string_view ref, std::size_t limit) override {
    CHANCERY_TRY(check_page(limit));
    const Bytes key = audit_ref(ref);
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(kLastWithRef));
    select.bind(key).bind(static_cast<std::int64_t>(limit));
    CHANCERY_ASSIGN(std::vector<AuditRecord> records, read_all<AuditRecord>(select, read_audit));
    std::ranges::reverse(records);
    return records;
  }

  Result<std::vector<AuditRecord>> last_before(std::uint64_t before, std::string_view ref,
                                               std::size_t limit) override {
    CHANCERY_TRY(check_page(limit));
    const Bytes key = audit_ref(ref);
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(ref.empty() ? kBefore : kWithRefBefore));
    select.bind(bounded(before));
    if (!ref.empty()) select.bind(key);
    select.bind(static_cast<std::int64_t>(limit));
    return read_all<AuditRecord>(select, read_audit);
  }

  Result<bool> index_some(std::size_t least) override {
    {
      const auto guard = journal_->hold();
      CHANCERY_ASSIGN(const std::int64_t waiting, database_.number(kWaiting));
      if (waiting == 0 || waiting < static_cast<std::int64_t>(least)) return false;
    }
    std::size_t indexed = 0;
    CHANCERY_TRY(journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(indexed, index_refs(database_, kIndexedTogether));
      return {};
    }));
    return indexed == kIndexedTogether;
  }

  Result<Sha256Digest> root(std::uint64_t size) override {
    const auto guard = journal_->hold();
    CHANCERY_TRY(check_size(size));
    return audit::root_of(size, subtree_hashes(database_));
  }

  Result<std::vector<Sha256Digest>> inclusion(std::uint64_t sequence, std::uint64_t size) override {
    const auto guard = journal_->hold();
    CHANCERY_TRY(check_size(size));
    if (sequence == 0) return kNoSuchEntry;
    return audit::inclusion_proof(sequence - 1, size, subtree_hashes(database_));
  }

  Result<std::vector<std::vector<Sha256Digest>>> inclusions(const std::vector<std::uint64_t>& sequences,
                                                            std::uint64_t size) override {
    std::map<std::pair<unsigned, std::uint64_t>, Sha256Digest> known;
    const audit::SubtreeHash read = subtree_hashes(database_);
    const audit::SubtreeHash hashes = [&](const audit::Subtree& at) -> Result<Sha256Digest> {
      const auto found = known.find({at.level, at.index});
      if (found != known.end()) return found->second;
      CHANCERY_ASSIGN(const Sha256Digest hash, read(at));
      known.emplace(std::pair(at.level, at.index), hash);
      return hash;
    };
    std::vector<std::vector<Sha256Digest>> out;
    for (const std::uint64_t sequence : sequences) {
      const auto guard = journal_->hold();
      CHANCERY_TRY(check_size(size));
      if (sequence == 0) return kNoSuchEntry;
      CHANCERY_ASSIGN(out.emplace_back(), audit::inclusion_proof(sequence - 1, size, hashes));
    }
    return out;
  }

  Result<std::vector<Sha256Digest>> consistency(std::uint64_t first, std::uint64_t second) override {
    const auto guard = journal_->hold();
    CHANCERY_TRY(check_size(second));
    return audit::consistency_proof(first, second, subtree_hashes(database_));
  }

  Result<std::uint64_t> check_blocks(std::uint64_t block, std::size_t count) override {
    const auto guard = journal_->hold();
    return store::check_blocks(database_, journal_->audit_counts().size, block, count);
  }

  Status keep(const SignedCheckpoint& checkpoint) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database_.query(kKeep));
      return insert.bind(bounded(checkpoint.size)).bind(checkpoint.at).bind(checkpoint.note).run();
    });
  }

  Result<std::optional<SignedCheckpoint>> last_checkpoint() override {
    const auto guard = journal_->hold();
    return read_last_checkpoint(database_);
  }

  Result<std::optional<SignedCheckpoint>> last_checkpoint_of_any_name() override {
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(kLastOfAnyName));
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return std::optional<SignedCheckpoint>();
    CHANCERY_ASSIGN(SignedCheckpoint last, read_checkpoint(select));
    return std::optional(std::move(last));
  }

  Result<std::vector<SignedCheckpoint>> checkpoints(std::uint64_t after, std::size_t limit) override {
    CHANCERY_TRY(check_page(limit));
    const auto guard = journal_->hold();
    CHANCERY_ASSIGN(Query select, database_.query(kCheckpoints));
    select.bind(bounded(after)).bind(static_cast<std::int64_t>(limit));
    return read_all<SignedCheckpoint>(select, read_checkpoint);
  }

 private:
  [[nodiscard]] Status check_size(std::uint64_t size) const {
    return size <= journal_->audit_counts().size ? Status{} : Status{kNoSuchTree};
  }

  Result<Bytes> id_of_log() {
    CHANCERY_ASSIGN(Query select, database_.query(kIdentity));
    CHANCERY_ASSIGN(const bool row, select.step());
    return row ? Result<Bytes>(select.octets(0)) : kDamagedRow;
  }

  const std::shared_ptr<Journal> journal_;
  Database& database_;  // the journal's
};

}  // namespace

Result<std::string> read_log_name(Database& database) {
  CHANCERY_ASSIGN(Query select, database.query(kIdentity));
  CHANCERY_ASSIGN(const bool row, select.step());
  return row ? Result<std::string>(select.text(1)) : kDamagedRow;
}

Result<std::optional<SignedCheckpoint>> read_last_checkpoint(Database& database) {
  CHANCERY_ASSIGN(Query select, database.query(kLastCheckpoint));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (!row) return std::optional<SignedCheckpoint>();
  CHANCERY_ASSIGN(SignedCheckpoint last, read_checkpoint(select));
  return std::optional(std::move(last));
}

std::unique_ptr<AuditBook> make_sqlite_audit_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteAuditBook>(std::move(journal));
}

}  // namespace chancery::store
