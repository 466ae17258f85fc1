#include "daemon/service/action_budget.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/service/amounts.hpp"
#include "sdk/verify/action.hpp"

namespace chancery::service {
namespace {

using store::Debit;
using store::Millionths;
using store::TotalKind;

constexpr std::string_view kCalls = "calls";
constexpr Millionths kOneCall = 1'000'000;
constexpr double kLatestExpiry = 1e12;  // far beyond any token's, and exact in every type

using Tokens = std::span<const std::shared_ptr<const Token>>;

/// What one action adds under a constraint's key.
struct Amount {
  Millionths millionths = 0;
  double number = 0;
  std::string parameter;  ///< empty for calls
};

std::string_view name_in(std::string_view key) {
  const auto qualified = qualified_key(key);
  return qualified ? qualified->name : key;
}

std::optional<Amount> amount_of(std::string_view key, const Parameters& parameters) {
  const std::string_view name = name_in(key);
  if (name == kCalls) return Amount{kOneCall, 1, {}};
  const auto parameter = parameters.find(name);
  if (parameter == parameters.end() || !parameter->second.number) return std::nullopt;
  const auto millionths = exact_millionths(*parameter->second.number);
  if (!millionths) return std::nullopt;
  return Amount{*millionths, *parameter->second.number, std::string(name)};
}

Denial deny(const BoundPlace& bound, const char* reason) {
  return {Outcome::kCeilingExceeded, Step::kAction, static_cast<int>(bound.hop), reason, {}, {}, {}};
}

Denial bad_amount(const BoundPlace& bound, const Parameters& parameters) {
  const std::string name(name_in(bound.constraint->key));
  const auto parameter = parameters.find(name);
  const bool is_there = parameter != parameters.end();
  Denial denial =
      deny(bound, is_there ? "an amount is negative, finer than six decimals, too large or no number"
                           : "the action lacks a parameter that the chain sums");
  denial.expected = name + ": a number that is not negative, with at most six decimals";
  denial.found = is_there ? name + " = " + parameter->second.jcs : "no " + name;
  denial.remedy = "give " + name + " in such a form";
  return denial;
}

std::int64_t max_depth_of(Tokens tokens) {
  std::int64_t depth = tokens.front()->claims().del_max_depth.value_or(0);
  for (const auto& token : tokens) depth = std::min(depth, token->claims().del_max_depth.value_or(depth));
  return depth;
}

// A child that its parent gave to itself, or in the place that the depth of a grant keeps for sessions.
bool is_session(Tokens tokens, std::size_t hop, std::int64_t max_depth) {
  if (hop == 0) return false;
  return tokens[hop]->claims().client_id == tokens[hop - 1]->claims().client_id ||
         static_cast<std::int64_t>(hop) == max_depth - 1;
}

// Which token's totals each token's actions count in.
std::vector<std::size_t> accounts_of(Tokens tokens) {
  const std::int64_t max_depth = max_depth_of(tokens);
  std::vector<std::size_t> accounts(tokens.size());
  for (std::size_t hop = 1; hop < tokens.size(); ++hop) {
    accounts[hop] = is_session(tokens, hop, max_depth) ? accounts[hop - 1] : hop;
  }
  return accounts;
}

std::chrono::sys_seconds expiry_of(const Token& token) {
  const double last = std::clamp(std::ceil(token.claims().exp), 0.0, kLatestExpiry);
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(last)));
}

/// A constraint that bounds a total.
struct TotalRule {
  TotalKind kind = TotalKind::kLifetime;
  double bound = 0;
  std::int64_t window = 0;                            ///< of a rate: when the window of now began
  std::optional<std::chrono::sys_seconds> ends_at{};  ///< of a rate: when it is over
};

std::chrono::seconds length_of(RateBound::Per per) {
  switch (per) {
    case RateBound::Per::kSecond:
      return std::chrono::seconds{1};
    case RateBound::Per::kMinute:
      return std::chrono::minutes{1};
    case RateBound::Per::kHour:
      return std::chrono::hours{1};
  }
  return std::chrono::hours{1};
}

