#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/daemon_keys.hpp"
#include "daemon/store/outbox.hpp"
#include "daemon/telemetry/redactor.hpp"

namespace chancery::service {

struct WebhookOptions {
  std::string url;                           ///< of the receiver; empty: there is none
  std::chrono::milliseconds patience{3000};  ///< for the device that signs
  /// Posts a compact JWS there. \return the status that was answered
  std::function<Result<int>(const std::string& jws, const std::stop_token& stop)> post;
};

/// An address without what may be secret in it: user information and query.
[[nodiscard]] std::string address_without_secrets(std::string_view url);
/// What that leaves out: the user information, its password, and the query; whichever there are.
[[nodiscard]] std::vector<std::string> secrets_of_address(std::string_view url);

/// What a webhook tells, and in which words it complains that it cannot. Borrows the outbox.
struct WebhookTopic {
  struct Told {
    std::chrono::sys_seconds at;  ///< when it happened
    std::string json;             ///< an object
    std::string name{};           ///< the same whenever it is told, and of no other; empty: the JSON itself
  };

  store::Outbox& outbox;
  std::string_view claim;  ///< by which it stands in what is told
  /// What there is to tell. With kStoreUnavailable it is tried again, with another error it is given up.
  std::function<Result<Told>(const store::Outbox::Kept& kept)> read;
  const char* not_told;  ///< this time
  const char* given_up;
  const char* not_found;   ///< the outbox cannot be read
  const char* not_passed;  ///< the outbox cannot be written
  Error too_many;          ///< why the oldest that wait are forgotten
};

/// Anomalies, from the book of these.
[[nodiscard]] WebhookTopic told_anomalies(store::Outbox& anomalies);

/// Tells a webhook what an outbox has, each as a compact JWS (docs/operations/anomalies.md has its form) that a key for
/// nothing else signs. What waits is what the outbox has behind the last that was told: it outlives the process,
/// and is bounded as the outbox is. They are told in order; what could not be told is tried again, less and less often, until
/// a day is over. Who is told may be told twice, by the same `jti`. Thread-safe but for tick().
class Webhook {
 public:
  /// What came of one attempt, and of what was given up.
  enum class Outcome : std::uint8_t {
    kDelivered,  ///< answered with 2xx
    kFailed,     ///< nobody answered, or not whom it is for
    kRefused,    ///< answered with another status
    kUnsigned,   ///< its key could not sign, or may not
    kDropped,    ///< given up: too old, refused too often, or forgotten since too many waited
  };
  static constexpr std::array<std::string_view, 5> kOutcomeNames{"delivered", "failed", "refused", "unsigned",
                                                                 "dropped"};
  /// What is older is told no more.
  static constexpr std::chrono::seconds kLongestWait = std::chrono::hours(24);
  /// The longest pause between two attempts.
  static constexpr std::chrono::seconds kLongestPause = std::chrono::minutes(5);
  /// How often one is posted whose form the receiver refuses: with 4xx, but for those that ask to come back.
  static constexpr unsigned kMostRefusals = 5;
  /// How many one tick() tells, so that a flood of them leaves the device to others.
  static constexpr std::size_t kMostAtOnce = 5;
  /// How long what was signed counts.
  static constexpr std::chrono::seconds kLifetime = std::chrono::minutes(5);

  /// What could not be done now and is tried again: in a literal what it was, and why.
  using Complaint = std::function<void(const char* what, const Error& error)>;

  /// \param issuer  the `iss` of what is told
  Webhook(WebhookTopic topic, DaemonKeys& webhook_keys, std::string issuer, WebhookOptions options,
          std::shared_ptr<const telemetry::Redactor> redactor, Complaint complain);

  DaemonKeys& keys;  ///< that sign what is told

  [[nodiscard]] bool is_configured() const noexcept { return !options_.url.empty(); }

  /// Takes up where it was left, or begins with what happens from now on.
  [[nodiscard]] Status open();

  /// Tells what waits and is due. One thread at a time.
  /// \param stop  ends an attempt that is under way; it counts for nothing then
  void tick(std::chrono::sys_seconds now, const std::stop_token& stop = {});

  /// How often that came of it since the start.
  [[nodiscard]] std::uint64_t count(Outcome outcome) const noexcept {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }
  /// How many wait to be told.
  [[nodiscard]] Result<std::uint64_t> waiting() const;

 private:
  [[nodiscard]] bool is_due(std::chrono::sys_seconds now) const;
  [[nodiscard]] bool tell_next(std::chrono::sys_seconds now, const std::stop_token& stop);
  [[nodiscard]] std::optional<Outcome> attempt(const store::Outbox::Kept& kept, std::chrono::sys_seconds now,
                                               const std::stop_token& stop);
  [[nodiscard]] Result<std::string> sign(const WebhookTopic::Told& told, std::chrono::sys_seconds now);
  void note(Outcome outcome, std::uint64_t times = 1) noexcept;
  void pass(std::int64_t number);
  void pause(std::chrono::sys_seconds now);

  const WebhookTopic topic_;
  const std::string issuer_;
  const WebhookOptions options_;
  const std::string audience_;
  const std::shared_ptr<const telemetry::Redactor> redactor_;
  const Complaint complain_;
  // Of the one thread that ticks.
  std::int64_t told_ = 0;  // the outbox has it too, unless it could not be written
  unsigned refusals_ = 0;  // of the one that is next
  std::chrono::seconds pause_{0};
  std::chrono::sys_seconds not_before_{};
  std::array<std::atomic<std::uint64_t>, kOutcomeNames.size()> counts_{};
};

}  // namespace chancery::service
