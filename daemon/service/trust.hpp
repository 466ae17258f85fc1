#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <chancery/trust.hpp>

#include "daemon/store/store.hpp"

namespace chancery::service {

/// Publishes what the daemon trusts: its own issuer keys, under its own issuer URL, and configured anchors.
/// Readers take the current snapshot, which never changes under them. Thread-safe.
class TrustPublisher {
 public:
  /// \param issuer_url  the `iss` that this daemon's own keys may say
  /// \param configured  anchors of others
  TrustPublisher(std::string issuer_url, TrustConfig configured)
      : issuer_url_(std::move(issuer_url)), configured_(std::move(configured)) {}

  [[nodiscard]] TrustSnapshot current() const;
  /// The same with this daemon's own keys alone: for chains that govern the daemon itself.
  [[nodiscard]] TrustSnapshot own() const;
  /// This daemon's own keys as they stand in the current snapshot, newest first.
  [[nodiscard]] std::vector<PublicKey> issuer_keys() const;

  /// Builds and publishes a snapshot with these issuer keys beside the configured anchors.
  /// \param ended_keys  holders' keys whose tokens no longer count
  void publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys);

 private:
  const std::string issuer_url_;
  const TrustConfig configured_;
  mutable std::mutex mutex_;
  TrustSnapshot snapshot_;
  TrustSnapshot own_;
  std::vector<PublicKey> issuer_keys_;
};

}  // namespace chancery::service
