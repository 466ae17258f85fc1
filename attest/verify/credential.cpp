#include "attest/verify/credential.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "attest/evidence/tpm_codec.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::attest {
namespace {

using namespace std::string_view_literals;
using openssl::Pkey;
using openssl::PkeyContext;

using Number = std::unique_ptr<BIGNUM, openssl::Deleter<BN_clear_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, openssl::Deleter<EVP_CIPHER_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, openssl::Deleter<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, openssl::Deleter<EC_POINT_free>>;

constexpr std::string_view kIdentity = "IDENTITY\0"sv;  // with its zero (Part 1, B.4 and C.6.4)
constexpr std::size_t kMostBlob = 1024;
constexpr Error kCrypto{ErrorCode::kCryptoFailure, "OpenSSL could not make the credential"};
constexpr Refusal kNoIdObject{Check::kMalformed, "the credential is no TPM2B_ID_OBJECT, or not only that"};
constexpr Refusal kNotItsSeed{Check::kIntegrity, "the credential was made with another seed"};

/// How an EK protects what is for it.
struct Protection {
  Hash hash;
  std::size_t key_size;  ///< octets of AES
};

Result<Protection> protection_of(const PublicArea& ek) {
  const TPMT_PUBLIC& area = ek.area();
  const TPMT_SYM_DEF_OBJECT* symmetric = nullptr;
  if (area.type == TPM2_ALG_RSA) symmetric = &area.parameters.rsaDetail.symmetric;
  if (area.type == TPM2_ALG_ECC) symmetric = &area.parameters.eccDetail.symmetric;
  const bool is_aes = symmetric != nullptr && symmetric->algorithm == TPM2_ALG_AES &&
                      symmetric->mode.aes == TPM2_ALG_CFB &&
                      (symmetric->keyBits.aes == 128 || symmetric->keyBits.aes == 256);
  if (!is_aes || !ek.has(TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT))
    return Error{ErrorCode::kInvalidKey, "an EK is a restricted decryption key with AES in CFB mode"};
  return Protection{ek.name_hash(), symmetric->keyBits.aes / 8U};
}

OSSL_PARAM octets_param(const char* name, ByteView octets) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(octets.data()), octets.size());
}

OSSL_PARAM text_param(const char* name, std::string_view text) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text.data()), text.size());
}

Result<SecretBytes> derive(const char* kdf_name, std::span<const OSSL_PARAM> params, std::size_t size) {
  const openssl::Kdf kdf(EVP_KDF_fetch(nullptr, kdf_name, nullptr));
  const openssl::KdfContext context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  SecretBytes out(size);
  if (!context || EVP_KDF_derive(context.get(), out.writable().data(), size, params.data()) != 1)
    return kCrypto;
  return out;
}

// KDFa (Part 1, 11.4.10.2): SP 800-108 in counter mode with HMAC.
Result<SecretBytes> kdf_a(Hash hash, ByteView seed, std::string_view label, ByteView context,
                          std::size_t size) {
  const std::array params{text_param(OSSL_KDF_PARAM_MODE, "COUNTER"),
                          text_param(OSSL_KDF_PARAM_MAC, "HMAC"),
                          text_param(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(hash.openssl())),
                          octets_param(OSSL_KDF_PARAM_KEY, seed),
                          octets_param(OSSL_KDF_PARAM_SALT, as_bytes(label)),
                          octets_param(OSSL_KDF_PARAM_INFO, context),
                          OSSL_PARAM_construct_end()};
  return derive("KBKDF", params, size);
}

// KDFe (Part 1, 11.4.10.3): SP 800-56A's one-step derivation.
Result<SecretBytes> kdf_e(Hash hash, ByteView shared, ByteView ephemeral_x, ByteView ek_x) {
  Bytes info(kIdentity.begin(), kIdentity.end());
  info.insert(info.end(), ephemeral_x.begin(), ephemeral_x.end());
  info.insert(info.end(), ek_x.begin(), ek_x.end());
  const std::array params{text_param(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(hash.openssl())),
                          octets_param(OSSL_KDF_PARAM_KEY, shared), octets_param(OSSL_KDF_PARAM_INFO, info),
                          OSSL_PARAM_construct_end()};
  return derive("SSKDF", params, hash.size());
}

