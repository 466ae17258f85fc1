#pragma once

#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// A value that a gate lets through from now on, since somebody approved it once.
struct LetThrough {
  std::string gate;   ///< its name
  std::string value;  ///< 64 hexadecimal digits: of gate, parameter, principal and value
  bool operator==(const LetThrough&) const = default;
};

/// Remembers what gates need to know of the past: which values were let through, and which grants are behind a gate. Both are
/// written with what they follow from: by Ledger::record() and Store::record_token().
/// Thread-safe. Errors common to all: the store's (see Store).
class GateBook {
 public:
  virtual ~GateBook() = default;

  /// Parks a request that no proof comes with: a grant. \return kConflict when the same is pending or approved; kOverloaded when
  /// too many wait
  virtual Status park(const ParkedCall& request, const AuditEntry& audit) = 0;

  /// Whether park() would find room for that request now. kOverloaded.
  virtual Status require_room(const ParkedCall& request) = 0;

  /// Whether an approval for that value was used.
  virtual Result<bool> was_let_through(const LetThrough& value) = 0;

  /// Whether a request for the same matter was denied, and would still have waited: a person who has said no is not asked again at once,
  /// neither by the same key in another way, nor by anybody to whom the same first holder's authority was handed on.
  virtual Result<bool> was_denied(const ParkedCall& asked, sys_seconds now) = 0;

  /// The gate that a first token was granted behind; empty when there is none, or no such token. As long as there is no such
  /// token at all, nothing is read for it.
  virtual Result<std::string> gate_of(std::string_view token) = 0;

  /// To be called when a token was put behind a gate, before anybody has it.
  virtual void note_gated() noexcept = 0;
};

}  // namespace chancery::store
