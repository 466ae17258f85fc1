#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/backend_set.hpp"
#include "daemon/service/occasion.hpp"
#include "daemon/service/spending.hpp"
#include "daemon/store/vault_book.hpp"
#include "daemon/telemetry/redactor.hpp"
#include "daemon/vault/vault_key.hpp"

namespace chancery::service {

/// For what a credential is to be released. Borrows its texts for the call.
struct ReleaseRequest {
  std::string_view credential;       ///< by name
  std::string_view tool;             ///< that it is for
  std::string_view scope;            ///< under which the call was authorized
  std::string use_id;                ///< of this release, unique: what ends it
  std::chrono::sys_seconds until{};  ///< when the use counts for ended at the latest
  /// Whose call it is: agent, principal, ids; without what is added here (`credential`, `credential_id`, `use`, and the
  /// details `version`, `tool`, `scope`, `until`, `issuer`).
  AuditFacts facts{};
};

/// A credential's value, for one call.
struct Released {
  SecretBytes value;     ///< empty where somebody issues it
  std::string issuer{};  ///< who does; empty: it is kept
  std::string id;        ///< the credential's
  std::string type;
  std::int64_t version = 0;
  bool rotate_on_hit = false;
};

/// The vault of credentials as the use cases see it. What it releases stands in the audit log before anybody has it.
/// Thread-safe.
class Vault {
 public:
  /// What came of requests to release something.
  enum class Outcome : std::uint8_t { kReleased, kUnknown, kRefused, kExpired, kHalted, kFailed };
  static constexpr std::array<std::string_view, 6> kOutcomeNames{"released", "unknown", "refused",
                                                                 "expired",  "halted",  "failed"};

  /// \param backend  whose device seals the vault's key
  /// \param spending  which says whether the store is an older copy
  Vault(store::VaultBook& kept, const Backends& backends, const Spending& spending, std::string backend,
        std::shared_ptr<telemetry::Redactor> redactor);

  /// Notes a use of a credential as it was read, with its audit entry, in one transaction.
  using Take =
      std::function<Status(const store::Credential& read, store::CredentialUse use, store::AuditEntry audit)>;

  /// Releases the value of the version that is active, and notes an open use of it.
  ///
  /// Use and audit entry (`credential.release`) are one transaction, which is on the disk before this returns the value.
  /// \param take  notes the use in another way, with what else is to be done in the same transaction
  /// \return what `take` said; kNotFound (no such credential, or no version of it is active), kForbidden (another tool or scope), kRetired
  ///         (expired), kConflict (the use's id is known), kSpendingHalted while the store is an older copy,
  ///         kKeyLost and the device's errors while the vault's key cannot be opened, kStoreCorrupt for a record that
  ///         another hand has changed
  [[nodiscard]] Result<Released> release(const ReleaseRequest& request, const Occasion& occasion,
                                         const Take& take = {});

  /// Whether it would be released now: asked where that is for later. As release(), without the device's errors.
  [[nodiscard]] Status may_release(const ReleaseRequest& request, std::chrono::sys_seconds now);

  /// Ends a use, so that a version that retires need not wait for it. Succeeds also when it has ended.
  [[nodiscard]] Status end_use(std::string_view use_id) { return book.end_use(use_id); }

  /// Seals a value for a version; makes the vault's key if there is none.
  [[nodiscard]] Result<store::Envelope> seal(const store::Credential& credential,
                                             const store::CredentialVersion& version,
                                             const SecretBytes& value, const Occasion& occasion);
  /// Opens one and seals it for what its credential is to be.
  [[nodiscard]] Result<store::Envelope> reseal(const store::Credential& former,
                                               const store::CredentialVersion& version,
                                               const store::Credential& next, const Occasion& occasion);

  /// The vault's key, which is made if there is none: for what the daemon seals for itself. kKeyLost and the device's errors.
  [[nodiscard]] Result<vault::VaultKey::Key> key(const Occasion& occasion);

  /// Has a value redacted from all that the daemon says from now on.
  void hide(const SecretBytes& value) { redactor_->hide(value.view()); }

  /// Forgets the vault's key and every value, for good. \return as VaultBook::reset()
  [[nodiscard]] Result<std::uint64_t> reset(const Occasion& occasion, AuditFacts facts);

  /// One round: revokes the versions that retire and that nobody uses any more, or whose time is over. One thread at a time.
  /// \param complain  told what could not be done, and is tried again in the next round
  void tick(std::chrono::sys_seconds now, const Spending::Complaint& complain);

  [[nodiscard]] std::uint64_t count(Outcome outcome) const noexcept {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }

  store::VaultBook& book;

 private:
  [[nodiscard]] Result<Released> release_newest(const ReleaseRequest& request, const Occasion& occasion,
                                                const Take& take);
  [[nodiscard]] Result<Released> release_from(const store::Credential& credential,
                                              const ReleaseRequest& request, const Occasion& occasion,
                                              const Take& take);
  void hide_once(const store::Credential& credential, std::int64_t version, const SecretBytes& value);

  const Spending& spending_;
  const std::shared_ptr<telemetry::Redactor> redactor_;
  vault::VaultKey key_;
  std::array<std::atomic<std::uint64_t>, kOutcomeNames.size()> counts_{};
  std::mutex mutex_;                                       // of the rest
  std::set<std::pair<std::string, std::int64_t>> hidden_;  // versions whose values the redactor knows
  std::chrono::sys_seconds next_pruning_{};
};

/// Facts about what happens to a credential: which one it is, never its value.
[[nodiscard]] AuditFacts credential_facts(const store::Credential& credential);

}  // namespace chancery::service
