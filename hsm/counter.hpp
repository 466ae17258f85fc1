#pragma once

#include <cstdint>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// A number inside a device that only grows, whatever becomes of the machine's disks: it tells the present
/// store from an older copy of it. Only its owner can advance it. Thread-safe; every call ends by its deadline.
///
/// Errors common to all: those of KeyBackend about the device, and kConflict when something that is not ours
/// stands in the counter's place.
class MonotonicCounter {
 public:
  virtual ~MonotonicCounter() = default;

  /// \return its value; kNotFound when it was never made, or was removed, as TPM2_Clear does
  virtual Result<std::uint64_t> read(Deadline deadline) = 0;

  /// Adds one. After kDeviceTimeout it may have been added, or may be yet: read() tells.
  /// \return the new value; kNotFound as read()
  virtual Result<std::uint64_t> advance(Deadline deadline) = 0;

  /// Makes the counter if it is not there, and advances it in any case. A new one starts above every value
  /// that the device has ever counted to.
  /// \return its value
  virtual Result<std::uint64_t> create(Deadline deadline) = 0;
};

}  // namespace chancery::hsm
