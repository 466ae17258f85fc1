#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <chancery/credential.hpp>

#include "hsm/key_backend.hpp"
#include "sdk/cli/key_place.hpp"

namespace chancery::cli {

/// A key in a device as its file has it: all that it takes to use the key where the device is, and no private key.
/// Move-only.
struct DeviceKey {
  KeyPlace place;
  Bytes tpm_name;  ///< of the TPM that made it; empty for a token's
  SecretBytes
      master;  ///< what the key's authorization, or the seal of its reference, comes from; the key's alone
  hsm::StoredKey stored;
};

/// Makes a P-256 key in a device.
/// \param emulated  is told whether the device is a simulator
/// \return the key, or what open_device() says, and kDeviceError
[[nodiscard]] Result<DeviceKey> make_device_key(const KeyPlace& place, bool& emulated);

/// Has the device forget a key that nobody will use. A TPM keeps none.
[[nodiscard]] Status destroy_device_key(const DeviceKey& key);

/// Opens the device for the first signature, once: what is wrong with it then stays so for this process. Whoever asks
/// for the same key meanwhile shares it.
[[nodiscard]] std::shared_ptr<const Signer> signer_of(std::shared_ptr<const DeviceKey> key);

[[nodiscard]] std::string write_device_key(const DeviceKey& key);
/// \return kMalformed, kInvalidKey
[[nodiscard]] Result<DeviceKey> read_device_key(std::string_view text);

}  // namespace chancery::cli
