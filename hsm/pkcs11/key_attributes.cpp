#include "hsm/pkcs11/key_attributes.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "hsm/pkcs11/check.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

// The object identifier of prime256v1 in DER, as CKA_EC_PARAMS has it.
constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::size_t kPointSize = 65;  // 0x04, x, y

struct Flag {
  CK_ATTRIBUTE_TYPE type;
  CK_BBOOL value;
};

// What a private key is asked to be. The token adds the three of kMade.
constexpr std::array kAsked{
    Flag{CKA_TOKEN, CK_TRUE},   Flag{CKA_PRIVATE, CK_TRUE},      Flag{CKA_SENSITIVE, CK_TRUE},
    Flag{CKA_SIGN, CK_TRUE},    Flag{CKA_DECRYPT, CK_FALSE},     Flag{CKA_UNWRAP, CK_FALSE},
    Flag{CKA_DERIVE, CK_FALSE}, Flag{CKA_EXTRACTABLE, CK_FALSE},
};
constexpr std::array kMade{
    Flag{CKA_LOCAL, CK_TRUE},
    Flag{CKA_ALWAYS_SENSITIVE, CK_TRUE},
    Flag{CKA_NEVER_EXTRACTABLE, CK_TRUE},
};

CK_ATTRIBUTE attribute(const Flag& flag) {
  return {flag.type, const_cast<CK_BBOOL*>(&flag.value), sizeof flag.value};
}

Status read(const TokenObject& object, std::span<CK_ATTRIBUTE> wanted) {
  return check_pkcs11(object.functions.C_GetAttributeValue(object.session, object.handle, wanted.data(),
                                                           static_cast<CK_ULONG>(wanted.size())),
                      "the token does not say what a key is: use another one");
}

constexpr Error kOtherKey{
    ErrorCode::kKeyMismatch,
    "the token says that this key may leave it, was made elsewhere, or does more than sign P-256: refused"};

// A token that does not know an attribute does not vouch for it.
Status refuse_unknown(Status status) {
  if (status || status.error().native != CKR_ATTRIBUTE_TYPE_INVALID) return status;
  return Error{kOtherKey.code, kOtherKey.what, CKR_ATTRIBUTE_TYPE_INVALID};
}

Status check_kind(const TokenObject& key) {
  CK_KEY_TYPE type = 0;
  std::array<std::uint8_t, 64> curve{};
  std::array wanted{CK_ATTRIBUTE{CKA_KEY_TYPE, &type, sizeof type},
                    CK_ATTRIBUTE{CKA_EC_PARAMS, curve.data(), curve.size()}};
  CHANCERY_TRY(refuse_unknown(read(key, wanted)));
  const bool is_p256 = type == CKK_EC && wanted[1].ulValueLen == kP256.size() &&
                       std::equal(kP256.begin(), kP256.end(), curve.begin());
  return is_p256 ? Status{} : Status{kOtherKey};
}

Status check_flags(const TokenObject& key, std::span<const Flag> flags) {
  std::vector<CK_BBOOL> values(flags.size(), 0xFF);
  std::vector<CK_ATTRIBUTE> wanted;
  for (std::size_t i = 0; i < flags.size(); ++i)
    wanted.push_back({flags[i].type, &values[i], sizeof values[i]});
  CHANCERY_TRY(refuse_unknown(read(key, wanted)));
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (wanted[i].ulValueLen != sizeof values[i] || values[i] != flags[i].value) return kOtherKey;
  }
  return {};
}

// PKCS#11 v2.40 section 2.3.3 wraps the point into an OCTET STRING; some tokens give it bare.
ByteView unwrap_point(ByteView octets) {
  const bool is_wrapped = octets.size() == kPointSize + 2 && octets[0] == 0x04 && octets[1] == kPointSize;
  return is_wrapped ? octets.subspan(2) : octets;
}

}  // namespace

Result<KeyPairHandles> generate_p256(const CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session,
                                     const KeyReference& key) {
  constexpr Flag kKept{CKA_TOKEN, CK_TRUE};
  std::vector<CK_ATTRIBUTE> public_half{attribute(CKA_LABEL, as_bytes(key.label)), attribute(CKA_ID, key.id),
                                        attribute(CKA_EC_PARAMS, kP256), attribute(kKept)};
  std::vector<CK_ATTRIBUTE> private_half{attribute(CKA_LABEL, as_bytes(key.label)),
                                         attribute(CKA_ID, key.id)};
  for (const Flag& flag : kAsked) private_half.push_back(attribute(flag));
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  KeyPairHandles made;
  CHANCERY_TRY(
      check_pkcs11(functions.C_GenerateKeyPair(session, &mechanism, public_half.data(), public_half.size(),
                                               private_half.data(), private_half.size(), &made.public_half,
                                               &made.private_half),
                   "the token did not make a key: look at its free space, and at the module's own log"));
  return made;
}

Status check_private_key(const TokenObject& key) {
  CHANCERY_TRY(check_kind(key));
  CHANCERY_TRY(check_flags(key, kAsked));
  return check_flags(key, kMade);
}

Result<PublicKey> read_public_key(const TokenObject& key) {
  std::array<std::uint8_t, 2 * kPointSize> octets{};
  std::array wanted{CK_ATTRIBUTE{CKA_EC_POINT, octets.data(), octets.size()}};
  CHANCERY_TRY(read(key, wanted));
  const ByteView point =
      unwrap_point(ByteView(octets).first(std::min<std::size_t>(wanted[0].ulValueLen, octets.size())));
  constexpr Error kNoPoint{ErrorCode::kDeviceError, "the token gave no P-256 point for the key that it made"};
  if (point.size() != kPointSize || point[0] != 0x04) return kNoPoint;
  std::array<std::uint8_t, 32> x{}, y{};
  std::ranges::copy(point.subspan(1, 32), x.begin());
  std::ranges::copy(point.subspan(33, 32), y.begin());
  const PublicKey made = PublicKey::p256(x, y);
  if (!VerifyKey::from(made)) return kNoPoint;
  return made;
}

}  // namespace chancery::hsm
