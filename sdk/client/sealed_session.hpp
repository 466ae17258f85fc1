#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/session.hpp>

namespace chancery::client {

/// A chain whose last token a session's key holds, and until when.
struct Lease {
  std::vector<std::string> chain{};
  std::chrono::sys_seconds expires_at{};
};

/// All that a program needs to go on with a session.
struct SessionState {
  SessionOptions options;
  std::vector<std::string> agent_chain;  ///< held by the agent's own key
  std::string uri;                       ///< of the daemon's sessions
  HolderKey key;
  Lease lease{};
};

/// Writes it into a file in memory that nobody can change from then on: a line of JSON, then the session's key
/// and that of its access in PEM, which are never part of a text.
/// \return a descriptor that the caller closes, or kProcessFailed
[[nodiscard]] Result<int> seal(const SessionState& state);

/// Reads what seal() wrote.
/// \return kFileUnreadable, kMalformed, kInvalidKey
[[nodiscard]] Result<SessionState> read_sealed(int file);

}  // namespace chancery::client
