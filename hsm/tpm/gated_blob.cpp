#include "hsm/tpm/gated_blob.hpp"

#include <algorithm>
#include <utility>

#include <tss2/tss2_mu.h>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "hsm/tpm/marshal.hpp"
#include "hsm/tpm/statements.hpp"

namespace chancery::hsm {
namespace {

constexpr std::uint8_t kMark = 'G';  // other blobs begin with the high octet of a small size

constexpr Error kNotGated{ErrorCode::kKeyLost,
                          "the stored key is damaged: it is not what a TPM made for a gate"};
constexpr Error kOtherKey{ErrorCode::kKeyMismatch,
                          "the stored blob is of another key than its record says: look for tampering"};

// Reads a ticket off the front.
Result<TPMT_TK_CREATION> take_ticket(ByteView& octets) {
  TPMT_TK_CREATION ticket{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMT_TK_CREATION_Unmarshal(octets.data(), octets.size(), &offset, &ticket) != TSS2_RC_SUCCESS)
    return kNotGated;
  octets = octets.subspan(offset);
  return ticket;
}

// The policy is the key's own: whether it is the one that is wanted is for the caller to see.
Result<KeyParts> read_key(ByteView octets) {
  TPM2B_PUBLIC area{};
  std::size_t offset = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(octets.data(), octets.size(), &offset, &area) != TSS2_RC_SUCCESS)
    return kNotGated;
  Sha256Digest policy{};
  const ByteView own = attest::octets_of(area.publicArea.authPolicy);
  if (own.size() != policy.size()) return kNotGated;
  std::ranges::copy(own, policy.begin());
  const auto parts = unmarshal_like(octets, gated_key_template(policy));
  if (!parts) return kNotGated;
  return *parts;
}

}  // namespace

TPM2B_PUBLIC gated_key_template(const Sha256Digest& policy) {
  TPM2B_PUBLIC area{};
  area.publicArea = attest::gated_key_area(policy);
  return area;
}

Result<Bytes> marshal(const GatedParts& parts) {
  CHANCERY_ASSIGN(const Bytes ticket, written<Tss2_MU_TPMT_TK_CREATION_Marshal>(parts.ticket));
  CHANCERY_ASSIGN(const Bytes key, marshal(parts.key));
  const std::size_t size = parts.creation_data.size();
  Bytes blob{kMark, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  for (const Bytes* part : {&parts.creation_data, &ticket, &key})
    blob.insert(blob.end(), part->begin(), part->end());
  return blob;
}

Result<GatedParts> unmarshal_gated(ByteView blob) {
  if (!is_gated_blob(blob)) return kNotGated;
  ByteView rest = blob.subspan(1);
  const auto creation_data = attest::take_sized(rest);
  if (!creation_data || !attest::read_creation_data(*creation_data)) return kNotGated;
  GatedParts parts;
  parts.creation_data.assign(creation_data->begin(), creation_data->end());
  CHANCERY_ASSIGN(parts.ticket, take_ticket(rest));
  CHANCERY_ASSIGN(parts.key, read_key(rest));
  const auto again = marshal(parts);
  if (!again || !std::ranges::equal(*again, blob)) return kNotGated;
  return parts;
}

bool is_gated_blob(ByteView blob) noexcept { return !blob.empty() && blob.front() == kMark; }

Result<std::shared_ptr<const PreparedGatedKey>> prepare_gated(const StoredKey& key) {
  CHANCERY_ASSIGN(GatedParts parts, unmarshal_gated(key.blob));
  auto prepared = std::make_shared<PreparedGatedKey>();
  CHANCERY_ASSIGN(prepared->public_area, area_octets(parts.key.public_area));
  const auto area = attest::PublicArea::parse(prepared->public_area, attest::PublicArea::Form::kBare);
  const auto point = area ? area->p256() : area.error();
  if (!point) return kNotGated;
  if (*point != key.public_key) return kOtherKey;
  std::ranges::copy(area->name(), prepared->name.begin());
  std::ranges::copy(attest::octets_of(area->area().authPolicy), prepared->policy.begin());
  prepared->key.identity = identity_of(key);
  prepared->key.parts = parts.key;
  prepared->creation_data = std::move(parts.creation_data);
  prepared->ticket = parts.ticket;
  return std::shared_ptr<const PreparedGatedKey>(std::move(prepared));
}

}  // namespace chancery::hsm
