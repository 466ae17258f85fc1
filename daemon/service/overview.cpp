// The daemon at a glance.

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/proved_custody.hpp"
#include "daemon/telemetry/process_figures.hpp"

namespace chancery::service {
namespace {

constexpr std::pair<const char*, std::string_view> kPurposes[]{{"issuer", store::kIssuer},
                                                               {"status lists", store::kStatusLists},
                                                               {"attestation", store::kAttestation},
                                                               {"audit log", store::kAudit},
                                                               {"webhook", store::kWebhook}};

void add_keys(api::Overview& out, Office& office, std::chrono::sys_seconds now) {
  for (const auto& [purpose, owner] : kPurposes) {
    const auto key = daemon_keys(office, owner).newest();
    if (!key || !*key) continue;
    const Thumbprint thumbprint = (*key)->stored.public_key.thumbprint();
    out.keys.push_back(
        {purpose, thumbprint.text(), (*key)->backend, std::string(store::key_state_name((*key)->state)),
         proved_custody(office, thumbprint, now), (*key)->created_at.time_since_epoch().count()});
  }
}

void add_backends(api::Overview& out, const Backends& backends) {
  for (const std::string& name : backends.names()) {
    const hsm::KeyBackend& backend = **backends.find(name);
    const hsm::BackendInfo info = backend.describe();
    const hsm::BackendLoad load = backend.load();
    const telemetry::Histogram::Reading signing = backends.signing(name).read();
    std::uint64_t signatures = 0;
    for (const std::uint64_t count : signing.counts) signatures += count;
    const double mean_ms = signatures == 0 ? 0 : signing.sum * 1000 / static_cast<double>(signatures);
    out.backends.push_back({name, info.type, load.is_up, info.emulated, load.queued, signatures, mean_ms});
  }
}

std::optional<api::OverviewCounts> counts_of(Office& office, std::chrono::sys_seconds now) {
  const auto counts = office.store.counts();
  const auto statuses = office.statuses.book.counts(now);
  if (!counts || !statuses) return std::nullopt;
  return api::OverviewCounts{counts->active_agents, counts->lost_agents, counts->retired_agents,
                             counts->tokens,        statuses->revoked,   statuses->suspended,
                             statuses->lists};
}

api::OverviewAudit audit_of(const AuditDesk& desk) {
  const store::AuditCounts counts = desk.book.counts();
  api::OverviewAudit out{.entries = counts.size, .failures = counts.failed, .is_behind = desk.is_behind()};
  const auto newest = desk.book.last_checkpoint();
  if (newest && *newest) out.checkpoint = {(*newest)->size, (*newest)->at.time_since_epoch().count()};
  return out;
}

std::uint64_t anomalies_of(const AnomalyWatch* watch) {
  std::uint64_t count = 0;
  for (std::size_t kind = 0; watch != nullptr && kind < anomaly::kKindNames.size(); ++kind) {
    count += watch->count(static_cast<anomaly::Kind>(kind));
  }
  return count;
}

}  // namespace

Result<api::Overview> show_overview(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kProcessRead));
  api::Overview out;
  out.version = CHANCERY_VERSION;
  out.started_at = static_cast<std::int64_t>(telemetry::process_figures().started_at);
  out.now = context.now.time_since_epoch().count();
  api::Readiness readiness = office.readiness.ask(context.now, context.deadline);
  out.ready = readiness.ready;
  out.missing = std::move(readiness.missing);
  out.issuer = office.policy->issuer_url;
  add_keys(out, office, context.now);
  add_backends(out, office.backends);
  out.counts = counts_of(office, context.now);
  out.budgets = spending_state_name(office.spending.state());
  out.reservations = office.spending.ledger().reservation_count().value_or(0);
  out.audit = audit_of(office.audit);
  if (const auto signed_at = office.statuses.lists.last_signed_at()) {
    out.status_list_signed_at = signed_at->time_since_epoch().count();
  }
  out.anomalies = anomalies_of(office.watch);
  return out;
}

}  // namespace chancery::service
