#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Messages about the statuses of tokens: revocation, suspension, impact and drills. Times are seconds since 1970.

namespace chancery::api {

/// Names by its chain a token that was delegated offline, and all that was delegated from it; where it is named again it
/// is a subtree.
inline constexpr const char* kChainTarget = "chain";

/// Which tokens are meant, of those that have not expired. On the wire one member of that name.
struct StatusTarget {
  std::string kind;   ///< "token", "subtree", "agent", "key", "principal" or kChainTarget
  std::string value;  ///< a token's id (SHA-256 of its signing input, hexadecimal), an agent's name, a key's
                      ///< thumbprint, a principal, a chain in text form
  bool operator==(const StatusTarget&) const = default;
};

struct ChangeStatus {
  StatusTarget target;
  std::string reason;  ///< for people, at most 200 octets
};

struct AskImpact {
  StatusTarget target;
};

struct CreateDrill {
  StatusTarget target;
  std::chrono::seconds window{60};  ///< 1 s to 1 h
  std::string reason;
};

/// A revocation, suspension or drill as it stands.
struct StatusAct {
  std::int64_t id = 0;  ///< by which a suspension or drill is lifted; 0: a key's end, which has none
  std::string kind;     ///< "revoke", "suspend" or "drill"
  StatusTarget target;
  std::string reason;
  std::int64_t at = 0;
  std::optional<std::int64_t> until{};      ///< when a drill ends by itself
  std::optional<std::int64_t> lifted_at{};  ///< when a suspension or drill ended
  std::uint64_t tokens = 0;                 ///< how many it marked
  bool operator==(const StatusAct&) const = default;
};

/// An agent that would lose tokens.
struct ImpactAgent {
  std::string name;
  std::uint64_t tokens = 0;
  std::optional<std::int64_t> last_used_at{};
  bool operator==(const ImpactAgent&) const = default;
};

/// What a revocation of the target would end now.
struct Impact {
  StatusTarget target;
  std::uint64_t tokens = 0;             ///< that the target names
  std::uint64_t descendants = 0;        ///< delegated from those
  std::optional<std::int64_t> until{};  ///< when the last of them would have expired
  /// When this daemon last accepted one of them, or delegated from it; accepted: since the daemon's start.
  std::optional<std::int64_t> last_used_at{};
  std::vector<ImpactAgent> agents;
  std::uint64_t open_reservations = 0;
  std::vector<StatusAct> standing;  ///< suspensions and drills that hold the target
  bool operator==(const Impact&) const = default;
};

/// Chains with one last token that a drill denied.
struct DrillDenial {
  std::string token;  ///< id of the chain's last token
  std::string agent;  ///< its holder's name; empty when it is no agent of this daemon
  std::uint64_t count = 0;
  std::int64_t first_at = 0;
  std::int64_t last_at = 0;
  bool operator==(const DrillDenial&) const = default;
};

/// A drill: under way, or its report. What was denied in the last second may be missing while it is under way.
struct Drill {
  StatusAct act;
  std::vector<DrillDenial> denials;
  bool operator==(const Drill&) const = default;
};

}  // namespace chancery::api
