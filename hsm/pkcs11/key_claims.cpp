#include "hsm/pkcs11/key_claims.hpp"

#include <utility>

#include "hsm/pkcs11/check.hpp"

namespace chancery::hsm {
namespace {

// What tokens answer about attributes that they do not have, or do not tell; the session is none the worse for it.
bool is_untold(CK_RV rv) { return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE; }

Result<bool> says(const TokenObject& key, CK_ATTRIBUTE_TYPE type) {
  CK_BBOOL value = CK_FALSE;
  CK_ATTRIBUTE wanted{type, &value, sizeof value};
  const CK_RV rv = key.functions.C_GetAttributeValue(key.session, key.handle, &wanted, 1);
  if (is_untold(rv)) return false;
  CHANCERY_TRY(check_pkcs11(rv, "the token does not say what a key is: look at the module's own log"));
  return wanted.ulValueLen == sizeof value && value == CK_TRUE;
}

}  // namespace

Result<attest::KeyClaims> read_claims(const TokenObject& key) {
  attest::KeyClaims claims;
  for (const auto& [type, claim] :
       {std::pair{CKA_SENSITIVE, &claims.sensitive},
        std::pair{CKA_ALWAYS_SENSITIVE, &claims.always_sensitive},
        std::pair{CKA_NEVER_EXTRACTABLE, &claims.never_extractable}, std::pair{CKA_LOCAL, &claims.local}}) {
    CHANCERY_ASSIGN(*claim, says(key, type));
  }
  return claims;
}

Result<std::optional<Bytes>> read_certificate(const TokenObject& certificate) {
  Bytes octets(kLargestCertificate);
  CK_ATTRIBUTE wanted{CKA_VALUE, octets.data(), octets.size()};
  const CK_RV rv =
      certificate.functions.C_GetAttributeValue(certificate.session, certificate.handle, &wanted, 1);
  if (rv == CKR_BUFFER_TOO_SMALL || is_untold(rv)) return std::optional<Bytes>();
  CHANCERY_TRY(check_pkcs11(rv, "the token does not give out a certificate: look at the module's own log"));
  if (wanted.ulValueLen == 0 || wanted.ulValueLen > octets.size()) return std::optional<Bytes>();
  octets.resize(wanted.ulValueLen);
  return std::optional(std::move(octets));
}

}  // namespace chancery::hsm
