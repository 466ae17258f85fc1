#include "hsm/pkcs11/sealing.hpp"

#include <algorithm>
#include <span>

#include "hsm/pkcs11/check.hpp"
#include "hsm/sealer.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeadSize = 1 + kSealingIdSize + kSealingIvSize;

constexpr CK_RV kAeadDecryptFailed = 0x42;  // CKR_AEAD_DECRYPT_FAILED of PKCS#11 v3.0, which the header lacks

constexpr const char* kNotSealed = "the token did not seal a secret: look at the module's own log";
constexpr const char* kNotOpened = "the token did not open what was sealed: look at the module's own log";
constexpr Error kDoesNotOpen{
    ErrorCode::kKeyLost,
    "the token does not open what was sealed: it was sealed for another name, or changed"};

/// CKM_AES_GCM with its parameters, which it borrows.
class Gcm {
 public:
  Gcm(ByteView iv, const Sha256Digest& context)
      : parameters_{mutable_octets(iv),      iv.size(),      iv.size() * 8,
                    mutable_octets(context), context.size(), kTagSize * 8} {}
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  [[nodiscard]] CK_MECHANISM* mechanism() noexcept { return &mechanism_; }

 private:
  CK_GCM_PARAMS parameters_;
  CK_MECHANISM mechanism_{CKM_AES_GCM, &parameters_, sizeof parameters_};
};

// A token in its FIPS mode may insist on an IV of its own.
Status check_begun(CK_RV rv) {
  if (rv != CKR_MECHANISM_INVALID && rv != CKR_MECHANISM_PARAM_INVALID) return check_pkcs11(rv, kNotSealed);
  return Error{ErrorCode::kUnsupportedAlgorithm,
               "the token does not encrypt by AES-GCM with an IV that it is given: seal with another device",
               rv};
}

bool says_tag_is_wrong(CK_RV rv) {
  return rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE || rv == kAeadDecryptFailed;
}

// What modules say of a tag that does not fit (SoftHSM 2.6: CKR_GENERAL_ERROR), and of themselves when they are ill.
bool may_say_tag_is_wrong(CK_RV rv) {
  return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DATA_INVALID ||
         rv == CKR_SIGNATURE_INVALID;
}

Result<CK_RV> decrypt(const TokenObject& key, const Sha256Digest& context, const SealedParts& sealed,
                      SecretBytes& secret) {
  Gcm gcm(sealed.iv, context);
  CHANCERY_TRY(
      check_pkcs11(key.functions.C_DecryptInit(key.session, gcm.mechanism(), key.handle), kNotOpened));
  // Some modules want room for the tag too.
  SecretBytes opened(sealed.ciphertext.size());
  CK_ULONG size = opened.size();
  const CK_RV rv = key.functions.C_Decrypt(key.session, mutable_octets(sealed.ciphertext),
                                           sealed.ciphertext.size(), opened.writable().data(), &size);
  if (rv != CKR_OK) return rv;
  if (size != sealed.ciphertext.size() - kTagSize)
    return Error{ErrorCode::kDeviceError, "the token opened to another size than was sealed"};
  secret = SecretBytes(opened.view().first(size));
  return rv;
}

// "Lost" is for good, so a token that is ill must not say it: one that opens what it seals is well, and is asked again.
bool opens_what_it_seals(const TokenObject& key, const Sha256Digest& context) {
  constexpr std::array<std::uint8_t, kSealingIdSize> kNoId{};
  const auto sealed = seal_with(key, kNoId, context, kNoId);
  if (!sealed) return false;
  const auto parts = read_sealed(*sealed);
  SecretBytes opened;
  const auto rv = parts ? decrypt(key, context, *parts, opened) : Result<CK_RV>(parts.error());
  return rv && *rv == CKR_OK && std::ranges::equal(opened.view(), kNoId);
}

}  // namespace

Result<SealedParts> read_sealed(ByteView sealed) {
  const bool has_a_size =
      sealed.size() > kHeadSize + kTagSize && sealed.size() <= kHeadSize + Sealer::kMaxSecret + kTagSize;
  if (!has_a_size || sealed[0] != kVersion) return kDoesNotOpen;
  return SealedParts{sealed.subspan(1, kSealingIdSize), sealed.subspan(1 + kSealingIdSize, kSealingIvSize),
                     sealed.subspan(kHeadSize)};
}

Result<Bytes> seal_with(const TokenObject& key, ByteView id, const Sha256Digest& context, ByteView secret) {
  Bytes sealed(kHeadSize + secret.size() + kTagSize);
  const std::span<std::uint8_t> iv = std::span(sealed).subspan(1 + kSealingIdSize, kSealingIvSize);
  const std::span<std::uint8_t> ciphertext = std::span(sealed).subspan(kHeadSize);
  sealed[0] = kVersion;
  std::ranges::copy(id.first(kSealingIdSize), sealed.begin() + 1);
  CHANCERY_TRY(random_bytes(iv));
  Gcm gcm(iv, context);
  CHANCERY_TRY(check_begun(key.functions.C_EncryptInit(key.session, gcm.mechanism(), key.handle)));
  CK_ULONG size = ciphertext.size();
  CHANCERY_TRY(check_pkcs11(
      key.functions.C_Encrypt(key.session, mutable_octets(secret), secret.size(), ciphertext.data(), &size),
      kNotSealed));
  if (size != ciphertext.size())
    return Error{ErrorCode::kDeviceError, "the token sealed to another size than AES-GCM gives"};
  return sealed;
}

Result<SecretBytes> unseal_with(const TokenObject& key, const Sha256Digest& context,
                                const SealedParts& sealed) {
  SecretBytes secret;
  CHANCERY_ASSIGN(CK_RV rv, decrypt(key, context, sealed, secret));
  bool is_well = false;
  if (may_say_tag_is_wrong(rv) && opens_what_it_seals(key, context)) {
    is_well = true;
    CHANCERY_ASSIGN(rv, decrypt(key, context, sealed, secret));
  }
  if (rv == CKR_OK) return secret;
  if (says_tag_is_wrong(rv) || (is_well && may_say_tag_is_wrong(rv)))
    return Error{kDoesNotOpen.code, kDoesNotOpen.what, rv};
  return check_pkcs11(rv, kNotOpened).error();
}

}  // namespace chancery::hsm
