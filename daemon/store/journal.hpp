#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/audit_book.hpp"
#include "daemon/store/audit_tree.hpp"
#include "daemon/store/proof_counts.hpp"
#include "daemon/store/record_seal.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/state_lock.hpp"
#include "daemon/store/store.hpp"
#include "daemon/telemetry/redactor.hpp"

namespace chancery::store {

/// The database of one state folder, and the way in which every book that is kept in it changes it: an effect
/// and its audit entry in one transaction, which is on the disk before the caller goes on.
///
/// One connection behind one mutex. SQLite has one writer at a time whatever we do, and the sync of a commit
/// is nearly its whole cost: so whoever waits for the connection at the same time shares one commit. Each
/// effect has a savepoint of its own; one that fails is undone alone.
class Journal {
 public:
  using Effect = std::function<Status()>;

  /// Takes the folder's lock, which it keeps, and brings the schema up to date; see open_sqlite_store().
  [[nodiscard]] static Result<std::shared_ptr<Journal>> open(const std::filesystem::path& state_folder);

  Journal(StateLock lock, Database database, AuditTree tree) noexcept
      : size_(tree.size()), lock_(std::move(lock)), database_(std::move(database)), tree_(tree) {}

  /// Has what audit entries say pass this before they are written. To be called before the journal is used.
  void redact_with(std::shared_ptr<const telemetry::Redactor> redactor) noexcept {
    redactor_ = std::move(redactor);
  }

  /// Runs `effect`, perhaps on another caller's thread, and appends the audit entry.
  /// \return the entry's sequence; kInvalidArgument for an empty entry; what the effect said, kInternal when it
  ///         threw, or the store's error: then neither has happened, and what the effect has read need not be so.
  ///         Once the database was found damaged, nothing is written to it any more
  [[nodiscard]] Result<std::uint64_t> mutate(const AuditEntry& audit, const Effect& effect);

  /// The same for what leaves no audit entry.
  [[nodiscard]] Status write(const Effect& effect);

  /// Whether a write would be taken now. What was written since the last look is proof; else something is written that
  /// changes nothing.
  /// \return kStoreUnavailable with what is wrong with the disk, kStoreCorrupt once the database was found damaged
  [[nodiscard]] Status check();

  /// Keeps others from the connection while it is held: for reading. Never call mutate() or write() meanwhile.
  [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }

  /// Says from now on in each audit entry which version of the configuration governs.
  void govern_by(std::string policy);

  /// Of what is committed; without waiting for the connection.
  [[nodiscard]] AuditCounts audit_counts() const noexcept { return {size_, recorded_, failed_}; }

  /// The database's file.
  [[nodiscard]] std::filesystem::path file() const { return database_.file(); }

  /// How many effects wait for the connection.
  [[nodiscard]] std::size_t waiting() const;

  /// Appends an entry before the effect's own. To be used within an effect, which ends when it fails.
  [[nodiscard]] Status append_before(const AuditEntry& audit);

  /// To be used within an effect, or while it is held; as the next.
  [[nodiscard]] Database& database() noexcept { return database_; }

  [[nodiscard]] ProofCounts& proof_counts() noexcept { return proof_counts_; }
  /// Over records; without a secret before Store::seal_with(). To be used as database().
  [[nodiscard]] RecordSeal& seal() noexcept { return seal_; }

 private:
  struct Pending {
    const AuditEntry* audit;  // null: none
    const Effect* effect;
    Result<std::uint64_t> result{std::uint64_t{0}};
    bool is_done = false;
  };
  using Batch = std::span<Pending* const>;

  // Enough to share the cost of a sync, and no caller waits for many others' effects.
  static constexpr std::size_t kMostTogether = 64;

  [[nodiscard]] Result<std::uint64_t> perform(Pending& mine);
  [[nodiscard]] Batch take_waiting(std::span<Pending*, kMostTogether> taken) noexcept;
  void commit_together(Batch batch) noexcept;
  [[nodiscard]] Status run_all(Batch batch);
  [[nodiscard]] Status run_in_savepoint(Pending& pending);
  [[nodiscard]] Result<std::uint64_t> run(const Pending& pending) noexcept;
  [[nodiscard]] Result<AuditEntry> with_agent(AuditEntry entry);
  [[nodiscard]] Result<std::uint64_t> append(const AuditEntry& entry);
  [[nodiscard]] Result<std::uint64_t> append_text(const AuditEntry& entry);
  [[nodiscard]] Status require_tree();
  void note_end(Batch batch, const Status& committed) noexcept;

  mutable std::mutex waiting_mutex_;
  std::vector<Pending*> waiting_;
  std::atomic<std::uint64_t> size_;
  std::atomic<std::uint64_t> recorded_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex mutex_;  // of the rest
  std::string policy_;
  StateLock lock_;  // before the database: released after it
  Database database_;
  ProofCounts proof_counts_;
  RecordSeal seal_{SecretBytes()};
  std::optional<AuditTree> tree_;  // none after a commit that failed: read again before the next
  std::shared_ptr<const telemetry::Redactor> redactor_;  // null: entries are written as they are
  bool is_proven_ = false;                               // whether what was written last reached the disk
};

}  // namespace chancery::store
