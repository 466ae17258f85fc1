#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// Says that the keys of an agent, or of all of them, sign nothing.
struct Freeze {
  std::string agent_id;  ///< empty: all
  sys_seconds since{};
  std::string reason;
  bool operator==(const Freeze&) const = default;
};

/// Which slot of devices' kill switches is an agent's.
struct FreezeSlot {
  std::string agent_id;
  std::uint16_t slot = 0;
  bool operator==(const FreezeSlot&) const = default;
};

/// Whose slot it would be.
struct SlotRequest {
  std::string_view agent_id;
  std::uint16_t last = 0;         ///< the highest slot that there is
  std::set<std::uint16_t> avoid;  ///< slots that are given to nobody new
};

/// A key by which an agent signs, as far as it takes to see whether it hangs on a kill switch. To count keys by: the seal of
/// its record is not looked at.
struct AgentKey {
  std::int64_t place = 0;  ///< in the order of the list
  std::string backend;
  Bytes blob;
};

/// Remembers who is frozen, and which slot of a device's kill switch is whose. Thread-safe. Errors common to all: the
/// store's (see Store).
class FreezeBook {
 public:
  virtual ~FreezeBook() = default;

  /// In ascending order of agents' ids; that of all comes first.
  virtual Result<std::vector<Freeze>> frozen() = 0;

  /// Freezing what is frozen keeps the first time and reason, and is recorded all the same.
  /// \return the sequence of the audit entry
  virtual Result<std::uint64_t> freeze(const Freeze& freeze, const AuditEntry& audit) = 0;

  /// \return the sequence of the audit entry; kConflict when it is not frozen
  virtual Result<std::uint64_t> unfreeze(std::string_view agent_id, const AuditEntry& audit) = 0;

  /// Those of agents that are not retired, in ascending order of slots.
  virtual Result<std::vector<FreezeSlot>> slots() = 0;

  /// The agent's slot, or from now on the lowest that is nobody's. Slots of retired agents are nobody's, nor are those of agents
  /// that were not registered within an hour.
  /// \return the slot; 0 when there is none left
  virtual Result<std::uint16_t> take_slot(const SlotRequest& request, sys_seconds now) = 0;

  /// Active keys of agents that are not retired, at most `limit`.
  /// \param after  the `place` of the last one of the page before; 0: from the first one
  virtual Result<std::vector<AgentKey>> active_keys(std::int64_t after, std::size_t limit) = 0;

  /// The same of a backend's keys of agents that rotate: they serve until their overlap ends.
  virtual Result<std::vector<AgentKey>> rotating_keys(std::string_view backend, std::int64_t after,
                                                      std::size_t limit) = 0;
};

}  // namespace chancery::store
