#include "daemon/store/journal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/migrations.hpp"
#include "daemon/store/soundness.hpp"
#include "daemon/store/state_space.hpp"
#include "daemon/store/statements.hpp"

namespace chancery::store {
namespace {

// A folder that others may write to lets them replace the database, whatever its own permissions.
Result<std::filesystem::path> private_folder(const std::filesystem::path& requested) {
  if (::mkdir(requested.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{ErrorCode::kStoreUnavailable,
                 "cannot make the state folder: make its parent, or name another",
                 static_cast<std::uint64_t>(errno)};
  }
  std::error_code failure;
  std::filesystem::path folder = std::filesystem::canonical(requested, failure);
  struct stat status {};
  if (failure || ::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Error{ErrorCode::kStoreUnavailable,
                 "the state path is not a folder: name one that the daemon owns",
                 static_cast<std::uint64_t>(failure ? failure.value() : ENOTDIR)};
  }
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!ours || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "others may write to the state folder: give it to the daemon's user with mode 0700"};
  }
  return folder;
}

// Rather than an effect's no.
bool is_stores(const Error& error) noexcept {
  return error.code == ErrorCode::kStoreUnavailable || error.code == ErrorCode::kStoreCorrupt;
}

}  // namespace

Result<std::shared_ptr<Journal>> Journal::open(const std::filesystem::path& state_folder) {
  CHANCERY_ASSIGN(const std::filesystem::path folder, private_folder(state_folder));
  CHANCERY_ASSIGN(StateLock lock, StateLock::acquire(folder));
  CHANCERY_ASSIGN(Database database, Database::open(folder / "chancery.db"));
  CHANCERY_TRY(schema_version(database));
  CHANCERY_TRY(check_soundness(database));
  CHANCERY_TRY(database.use_write_ahead_log());
  CHANCERY_TRY(migrate(database));
  // What a daemon erased that was killed right then may still stand in the log.
  CHANCERY_TRY(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  CHANCERY_ASSIGN(AuditTree tree, AuditTree::load(database));
  return std::make_shared<Journal>(std::move(lock), std::move(database), tree);
}

Result<std::uint64_t> Journal::mutate(const AuditEntry& audit, const Effect& effect) {
  if (audit.action.empty()) {
    return Error{ErrorCode::kInvalidArgument, "nothing is recorded without an audit entry"};
  }
  Pending mine{&audit, &effect};
  auto sequence = perform(mine);
  if (sequence && audit.is_recorded != nullptr) *audit.is_recorded = true;
  return sequence;
}

Status Journal::write(const Effect& effect) {
  Pending mine{nullptr, &effect};
  CHANCERY_TRY(perform(mine));
  return {};
}

Result<std::uint64_t> Journal::perform(Pending& mine) {
  {
    const std::lock_guard guard(waiting_mutex_);
    waiting_.push_back(&mine);
  }
  const std::lock_guard guard(mutex_);
  std::array<Pending*, kMostTogether> taken;
  while (!mine.is_done) commit_together(take_waiting(taken));
  return mine.result;
}

std::size_t Journal::waiting() const {
  const std::lock_guard guard(waiting_mutex_);
  return waiting_.size();
}

// Into a place that is there already: who fails to take others' effects would leave its own behind.
Journal::Batch Journal::take_waiting(std::span<Pending*, kMostTogether> taken) noexcept {
  const std::lock_guard guard(waiting_mutex_);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), taken.size()));
  const auto last = std::copy(waiting_.begin(), end, taken.begin());
  waiting_.erase(waiting_.begin(), end);
  return {taken.begin(), last};
}

// Without a commit nobody's answer counts, a refusal's neither: it may rest on what another of the batch did.
void Journal::commit_together(Batch batch) noexcept {
  const Status committed = run_all(batch);
  note_end(batch, committed);
  for (Pending* const pending : batch) {
    if (!committed) pending->result = committed.error();
    pending->is_done = true;
  }
}