Result<SecretBytes> hmac(Hash hash, ByteView key, ByteView identity, ByteView name) {
  Bytes message(identity.begin(), identity.end());
  message.insert(message.end(), name.begin(), name.end());
  SecretBytes out(hash.size());
  std::size_t size = 0;
  const auto* const done =
      EVP_Q_mac(nullptr, "HMAC", nullptr, EVP_MD_get0_name(hash.openssl()), nullptr, key.data(), key.size(),
                message.data(), message.size(), out.writable().data(), out.size(), &size);
  if (done == nullptr || size != hash.size()) return kCrypto;
  return out;
}

// AES-CFB with a zero start value, in place: each key is used once.
Result<SecretBytes> aes_cfb(const SecretBytes& key, ByteView octets, bool encrypt) {
  constexpr std::array<std::uint8_t, 16> kZero{};
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* const kind = key.size() == 16 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
  SecretBytes out(octets.size());
  int size = 0;
  if (!cipher ||
      EVP_CipherInit_ex(cipher.get(), kind, nullptr, key.view().data(), kZero.data(), encrypt ? 1 : 0) != 1 ||
      EVP_CipherUpdate(cipher.get(), out.writable().data(), &size, octets.data(),
                       static_cast<int>(octets.size())) != 1) {
    return kCrypto;
  }
  return out;
}

/// The two keys that come from a seed.
struct SeededKeys {
  SecretBytes storage;
  SecretBytes integrity;
};

Result<SeededKeys> keys_of(const Protection& protection, ByteView seed, ByteView name) {
  SeededKeys keys;
  CHANCERY_ASSIGN(keys.storage, kdf_a(protection.hash, seed, "STORAGE", name, protection.key_size));
  CHANCERY_ASSIGN(keys.integrity, kdf_a(protection.hash, seed, "INTEGRITY", {}, protection.hash.size()));
  return keys;
}

void append_sized(Bytes& out, ByteView octets) {
  out.push_back(static_cast<std::uint8_t>(octets.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(octets.size()));
  out.insert(out.end(), octets.begin(), octets.end());
}

Bytes sized(ByteView octets) {
  Bytes out;
  append_sized(out, octets);
  return out;
}

Result<Bytes> wrap(const Protection& protection, ByteView seed, ByteView name, ByteView secret) {
  CHANCERY_ASSIGN(const SeededKeys keys, keys_of(protection, seed, name));
  SecretBytes content(secret.size() + 2);
  content.writable()[1] = static_cast<std::uint8_t>(secret.size());
  std::ranges::copy(secret, content.writable().begin() + 2);
  CHANCERY_ASSIGN(const SecretBytes identity, aes_cfb(keys.storage, content.view(), true));
  CHANCERY_ASSIGN(const SecretBytes mac, hmac(protection.hash, keys.integrity.view(), identity.view(), name));
  Bytes id_object = sized(mac.view());
  id_object.insert(id_object.end(), identity.view().begin(), identity.view().end());
  return sized(id_object);
}

// --- the seed, to an RSA EK

Result<Bytes> encrypt_oaep(EVP_PKEY* ek, Hash hash, ByteView seed) {
  const PkeyContext context(EVP_PKEY_CTX_new(ek, nullptr));
  auto* const label = static_cast<unsigned char*>(OPENSSL_memdup(kIdentity.data(), kIdentity.size()));
  if (!context || label == nullptr || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), hash.openssl()) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), hash.openssl()) != 1 ||
      EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, static_cast<int>(kIdentity.size())) != 1) {
    OPENSSL_free(label);
    return kCrypto;
  }
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(ek)));
  std::size_t size = out.size();
  if (EVP_PKEY_encrypt(context.get(), out.data(), &size, seed.data(), seed.size()) != 1) return kCrypto;
  out.resize(size);
  return out;
}

// --- the seed, to an ECC EK

Result<Bytes> coordinate(EVP_PKEY* key, const char* which, std::size_t size) {
  BIGNUM* number = nullptr;
  Bytes out(size);
  const bool done = EVP_PKEY_get_bn_param(key, which, &number) == 1 &&
                    BN_bn2binpad(number, out.data(), static_cast<int>(size)) == static_cast<int>(size);
  BN_free(number);
  if (!done) return kCrypto;
  return out;
}

std::size_t field_size(const EVP_PKEY* key) {
  return (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
}

Result<SecretBytes> shared_seed(EVP_PKEY* ephemeral, EVP_PKEY* ek, Hash hash) {
  const std::size_t size = field_size(ek);
  CHANCERY_ASSIGN(const Bytes ephemeral_x, coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_X, size));
  CHANCERY_ASSIGN(const Bytes ek_x, coordinate(ek, OSSL_PKEY_PARAM_EC_PUB_X, size));
  const PkeyContext context(EVP_PKEY_CTX_new(ephemeral, nullptr));
  SecretBytes shared(size);
  std::size_t written = size;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), ek) != 1 ||
      EVP_PKEY_derive(context.get(), shared.writable().data(), &written) != 1 || written != size) {
    return kCrypto;
  }
  return kdf_e(hash, shared.view(), ephemeral_x, ek_x);
}

