#include <array>
#include <cmath>
#include <limits>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/aborts.hpp"
#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/presented_action.hpp"

// What the vectors cannot say: limits, signing modes of the options, totals of ancestors, checks not
// performed.

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using Names = std::vector<std::string_view>;

Verdict verify(const IssuedChain& chain, const VerifyOptions& options = {}) {
  return verify_chain(chain.views(), chain.trust(), kIssuedNow, options);
}

// A chain of three whose tokens all carry `max_subtree` on `calls`, at 10, 8 and 6.
IssuedChain budgeted_chain() {
  IssuedChain chain = issue_root([] {
    Claims claims = root_claims({});
    claims.authority.constraints = {{"calls", NumberBound{NumberBound::Type::kMaxSubtree, 10}}};
    return claims;
  }());
  for (const double bound : {8.0, 6.0}) {
    SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
    Claims claims = child_claims(chain.leaf(), holder.public_key());
    claims.authority.constraints = {{"calls", NumberBound{NumberBound::Type::kMaxSubtree, bound}}};
    chain.extend(claims, std::move(holder));
  }
  return chain;
}

HeldTotals held(double calls) {
  HeldTotals totals;
  totals.max_subtree["calls"] = calls;
  return totals;
}

struct Budget {
  const char* name;
  std::vector<HeldTotals> totals;  ///< leaf first
  int denied_at;                   ///< hop, or -1
};
std::ostream& operator<<(std::ostream& out, const Budget& row) { return out << row.name; }

