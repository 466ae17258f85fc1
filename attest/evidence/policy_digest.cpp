#include "attest/evidence/policy_digest.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::attest {
namespace {

constexpr TPMA_OBJECT kGatedKey = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                                  TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT;

/// Octets that are hashed, put together as a TPM marshals them: big endian.
class Marshalled {
 public:
  Marshalled& u16(std::uint16_t value) { return number(value, 2); }
  Marshalled& u32(std::uint32_t value) { return number(value, 4); }
  Marshalled& octets(ByteView value) {
    octets_.insert(octets_.end(), value.begin(), value.end());
    return *this;
  }
  [[nodiscard]] const Bytes& get() const noexcept { return octets_; }
  [[nodiscard]] Sha256Digest digest() const noexcept { return sha256(octets_); }

 private:
  Marshalled& number(std::uint32_t value, unsigned size) {
    for (unsigned shift = 8 * size; shift > 0; shift -= 8)
      octets_.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
    return *this;
  }

  Bytes octets_;
};

/// An approver, with what a policy has of its key.
struct Signer {
  PublicKey key;
  Name name;
};

// --- digests (Part 3, 23.2.3 and 23.6)

Sha256Digest policy_signed(const Sha256Digest& before, const Name& signer, std::string_view policy_ref) {
  const Sha256Digest update = Marshalled().octets(before).u32(TPM2_CC_PolicySigned).octets(signer).digest();
  return Marshalled().octets(update).octets(as_bytes(policy_ref)).digest();
}

Sha256Digest policy_or(std::span<const GateChoice> choices) {
  Marshalled message;
  message.octets(Sha256Digest{}).u32(TPM2_CC_PolicyOR);
  for (const GateChoice& choice : choices) message.octets(choice.digest);
  return message.digest();
}

// --- policies

Status check_policy(const GatePolicy& policy) {
  constexpr auto kInvalid = ErrorCode::kInvalidArgument;
  if (policy.gate.empty() || policy.gate.size() > kMostGateName)
    return Error{kInvalid, "a gate that a TPM enforces has a name of 1 to 32 octets"};
  if (policy.approvers.empty() || policy.approvers.size() > kMostGateApprovers)
    return Error{kInvalid, "a gate that a TPM enforces has 1 to 4 approvers' keys"};
  if (policy.quorum == 0 || policy.quorum > policy.approvers.size())
    return Error{kInvalid, "a gate's quorum is at least one, and no more than it has approvers"};
  for (const PublicKey& key : policy.approvers) {
    if (key.algorithm() != Algorithm::kES256)
      return Error{ErrorCode::kUnsupportedAlgorithm, "a TPM takes signatures of P-256 keys alone"};
    CHANCERY_TRY(VerifyKey::from(key));
    if (std::ranges::count(policy.approvers, key) > 1)
      return Error{kInvalid, "a gate names one key twice: nobody counts for two"};
  }
  return {};
}

std::vector<Signer> signers_in_order(const GatePolicy& policy) {
  std::vector<Signer> signers;
  for (const PublicKey& key : policy.approvers) signers.push_back({key, signer_name(key)});
  std::ranges::sort(signers, {}, &Signer::name);
  return signers;
}

GateChoice choice_of(const std::vector<Signer>& signers, const std::vector<char>& is_chosen,
                     std::string_view gate) {
  GateChoice choice;
  for (std::size_t i = 0; i < signers.size(); ++i) {
    if (is_chosen[i] == 0) continue;
    choice.signers.push_back(signers[i].key);
    choice.digest = policy_signed(choice.digest, signers[i].name, gate);
  }
  return choice;
}

}  // namespace

Result<std::vector<GateChoice>> gate_choices(const GatePolicy& policy) {
  CHANCERY_TRY(check_policy(policy));
  const std::vector<Signer> signers = signers_in_order(policy);
  std::vector<char> is_chosen(signers.size(), 0);
  std::fill_n(is_chosen.begin(), policy.quorum, 1);
  std::vector<GateChoice> choices;
  // Six sets of four at most: one TPM2_PolicyOR, which takes eight, is enough.
  do {
    choices.push_back(choice_of(signers, is_chosen, policy.gate));
  } while (std::ranges::prev_permutation(is_chosen).found);
  return choices;
}

Result<Sha256Digest> gate_policy_digest(const GatePolicy& policy) {
  CHANCERY_ASSIGN(const std::vector<GateChoice> choices, gate_choices(policy));
  return choices.size() == 1 ? choices.front().digest : policy_or(choices);
}

// --- public areas

TPMT_PUBLIC gated_key_area(const Sha256Digest& policy) {
  TPMT_PUBLIC area = signing_area(kGatedKey);
  area.authPolicy = sized(policy);
  return area;
}

Judged<GatedKey> judge_gated_key(ByteView area, const GatePolicy& policy) {
  constexpr Refusal kOtherType{Check::kKeyType, "a gated key is P-256 with ECDSA over SHA-256"};
  CHANCERY_ASSIGN(const PublicArea parsed, PublicArea::parse(area, PublicArea::Form::kBare));
  const TPMT_PUBLIC& given = parsed.area();
  if (given.type != TPM2_ALG_ECC) return kOtherType;  // which member of the union is meant
  if (given.objectAttributes != kGatedKey) {
    return Refusal{
        Check::kKeyAttributes,
        "a gated key is made in its TPM, bound to it, signs only, and is used by its policy alone"};
  }
  const auto digest = gate_policy_digest(policy);
  if (!digest) return Refusal{Check::kKeyPolicy, digest.error().what};
  if (!std::ranges::equal(octets_of(given.authPolicy), *digest)) {
    return Refusal{Check::kKeyPolicy,
                   "the key is behind another policy: other approvers, another quorum or another gate"};
  }
  TPMT_PUBLIC expected = gated_key_area(*digest);
  expected.unique = given.unique;
  CHANCERY_ASSIGN(const Bytes octets, write_public(expected));
  if (!std::ranges::equal(octets, area)) return kOtherType;
  CHANCERY_TRY(parsed.key());
  GatedKey out;
  CHANCERY_ASSIGN(out.key, parsed.p256());
  std::ranges::copy(parsed.name(), out.name.begin());
  return out;
}

// --- what is signed

Sha256Digest sign_command_digest(const Name& key, const Sha256Digest& digest) {
  return Marshalled()
      .u32(TPM2_CC_Sign)
      .octets(key)
      .u16(static_cast<std::uint16_t>(digest.size()))
      .octets(digest)
      .u16(TPM2_ALG_ECDSA)
      .u16(TPM2_ALG_SHA256)
      // The ticket of what was hashed by the TPM: none.
      .u16(TPM2_ST_HASHCHECK)
      .u32(TPM2_RH_NULL)
      .u16(0)
      .digest();
}

Bytes policy_signature_input(const Name& key, ByteView signing_input, std::string_view gate) {
  constexpr std::uint32_t kForGood = 0;
  return Marshalled()
      .u32(kForGood)
      .octets(sign_command_digest(key, sha256(signing_input)))
      .octets(as_bytes(gate))
      .get();
}

Sha256Digest policy_signature_digest(const Name& key, ByteView signing_input, std::string_view gate) {
  return sha256(policy_signature_input(key, signing_input, gate));
}

}  // namespace chancery::attest
