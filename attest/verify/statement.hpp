#pragma once

#include <optional>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>

#include "attest/evidence/hash.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/attestation_key.hpp"

namespace chancery::attest {

/// A statement that a TPM signed, as it was received; borrowed.
struct SignedStatement {
  ByteView attest;                ///< TPMS_ATTEST: the octets that were signed
  ByteView signature;             ///< TPMT_SIGNATURE
  std::optional<ByteView> nonce;  ///< what extraData has to be; nothing: not judged
  /// Of the attestation key's parent, or four octets of a hierarchy's handle; empty: not judged.
  ByteView parent_qualified_name{};
};

struct StatementRules {
  /// Accepts signatures over SHA-1, which nobody should rely on: to look at what old tools made.
  bool allow_weak_hash = false;
};

/// A statement that the key did sign, and which answers the nonce.
struct Statement {
  TPMS_ATTEST attest;
  Hash hash;  ///< of its signature
};

/// Judges a signed statement in this order:
/// its signature's form (kMalformed) and hash (kWeakHash); that scheme and hash are those of the key (kScheme); that
/// there is a key (kNoAk); the signature over the octets received (kSignature); that the statement begins as only a
/// TPM's own does (kMagic, TPM 2.0 Part 1, 31); its form (kMalformed) and type (kType); that its extraData is the nonce
/// (kNonce) and its qualifiedSigner this key below that parent (kAkName).
/// Pure and thread-safe; one verification of a signature.
[[nodiscard]] Judged<Statement> check_statement(const AttestationKey& key, const SignedStatement& presented,
                                                TPM2_ST type, const StatementRules& rules = {});

}  // namespace chancery::attest
