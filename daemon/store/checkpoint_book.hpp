#pragma once

#include <cstdint>
#include <optional>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// Which value of the device's counter the store belongs to.
struct Checkpoint {
  std::uint64_t value = 0;
  /// Noted before the counter is advanced to it, so that a daemon that is killed in between is not taken for
  /// an old copy.
  std::optional<std::uint64_t> intended{};
  bool operator==(const Checkpoint&) const = default;
};

/// Keeps the checkpoint of the store. Thread-safe.
class CheckpointBook {
 public:
  virtual ~CheckpointBook() = default;

  /// Nothing before the first.
  virtual Result<std::optional<Checkpoint>> last() = 0;
  virtual Status keep(const Checkpoint& checkpoint) = 0;
  /// The same with an entry that says so. \return the entry's sequence
  virtual Result<std::uint64_t> record(const Checkpoint& checkpoint, const AuditEntry& audit) = 0;
  /// What the operator has decided.
  struct Decision {
    std::optional<Checkpoint> checkpoint{};  ///< none where no counter is used
    bool ends_tokens = false;                ///< every token that has not expired is revoked, in one act
  };
  /// Keeps it, and lets a clock count that was set back to before what the books have forgotten; all in one
  /// transaction.
  virtual Status accept(const Decision& decision, const AuditEntry& audit) = 0;
};

}  // namespace chancery::store
