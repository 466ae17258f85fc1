#include "hsm/pkcs11/key_attributes.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "hsm/pkcs11/check.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

// CKA_EC_PARAMS: object identifiers in DER, and the name that PKCS#11 v3.0 section 2.3.10 has for Ed25519 beside
// its identifier (RFC 8410). Modules take one of the two, and SoftHSM 2.6 the identifier.
constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 5> kEd25519{0x06, 0x03, 0x2B, 0x65, 0x70};
constexpr std::array<std::uint8_t, 14> kEd25519Name{0x13, 0x0C, 'e', 'd', 'w', 'a', 'r',
                                                    'd',  's',  '2', '5', '5', '1', '9'};

constexpr std::array<ByteView, 1> kP256Curve{kP256};
constexpr std::array<ByteView, 2> kEd25519Curve{kEd25519, kEd25519Name};

/// How PKCS#11 names an algorithm.
struct KeyKind {
  CK_KEY_TYPE type;
  CK_MECHANISM_TYPE generate;
  CK_MECHANISM_TYPE sign;
  std::span<const ByteView> curve;  // each way to write it
  std::size_t point_size;
};
constexpr KeyKind kEs256Kind{CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, kP256Curve, 65};  // 0x04, x, y
constexpr KeyKind kEd25519Kind{CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, kEd25519Curve, 32};

const KeyKind& kind_of(Algorithm algorithm) {
  return algorithm == Algorithm::kES256 ? kEs256Kind : kEd25519Kind;
}

constexpr std::size_t kLongestPoint = 130;
constexpr std::size_t kLongestId = 64;

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

// The same of a sealing key.
constexpr std::array kAskedOfSealing{
    Flag{CKA_TOKEN, CK_TRUE},   Flag{CKA_PRIVATE, CK_TRUE},      Flag{CKA_SENSITIVE, CK_TRUE},
    Flag{CKA_ENCRYPT, CK_TRUE}, Flag{CKA_DECRYPT, CK_TRUE},      Flag{CKA_SIGN, CK_FALSE},
    Flag{CKA_VERIFY, CK_FALSE}, Flag{CKA_WRAP, CK_FALSE},        Flag{CKA_UNWRAP, CK_FALSE},
    Flag{CKA_DERIVE, CK_FALSE}, Flag{CKA_EXTRACTABLE, CK_FALSE},
};
constexpr CK_ULONG kSealingKeySize = 32;

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
    "the token says that this key may leave it, was made elsewhere, or is of another kind: refused"};

// A token that does not know an attribute does not vouch for it.
Status refuse_unknown(Status status) {
  if (status || status.error().native != CKR_ATTRIBUTE_TYPE_INVALID) return status;
  return Error{kOtherKey.code, kOtherKey.what, CKR_ATTRIBUTE_TYPE_INVALID};
}

Status check_kind(const TokenObject& key, const KeyKind& kind) {
  CK_KEY_TYPE type = 0;
  std::array<std::uint8_t, 64> curve{};
  std::array wanted{CK_ATTRIBUTE{CKA_KEY_TYPE, &type, sizeof type},
                    CK_ATTRIBUTE{CKA_EC_PARAMS, curve.data(), curve.size()}};
  CHANCERY_TRY(refuse_unknown(read(key, wanted)));
  const ByteView said = ByteView(curve).first(std::min<std::size_t>(wanted[1].ulValueLen, curve.size()));
  const bool is_on_curve =
      std::ranges::any_of(kind.curve, [&](ByteView name) { return std::ranges::equal(name, said); });
  return type == kind.type && is_on_curve ? Status{} : Status{kOtherKey};
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
ByteView unwrap_point(ByteView octets, std::size_t size) {
  const bool is_wrapped = octets.size() == size + 2 && octets[0] == 0x04 && octets[1] == size;
  return is_wrapped ? octets.subspan(2) : octets;
}

std::array<std::uint8_t, 32> coordinate(ByteView octets) {
  std::array<std::uint8_t, 32> out{};
  std::ranges::copy(octets, out.begin());
  return out;
}

}  // namespace

CK_MECHANISM_TYPE signing_mechanism(Algorithm algorithm) noexcept { return kind_of(algorithm).sign; }