Result<Bytes> point_of(EVP_PKEY* key) {
  const std::size_t size = field_size(key);
  CHANCERY_ASSIGN(const Bytes x, coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, size));
  CHANCERY_ASSIGN(const Bytes y, coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
  Bytes out = sized(x);
  append_sized(out, y);
  return out;
}

/// How a seed goes to the EK: itself, and as it travels.
struct SentSeed {
  SecretBytes seed;
  Bytes encrypted;
};

Result<SentSeed> send_seed(const PublicArea& ek, Hash hash) {
  auto key = ek.key();
  if (!key) return Error{ErrorCode::kInvalidKey, key.error().what};
  SentSeed sent;
  if (ek.area().type == TPM2_ALG_RSA) {
    sent.seed = SecretBytes(hash.size());
    CHANCERY_TRY(random_bytes(sent.seed.writable()));
    CHANCERY_ASSIGN(sent.encrypted, encrypt_oaep(key->get(), hash, sent.seed.view()));
    return sent;
  }
  const PkeyContext context(EVP_PKEY_CTX_new(key->get(), nullptr));  // of the EK's curve
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_keygen(context.get(), &made) != 1)
    return kCrypto;
  const Pkey ephemeral(made);
  CHANCERY_ASSIGN(sent.seed, shared_seed(ephemeral.get(), key->get(), hash));
  CHANCERY_ASSIGN(sent.encrypted, point_of(ephemeral.get()));
  return sent;
}

// --- opening

// The point that belongs to a private key on the EK's curve, times a point. OpenSSL's own arithmetic.
struct EphemeralKey {
  Bytes point;    ///< TPMS_ECC_POINT
  SecretBytes z;  ///< x of the shared point
  Bytes x;
};

Result<Bytes> affine(const EC_GROUP* group, const EC_POINT* point, std::size_t size) {
  const Number x(BN_new());
  const Number y(BN_new());
  Bytes out(2 * size);
  const int width = static_cast<int>(size);
  if (!x || !y || EC_POINT_get_affine_coordinates(group, point, x.get(), y.get(), nullptr) != 1 ||
      BN_bn2binpad(x.get(), out.data(), width) != width ||
      BN_bn2binpad(y.get(), out.data() + size, width) != width) {
    return kCrypto;
  }
  return out;
}

