#include "daemon/service/premises.hpp"

#include <utility>

#include "daemon/service/approval_notice.hpp"
#include "daemon/service/gated_grant.hpp"

namespace chancery::service {
namespace {

Policy with(Policy policy, VerificationCache* cache, const std::optional<TimeZones>& zones) {
  policy.verify.cache = cache;
  policy.verify.zones = zones ? &*zones : nullptr;
  return policy;
}

PartnerOptions with(PartnerOptions partners, const Spending::Complaint& complain) {
  partners.complain = complain;
  return partners;
}

// From a store that is an older copy nothing is signed, and what it knows of tokens is not the last word.
DaemonKeyOptions with(DaemonKeyOptions keys, const Spending& spending) {
  keys.may_sign = [&spending] { return spending.require_newest(); };
  return keys;
}

// Nor is a log that may have been continued elsewhere.
AuditOptions with(AuditOptions audit, const Spending& spending) {
  audit.may_sign = [&spending] { return spending.require_known(); };
  return audit;
}

SpendingOptions with(SpendingOptions spending, TrustPublisher& trust) {
  spending.watch = [&trust](bool is_older) { trust.doubt_statuses(is_older); };
  return spending;
}

}  // namespace

Premises::Premises(store::Books kept, Backends devices, Nonces secret, PremisesOptions options)
    : books(std::move(kept)),
      backends(std::move(devices)),
      nonces(std::move(secret)),
      cache(options.cache_tokens),
      zones(std::move(options.zones)),
      complain(options.complain),
      partners(with(std::move(options.partners), complain)),
      trust(options.policy.issuer_url, std::move(options.anchors), std::move(options.attestation_verifiers)),
      spending({*books.ledger, *books.proofs, *books.checkpoints, *books.store, *books.audit},
               with(std::move(options.spending), trust), options.complain),
      freezes(*books.freezes, backends),
      life(*books.store, backends, &freezes),
      vault(*books.vault, backends, spending,
            options.vault_backend.empty() ? options.issuer.backend : options.vault_backend, options.redactor),
      issuers(*books.grants, vault, std::move(options.issuers), options.redactor, options.complain),
      gated(*books.store, *books.approvers, life, backends, trust,
            {options.issuer.backend, options.issuer.overlap, [this] { return spending.require_newest(); }}),
      issuer(*books.store, life, backends, trust, with(std::move(options.issuer), spending)),
      status_keys(*books.store, life, backends, trust, with(std::move(options.status_keys), spending)),
      attestation_keys(*books.store, life, backends, trust,
                       with(std::move(options.attestation_keys), spending)),
      audit_keys(*books.store, life, backends, trust, with(std::move(options.audit_keys), spending)),
      webhook_keys(*books.store, life, backends, trust, with(std::move(options.webhook_keys), spending)),
      statuses(*books.statuses, status_keys, trust, options.policy.issuer_url),
      attestation(*books.hosts, attestation_keys, std::move(options.attestation)),
      audit(*books.audit, *books.store, audit_keys, with(std::move(options.audit), spending),
            std::move(options.complain)),
      webhook(told_anomalies(*books.anomalies), webhook_keys, options.policy.issuer_url,
              std::move(options.webhook), options.redactor, complain),
      approvals_webhook(told_approvals(*books.approval_notices, office), webhook_keys,
                        options.policy.issuer_url, std::move(options.approvals_webhook), options.redactor,
                        complain),
      readiness(*books.store, backends, {issuer, status_keys, audit_keys, webhook_keys}, spending),
      watch(*books.anomalies, std::move(options.anomalies), options.redactor),
      console(std::move(options.console)),
      office{*books.store,
             backends,
             life,
             issuer,
             trust,
             readiness,
             *books.proofs,
             *books.joins,
             nonces,
             spending,
             statuses,
             attestation,
             audit,
             webhook,
             approvals_webhook,
             *books.backups,
             vault,
             *books.permits,
             issuers,
             *books.approvals,
             *books.approvers,
             *books.gates,
             gated,
             Published<Policy>(with(std::move(options.policy), &cache, zones)),
             std::move(options.files),
             options.log,
             std::move(options.redactor),
             &watch,
             &freezes,
             console.get(),
             books.incidents.get()} {
  spending.seal_with(audit);
  office.approval_waits = std::make_shared<ApprovalWaits>(options.approval_waiters);
}

Status Premises::open(std::chrono::sys_seconds now) {
  CHANCERY_TRY(freezes.open());
  CHANCERY_TRY(publish_gates(office));
  CHANCERY_TRY(issuer.publish(now));
  CHANCERY_TRY(status_keys.publish(now));
  CHANCERY_TRY(attestation_keys.publish(now));
  CHANCERY_TRY(audit_keys.publish(now));
  CHANCERY_TRY(webhook_keys.publish(now));
  // They were made by a policy that may be another than now.
  CHANCERY_TRY(books.hosts->forget_own_results(office.policy->issuer_url));
  CHANCERY_TRY(statuses.tokens.publish(now));
  CHANCERY_TRY(watch.open());
  CHANCERY_TRY(webhook.open());
  CHANCERY_TRY(approvals_webhook.open());
  spending.tick(now);
  return trust.keep_up(partners);
}

// What may fail comes first: forgetting results, which are made anew when somebody asks, is no change of its own.
Status Premises::change(Change change, std::chrono::sys_seconds now, const std::function<Status()>& record) {
  // Whoever makes or ends a key behind a gate meanwhile publishes it afterwards, by the policy that there is then.
  const auto held = gated.hold_publishing();
  CHANCERY_ASSIGN(GateCeilings ceilings, gated.ceilings(change.policy.gates, change.policy.granted_scopes));
  if (change.forget_results) CHANCERY_TRY(books.hosts->forget_own_results(change.policy.issuer_url));
  if (change.trust) {
    Change::Trust& next = *change.trust;
    CHANCERY_TRY(trust.configure(std::move(next.anchors), std::move(next.attestation_verifiers),
                                 with(std::move(next.partners), complain), record));
  } else {
    CHANCERY_TRY(record());
  }
  office.attestation.options.publish(std::move(change.attestation));
  office.attestation.forget_refusals();
  issuer.remember_for(change.key_memory);
  // A gate that is added closes before its rule counts, whatever becomes of the store.
  trust.publish_gates(std::move(ceilings));
  office.policy.publish(with(std::move(change.policy), &cache, zones));
  if (const Status published = issuer.publish(now); !published)  // the keeper tries again
    complain("the issuer's keys could not be published", published.error());
  return {};
}

}  // namespace chancery::service
