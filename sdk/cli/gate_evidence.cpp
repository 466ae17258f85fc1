#include "sdk/cli/gate_evidence.hpp"

#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include <chancery/attestation_client.hpp>

#include "attest/verify/attestation_key.hpp"
#include "attest/verify/credential.hpp"
#include "attest/verify/endorsement.hpp"
#include "attest/verify/gated_evidence.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::cli {
namespace {

using attest::PublicArea;

constexpr std::size_t kMostCertificates = 4 * 1024 * 1024;
constexpr std::size_t kRandom = 32;  // octets of a nonce and of a credential's secret

Failure refused(const attest::Refusal& refusal) {
  return failure(Error{ErrorCode::kEvidenceRefused, refusal.what}, attest::check_name(refusal.check));
}

Checked<Bytes> random_octets() {
  Bytes octets(kRandom);
  const Status drawn = random_bytes(octets);
  if (!drawn) return failure(drawn.error());
  return octets;
}

Checked<PublicArea> area_of(const Bytes& octets) {
  auto area = PublicArea::parse(octets, PublicArea::Form::kBare);
  if (!area) return refused(area.error());
  return *std::move(area);
}

// --- whom the options name

Checked<std::vector<attest::Certificate>> certificates_of(const std::vector<std::string>& files) {
  std::vector<attest::Certificate> all;
  for (const std::string& file : files) {
    CHANCERY_ASSIGN(const std::string content, read_input(file, kMostCertificates));
    auto read = attest::read_certificates(content);
    if (!read) return failure(read.error(), file);
    std::move(read->begin(), read->end(), std::back_inserter(all));
  }
  return all;
}

Checked<attest::Endorsers> endorsers_of(const EvidenceOptions& options) {
  attest::Endorsers out;
  CHANCERY_ASSIGN(out.roots, certificates_of(options.roots));
  CHANCERY_ASSIGN(out.emulator_roots, certificates_of(options.emulator_roots));
  CHANCERY_ASSIGN(out.intermediates, certificates_of(options.intermediates));
  for (const std::string& pin : options.pins) {
    const auto digest = hex_decode_exactly<std::tuple_size_v<Sha256Digest>>(pin);
    if (!digest)
      return misuse(
          "--ek-pin is a SHA-256 digest of 64 hexadecimal digits, as `chancery host enroll` shows it");
    out.pins.insert(*digest);
  }
  return out;
}

// --- who the TPM is

attest::StatementOctets octets_of(const api::TpmStatement& statement) {
  return {statement.attest, statement.signature};
}

attest::PcrValues values_of(const api::PcrValues& values) {
  attest::PcrValues out;
  for (const auto& [bank, pcrs] : values) {
    const auto hash = attest::Hash::named(bank);
    if (!hash) continue;  // which nobody asked for
    for (const auto& [index, value] : pcrs) out[*hash][index] = value;
  }
  return out;
}

/// A TPM that has shown that it is the one which its EK's certificate is about.
struct ProvedHost {
  attest::EnrolledHost host;
  attest::BelievedEk believed;
};

/// What a TPM is asked to open, and what it must answer with.
struct Question {
  api::AttestationChallenge challenge;
  SecretBytes secret{kRandom};
};

Checked<Question> question_for(const PublicArea& ek, const PublicArea& ak) {
  Question question;
  const Status drawn = random_bytes(question.secret.writable());
  if (!drawn) return failure(drawn.error());
  auto credential = attest::make_credential(ek, ak.name(), question.secret.view());
  if (!credential) return failure(credential.error());
  CHANCERY_ASSIGN(question.challenge.nonce, random_octets());
  question.challenge.id = hex_encode(question.challenge.nonce);
  // Any quote tells the TPM's time.
  question.challenge.pcrs = {{"sha256", {0}}};
  question.challenge.id_object = std::move(credential->id_object);
  question.challenge.encrypted_secret = std::move(credential->encrypted_secret);
  return question;
}

// As a verifier enrols a host (docs/protocol/attestation.md, section 6), with nobody between.
Checked<attest::HostState> check_activation(const Question& question, const api::Activation& answer,
                                            const attest::EnrolledHost& host) {
  constexpr attest::Refusal kNotOpened{
      attest::Check::kSecret,
      "the TPM did not open the credential: it has another EK, or another attestation key"};
  if (!equal_constant_time(answer.secret, question.secret.view())) return refused(kNotOpened);
  const attest::HostQuote quote{octets_of(answer.quote.statement), values_of(answer.quote.values), {}};
  const attest::PcrSelection pcrs{{*attest::Hash::named("sha256"), {0}}};
  const auto state = attest::verify_quote(quote, host, pcrs, question.challenge.nonce);
  if (!state) return refused(state.error());
  return *state;
}

Checked<ProvedHost> prove_host(const AttestationClient& daemon, const std::string& backend,
                               const attest::Endorsers& endorsers, std::chrono::sys_seconds now) {
  const auto identity = daemon.identity(backend);
  if (!identity) return failure(identity.error());
  CHANCERY_ASSIGN(PublicArea ek, area_of(identity->ek_public));
  CHANCERY_ASSIGN(PublicArea ak, area_of(identity->ak_public));
  CHANCERY_ASSIGN(PublicArea srk, area_of(identity->srk_public));
  auto believed = attest::judge_ek(ek, identity->ek_certificate, endorsers, now);
  if (!believed) return refused(believed.error());
  if (const auto good = attest::check_attestation_key({ak, std::nullopt}); !good)
    return refused(good.error());
  CHANCERY_ASSIGN(const Question question, question_for(ek, ak));
  const auto answer = daemon.activate(backend, question.challenge);
  if (!answer) return failure(answer.error());
  // Nothing is believed on first use, so that an EK which is believed is worth something.
  attest::EnrolledHost host{std::move(ek), std::move(ak), std::move(srk), believed->worth.value(), {}, {}};
  CHANCERY_ASSIGN(host.first_seen, check_activation(question, *answer, host));
  host.last_seen = host.first_seen;
  return ProvedHost{std::move(host), *std::move(believed)};
}

// --- where the key is

Checked<void> prove_key(const AttestationClient& daemon, const PinnedGate& gate,
                        const attest::EnrolledHost& host) {
  constexpr attest::Refusal kOtherKey{attest::Check::kName, "another key is behind the gate than is pinned"};
  CHANCERY_ASSIGN(const Bytes nonce, random_octets());
  auto said = daemon.certify(gate.key.key.thumbprint().text(), {nonce, {}, {}});
  if (!said) return failure(said.error());
  attest::KeyEvidence evidence{std::move(said->key_public),
                               octets_of(said->certification),
                               {},
                               std::nullopt,
                               std::move(said->creation_data)};
  const auto attested = attest::verify_gated_evidence(std::move(evidence), host, gate.policy, nonce);
  if (!attested) return refused(attested.error());
  if (attested->key.name != gate.key.name) return refused(kOtherKey);
  return {};
}

}  // namespace

