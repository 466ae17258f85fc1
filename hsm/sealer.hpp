#pragma once

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Wraps small secrets so that this device alone opens them again: what is sealed may lie in a database, and a copy of it
/// on another machine opens nothing. Thread-safe; every call ends by its deadline.
///
/// Errors common to all: those of KeyBackend about the device.
class Sealer {
 public:
  /// The most octets that one call seals: what every TPM takes.
  static constexpr std::size_t kMaxSecret = 64;

  virtual ~Sealer() = default;

  /// \param binding  for whom, and under which name: what is sealed for one opens for no other
  /// \param secret   1 to kMaxSecret octets, else kInvalidArgument
  /// \return what only unseal() of the same device, under the same binding, opens; never the same twice;
  ///         kUnsupportedAlgorithm when the device does not seal
  virtual Result<Bytes> seal(const KeyBinding& binding, const SecretBytes& secret, Deadline deadline) = 0;

  /// \return the secret; kKeyLost when the device does not open it: a cleared or foreign device, another binding, or octets
  ///         that were tampered with. A TPM that is not the pinned one, as one is that was cleared, is kWrongDevice until it is
  ///         adopted: nothing is lost yet.
  virtual Result<SecretBytes> unseal(const KeyBinding& binding, ByteView sealed, Deadline deadline) = 0;
};

}  // namespace chancery::hsm
