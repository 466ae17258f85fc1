// Enrolling a host, from both ends.

#include <utility>

#include "attest/verify/attestation_key.hpp"
#include "attest/verify/credential.hpp"
#include "attest/verify/endorsement.hpp"
#include "daemon/service/attestation.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kSecretSize = 32;

// What a host quotes when it enrols and the policy asks for nothing: any quote tells its TPM's time.
attest::PcrSelection enrolment_pcrs(const attest::Policy& policy) {
  const attest::PcrSelection of_policy = selection_of(policy);
  if (!of_policy.empty()) return of_policy;
  return {{*attest::Hash::named("sha256"), {0, 1, 2, 3, 4, 5, 6, 7}}};
}

Result<attest::PublicArea> read_area(ByteView octets) {
  const auto area = attest::PublicArea::parse(octets, attest::PublicArea::Form::kBare);
  return area ? Result<attest::PublicArea>(*area) : refused(area.error());
}

AuditFacts facts_of(const store::Host& host) {
  return {.ids = {{"host", host.name}, {"ek", host.ek_fingerprint}}};
}

Status require_free_name(Office& office, std::string_view name) {
  const auto known = office.attestation.hosts.host(name);
  if (known)
    return Error{ErrorCode::kConflict,
                 "a host of that name is enrolled: remove it first, or choose another name"};
  return known.error().code == ErrorCode::kNotFound ? Status{} : Status{known.error()};
}

// A second host that has an EK which is enrolled is a clone, or the same machine once more: it never takes the first one's
// place, and the operator is to see it.
Status require_new_ek(Office& office, const store::Host& host, const Occasion& occasion) {
  const auto known = office.attestation.hosts.host_by_ek(host.ek_name);
  if (!known) return known.error().code == ErrorCode::kNotFound ? Status{} : Status{known.error()};
  AuditFacts facts = facts_of(host);
  facts.outcome = AuditOutcome::kRefused;
  facts.details.set("enrolled_as", known->name);
  CHANCERY_TRY(office.store.append_audit(audit_entry("host.duplicate_ek", occasion, std::move(facts))));
  return Error{
      ErrorCode::kConflict,
      "a host with this EK is enrolled: one TPM is one host; remove that one first if it is the same machine"};
}

// A simulator of ours needs no root of its own: the configuration allows it as what it is, and it is worth no more.
Result<attest::BelievedEk> believe(const Office& office, const Presented& presented,
                                   const attest::PublicArea& ek, std::chrono::sys_seconds now) {
  attest::Endorsers endorsers = office.attestation.options->endorsers;
  if (presented.is_emulated) endorsers.first_use = true;
  auto believed = attest::judge_ek(ek, presented.identity.ek_certificate, endorsers, now);
  if (!believed) return refused(believed.error());
  if (presented.is_emulated) believed->worth = Custody::kTpmCertifiedEmulated;
  return *believed;
}

Result<store::Host> candidate_of(Office& office, const Presented& presented, const attest::PublicArea& ek,
                                 const Occasion& occasion) {
  CHANCERY_ASSIGN(const attest::BelievedEk believed, believe(office, presented, ek, occasion.now));
  store::Host host;
  host.name = presented.name;
  host.backend = presented.backend;
  host.worth = believed.worth;
  host.state = host.worth ? store::HostState::kEnrolled : store::HostState::kWaiting;
  host.endorsement = attest::endorsement_name(believed.by);
  host.ek_name = hex_encode(ek.name());
  host.ek_public = presented.identity.ek_public;
  host.ak_public = presented.identity.ak_public;
  host.srk_public = presented.identity.srk_public;
  host.ek_fingerprint = believed.fingerprint;
  host.manufacturer = believed.identity.manufacturer;
  return host;
}

}  // namespace

Result<Enrolment> prepare_enrolment(Office& office, const Presented& presented, const Occasion& occasion) {
  CHANCERY_ASSIGN(const attest::PublicArea ek, read_area(presented.identity.ek_public));
  CHANCERY_ASSIGN(const attest::PublicArea ak, read_area(presented.identity.ak_public));
  CHANCERY_TRY(read_area(presented.identity.srk_public));
  if (const auto good = attest::check_attestation_key({ak, std::nullopt}); !good)
    return refused(good.error());
  CHANCERY_ASSIGN(store::Host host, candidate_of(office, presented, ek, occasion));
  CHANCERY_TRY(require_free_name(office, host.name));

  SecretBytes secret(kSecretSize);
  CHANCERY_TRY(random_bytes(secret.writable()));
  CHANCERY_ASSIGN(attest::Credential credential, attest::make_credential(ek, ak.name(), secret.view()));
  Enrolment enrolment;
  enrolment.told.id_object = std::move(credential.id_object);
  enrolment.told.encrypted_secret = std::move(credential.encrypted_secret);
  enrolment.challenge.host = host.name;
  enrolment.challenge.ek_name = host.ek_name;
  enrolment.challenge.asked_at = occasion.now;
  enrolment.challenge.pcrs = enrolment_pcrs(office.attestation.options->policy);
  enrolment.challenge.candidate = Candidate{std::move(host), sha256(secret.view())};
  enrolment.told.pcrs = write_selection(enrolment.challenge.pcrs);
  return enrolment;
}

Result<api::AttestationChallenge> begin_enrolment(Office& office, const Presented& presented,
                                                  const Occasion& occasion) {
  CHANCERY_ASSIGN(Enrolment enrolment, prepare_enrolment(office, presented, occasion));
  CHANCERY_TRY(open_challenge(office, std::move(enrolment.challenge), enrolment.told, occasion.now));
  return std::move(enrolment.told);
}

Result<store::Host> complete_enrolment(Office& office, Challenge challenge, const api::Activation& activation,
                                       const Occasion& occasion) {
  auto& [host, secret] = *challenge.candidate;
  if (!equal_constant_time(sha256(activation.secret), secret)) {
    return refused(
        {attest::Check::kSecret,
         "the host did not open the credential: its TPM has another EK, or another attestation key"});
  }
  CHANCERY_ASSIGN(const attest::EnrolledHost known, enrolled(host, {}));
  const attest::HostQuote quote{
      octets_of(activation.quote.statement), values_of(activation.quote.values), {}};
  const auto state = attest::verify_quote(quote, known, challenge.pcrs, challenge.nonce);
  if (!state) return refused(state.error());
  CHANCERY_TRY(require_new_ek(office, host, occasion));
  host.first_seen = host.last_seen = seen(*state, occasion.now);
  const std::string_view action = host.state == store::HostState::kWaiting ? "host.wait" : "host.enroll";
  CHANCERY_TRY(office.attestation.hosts.add(host, audit_entry(action, occasion, facts_of(host))));
  return std::move(host);
}

Result<api::Activation> make_activation(hsm::Attester& attester, const api::AttestationChallenge& challenge,
                                        hsm::Deadline deadline) {
  CHANCERY_ASSIGN(const attest::PcrSelection pcrs, selection_of(challenge.pcrs));
  CHANCERY_ASSIGN(const SecretBytes secret,
                  attester.activate(challenge.id_object, challenge.encrypted_secret, deadline));
  CHANCERY_ASSIGN(const hsm::PcrQuote quote, attester.quote(pcrs, challenge.nonce, deadline));
  return api::Activation{{secret.view().begin(), secret.view().end()}, write_quote(quote)};
}

}  // namespace chancery::service