const std::array kBudgets{
    Budget{"all at their bounds", {held(6), held(8), held(10)}, -1},
    Budget{"the leaf over", {held(7), held(8), held(10)}, 2},
    Budget{"its parent over", {held(6), held(9), held(10)}, 1},
    Budget{"the root over", {held(6), held(8), held(11)}, 0},
    Budget{"the leaf is looked at first", {held(7), held(9), held(11)}, 2},
    Budget{"only the leaf's are held", {held(6)}, -1},
    Budget{"none are held", {}, 2},
    Budget{"an ancestor's are held but lack the key", {held(6), HeldTotals{}}, 1},
    Budget{"more are given than there are tokens", {held(6), held(8), held(10), held(99)}, -1},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(verification)

BOOST_AUTO_TEST_CASE(a_valid_chain_tells_what_it_proves) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    for (std::size_t size = 1; size <= 6; ++size) {
      const IssuedChain chain = issue_chain(size, algorithm);
      const Verdict verdict = verify(chain);
      BOOST_REQUIRE(verdict.valid());
      BOOST_TEST((verdict.outcome() == Outcome::kValid));
      BOOST_TEST(verdict.chain().tokens().size() == size);
      BOOST_TEST(verdict.chain().root().compact() == chain.tokens.front());
      BOOST_TEST(verdict.chain().leaf().compact() == chain.tokens.back());
      BOOST_TEST(verdict.chain().principal() == "user:ana@example.net");
      BOOST_TEST(verdict.chain().max_depth() == 16);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_depth_that_is_left_is_the_smallest_along_the_chain) {
  IssuedChain chain = issue_chain(2);
  SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  Claims claims = child_claims(chain.leaf(), holder.public_key());
  claims.del_max_depth = 5;
  chain.extend(claims, std::move(holder));
  BOOST_TEST(verify(chain).chain().max_depth() == 5);
}

BOOST_AUTO_TEST_CASE(a_default_snapshot_trusts_nothing) {
  const IssuedChain chain = issue_chain(1);
  const Verdict verdict = verify_chain(chain.views(), TrustSnapshot(), kIssuedNow);
  BOOST_TEST((verdict.outcome() == Outcome::kSignatureInvalid));
  BOOST_TEST((verdict.denial().step == Step::kSignature));
}

BOOST_AUTO_TEST_CASE(limits_on_tokens_and_octets_are_exact) {
  const IssuedChain chain = issue_chain(3);
  const std::size_t size = chain.tokens[0].size() + chain.tokens[1].size() + chain.tokens[2].size();
  VerifyOptions options;
  options.max_tokens = 3;
  options.max_chain_bytes = size;
  BOOST_TEST(verify(chain, options).valid());
  options.max_tokens = 2;
  BOOST_TEST((verify(chain, options).outcome() == Outcome::kMalformed));
  BOOST_TEST(verify(chain, options).denial().hop == -1);
  options.max_tokens = 3;
  options.max_chain_bytes = size - 1;
  BOOST_TEST((verify(chain, options).outcome() == Outcome::kMalformed));
  BOOST_TEST((verify_chain({}, chain.trust(), kIssuedNow).outcome() == Outcome::kMalformed));
}

BOOST_AUTO_TEST_CASE(the_default_limit_is_sixteen_tokens) {
  IssuedChain chain = issue_chain(16, Algorithm::kEd25519);
  BOOST_TEST(verify(chain).valid());
  SigningKey holder = SigningKey::generate(Algorithm::kEd25519).value();
  const Claims claims = child_claims(chain.leaf(), holder.public_key());
  chain.extend(claims, std::move(holder));
  BOOST_TEST((verify(chain).outcome() == Outcome::kMalformed));
  VerifyOptions more;
  more.max_tokens = 17;
  BOOST_TEST((verify(chain, more).outcome() == Outcome::kDepthInvalid));
}

BOOST_AUTO_TEST_CASE(children_by_an_issuer_are_accepted_only_when_asked_for) {
  IssuedChain chain = issue_chain(1);
  const SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  chain.tokens.push_back(
      sign_token(child_claims(chain.leaf(), holder.public_key()), chain.keys.front(), false));
  BOOST_TEST((verify(chain).outcome() == Outcome::kSignatureInvalid));
  VerifyOptions options;
  options.issuer_signed = true;
  BOOST_TEST(verify(chain, options).valid());
  options.holder_signed = false;
  BOOST_TEST(verify(chain, options).valid());
  BOOST_TEST((verify(issue_chain(2), options).outcome() == Outcome::kSignatureInvalid));
}

BOOST_AUTO_TEST_CASE(what_was_not_checked_is_named) {
  const IssuedChain chain = issue_chain(2);
  BOOST_TEST(verify(chain).not_performed() == (Names{"holder_binding", "action", "custody"}),
             boost::test_tools::per_element());
  ActionRequest request = action_for(chain);
  BOOST_TEST(verify_action(chain, request).not_performed() == Names{"custody"},
             boost::test_tools::per_element());
  request.seen = nullptr;
  const Verdict without_replay = verify_action(chain, request);
  BOOST_TEST(without_replay.valid());
  BOOST_TEST(without_replay.not_performed() == (Names{"replay", "custody"}),
             boost::test_tools::per_element());
  // A denial names them as well: nobody may take it for more than it is.
  BOOST_TEST(verify_chain({}, chain.trust(), kIssuedNow).not_performed() ==
                 (Names{"holder_binding", "action", "custody"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_replay_test_is_asked_once_and_last) {
  const IssuedChain chain = issue_chain(2);
  ActionRequest request = action_for(chain);
  std::vector<std::string> asked;
  request.seen = [&](const Thumbprint& key, std::string_view jti) {
    BOOST_TEST((key == chain.leaf_key().public_key().thumbprint()));
    asked.emplace_back(jti);
    return asked.size() > 1;
  };
  BOOST_TEST(verify_action(chain, request).valid());
  BOOST_TEST((verify_action(chain, request).outcome() == Outcome::kHolderBindingFailed));
  BOOST_TEST(asked.size() == 2u);
  request.dpop->htm = "GET";
  BOOST_TEST((verify_action(chain, request).outcome() == Outcome::kHolderBindingFailed));
  BOOST_TEST(asked.size() == 2u);  // a proof that fails otherwise must not use its jti up
}

BOOST_AUTO_TEST_CASE(a_proof_that_we_make_is_one_that_we_accept) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const IssuedChain chain = issue_chain(3, algorithm);
    BOOST_TEST(verify_action(chain, action_for(chain)).valid());
  }
}

BOOST_DATA_TEST_CASE(totals_of_ancestors_count_as_the_leafs_do, data::make(kBudgets), row) {
  const IssuedChain chain = budgeted_chain();
  ActionRequest request = action_for(chain);
  request.totals = row.totals;
  const Verdict verdict = verify_action(chain, request);
  BOOST_REQUIRE(verdict.valid() == (row.denied_at < 0));
  if (verdict.valid()) return;
  BOOST_TEST((verdict.outcome() == Outcome::kCeilingExceeded));
  BOOST_TEST((verdict.denial().step == Step::kAction));
  BOOST_TEST(verdict.denial().hop == row.denied_at);
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_finite_is_within_no_bound) {
  using Type = NumberBound::Type;
  const std::array<ConstraintRule, 4> rules{NumberBound{Type::kMax, 500}, NumberBound{Type::kMin, -500},
                                            Membership{false, {"1"}}, Membership{true, {"1"}}};
  for (const ConstraintRule& rule : rules) {
    Claims claims = root_claims({});
    claims.authority.constraints = {{"amount", rule}};
    const IssuedChain chain = issue_root(claims);
    for (const double number : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -HUGE_VAL}) {
      ActionRequest request = action_for(chain);
      request.parameters.insert_or_assign("amount", ParameterValue::of(number));
      BOOST_TEST((verify_action(chain, request).outcome() == Outcome::kCeilingExceeded));
    }
  }
}

BOOST_AUTO_TEST_CASE(totals_of_ancestors_that_nobody_gave_are_named) {
  const IssuedChain chain = budgeted_chain();
  ActionRequest request = action_for(chain);
  request.totals = {held(6)};
  BOOST_TEST(verify_action(chain, request).not_performed() == (Names{"custody", "ancestor_totals"}),
             boost::test_tools::per_element());
  request.totals = {held(6), held(8), held(10)};
  BOOST_TEST(verify_action(chain, request).not_performed() == Names{"custody"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_verdict_has_one_side) {
  const IssuedChain chain = issue_chain(1);
  BOOST_TEST(aborts([&] { static_cast<void>(verify(chain).denial()); }));
  BOOST_TEST(aborts([&] { static_cast<void>(verify_chain({}, chain.trust(), kIssuedNow).chain()); }));
}

BOOST_AUTO_TEST_CASE(chains_divide_at_the_tilde) {
  const auto check = [](std::string_view text, const Names& want) {
    BOOST_TEST(split_chain(text) == want, boost::test_tools::per_element());
  };
  check("", {});
  check(" \t\r\n", {});
  check("a", {"a"});
  check(" a~b~c\n", {"a", "b", "c"});
  check("a~~b", {"a", "", "b"});
  check("~", {"", ""});
  check("a~", {"a", ""});
  check("a ~b", {"a ", "b"});
}

BOOST_AUTO_TEST_CASE(outcomes_and_steps_have_names) {
  for (auto outcome = Outcome::kValid; outcome <= Outcome::kCustodyUnproven;
       outcome = static_cast<Outcome>(static_cast<int>(outcome) + 1)) {
    BOOST_TEST(!outcome_name(outcome).empty());
  }
  BOOST_TEST(step_name(Step::kParse) == "parse");
  BOOST_TEST(step_name(Step::kSignature) == "1");
  BOOST_TEST(step_name(Step::kValidity) == "5");
  BOOST_TEST(step_name(Step::kCustody) == "custody");
  BOOST_TEST(step_name(Step::kHolderBinding) == "6");
  BOOST_TEST(step_name(Step::kAction) == "8");
  BOOST_TEST(step_title(Step::kNarrowing) == "narrowing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
