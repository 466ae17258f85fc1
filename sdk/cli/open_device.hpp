#pragma once

#include <memory>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "sdk/cli/key_place.hpp"

namespace chancery::cli {

/// A device that answers.
struct OpenDevice {
  std::unique_ptr<hsm::KeyBackend> keys;
  Bytes tpm_name;  ///< Name of the storage key under which a TPM has its keys; empty for a token
};

/// Takes hold of a device, and presents a token's PIN to it, once. Every error says what a person at the command line
/// can do.
/// \param place  not a file
/// \param master  32 octets: what a key's authorization (TPM), or the seal of its reference (token), comes from
/// \param tpm_name  the TPM that it must be; empty: any
/// \return the device; kDeviceUnavailable, kDeviceTimeout, kWrongDevice, kPinRefused, kDeviceLockout,
///         kSimulatorRefused, kInvalidArgument, kFileUnreadable, kFilePermissions
[[nodiscard]] Result<OpenDevice> open_device(const KeyPlace& place, const SecretBytes& master,
                                             Bytes tpm_name);

/// An error of a device's in the same words.
[[nodiscard]] Error for_people(const Error& error, KeyPlace::Kind kind);

}  // namespace chancery::cli
