#include "attest/verify/statement.hpp"

#include <algorithm>
#include <memory>

#include <openssl/rsa.h>

#include "attest/evidence/tpm_codec.hpp"

namespace chancery::attest {
namespace {

constexpr Refusal kBadSignature{Check::kSignature, "the signature is not by this key over this statement"};

/// A signature by its scheme and hash; its value stays in the TPM's structure.
struct Scheme {
  TPM2_ALG_ID algorithm;
  Hash hash;
};

Judged<Scheme> scheme_of(const TPMT_SIGNATURE& signature) {
  constexpr Refusal kOther{Check::kScheme, "the signature's scheme is none of RSASSA, RSAPSS and ECDSA"};
  const bool is_known = signature.sigAlg == TPM2_ALG_RSASSA || signature.sigAlg == TPM2_ALG_RSAPSS ||
                        signature.sigAlg == TPM2_ALG_ECDSA;
  if (!is_known) return kOther;
  const auto hash = Hash::of(signature.signature.any.hashAlg);  // first in each of the three
  if (!hash) return Refusal{Check::kMalformed, "the signature's hash algorithm is none"};
  return Scheme{signature.sigAlg, *hash};
}

// A restricted key signs with the scheme that it was made with (Part 1, 25.1.2), so that another one in the signature
// was put there by somebody else.
bool is_scheme_of(const TPMT_PUBLIC& area, const Scheme& scheme) {
  if (area.type == TPM2_ALG_RSA) {
    const TPMT_RSA_SCHEME& own = area.parameters.rsaDetail.scheme;
    return own.scheme == scheme.algorithm && own.details.anySig.hashAlg == scheme.hash.algorithm();
  }
  const TPMT_ECC_SCHEME& own = area.parameters.eccDetail.scheme;
  return area.type == TPM2_ALG_ECC && own.scheme == scheme.algorithm &&
         own.details.anySig.hashAlg == scheme.hash.algorithm();
}

Judged<void> check_scheme(const AttestationKey& key, const Scheme& scheme) {
  const bool wants_rsa = scheme.algorithm != TPM2_ALG_ECDSA;
  const bool fits = key.area ? is_scheme_of(key.area->area(), scheme)
                             : !key.key || EVP_PKEY_is_a(key.key.get(), wants_rsa ? "RSA" : "EC") == 1;
  if (fits) return {};
  return Refusal{Check::kScheme, "the signature's scheme or hash is not that of the attestation key"};
}

// \return the DER that OpenSSL takes (RFC 3279, 2.2.3); empty for numbers that are none
Bytes ecdsa_der(const TPMS_SIGNATURE_ECC& signature) {
  const openssl::EcdsaSignature pair(ECDSA_SIG_new());
  const ByteView r = octets_of(signature.signatureR);
  const ByteView s = octets_of(signature.signatureS);
  BIGNUM* const r_number = BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr);
  BIGNUM* const s_number = BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr);
  if (!pair || ECDSA_SIG_set0(pair.get(), r_number, s_number) != 1) return {};
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  Bytes out(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return out;
}

Bytes value_of(const TPMT_SIGNATURE& signature) {
  if (signature.sigAlg == TPM2_ALG_ECDSA) return ecdsa_der(signature.signature.ecdsa);
  const ByteView value = octets_of(signature.signature.rsassa.sig);  // RSAPSS is laid out as RSASSA is
  return {value.begin(), value.end()};
}

bool verifies(EVP_PKEY* key, const Scheme& scheme, ByteView message, const Bytes& value) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context's own
  if (!context || EVP_DigestVerifyInit(context.get(), &options, scheme.hash.openssl(), nullptr, key) != 1)
    return false;
  if (scheme.algorithm == TPM2_ALG_RSAPSS &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), value.data(), value.size(), message.data(), message.size()) == 1;
}

Judged<Hash> check_signature(const AttestationKey& key, const SignedStatement& presented,
                             const StatementRules& rules) {
  CHANCERY_ASSIGN(const TPMT_SIGNATURE signature, read_signature(presented.signature));
  CHANCERY_ASSIGN(const Scheme scheme, scheme_of(signature));
  if (scheme.hash.is_weak() && !rules.allow_weak_hash)
    return Refusal{Check::kWeakHash, "the signature is over SHA-1: SHA-256 or stronger is needed"};
  CHANCERY_TRY(check_scheme(key, scheme));
  if (!key.key) return Refusal{Check::kNoAk, "there is neither an attestation key nor a certificate of one"};
  if (!verifies(key.key.get(), scheme, presented.attest, value_of(signature))) return kBadSignature;
  return scheme.hash;
}

bool has_magic(ByteView attest) {
  constexpr std::array<std::uint8_t, 4> kMagic{0xFF, 'T', 'C', 'G'};
  return attest.size() >= kMagic.size() && std::ranges::equal(attest.first(kMagic.size()), kMagic);
}

}  // namespace

Judged<Statement> check_statement(const AttestationKey& key, const SignedStatement& presented, TPM2_ST type,
                                  const StatementRules& rules) {
  CHANCERY_ASSIGN(const Hash hash, check_signature(key, presented, rules));
  if (!has_magic(presented.attest))
    return Refusal{Check::kMagic, "the statement does not begin with TPM_GENERATED_VALUE: no TPM made it"};
  CHANCERY_ASSIGN(const TPMS_ATTEST attest, read_attest(presented.attest));
  if (attest.type != type)
    return Refusal{Check::kType, "the statement is of another type than the evidence is to be"};
  if (presented.nonce && !std::ranges::equal(octets_of(attest.extraData), *presented.nonce))
    return Refusal{Check::kNonce, "the statement does not answer this nonce: ask for a fresh one"};
  if (!presented.parent_qualified_name.empty() && key.area) {
    const Bytes signer = key.area->qualified_name(presented.parent_qualified_name);
    if (!std::ranges::equal(octets_of(attest.qualifiedSigner), signer))
      return Refusal{Check::kAkName, "another key signed the statement: its qualifiedSigner is not this one"};
  }
  return Statement{attest, hash};
}

}  // namespace chancery::attest