// How far a commit that failed has come is the database's to say.
void Journal::note_end(Batch batch, const Status& committed) noexcept {
  if (committed) {
    is_proven_ = true;
    recorded_ += tree_->size() - size_;
    size_ = tree_->size();
  } else if (tree_ && tree_->size() != size_) {
    tree_.reset();
  }
  if (committed || !is_stores(committed.error())) return;
  is_proven_ = false;
  failed_ += static_cast<std::uint64_t>(
      std::ranges::count_if(batch, [](const Pending* pending) { return pending->audit != nullptr; }));
}

Status Journal::require_tree() {
  if (tree_) return {};
  CHANCERY_ASSIGN(tree_, AuditTree::load(database_));
  return {};
}

Status Journal::check() {
  CHANCERY_ASSIGN(const StateSpace space, space_at(file().parent_path()));
  CHANCERY_TRY(check_space(space));
  {
    const auto guard = hold();
    if (database_.is_damaged()) return kDamagedDatabase;
    CHANCERY_TRY(database_.check_in_place());
    if (std::exchange(is_proven_, false)) return {};
  }
  const Status tried = write([this] { return rewrite_version(database_); });
  const auto guard = hold();
  is_proven_ = false;  // to the next look it is old
  return tried;
}

Status Journal::run_all(Batch batch) {
  if (database_.is_damaged()) return kDamagedDatabase;
  CHANCERY_ASSIGN(Transaction transaction, Transaction::begin(database_));
  CHANCERY_TRY(require_tree());
  if (batch.size() == 1) {
    batch.front()->result = run(*batch.front());
    if (!batch.front()->result) return batch.front()->result.error();
    return transaction.commit();
  }
  for (Pending* const pending : batch) CHANCERY_TRY(run_in_savepoint(*pending));
  return transaction.commit();
}

// An error is the batch's; what the effect says stands in `pending`.
Status Journal::run_in_savepoint(Pending& pending) {
  CHANCERY_TRY(database_.execute("SAVEPOINT effect"));
  const AuditTree before = *tree_;
  pending.result = run(pending);
  // On a full disk and the like SQLite rolls the whole transaction back by itself.
  if (!database_.in_transaction()) {
    if (!pending.result && is_stores(pending.result.error())) return pending.result.error();
    return Error{ErrorCode::kStoreUnavailable, "the transaction was rolled back: try again"};
  }
  if (!pending.result) {
    CHANCERY_TRY(database_.execute("ROLLBACK TO effect"));
    tree_ = before;
  }
  return database_.execute("RELEASE effect");
}

// In the transaction: so whoever acts waits for the database once.
Result<AuditEntry> Journal::with_agent(AuditEntry entry) {
  const std::string key = entry.by_key->text();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentNameByKey));
  CHANCERY_ASSIGN(const bool row, select.bind(key).step());
  if (!row) return entry;
  std::string name = select.text(0);
  entry.members.set("agent", name);
  entry.refs.push_back(std::move(name));
  return entry;
}

Result<std::uint64_t> Journal::append(const AuditEntry& entry) {
  if (!entry.by_key) return append_text(entry);
  CHANCERY_ASSIGN(const AuditEntry named, with_agent(entry));
  return append_text(named);
}

Status Journal::append_before(const AuditEntry& audit) {
  CHANCERY_TRY(append(audit));
  return {};
}

Result<std::uint64_t> Journal::append_text(const AuditEntry& entry) {
  std::string text = audit_text(entry, policy_);
  if (redactor_) text = redactor_->json(std::move(text));
  return tree_->append(database_, entry, text);
}

// It may be another caller's thread, so that an exception would end others' calls and leave this one waiting.
Result<std::uint64_t> Journal::run(const Pending& pending) noexcept {
  try {
    CHANCERY_TRY((*pending.effect)());
    if (pending.audit == nullptr) return std::uint64_t{0};
    return append(*pending.audit);
  } catch (...) {
    return Error{ErrorCode::kInternal, "a change of the store was given up: try again, and report this"};
  }
}

void Journal::govern_by(std::string policy) {
  const std::lock_guard guard(mutex_);
  policy_ = std::move(policy);
}

}  // namespace chancery::store
