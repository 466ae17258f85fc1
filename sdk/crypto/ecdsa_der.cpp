#include "sdk/crypto/ecdsa_der.hpp"

#include <algorithm>
#include <cstdlib>

#include <openssl/err.h>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {

// OpenSSL refuses values beyond the order when it verifies.
std::size_t ecdsa_der_from_raw(ByteView raw, EcdsaDer& der) noexcept {
  const auto is_zero = [](ByteView n) {
    return std::ranges::all_of(n, [](auto octet) { return octet == 0; });
  };
  if (raw.size() != 64 || is_zero(raw.first(32)) || is_zero(raw.last(32))) return 0;
  const openssl::EcdsaSignature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(raw.data(), 32, nullptr);
  BIGNUM* s = BN_bin2bn(raw.data() + 32, 32, nullptr);
  if (ECDSA_SIG_set0(signature.get(), r, s) != 1) std::abort();
  std::uint8_t* end = der.data();
  const int size = i2d_ECDSA_SIG(signature.get(), &end);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

// OpenSSL also reads what is not distinguished, so that a signature would have several forms.
std::optional<Signature> ecdsa_raw_from_der(ByteView der) noexcept {
  const std::uint8_t* begin = der.data();
  const openssl::EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  Signature raw;
  EcdsaDer again;
  const bool is_distinguished =
      parsed && BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), 32) == 32 &&
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + 32, 32) == 32 &&
      std::ranges::equal(der, ByteView(again).first(ecdsa_der_from_raw(raw, again)));
  ERR_clear_error();
  if (!is_distinguished) return std::nullopt;
  return raw;
}

}  // namespace chancery
