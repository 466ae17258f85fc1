#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>
#include <chancery/token.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {

// The two constraint types beyond the draft's (docs/protocol/delegation-chain.md, "Time and rate"). Each value has
// exactly one spelling, so that verifiers to whom the type is unknown see the same octets in every token that keeps
// it.

/// The names of `days`, Monday first.
inline constexpr std::array<std::string_view, 7> kDayNames{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// Reads `{"count": 10, "per": "minute"}`. \return kMalformed
[[nodiscard]] Result<RateBound> read_rate(const json::Value& value);
[[nodiscard]] json::Node to_json(const RateBound& rate);

/// Whether `child` is `parent` or a tighter bound: the same `per`, no higher `count`.
[[nodiscard]] bool narrows(const RateBound& parent, const RateBound& child) noexcept;

/// Reads `{"days": ["mon", …], "from": "09:00", "to": "17:30", "zone": "Europe/Berlin"}`: days each once and in the
/// order of the week, times of five characters with `from` before `to`, a zone that has the form of a name.
/// \return kMalformed
[[nodiscard]] Result<TimeWindow> read_window(const json::Value& value);
[[nodiscard]] json::Node to_json(const TimeWindow& window);

/// Whether `child` is open only when `parent` is: the same zone, days among the parent's, an interval within.
[[nodiscard]] bool narrows(const TimeWindow& parent, const TimeWindow& child) noexcept;

/// When both are open; nothing when that is never, or the zones differ.
[[nodiscard]] std::optional<TimeWindow> meet(const TimeWindow& a, const TimeWindow& b);

/// "09:05"
[[nodiscard]] std::string clock_text(std::chrono::minutes since_midnight);

}  // namespace chancery
