#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// Which tokens an act speaks of, of those that have not expired.
struct StatusTarget {
  enum class Kind : std::uint8_t {
    kToken,      ///< one token; what was delegated from it is denied with it, since chains lead through it
    kSubtree,    ///< one token and all that was delegated from it
    kAgent,      ///< an agent's tokens and all that was delegated from them
    kKey,        ///< the same of the holder of a key
    kPrincipal,  ///< and of a principal
  };
  Kind kind = Kind::kToken;
  std::string value;  ///< a token's id, an agent's id, a thumbprint or a principal
  bool operator==(const StatusTarget&) const = default;
};

/// Stands for every principal in the act by which all tokens ended; nobody can name it otherwise.
inline constexpr std::string_view kEverybody = "*";

/// "token", "subtree", "agent", "key" or "principal".
[[nodiscard]] std::string_view target_kind_name(StatusTarget::Kind kind) noexcept;
[[nodiscard]] std::optional<StatusTarget::Kind> target_kind_named(std::string_view name) noexcept;

/// What somebody did to tokens. A token is revoked when one act revokes it, suspended when one that stands
/// suspends it, else valid: a lift undoes its own act and no other.
struct StatusAct {
  enum class Kind : std::uint8_t {
    kRevoke,   ///< for good
    kSuspend,  ///< until it is lifted; meanwhile nothing is issued to the agent, key or principal
    kDrill,    ///< a suspension that lifts itself
  };
  std::int64_t id = 0;  ///< the book gives it: 1, 2, 3 …
  Kind kind = Kind::kRevoke;
  StatusTarget target;
  std::string reason;  ///< for people
  sys_seconds at{};
  std::optional<sys_seconds> until{};      ///< when a drill ends
  std::optional<sys_seconds> lifted_at{};  ///< when a suspension or drill ended
  std::uint64_t tokens = 0;                ///< how many it marked
  bool operator==(const StatusAct&) const = default;
};

/// "revoke", "suspend" or "drill".
[[nodiscard]] std::string_view act_kind_name(StatusAct::Kind kind) noexcept;

/// A token and what all acts say of it.
struct TokenStatus {
  std::string id;
  unsigned status = 0;  ///< 0 valid, 1 revoked, 2 suspended, as lists have it
  bool operator==(const TokenStatus&) const = default;
};

/// An act that was recorded, and what its tokens are from now on.
struct DoneAct {
  StatusAct act;
  std::vector<TokenStatus> tokens;
};

/// What a status list says.
struct StatusListRecord {
  struct Entry {
    std::uint64_t index = 0;
    unsigned status = 0;
  };
  std::uint64_t size = 0;
  std::vector<Entry> entries;  ///< those that are not valid
};

/// A token that an act would mark, or deny chains through.
struct ConcernedToken {
  std::string id;
  std::optional<std::string> parent_id{};
  std::string agent;  ///< name of the holder; empty when it is no agent of ours
  sys_seconds issued_at{};
  sys_seconds expires_at{};
  bool is_named = false;  ///< by the target itself; else delegated from such a one
};

/// Stands for the last tokens of all chains beyond those that are told apart.
inline constexpr std::string_view kOtherLeaves =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// Chains that were denied because of a suspended token.
struct DeniedUse {
  std::string token;  ///< id of the one that is suspended
  std::string leaf;   ///< id of the chain's last, or kOtherLeaves
  std::uint64_t count = 0;
  sys_seconds first_at{};
  sys_seconds last_at{};
  bool operator==(const DeniedUse&) const = default;
};

struct StatusCounts {
  std::uint64_t lists = 0;
  std::uint64_t revoked = 0;    ///< tokens that have not expired
  std::uint64_t suspended = 0;  ///< likewise, and that are not revoked too
  bool operator==(const StatusCounts&) const = default;
};

/// How large a list is: the more tokens share it, the less a fetch tells of whose status was asked for.
/// 32 KiB before compression.
inline constexpr std::uint64_t kStatusListSize = 1u << 17;

/// Keeps the statuses of tokens. Errors and threads as Store; tests/unit/daemon/status_book.cpp holds what
/// every implementation must pass.
class StatusBook {
 public:
  virtual ~StatusBook() = default;

  /// Gives a place that no other token has had or will have: a random index of the newest list, or of a new
  /// one when that is half full. It is taken whether or not a token comes of it.
  /// \param expires_at  of the token; its list is kept so long
  virtual Result<StatusPlace> allocate(sys_seconds expires_at) = 0;

  /// Records the tokens of a chain that were delegated offline, and marks them as the acts would have that stand
  /// over their holders, their principal or what they were delegated from; a revocation stands over what was issued
  /// up to it. So they end as tokens do that were issued here. Tokens that are known stay as they are.
  /// \param chain  verified tokens, root first, without `agent_id`; nothing is done unless the root is known
  /// \return what has become of those that were not known
  virtual Result<std::vector<TokenStatus>> adopt(const std::vector<IssuedToken>& chain) = 0;

  /// Records an act and marks its tokens, with their descendants, in one transaction. A revocation of an agent's
  /// tokens ends its join tokens too, and one of a key's that is none of ours, the key: see Store::ended_keys().
  /// \param act  its id, `lifted_at` and `tokens` are the book's to say
  /// \return kNotFound when the target is a token that was not issued here
  virtual Result<DoneAct> add(const StatusAct& act, const AuditEntry& audit) = 0;

  /// Ends a suspension or a drill. kNotFound; kConflict for a revocation, and for what was lifted before.
  virtual Result<DoneAct> lift(std::int64_t id, const AuditEntry& audit) = 0;

  /// kNotFound
  virtual Result<StatusAct> act(std::int64_t id) = 0;
  /// Suspensions and drills that stand and mark a token of the target, or name it; at most kMaxPage.
  virtual Result<std::vector<StatusAct>> standing(const StatusTarget& target) = 0;
  /// Drills that stand although their end has come by `now`; at most kMaxPage.
  virtual Result<std::vector<StatusAct>> overdue_drills(sys_seconds now) = 0;

  /// Every token that is not valid, of those that have not expired at `now`.
  virtual Result<std::vector<TokenStatus>> ended(sys_seconds now) = 0;
  /// The tokens that a target names, and those that were delegated from them. kNotFound as add().
  virtual Result<std::vector<ConcernedToken>> concerned(const StatusTarget& target, sys_seconds now) = 0;
  /// kNotFound
  virtual Result<StatusListRecord> list(std::uint64_t name) = 0;

  /// Adds to the records of the drills that stand, of which each tells a thousand chains apart. Uses that no drill
  /// concerns are passed over.
  virtual Status add_denied(const std::vector<DeniedUse>& uses) = 0;
  /// What a drill has denied; `token` is empty.
  virtual Result<std::vector<DeniedUse>> denied(std::int64_t drill) = 0;

  virtual Result<StatusCounts> counts(sys_seconds now) = 0;

  /// Forgets lists and marks whose tokens have all expired a day before `now`, drills' records a week after their end,
  /// and after a hundred days the acts that mark nothing any more, when they do not stand: longer than any root lives.
  virtual Status forget_expired(sys_seconds now) = 0;
};

}  // namespace chancery::store
