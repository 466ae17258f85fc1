#include "daemon/service/metrics.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/console_desk.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "daemon/telemetry/process_figures.hpp"

namespace chancery::service {
namespace {

using telemetry::Metric;
using enum Metric::Kind;

/// A figure that every backend has.
struct BackendMetric {
  const char* name;
  const char* help;
  Metric::Kind kind;
  double (*value)(const hsm::BackendLoad& load);
};

constexpr BackendMetric kBackendMetrics[] = {
    {"chancery_backend_up", "Whether the device was there when it was needed last.", kGauge,
     [](const hsm::BackendLoad& load) { return load.is_up ? 1.0 : 0.0; }},
    {"chancery_backend_queued", "Requests that wait for the device.", kGauge,
     [](const hsm::BackendLoad& load) { return static_cast<double>(load.queued); }},
    {"chancery_backend_live_objects", "Transient objects that the daemon has in the device.", kGauge,
     [](const hsm::BackendLoad& load) { return static_cast<double>(load.live_objects); }},
    {"chancery_backend_live_sessions", "Sessions that the daemon has with the device.", kGauge,
     [](const hsm::BackendLoad& load) { return static_cast<double>(load.live_sessions); }},
    {"chancery_backend_cached_keys", "Keys whose loaded form is kept ready.", kGauge,
     [](const hsm::BackendLoad& load) { return static_cast<double>(load.cached_keys); }},
    {"chancery_backend_recoveries_total", "Times that the device was found again after a failure.", kCounter,
     [](const hsm::BackendLoad& load) { return static_cast<double>(load.recoveries); }},
};

void add_backends(std::vector<Metric>& out, const Backends& backends) {
  for (const BackendMetric& wanted : kBackendMetrics) {
    Metric metric{wanted.name, wanted.help, wanted.kind};
    for (const std::string& name : backends.names()) {
      metric.samples.push_back({wanted.value((*backends.find(name))->load()), {{"backend", name}}});
    }
    out.push_back(std::move(metric));
  }
}

void add_space(std::vector<Metric>& out, store::Store& store) {
  const auto space = store.space();
  if (!space) return;
  out.push_back({"chancery_state_free_bytes",
                 "Room that the state folder's file system has left for the daemon.",
                 kGauge,
                 {{static_cast<double>(space->free_octets)}}});
  out.push_back({"chancery_state_size_bytes",
                 "Room that the state folder's file system has in all.",
                 kGauge,
                 {{static_cast<double>(space->all_octets)}}});
  out.push_back({"chancery_state_read_only",
                 "1 while the state folder's file system is mounted read-only.",
                 kGauge,
                 {{space->is_read_only ? 1.0 : 0.0}}});
}

// A store that does not answer has no counts: those that are missing say so better than zeros.
void add_store(std::vector<Metric>& out, store::Store& store) {
  const auto counts = store.counts();
  out.push_back({"chancery_store_up", "Whether the store answers.", kGauge, {{counts ? 1.0 : 0.0}}});
  if (!counts) return;
  const auto sample = [](std::uint64_t count, const char* state) {
    return telemetry::Sample{static_cast<double>(count), {{"state", state}}};
  };
  out.push_back({"chancery_agents",
                 "Agents that were registered.",
                 kGauge,
                 {sample(counts->active_agents, "active"), sample(counts->lost_agents, "lost"),
                  sample(counts->retired_agents, "retired")}});
  out.push_back({"chancery_tokens_total",
                 "Tokens that were issued here.",
                 kCounter,
                 {{static_cast<double>(counts->tokens)}}});
}

// Devices are not asked: what they said last is told.
void add_switches(std::vector<Metric>& out, const FreezeDesk& desk, std::chrono::sys_seconds now) {
  Metric armed{"chancery_kill_switch_armed",
               "Whether each bank of the kill switch was armed when its device was asked last.", kGauge};
  Metric untold{"chancery_freeze_untold",
                "1 while something is frozen of which the device with the kill switch could not be told.",
                kGauge};
  for (const FreezeDesk::LastSeen& seen : desk.last_seen()) {
    if (seen.is_armed) armed.samples.push_back({*seen.is_armed ? 1.0 : 0.0, {{"backend", seen.backend}}});
    untold.samples.push_back({seen.is_untold ? 1.0 : 0.0, {{"backend", seen.backend}}});
  }
  out.push_back(std::move(armed));
  out.push_back(std::move(untold));
  Metric keys{"chancery_unswitched_keys",
              "Keys by which agents sign and that hang on no kill switch, where there is one.", kGauge};
  if (desk.has_switches()) {
    const auto count = desk.unswitched_keys(now);
    if (count) keys.samples.push_back({static_cast<double>(*count)});
  }
  out.push_back(std::move(keys));
}

// Whoever was retired stays frozen in the book, and nobody can unfreeze it.
bool is_in_use(const Office& office, const std::string& agent_id) {
  const auto agent = office.store.agent_by_id(agent_id);
  return !agent || !agent->retired_at;
}

void add_freezes(std::vector<Metric>& out, const Office& office, std::chrono::sys_seconds now) {
  const FreezeDesk* const desk = office.freezes;
  if (desk == nullptr) return;
  const std::vector<std::string> frozen = desk->frozen_agents();
  const auto count =
      std::ranges::count_if(frozen, [&](const std::string& id) { return is_in_use(office, id); });
  out.push_back({"chancery_all_agents_frozen",
                 "1 while all agents are frozen.",
                 kGauge,
                 {{desk->freeze_of({}) ? 1.0 : 0.0}}});
  out.push_back({"chancery_agents_frozen",
                 "Agents that are frozen by themselves.",
                 kGauge,
                 {{static_cast<double>(count)}}});
  add_switches(out, *desk, now);
}

void add_durations(std::vector<Metric>& out, const Office& office) {
  Metric signing{"chancery_signing_seconds", "How long signatures took, their wait for the device included.",
                 kHistogram};
  for (const std::string& name : office.backends.names()) {
    signing.samples.push_back({0, {{"backend", name}}, office.backends.signing(name).read()});
  }
  out.push_back(std::move(signing));
  Metric requests{"chancery_request_seconds",
                  "How long requests took in their route, by what the route is about.", kHistogram};
  for (std::size_t i = 0; i < kRouteClassNames.size(); ++i) {
    const auto reading = office.tallies->took(static_cast<RouteClass>(i)).read();
    requests.samples.push_back({0, {{"class", std::string(kRouteClassNames[i])}}, reading});
  }
  out.push_back(std::move(requests));
}

void add_judgements(std::vector<Metric>& out, const Tallies& tallies) {
  Metric metric{"chancery_verifications_total",
                "Chains that were judged, by who asked for it and the outcome.", kCounter};
  for (std::size_t by = 0; by < kJudgedNames.size(); ++by) {
    for (std::size_t outcome = 0; outcome < Tallies::kOutcomes; ++outcome) {
      const std::uint64_t count = tallies.judgements(by, outcome);
      // Of each at least the valid ones, so that a rate of denials has what to be compared with.
      if (count == 0 && outcome != static_cast<std::size_t>(Outcome::kValid)) continue;
      metric.samples.push_back({static_cast<double>(count),
                                {{"by", std::string(kJudgedNames[by])},
                                 {"outcome", std::string(outcome_name(static_cast<Outcome>(outcome)))}}});
    }
  }
  out.push_back(std::move(metric));
}

void add_edge_refusals(std::vector<Metric>& out, const telemetry::EdgeRefusals& refusals) {
  Metric metric{"chancery_edge_refusals_total", "What was turned away before any route saw it, by reason.",
                kCounter};
  for (std::size_t i = 0; i < telemetry::EdgeRefusals::kNames.size(); ++i) {
    metric.samples.push_back({static_cast<double>(refusals.value(i)),
                              {{"reason", std::string(telemetry::EdgeRefusals::kNames[i])}}});
  }
  out.push_back(std::move(metric));
}

void add_anomalies(std::vector<Metric>& out, const AnomalyWatch* watch) {
  Metric metric{"chancery_anomalies_total", "What agents did otherwise than they used to, by kind.",
                kCounter};
  for (std::size_t kind = 0; watch != nullptr && kind < anomaly::kKindNames.size(); ++kind) {
    metric.samples.push_back({static_cast<double>(watch->count(static_cast<anomaly::Kind>(kind))),
                              {{"kind", std::string(anomaly::kKindNames[kind])}}});
  }
  out.push_back(std::move(metric));
}

void add_webhooks(std::vector<Metric>& out, const Office& office) {
  const std::array webhooks{std::pair("anomalies", &office.webhook),
                            std::pair("approvals", &office.approvals_webhook)};
  Metric deliveries{"chancery_webhook_deliveries_total",
                    "What came of attempts to tell a webhook something, and of what was given up.", kCounter};
  Metric waiting{"chancery_webhook_waiting", "What waits to be told to a webhook.", kGauge};
  for (const auto& [about, webhook] : webhooks) {
    for (std::size_t i = 0; i < Webhook::kOutcomeNames.size(); ++i) {
      deliveries.samples.push_back(
          {static_cast<double>(webhook->count(static_cast<Webhook::Outcome>(i))),
           {{"about", std::string(about)}, {"outcome", std::string(Webhook::kOutcomeNames[i])}}});
    }
    if (const auto count = webhook->waiting(); count)
      waiting.samples.push_back({static_cast<double>(*count), {{"about", std::string(about)}}});
  }
  out.push_back(std::move(deliveries));
  if (!waiting.samples.empty()) out.push_back(std::move(waiting));
}

// By the names that Prometheus' own client libraries give them.
void add_process(std::vector<Metric>& out) {
  const telemetry::ProcessFigures figures = telemetry::process_figures();
  out.push_back({"process_start_time_seconds",
                 "When the daemon was started, in seconds since 1970.",
                 kGauge,
                 {{figures.started_at}}});
  out.push_back({"process_resident_memory_bytes",
                 "Memory that the daemon has in use.",
                 kGauge,
                 {{figures.resident_octets}}});
  out.push_back({"process_open_fds", "Descriptors that are open.", kGauge, {{figures.open_descriptors}}});
  out.push_back({"process_max_fds", "Descriptors that may be open.", kGauge, {{figures.most_descriptors}}});
}

Metric build_info() {
  return {"chancery_build_info",
          "1, with what runs: version, compiler, and the commit if the build was told it.",
          kGauge,
          {{1.0, {{"version", CHANCERY_VERSION}, {"commit", CHANCERY_COMMIT}, {"compiler", __VERSION__}}}}};
}

void add_spending(std::vector<Metric>& out, const Spending& spending) {
  const bool is_open = spending.state() == Spending::State::kOpen;
  out.push_back({"chancery_spending_open",
                 "Whether budgets are spent: 0 while the store may be an older copy, or the device with the "
                 "counter is away.",
                 kGauge,
                 {{is_open ? 1.0 : 0.0}}});
  const auto reservations = spending.ledger().reservation_count();
  if (!reservations) return;
  out.push_back({"chancery_reservations",
                 "Reservations that were neither settled nor released, and have not expired.",
                 kGauge,
                 {{static_cast<double>(*reservations)}}});
}

// A list is signed when it is asked for: without an age none was.
void add_statuses(std::vector<Metric>& out, const StatusDesk& statuses, std::chrono::sys_seconds now) {
  if (const auto signed_at = statuses.lists.last_signed_at()) {
    out.push_back({"chancery_status_list_age_seconds",
                   "Seconds since a status list was signed last.",
                   kGauge,
                   {{static_cast<double>((now - *signed_at).count())}}});
  }
  const auto counts = statuses.book.counts(now);
  if (!counts) return;
  out.push_back({"chancery_status_lists",
                 "Status lists that there are.",
                 kGauge,
                 {{static_cast<double>(counts->lists)}}});
  out.push_back({"chancery_ended_tokens",
                 "Tokens that are revoked or suspended and have not expired.",
                 kGauge,
                 {{static_cast<double>(counts->revoked), {{"status", "revoked"}}},
                  {static_cast<double>(counts->suspended), {{"status", "suspended"}}}}});
}

void add_audit(std::vector<Metric>& out, const Office& office, std::chrono::sys_seconds now) {
  const store::AuditCounts counts = office.audit.book.counts();
  const auto one = [](std::uint64_t count) {
    return std::vector<telemetry::Sample>{{static_cast<double>(count)}};
  };
  out.push_back({"chancery_audit_entries_total", "Entries that were recorded since the start.", kCounter,
                 one(counts.recorded)});
  out.push_back({"chancery_audit_failures_total",
                 "Entries that the store could not take, so that what they were about did not happen.",
                 kCounter, one(counts.failed)});
  out.push_back({"chancery_audit_log_size", "Entries that the audit log has.", kGauge, one(counts.size)});
  out.push_back({"chancery_audit_log_older_copy",
                 "1 while the device's counter says that the audit log may be an older copy.", kGauge,
                 one(office.spending.halted() ? 1 : 0)});
  const auto newest = office.audit.book.last_checkpoint();
  if (!newest || !*newest) return;
  out.push_back({"chancery_audit_checkpoint_age_seconds",
                 "Seconds since the newest checkpoint of the audit log was signed.",
                 kGauge,
                 {{static_cast<double>((now - (*newest)->at).count())}}});
}

void add_vault(std::vector<Metric>& out, const Vault& vault, std::chrono::sys_seconds now) {
  Metric releases{"chancery_credential_releases_total",
                  "What came of requests to release a credential, by outcome.", kCounter};
  for (std::size_t i = 0; i < Vault::kOutcomeNames.size(); ++i) {
    releases.samples.push_back({static_cast<double>(vault.count(static_cast<Vault::Outcome>(i))),
                                {{"outcome", std::string(Vault::kOutcomeNames[i])}}});
  }
  out.push_back(std::move(releases));
  const auto counts = vault.book.counts();
  if (!counts) return;
  const auto sample = [](std::uint64_t count, const char* state) {
    return telemetry::Sample{static_cast<double>(count), {{"state", state}}};
  };
  out.push_back({"chancery_credential_versions",
                 "Versions of credentials in the vault, by what they are good for.",
                 kGauge,
                 {sample(counts->active, "active"), sample(counts->pending, "pending"),
                  sample(counts->retiring, "retiring"), sample(counts->revoked, "revoked")}});
  if (!counts->oldest_active) return;
  out.push_back({"chancery_credential_oldest_age_seconds",
                 "Seconds since the oldest value was put that credentials are released with.",
                 kGauge,
                 {{static_cast<double>((now - *counts->oldest_active).count())}}});
}

// The further apart both histograms are, the more a stolen one would have been worth.
void add_lifetimes(std::vector<Metric>& out, const vault::LifetimeTally& lifetimes) {
  const auto add = [&](const char* name, const char* help, const vault::LifetimeHistogram& histogram) {
    const auto reading = histogram.read();
    Metric metric{name, help, kHistogram};
    metric.samples.push_back(
        {0, {}, {vault::LifetimeHistogram::kBounds, reading.counts, static_cast<double>(reading.sum)}});
    out.push_back(std::move(metric));
  };
  add("chancery_issued_lifetime_seconds",
      "How long issued credentials were good for when they were given out.", lifetimes.issued);
  add("chancery_issued_use_seconds", "For how long issued credentials were used.", lifetimes.used);
}

void add_issuers(std::vector<Metric>& out, const IssuerDesk& issuers) {
  add_lifetimes(out, issuers.lifetimes);
  Metric issues{"chancery_credential_issues_total",
                "What came of requests to an issuer of credentials, by issuer and outcome.", kCounter};
  Metric states{"chancery_credential_issuer_state",
                "1 for the state that an issuer of credentials is in, else 0.", kGauge};
  for (const auto& line : issuers.lines()) {
    const std::string& name = line->setup().name;
    for (std::size_t i = 0; i < IssuerLine::kOutcomeNames.size(); ++i) {
      issues.samples.push_back({static_cast<double>(line->count(static_cast<IssuerLine::Outcome>(i))),
                                {{"issuer", name}, {"outcome", std::string(IssuerLine::kOutcomeNames[i])}}});
    }
    using enum vault::IssuerState;
    const vault::IssuerState is = line->facts().state;
    for (const vault::IssuerState state : {kReady, kNeedsConsent, kFailing}) {
      states.samples.push_back({is == state ? 1.0 : 0.0,
                                {{"issuer", name}, {"state", std::string(vault::issuer_state_name(state))}}});
    }
  }
  out.push_back(std::move(issues));
  out.push_back(std::move(states));
}

void add_console(std::vector<Metric>& out, const Office& office, std::chrono::sys_seconds now) {
  Metric shown{"chancery_console_sign_ins_total",
               "Links, passkeys and passkeys' confirmations that the console was shown, by what came of it.",
               kCounter};
  for (std::size_t i = 0; i < kConsoleCredentialNames.size(); ++i) {
    for (const bool is_accepted : {true, false}) {
      shown.samples.push_back({static_cast<double>(office.tallies->console_credentials(i, is_accepted)),
                               {{"by", std::string(kConsoleCredentialNames[i])},
                                {"outcome", is_accepted ? "accepted" : "refused"}}});
    }
  }
  out.push_back(std::move(shown));
  Metric refusals{"chancery_console_refusals_total",
                  "Requests that the console turned away before any route saw them, by reason.", kCounter};
  for (std::size_t i = 0; i < kConsoleRefusalNames.size(); ++i) {
    refusals.samples.push_back({static_cast<double>(office.tallies->console_refusals(i)),
                                {{"reason", std::string(kConsoleRefusalNames[i])}}});
  }
  out.push_back(std::move(refusals));
  const std::size_t sessions = office.console == nullptr ? 0 : office.console->count(now);
  out.push_back({"chancery_console_sessions",
                 "Sessions of the console that have not ended.",
                 kGauge,
                 {{static_cast<double>(sessions)}}});
}

void add_approvals(std::vector<Metric>& out, const Office& office, std::chrono::sys_seconds now) {
  Metric requests{"chancery_approval_requests_total",
                  "What takes an approval, by its kind and what came of asking for one.", kCounter};
  for (const store::ApprovalKind kind : kApprovalKinds) {
    for (std::size_t i = 0; i < kApprovalRequestNames.size(); ++i) {
      requests.samples.push_back({static_cast<double>(office.tallies->approval_requests(kind, i)),
                                  {{"kind", std::string(store::approval_kind_name(kind))},
                                   {"outcome", std::string(kApprovalRequestNames[i])}}});
    }
  }
  out.push_back(std::move(requests));
  Metric decisions{"chancery_approval_decisions_total",
                   "What came of persons' decisions about what waits for them, by outcome.", kCounter};
  for (std::size_t i = 0; i < kDecisionOutcomeNames.size(); ++i) {
    decisions.samples.push_back({static_cast<double>(office.tallies->decisions(i)),
                                 {{"outcome", std::string(kDecisionOutcomeNames[i])}}});
  }
  out.push_back(std::move(decisions));
  const auto waited = office.tallies->decided_after().read();
  Metric waits{"chancery_approval_wait_seconds", "How long requests waited for the decision that ended that.",
               kHistogram};
  waits.samples.push_back(
      {0, {}, {vault::LifetimeHistogram::kBounds, waited.counts, static_cast<double>(waited.sum)}});
  out.push_back(std::move(waits));
  out.push_back({"chancery_approval_waiters",
                 "Requests that are answered when something becomes of what waits for a person.",
                 kGauge,
                 {{static_cast<double>(office.approval_waits->waiting())}}});
  const auto pending = office.approvals.pending(now);
  if (!pending) return;
  out.push_back({"chancery_approvals_pending",
                 "Calls of tools that wait for a person.",
                 kGauge,
                 {{static_cast<double>(*pending)}}});
}

}  // namespace

std::vector<Metric> metrics(const Office& office, std::chrono::sys_seconds now) {
  std::vector<Metric> out;
  out.push_back(build_info());
  add_process(out);
  add_backends(out, office.backends);
  add_durations(out, office);
  add_judgements(out, *office.tallies);
  add_edge_refusals(out, *office.edge_refusals);
  add_anomalies(out, office.watch);
  add_webhooks(out, office);
  add_store(out, office.store);
  add_space(out, office.store);
  add_freezes(out, office, now);
  out.push_back({"chancery_join_token_reuses_total",
                 "Join tokens that were presented a second time: somebody has them who should not.",
                 kCounter,
                 {{static_cast<double>(office.join_alarms->load(std::memory_order_relaxed))}}});
  out.push_back({"chancery_refused_proofs_total",
                 "Proofs that were presented again to have an action authorized, or by a key with too many.",
                 kCounter,
                 {{static_cast<double>(office.refused_proofs->count())}}});
  add_spending(out, office.spending);
  add_statuses(out, office.statuses, now);
  add_audit(out, office, now);
  add_vault(out, office.vault, now);
  add_issuers(out, office.issuers);
  add_approvals(out, office, now);
  add_console(out, office, now);
  return out;
}

}  // namespace chancery::service
