#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// What has become of a key by which somebody decides. Only an active one does.
enum class ApproverKeyState : std::uint8_t {
  kActive,
  kReplaced,  ///< in good order, by another of the same person: what it decided stands
  kRevoked,   ///< what it decided and was not used yet counts no more
};

/// "active", "replaced", "revoked".
[[nodiscard]] std::string_view approver_key_state_name(ApproverKeyState state) noexcept;

/// A key of a person's. It is that person's for ever.
struct ApproverKey {
  Thumbprint jkt;
  std::string kind;           ///< "file", "tpm", "pkcs11", "passkey"
  std::string jwk;            ///< the public key, as PublicKey::jwk() writes it
  std::string credential_id;  ///< of a passkey, base64url; empty for every other
  ApproverKeyState state = ApproverKeyState::kActive;
  sys_seconds enrolled_at{};
  std::string enrolled_by;  ///< the principal who vouched for it, or "operator" for the first
  std::optional<sys_seconds>
      ended_at{};  ///< when it was active last; a later revocation of a replaced key leaves that
  bool operator==(const ApproverKey&) const = default;
};

/// A person who may decide, if a gate says so.
struct Approver {
  std::string principal;
  std::vector<std::string> groups;  ///< by name, in ascending order
  std::vector<ApproverKey> keys;    ///< in the order in which they were enrolled
  bool operator==(const Approver&) const = default;
};

/// A key that is about to be enrolled, with the one who vouches for it.
struct NewApproverKey {
  std::string principal;
  std::vector<std::string> groups;
  ApproverKey key;                       ///< active
  std::optional<Thumbprint> replaces{};  ///< an active key of the same person, which ends by it
  std::optional<Thumbprint> by{};  ///< the key that signed for it; none: the first, on the operator's word
  /// Persons, and groups as `group:NAME`, whom gates name: nobody comes to be one of them by an approver's word alone. Empty when the
  /// operator says so too.
  std::vector<std::string> reserved{};
};

/// What the end of a key has ended with it.
struct EndedApproverKey {
  std::uint64_t sequence = 0;
  std::vector<std::string> lapsed;  ///< ids of requests that were approved and are not any more
};

inline constexpr std::size_t kMostApprovers = 1000;
inline constexpr std::size_t kMostKeysOfApprover = 16;  ///< active at one time

/// Remembers who may decide, and by which keys, for ever: decisions are verified with keys that have ended too. Records are sealed
/// with the store's secret (Store::seal_with), and one that was changed by another hand is kStoreCorrupt.
/// Thread-safe. Errors common to all: the store's (see Store).
class ApproverBook {
 public:
  virtual ~ApproverBook() = default;

  /// With their active keys alone, in the order of their principals. Reads every person: who asks often asks for changes() first.
  virtual Result<std::vector<Approver>> list() = 0;
  /// With all keys. kNotFound.
  virtual Result<Approver> find(std::string_view principal) = 0;
  /// Whose key that is, with this key alone, whatever its state. kNotFound.
  virtual Result<Approver> by_key(const Thumbprint& key) = 0;
  /// Whether a key is active, of anybody.
  virtual Result<bool> has_any() = 0;
  /// Another number after each enroll() and revoke() that may have changed something, and before it returns: what was read since this was
  /// last another is as it is still. No lock, no reading.
  [[nodiscard]] virtual std::uint64_t changes() const noexcept = 0;

  /// Enrols a key, in one transaction with what it rests on. The person's groups are from then on those that are given.
  /// - The first is taken while no key is active.
  /// - Each later one is vouched for by an active key: for a person who has an active key, by one of that person's own, so that
  ///   nobody decides in another's name; then the groups are as they were. For anybody else by any approver, who gives only groups of
  ///   its own, or such that no active key's owner is in. Who becomes one of `reserved` by it, other than as a member of a group of
  ///   the voucher's own, takes the operator's word besides.
  /// - A key that `replaces` another ends that.
  /// \return the sequence; kForbidden (who vouches, groups, names that are reserved), kConflict (the key is known, or there is a first already; too many
  ///         keys or approvers), kNotFound (`replaces` names no active key of the person)
  virtual Result<std::uint64_t> enroll(const NewApproverKey& key, const AuditEntry& audit) = 0;

  /// Ends a key, also one that was replaced: it decides nothing from then on; what it decided and is not used yet counts no more, requests
  /// that were approved with it lapse, and what it decided is nobody's example (ApprovalBook::last_decided_like()).
  /// \param by      the key that signed for that, an active one of the same person; none: on the operator's word
  /// \param lapsed  composes the entry for each request that lapses
  /// \return kNotFound, kConflict (it was revoked before), kForbidden (`by`)
  virtual Result<EndedApproverKey> revoke(const Thumbprint& key, const std::optional<Thumbprint>& by,
                                          const EntryOf& lapsed, const AuditEntry& audit) = 0;
};

inline constexpr Error kNoSuchApprover{
    ErrorCode::kNotFound, "no such approver: `chancery approver list` shows those that there are"};
inline constexpr Error kNoSuchApproverKey{
    ErrorCode::kNotFound,
    "no approver has this key: `chancery approver list` shows the keys that are enrolled"};

}  // namespace chancery::store
