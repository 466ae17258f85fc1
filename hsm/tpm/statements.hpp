#pragma once

#include <tss2/tss2_esys.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/pcr.hpp"
#include "hsm/attester.hpp"
#include "hsm/tpm/connection.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "hsm/tpm/nv_index.hpp"

namespace chancery::hsm {

// What a TPM is asked to sign by its attestation key, and what goes beside it. The device thread's alone.

constexpr attest::PcrIndex kPcrs = 24;  // of a PC's TPM
constexpr std::uint16_t kMeasurementSize = 32;

/// The attestation key, loaded and with its auth value set, and what it is to answer. Borrowed.
struct StatementSigner {
  ESYS_TR ak;
  ESYS_TR session;  ///< that authorizes its use
  ByteView nonce;   ///< at most 64 octets
};

/// TPM2_Certify of a loaded key whose auth value is set; the connection's session authorizes it.
[[nodiscard]] Result<SignedAttest> certify_key(TpmConnection& tpm, ESYS_TR key,
                                               const StatementSigner& signer);
/// TPM2_CertifyCreation of a loaded key.
[[nodiscard]] Result<SignedAttest> certify_creation_of(TpmConnection& tpm, ESYS_TR key,
                                                       const PreparedGatedKey& made,
                                                       const StatementSigner& signer);
[[nodiscard]] Result<SignedAttest> quote_pcrs(TpmConnection& tpm, const attest::PcrSelection& selection,
                                              const StatementSigner& signer);
/// TPM2_NV_Certify of the whole of an open index. \return kNotFound when nothing was ever written to it
[[nodiscard]] Result<MeasurementStatement> certify_index(TpmConnection& tpm, NvIndex& index,
                                                         const StatementSigner& signer);

/// \return kNotFound for a bank that the TPM does not have
[[nodiscard]] Result<attest::PcrValues> read_pcrs(TpmConnection& tpm, attest::PcrSelection wanted);

/// TPMT_PUBLIC
[[nodiscard]] Result<Bytes> area_octets(const TPM2B_PUBLIC& area);

}  // namespace chancery::hsm
