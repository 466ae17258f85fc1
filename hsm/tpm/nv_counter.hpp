#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <chancery/bytes.hpp>

#include "hsm/counter.hpp"
#include "hsm/tpm/device.hpp"
#include "hsm/tpm/nv_index.hpp"

namespace chancery::hsm {

/// An NV index of the type counter (TPM 2.0 part 1, section 37.2.6), read and incremented with an auth value
/// that only this daemon can derive. Whoever has the owner hierarchy can remove it, and not set it back: the
/// TPM starts an index that is defined again above every counter that it ever had.
class NvCounter final : public MonotonicCounter {
 public:
  /// \param device  outlives the counter
  /// \param master  32 octets; auth value and index are derived from it, so that several daemons can share a
  ///                TPM
  NvCounter(TpmDevice& device, const SecretBytes& master);

  Result<std::uint64_t> read(Deadline deadline) override;
  Result<std::uint64_t> advance(Deadline deadline) override;
  Result<std::uint64_t> create(Deadline deadline) override;

  [[nodiscard]] TPM2_HANDLE index() const noexcept { return place_->index; }

 private:
  class Visit;
  using Work = std::function<Status(Visit& visit, std::uint64_t& value)>;

  Result<std::uint64_t> run(Deadline deadline, Work work);

  TpmDevice& device_;
  std::shared_ptr<const NvPlace> place_;  // shared with the device thread, which may outlast a caller
};

}  // namespace chancery::hsm
