#include "attest/verify/key_evidence.hpp"

#include <algorithm>
#include <array>

#include "attest/evidence/tpm_codec.hpp"
#include "attest/verify/certification.hpp"
#include "attest/verify/quote.hpp"
#include "attest/verify/statement.hpp"

namespace chancery::attest {
namespace {

constexpr std::array<std::uint8_t, 4> kOwner{0x40, 0x00, 0x00, 0x01};

constexpr Refusal kOtherParent{Check::kKeyParent,
                               "the key is not below the host's storage key: it was made elsewhere"};

Judged<void> check_parent(const TPMS_CERTIFY_INFO& certified, const PublicArea& key, const PublicArea& srk) {
  const Bytes expected = key.qualified_name(srk.qualified_name(kOwner));
  if (std::ranges::equal(octets_of(certified.qualifiedName), expected)) return {};
  return kOtherParent;
}

Judged<void> check_parent(const TPMS_CREATION_DATA& made, const PublicArea& srk) {
  if (std::ranges::equal(octets_of(made.parentQualifiedName), srk.qualified_name(kOwner))) return {};
  return kOtherParent;
}

// That the statement is about this key, which is below this storage key.
Judged<void> check_subject(const Statement& statement, const KeyEvidence& evidence, const PublicArea& key,
                           const PublicArea& srk) {
  if (evidence.creation_data.empty()) {
    CHANCERY_TRY(check_certified(statement, key));
    return check_parent(statement.attest.attested.certify, key, srk);
  }
  CHANCERY_TRY(check_created(statement, key, evidence.creation_data));
  CHANCERY_ASSIGN(const TPMS_CREATION_DATA made, read_creation_data(evidence.creation_data));
  return check_parent(made, srk);
}

Judged<void> check_type(const TPMT_PUBLIC& area) {
  const TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  const bool fits = area.type == TPM2_ALG_ECC && area.nameAlg == TPM2_ALG_SHA256 &&
                    ecc.curveID == TPM2_ECC_NIST_P256 && ecc.symmetric.algorithm == TPM2_ALG_NULL &&
                    ecc.scheme.scheme == TPM2_ALG_ECDSA &&
                    ecc.scheme.details.ecdsa.hashAlg == TPM2_ALG_SHA256 && ecc.kdf.scheme == TPM2_ALG_NULL;
  if (fits) return {};
  return Refusal{Check::kKeyType, "an agent's key is P-256 with ECDSA over SHA-256"};
}

Judged<void> check_attributes(const TPMT_PUBLIC& area) {
  constexpr TPMA_OBJECT kAlways = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_SIGN_ENCRYPT |
                                  TPMA_OBJECT_NODA;
  const bool has_policy = area.authPolicy.size > 0;
  const TPMA_OBJECT by_auth = has_policy ? 0 : TPMA_OBJECT_USERWITHAUTH;
  const TPMA_OBJECT by_policy = has_policy ? area.objectAttributes & TPMA_OBJECT_ADMINWITHPOLICY : 0;
  if (area.objectAttributes == (kAlways | by_auth | by_policy)) return {};
  return Refusal{
      Check::kKeyAttributes,
      "an agent's key is made in its TPM, bound to it, signs only, and is used by its secret or by its policy"};
}

Judged<void> check_policy_digest(const TPMT_PUBLIC& area, ByteView said) {
  if (std::ranges::equal(octets_of(area.authPolicy), said)) return {};
  return Refusal{Check::kKeyPolicy, "the key has another policy than is said"};
}

Judged<void> check_state(const HostState& state, const EnrolledHost& host, const Policy& policy) {
  CHANCERY_TRY(check_order(host.last_seen, state));
  if (policy.on_reset == OnReset::kRefuse && state.reset_count != host.first_seen.reset_count)
    return Refusal{Check::kReset, "the host's TPM was reset since it enrolled: enrol it anew"};
  if (state.firmware < policy.least_firmware)
    return Refusal{Check::kFirmware, "the TPM's firmware is older than the policy takes: update it"};
  return {};
}

Judged<void> check_values(const Policy& policy, const PcrValues& values) {
  for (const auto& [bank, pcrs] : policy.pcrs) {
    for (const auto& [index, allowed] : pcrs) {
      if (!allowed.contains(values.at(bank).at(index)))
        return Refusal{Check::kPcrPolicy,
                       "a PCR has a value that the policy does not take: what started this host?"};
    }
  }
  return {};
}

// What PCRs say of one start of the machine says nothing of another. That the two are not in order is no rollback: who asks
// twice may mix up the answers.
Judged<void> check_same_start(const HostState& certified, const HostState& quoted) {
  if (certified.reset_count == quoted.reset_count && certified.restart_count == quoted.restart_count)
    return {};
  return Refusal{Check::kReset,
                 "the TPM was started anew between the certification and the quote: ask again"};
}

Judged<HostState> check_quote(const HostQuote& quote, const HostSigner& signer, PcrSelection selection,
                              ByteView nonce) {
  CHANCERY_ASSIGN(const Statement statement, signer.check(quote.statement, TPM2_ST_ATTEST_QUOTE, nonce));
  QuotedPcrs pcrs{std::move(selection), quote.values, std::nullopt};
  if (quote.log) pcrs.log = *quote.log;
  CHANCERY_TRY(check_quoted(statement, pcrs));
  return state_of(statement);
}

}  // namespace

Judged<HostState> verify_quote(const HostQuote& quote, const EnrolledHost& host, const PcrSelection& pcrs,
                               ByteView nonce) {
  CHANCERY_ASSIGN(const HostSigner signer, HostSigner::of(host));
  CHANCERY_ASSIGN(const HostState state, check_quote(quote, signer, pcrs, nonce));
  CHANCERY_TRY(check_order(host.last_seen, state));
  return state;
}

Judged<AttestedKey> verify_evidence(const KeyEvidence& evidence, const EnrolledHost& host,
                                    const Policy& policy, ByteView nonce) {
  CHANCERY_ASSIGN(const HostSigner signer, HostSigner::of(host));
  const TPM2_ST type = evidence.creation_data.empty() ? TPM2_ST_ATTEST_CERTIFY : TPM2_ST_ATTEST_CREATION;
  CHANCERY_ASSIGN(const Statement statement, signer.check(evidence.certification, type, nonce));
  CHANCERY_ASSIGN(const PublicArea key, PublicArea::parse(evidence.key_public, PublicArea::Form::kBare));
  CHANCERY_TRY(check_subject(statement, evidence, key, host.srk));
  CHANCERY_TRY(check_type(key.area()));
  CHANCERY_TRY(check_attributes(key.area()));
  CHANCERY_TRY(check_policy_digest(key.area(), evidence.policy_digest));
  AttestedKey attested{{}, host.worth, state_of(statement)};
  CHANCERY_TRY(check_state(attested.state, host, policy));
  CHANCERY_ASSIGN(const PublicKey point, key.p256());
  attested.key = point.thumbprint();
  if (policy.pcrs.empty()) return attested;
  if (!evidence.quote)
    return Refusal{Check::kPcrMissing, "the policy asks for a quote of the host, and there is none"};
  CHANCERY_ASSIGN(const HostState quoted, check_quote(*evidence.quote, signer, selection_of(policy), nonce));
  CHANCERY_TRY(check_values(policy, evidence.quote->values));
  CHANCERY_TRY(check_order(host.last_seen, quoted));
  CHANCERY_TRY(check_same_start(attested.state, quoted));
  if (attested.custody == Custody::kTpmCertified) attested.custody = Custody::kTpmQuoted;
  return attested;
}

}  // namespace chancery::attest
