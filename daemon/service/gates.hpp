#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>
#include <chancery/time_zones.hpp>
#include <chancery/token.hpp>
#include <chancery/verify.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/gate_book.hpp"
#include "daemon/store/ledger.hpp"

namespace chancery::service {

/// A rule of the operator's for what waits for a person (docs/operations/gates.md). A value; names are those of `[[gate]]`.
struct Gate {
  enum class When : std::uint8_t { kAlways, kAbove, kFirstTime, kOutsideHours };

  std::string name;
  std::vector<std::string> scopes{};  ///< literal or with `.*`
  std::vector<std::string> tools{};
  When when = When::kAlways;
  std::string parameter{};      ///< of kAbove and kFirstTime
  store::Millionths above = 0;  ///< the most that passes
  TimeWindow window{};          ///< of kOutsideHours: when it is open
  std::string hours{};          ///< the same as it is configured, for people
  std::vector<std::string> approvers{};
  std::uint32_t quorum = 1;
  std::string separation{store::kSeparateRequester};
  std::chrono::seconds wait{900};
  std::chrono::seconds lifetime{300};
  bool tpm_enforced = false;  ///< about grants alone
};

/// "above", as `when` has it.
[[nodiscard]] std::string_view gate_when_name(Gate::When when) noexcept;

/// The gate that a tool's own declaration is: `tool:NAME`, always closed.
/// \param approvers  those of `[runtime] approvers`
/// \param wait       how long a call waits
[[nodiscard]] Gate gate_of_tool(std::string_view tool, const std::vector<std::string>& approvers,
                                std::chrono::seconds wait);

/// What gates look at of an operation; borrowed for the call.
struct GatedAction {
  std::string_view scope;
  std::string_view tool;  ///< empty: it is no call of a tool
  std::string_view principal;
  const Parameters& parameters;
  std::string_view grant_gate;  ///< the gate that the chain's grant names; empty: none
};

/// The instant, and what makes local time of it.
struct GateClock {
  std::chrono::sys_seconds now;
  const TimeZones* zones;  ///< borrowed; nullptr: no local time is known
};

/// A gate that an operation is behind.
struct ClosedGate {
  Gate gate;
  std::string why;                           ///< for people; holds numbers of the action's at most
  std::optional<store::LetThrough> first{};  ///< what an approval lets through from then on
};

/// Whether a value was let through before.
using WasLetThrough = std::function<Result<bool>(const store::LetThrough& value)>;

/// The gates that are closed for an action, in the order of the configuration. Pure but for `was_let_through`. What cannot be told
/// closes: a parameter that is not there or no amount, a zone that nobody knows. Gates that a TPM enforces are about grants, not about
/// what these are used for.
/// \return what `was_let_through` says; kConfigInvalid when the grant's gate is no gate any more, or so many
///         are closed that a tool's own could not be one more of store::kMostGates
[[nodiscard]] Result<std::vector<ClosedGate>> closed_gates(std::span<const Gate> gates,
                                                           const GatedAction& action, const GateClock& clock,
                                                           const WasLetThrough& was_let_through);

/// The gates that a TPM enforces and a grant of these scopes is behind: those of which a scope has anything in common with one of them.
[[nodiscard]] std::vector<const Gate*> gates_of_grant(std::span<const Gate> gates,
                                                      const std::vector<std::string>& scopes);

/// What a request keeps of a gate.
[[nodiscard]] store::GateTerms terms_of(const Gate& gate);

}  // namespace chancery::service
