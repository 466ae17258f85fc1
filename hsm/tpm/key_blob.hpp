#pragma once

#include <optional>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::hsm {

/// An agent key as the TPM gave it out: both parts of TPM2_Create's answer. The private part is encrypted by
/// the parent.
struct KeyParts {
  TPM2B_PUBLIC public_area{};
  TPM2B_PRIVATE private_area{};
  std::optional<std::uint16_t> slot{};  ///< of the kill switch, where the key's policy asks for it
};

/// What an agent key must be: P-256, ECDSA with SHA-256, sign only, made in and bound to this TPM, its use
/// authorized by its auth value, outside dictionary-attack protection (a crash between command and answer
/// would count as a failure there).
[[nodiscard]] TPM2B_PUBLIC signing_key_template();

/// The same for a key whose use a policy authorizes, and its auth value only as far as the policy says so.
[[nodiscard]] TPM2B_PUBLIC switched_key_template(const Sha256Digest& policy);

/// The storage primary key of the owner hierarchy: P-256 with AES-128-CFB, by the TCG's provisioning
/// guidance, so that the same seed always gives the same key.
[[nodiscard]] TPM2B_PUBLIC storage_key_template();

/// What a sealed secret must be: data that leaves this TPM by TPM2_Unseal alone, which its auth value authorizes, outside
/// dictionary-attack protection as the keys are.
[[nodiscard]] TPM2B_PUBLIC sealed_data_template();

/// Whether a public area is exactly what `wanted` asks for; only the point, or the digest of what is sealed, is left open.
[[nodiscard]] bool is_like(const TPM2B_PUBLIC& area, const TPM2B_PUBLIC& wanted);

/// The public key of an agent key's public area; kKeyLost when it is not exactly as signing_key_template()
/// asks, or switched_key_template() with whatever policy.
[[nodiscard]] Result<PublicKey> signing_key_of(const TPM2B_PUBLIC& area);

/// TPM2B_PUBLIC and TPM2B_PRIVATE one after the other, as the TPM marshals them, and the slot, if any, in two octets.
[[nodiscard]] Result<Bytes> marshal(const KeyParts& parts);

/// Reads a blob back. tss2-mu accepts a wrong inner size, so what was read is marshalled again and compared.
/// \return the parts, or kKeyLost when they are not octet for octet what a TPM made as signing_key_template() asks, or with a slot,
///         switched_key_template()
[[nodiscard]] Result<KeyParts> unmarshal(ByteView blob);

/// The same for an object that is as `wanted` asks but for its point or digest, which is not looked at.
[[nodiscard]] Result<KeyParts> unmarshal_like(ByteView blob, const TPM2B_PUBLIC& wanted);

/// Copies a big-endian number that may lack leading zeros to the end of `to`; false when it is too long.
[[nodiscard]] bool copy_right_aligned(const TPM2B_ECC_PARAMETER& from, std::span<std::uint8_t> to) noexcept;

}  // namespace chancery::hsm
