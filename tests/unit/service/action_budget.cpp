// Amounts, and which totals an action adds to.

#include "daemon/service/action_budget.hpp"

#include <array>
#include <limits>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/amounts.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::service {
namespace {

namespace data = boost::unit_test::data;
using store::TotalKind;
using tests::IssuedChain;
using tests::kIssuedNow;

constexpr store::Millionths kMost = std::numeric_limits<store::Millionths>::max();
constexpr store::Millionths kOne = 1'000'000;

struct AmountCase {
  double number;
  std::int64_t exact;  ///< -1: refused
  store::Millionths as_bound;
};
std::ostream& operator<<(std::ostream& out, const AmountCase& row) { return out << row.number; }

constexpr std::array kAmounts{
    AmountCase{0, 0, 0},
    AmountCase{-0.0, 0, 0},
    AmountCase{1, kOne, kOne},
    AmountCase{0.000001, 1, 1},
    AmountCase{0.1, 100'000, 100'000},
    AmountCase{0.3, 300'000, 300'000},  // 0.3 * 1e6 is less in binary
    AmountCase{1.1, 1'100'000, 1'100'000},
    AmountCase{123456.789012, 123456789012, 123456789012},
    AmountCase{0.0000009, -1, 0},
    AmountCase{1e-7, -1, 0},
    AmountCase{1.0000001, -1, kOne},
    AmountCase{-1, -1, -1},
    AmountCase{-0.0000001, -1, -1},
    AmountCase{9e12, 9'000'000'000'000'000'000, 9'000'000'000'000'000'000},
    AmountCase{1e13, -1, kMost},
    AmountCase{1e21, -1, kMost},
    AmountCase{1e300, -1, kMost},
    AmountCase{std::numeric_limits<double>::infinity(), -1, kMost},
    AmountCase{std::numeric_limits<double>::quiet_NaN(), -1, -1},
};

Constraint bound(const std::string& key, NumberBound::Type type, double value) {
  return {key, NumberBound{type, value}};
}
Constraint subtree(const std::string& key, double value) {
  return bound(key, NumberBound::Type::kMaxSubtree, value);
}
Constraint lifetime(const std::string& key, double value) {
  return bound(key, NumberBound::Type::kMaxLifetime, value);
}

/// What a token of a chain says besides what its parent did.
struct Hop {
  std::string client_id;
  std::vector<Constraint> constraints;
};

std::vector<std::shared_ptr<const Token>> chain_of(const std::vector<Hop>& hops,
                                                   std::int64_t max_depth = 16) {
  Claims root = tests::root_claims({});
  root.del_max_depth = max_depth;
  root.client_id = hops.front().client_id;
  root.authority.constraints = hops.front().constraints;
  IssuedChain chain = tests::issue_root(root);
  for (std::size_t i = 1; i < hops.size(); ++i) {
    SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
    Claims claims = tests::child_claims(chain.leaf(), holder.public_key());
    claims.client_id = hops[i].client_id;
    claims.authority.constraints = hops[i].constraints;
    chain.extend(claims, std::move(holder));
  }
  std::vector<std::shared_ptr<const Token>> tokens;
  for (const std::string& compact : chain.tokens) {
    tokens.push_back(std::make_shared<const Token>(Token::parse(compact).value()));
  }
  return tokens;
}

ActionRequest transfer(double amount) {
  ActionRequest request;
  request.scope = "ledger.transfer";
  request.parameters.emplace("amount", ParameterValue::of(amount));
  return request;
}

/// Whether the budget debits this total within this bound, and how many times.
std::size_t debits(const ActionBudget& budget, const Token& token, TotalKind kind, const std::string& key,
                   store::Millionths within) {
  return static_cast<std::size_t>(std::ranges::count_if(budget.debits, [&](const store::Debit& debit) {
    return debit.total == store::TotalName{token.digest(), kind, key} && debit.bound == within;
  }));
}

}  // namespace

BOOST_DATA_TEST_CASE(amounts_are_exact_decimals_of_six_places, data::make(kAmounts), row) {
  BOOST_TEST(exact_millionths(row.number).value_or(-1) == row.exact);
  BOOST_TEST(bound_millionths(row.number) == row.as_bound);
}

BOOST_AUTO_TEST_CASE(amounts_are_told_without_needless_digits) {
  BOOST_TEST(amount_text(0) == "0");
  BOOST_TEST(amount_text(1) == "0.000001");
  BOOST_TEST(amount_text(12'500'000) == "12.5");
  BOOST_TEST(amount_text(100'000'000) == "100");
}

BOOST_AUTO_TEST_CASE(subtrees_are_debited_up_to_the_root_and_lifetimes_where_the_action_is) {
  const std::vector<Constraint> both{lifetime("amount", 50), subtree("amount", 80)};
  const auto tokens = chain_of({{"a", both}, {"b", both}});
  const ActionBudget budget = budget_of(tokens, transfer(5), kIssuedNow);
  BOOST_TEST(budget.debits.size() == 3u);
  BOOST_TEST(debits(budget, *tokens[1], TotalKind::kLifetime, "amount", 50 * kOne) == 1u);
  BOOST_TEST(debits(budget, *tokens[1], TotalKind::kSubtree, "amount", 80 * kOne) == 1u);
  BOOST_TEST(debits(budget, *tokens[0], TotalKind::kSubtree, "amount", 80 * kOne) == 1u);
  for (const store::Debit& debit : budget.debits) BOOST_TEST(debit.amount == 5 * kOne);
  BOOST_REQUIRE(budget.totals.size() == 2u);
  BOOST_TEST(budget.totals[0].max_lifetime.at("amount") == 5);
  BOOST_TEST(budget.totals[1].max_lifetime.at("amount") == 0);
  BOOST_TEST(budget.totals[1].max_subtree.at("amount") == 5);
}

