#pragma once

#include <array>
#include <cstdint>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/keys.hpp>

namespace chancery::attest {

// Public areas of P-256 keys that sign, as whoever computes their Names and the TPM itself must have them alike. Pure.

/// A Name under SHA-256 (TPM 2.0 Part 1, 16): the algorithm's two octets and the hash of the public area.
using Name = std::array<std::uint8_t, 34>;

/// P-256 with ECDSA over SHA-256, without a point and without a policy.
[[nodiscard]] TPMT_PUBLIC signing_area(TPMA_OBJECT attributes);

/// The same with the point of this key, which must be P-256.
[[nodiscard]] TPMT_PUBLIC with_point(TPMT_PUBLIC area, const PublicKey& key);

/// A key from outside of the TPM, as it is shown by TPM2_LoadExternal before TPM2_PolicySigned takes a signature of it: an
/// approver's, or the operator's of the kill switch.
/// \param key  P-256
[[nodiscard]] TPMT_PUBLIC signer_area(const PublicKey& key);
[[nodiscard]] Name signer_name(const PublicKey& key);

}  // namespace chancery::attest
