#pragma once

#include <tss2/tss2_common.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::hsm {

/// A structure of the TPM's own answer as tss2-mu writes it down: written<Tss2_MU_TPMT_SIGNATURE_Marshal>(signature).
/// \return kDeviceError when the library refuses
template <auto Marshal, typename T>
[[nodiscard]] Result<Bytes> written(const T& value) {
  Bytes octets(sizeof(T) + 64);
  std::size_t size = 0;
  if (Marshal(&value, octets.data(), octets.size(), &size) != TSS2_RC_SUCCESS)
    return Error{ErrorCode::kDeviceError, "the TPM answered with what cannot be written down"};
  octets.resize(size);
  return octets;
}

}  // namespace chancery::hsm
