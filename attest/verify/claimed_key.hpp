#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <chancery/custody.hpp>
#include <chancery/keys.hpp>

#include "attest/evidence/key_claims.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/certificate.hpp"

namespace chancery::attest {

/// Whom a verifier believes about keys in PKCS#11 tokens.
struct TokenVendors {
  std::vector<Certificate> roots;  ///< under which vendors' devices attest keys, and nothing else is issued
  std::vector<Certificate> intermediates;
};

/// What a token's word about a key is worth.
struct ClaimedKey {
  Thumbprint key;
  Custody custody = Custody::kPkcs11Claimed;  ///< or kPkcs11Attested
  std::string certificate;  ///< hexadecimal SHA-256 of the attestation certificate; empty: none that counts
  std::optional<Refusal> unproved;  ///< why it is claimed only
};

/// Judges what a PKCS#11 token says of a key, in this order:
/// 1. it says that the key is sensitive and always was, was never extractable and was made in it (kClaims);
/// 2. of its certificates those count that are for this key (else kNoEndorsement), are no CA's (kIsCa), have
///    nothing critical that is unknown (kCriticalExtension), and lead to a vendor's root, through the token's
///    other certificates too, at that time (kChain, kTime). One that does makes the key kPkcs11Attested;
///    without one it is kPkcs11Claimed, and `unproved` says what spoke against the last: a user's certificate
///    beside the key is no fault.
/// Who signs with the key is not judged: what is claimed is not signed by the token, so the caller must have it
/// from the token itself. Pure and thread-safe.
[[nodiscard]] Judged<ClaimedKey> judge_claims(const KeyClaims& claims, const PublicKey& key,
                                              const TokenVendors& vendors, std::chrono::sys_seconds now);

}  // namespace chancery::attest
