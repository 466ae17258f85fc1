// Attesting a key, from both ends.

#include <optional>
#include <tuple>
#include <utility>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "attest/verify/measurements.hpp"
#include "daemon/service/attestation.hpp"
#include "hsm/gated_keys.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/bound_nonce.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "sdk/wire/attestation_messages.hpp"

namespace chancery::service {
namespace {

Status require_enrolled(const store::Host& host) {
  switch (host.state) {
    case store::HostState::kEnrolled:
      return {};
    case store::HostState::kWaiting:
      return Error{ErrorCode::kForbidden,
                   "nothing speaks for the host's EK: `chancery attest host approve` says what it is worth"};
    case store::HostState::kQuarantined:
      return Error{ErrorCode::kForbidden,
                   "the host is quarantined: find out why, then remove it and enrol it anew"};
  }
  return {};
}

// Its TPM is at two times: there are two of it, or an old copy of its state. Which of them is the right one cannot be
// told, so that nothing that it proved before counts either.
Error quarantine(Office& office, const store::Host& host, const attest::Refusal& refusal,
                 const Occasion& occasion) {
  AuditFacts facts{.ids = {{"host", host.name}, {"ek", host.ek_fingerprint}},
                   .details = json::Node::object({{"reason", refusal.what}}),
                   .outcome = AuditOutcome::kRefused};
  const auto recorded = office.attestation.hosts.quarantine(
      host.name, refusal.what, audit_entry("host.quarantine", occasion, std::move(facts)));
  return recorded ? refused(refusal) : recorded.error();
}

// The log as it is written is what the TPM was told.
attest::Judged<attest::MeasurementLog> log_of(const api::Measurements& measurements) {
  const auto document = json::Document::parse(wire::write(measurements));
  if (!document) return attest::Refusal{attest::Check::kLogParse, "the log cannot be read"};
  return attest::read_measurement_log(*document->root().find("log"));
}

AttestationResult result_of(const Office& office, const store::Host& host, const attest::AttestedKey& key,
                            std::chrono::sys_seconds asked_at, std::chrono::sys_seconds now) {
  AttestationResult result = new_result(office, key.key, key.custody, now);
  result.evidence_at = asked_at;  // when it was not made yet
  result.ek_fingerprint = host.ek_fingerprint;
  result.endorsement = host.endorsement;
  result.manufacturer = host.manufacturer;
  result.firmware = key.state.firmware;
  result.reset_count = key.state.reset_count;
  result.restart_count = key.state.restart_count;
  result.is_clock_safe = key.state.is_safe;
  return result;
}

// An agent's key may hang on its device's kill switch, whose operator and bank are nobody's concern here: that it is used by
// a policy, or by its secret, is judged, and which policy that is says nothing of where the key is.
Bytes policy_of(const Bytes& key_public) {
  const auto area = attest::PublicArea::parse(key_public, attest::PublicArea::Form::kBare);
  if (!area) return {};  // which is refused for what it is
  const ByteView policy = attest::octets_of(area->area().authPolicy);
  return {policy.begin(), policy.end()};
}

attest::KeyEvidence key_evidence(const api::KeyEvidence& evidence) {
  attest::KeyEvidence said{evidence.key_public, octets_of(evidence.certification),
                           policy_of(evidence.key_public), std::nullopt, evidence.creation_data};
  if (evidence.quote) {
    said.quote =
        attest::HostQuote{octets_of(evidence.quote->statement), values_of(evidence.quote->values), {}};
  }
  return said;
}

Error refuse(Office& office, const store::Host& host, const attest::Refusal& refusal,
             const Occasion& occasion) {
  const bool went_back = refusal.check == attest::Check::kRollback;
  return went_back ? quarantine(office, host, refusal, occasion) : refused(refusal);
}

attest::Judged<attest::SeenMeasurements> judge_measurements(const api::Measurements& measurements,
                                                            const store::Host& host,
                                                            const attest::EnrolledHost& known,
                                                            ByteView nonce) {
  CHANCERY_ASSIGN(attest::MeasurementLog log, log_of(measurements));
  const attest::MeasurementEvidence said{octets_of(measurements.statement), measurements.index_public,
                                         std::move(log)};
  CHANCERY_ASSIGN(const attest::AttestedMeasurements attested,
                  attest::check_measurements(said, known, nonce));
  const auto before = hex_decode_exactly<std::tuple_size_v<Sha256Digest>>(host.measured_value);
  if (before) CHANCERY_TRY(attest::check_continues({host.measured, *before}, said.log));
  return attest::SeenMeasurements{said.log.size(), attested.value};
}

constexpr attest::Refusal kOthersToken{
    attest::Check::kName,
    "the token that the statements are bound to is held by another key than is certified"};

/// What statements are over, and which key they have to be about.
struct Binding {
  Bytes nonce;
  std::optional<Thumbprint> holder;
};

Result<Binding> binding_of(const std::string& leaf, const Bytes& nonce) {
  if (leaf.empty()) return Binding{nonce, std::nullopt};
  CHANCERY_ASSIGN(const Token token, Token::parse(leaf));
  return Binding{bound_nonce(leaf, nonce), token.claims().holder};
}

Result<api::KeyEvidence> certify(hsm::Attester& attester, const store::Key& key, ByteView nonce,
                                 hsm::Deadline deadline) {
  api::KeyEvidence evidence;
  CHANCERY_ASSIGN(evidence.key_public, attester.public_area(key.stored));
  CHANCERY_ASSIGN(const hsm::SignedAttest certification, attester.certify(key.stored, nonce, deadline));
  evidence.certification = write_statement(certification);
  return evidence;
}

// Its policy stands before TPM2_Certify, too: the TPM tells how it was made.
Result<api::KeyEvidence> certify_gated(const Office& office, const store::Key& key, ByteView nonce,
                                       hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, office.backends.find(key.backend));
  hsm::GatedKeys* const gated = backend->gated_keys();
  if (gated == nullptr)
    return Error{ErrorCode::kNoAttester, "the backend of the gate's key is no TPM any more"};
  api::KeyEvidence evidence;
  CHANCERY_ASSIGN(evidence.key_public, gated->public_area(key.stored));
  CHANCERY_ASSIGN(hsm::CreationStatement made, gated->certify(key.stored, nonce, deadline));
  evidence.certification = write_statement(made.statement);
  evidence.creation_data = std::move(made.creation_data);
  return evidence;
}

}  // namespace

