#pragma once

#include <memory>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "hsm/key_backend.hpp"
#include "hsm/tpm/keys.hpp"

namespace chancery::hsm {

/// A key behind a gate as the TPM gave it out: all that TPM2_Create answers.
struct GatedParts {
  KeyParts key;
  Bytes creation_data;        ///< TPMS_CREATION_DATA
  TPMT_TK_CREATION ticket{};  ///< the TPM's own note that the creation data are the key's
};

/// The same, read, checked and ready to be brought in.
struct PreparedGatedKey {
  PreparedKey key;
  Bytes public_area;  ///< TPMT_PUBLIC
  attest::Name name{};
  Sha256Digest policy{};
  Bytes creation_data;
  TPMT_TK_CREATION ticket{};
};

/// What TPM2_Create is asked for. \param policy  attest::gate_policy_digest()
[[nodiscard]] TPM2B_PUBLIC gated_key_template(const Sha256Digest& policy);

/// The octet 'G', the creation data with their size in front, the ticket, then the key as any other's blob.
[[nodiscard]] Result<Bytes> marshal(const GatedParts& parts);

/// Reads back what marshal() writes of a key as gated_key_template() asks, octet for octet, and nothing else. \return kKeyLost
[[nodiscard]] Result<GatedParts> unmarshal_gated(ByteView blob);

/// Whether a blob says that it is one of these; nothing more is known of it.
[[nodiscard]] bool is_gated_blob(ByteView blob) noexcept;

/// Reads the blob of a key and compares the two.
/// \return the key; kKeyLost when it is damaged, kKeyMismatch when it is another key than its record says
[[nodiscard]] Result<std::shared_ptr<const PreparedGatedKey>> prepare_gated(const StoredKey& key);

}  // namespace chancery::hsm
