#include "daemon/service/measurements.hpp"

#include <algorithm>
#include <tuple>

#include "attest/verify/measurements.hpp"
#include "daemon/service/audit_entry.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

using attest::AgentMeasurement;

constexpr Error kBusy{ErrorCode::kDeviceTimeout, "another agent is being measured: try again in a moment"};

// What an agent was registered as: another set of selectors is another agent to whoever reads the log.
Sha256Digest manifest_of(const store::Agent& agent) {
  return sha256(as_bytes(json::to_jcs(
      json::Node::object({{"id", agent.id}, {"name", agent.name}, {"selectors", agent.selectors}}))));
}

AuditFacts facts_of(std::string_view backend, const AgentMeasurement& entry) {
  AuditFacts facts = backend_facts(backend);
  facts.ids.emplace_back("agent_id", entry.agent);
  facts.details = attest::to_node(entry);
  return facts;
}

// The last entry of a log may not have come about in the device.
attest::MeasurementLog without_last(attest::MeasurementLog log) {
  log.pop_back();
  return log;
}

}  // namespace

Status Measurements::measure(const store::Agent& agent, const api::Selectors& selectors,
                             hsm::Attester& attester, const Occasion& occasion) {
  if (selectors.executable_sha256.empty()) return {};
  const std::string& backend = agent.key.backend;
  AgentMeasurement entry{0, occasion.now, agent.id, {}, manifest_of(agent)};
  const auto program = hex_decode_exactly<std::tuple_size_v<Sha256Digest>>(selectors.executable_sha256);
  if (!program) return Error{ErrorCode::kMalformed, "`executable_sha256` has 64 hexadecimal digits"};
  entry.executable = *program;
  OfBackend& held = of(backend);
  const std::unique_lock lock(held.mutex, occasion.deadline);
  if (!lock.owns_lock()) return kBusy;
  CHANCERY_ASSIGN(Log* const log, log_of(held, backend, attester, occasion));
  const auto last = std::find_if(log->rbegin(), log->rend(),
                                 [&](const AgentMeasurement& each) { return each.agent == agent.id; });
  const bool is_same =
      last != log->rend() && last->executable == entry.executable && last->manifest == entry.manifest;
  if (is_same) return {};
  entry.seq = log->size() + 1;
  CHANCERY_TRY(
      book_.add_measurement(backend, entry, audit_entry("measurement", occasion, facts_of(backend, entry))));
  log->push_back(entry);
  const Status measured = attester.measure(attest::digest_of(entry), occasion.deadline);
  if (!measured) held.log.reset();  // whether it came about is found out next time
  return measured;
}

Result<api::Measurements> Measurements::show(const std::string& backend, hsm::Attester& attester,
                                             ByteView nonce, const Occasion& occasion) {
  OfBackend& held = of(backend);
  const std::unique_lock lock(held.mutex, occasion.deadline);
  if (!lock.owns_lock()) return kBusy;
  CHANCERY_ASSIGN(const Log* const log, log_of(held, backend, attester, occasion));
  CHANCERY_ASSIGN(hsm::MeasurementStatement said, attester.certify_measurements(nonce, occasion.deadline));
  api::Measurements out{{std::move(said.statement.attest), std::move(said.statement.signature)},
                        std::move(said.index_public),
                        {}};
  for (const AgentMeasurement& entry : *log) {
    out.log.push_back({static_cast<std::int64_t>(entry.seq), entry.at.time_since_epoch().count(), entry.agent,
                       hex_encode(entry.executable), hex_encode(entry.manifest)});
  }
  return out;
}

Status Measurements::forget(std::string_view backend, const Occasion& occasion) {
  OfBackend& held = of(backend);
  const std::unique_lock lock(held.mutex, occasion.deadline);
  if (!lock.owns_lock()) return kBusy;
  held.log.reset();
  return forget_stored(backend, occasion);
}

Status Measurements::forget_stored(std::string_view backend, const Occasion& occasion) {
  CHANCERY_TRY(book_.forget_measurements(
      backend, audit_entry("measurements.forget", occasion, backend_facts(backend))));
  return {};
}

Measurements::OfBackend& Measurements::of(std::string_view backend) {
  const std::lock_guard lock(mutex_);
  return backends_[std::string(backend)];
}

Result<Measurements::Log*> Measurements::log_of(OfBackend& held, const std::string& backend,
                                                hsm::Attester& attester, const Occasion& occasion) {
  if (held.log) return &*held.log;
  CHANCERY_ASSIGN(Log log, book_.measurements(backend));
  if (!log.empty()) CHANCERY_TRY(settle(backend, log, attester, occasion));
  return &held.log.emplace(std::move(log));
}

// A log that leads elsewhere stays as it is and goes on: that it does not lead to what the device holds is what verifiers
// are to see.
Status Measurements::settle(const std::string& backend, Log& log, hsm::Attester& attester,
                            const Occasion& occasion) {
  // What the index holds is wanted alone: the nonce is nobody's question.
  const auto said = attester.certify_measurements({}, occasion.deadline);
  if (!said && said.error().code != ErrorCode::kNotFound) return said.error();
  if (!said && log.size() > 1) {
    // A TPM2_Clear took the index with it: the device has seen none of this.
    CHANCERY_TRY(forget_stored(backend, occasion));
    log.clear();
    return {};
  }
  const auto value = said ? attest::certified_value(said->statement.attest) : Sha256Digest{};
  const bool is_behind = value && *value == attest::replay(without_last(log));
  return is_behind ? attester.measure(attest::digest_of(log.back()), occasion.deadline) : Status();
}

}  // namespace chancery::service
