// The use cases around hosts and what they prove.

#include "daemon/service/attestation.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/name.hpp"
#include "sdk/token/bound_nonce.hpp"

namespace chancery::service {
namespace {

constexpr Error kNothingKnown{ErrorCode::kNotFound, "nothing is known of this key: it was not attested here"};

Status require_manager(const Office& office, const CallContext& context, std::string_view host) {
  return require_authority(office, context, scope::kAttestationManage, {{"host", host}});
}

// The agent itself may have its key's device speak; others need the authority for it.
Status require_key_authority(Office& office, const CallContext& context, std::string_view scope,
                             const store::Key& key) {
  const std::string thumbprint = key.stored.public_key.thumbprint().text();
  if (require_authority(office, context, scope, {{"key", thumbprint}})) return {};
  const auto agent = office.store.agent_by_key(key.stored.public_key.thumbprint());
  if (agent && require_agent(office, context, scope, *agent)) return {};
  return Error{ErrorCode::kForbidden, "only the operator and the key's own agent may ask for this"};
}

}  // namespace

// --- as a host

Result<api::HostIdentity> show_identity(Office& office, const CallContext& context,
                                        std::string_view backend) {
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationAttest, {{"backend", backend}}));
  CHANCERY_ASSIGN(hsm::Attester* const attester, find_attester(office, backend));
  CHANCERY_ASSIGN(hsm::HostIdentity shown, attester->identity(context.deadline));
  return api::HostIdentity{std::move(shown.ek_certificate), std::move(shown.ek_public),
                           std::move(shown.ak_public), std::move(shown.srk_public)};
}

Result<api::Activation> activate_credential(Office& office, const CallContext& context,
                                            std::string_view backend,
                                            const api::AttestationChallenge& challenge) {
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationAttest, {{"backend", backend}}));
  CHANCERY_ASSIGN(hsm::Attester* const attester, find_attester(office, backend));
  CHANCERY_ASSIGN(api::Activation activation, make_activation(*attester, challenge, context.deadline));
  CHANCERY_TRY(office.store.append_audit(audit_entry("host.activate", context, backend_facts(backend))));
  return activation;
}

Result<api::KeyEvidence> certify_key(Office& office, const CallContext& context, std::string_view thumbprint,
                                     const api::CertifyKey& message) {
  CHANCERY_ASSIGN(const Thumbprint wanted, read_thumbprint(thumbprint));
  const auto key = office.store.key(wanted);
  if (!key && key.error().code != ErrorCode::kNotFound) return key.error();
  if (!key) {
    // Whether a key is there is told to those who may ask alone.
    CHANCERY_TRY(require_authority(office, context, scope::kAttestationAttest, {{"key", thumbprint}}));
    return key.error();
  }
  CHANCERY_TRY(require_key_authority(office, context, scope::kAttestationAttest, *key));
  CHANCERY_ASSIGN(const attest::PcrSelection pcrs, selection_of(message.pcrs));
  const Bytes nonce = message.leaf.empty() ? message.nonce : bound_nonce(message.leaf, message.nonce);
  CHANCERY_ASSIGN(api::KeyEvidence evidence, make_evidence(office, *key, nonce, pcrs, context.deadline));
  CHANCERY_TRY(office.store.append_audit(audit_entry("key.certify", context, key_facts(*key))));
  return evidence;
}

Result<api::Measurements> show_measurements(Office& office, const CallContext& context,
                                            std::string_view backend,
                                            const api::CertifyMeasurements& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationAttest, {{"backend", backend}}));
  CHANCERY_ASSIGN(hsm::Attester* const attester, find_attester(office, backend));
  CHANCERY_ASSIGN(api::Measurements shown,
                  office.attestation.measurements.show(std::string(backend), *attester, message.nonce,
                                                       on_behalf_of(context)));
  CHANCERY_TRY(
      office.store.append_audit(audit_entry("measurements.certify", context, backend_facts(backend))));
  return shown;
}

// --- as their verifier

Result<api::AttestationChallenge> enroll_host(Office& office, const CallContext& context,
                                              const api::EnrollHost& message) {
  note_attempt(context, host_facts(message.name));
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationEnroll, {{"host", message.name}}));
  if (!is_name(message.name))
    return Error{ErrorCode::kInvalidArgument, "`name` must be like an agent's: [a-z0-9][a-z0-9._-]{0,62}"};
  if (message.name.starts_with(kOwnHosts)) {
    return Error{ErrorCode::kInvalidArgument,
                 "names that begin with `local.` are for this daemon's own devices: choose another"};
  }
  return begin_enrolment(office, {message.name, {}, false, message.identity}, on_behalf_of(context));
}

