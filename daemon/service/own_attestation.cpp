// The daemon as the verifier of its own devices: the same steps, with nobody between.

#include <algorithm>
#include <mutex>
#include <optional>

#include "attest/verify/claimed_key.hpp"
#include "daemon/service/attestation.hpp"
#include "hsm/key_claimant.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

constexpr Error kNoAttester{ErrorCode::kNoAttester,
                            "the backend's device can prove nothing about its keys: a TPM can"};

constexpr Error kTakenForHardware{
    ErrorCode::kForbidden,
    "this simulator is enrolled under another name as if it were hardware: remove that host"};

Result<store::Host> enroll_own(Office& office, const std::string& backend, hsm::Attester& attester,
                               const Occasion& occasion) {
  CHANCERY_ASSIGN(const hsm::KeyBackend* const device, office.backends.find(backend));
  CHANCERY_ASSIGN(hsm::HostIdentity shown, attester.identity(occasion.deadline));
  const Presented presented{std::string(kOwnHosts) + backend,
                            backend,
                            device->describe().emulated,
                            {std::move(shown.ek_certificate), std::move(shown.ek_public),
                             std::move(shown.ak_public), std::move(shown.srk_public)}};
  CHANCERY_ASSIGN(Enrolment enrolment, prepare_enrolment(office, presented, occasion));
  // Somebody enrolled this machine from outside already: it is the same host, and still what it is.
  const auto known = office.attestation.hosts.host_by_ek(enrolment.challenge.ek_name);
  if (known && presented.is_emulated && known->worth == Custody::kTpmCertified) return kTakenForHardware;
  if (known || known.error().code != ErrorCode::kNotFound) return known;
  CHANCERY_TRY(enrolment.challenge.draw_nonce());
  enrolment.told.nonce = enrolment.challenge.nonce;
  CHANCERY_ASSIGN(const api::Activation activation,
                  make_activation(attester, enrolment.told, occasion.deadline));
  return complete_enrolment(office, std::move(enrolment.challenge), activation, occasion);
}

Result<store::Host> own_host(Office& office, const std::string& backend, hsm::Attester& attester,
                             const Occasion& occasion) {
  auto known = office.attestation.hosts.host_of_backend(backend);
  if (known || known.error().code != ErrorCode::kNotFound) return known;
  return enroll_own(office, backend, attester, occasion);
}

// What a simulator claims is worth nothing more for a certificate that somebody put into it.
Result<store::HeldResult> attest_claims(Office& office, const store::Key& key, hsm::KeyBackend& device,
                                        const Occasion& occasion) {
  CHANCERY_ASSIGN(const attest::KeyClaims claims, device.claimant()->claims(key.stored, occasion.deadline));
  const auto judged = attest::judge_claims(claims, key.stored.public_key,
                                           office.attestation.options->token_vendors, occasion.now);
  if (!judged) return refused(judged.error());
  const Custody custody = device.describe().emulated ? Custody::kPkcs11Claimed : judged->custody;
  return issue_result(office, new_result(office, judged->key, custody, occasion.now), {}, occasion);
}

Result<store::HeldResult> attest_by_tpm(Office& office, const store::Key& key, hsm::Attester& attester,
                                        const Occasion& occasion) {
  CHANCERY_ASSIGN(const store::Host host, own_host(office, key.backend, attester, occasion));
  CHANCERY_ASSIGN(Challenge challenge, question_for(office, host, occasion.now));
  CHANCERY_TRY(challenge.draw_nonce());
  api::Evidence evidence;
  CHANCERY_ASSIGN(evidence.key,
                  make_evidence(office, key, challenge.nonce, challenge.pcrs, occasion.deadline));
  return attest_key(office, challenge, evidence, occasion);
}

/// The result of this daemon's own about a key that is held, if its evidence is young enough.
Result<std::optional<store::HeldResult>> held_result(const Office& office, const store::Key& key,
                                                     std::chrono::seconds max_age,
                                                     std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(std::vector<store::HeldResult> held,
                  office.attestation.hosts.results(key.stored.public_key.thumbprint(), now));
  const auto counts = [&](const store::HeldResult& result) {
    return result.issuer == office.policy->issuer_url && result.evidence_at <= now &&
           now - result.evidence_at < max_age;
  };
  const auto found = std::ranges::find_if(held, counts);
  return found == held.end() ? std::nullopt : std::optional(*std::move(found));
}

