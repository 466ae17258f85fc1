#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/host_book.hpp"
#include "daemon/store/permit_book.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// A token of an agent's, one from which it was delegated, or one that was delegated from it.
struct TrailToken {
  enum class Place : std::uint8_t { kHeld, kAbove, kBelow };
  IssuedToken token;
  Place place = Place::kHeld;
  unsigned status = 0;      ///< 0 valid, 1 revoked, 2 suspended, as lists have it
  std::string agent{};      ///< name of the holder; empty when it is no agent of ours
  bool is_session = false;  ///< held by a process of the agent's, and by none of its keys
};

/// What waited for a person, and what persons decided about it.
struct TrailRequest {
  ParkedCall call;
  struct Decided {
    Vote vote;
    ApproverKey key;
  };
  std::vector<Decided> decided;
};

/// How much of each is read: the newest; of tokens those that live longest.
struct TrailBounds {
  std::size_t tokens = 1000;  ///< that are held; and three times as many with those below
  std::size_t requests = 1000;
  std::size_t calls = 2000;
};

/// What the store knows of an agent at one instant.
struct Trail {
  Agent agent;
  std::vector<Key> keys;               ///< newest first
  std::vector<TrailToken> tokens;      ///< oldest first
  std::vector<TrailRequest> requests;  ///< newest first, as the next
  std::vector<Permit> calls;           ///< that it made, or that a runtime made which it is
  std::vector<HeldResult> results;     ///< about its keys
  std::uint64_t size = 0;              ///< of the audit log
  std::vector<std::string> cut;        ///< which of "tokens", "requests" and "calls" had more
  std::uint64_t damaged = 0;           ///< records that could not be read: they are left out
};

/// Reads what is known of one agent, for an incident. Thread-safe. Errors common to all: the store's (see Store).
class IncidentBook {
 public:
  virtual ~IncidentBook() = default;

  /// All of it is of one instant: nobody writes meanwhile. Looks at no more than the bounds let through, whatever else there is.
  /// \return kNotFound
  virtual Result<Trail> trail(std::string_view agent_id, const TrailBounds& bounds, sys_seconds now) = 0;

  /// Which of the first `size` entries of the audit log have this reference: the newest `limit`, in no order. The log only
  /// grows, so that they are those of the instant at which it had that size.
  virtual Result<std::vector<std::uint64_t>> entries_with(std::string_view ref, std::uint64_t size,
                                                          std::size_t limit) = 0;
};

}  // namespace chancery::store
