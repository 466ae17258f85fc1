#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <chancery/verify.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/telemetry/histogram.hpp"
#include "daemon/vault/issuers/lifetime_tally.hpp"

namespace chancery::service {

/// Who judged a chain.
enum class Judged : std::uint8_t { kVerify, kExplain, kAuthorize };
inline constexpr std::array<std::string_view, 3> kJudgedNames{"verify", "explain", "authorize"};

/// What a route is about, where there are too many to have a histogram each.
enum class RouteClass : std::uint8_t {
  kJudge,      ///< verifies; asks neither device nor disk
  kDecide,     ///< decides an action and records it
  kIssue,      ///< signs: grants, delegations, sessions, proofs
  kRead,       ///< answers what is known
  kAdminister  ///< changes agents, keys, statuses, hosts
};
inline constexpr std::array<std::string_view, 5> kRouteClassNames{"judge", "decide", "issue", "read",
                                                                  "administer"};

inline constexpr std::array kApprovalKinds{store::ApprovalKind::kCall, store::ApprovalKind::kAction,
                                           store::ApprovalKind::kGrant};

/// What came of asking for an approval.
enum class ApprovalRequest : std::uint8_t {
  kParked,    ///< it waits
  kRepeated,  ///< it was waiting
  kDenied,    ///< nobody needs to be asked: it is not allowed
  kRefused,   ///< too many wait, or it cannot be put before a person, or could not be recorded
  kPermitted  ///< it was approved before, or no gate is closed any more; a grant: it was made
};
inline constexpr std::array<std::string_view, 5> kApprovalRequestNames{"parked", "repeated", "denied",
                                                                       "refused", "permitted"};

/// What came of a person's decision.
enum class DecisionOutcome : std::uint8_t {
  kApproved,  ///< the last that was needed
  kCounted,   ///< others are needed too
  kDenied,
  kRefused  ///< it was none, or came too late
};
inline constexpr std::array<std::string_view, 4> kDecisionOutcomeNames{"approved", "counted", "denied",
                                                                       "refused"};

/// By what somebody shows to the console who it is.
enum class ConsoleCredential : std::uint8_t {
  kLink,         ///< opens a session
  kPasskey,      ///< says whose it is
  kConfirmation  ///< a passkey's, of one request
};
inline constexpr std::array<std::string_view, 3> kConsoleCredentialNames{"link", "passkey", "confirmation"};

/// Why the console turned a request away before any route saw it.
enum class ConsoleRefusal : std::uint8_t {
  kForeign,  ///< no page of its own made it
  kSession,  ///< there is no session, or it has ended
  kMay       ///< the session may not
};
inline constexpr std::array<std::string_view, 3> kConsoleRefusalNames{"foreign", "session", "may"};

/// What the use cases count since the start, for metrics. Thread-safe, without a lock.
class Tallies {
 public:
  static constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::kCustodyUnproven) + 1;

  void judged(Judged by, Outcome outcome) noexcept {
    judgements_[static_cast<std::size_t>(by)][static_cast<std::size_t>(outcome)].fetch_add(
        1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t judgements(std::size_t by, std::size_t outcome) const noexcept {
    return judgements_[by][outcome].load(std::memory_order_relaxed);
  }

  void asked(store::ApprovalKind kind, ApprovalRequest outcome) noexcept {
    approvals_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(outcome)].fetch_add(
        1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t approval_requests(store::ApprovalKind kind,
                                                std::size_t outcome) const noexcept {
    return approvals_[static_cast<std::size_t>(kind)][outcome].load(std::memory_order_relaxed);
  }

  void decided(DecisionOutcome outcome) noexcept {
    decisions_[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t decisions(std::size_t outcome) const noexcept {
    return decisions_[outcome].load(std::memory_order_relaxed);
  }
  /// How long requests waited for the decision that ended that.
  [[nodiscard]] vault::LifetimeHistogram& decided_after() noexcept { return decided_after_; }

  void shown(ConsoleCredential credential, bool is_accepted) noexcept {
    shown_[static_cast<std::size_t>(credential)][is_accepted ? 1 : 0].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t console_credentials(std::size_t credential, bool is_accepted) const noexcept {
    return shown_[credential][is_accepted ? 1 : 0].load(std::memory_order_relaxed);
  }

  void turned_away(ConsoleRefusal reason) noexcept {
    turned_away_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t console_refusals(std::size_t reason) const noexcept {
    return turned_away_[reason].load(std::memory_order_relaxed);
  }

  [[nodiscard]] telemetry::Histogram& took(RouteClass route) noexcept {
    return took_[static_cast<std::size_t>(route)];
  }

 private:
  std::array<std::array<std::atomic<std::uint64_t>, kOutcomes>, kJudgedNames.size()> judgements_{};
  std::array<std::array<std::atomic<std::uint64_t>, kApprovalRequestNames.size()>, kApprovalKinds.size()>
      approvals_{};
  std::array<std::atomic<std::uint64_t>, kDecisionOutcomeNames.size()> decisions_{};
  vault::LifetimeHistogram decided_after_;
  std::array<std::array<std::atomic<std::uint64_t>, 2>, kConsoleCredentialNames.size()> shown_{};
  std::array<std::atomic<std::uint64_t>, kConsoleRefusalNames.size()> turned_away_{};
  std::array<telemetry::Histogram, kRouteClassNames.size()> took_;
};

}  // namespace chancery::service