BOOST_AUTO_TEST_CASE(a_session_spends_as_its_parent_within_both_bounds) {
  const std::vector<Constraint> wide{lifetime("amount", 50), subtree("amount", 80)};
  const std::vector<Constraint> narrow{lifetime("amount", 20), subtree("amount", 80)};
  struct SessionCase {
    std::vector<Hop> hops;
    std::int64_t max_depth;
  };
  const std::array cases{
      SessionCase{{{"a", wide}, {"a", narrow}}, 16},  // to itself
      SessionCase{{{"a", wide}, {"b", narrow}}, 2}};  // in the place that is kept for sessions
  for (const SessionCase& c : cases) {
    const auto tokens = chain_of(c.hops, c.max_depth);
    const ActionBudget budget = budget_of(tokens, transfer(5), kIssuedNow);
    BOOST_TEST(budget.debits.size() == 2u);
    BOOST_TEST(debits(budget, *tokens[0], TotalKind::kLifetime, "amount", 20 * kOne) == 1u);
    BOOST_TEST(debits(budget, *tokens[0], TotalKind::kSubtree, "amount", 80 * kOne) == 1u);
    BOOST_TEST(budget.bounds[0].hop == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_child_of_another_agent_has_totals_of_its_own) {
  const std::vector<Constraint> both{lifetime("amount", 50), subtree("amount", 80)};
  const auto tokens = chain_of({{"a", both}, {"b", both}}, 3);
  BOOST_TEST(debits(budget_of(tokens, transfer(5), kIssuedNow), *tokens[1], TotalKind::kLifetime, "amount",
                    50 * kOne) == 1u);
}

BOOST_AUTO_TEST_CASE(rates_are_debited_up_to_the_root_in_the_window_of_now) {
  const Constraint rate{"calls", RateBound{3, RateBound::Per::kMinute}};
  const auto tokens = chain_of({{"a", {rate}}, {"b", {rate}}});
  const auto start = std::chrono::floor<std::chrono::minutes>(kIssuedNow);
  for (const std::chrono::seconds into : {std::chrono::seconds{0}, std::chrono::seconds{59}}) {
    const ActionBudget budget = budget_of(tokens, transfer(5), start + into);
    BOOST_TEST(budget.debits.size() == 2u);
    for (const store::Debit& debit : budget.debits) {
      BOOST_TEST((debit.total.kind == TotalKind::kRate));
      BOOST_TEST(debit.total.window == start.time_since_epoch().count() * 60);
      BOOST_TEST(debit.bound == 3 * kOne);
      BOOST_TEST((debit.expires_at == start + std::chrono::minutes(1)));
    }
    BOOST_TEST(budget.totals[1].max_rate.at("calls") == 1);
  }
  const ActionBudget next = budget_of(tokens, transfer(5), start + std::chrono::minutes(1));
  BOOST_TEST(next.debits[0].total.window == (start.time_since_epoch().count() + 1) * 60);
}

// An agent that delegates to itself again and again gets no fresh lifetime.
BOOST_AUTO_TEST_CASE(sessions_of_sessions_spend_as_the_agent) {
  const std::vector<Constraint> only{lifetime("amount", 50)};
  const auto tokens = chain_of({{"a", only}, {"a", only}, {"a", only}});
  const ActionBudget budget = budget_of(tokens, transfer(5), kIssuedNow);
  BOOST_TEST(budget.debits.size() == 1u);
  BOOST_TEST(debits(budget, *tokens[0], TotalKind::kLifetime, "amount", 50 * kOne) == 1u);
}

BOOST_AUTO_TEST_CASE(keys_out_of_reach_are_not_debited_and_calls_count_one) {
  const auto tokens = chain_of({{"a",
                                 {subtree("calls", 3), subtree("ledger.transfer#calls", 2),
                                  subtree("ledger.close#amount", 10), subtree("ledger.*#amount", 10)}}});
  ActionRequest request = transfer(4);
  request.parameters.emplace("calls", ParameterValue::of(0.0));
  const ActionBudget budget = budget_of(tokens, request, kIssuedNow);
  BOOST_TEST(budget.debits.size() == 3u);
  BOOST_TEST(debits(budget, *tokens[0], TotalKind::kSubtree, "calls", 3 * kOne) == 1u);
  for (const store::Debit& debit : budget.debits) {
    BOOST_TEST(debit.amount == (debit.parameter.empty() ? kOne : 4 * kOne));
  }
}

BOOST_AUTO_TEST_CASE(an_amount_that_cannot_be_summed_is_the_hops_fault_and_has_no_total) {
  const auto tokens = chain_of({{"a", {subtree("amount", 10)}}, {"b", {subtree("amount", 10)}}});
  ActionRequest request;
  request.scope = "ledger.transfer";
  const ActionBudget budget = budget_of(tokens, request, kIssuedNow);
  BOOST_REQUIRE(budget.fault.has_value());
  BOOST_TEST(budget.fault->hop == 1);
  BOOST_TEST(budget.debits.empty());
  BOOST_TEST(budget.totals[0].max_subtree.empty());
}

}  // namespace chancery::service
