#include "attest/evidence/public_area.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "attest/evidence/tpm_codec.hpp"

namespace chancery::attest {
namespace {

using openssl::Pkey;

constexpr std::uint32_t kUsualExponent = 65537;  // what a TPM means by 0
constexpr std::size_t kLeastRsaOctets = 256;
constexpr std::size_t kMostRsaOctets = 512;

using Number = std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, openssl::Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, openssl::Deleter<OSSL_PARAM_free>>;

Number number(ByteView octets) {
  return Number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
}

// Null when OpenSSL does not take it: then it is no key of that kind.
Pkey key_from(const char* kind, OSSL_PARAM_BLD* build) {
  const Params params(OSSL_PARAM_BLD_to_param(build));
  const openssl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  const bool done = params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  return Pkey(done ? key : nullptr);
}

Judged<Pkey> rsa_key(const TPMT_PUBLIC& area) {
  const ByteView modulus = octets_of(area.unique.rsa);
  if (modulus.size() * 8 != area.parameters.rsaDetail.keyBits)
    return Refusal{Check::kMalformed, "the RSA key has another size than it says"};
  if (modulus.size() < kLeastRsaOctets || modulus.size() > kMostRsaOctets || modulus[0] < 0x80)
    return Refusal{Check::kAkKey, "an RSA key needs 2048 to 4096 bits"};
  const std::uint32_t exponent = area.parameters.rsaDetail.exponent;
  const std::uint32_t e = exponent == 0 ? kUsualExponent : exponent;
  const Number n = number(modulus);
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (!n || !build || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_uint32(build.get(), OSSL_PKEY_PARAM_RSA_E, e) != 1) {
    return Refusal{Check::kMalformed, "the RSA key cannot be read"};
  }
  Pkey key = key_from("RSA", build.get());
  if (!key) return Refusal{Check::kMalformed, "the RSA key cannot be read"};
  return key;
}

struct Curve {
  TPM2_ECC_CURVE id;
  const char* name;
  std::size_t size;
};

constexpr std::array kCurves{Curve{TPM2_ECC_NIST_P256, "P-256", 32}, Curve{TPM2_ECC_NIST_P384, "P-384", 48}};

Judged<Pkey> ecc_key(const TPMT_PUBLIC& area) {
  const TPM2_ECC_CURVE id = area.parameters.eccDetail.curveID;
  const auto* const curve = std::ranges::find(kCurves, id, &Curve::id);
  if (curve == kCurves.end()) return Refusal{Check::kAkKey, "an ECC key needs the curve P-256 or P-384"};
  const ByteView x = octets_of(area.unique.ecc.x);
  const ByteView y = octets_of(area.unique.ecc.y);
  constexpr Refusal kNoPoint{Check::kMalformed, "the key's point is not on its curve"};
  if (x.size() > curve->size || y.size() > curve->size) return kNoPoint;
  Bytes point(1 + 2 * curve->size);
  point[0] = POINT_CONVERSION_UNCOMPRESSED;
  std::ranges::copy(x, point.begin() + static_cast<std::ptrdiff_t>(1 + curve->size - x.size()));
  std::ranges::copy(y, point.end() - static_cast<std::ptrdiff_t>(y.size()));
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (!build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1) {
    return kNoPoint;
  }
  Pkey key = key_from("EC", build.get());
  if (!key) return kNoPoint;
  return key;
}

}  // namespace

PublicArea::PublicArea(const TPMT_PUBLIC& area, Hash name_hash, Bytes name)
    : area_(area), name_hash_(name_hash), name_(std::move(name)) {}

Judged<PublicArea> PublicArea::parse(ByteView octets, Form form) {
  CHANCERY_ASSIGN(const TPMT_PUBLIC area,
                  form == Form::kBare ? read_public(octets) : read_sized_public(octets));
  const auto hash = Hash::of(area.nameAlg);
  if (!hash) return Refusal{Check::kMalformed, "the key's name algorithm is no hash"};
  CHANCERY_ASSIGN(const Bytes bare, write_public(area));
  return PublicArea(area, *hash, named(*hash, {bare}));
}

Bytes PublicArea::qualified_name(ByteView parent) const { return named(name_hash_, {parent, name_}); }

Judged<openssl::Pkey> PublicArea::key() const {
  if (area_.type == TPM2_ALG_RSA) return rsa_key(area_);
  if (area_.type == TPM2_ALG_ECC) return ecc_key(area_);
  return Refusal{Check::kAkKey, "the key is neither RSA nor ECC"};
}

Judged<PublicKey> PublicArea::p256() const {
  std::array<std::uint8_t, 32> x{};
  std::array<std::uint8_t, 32> y{};
  const bool is_p256 = area_.type == TPM2_ALG_ECC && area_.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
  if (!is_p256 || area_.unique.ecc.x.size > x.size() || area_.unique.ecc.y.size > y.size())
    return Refusal{Check::kMalformed, "the key's point is not on its curve"};
  const auto copy = [](ByteView from, std::array<std::uint8_t, 32>& to) {
    std::ranges::copy(from, to.end() - static_cast<std::ptrdiff_t>(from.size()));
  };
  copy(octets_of(area_.unique.ecc.x), x);
  copy(octets_of(area_.unique.ecc.y), y);
  return PublicKey::p256(x, y);
}

}  // namespace chancery::attest