void add_evidence_options(CLI::App& command, EvidenceOptions& options) {
  add_repeatable(command, "--ek-roots", options.roots,
                 "roots of TPM vendors, PEM or DER, to which the certificate of the daemon's TPM must lead");
  add_repeatable(command, "--emulator-roots", options.emulator_roots,
                 "roots of simulators, likewise: what they vouch for is a key in software");
  add_repeatable(command, "--ek-intermediates", options.intermediates,
                 "authorities between the TPM's certificate and those roots, likewise");
  add_repeatable(command, "--ek-pin", options.pins,
                 "believe the TPM with this EK: SHA-256 of its certificate or public area");
  command.add_flag(
      "--without-evidence", options.is_waived,
      "believe the daemon that the key is in a TPM, and that nothing but the approvers' keys opens it");
}

Checked<void> check_evidence_options(const EvidenceOptions& options) {
  const bool is_told = !options.roots.empty() || !options.emulator_roots.empty() || !options.pins.empty();
  if (options.is_waived && is_told)
    return misuse("--without-evidence believes the daemon: give it, or --ek-roots and the like, not both");
  if (options.is_waived || is_told) return {};
  return misuse(
      "the gate's key must prove that it is in a TPM: give --ek-roots with the roots of TPM vendors that you "
      "trust, or --ek-pin; --without-evidence believes the daemon");
}

Checked<GateEvidence> prove_gate(const Client& client, const std::string& backend, const PinnedGate& gate,
                                 const EvidenceOptions& options, std::chrono::sys_seconds now) {
  if (backend.empty())
    return failure(Error{ErrorCode::kBadResponse,
                         "the daemon does not say which backend has the gate's key: it is an older one"},
                   gate.policy.gate);
  CHANCERY_ASSIGN(const attest::Endorsers endorsers, endorsers_of(options));
  const AttestationClient daemon(client);
  CHANCERY_ASSIGN(const ProvedHost proved, prove_host(daemon, backend, endorsers, now));
  CHANCERY_TRY(prove_key(daemon, gate, proved.host));
  return GateEvidence{proved.host.worth, std::string(attest::endorsement_name(proved.believed.by)),
                      proved.believed.fingerprint, now};
}

}  // namespace chancery::cli
