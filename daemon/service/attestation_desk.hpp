#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <chancery/custody.hpp>

#include "attest/policy/policy.hpp"
#include "attest/verify/claimed_key.hpp"
#include "attest/verify/endorsement.hpp"
#include "daemon/service/challenges.hpp"
#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/measurements.hpp"
#include "daemon/store/host_book.hpp"
#include "sdk/base/published.hpp"

namespace chancery::service {

/// What the operator's configuration decides about attestation.
struct AttestationOptions {
  attest::Endorsers endorsers{};
  attest::TokenVendors token_vendors{};  ///< whose PKCS#11 tokens' certificates for keys are believed
  attest::Policy policy{};
  ChallengeLimits challenges{};
  std::chrono::seconds result_lifetime{3600};
  std::optional<CustodyRequirement> required{};  ///< of the keys of agents that are given authority
  std::chrono::seconds max_age{3600};            ///< of the evidence for that
};

/// What the use cases around attestation work with. References outlive it.
struct AttestationDesk {
  AttestationDesk(store::HostBook& host_book, DaemonKeys& attestation_keys, AttestationOptions chosen)
      : hosts(host_book),
        keys(attestation_keys),
        options(std::move(chosen)),
        challenges(options->challenges),
        measurements(host_book) {}

  store::HostBook& hosts;
  DaemonKeys& keys;                       ///< that sign results
  Published<AttestationOptions> options;  ///< but for `challenges`, whose limits are those of the start
  Challenges challenges;
  Measurements measurements;

  /// Notes a key that was made just now: the keeper attests it, so that nobody waits for that.
  void note_made(const Thumbprint& key) {
    const std::lock_guard lock(mutex_);
    made_.push_back(key);
  }
  /// Those that were noted since.
  [[nodiscard]] std::vector<Thumbprint> take_made() {
    const std::lock_guard lock(mutex_);
    return std::exchange(made_, {});
  }

  /// Why an own key could not be attested a moment ago, unless its device was only away or busy: anybody may ask for a
  /// result, and a device's time is not everybody's.
  [[nodiscard]] std::optional<Error> recent_refusal(const Thumbprint& key,
                                                    std::chrono::sys_seconds now) const {
    const std::lock_guard lock(mutex_);
    const auto found = refusals_.find(key);
    if (found == refusals_.end()) return std::nullopt;
    const auto& [at, error] = found->second;
    return now >= at && now - at < kPause ? std::optional(error) : std::nullopt;
  }
  void note_refusal(const Thumbprint& key, const Error& error, std::chrono::sys_seconds now) {
    const std::lock_guard lock(mutex_);
    refusals_[key] = {now, error};
  }
  /// The operator changed something: it may be otherwise now.
  void forget_refusals() {
    const std::lock_guard lock(mutex_);
    refusals_.clear();
  }

  /// What is held while a key of that backend is attested: of many who ask, one waits for the device.
  [[nodiscard]] std::timed_mutex& turn_at(std::string_view backend) {
    const std::lock_guard lock(mutex_);
    return turns_[std::string(backend)];
  }

  /// Results about the issuer's keys as they were made last, for its metadata.
  [[nodiscard]] std::vector<std::string> issuer_results() const {
    const std::lock_guard lock(mutex_);
    return issuer_results_;
  }
  void publish(std::vector<std::string> about_issuer) {
    const std::lock_guard lock(mutex_);
    issuer_results_ = std::move(about_issuer);
  }

 private:
  static constexpr std::chrono::seconds kPause{30};

  mutable std::mutex mutex_;  // of the next four
  std::vector<std::string> issuer_results_;
  std::vector<Thumbprint> made_;
  std::map<Thumbprint, std::pair<std::chrono::sys_seconds, Error>>
      refusals_;  // of own keys, of which there are not many
  std::map<std::string, std::timed_mutex, std::less<>> turns_;
};

}  // namespace chancery::service