AttestationResult new_result(const Office& office, const Thumbprint& key, Custody custody,
                             std::chrono::sys_seconds now) {
  AttestationResult result;
  result.issuer = office.policy->issuer_url;
  result.issued_at = now;
  result.expires_at = now + office.attestation.options->result_lifetime;
  result.key = key;
  result.custody = custody;
  result.policy = office.attestation.options->policy.id;
  result.evidence_at = now;
  return result;
}

Status open_challenge(Office& office, Challenge challenge, api::AttestationChallenge& told,
                      std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(Challenges::Opened opened, office.attestation.challenges.open(std::move(challenge), now));
  told.id = std::move(opened.id);
  told.nonce = std::move(opened.nonce);
  told.expires_at = opened.expires_at.time_since_epoch().count();
  return {};
}

Result<Challenge> question_for(const Office& office, const store::Host& host, std::chrono::sys_seconds now) {
  CHANCERY_TRY(require_enrolled(host));
  Challenge challenge;
  challenge.host = host.name;
  challenge.ek_name = host.ek_name;
  challenge.asked_at = now;
  challenge.known = host.last_seen;
  challenge.pcrs = selection_of(office.attestation.options->policy);
  return challenge;
}

Result<api::AttestationChallenge> challenge_host(Office& office, const store::Host& host,
                                                 std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(Challenge challenge, question_for(office, host, now));
  api::AttestationChallenge told;
  told.pcrs = write_selection(challenge.pcrs);
  CHANCERY_TRY(open_challenge(office, std::move(challenge), told, now));
  return told;
}

Result<store::HeldResult> issue_result(Office& office, const AttestationResult& result,
                                       const std::string& host, const Occasion& occasion) {
  AttestationDesk& desk = office.attestation;
  CHANCERY_ASSIGN(const store::Key signer, desk.keys.current(occasion.now, occasion.deadline));
  std::string compact = attestation_result_signing_input(result, signer.stored.public_key);
  CHANCERY_ASSIGN(const Signature signature,
                  desk.keys.sign(signer, as_bytes(compact), occasion.now, occasion.deadline));
  compact += "." + base64url_encode(signature);
  store::HeldResult held{result.key,        result.issuer,     host, result.custody, result.evidence_at,
                         result.expires_at, std::move(compact)};
  AuditFacts facts{
      .ids = {{"host", held.host}, {"key", held.key.text()}},
      .details = json::Node::object({{"custody", custody_name(held.custody)},
                                     {"expires_at", held.expires_at.time_since_epoch().count()}})};
  CHANCERY_TRY(desk.hosts.record(held, audit_entry("attestation.result", occasion, std::move(facts))));
  return held;
}

Result<store::HeldResult> attest_key(Office& office, const Challenge& challenge,
                                     const api::Evidence& evidence, const Occasion& occasion) {
  CHANCERY_ASSIGN(const store::Host host, office.attestation.hosts.host(challenge.host));
  if (host.ek_name != challenge.ek_name)
    return Error{ErrorCode::kNotFound,
                 "another machine has the host's name by now: ask for another challenge"};
  CHANCERY_TRY(require_enrolled(host));
  CHANCERY_ASSIGN(const attest::EnrolledHost known, enrolled(host, challenge.known));
  CHANCERY_ASSIGN(const Binding binding, binding_of(evidence.leaf, challenge.nonce));
  const auto attested = attest::verify_evidence(key_evidence(*evidence.key), known,
                                                office.attestation.options->policy, binding.nonce);
  if (!attested) return refuse(office, host, attested.error(), occasion);
  if (binding.holder && *binding.holder != attested->key) return refused(kOthersToken);
  if (evidence.measurements) {
    const auto measured = judge_measurements(*evidence.measurements, host, known, binding.nonce);
    if (!measured) return refuse(office, host, measured.error(), occasion);
    CHANCERY_TRY(
        office.attestation.hosts.saw_measurements(host.name, measured->entries, hex_encode(measured->value)));
  }
  CHANCERY_TRY(office.attestation.hosts.saw(host.name, seen(attested->state, occasion.now)));
  return issue_result(office, result_of(office, host, *attested, challenge.asked_at, occasion.now), host.name,
                      occasion);
}

Result<api::KeyEvidence> make_evidence(const Office& office, const store::Key& key, ByteView nonce,
                                       const attest::PcrSelection& pcrs, hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::Attester* const attester, find_attester(office, key.backend));
  CHANCERY_ASSIGN(api::KeyEvidence evidence, key.owner.starts_with(store::kGateOwner)
                                                 ? certify_gated(office, key, nonce, deadline)
                                                 : certify(*attester, key, nonce, deadline));
  if (pcrs.empty()) return evidence;
  CHANCERY_ASSIGN(const hsm::PcrQuote quote, attester->quote(pcrs, nonce, deadline));
  evidence.quote = write_quote(quote);
  return evidence;
}

}  // namespace chancery::service
