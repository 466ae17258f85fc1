#include "daemon/setup/gates.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/config/values.hpp"
#include "daemon/service/authority.hpp"

namespace chancery::setup {
namespace {

constexpr std::array<std::string_view, 3> kSeparations{store::kSeparateNobody, store::kSeparatePrincipal,
                                                       store::kSeparateRequester};

// Of a decimal as config::decimal_text() writes it.
store::Millionths millionths_of(std::string_view decimal) {
  constexpr std::size_t kPlaces = 6;
  const std::size_t dot = std::min(decimal.find('.'), decimal.size());
  std::string digits(decimal.substr(0, dot));
  const std::string_view places = decimal.substr(std::min(dot + 1, decimal.size()));
  digits.append(places).append(kPlaces - std::min(places.size(), kPlaces), '0');
  store::Millionths out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

TimeWindow window_of(const std::string& hours) {
  const auto local = config::parse_hours(hours);
  if (!local) return {};
  return {local->days, local->from, local->to, local->zone};
}

service::Gate gate_of(const config::GateConfig& configured) {
  service::Gate gate;
  gate.name = configured.name;
  gate.scopes = configured.scopes;
  gate.tools = configured.tools;
  gate.when = static_cast<service::Gate::When>(configured.when);
  gate.parameter = configured.parameter;
  gate.above = millionths_of(configured.above);
  gate.window = window_of(configured.hours);
  gate.hours = configured.hours;
  gate.approvers = configured.approvers;
  gate.quorum = static_cast<std::uint32_t>(configured.quorum);
  gate.separation = kSeparations[static_cast<std::size_t>(configured.separation)];
  gate.wait = configured.wait;
  gate.lifetime = configured.lifetime;
  gate.tpm_enforced = configured.enforcement == config::GateEnforcement::kTpm;
  return gate;
}

// The daemon's own interface asks no gate: whoever has authority over it is bounded by that.
bool is_over_daemon(const std::string& scope) { return scope.starts_with(service::kControlPlane); }

// A ceiling lists what may be granted: it cannot say "payments.* but for payments.refund".
Status check_ceiling(const service::Gate& gate, const std::vector<std::string>& granted) {
  if (granted.empty())
    return Error{
        ErrorCode::kConfigInvalid,
        "[grants] scopes is required with enforcement = \"tpm\" of a [[gate]]: list all scopes that may be granted"};
  for (const std::string& scope : granted) {
    const bool is_wider = std::ranges::any_of(gate.scopes, [&](const std::string& gated) {
      return scope_covers(scope, gated) && !scope_covers(gated, scope);
    });
    if (is_wider)
      return Error{
          ErrorCode::kConfigInvalid,
          "a scope of [grants] is wider than one behind a [[gate]] with enforcement = \"tpm\": list what is behind the gate, "
          "and what is not, one by one"};
  }
  return {};
}

}  // namespace

Result<std::vector<service::Gate>> gates(const std::vector<config::GateConfig>& configured,
                                         const std::vector<std::string>& granted) {
  std::vector<service::Gate> out;
  for (const config::GateConfig& gate : configured) {
    if (!std::ranges::all_of(gate.scopes,
                             [](const auto& scope) { return classify_scope(scope).has_value(); }))
      return Error{ErrorCode::kConfigInvalid,
                   "[[gate]] scopes must be scopes, such as payments.refund or payments.*"};
    if (std::ranges::any_of(gate.scopes, is_over_daemon))
      return Error{
          ErrorCode::kConfigInvalid,
          "[[gate]] scopes must not be of chancery.*: no gate is asked about authority over the daemon, "
          "so that it would hold nothing back; delegate less of it instead"};
    out.push_back(gate_of(gate));
    if (out.back().tpm_enforced) CHANCERY_TRY(check_ceiling(out.back(), granted));
  }
  return out;
}

}  // namespace chancery::setup
