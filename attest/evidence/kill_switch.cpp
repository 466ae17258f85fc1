#include "attest/evidence/kill_switch.hpp"

#include <array>
#include <concepts>
#include <string_view>

#include <tss2/tss2_mu.h>

#include "attest/evidence/signing_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::attest {
namespace {

constexpr std::string_view kPolicyRef = "chancery kill switch 1";
constexpr std::uint16_t kBankSize = kSlotsOfBank / 8;
constexpr std::size_t kLeastNonce = 16;

constexpr Error kNotWritten{ErrorCode::kInternal, "a structure of the kill switch could not be marshalled"};

template <std::unsigned_integral Number>
void put(Bytes& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(number >> shift & 0xFF));
  }
}

void put(Bytes& out, ByteView octets) { out.insert(out.end(), octets.begin(), octets.end()); }

// Each policy command hashes what there was, its code and its arguments (TPM 2.0 Part 1, 19.7.6).
Sha256Digest extended(const Sha256Digest& policy, TPM2_CC command, ByteView arguments) {
  Bytes input(policy.begin(), policy.end());
  put(input, command);
  put(input, arguments);
  return sha256(input);
}

/// nameAlg and the hash of the marshalled area.
template <auto Marshal, typename Area>
Result<Bytes> name_of(const Area& area) {
  Bytes octets(sizeof(Area) + 64);
  std::size_t size = 0;
  if (Marshal(&area, octets.data(), octets.size(), &size) != TSS2_RC_SUCCESS) return kNotWritten;
  Bytes name;
  put(name, TPM2_ALG_ID{TPM2_ALG_SHA256});
  put(name, sha256(ByteView(octets).first(size)));
  return name;
}

Result<Bytes> name_of_bank(TPM2_HANDLE index, const BankPolicy& policy, bool is_written) {
  return name_of<Tss2_MU_TPMS_NV_PUBLIC_Marshal>(bank_area(index, policy, is_written));
}

Sha256Digest and_auth_value(const Sha256Digest& policy) {
  return extended(policy, TPM2_CC_PolicyAuthValue, {});
}

}  // namespace

TPM2B_NONCE operator_policy_ref() { return sized(as_bytes(kPolicyRef)); }

// PolicySigned and PolicyNvWritten: TPM 2.0 Part 3, 23.3 and 23.20. PolicyUpdate() hashes the policyRef in a second step.
Result<BankPolicy> BankPolicy::of(const PublicKey& operator_key) {
  if (operator_key.algorithm() != Algorithm::kES256)
    return Error{ErrorCode::kInvalidKey, "the operator's key of the kill switch must be P-256"};
  BankPolicy policy;
  const Sha256Digest by_key = extended({}, TPM2_CC_PolicySigned, signer_name(operator_key));
  Bytes with_ref(by_key.begin(), by_key.end());
  put(with_ref, as_bytes(kPolicyRef));
  policy.by_operator = sha256(with_ref);
  constexpr std::array<std::uint8_t, 1> kYes{TPM2_YES};
  policy.by_daemon = and_auth_value(extended({}, TPM2_CC_PolicyNvWritten, kYes));
  return policy;
}

Sha256Digest BankPolicy::digest() const {
  Bytes branches(by_operator.begin(), by_operator.end());
  put(branches, by_daemon);
  return extended({}, TPM2_CC_PolicyOR, branches);
}

TPMS_NV_PUBLIC bank_area(TPM2_HANDLE index, const BankPolicy& policy, bool is_written) {
  TPMS_NV_PUBLIC area{};
  area.nvIndex = index;
  area.nameAlg = TPM2_ALG_SHA256;
  // What is frozen is no secret: it is read with the owner's empty auth value, and outside of dictionary-attack protection.
  area.attributes = TPMA_NV_POLICYWRITE | TPMA_NV_OWNERREAD | TPMA_NV_NO_DA |
                    static_cast<TPMA_NV>(TPM2_NT_BITS) << TPMA_NV_TPM2_NT_SHIFT |
                    (is_written ? TPMA_NV_WRITTEN : 0);
  area.authPolicy = sized(policy.digest());
  area.dataSize = kBankSize;
  return area;
}

// TPM 2.0 Part 3, 23.9: operand, offset and operation are hashed first.
Result<Sha256Digest> switched_key_policy(std::span<const SlotCheck> checks, const BankPolicy& policy) {
  Sha256Digest digest{};
  for (const SlotCheck& check : checks) {
    Bytes comparison;
    put(comparison, check.bits);
    put(comparison, std::uint16_t{0});
    put(comparison, TPM2_EO{TPM2_EO_BITCLEAR});
    const Sha256Digest arguments = sha256(comparison);
    CHANCERY_ASSIGN(const Bytes name, name_of_bank(check.index, policy, true));
    Bytes input(arguments.begin(), arguments.end());
    put(input, name);
    digest = extended(digest, TPM2_CC_PolicyNV, input);
  }
  return and_auth_value(digest);
}

// The index is not written yet, and its Name says so: a setting can be written once, to an index that was made anew.
Result<Sha256Digest> setting_command_digest(const BankSetting& setting, const BankPolicy& policy) {
  CHANCERY_ASSIGN(const Bytes name, name_of_bank(setting.index, policy, false));
  Bytes input;
  put(input, TPM2_CC{TPM2_CC_NV_SetBits});
  put(input, name);  // who authorizes: the index itself
  put(input, name);
  put(input, setting.frozen);
  return sha256(input);
}

Result<Bytes> setting_message(const BankSetting& setting, const PublicKey& operator_key) {
  if (setting.nonce.size() < kLeastNonce || setting.nonce.size() > TPM2_SHA256_DIGEST_SIZE)
    return Error{ErrorCode::kInvalidArgument, "the nonce of a TPM's session has 16 to 32 octets"};
  CHANCERY_ASSIGN(const BankPolicy policy, BankPolicy::of(operator_key));
  CHANCERY_ASSIGN(const Sha256Digest command, setting_command_digest(setting, policy));
  Bytes message = setting.nonce;
  put(message, static_cast<std::uint32_t>(kSettingSeconds));
  put(message, command);
  put(message, as_bytes(kPolicyRef));
  return message;
}

}  // namespace chancery::attest
