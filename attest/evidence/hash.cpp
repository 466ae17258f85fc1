#include "attest/evidence/hash.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include <tss2/tss2_tpm2_types.h>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::attest {

const Hash::Row Hash::kRows[] = {
    {TPM2_ALG_SHA1, "sha1", "SHA1", 20},
    {TPM2_ALG_SHA256, "sha256", "SHA256", 32},
    {TPM2_ALG_SHA384, "sha384", "SHA384", 48},
    {TPM2_ALG_SHA512, "sha512", "SHA512", 64},
    {TPM2_ALG_SM3_256, "sm3_256", "SM3", 32},
    {TPM2_ALG_SHA3_256, "sha3_256", "SHA3-256", 32},
    {TPM2_ALG_SHA3_384, "sha3_384", "SHA3-384", 48},
    {TPM2_ALG_SHA3_512, "sha3_512", "SHA3-512", 64},
};

std::optional<Hash> Hash::of(std::uint16_t algorithm) noexcept {
  const auto* const row = std::ranges::find(kRows, algorithm, &Row::algorithm);
  return row == std::end(kRows) ? std::nullopt : std::optional(Hash(*row));
}

std::optional<Hash> Hash::named(std::string_view bank) noexcept {
  const auto* const row = std::ranges::find(kRows, bank, &Row::name);
  return row == std::end(kRows) ? std::nullopt : std::optional(Hash(*row));
}

const EVP_MD* Hash::openssl() const noexcept { return EVP_get_digestbyname(row_->openssl); }

Bytes Hash::operator()(std::initializer_list<ByteView> parts) const {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  Bytes digest(size());
  bool done = context && EVP_DigestInit_ex(context.get(), openssl(), nullptr) == 1;
  for (const ByteView part : parts)
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) std::abort();
  return digest;
}

Bytes named(Hash hash, std::initializer_list<ByteView> parts) {
  Bytes out = hash(parts);
  const std::array prefix{static_cast<std::uint8_t>(hash.algorithm() >> 8),
                          static_cast<std::uint8_t>(hash.algorithm())};
  out.insert(out.begin(), prefix.begin(), prefix.end());
  return out;
}

}  // namespace chancery::attest