Result<api::AttestationChallenge> ask_challenge(Office& office, const CallContext& context,
                                                const api::AskChallenge& message) {
  note_attempt(context, host_facts(message.host));
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationEvidence, {{"host", message.host}}));
  CHANCERY_ASSIGN(const store::Host host, office.attestation.hosts.host(message.host));
  return challenge_host(office, host, context.now);
}

Result<api::Attested> take_evidence(Office& office, const CallContext& context,
                                    const api::Evidence& message) {
  AttestationDesk& desk = office.attestation;
  const auto asked = desk.challenges.host_of(message.challenge, context.now);
  if (!asked) {
    // Whether a challenge is open is told to those who may answer one.
    CHANCERY_TRY(require_authority(office, context, scope::kAttestationEvidence));
    return asked.error();
  }
  const std::string& host = *asked;
  note_attempt(context, host_facts(host));
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationEvidence, {{"host", host}}));
  CHANCERY_ASSIGN(Challenge challenge, desk.challenges.take(message.challenge, context.now));
  if (challenge.candidate.has_value() != message.activation.has_value()) {
    return Error{ErrorCode::kInvalidArgument,
                 challenge.candidate ? "this challenge is an enrolment's: answer it with `activation`"
                                     : "this challenge is for a key: answer it with `key`"};
  }
  if (message.activation) {
    CHANCERY_ASSIGN(
        const store::Host enrolled,
        complete_enrolment(office, std::move(challenge), *message.activation, on_behalf_of(context)));
    return api::Attested{describe_host(enrolled), {}};
  }
  CHANCERY_ASSIGN(store::HeldResult result, attest_key(office, challenge, message, on_behalf_of(context)));
  CHANCERY_ASSIGN(const store::Host present, desk.hosts.host(host));
  return api::Attested{describe_host(present), std::move(result.compact)};
}

Result<api::AttestedHostList> list_hosts(Office& office, const CallContext& context, std::size_t limit,
                                         std::string_view after) {
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationRead));
  CHANCERY_ASSIGN(const std::vector<store::Host> hosts, office.attestation.hosts.hosts(limit, after));
  api::AttestedHostList out;
  for (const store::Host& host : hosts) out.hosts.push_back(describe_host(host));
  if (hosts.size() == limit) out.next = hosts.back().name;
  return out;
}

Result<api::AttestedHost> show_host(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kAttestationRead, {{"host", name}}));
  CHANCERY_ASSIGN(const store::Host host, office.attestation.hosts.host(name));
  return describe_host(host);
}

Result<api::AttestedHost> approve_host(Office& office, const CallContext& context, std::string_view name,
                                       const api::ApproveHost& message) {
  CHANCERY_TRY(require_manager(office, context, name));
  AuditFacts facts = host_facts(name);
  facts.details.set("custody", custody_name(message.custody));
  CHANCERY_TRY(office.attestation.hosts.approve(name, message.custody,
                                                audit_entry("host.approve", context, std::move(facts))));
  office.attestation.forget_refusals();
  CHANCERY_ASSIGN(const store::Host host, office.attestation.hosts.host(name));
  return describe_host(host);
}

Result<api::AttestedHost> remove_host(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_manager(office, context, name));
  CHANCERY_ASSIGN(const store::Host host, office.attestation.hosts.host(name));
  CHANCERY_TRY(office.attestation.hosts.remove(name, audit_entry("host.remove", context, host_facts(name))));
  // Its attestation key too: the next is made when it enrols anew.
  if (!host.backend.empty()) CHANCERY_TRY(forget_attestation_key(office, host.backend));
  office.attestation.forget_refusals();
  return describe_host(host);
}

Result<api::AttestationResults> show_results(Office& office, const CallContext& context,
                                             std::string_view thumbprint) {
  CHANCERY_ASSIGN(const Thumbprint wanted, read_thumbprint(thumbprint));
  const auto key = office.store.key(wanted);
  const bool serves =
      key && (key->state == store::KeyState::kActive || key->state == store::KeyState::kRotating);
  // Half of a result's life is left to whoever asks for it.
  const auto own = serves ? own_result(office, *key, office.attestation.options->result_lifetime / 2,
                                       on_behalf_of(context))
                          : Result<store::HeldResult>(kNothingKnown);
  CHANCERY_ASSIGN(const std::vector<store::HeldResult> held,
                  office.attestation.hosts.results(wanted, context.now));
  api::AttestationResults out;
  for (const store::HeldResult& result : held) out.results.push_back(result.compact);
  if (!out.results.empty()) return out;
  return own ? kNothingKnown : own.error();  // what was made is gone if its host was quarantined meanwhile
}

}  // namespace chancery::service
