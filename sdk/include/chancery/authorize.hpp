#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

namespace chancery {

enum class Ruling : std::uint8_t {
  kPermit,
  kDeny,        ///< a check failed: `explanation` says which, and what would pass
  kIncomplete,  ///< no check failed, but one was not made that a permission needs: `missing` names it
};

/// "permit", "deny", "incomplete".
[[nodiscard]] std::string_view ruling_name(Ruling ruling) noexcept;

/// What authorize() decided, and why.
struct Decision {
  Ruling ruling = Ruling::kDeny;
  std::vector<std::string_view>
      missing;  ///< checks left to the caller before it may permit: "replay", "ancestor_totals"; literals
  Explanation explanation;

  [[nodiscard]] bool permitted() const noexcept { return ruling == Ruling::kPermit; }
  /// Several lines for a terminal; control characters of the chain are escaped.
  [[nodiscard]] std::string text() const;
};

/// Decides whether whoever presents a chain may perform an action now: steps 1 to 8 in one call, with the explanation.
///
/// Permits only when every check was made, but that of custody, while none is required. What the caller gives nothing
/// for was not checked, and the ruling is kIncomplete: without `action.seen` nobody looked for a replayed proof, and
/// without `action.totals` of an ancestor that bounds one, other chains under it may have spent all that it has.
/// Pure but for `action.seen`, which is asked once, when the proof is good otherwise. Thread-safe when that is.
/// \param chain  compact tokens, root first; borrowed for the call only
/// \param now  the instant to judge validity against, whole seconds UTC
/// \param options  how to verify; `request` is not looked at
[[nodiscard]] Decision authorize(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                                 std::chrono::sys_seconds now, const ActionRequest& action,
                                 VerifyOptions options = {});

}  // namespace chancery
