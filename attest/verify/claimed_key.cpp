#include "attest/verify/claimed_key.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include "sdk/base/hex.hpp"

namespace chancery::attest {
namespace {

constexpr Refusal kNone{Check::kNoEndorsement,
                        "the token has no certificate for the key: it is claimed only"};

bool has_coordinate(const EVP_PKEY* key, const char* which, ByteView expected) {
  std::array<std::uint8_t, 32> octets{};
  BIGNUM* number = nullptr;
  const bool is_there = EVP_PKEY_get_bn_param(key, which, &number) == 1;
  const std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>> owned(number);
  return is_there &&
         BN_bn2binpad(number, octets.data(), static_cast<int>(octets.size())) == std::ssize(octets) &&
         std::ranges::equal(octets, expected);
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> name{};
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(), nullptr) ==
             1 &&
         std::string_view(name.data()) == "prime256v1";
}

bool is_for(const Certificate& certificate, const PublicKey& key) {
  const auto certified = certificate.key();
  if (!certified) return false;
  if (key.algorithm() == Algorithm::kES256) {
    return is_p256(certified->get()) && has_coordinate(certified->get(), OSSL_PKEY_PARAM_EC_PUB_X, key.x()) &&
           has_coordinate(certified->get(), OSSL_PKEY_PARAM_EC_PUB_Y, key.y());
  }
  std::array<std::uint8_t, 32> octets{};
  std::size_t size = octets.size();
  return EVP_PKEY_is_a(certified->get(), "ED25519") == 1 &&
         EVP_PKEY_get_raw_public_key(certified->get(), octets.data(), &size) == 1 && size == octets.size() &&
         std::ranges::equal(octets, key.x());
}

Judged<void> check_attestation(const Certificate& leaf, const CertificatePath& path) {
  if (X509_check_ca(&leaf.x509()) != 0)
    return Refusal{Check::kIsCa, "a CA's certificate stands in for the key's attestation"};
  CHANCERY_TRY(check_critical_extensions(leaf));
  return check_path(leaf, path);
}

// What cannot be read is none of ours.
std::vector<Certificate> readable(const std::vector<Bytes>& certificates) {
  std::vector<Certificate> out;
  for (const Bytes& der : certificates) {
    const auto certificate = Certificate::parse(der);
    if (certificate) out.push_back(*certificate);
  }
  return out;
}

}  // namespace

Judged<ClaimedKey> judge_claims(const KeyClaims& claims, const PublicKey& key, const TokenVendors& vendors,
                                std::chrono::sys_seconds now) {
  if (!claims.sensitive || !claims.always_sensitive || !claims.never_extractable || !claims.local)
    return Refusal{Check::kClaims,
                   "the token does not say that the key was made in it and can never leave it: make another"};
  const std::vector<Certificate> own = readable(claims.certificates);
  CertificatePath path{vendors.intermediates, vendors.roots, now};
  path.intermediates.insert(path.intermediates.end(), own.begin(), own.end());
  ClaimedKey judged{key.thumbprint(), Custody::kPkcs11Claimed, {}, kNone};
  for (const Certificate& certificate : own) {
    if (!is_for(certificate, key)) continue;
    const auto attested = check_attestation(certificate, path);
    if (attested)
      return ClaimedKey{judged.key, Custody::kPkcs11Attested, hex_encode(certificate.fingerprint()),
                        std::nullopt};
    judged.unproved = attested.error();
  }
  return judged;
}

}  // namespace chancery::attest
