#include "sdk/verify/action.hpp"

#include <algorithm>
#include <cmath>

#include "sdk/base/printable.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/token/extension_rules.hpp"

namespace chancery {
namespace {

using Check = std::optional<Denial>;

Denial deny(Outcome outcome, std::size_t hop, const char* reason) {
  return Denial{outcome, Step::kAction, static_cast<int>(hop), reason, {}, {}, {}};
}

Check check_audience(const ActionRequest& request, std::span<const std::shared_ptr<const Token>> tokens) {
  for (std::size_t hop = 0; hop < tokens.size(); ++hop) {
    const auto& aud = tokens[hop]->claims().aud;
    if (std::ranges::find(aud, request.audience) != aud.end()) continue;
    Denial denial =
        deny(Outcome::kAudienceMismatch, hop, "the token is not meant for this enforcement point");
    denial.expected = request.audience;
    denial.found = joined(aud);
    denial.remedy = "present the chain where every token names the audience, or have it granted for this one";
    return denial;
  }
  return std::nullopt;
}

Check check_scope(const ActionRequest& request, const Authority& authority, std::size_t hop) {
  const bool granted =
      classify_scope(request.scope) && std::ranges::any_of(authority.scopes, [&](const std::string& scope) {
        return scope_covers(scope, request.scope);
      });
  if (granted) return std::nullopt;
  Denial denial = deny(Outcome::kScopeNotGranted, hop, "the action's scope is covered by none of the leaf's");
  denial.expected = joined(authority.scopes);
  denial.found = request.scope;
  denial.remedy = "ask the delegator for a scope that covers the action";
  return denial;
}

std::string number_text(double number) {
  return std::isfinite(number) ? json::to_jcs(json::Node(number)) : "no finite number";
}

bool is_number_within(const NumberBound& bound, double value) {
  return bound.type == NumberBound::Type::kMin ? value >= bound.value : value <= bound.value;
}

using Totals = std::map<std::string, double, std::less<>>;

/// A bound on something that a ledger holds, and the ledger's totals of that type.
struct TotalBound {
  double value;
  const Totals& totals;
};

// Nothing for a constraint of another type.
std::optional<TotalBound> total_bound(const Constraint& constraint, const HeldTotals& held) {
  if (const auto* rate = std::get_if<RateBound>(&constraint.rule))
    return TotalBound{rate->count, held.max_rate};
  const auto* bound = std::get_if<NumberBound>(&constraint.rule);
  if (bound == nullptr) return std::nullopt;
  switch (bound->type) {
    case NumberBound::Type::kMaxLifetime:
      return TotalBound{bound->value, held.max_lifetime};
    case NumberBound::Type::kMaxSubtree:
      return TotalBound{bound->value, held.max_subtree};
    case NumberBound::Type::kMax:
    case NumberBound::Type::kMin:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_total(const Constraint& constraint) { return total_bound(constraint, HeldTotals{}).has_value(); }

// Whether a parameter's value is within a rule that speaks of one.
bool is_value_within(const ConstraintRule& rule, const ParameterValue& value) {
  if (value.jcs.empty()) return false;  // not even outside of `not_one_of`
  if (const auto* bound = std::get_if<NumberBound>(&rule))
    return value.number && is_number_within(*bound, *value.number);
  if (const auto* membership = std::get_if<Membership>(&rule)) {
    const bool member = std::ranges::find(membership->values, value.jcs) != membership->values.end();
    return member != membership->negated;
  }
  if (const auto* prefix = std::get_if<Prefix>(&rule))
    return value.text && value.text->starts_with(prefix->value);
  const auto& rank = std::get<Rank>(rule);
  const auto place = value.text ? std::ranges::find(rank.order, *value.text) : rank.order.end();
  return place != rank.order.end() && place <= std::ranges::find(rank.order, rank.value);
}

Denial exceeded(const Constraint& constraint, std::size_t hop, const char* reason) {
  Denial denial = deny(Outcome::kCeilingExceeded, hop, reason);
  denial.expected = constraint.key + " " + std::string(constraint.type()) + " " + rule_jcs(constraint);
  return denial;
}

Check check_parameter(const ActionRequest& request, const Constraint& constraint, std::size_t hop) {
  const auto qualified = qualified_key(constraint.key);
  const std::string_view name = qualified ? qualified->name : std::string_view(constraint.key);
  const auto value = request.parameters.find(name);
  if (value == request.parameters.end()) {
    Denial denial = exceeded(constraint, hop, "the action lacks a parameter that the chain bounds");
    denial.found = "no " + std::string(name);
    denial.remedy = "say " + std::string(name) + " in the request";
    return denial;
  }
  if (is_value_within(constraint.rule, value->second)) return std::nullopt;
  Denial denial = exceeded(constraint, hop, "a parameter of the action is outside its bound");
  denial.found =
      std::string(name) + " = " + (value->second.jcs.empty() ? "no finite number" : value->second.jcs);
  denial.remedy = "stay within " + denial.expected;
  return denial;
}

/// The instant to judge for, and what makes local time of it.
struct ZonedClock {
  std::chrono::sys_seconds now;
  const TimeZones* zones;
};

// "thu 2026-10-22 09:05"
std::string local_text(std::chrono::local_seconds local) {
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const auto since_1970 = static_cast<double>(local.time_since_epoch().count());
  return std::string(kDayNames[std::chrono::weekday(midnight).iso_encoding() - 1]) + " " +
         utc_text(since_1970).substr(0, 10) + " " +
         clock_text(std::chrono::floor<std::chrono::minutes>(local - midnight));
}

Check check_window(const TimeWindow& window, const Constraint& constraint, std::size_t hop,
                   const ZonedClock& clock) {
  const auto local = clock.zones == nullptr ? std::nullopt : clock.zones->local_time(window.zone, clock.now);
  if (!local) {
    Denial denial =
        exceeded(constraint, hop, "this verifier does not know the local time that bounds the action");
    denial.found = "no rules for " + window.zone + " at " +
                   utc_text(static_cast<double>(clock.now.time_since_epoch().count()));
    denial.remedy = "give the verifier the rules of the zone (tzdata), or have a zone named that it knows";
    return denial;
  }
  if (is_open(window, *local)) return std::nullopt;
  Denial denial = exceeded(constraint, hop, "the action is outside of the times at which it is allowed");
  denial.found = local_text(*local) + " in " + window.zone;
  denial.remedy = "wait until the window opens, or obtain a grant for this time";
  return denial;
}

// Totals of one token; those of ancestors count as well as the leaf's own.
Check check_totals(const ActionRequest& request, const Token& token, std::size_t hop,
                   const HeldTotals& held) {
  for (const Constraint& constraint : token.claims().authority.constraints) {
    const auto bound = total_bound(constraint, held);
    if (!bound || !key_reaches(constraint.key, request.scope)) continue;
    const auto total = bound->totals.find(constraint.key);
    if (total != bound->totals.end()) {
      if (total->second <= bound->value) continue;
      return over_total(constraint, hop, number_text(total->second));
    }
    Denial denial = exceeded(constraint, hop, "a total is bounded that nobody here holds");
    denial.found = "no total";
    denial.remedy = "ask an enforcement point that holds the ledger";
    return denial;
  }
  return std::nullopt;
}

Check check_all_totals(const ActionRequest& request, std::span<const std::shared_ptr<const Token>> tokens) {
  const HeldTotals none;
  const std::size_t checked = std::clamp<std::size_t>(request.totals.size(), 1, tokens.size());
  for (std::size_t up = 0; up < checked; ++up) {
    const std::size_t hop = tokens.size() - 1 - up;
    const HeldTotals& held = up < request.totals.size() ? request.totals[up] : none;
    if (Check denial = check_totals(request, *tokens[hop], hop, held)) return denial;
  }
  return std::nullopt;
}

// With qualified keys in play, a parameter that is itself called `SCOPE#NAME` could pass for a bounded one.
Check check_parameter_names(const ActionRequest& request, const Authority& authority, std::size_t hop) {
  const bool qualified = std::ranges::any_of(authority.constraints, [](const Constraint& constraint) {
    return qualified_key(constraint.key).has_value();
  });
  if (!qualified) return std::nullopt;
  const bool ambiguous = std::ranges::any_of(request.parameters, [](const auto& parameter) {
    return parameter.first.find('#') != std::string::npos;
  });
  if (!ambiguous) return std::nullopt;
  Denial denial = deny(Outcome::kCeilingExceeded, hop,
                       "a parameter's name contains `#`, which this chain uses to divide keys");
  denial.expected = "names without `#`";
  denial.remedy = "name parameters without `#`";
  return denial;
}

Check check_known_constraints(const ActionRequest& request, const Authority& authority, std::size_t hop,
                              const ZonedClock& clock) {
  if (Check denial = check_parameter_names(request, authority, hop)) return denial;
  for (const Constraint& constraint : authority.constraints) {
    const bool unknown = std::holds_alternative<UnknownRule>(constraint.rule);
    if (unknown || is_total(constraint) || !key_reaches(constraint.key, request.scope)) continue;
    const auto* window = std::get_if<TimeWindow>(&constraint.rule);
    Check denial = window == nullptr ? check_parameter(request, constraint, hop)
                                     : check_window(*window, constraint, hop, clock);
    if (denial) return denial;
  }
  return std::nullopt;
}

Check check_unknown_constraints(const Authority& authority, std::size_t hop) {
  for (const Constraint& constraint : authority.constraints) {
    if (!std::holds_alternative<UnknownRule>(constraint.rule)) continue;
    Denial denial =
        deny(Outcome::kUnknownConstraint, hop, "a constraint is of a type that this verifier does not know");
    denial.expected = "a type of docs/protocol/delegation-chain.md";
    denial.found = constraint.key + " " + std::string(constraint.type());
    denial.remedy = "use a verifier that knows the type, or a grant without it";
    return denial;
  }
  return std::nullopt;
}

}  // namespace

ParameterValue ParameterValue::of(double number) {
  // The empty form is no JSON value's.
  if (!std::isfinite(number)) return {};
  return {json::to_jcs(json::Node(number)), number, std::nullopt};
}

ParameterValue ParameterValue::of(std::string_view text) {
  return {json::to_jcs(json::Node(text)), std::nullopt, std::string(text)};
}

Result<Parameters> parse_parameters(std::string_view json) {
  // A parameter is the caller's own number, not a token's: beyond 2^53 it is judged, not refused.
  CHANCERY_ASSIGN(const json::Document document,
                  json::Document::parse_borrowed(json, {.allow_unsafe_integers = true}));
  if (!document.root().is(json::Value::Kind::kObject)) {
    return Error{ErrorCode::kMalformed, "an action's parameters are a JSON object"};
  }
  Parameters parameters;
  for (const json::Member& member : document.root().members()) {
    ParameterValue value{json::to_jcs(member.value), member.value.number(), std::nullopt};
    if (const auto text = member.value.string()) value.text = std::string(*text);
    parameters.emplace(member.name, std::move(value));
  }
  return parameters;
}

std::optional<Denial> check_action(const ActionRequest& request,
                                   std::span<const std::shared_ptr<const Token>> tokens,
                                   std::chrono::sys_seconds now, const TimeZones* zones) {
  const std::size_t leaf = tokens.size() - 1;
  const Authority& authority = tokens[leaf]->claims().authority;
  if (Check denial = check_audience(request, tokens)) return denial;
  if (Check denial = check_scope(request, authority, leaf)) return denial;
  if (Check denial = check_known_constraints(request, authority, leaf, {now, zones})) return denial;
  if (Check denial = check_all_totals(request, tokens)) return denial;
  return check_unknown_constraints(authority, leaf);
}

bool is_open(const TimeWindow& window, std::chrono::local_seconds local) {
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const unsigned day = std::chrono::weekday(midnight).iso_encoding() - 1;
  return (window.days >> day & 1u) != 0 && local - midnight >= window.from && local - midnight < window.to;
}

Denial over_total(const Constraint& constraint, std::size_t hop, const std::string& total) {
  Denial denial = exceeded(constraint, hop, "a running total is over its bound");
  denial.found = "a total of " + total;
  denial.remedy = std::holds_alternative<RateBound>(constraint.rule)
                      ? "wait until the next second, minute or hour begins"
                      : "ask for less, or for a new grant";
  return denial;
}

bool lacks_ancestor_totals(const ActionRequest& request,
                           std::span<const std::shared_ptr<const Token>> tokens) {
  const std::size_t checked = std::clamp<std::size_t>(request.totals.size(), 1, tokens.size());
  return std::ranges::any_of(tokens.first(tokens.size() - checked), [&](const auto& token) {
    return std::ranges::any_of(token->claims().authority.constraints, [&](const Constraint& constraint) {
      return is_total(constraint) && key_reaches(constraint.key, request.scope);
    });
  });
}

}  // namespace chancery
