#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/api.hpp>
#include <chancery/api_attestation.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/measurement_log.hpp"
#include "daemon/service/occasion.hpp"
#include "daemon/store/host_book.hpp"
#include "hsm/attester.hpp"

namespace chancery::service {

/// Measures agents into the TPMs that hold their keys, and keeps the log of it: whose program, and registered how. A log is
/// written before the device is told, so that one that a crash cut off is one entry ahead, which is made up for. Thread-safe.
class Measurements {
 public:
  explicit Measurements(store::HostBook& book) : book_(book) {}

  /// Measures an agent that is about to use its key, unless it is as it was measured last. An agent whose selectors say no
  /// digest of its program is not measured: which program it is was not looked at.
  /// \param attester  of the device that holds its key
  /// \return the store's and the device's errors: without its measurement a key is not used
  [[nodiscard]] Status measure(const store::Agent& agent, const api::Selectors& selectors,
                               hsm::Attester& attester, const Occasion& occasion);

  /// What was measured into a backend's device, and what that says of it. kNotFound when nothing was.
  /// \param nonce  at most 64 octets
  [[nodiscard]] Result<api::Measurements> show(const std::string& backend, hsm::Attester& attester,
                                               ByteView nonce, const Occasion& occasion);

  /// Begins anew for another device.
  [[nodiscard]] Status forget(std::string_view backend, const Occasion& occasion);

 private:
  using Log = attest::MeasurementLog;
  struct OfBackend {
    std::timed_mutex mutex;  // one measurement after the other: the log's order is the device's
    std::optional<Log> log;  // once it agrees with the device
  };

  [[nodiscard]] OfBackend& of(std::string_view backend);

  // With the backend's mutex held.
  [[nodiscard]] Result<Log*> log_of(OfBackend& held, const std::string& backend, hsm::Attester& attester,
                                    const Occasion& occasion);
  [[nodiscard]] Status settle(const std::string& backend, Log& log, hsm::Attester& attester,
                              const Occasion& occasion);
  [[nodiscard]] Status forget_stored(std::string_view backend, const Occasion& occasion);

  store::HostBook& book_;
  std::mutex mutex_;  // of the map; what is in it stays where it is
  std::map<std::string, OfBackend, std::less<>> backends_;
};

}  // namespace chancery::service