// A device that is away, or busy, is there again in a moment.
bool is_passing(ErrorCode code) {
  using enum ErrorCode;
  return code == kDeviceUnavailable || code == kDeviceBusy || code == kDeviceTimeout ||
         code == kStoreUnavailable;
}

}  // namespace

Result<hsm::Attester*> find_attester(const Office& office, std::string_view backend) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const found, office.backends.find(backend));
  hsm::Attester* const attester = found->attester();
  return attester != nullptr ? Result<hsm::Attester*>(attester) : kNoAttester;
}

Result<store::HeldResult> own_result(Office& office, const store::Key& key, std::chrono::seconds max_age,
                                     const Occasion& occasion) {
  AttestationDesk& desk = office.attestation;
  const Thumbprint thumbprint = key.stored.public_key.thumbprint();
  {
    CHANCERY_ASSIGN(auto held, held_result(office, key, max_age, occasion.now));
    if (held) return *std::move(held);
  }
  const std::unique_lock turn(desk.turn_at(key.backend), occasion.deadline);
  if (!turn.owns_lock()) {
    return Error{ErrorCode::kDeviceTimeout, "others have their keys attested: try again in a moment"};
  }
  // By whoever had the turn before.
  CHANCERY_ASSIGN(auto held, held_result(office, key, max_age, occasion.now));
  if (held) return *std::move(held);
  if (const auto refusal = desk.recent_refusal(thumbprint, occasion.now)) return *refusal;
  auto made = attest_own_key(office, key, occasion);
  if (!made && !is_passing(made.error().code)) desk.note_refusal(thumbprint, made.error(), occasion.now);
  return made;
}

Status require_custody(Office& office, const store::Agent& agent, const Occasion& occasion) {
  const auto options = office.attestation.options.current();
  if (!options->required) return {};
  const auto result = own_result(office, agent.key, options->max_age, occasion);
  if (result && satisfies(result->custody, *options->required)) return {};
  if (!result && is_passing(result.error().code)) return result.error();
  // What its host has to do, in the verifier's words.
  const bool is_refused = !result && (result.error().code == ErrorCode::kEvidenceRefused ||
                                      result.error().code == ErrorCode::kForbidden);
  if (is_refused) return Error{ErrorCode::kCustodyUnproven, result.error().what};
  return Error{
      ErrorCode::kCustodyUnproven,
      "the agent's key is not proved to be where [attestation] require wants it: see `chancery attest show`"};
}

Result<store::HeldResult> attest_own_key(Office& office, const store::Key& key, const Occasion& occasion) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const device, office.backends.find(key.backend));
  if (device->claimant() != nullptr) return attest_claims(office, key, *device, occasion);
  if (device->attester() == nullptr) return kNoAttester;
  return attest_by_tpm(office, key, *device->attester(), occasion);
}

Status forget_attestation_key(Office& office, std::string_view backend) {
  CHANCERY_TRY(office.attestation.hosts.keep_attestation_key(backend, {}));
  const auto attester = find_attester(office, backend);
  if (attester) (*attester)->forget();
  return {};
}

Status forget_own_host(Office& office, std::string_view backend, const Occasion& occasion) {
  const auto attester = find_attester(office, backend);
  if (!attester) return attester.error().code == ErrorCode::kNoAttester ? Status() : Status(attester.error());
  CHANCERY_TRY(forget_attestation_key(office, backend));
  CHANCERY_TRY(office.attestation.measurements.forget(backend, occasion));
  office.attestation.forget_refusals();
  store::HostBook& hosts = office.attestation.hosts;
  const auto host = hosts.host_of_backend(backend);
  if (!host) return host.error().code == ErrorCode::kNotFound ? Status() : Status(host.error());
  CHANCERY_TRY(hosts.remove(host->name, audit_entry("host.remove", occasion, host_facts(host->name))));
  return {};
}

Status measure_agent(const Office& office, const CallContext& context, const store::Agent& agent) {
  if (!context.caller.process) return {};  // elsewhere, or by authority: no program was looked at
  const auto attester = find_attester(office, agent.key.backend);
  if (!attester) return attester.error().code == ErrorCode::kNoAttester ? Status() : Status(attester.error());
  CHANCERY_ASSIGN(const api::Selectors selectors, wire::read_selectors(agent.selectors));
  return office.attestation.measurements.measure(agent, selectors, **attester, on_behalf_of(context));
}

}  // namespace chancery::service