TotalRule rate_rule(const RateBound& rate, std::chrono::sys_seconds now) {
  const std::chrono::seconds length = length_of(rate.per);
  const std::chrono::sys_seconds start = now - now.time_since_epoch() % length;
  return {TotalKind::kRate, rate.count, start.time_since_epoch().count(), start + length};
}

std::optional<TotalRule> total_rule(const Constraint& constraint, std::chrono::sys_seconds now) {
  if (const auto* rate = std::get_if<RateBound>(&constraint.rule)) return rate_rule(*rate, now);
  const auto* bound = std::get_if<NumberBound>(&constraint.rule);
  if (bound == nullptr) return std::nullopt;
  switch (bound->type) {
    case NumberBound::Type::kMaxLifetime:
      return TotalRule{TotalKind::kLifetime, bound->value};
    case NumberBound::Type::kMaxSubtree:
      return TotalRule{TotalKind::kSubtree, bound->value};
    case NumberBound::Type::kMax:
    case NumberBound::Type::kMin:
      return std::nullopt;
  }
  return std::nullopt;
}

auto& held_of(HeldTotals& held, TotalKind kind) {
  switch (kind) {
    case TotalKind::kLifetime:
      return held.max_lifetime;
    case TotalKind::kSubtree:
      return held.max_subtree;
    case TotalKind::kRate:
      break;
  }
  return held.max_rate;
}

/// Goes over a chain's constraints and adds up what they bound.
class BudgetReader {
 public:
  BudgetReader(Tokens tokens, const ActionRequest& request, std::chrono::sys_seconds now)
      : tokens_(tokens), request_(request), now_(now), accounts_(accounts_of(tokens)) {}

  ActionBudget read() {
    for (std::size_t hop = tokens_.size(); hop-- > 0;) {
      budget_.totals.emplace_back();
      for (const Constraint& constraint : tokens_[hop]->claims().authority.constraints) {
        const auto rule = total_rule(constraint, now_);
        if (rule && key_reaches(constraint.key, request_.scope)) add({hop, &constraint}, *rule);
      }
    }
    return std::move(budget_);
  }

 private:
  void add(const BoundPlace& bound, const TotalRule& rule) {
    const auto amount = amount_of(bound.constraint->key, request_.parameters);
    if (!amount) {
      if (!budget_.fault) budget_.fault = bad_amount(bound, request_.parameters);
      return;
    }
    const bool acts = accounts_[bound.hop] == accounts_.back();
    const bool counts = rule.kind != TotalKind::kLifetime || acts;
    held_of(budget_.totals.back(), rule.kind)[bound.constraint->key] = counts ? amount->number : 0;
    if (counts) add_debit(bound, rule, *amount);
  }

  void add_debit(const BoundPlace& place, const TotalRule& rule, const Amount& amount) {
    const Token& account = *tokens_[accounts_[place.hop]];
    const Millionths bound = bound_millionths(rule.bound);
    const store::TotalName total{account.digest(), rule.kind, place.constraint->key, rule.window};
    const auto known = std::ranges::find(budget_.debits, total, &Debit::total);
    if (known == budget_.debits.end()) {
      budget_.debits.push_back(
          {total, amount.millionths, bound, amount.parameter, rule.ends_at.value_or(expiry_of(account))});
      budget_.bounds.push_back(place);
    } else if (bound < known->bound) {
      known->bound = bound;
      budget_.bounds[static_cast<std::size_t>(known - budget_.debits.begin())] = place;
    }
  }

  const Tokens tokens_;
  const ActionRequest& request_;
  const std::chrono::sys_seconds now_;
  const std::vector<std::size_t> accounts_;
  ActionBudget budget_;
};

}  // namespace

std::optional<TotalBound> bound_of_total(const Constraint& constraint, std::chrono::sys_seconds now) {
  const auto rule = total_rule(constraint, now);
  if (!rule) return std::nullopt;
  return TotalBound{rule->kind, bound_millionths(rule->bound), rule->window, rule->ends_at};
}

ActionBudget budget_of(Tokens tokens, const ActionRequest& request, std::chrono::sys_seconds now) {
  return BudgetReader(tokens, request, now).read();
}

Denial over_bound(const BoundPlace& bound, Millionths total) {
  return over_total(*bound.constraint, bound.hop, amount_text(total));
}

}  // namespace chancery::service
