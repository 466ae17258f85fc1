#pragma once

#include <string_view>

#include <chancery/api_attestation.hpp>

#include "attest/evidence/refusal.hpp"
#include "attest/verify/key_evidence.hpp"
#include "daemon/service/agent_keys.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/challenges.hpp"
#include "daemon/service/office.hpp"
#include "hsm/attester.hpp"
#include "sdk/verify/attestation_result.hpp"

namespace chancery::service {

// Steps that the use cases around attestation share.

/// Evidence that failed a check, as an error: kEvidenceRefused, what the check says, and its number.
[[nodiscard]] Error refused(const attest::Refusal& refusal);

/// The name of the check that evidence failed; empty for other errors.
[[nodiscard]] std::string_view refused_check(const Error& error);

/// What a device says, in the verifier's words.
[[nodiscard]] attest::StatementOctets octets_of(const api::TpmStatement& statement);
[[nodiscard]] attest::PcrValues values_of(const api::PcrValues& values);  ///< of banks that are known
/// \return kInvalidArgument for a bank that is none
[[nodiscard]] Result<attest::PcrSelection> selection_of(const api::PcrSelection& selection);
[[nodiscard]] api::PcrSelection write_selection(const attest::PcrSelection& selection);
[[nodiscard]] api::TpmStatement write_statement(const hsm::SignedAttest& statement);
[[nodiscard]] api::PcrQuote write_quote(const hsm::PcrQuote& quote);

/// A host as the verifier knows it. kStoreCorrupt for a record that cannot be read.
[[nodiscard]] Result<attest::EnrolledHost> enrolled(const store::Host& host,
                                                    const store::HostSeen& last_seen);
[[nodiscard]] store::HostSeen seen(const attest::HostState& state, std::chrono::sys_seconds at);
[[nodiscard]] api::AttestedHost describe_host(const store::Host& host);

/// What proves where the keys of a backend are. kBackendUnknown, kNoAttester.
[[nodiscard]] Result<hsm::Attester*> find_attester(const Office& office, std::string_view backend);

/// How the names of hosts begin that are this daemon's own devices; behind it stands the backend's name.
inline constexpr std::string_view kOwnHosts = "local.";

/// Who presents itself for enrolment.
struct Presented {
  std::string name;
  std::string backend;       ///< of this daemon's own; empty: another machine's
  bool is_emulated = false;  ///< a simulator, as the operator's configuration has it
  api::HostIdentity identity;
};

/// An enrolment that was begun: what will be judged, and what the host is to be told.
struct Enrolment {
  Challenge challenge;
  api::AttestationChallenge told;  ///< without id and nonce
};

/// As begin_enrolment(), without a challenge that waits: for a host that answers at once.
[[nodiscard]] Result<Enrolment> prepare_enrolment(Office& office, const Presented& presented,
                                                  const Occasion& occasion);

/// Lets a challenge wait for its answer. \param told  gets its id, nonce and end
[[nodiscard]] Status open_challenge(Office& office, Challenge challenge, api::AttestationChallenge& told,
                                    std::chrono::sys_seconds now);

/// Judges EK and AK, and makes a credential that only this TPM opens, for this AK alone.
/// \return what the host is to be told; kEvidenceRefused, kConflict, kOverloaded
[[nodiscard]] Result<api::AttestationChallenge> begin_enrolment(Office& office, const Presented& presented,
                                                                const Occasion& occasion);

/// Judges what a host made of its challenge, and keeps it as enrolled or waiting. kEvidenceRefused, kConflict.
[[nodiscard]] Result<store::Host> complete_enrolment(Office& office, Challenge challenge,
                                                     const api::Activation& activation,
                                                     const Occasion& occasion);

/// What an enrolled host is to be asked; without a nonce. kForbidden for one that is not enrolled.
[[nodiscard]] Result<Challenge> question_for(const Office& office, const store::Host& host,
                                             std::chrono::sys_seconds now);

/// Opens a challenge for an enrolled host. kForbidden for one that is not, kOverloaded.
[[nodiscard]] Result<api::AttestationChallenge> challenge_host(Office& office, const store::Host& host,
                                                               std::chrono::sys_seconds now);

/// Judges a host's evidence for a key and signs what it proves. A host whose TPM's time went back is quarantined.
/// \return the result, recorded; kEvidenceRefused, kForbidden, kConflict, or what the signing key's device says
/// \param evidence  with a key
[[nodiscard]] Result<store::HeldResult> attest_key(Office& office, const Challenge& challenge,
                                                   const api::Evidence& evidence, const Occasion& occasion);

/// What every result of this daemon's says; without what a TPM adds.
[[nodiscard]] AttestationResult new_result(const Office& office, const Thumbprint& key, Custody custody,
                                           std::chrono::sys_seconds now);

/// Signs a result and records it, before anybody has it.
/// \param host  of ours, whose evidence it is about; empty: none
[[nodiscard]] Result<store::HeldResult> issue_result(Office& office, const AttestationResult& result,
                                                     const std::string& host, const Occasion& occasion);

/// What the device of one of this daemon's own keys says of it.
/// \param pcrs  to be quoted; empty: none
[[nodiscard]] Result<api::KeyEvidence> make_evidence(const Office& office, const store::Key& key,
                                                     ByteView nonce, const attest::PcrSelection& pcrs,
                                                     hsm::Deadline deadline);
[[nodiscard]] Result<api::Activation> make_activation(hsm::Attester& attester,
                                                      const api::AttestationChallenge& challenge,
                                                      hsm::Deadline deadline);

/// A result of this daemon's own about one of its keys: the one that is held while it is fresh, and else made now; what
/// refused it a moment ago refuses it again.
/// \param max_age  younger than which its evidence must be; zero: it is made anew
[[nodiscard]] Result<store::HeldResult> own_result(Office& office, const store::Key& key,
                                                   std::chrono::seconds max_age, const Occasion& occasion);

/// What the configuration requires of the key of an agent that is to be given authority. kCustodyUnproven, and
/// what own_result() says.
[[nodiscard]] Status require_custody(Office& office, const store::Agent& agent, const Occasion& occasion);

/// Attests one of this daemon's own keys; enrols its TPM as a host before, if it is none yet. Of a key in a PKCS#11
/// token it is the token's claims and its vendor's certificate that are judged. kNoAttester, kForbidden while the host
/// waits for an approval or is quarantined, and what attest_key() says.
[[nodiscard]] Result<store::HeldResult> attest_own_key(Office& office, const store::Key& key,
                                                       const Occasion& occasion);

/// Measures the program by which an agent is about to use its key, if its selectors told which it must be. See
/// Measurements.
[[nodiscard]] Status measure_agent(const Office& office, const CallContext& context,
                                   const store::Agent& agent);

/// Forgets the attestation key of a backend's TPM: the next is made when it enrols.
[[nodiscard]] Status forget_attestation_key(Office& office, std::string_view backend);

/// Forgets what was known of a backend's device, in whose place another was taken: that one enrols when it is asked
/// for evidence.
[[nodiscard]] Status forget_own_host(Office& office, std::string_view backend, const Occasion& occasion);

}  // namespace chancery::service
