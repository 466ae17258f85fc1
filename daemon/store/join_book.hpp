#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// By what an agent's process elsewhere gets its first chain, once. The token itself is not kept.
struct JoinToken {
  std::string hash;      ///< SHA-256 of the token, 64 lower-case hexadecimal digits
  std::string agent_id;  ///< whose process may use it
  std::string chain;     ///< held by the agent's key, text form: what the process receives a child of
  sys_seconds created_at{};
  sys_seconds expires_at{};
  bool operator==(const JoinToken&) const = default;
};

enum class JoinUse : std::uint8_t {
  kTaken,
  kUsedBefore,  ///< somebody has it who should not
  kExpired,
  kUnknown,
};

/// Remembers join tokens until a day after they have expired, so that a second use is noticed. Thread-safe.
/// Errors common to all: the store's (see Store).
class JoinBook {
 public:
  virtual ~JoinBook() = default;

  /// \return the sequence of the audit entry; kConflict when the token is known already
  virtual Result<std::uint64_t> add(const JoinToken& token, const AuditEntry& audit) = 0;

  /// Exactly one of any number of concurrent uses is kTaken.
  /// \param out  the token, unless it is unknown
  virtual Result<JoinUse> take(std::string_view hash, sys_seconds now, JoinToken& out) = 0;

  /// Lets a token be used after all, of which nothing came: the device was away.
  virtual Status give_back(std::string_view hash) = 0;

  virtual Status prune(sys_seconds now) = 0;
};

}  // namespace chancery::store
