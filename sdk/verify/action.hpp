#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <chancery/verify.hpp>

namespace chancery {

/// Step 8: whether an action is within a verified chain's leaf: audience (named by every token), scope, every
/// constraint that speaks of it, then unknown types.
/// \param zones  for `time_window`; nullptr: none is known
[[nodiscard]] std::optional<Denial> check_action(const ActionRequest& request,
                                                 std::span<const std::shared_ptr<const Token>> tokens,
                                                 std::chrono::sys_seconds now, const TimeZones* zones);

/// Whether a window is open by what clocks in its zone show.
[[nodiscard]] bool is_open(const TimeWindow& window, std::chrono::local_seconds local);

/// Why an action is denied that would bring a running total beyond its bound.
/// \param total  for people
[[nodiscard]] Denial over_total(const Constraint& constraint, std::size_t hop, const std::string& total);

/// Whether a token above the leaf bounds a total for this action that the request gives no totals for.
[[nodiscard]] bool lacks_ancestor_totals(const ActionRequest& request,
                                         std::span<const std::shared_ptr<const Token>> tokens);

}  // namespace chancery
