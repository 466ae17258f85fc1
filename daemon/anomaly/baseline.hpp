#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <chancery/keys.hpp>

#include "sdk/json/writer.hpp"

namespace chancery::anomaly {

/// In what an agent's use of its authority can be unlike what it was.
enum class Kind : std::uint8_t {
  kCallRate,
  kDenialRate,
  kLatency,
  kNewScope,
  kNewResource,
  kNewHost,
  kTimeOfDay
};
inline constexpr std::array<std::string_view, 7> kKindNames{
    "call_rate", "denial_rate", "latency", "new_scope", "new_resource", "new_host", "time_of_day"};

[[nodiscard]] std::string_view kind_name(Kind kind) noexcept;
[[nodiscard]] std::optional<Kind> kind_of(std::string_view name) noexcept;

/// One use that an agent made of its key or its chain.
struct Use {
  std::string agent{};              ///< id; empty where the key alone is known
  std::string name{};               ///< the agent's
  std::optional<Thumbprint> key{};  ///< that it has shown, by a proof of its own or of its session
  bool is_denied = false;
  std::chrono::microseconds took{0};
  std::vector<std::string> scopes{};
  std::vector<std::string> resources{};  ///< audiences
  std::string host{};                    ///< at which it uses its chain; empty: none is known
};

/// When something is unlike enough to be told.
struct Rules {
  double multiple = 2.0;             ///< of what is usual, for rates and times; that many times, not less
  std::chrono::seconds learning{0};  ///< of its first use, for which an agent is only learned
  std::chrono::seconds quiet{0};     ///< after an alert about a rate or time, until the next of that kind
};

/// What is unlike.
struct Finding {
  Kind kind = Kind::kCallRate;
  double measured = 0;  ///< calls a minute, a share, or microseconds; 0 for what is new
  double usual = 0;
  std::string what{};  ///< the new scope, resource or host; the hour, in UTC
  bool operator==(const Finding&) const = default;
};

/// What is usual for one agent, learned from its uses. Pure: `now` comes with each use, and never goes back. Bounded: some
/// ten kilobytes at most, whatever it is shown. Where a set of names is full, nothing is told to be new any more.
///
/// Rates are means over the last minutes or windows of ten minutes in which there were calls, an hour of the former and
/// six of the latter; what exceeds the multiple counts as the multiple, so that an alert is learned slowly.
class Baseline {
 public:
  /// Compares with what is usual, then learns.
  [[nodiscard]] std::vector<Finding> note(const Use& use, std::chrono::sys_seconds now, const Rules& rules);

  /// As it is kept, and taken up again. The window that is under way is left out.
  [[nodiscard]] json::Node to_node() const;
  /// \return nothing for what is no baseline
  [[nodiscard]] static std::optional<Baseline> from(const json::Value& value);

 private:
  static constexpr std::size_t kMostNames = 256;

  /// A mean that follows what comes later.
  struct Mean {
    double value = 0;
    std::uint32_t samples = 0;
    void add(double sample, std::uint32_t memory);
  };
  using Names = std::unordered_set<std::uint64_t>;  // the first half of a hash's half
  using Findings = std::vector<Finding>;

  void turn_minute(std::int64_t minute, const Rules& rules);
  void turn_window(std::int64_t window, const Rules& rules);
  [[nodiscard]] bool has_learned(std::chrono::sys_seconds now, const Rules& rules) const;
  void measure(Findings& out, std::chrono::sys_seconds now, const Rules& rules);
  void tell(Findings& out, const Finding& finding, std::chrono::sys_seconds now, const Rules& rules);
  static void meet(Names& known, std::string_view name, Kind kind, bool is_told, Findings& out);
  void meet_hour(std::chrono::sys_seconds now, bool is_told, Findings& out, const Rules& rules);

  std::optional<std::int64_t> first_;  // second of the first use
  std::int64_t minute_ = -1;
  std::uint32_t minute_calls_ = 0;
  std::int64_t window_ = -1;
  std::uint32_t calls_ = 0;  // this and the next two: of the window
  std::uint32_t denials_ = 0;
  double took_ = 0;  // microseconds
  Mean calls_a_minute_;
  Mean denial_share_;
  Mean latency_;
  Names scopes_;
  Names resources_;
  Names hosts_;
  std::array<std::uint32_t, 24> hours_{};  // on how many days it was active in that hour
  std::uint32_t days_ = 0;                 // on which it was active
  std::int64_t day_ = -1;
  std::uint32_t hours_of_day_ = 0;  // bits: those that were counted today
  std::array<std::int64_t, kKindNames.size()> told_{};
};

}  // namespace chancery::anomaly
