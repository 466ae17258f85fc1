#pragma once

#include <chrono>
#include <cstdint>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::store {

/// One use of a DPoP proof whose signature has verified.
struct ProofUse {
  Thumbprint holder;
  Sha256Digest jti{};  ///< SHA-256 of the proof's `jti`, which its holder chooses at any length
  std::chrono::sys_seconds at{};
  std::chrono::sys_seconds expires_at{};  ///< the last second at which the proof could be accepted
};

enum class ProofRecord : std::uint8_t {
  kRecorded,
  kUsedBefore,
  kTooMany,  ///< this holder has kMaxProofs unexpired ones: it waits, and nobody else
};

/// Unexpired proofs that are remembered for one holder.
inline constexpr std::int64_t kMaxProofs = 1000;

/// Remembers which proofs were used, so that each counts once. Thread-safe; what it said survives `kill -9`.
/// An unexpired proof is never forgotten, whatever the clock does: when it is set back to before what was
/// forgotten already, nothing is recorded until it has caught up.
///
/// Errors common to all: the store's (see Store), and kSpendingHalted while the clock is behind.
class ProofBook {
 public:
  virtual ~ProofBook() = default;

  /// Exactly one of any number of concurrent uses of a proof is kRecorded.
  virtual Result<ProofRecord> record(const ProofUse& use) = 0;

  /// Forgets what has expired for some minutes.
  virtual Status prune(std::chrono::sys_seconds now) = 0;
};

}  // namespace chancery::store