Result<KeyPairHandles> generate_pair(const CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session,
                                     const KeyReference& key, Algorithm algorithm) {
  constexpr Flag kKept{CKA_TOKEN, CK_TRUE};
  const KeyKind& kind = kind_of(algorithm);
  std::vector<CK_ATTRIBUTE> public_half{attribute(CKA_LABEL, as_bytes(key.label)), attribute(CKA_ID, key.id),
                                        attribute(kKept), CK_ATTRIBUTE{}};
  std::vector<CK_ATTRIBUTE> private_half{attribute(CKA_LABEL, as_bytes(key.label)),
                                         attribute(CKA_ID, key.id)};
  for (const Flag& flag : kAsked) private_half.push_back(attribute(flag));
  CK_MECHANISM mechanism{kind.generate, nullptr, 0};
  KeyPairHandles made;
  CK_RV rv = CKR_OK;
  for (const ByteView curve : kind.curve) {
    public_half.back() = attribute(CKA_EC_PARAMS, curve);
    rv = functions.C_GenerateKeyPair(session, &mechanism, public_half.data(), public_half.size(),
                                     private_half.data(), private_half.size(), &made.public_half,
                                     &made.private_half);
    if (rv == CKR_OK || ends_session(rv)) break;
  }
  CHANCERY_TRY(
      check_pkcs11(rv, "the token did not make a key: look at its free space, and at the module's own log"));
  return made;
}

Status check_private_key(const TokenObject& key, Algorithm algorithm) {
  CHANCERY_TRY(check_kind(key, kind_of(algorithm)));
  CHANCERY_TRY(check_flags(key, kAsked));
  return check_flags(key, kMade);
}

Result<CK_OBJECT_HANDLE> generate_sealing_key(const CK_FUNCTION_LIST& functions, CK_SESSION_HANDLE session,
                                              const KeyReference& key) {
  CK_ULONG size = kSealingKeySize;
  std::vector<CK_ATTRIBUTE> wanted{attribute(CKA_LABEL, as_bytes(key.label)), attribute(CKA_ID, key.id),
                                   CK_ATTRIBUTE{CKA_VALUE_LEN, &size, sizeof size}};
  for (const Flag& flag : kAskedOfSealing) wanted.push_back(attribute(flag));
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made = 0;
  CHANCERY_TRY(check_pkcs11(
      functions.C_GenerateKey(session, &mechanism, wanted.data(), wanted.size(), &made),
      "the token did not make a key to seal with: look at its free space, and at the module's own log"));
  return made;
}

Status check_sealing_key(const TokenObject& key) {
  CK_KEY_TYPE type = 0;
  CK_ULONG size = 0;
  std::array wanted{CK_ATTRIBUTE{CKA_KEY_TYPE, &type, sizeof type},
                    CK_ATTRIBUTE{CKA_VALUE_LEN, &size, sizeof size}};
  CHANCERY_TRY(refuse_unknown(read(key, wanted)));
  if (type != CKK_AES || size != kSealingKeySize) return kOtherKey;
  CHANCERY_TRY(check_flags(key, kAskedOfSealing));
  return check_flags(key, kMade);
}

Result<Bytes> read_id(const TokenObject& object) {
  Bytes id(kLongestId);
  std::array wanted{CK_ATTRIBUTE{CKA_ID, id.data(), id.size()}};
  CHANCERY_TRY(read(object, wanted));
  id.resize(std::min<std::size_t>(wanted[0].ulValueLen, id.size()));
  return id;
}

Result<PublicKey> read_public_key(const TokenObject& key, Algorithm algorithm) {
  const KeyKind& kind = kind_of(algorithm);
  std::array<std::uint8_t, kLongestPoint> octets{};
  std::array wanted{CK_ATTRIBUTE{CKA_EC_POINT, octets.data(), octets.size()}};
  CHANCERY_TRY(read(key, wanted));
  const ByteView point = unwrap_point(
      ByteView(octets).first(std::min<std::size_t>(wanted[0].ulValueLen, octets.size())), kind.point_size);
  constexpr Error kNoPoint{ErrorCode::kDeviceError, "the token gave no valid point for the key that it made"};
  const bool is_p256 = algorithm == Algorithm::kES256;
  if (point.size() != kind.point_size || (is_p256 && point[0] != 0x04)) return kNoPoint;
  const PublicKey made =
      is_p256 ? PublicKey::p256(coordinate(point.subspan(1, 32)), coordinate(point.subspan(33, 32)))
              : PublicKey::ed25519(coordinate(point));
  if (!VerifyKey::from(made)) return kNoPoint;
  return made;
}

}  // namespace chancery::hsm
