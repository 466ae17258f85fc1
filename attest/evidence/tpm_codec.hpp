#pragma once

#include <algorithm>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>

#include "attest/evidence/refusal.hpp"

namespace chancery::attest {

// TPM structures as they come from others (TPM 2.0 Part 2). Each is taken only if it is read to its last octet and,
// written again, gives the same octets: tss2-mu overlooks inner sizes that are wrong. \return kMalformed otherwise

[[nodiscard]] Judged<TPMT_PUBLIC> read_public(ByteView octets);
/// With its size in front.
[[nodiscard]] Judged<TPMT_PUBLIC> read_sized_public(ByteView octets);
[[nodiscard]] Judged<TPMS_ATTEST> read_attest(ByteView octets);
[[nodiscard]] Judged<TPMT_SIGNATURE> read_signature(ByteView octets);
[[nodiscard]] Judged<TPMS_CREATION_DATA> read_creation_data(ByteView octets);
[[nodiscard]] Judged<TPMS_ECC_POINT> read_point(ByteView octets);
[[nodiscard]] Judged<TPMS_NV_PUBLIC> read_nv_public(ByteView octets);

/// TPMT_PUBLIC, as a Name is made of it.
[[nodiscard]] Judged<Bytes> write_public(const TPMT_PUBLIC& area);

/// The octets of a TPM2B: `size` of them in `buffer`, or what its own array is called.
[[nodiscard]] inline ByteView octets_of(const TPM2B_DIGEST& sized) { return {sized.buffer, sized.size}; }
[[nodiscard]] inline ByteView octets_of(const TPM2B_DATA& sized) { return {sized.buffer, sized.size}; }
[[nodiscard]] inline ByteView octets_of(const TPM2B_NAME& sized) { return {sized.name, sized.size}; }
[[nodiscard]] inline ByteView octets_of(const TPM2B_ECC_PARAMETER& sized) {
  return {sized.buffer, sized.size};
}
[[nodiscard]] inline ByteView octets_of(const TPM2B_PUBLIC_KEY_RSA& sized) {
  return {sized.buffer, sized.size};
}

/// The other way: a TPM2B of these octets, of which there are no more than its `buffer` holds.
template <typename Sized = TPM2B_DIGEST>
[[nodiscard]] Sized sized(ByteView octets) {
  Sized out{};
  out.size = static_cast<UINT16>(octets.size());
  std::ranges::copy(octets, out.buffer);
  return out;
}

/// An ECDSA signature over SHA-256 by a P-256 key, as a TPM takes it.
[[nodiscard]] TPMT_SIGNATURE ecdsa_signature(const Signature& raw);

/// Takes a TPM2B off the front of `octets`: two octets of size, then as many. \return kMalformed
[[nodiscard]] Judged<ByteView> take_sized(ByteView& octets);

}  // namespace chancery::attest
