#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::attest {

// The kill switch of a TPM as numbers: what its indexes are, what a key's policy asks of them, and what the operator signs.
// Pure, so that the operator's tool computes all of it by itself. docs/protocol/kill-switch.md has it octet by octet.
//
// A bank is an NV index of 64 bits that can be set and never be cleared (TPM_NT_BITS), each a slot; a set bit freezes. Setting one
// takes the auth value of its owner. Whoever has the owner hierarchy can remove a bank, and make it again, empty; but what was never
// written freezes too, and the first write takes a signature by the operator's key.

constexpr unsigned kSlotsOfBank = 64;

/// How long after it was asked for the TPM takes a setting: PolicySigned's expiration, which is counted from the session's start
/// since the nonce is signed with it. Above zero, so that no ticket comes of it.
constexpr std::int32_t kSettingSeconds = 600;

/// The bit of a slot within its bank. Slot 0 is that of all keys.
[[nodiscard]] constexpr std::uint64_t bit_of_slot(std::uint16_t slot) noexcept {
  return std::uint64_t{1} << slot % kSlotsOfBank;
}

/// Slots that a key wants clear: `bits` of the index.
struct SlotCheck {
  TPM2_HANDLE index = 0;
  std::uint64_t bits = 0;
  bool operator==(const SlotCheck&) const = default;
};

/// A bank's first write, as it is put to the operator: what was frozen and is not among `frozen` is so no more.
struct BankSetting {
  TPM2_HANDLE index = 0;
  std::uint64_t frozen = 0;  ///< the bits that stay set
  Bytes nonce;               ///< of the TPM's session: the signature is good for this one write
  bool operator==(const BankSetting&) const = default;
};

/// What a PolicySigned of the operator's carries, so that it is of use for nothing else.
[[nodiscard]] TPM2B_NONCE operator_policy_ref();

/// The two ways to write to a bank, PolicyOR of which is its authPolicy.
struct BankPolicy {
  Sha256Digest by_operator{};  ///< PolicySigned
  Sha256Digest by_daemon{};    ///< PolicyNvWritten(yes), PolicyAuthValue

  /// \param operator_key  which the TPM gets as signer_area()
  /// \return kInvalidKey for any but P-256
  [[nodiscard]] static Result<BankPolicy> of(const PublicKey& operator_key);
  [[nodiscard]] Sha256Digest digest() const;
};

/// A bank's index as it is defined. \param is_written  whether as it is after its first write
[[nodiscard]] TPMS_NV_PUBLIC bank_area(TPM2_HANDLE index, const BankPolicy& policy, bool is_written);

/// The authPolicy of a key: PolicyNV for each check in its order, then PolicyAuthValue.
[[nodiscard]] Result<Sha256Digest> switched_key_policy(std::span<const SlotCheck> checks,
                                                       const BankPolicy& policy);

/// cpHash of TPM2_NV_SetBits with which a setting is written.
[[nodiscard]] Result<Sha256Digest> setting_command_digest(const BankSetting& setting,
                                                          const BankPolicy& policy);

/// What the operator's key signs with ES256 (so: its SHA-256) to have a setting written: nonce, expiration, cpHash, policyRef.
/// \return also kInvalidKey, and kInvalidArgument for a nonce of another size than 16 to 32 octets
[[nodiscard]] Result<Bytes> setting_message(const BankSetting& setting, const PublicKey& operator_key);

}  // namespace chancery::attest
