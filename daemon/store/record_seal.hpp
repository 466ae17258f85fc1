#pragma once

#include <cstdint>
#include <string_view>

#include <chancery/bytes.hpp>

#include "daemon/store/approver_book.hpp"
#include "daemon/store/gate_book.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// Which approvers' keys open the key behind a gate, as the database has it.
struct GateKeyOpeners {
  std::string_view gate_key;  ///< thumbprint
  std::string_view openers;   ///< thumbprints
};

/// Seals over the records of agents, approvers and their keys, so that none that was changed in the database by another hand
/// is used: HMAC-SHA256 over all that is in a record. They do not tell an older state of a record, or of the
/// whole database, from the present one. Thread-safe.
class RecordSeal {
 public:
  /// \param key  kept; empty for a store that was given none
  explicit RecordSeal(SecretBytes key) : key_(std::move(key)) {}

  [[nodiscard]] Sha256Digest of(const Key& key) const;
  /// \param key_place  the row of the agent's newest key
  [[nodiscard]] Sha256Digest of(const Agent& agent, std::int64_t key_place) const;
  /// Of a person alone, without keys.
  [[nodiscard]] Sha256Digest of(const Approver& approver) const;
  [[nodiscard]] Sha256Digest of(const ApproverKey& key, std::string_view principal) const;
  /// Stands in place of the value: who does not have the store's secret writes none that is found.
  [[nodiscard]] Sha256Digest of(const LetThrough& value) const;
  [[nodiscard]] Sha256Digest of(const GateKeyOpeners& openers) const;

 private:
  SecretBytes key_;
};

}  // namespace chancery::store
