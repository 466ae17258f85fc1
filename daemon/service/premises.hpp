#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <chancery/time_zones.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/console_desk.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "daemon/service/gated_issuers.hpp"
#include "daemon/service/office.hpp"
#include "daemon/store/sqlite_books.hpp"

namespace chancery::service {

/// How an office is set up.
struct PremisesOptions {
  Policy policy;        ///< without `verify.cache` and `verify.zones`, which are set here
  TrustConfig anchors;  ///< of others
  std::vector<PublicKey> attestation_verifiers{};  ///< whose results count for chains under its own anchor
  PartnerOptions partners{};                       ///< who they are; its `complain` is set here
  DaemonKeyOptions issuer;
  DaemonKeyOptions status_keys;
  DaemonKeyOptions attestation_keys;
  DaemonKeyOptions audit_keys;
  DaemonKeyOptions webhook_keys;  ///< without a backend where there is no webhook at all
  AuditOptions audit{};
  AttestationOptions attestation{};
  SpendingOptions spending;
  std::size_t cache_tokens = 0;      ///< how many verified tokens are remembered
  std::optional<TimeZones> zones{};  ///< none: what a `time_window` bounds is denied
  std::vector<WatchedFile> files{};
  AnomalyOptions anomalies{};
  WebhookOptions webhook{};                ///< of anomalies
  WebhookOptions approvals_webhook{};      ///< of requests that wait for a person
  IssuerDeskOptions issuers{};             ///< of credentials
  std::unique_ptr<ConsoleDesk> console{};  ///< null: there is none
  std::string vault_backend{};             ///< whose device seals the vault's key; empty: the issuer's
  std::size_t approval_waiters = kApprovalWaiters;
  const telemetry::Log* log = nullptr;  ///< borrowed, outlives the premises; null: nothing is told
  std::shared_ptr<telemetry::Redactor> redactor = std::make_shared<telemetry::Redactor>();
  Spending::Complaint complain = [](const char*, const Error&) {};
};

/// An office with everything that it works with: built in this order, taken apart in the reverse.
struct Premises {
  Premises(store::Books kept, Backends devices, Nonces secret, PremisesOptions options);

  /// Publishes what the store says, opens spending and begins to keep up with partners, before anything is judged: what
  /// was revoked before counts no more.
  [[nodiscard]] Status open(std::chrono::sys_seconds now);

  /// What changes while it serves; the rest of its options is what it was opened with.
  struct Change {
    Policy policy;  ///< without what is set here; `issuer_url` and `trust_domain` as they were
    AttestationOptions attestation;
    bool forget_results = false;  ///< of the daemon's own keys: they were made by another policy
    struct Trust {
      TrustConfig anchors;
      std::vector<PublicKey> attestation_verifiers;
      PartnerOptions partners;
    };
    std::optional<Trust> trust{};       ///< none: as it was, with what was learned of partners' keys
    std::chrono::seconds key_memory{};  ///< see DaemonKeys::remember_for()
  };

  /// Publishes a change, of which each look at a part sees all or nothing.
  /// \param record  called once nothing else can go wrong, and before anybody sees the change
  /// \return the store's errors, those of TrustPublisher::configure(), or what `record` said; then nothing has changed
  [[nodiscard]] Status change(Change change, std::chrono::sys_seconds now,
                              const std::function<Status()>& record);

  store::Books books;
  Backends backends;
  Nonces nonces;
  VerificationCache cache;
  std::optional<TimeZones> zones;
  Spending::Complaint complain;
  PartnerOptions partners;
  TrustPublisher trust;
  Spending spending;
  FreezeDesk freezes;
  KeyLife life;
  Vault vault;
  IssuerDesk issuers;  // of credentials
  GatedIssuers gated;
  DaemonKeys issuer;
  DaemonKeys status_keys;
  DaemonKeys attestation_keys;
  DaemonKeys audit_keys;
  DaemonKeys webhook_keys;
  StatusDesk statuses;
  AttestationDesk attestation;
  AuditDesk audit;
  Webhook webhook;
  Webhook approvals_webhook;
  ReadinessCheck readiness;
  AnomalyWatch watch;
  std::unique_ptr<ConsoleDesk> console;
  Office office;
};

}  // namespace chancery::service
