#pragma once

#include <optional>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/custody.hpp>
#include <chancery/keys.hpp>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/pcr.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/policy/policy.hpp"
#include "attest/verify/enrolled_host.hpp"

namespace chancery::attest {

/// A quote of the host beside the certification of a key; over the same nonce.
struct HostQuote {
  StatementOctets statement;
  PcrValues values;
  std::optional<Bytes> log;  ///< of the firmware
};

/// What a host says of one agent's key (docs/protocol/attestation.md, section 3).
struct KeyEvidence {
  Bytes key_public;               ///< TPMT_PUBLIC
  StatementOctets certification;  ///< TPM2_Certify by the AK, over the nonce
  Bytes policy_digest;            ///< that the key is said to be used by; empty: none
  std::optional<HostQuote> quote;
  /// TPMS_CREATION_DATA, where the certification is TPM2_CertifyCreation: of a key whose policy stands before TPM2_Certify,
  /// too, as a gated one's does (docs/protocol/gated-keys.md). Empty: TPM2_Certify.
  Bytes creation_data{};
};

/// A key of which it is proved where it is.
struct AttestedKey {
  Thumbprint key;
  Custody custody = Custody::kSoftware;
  HostState state;
};

/// Judges evidence for an agent's key by an enrolled host, in this order:
/// 1. the statement, as check_statement() has it, by the host's AK below its EK (kAkAttributes … kAkName);
/// 2. the key's public area (kMalformed) and that the statement certifies it (kName), with these creation data where it is
///    about how the key was made (kCreationHash);
/// 3. that it is a child of the host's SRK: qualifiedName, or the parent's in the creation data (kKeyParent);
/// 4. that it is P-256 with ECDSA over SHA-256 (kKeyType), fixedTPM, fixedParent, sensitiveDataOrigin, sign and noDA,
///    neither restricted nor decrypt, and userWithAuth exactly where there is no policy (kKeyAttributes);
/// 5. that a policy that is said is the one that the key has (kKeyPolicy);
/// 6. that the TPM's time did not go back since it was seen last (kRollback), nor was it reset where that is refused
///    (kReset), and its firmware is no older than the policy takes (kFirmware);
/// 7. where the policy asks for PCRs: that there is a quote (kPcrMissing), which is as good a statement, over the PCRs
///    that are asked for (kPcrSelection … kLogReplay), with values that the policy takes (kPcrPolicy), of no earlier time than
///    the host was seen at last (kRollback), and of the same start as the certification (kReset).
/// Pure and thread-safe; one or two verifications of signatures.
/// \param nonce  that this evidence was asked for with, and no other was
[[nodiscard]] Judged<AttestedKey> verify_evidence(const KeyEvidence& evidence, const EnrolledHost& host,
                                                  const Policy& policy, ByteView nonce);

/// Judges a quote by a host's AK below its EK, of these PCRs and over this nonce: a statement as good as in 1, with the
/// values that it says (kPcrSelection … kLogReplay), of no earlier time than was seen last (kRollback). Which values they
/// may be is not judged.
/// \return the host's state
[[nodiscard]] Judged<HostState> verify_quote(const HostQuote& quote, const EnrolledHost& host,
                                             const PcrSelection& pcrs, ByteView nonce);

}  // namespace chancery::attest
