#include "daemon/service/gates.hpp"

#include <algorithm>
#include <array>

#include <chancery/bytes.hpp>

#include "daemon/service/amounts.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"

namespace chancery::service {
namespace {

constexpr std::array<std::string_view, 4> kWhenNames{"always", "above", "first_time", "outside_hours"};

// Why a gate is closed; nothing: it is open.
using Why = std::optional<std::string>;

// Whoever asks for all of `payments.*` asks for `payments.refund` too.
bool have_common(const std::string& one, std::string_view other) {
  return one == other || scope_covers(one, other) || scope_covers(other, one);
}

bool is_about(const Gate& gate, const GatedAction& action) {
  if (gate.tpm_enforced) return false;
  if (!action.grant_gate.empty() && gate.name == action.grant_gate) return true;
  if (!action.tool.empty() && std::ranges::find(gate.tools, action.tool) != gate.tools.end()) return true;
  return std::ranges::any_of(gate.scopes,
                             [&](const auto& scope) { return have_common(scope, action.scope); });
}

const ParameterValue* parameter_of(const Gate& gate, const GatedAction& action) {
  const auto found = action.parameters.find(gate.parameter);
  return found == action.parameters.end() || found->second.jcs.empty() ? nullptr : &found->second;
}

// What is no amount is not below any bound. Only a number of the action's is repeated: texts are an agent's.
Why why_above(const Gate& gate, const GatedAction& action) {
  const ParameterValue* const value = parameter_of(gate, action);
  const std::string bound = amount_text(gate.above);
  std::optional<store::Millionths> amount;
  if (value != nullptr && value->number) amount = exact_millionths(*value->number);
  if (!amount) return "`" + gate.parameter + "` is no amount that could be compared with " + bound;
  if (*amount <= gate.above) return std::nullopt;
  return "`" + gate.parameter + "` is " + amount_text(*amount) + ", which is more than " + bound;
}

// Parts are told apart by their lengths.
store::LetThrough let_through(const Gate& gate, const GatedAction& action, const ParameterValue& value) {
  std::string text = "chancery gate";
  for (const std::string_view part : {std::string_view(gate.name), std::string_view(gate.parameter),
                                      action.principal, std::string_view(value.jcs)})
    text.append("\n").append(std::to_string(part.size())).append(":").append(part);
  return {gate.name, hex_encode(sha256(as_bytes(text)))};
}

Why why_outside(const Gate& gate, const GateClock& clock) {
  const auto local =
      clock.zones == nullptr ? std::nullopt : clock.zones->local_time(gate.window.zone, clock.now);
  if (!local) return "the daemon does not know the local time of " + gate.window.zone;
  if (is_open(gate.window, *local)) return std::nullopt;
  return "it is outside of " + gate.hours;
}

/// Looks at one gate after the other.
struct Looking {
  const GatedAction& action;
  const GateClock& clock;
  const WasLetThrough& was_let_through;

  Result<std::optional<ClosedGate>> first_time(const Gate& gate) const {
    const ParameterValue* const value = parameter_of(gate, action);
    if (value == nullptr) return closed(gate, "there is no `" + gate.parameter + "`, which is looked at");
    store::LetThrough first = let_through(gate, action, *value);
    CHANCERY_ASSIGN(const bool is_known, was_let_through(first));
    if (is_known) return std::optional<ClosedGate>();
    return std::optional(
        ClosedGate{gate, "this `" + gate.parameter + "` is asked for the first time for this principal",
                   std::move(first)});
  }

  Result<std::optional<ClosedGate>> at(const Gate& gate) const {
    switch (gate.when) {
      case Gate::When::kAlways:
        return closed(gate, "it always takes an approval");
      case Gate::When::kAbove:
        return closed(gate, why_above(gate, action));
      case Gate::When::kFirstTime:
        return first_time(gate);
      case Gate::When::kOutsideHours:
        return closed(gate, why_outside(gate, clock));
    }
    return closed(gate, "it always takes an approval");
  }

  static std::optional<ClosedGate> closed(const Gate& gate, Why why) {
    if (!why) return std::nullopt;
    return ClosedGate{gate, *std::move(why)};
  }
};

}  // namespace

std::string_view gate_when_name(Gate::When when) noexcept {
  return kWhenNames[static_cast<std::size_t>(when)];
}

Gate gate_of_tool(std::string_view tool, const std::vector<std::string>& approvers,
                  std::chrono::seconds wait) {
  Gate gate;
  gate.name = "tool:" + std::string(tool);
  gate.tools.emplace_back(tool);
  gate.approvers = approvers;
  gate.wait = wait;
  return gate;
}

Result<std::vector<ClosedGate>> closed_gates(std::span<const Gate> gates, const GatedAction& action,
                                             const GateClock& clock, const WasLetThrough& was_let_through) {
  const bool names_none = action.grant_gate.empty() || std::ranges::any_of(gates, [&](const Gate& gate) {
                            return gate.name == action.grant_gate && !gate.tpm_enforced;
                          });
  // What the operator has put behind a gate does not pass since the gate is gone.
  if (!names_none)
    return Error{
        ErrorCode::kConfigInvalid,
        "the grant is behind a gate that the configuration does not have: put the [[gate]] back, or revoke the grant"};
  const Looking looking{action, clock, was_let_through};
  std::vector<ClosedGate> closed;
  for (const Gate& gate : gates) {
    if (!is_about(gate, action)) continue;
    CHANCERY_ASSIGN(std::optional<ClosedGate> found, looking.at(gate));
    if (found) closed.push_back(*std::move(found));
  }
  if (closed.size() < store::kMostGates) return closed;
  return Error{ErrorCode::kConfigInvalid,
               "more than 15 gates are closed for one action: put several [[gate]] sections into one"};
}

std::vector<const Gate*> gates_of_grant(std::span<const Gate> gates, const std::vector<std::string>& scopes) {
  std::vector<const Gate*> out;
  for (const Gate& gate : gates) {
    const bool is_about = std::ranges::any_of(gate.scopes, [&](const std::string& gated) {
      return std::ranges::any_of(scopes, [&](const std::string& scope) { return have_common(gated, scope); });
    });
    if (gate.tpm_enforced && is_about) out.push_back(&gate);
  }
  return out;
}

store::GateTerms terms_of(const Gate& gate) {
  return {gate.name, gate.approvers, gate.quorum, gate.separation, gate.tpm_enforced};
}

}  // namespace chancery::service
