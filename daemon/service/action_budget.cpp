#include "daemon/service/action_budget.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/service/amounts.hpp"
#include "sdk/token/authority_json.hpp"

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

std::optional<TotalKind> total_kind(const Constraint& constraint) {
  const auto* bound = std::get_if<NumberBound>(&constraint.rule);
  if (bound == nullptr) return std::nullopt;
  switch (bound->type) {
    case NumberBound::Type::kMaxLifetime:
      return TotalKind::kLifetime;
    case NumberBound::Type::kMaxSubtree:
      return TotalKind::kSubtree;
    case NumberBound::Type::kMax:
    case NumberBound::Type::kMin:
      return std::nullopt;
  }
  return std::nullopt;
}

auto& held_of(HeldTotals& held, TotalKind kind) {
  return kind == TotalKind::kLifetime ? held.max_lifetime : held.max_subtree;
}

/// Goes over a chain's constraints and adds up what they bound.
class BudgetReader {
 public:
  BudgetReader(Tokens tokens, const ActionRequest& request)
      : tokens_(tokens), request_(request), accounts_(accounts_of(tokens)) {}

  ActionBudget read() {
    for (std::size_t hop = tokens_.size(); hop-- > 0;) {
      budget_.totals.emplace_back();
      for (const Constraint& constraint : tokens_[hop]->claims().authority.constraints) {
        const auto kind = total_kind(constraint);
        if (kind && key_reaches(constraint.key, request_.scope)) add({hop, &constraint}, *kind);
      }
    }
    return std::move(budget_);
  }

 private:
  void add(const BoundPlace& bound, TotalKind kind) {
    const auto amount = amount_of(bound.constraint->key, request_.parameters);
    if (!amount) {
      if (!budget_.fault) budget_.fault = bad_amount(bound, request_.parameters);
      return;
    }
    const bool acts = accounts_[bound.hop] == accounts_.back();
    const bool counts = kind != TotalKind::kLifetime || acts;
    held_of(budget_.totals.back(), kind)[bound.constraint->key] = counts ? amount->number : 0;
    if (counts) add_debit(bound, kind, *amount);
  }

  void add_debit(const BoundPlace& place, TotalKind kind, const Amount& amount) {
    const Token& account = *tokens_[accounts_[place.hop]];
    const Millionths bound = bound_millionths(std::get<NumberBound>(place.constraint->rule).value);
    const store::TotalName total{account.digest(), kind, place.constraint->key};
    const auto known = std::ranges::find(budget_.debits, total, &Debit::total);
    if (known == budget_.debits.end()) {
      budget_.debits.push_back({total, amount.millionths, bound, amount.parameter, expiry_of(account)});
      budget_.bounds.push_back(place);
    } else if (bound < known->bound) {
      known->bound = bound;
      budget_.bounds[static_cast<std::size_t>(known - budget_.debits.begin())] = place;
    }
  }

  const Tokens tokens_;
  const ActionRequest& request_;
  const std::vector<std::size_t> accounts_;
  ActionBudget budget_;
};

}  // namespace

ActionBudget budget_of(Tokens tokens, const ActionRequest& request) {
  return BudgetReader(tokens, request).read();
}

Denial over_bound(const BoundPlace& bound, Millionths total) {
  const Constraint& constraint = *bound.constraint;
  Denial denial = deny(bound, "a running total is over its bound");
  denial.expected = constraint.key + " " + std::string(constraint.type()) + " " + rule_jcs(constraint);
  denial.found = "a total of " + amount_text(total);
  denial.remedy = "ask for less, or for a new grant";
  return denial;
}

}  // namespace chancery::service
