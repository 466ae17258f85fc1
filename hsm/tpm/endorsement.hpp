#pragma once

#include <cstdint>
#include <optional>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/tpm/connection.hpp"

namespace chancery::hsm {

/// The kinds of endorsement keys that TPMs come with (TCG EK Credential Profile 2.5, B.3 and B.4), by the template that
/// each is made from. Values are kept in blobs.
enum class EkKind : std::uint8_t {
  kEccP256 = 1,  ///< L-2
  kEccP384 = 2,  ///< H-3
  kRsa2048 = 3,  ///< L-1
};

/// \return the kind with that value, if there is one
[[nodiscard]] std::optional<EkKind> ek_kind(std::uint8_t value) noexcept;

[[nodiscard]] TPM2B_PUBLIC ek_template(EkKind kind);

/// An endorsement key while a request uses it, with what authorizes its use. The device thread's alone.
struct EndorsementKey {
  TransientHandle object;
  TransientHandle policy;  ///< a session that met the EK's policy; none where its empty auth value is enough
  TPM2B_PUBLIC public_area{};

  [[nodiscard]] ESYS_TR session() const noexcept { return policy.live() ? policy.get() : ESYS_TR_PASSWORD; }
};

/// Makes the EK anew from the TPM's endorsement seed: it is the same each time. \return kWrongDevice for another answer
[[nodiscard]] Result<EndorsementKey> bring_in_ek(TpmConnection& tpm, EkKind kind);

/// Which kind the manufacturer certified, the first of the enumeration; kEccP256 when it certified none.
[[nodiscard]] Result<EkKind> certified_kind(TpmConnection& tpm);

/// The manufacturer's certificate from NV, padding included; empty when there is none.
[[nodiscard]] Result<Bytes> read_ek_certificate(TpmConnection& tpm, EkKind kind);

}  // namespace chancery::hsm
