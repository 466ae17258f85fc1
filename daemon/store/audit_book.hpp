#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/store.hpp"
#include "sdk/audit/merkle.hpp"

namespace chancery::store {

/// A checkpoint of the audit log as it was signed.
struct SignedCheckpoint {
  std::uint64_t size = 0;  ///< of its tree
  sys_seconds at{};
  std::string note;
  bool operator==(const SignedCheckpoint&) const = default;
};

/// What has come of entries since the store was opened, and how many there are.
struct AuditCounts {
  std::uint64_t size = 0;
  std::uint64_t recorded = 0;
  std::uint64_t failed = 0;  ///< that the store could not take, so that what they were about did not happen
};

/// The audit log as the Merkle tree that it is, and what was signed of it; entries themselves are read through Store.
/// Thread-safe. Errors as Store's; kNotFound for an entry that is not there; kInvalidArgument for sizes that are not.
class AuditBook {
 public:
  virtual ~AuditBook() = default;

  /// Says from now on in each entry which version of the configuration governs.
  virtual void govern_by(std::string policy) = 0;

  /// The log's name, for good: HOST/audit/ and 16 hexadecimal digits that tell it from every other log.
  /// \param host  of the issuer; counts when the log is named first
  virtual Result<std::string> origin(std::string_view host) = 0;

  /// The same without naming it; empty before it has one.
  virtual Result<std::string> known_origin() = 0;

  /// Gives the log another name from this entry on: checkpoints under the former one count no more, since the log may have
  /// been continued under it elsewhere.
  virtual Status rename(const AuditEntry& audit) = 0;

  [[nodiscard]] virtual AuditCounts counts() const = 0;

  virtual Result<AuditRecord> entry(std::uint64_t sequence) = 0;
  /// Those that have a reference, at most `limit`. \param after  a sequence; 0: from the first one
  virtual Result<std::vector<AuditRecord>> with_ref(std::string_view ref, std::uint64_t after,
                                                    std::size_t limit) = 0;
  /// The last of them, oldest first.
  virtual Result<std::vector<AuditRecord>> last_with_ref(std::string_view ref, std::size_t limit) = 0;
  /// The last that come before an entry, newest first, at most `limit`. \param ref  empty: whatever they are about
  virtual Result<std::vector<AuditRecord>> last_before(std::uint64_t before, std::string_view ref,
                                                       std::size_t limit) = 0;

  /// Brings references of entries that were recorded lately into the index, some hundred at a time: with_ref() finds them before as
  /// well, by reading through what waits.
  /// \param least  nothing is done while fewer entries wait
  /// \return whether it is to be called again at once
  virtual Result<bool> index_some(std::size_t least) = 0;

  /// The root of the first `size` entries.
  virtual Result<Sha256Digest> root(std::uint64_t size) = 0;
  virtual Result<std::vector<Sha256Digest>> inclusion(std::uint64_t sequence, std::uint64_t size) = 0;
  /// The same of many entries at no more cost than of those that lie near one another. Others get the connection in between.
  virtual Result<std::vector<std::vector<Sha256Digest>>> inclusions(
      const std::vector<std::uint64_t>& sequences, std::uint64_t size) = 0;
  virtual Result<std::vector<Sha256Digest>> consistency(std::uint64_t first, std::uint64_t second) = 0;

  /// Holds entries that were recorded before against the tree, a part at a time.
  /// \param block  of 256 entries, from 0 on; `count` of them are read
  /// \return the next block; the same one at the end; kStoreCorrupt when entries are not those that were recorded, `native`
  ///         the first that may be another
  virtual Result<std::uint64_t> check_blocks(std::uint64_t block, std::size_t count) = 0;

  /// kConflict when one of that size is kept.
  virtual Status keep(const SignedCheckpoint& checkpoint) = 0;
  /// Of those under the log's present name. Nothing before the first.
  virtual Result<std::optional<SignedCheckpoint>> last_checkpoint() = 0;
  /// The newest under any name that the log has had.
  virtual Result<std::optional<SignedCheckpoint>> last_checkpoint_of_any_name() = 0;
  /// Of these at most `limit` of trees larger than `after`, oldest first.
  virtual Result<std::vector<SignedCheckpoint>> checkpoints(std::uint64_t after, std::size_t limit) = 0;
};

}  // namespace chancery::store
