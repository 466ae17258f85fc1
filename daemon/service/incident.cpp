#include "daemon/service/incident.hpp"

#include <utility>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/freeze.hpp"
#include "daemon/service/incident_evidence.hpp"
#include "daemon/service/status_acts.hpp"
#include "sdk/incident/bundle.hpp"
#include "sdk/incident/reach.hpp"

namespace chancery::service {
namespace {

constexpr int kIndexRounds = 1000;
constexpr Error kNoFreezing{ErrorCode::kConflict,
                            "this daemon cannot freeze agents: open the incident with `freeze` false"};

// All that the caller may not do is found out before anything is done.
Status require_all(Office& office, const CallContext& context, const api::OpenIncident& message) {
  const Parameter agent{"agent", message.agent};
  CHANCERY_TRY(require_authority(office, context, scope::kIncidentsOpen, {agent}));
  if (message.freeze) CHANCERY_TRY(require_authority(office, context, scope::kAgentsFreeze, {agent}));
  if (message.revoke) CHANCERY_TRY(require_authority(office, context, scope::kRevocationsCreate, {agent}));
  CHANCERY_TRY(check_reason(message.reason));
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const store::StatusTarget target, resolve(office, {"agent", message.agent}));
  if (message.revoke) CHANCERY_TRY(require_no_ancestor(office, context, target));
  if (message.freeze && office.freezes == nullptr) return kNoFreezing;
  return {};
}

// These leave entries of their own, which are not what was asked for.
Result<std::optional<std::int64_t>> stop_agent(Office& office, CallContext context,
                                               const api::OpenIncident& message) {
  context.attempt = nullptr;
  if (message.freeze) CHANCERY_TRY(freeze_agent(office, context, message.agent, {message.reason}));
  if (!message.revoke) return std::optional<std::int64_t>();
  CHANCERY_ASSIGN(const api::StatusAct act,
                  revoke(office, context, {{"agent", message.agent}, message.reason}));
  return std::optional(act.id);
}

// So that each reference is looked for in the index alone.
Status index_entries(Office& office) {
  for (int round = 0; round < kIndexRounds; ++round) {
    CHANCERY_ASSIGN(const bool more, office.audit.book.index_some(1));
    if (!more) break;
  }
  return {};
}

Status describe_head(Office& office, const CallContext& context, const api::OpenIncident& message,
                     const store::Agent& agent, incident::Evidence& out) {
  CHANCERY_ASSIGN(out.log, office.audit.origin());
  const auto policy = office.policy.current();
  out.issuer = policy->issuer_url;
  out.passkeys = policy->passkeys;
  out.opened_at = context.now.time_since_epoch().count();
  out.reason = office.redactor->text(message.reason);
  api::Agent described;
  CHANCERY_TRY(describe_freeze(office, agent, described));
  if (described.frozen_since)
    out.frozen = {*described.frozen_since, described.frozen_reason, described.freeze_enforcement};
  return {};
}

Result<incident::Evidence> collect(Office& office, const CallContext& context,
                                   const api::OpenIncident& message) {
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(message.agent));
  CHANCERY_TRY(index_entries(office));
  CHANCERY_ASSIGN(const store::Trail trail, office.incidents->trail(agent.id, {}, context.now));
  incident::Evidence out = evidence_of(trail);
  CHANCERY_TRY(describe_head(office, context, message, trail.agent, out));
  CHANCERY_ASSIGN(FoundEntries entries,
                  entries_about(office, trail, static_cast<std::size_t>(message.entries)));
  if (entries.are_cut) out.cut.emplace_back("entries");
  for (store::AuditRecord& record : entries.records)
    out.entries.push_back({record.sequence, std::move(record.json)});
  CHANCERY_ASSIGN(out.reached, incident::reached_by(out));
  return out;
}

AuditFacts incident_facts(const incident::Evidence& evidence, const std::string& digest,
                          const api::OpenIncident& message) {
  AuditFacts facts{.agent = evidence.agent,
                   .ids = {{"agent_id", evidence.agent_id}, {"incident", digest}},
                   .details = json::Node::object({{"freeze", message.freeze},
                                                  {"revoke", message.revoke},
                                                  {"entries", evidence.entries.size()},
                                                  {"cut", !evidence.cut.empty()}})};
  if (!evidence.reason.empty()) facts.details.set("reason", evidence.reason);
  return facts;
}

// The key of the log signs heads of its tree and nothing else. The tree comprises the entry with the evidence's hash, and so what is
// signed can neither be taken from the log again nor be denied by it.
Result<incident::Proof> prove(Office& office, const CallContext& context, const incident::Evidence& evidence,
                              std::uint64_t opening) {
  store::AuditBook& log = office.audit.book;
  CHANCERY_ASSIGN(const store::SignedCheckpoint checkpoint,
                  office.audit.checkpoint(context.now, context.deadline));
  CHANCERY_ASSIGN(const store::AuditRecord entry, log.entry(opening));
  incident::Proof out{.checkpoint = checkpoint.note,
                      .keys = {},
                      .opening = {opening, entry.json},
                      .opening_path = {},
                      .paths = {}};
  CHANCERY_ASSIGN(const api::AuditKeys keys, show_audit_keys(office));
  for (const api::AuditKey& key : keys.keys) out.keys.push_back(key.verifier_key);
  std::vector<std::uint64_t> numbers;
  for (const incident::LoggedEntry& each : evidence.entries) numbers.push_back(each.number);
  CHANCERY_ASSIGN(out.paths, log.inclusions(numbers, checkpoint.size));
  CHANCERY_ASSIGN(out.opening_path, log.inclusion(opening, checkpoint.size));
  return out;
}

}  // namespace

Result<api::Incident> open_incident(Office& office, const CallContext& context,
                                    const api::OpenIncident& message) {
  note_attempt(context, {.agent = message.agent});
  CHANCERY_TRY(require_all(office, context, message));
  CHANCERY_ASSIGN(const std::optional<std::int64_t> act, stop_agent(office, context, message));
  CHANCERY_ASSIGN(incident::Evidence evidence, collect(office, context, message));
  evidence.revoked = act;
  std::string text = incident::write_evidence(evidence);
  AuditFacts facts = incident_facts(evidence, incident::digest_of(text), message);
  CHANCERY_ASSIGN(const std::uint64_t opening,
                  office.store.append_audit(audit_entry("incident.open", context, std::move(facts))));
  CHANCERY_ASSIGN(const incident::Proof proof, prove(office, context, evidence, opening));
  return api::Incident{incident::write_bundle(std::move(text), proof)};
}

}  // namespace chancery::service
