#pragma once

#include <cstdint>
#include <optional>

#include <chancery/bytes.hpp>
#include <chancery/custody.hpp>
#include <chancery/keys.hpp>

#include "attest/evidence/event_log.hpp"
#include "attest/evidence/pcr.hpp"
#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/policy/policy.hpp"

namespace chancery::attest {

/// A TPM's time (TPMS_CLOCK_INFO, TPM 2.0 Part 2, 10.11.1) and firmware, as a statement by an AK of the endorsement
/// hierarchy has them in plain.
struct HostState {
  std::uint64_t clock_ms = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_safe = false;  ///< the clock was not set back since it was told last
  std::uint64_t firmware = 0;

  friend bool operator==(const HostState&, const HostState&) = default;
};

/// What a verifier knows of a host since it enrolled.
struct EnrolledHost {
  PublicArea ek;
  PublicArea ak;   ///< a child of the EK
  PublicArea srk;  ///< the parent of agents' keys, in the owner hierarchy
  /// What a certified key of it is worth: kTpmCertified, or kTpmCertifiedEmulated for a simulator's EK.
  Custody worth = Custody::kTpmCertifiedEmulated;
  HostState first_seen;
  HostState last_seen;
};

/// A signed statement, owned.
struct StatementOctets {
  Bytes attest;     ///< TPMS_ATTEST
  Bytes signature;  ///< TPMT_SIGNATURE
};

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
};

/// A key of which it is proved where it is.
struct AttestedKey {
  Thumbprint key;
  Custody custody = Custody::kSoftware;
  HostState state;
};

/// Judges evidence for an agent's key by an enrolled host, in this order:
/// 1. the statement, as check_statement() has it, by the host's AK below its EK (kAkAttributes … kAkName);
/// 2. the key's public area (kMalformed) and that the statement certifies it (kName);
/// 3. that it is a child of the host's SRK: qualifiedName (kKeyParent);
/// 4. that it is P-256 with ECDSA over SHA-256 (kKeyType), fixedTPM, fixedParent, sensitiveDataOrigin, sign and noDA,
///    neither restricted nor decrypt, and userWithAuth exactly where there is no policy (kKeyAttributes);
/// 5. that a policy that is said is the one that the key has (kKeyPolicy);
/// 6. that the TPM's time did not go back since it was seen last (kRollback), nor was it reset where that is refused
///    (kReset), and its firmware is no older than the policy takes (kFirmware);
/// 7. where the policy asks for PCRs: that there is a quote (kPcrMissing), which is as good a statement, over the PCRs
///    that are asked for (kPcrSelection … kLogReplay), with values that the policy takes (kPcrPolicy), of the same host's
///    time (kRollback).
/// Pure and thread-safe; one or two verifications of signatures.
/// \param nonce  that this evidence was asked for with, and no other was
[[nodiscard]] Judged<AttestedKey> verify_evidence(const KeyEvidence& evidence, const EnrolledHost& host,
                                                  const Policy& policy, ByteView nonce);

/// Whether a state may follow one that was seen before. \return kRollback
[[nodiscard]] Judged<void> check_order(const HostState& before, const HostState& after);

}  // namespace chancery::attest