Result<EphemeralKey> ephemeral_key(ByteView private_part, const PublicArea& ek, std::size_t size) {
  const Group group(EC_GROUP_new_by_curve_name(size == 32 ? NID_X9_62_prime256v1 : NID_secp384r1));
  const Number scalar(BN_bin2bn(private_part.data(), static_cast<int>(private_part.size()), nullptr));
  const ByteView ek_x = octets_of(ek.area().unique.ecc.x);
  const ByteView ek_y = octets_of(ek.area().unique.ecc.y);
  const Number x(BN_bin2bn(ek_x.data(), static_cast<int>(ek_x.size()), nullptr));
  const Number y(BN_bin2bn(ek_y.data(), static_cast<int>(ek_y.size()), nullptr));
  const Point own(group ? EC_POINT_new(group.get()) : nullptr);
  const Point shared(group ? EC_POINT_new(group.get()) : nullptr);
  if (!own || !shared || !scalar || !x || !y ||
      EC_POINT_mul(group.get(), own.get(), scalar.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_set_affine_coordinates(group.get(), shared.get(), x.get(), y.get(), nullptr) != 1 ||
      EC_POINT_mul(group.get(), shared.get(), nullptr, shared.get(), scalar.get(), nullptr) != 1) {
    return kCrypto;
  }
  CHANCERY_ASSIGN(const Bytes public_part, affine(group.get(), own.get(), size));
  CHANCERY_ASSIGN(const Bytes product, affine(group.get(), shared.get(), size));
  EphemeralKey key;
  key.x = {public_part.begin(), public_part.begin() + static_cast<std::ptrdiff_t>(size)};
  key.point = sized(key.x);
  append_sized(key.point, ByteView(public_part).subspan(size));
  key.z = SecretBytes(ByteView(product).first(size));
  return key;
}

// What stands in the TPM2B_ENCRYPTED_SECRET: for RSA as many octets as the key has, for ECC a point.
Judged<ByteView> read_encrypted_secret(const PublicArea& ek, ByteView octets) {
  CHANCERY_ASSIGN(const ByteView content, take_sized(octets));
  if (!octets.empty()) return Refusal{Check::kMalformed, "behind the encrypted secret stands something else"};
  if (ek.area().type == TPM2_ALG_ECC) {
    CHANCERY_TRY(read_point(content));
  } else if (content.size() != ek.area().unique.rsa.size) {
    return Refusal{Check::kMalformed, "the encrypted secret is not as long as the EK's modulus"};
  }
  return content;
}

Judged<SecretBytes> seed_by_ephemeral(const PublicArea& ek, Hash hash, ByteView private_part,
                                      ByteView point) {
  const auto key = ek.key();
  if (!key || ek.area().type != TPM2_ALG_ECC) return kNotItsSeed;
  const std::size_t size = field_size(key->get());
  const auto ephemeral = ephemeral_key(private_part, ek, size);
  if (!ephemeral || (!point.empty() && !std::ranges::equal(ephemeral->point, point))) return kNotItsSeed;
  const auto ek_x = coordinate(key->get(), OSSL_PKEY_PARAM_EC_PUB_X, size);
  if (!ek_x) return kNotItsSeed;
  auto seed = kdf_e(hash, ephemeral->z.view(), ephemeral->x, *ek_x);
  if (!seed) return kNotItsSeed;
  return *std::move(seed);
}

/// TPMS_ID_OBJECT
struct IdObject {
  ByteView mac;
  ByteView identity;  ///< encrypted
};

Judged<IdObject> read_id_object(ByteView octets, Hash hash) {
  CHANCERY_ASSIGN(ByteView content, take_sized(octets));
  if (!octets.empty() || content.size() > kMostBlob) return kNoIdObject;
  CHANCERY_ASSIGN(const ByteView mac, take_sized(content));
  if (mac.size() != hash.size() || content.size() < 2 || content.size() > hash.size() + 2) return kNoIdObject;
  return IdObject{mac, content};
}

}  // namespace

Result<Credential> make_credential(const PublicArea& ek, ByteView ak_name, ByteView secret) {
  CHANCERY_ASSIGN(const Protection protection, protection_of(ek));
  if (secret.empty() || secret.size() > protection.hash.size())
    return Error{ErrorCode::kInvalidArgument,
                 "a credential holds at most as many octets as the EK's hash has"};
  CHANCERY_ASSIGN(const SentSeed sent, send_seed(ek, protection.hash));
  Credential credential;
  CHANCERY_ASSIGN(credential.id_object, wrap(protection, sent.seed.view(), ak_name, secret));
  credential.encrypted_secret = sized(sent.encrypted);
  return credential;
}

Judged<SecretBytes> open_credential(const PublicArea& ek, ByteView ak_name,
                                    const PresentedCredential& presented) {
  const auto protection = protection_of(ek);
  if (!protection) return Refusal{Check::kMalformed, protection.error().what};
  CHANCERY_ASSIGN(const IdObject object, read_id_object(presented.id_object, protection->hash));
  ByteView sent;
  if (!presented.encrypted_secret.empty()) {
    CHANCERY_ASSIGN(sent, read_encrypted_secret(ek, presented.encrypted_secret));
  }
  SecretBytes seed(presented.seed);
  if (!presented.ephemeral_private.empty()) {
    CHANCERY_ASSIGN(SecretBytes derived,
                    seed_by_ephemeral(ek, protection->hash, presented.ephemeral_private, sent));
    if (!seed.empty() && !equal_constant_time(seed.view(), derived.view())) return kNotItsSeed;
    seed = std::move(derived);
  }
  if (seed.empty()) return SecretBytes();
  constexpr Refusal kBroken{Check::kIntegrity, "the credential is not for this key, or was changed"};
  const auto keys = keys_of(*protection, seed.view(), ak_name);
  if (!keys) return kBroken;
  const auto mac = hmac(protection->hash, keys->integrity.view(), object.identity, ak_name);
  if (!mac || !equal_constant_time(mac->view(), object.mac)) return kBroken;
  const auto opened = aes_cfb(keys->storage, object.identity, false);
  if (!opened) return kBroken;
  ByteView content = opened->view();
  CHANCERY_ASSIGN(const ByteView secret, take_sized(content));
  if (!content.empty()) return kNoIdObject;
  return SecretBytes(secret);
}

}  // namespace chancery::attest
