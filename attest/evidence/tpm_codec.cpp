#include "attest/evidence/tpm_codec.hpp"

#include <algorithm>

#include <tss2/tss2_mu.h>

namespace chancery::attest {
namespace {

// Larger than any structure here, each of which the TPM builds in a buffer of 4 KiB.
constexpr std::size_t kMostOctets = 8192;

/// Marshals into as much room as there can be need of. \return nothing when the library refuses
template <auto Marshal, typename T>
Bytes written(const T& value) {
  Bytes octets(kMostOctets);
  std::size_t size = 0;
  if (Marshal(&value, octets.data(), octets.size(), &size) != TSS2_RC_SUCCESS) return {};
  octets.resize(size);
  return octets;
}

template <typename T, auto Unmarshal, auto Marshal>
Judged<T> read_whole(ByteView octets, const char* what) {
  T value{};
  std::size_t offset = 0;
  const bool is_read = !octets.empty() && octets.size() <= kMostOctets &&
                       Unmarshal(octets.data(), octets.size(), &offset, &value) == TSS2_RC_SUCCESS &&
                       offset == octets.size();
  if (is_read && std::ranges::equal(written<Marshal>(value), octets)) return value;
  return Refusal{Check::kMalformed, what};
}

}  // namespace

Judged<TPMT_PUBLIC> read_public(ByteView octets) {
  return read_whole<TPMT_PUBLIC, Tss2_MU_TPMT_PUBLIC_Unmarshal, Tss2_MU_TPMT_PUBLIC_Marshal>(
      octets, "the public area is no TPMT_PUBLIC, or not only that");
}

Judged<TPMT_PUBLIC> read_sized_public(ByteView octets) {
  CHANCERY_ASSIGN(const TPM2B_PUBLIC sized,
                  (read_whole<TPM2B_PUBLIC, Tss2_MU_TPM2B_PUBLIC_Unmarshal, Tss2_MU_TPM2B_PUBLIC_Marshal>(
                      octets, "the public area is no TPM2B_PUBLIC, or not only that")));
  return sized.publicArea;
}

Judged<TPMS_ATTEST> read_attest(ByteView octets) {
  return read_whole<TPMS_ATTEST, Tss2_MU_TPMS_ATTEST_Unmarshal, Tss2_MU_TPMS_ATTEST_Marshal>(
      octets, "the statement is no TPMS_ATTEST, or not only that");
}

Judged<TPMT_SIGNATURE> read_signature(ByteView octets) {
  return read_whole<TPMT_SIGNATURE, Tss2_MU_TPMT_SIGNATURE_Unmarshal, Tss2_MU_TPMT_SIGNATURE_Marshal>(
      octets, "the signature is no TPMT_SIGNATURE, or not only that");
}

Judged<TPMS_CREATION_DATA> read_creation_data(ByteView octets) {
  return read_whole<TPMS_CREATION_DATA, Tss2_MU_TPMS_CREATION_DATA_Unmarshal,
                    Tss2_MU_TPMS_CREATION_DATA_Marshal>(
      octets, "the creation data are no TPMS_CREATION_DATA, or not only that");
}

Judged<TPMS_ECC_POINT> read_point(ByteView octets) {
  return read_whole<TPMS_ECC_POINT, Tss2_MU_TPMS_ECC_POINT_Unmarshal, Tss2_MU_TPMS_ECC_POINT_Marshal>(
      octets, "the encrypted secret holds no TPMS_ECC_POINT, or not only that");
}

Judged<TPMS_NV_PUBLIC> read_nv_public(ByteView octets) {
  return read_whole<TPMS_NV_PUBLIC, Tss2_MU_TPMS_NV_PUBLIC_Unmarshal, Tss2_MU_TPMS_NV_PUBLIC_Marshal>(
      octets, "the index is no TPMS_NV_PUBLIC, or not only that");
}

Judged<Bytes> write_public(const TPMT_PUBLIC& area) {
  Bytes octets = written<Tss2_MU_TPMT_PUBLIC_Marshal>(area);
  if (octets.empty()) return Refusal{Check::kMalformed, "the public area cannot be written as a TPMT_PUBLIC"};
  return octets;
}

TPMT_SIGNATURE ecdsa_signature(const Signature& raw) {
  const ByteView octets(raw);
  TPMT_SIGNATURE out{};
  out.sigAlg = TPM2_ALG_ECDSA;
  out.signature.ecdsa.hash = TPM2_ALG_SHA256;
  out.signature.ecdsa.signatureR = sized<TPM2B_ECC_PARAMETER>(octets.first(32));
  out.signature.ecdsa.signatureS = sized<TPM2B_ECC_PARAMETER>(octets.last(32));
  return out;
}

Judged<ByteView> take_sized(ByteView& octets) {
  const std::size_t size = octets.size() < 2 ? 0 : std::size_t{octets[0]} << 8 | octets[1];
  if (octets.size() < 2 || octets.size() - 2 < size)
    return Refusal{Check::kMalformed, "a TPM2B says another size than it has"};
  const ByteView content = octets.subspan(2, size);
  octets = octets.subspan(2 + size);
  return content;
}

}  // namespace chancery::attest
