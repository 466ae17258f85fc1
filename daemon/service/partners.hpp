#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/remote_trust.hpp>
#include <chancery/result.hpp>
#include <chancery/status_cache.hpp>
#include <chancery/trust.hpp>

namespace chancery::service {

struct PartnerOptions {
  bool follow_keys = false;           ///< of every anchor: those at its `iss`, from the configured ones on
  std::chrono::seconds refresh{300};  ///< between two looks at them
  std::string ca_file{};              ///< PEM, of the anchors' servers; empty: the system's
  /// For one document. Short, since a request may wait for it.
  std::chrono::milliseconds timeout{2000};
  /// What goes wrong with following: in a literal what it is, and why.
  std::function<void(const char* what, const Error& error)> complain{};
};

/// Other trust domains, as the configured anchors name them: follows their keys, and keeps the status lists that their
/// chains refer to. What is configured counts until something newer was seen, and nobody's silence holds up the daemon.
/// Thread-safe.
class Partners {
 public:
  /// Callers that wait for a partner.
  static constexpr std::ptrdiff_t kMostWaiting = 2;
  using Waiting = std::counting_semaphore<kMostWaiting>;

  /// Called with the anchors when a key of one has changed, on a thread of its own.
  using Changed = std::function<void(TrustConfig anchors)>;

  /// \return kConfigInvalid when an anchor cannot be followed
  [[nodiscard]] static Status check(const TrustConfig& configured, const PartnerOptions& options);
  /// Asks nobody yet. \return as check(), and kInvalidArgument (a time that is not positive)
  [[nodiscard]] static Result<std::unique_ptr<Partners>> open(const TrustConfig& configured,
                                                              const PartnerOptions& options, Changed changed);

  /// Trust in these anchors alone, with the lists that are held.
  [[nodiscard]] TrustSnapshot held() const { return lists_.trust(); }

  /// Fetches the lists that a chain refers to and that are not held, as StatusCache does. Two callers may wait for that
  /// at a time, so that a slow partner cannot take every thread.
  /// \return false when others wait already: nothing was fetched
  [[nodiscard]] bool fetch_for(std::span<const std::string_view> chain, const VerifyOptions& options);

 private:
  Partners(const TrustConfig& configured, Changed changed, StatusCache lists)
      : configured_(configured),
        changed_(std::move(changed)),
        anchors_(configured),
        lists_(std::move(lists)) {}
  [[nodiscard]] Status follow(const PartnerOptions& options);
  void take(std::size_t place, const TrustAnchor& followed);

  const TrustConfig configured_;
  const Changed changed_;
  std::mutex taking_;  // one change at a time
  TrustConfig anchors_;
  StatusCache lists_;
  Waiting waiting_{kMostWaiting};
  std::vector<RemoteTrust> followed_;  // ends before what it uses
};

}  // namespace chancery::service
