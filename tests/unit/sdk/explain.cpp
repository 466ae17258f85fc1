#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

using State = HopExplanation::State;

Explanation told(const IssuedChain& chain, std::chrono::sys_seconds now = kIssuedNow) {
  return explain(chain.views(), chain.trust(), now);
}

std::vector<State> states(const Explanation& explanation) {
  std::vector<State> out;
  for (const HopExplanation& hop : explanation.hops) out.push_back(hop.state);
  return out;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Nothing that a terminal would obey: line ends are the only control characters, and there are no C1
// controls, overrides of direction or broken UTF-8.
bool is_harmless(const std::string& text) {
  for (const std::string_view hazard :
       {"\xC2\x9B", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8F", "\xE2\x80\xA8"}) {
    if (contains(text, hazard)) return false;
  }
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20 && c != '\n') || c == 0x7F; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(explanations)

BOOST_AUTO_TEST_CASE(who_gave_what_to_whom_with_which_key_until_when) {
  const IssuedChain chain = issue_chain(3);
  const Explanation explanation = told(chain);
  BOOST_REQUIRE(explanation.hops.size() == 3u);
  BOOST_TEST((states(explanation) == std::vector<State>(3, State::kPassed)));
  const HopExplanation& root = explanation.hops[0];
  BOOST_TEST(root.giver == "https://as.example.net");
  BOOST_TEST(root.receiver == "spiffe://example.net/agent/0");
  BOOST_TEST(root.principal == "user:ana@example.net");
  BOOST_TEST(root.signed_with == "trust anchor " + chain.keys[0].public_key().thumbprint().text());
  BOOST_TEST(root.holder == chain.keys[1].public_key().thumbprint().text());
  BOOST_TEST(root.scopes == "ledger.*, docs.export");
  BOOST_TEST(root.constraints == (std::vector<std::string>{"amount max 500"}),
             boost::test_tools::per_element());
  BOOST_TEST(root.audience == "https://ledger.example.net");
  BOOST_TEST(root.valid_from == "2027-01-15T08:00:00Z");
  BOOST_TEST(root.valid_until == "2027-01-15T09:00:00Z");
  const HopExplanation& leaf = explanation.hops[2];
  BOOST_TEST(leaf.giver == "spiffe://example.net/agent/1");
  BOOST_TEST(leaf.receiver == "spiffe://example.net/agent/2");
  BOOST_TEST(leaf.signed_with == "its giver's holder key " + chain.keys[2].public_key().thumbprint().text());
  const std::string text = explanation.text();
  BOOST_TEST(contains(text, "A chain of 3 tokens for user:ana@example.net: VALID"));
  BOOST_TEST(contains(text, "Not checked: holder_binding, action, custody."));
  BOOST_TEST(contains(text, "as the giver calls it"));
}

BOOST_AUTO_TEST_CASE(the_failing_token_is_marked_and_the_remedy_told) {
  IssuedChain chain = issue_chain(2);
  SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  Claims wider = child_claims(chain.leaf(), holder.public_key());
  wider.authority.scopes = {"hr.read"};
  chain.extend(wider, std::move(holder));
  SigningKey last = SigningKey::generate(Algorithm::kES256).value();
  const Claims claims = child_claims(chain.leaf(), last.public_key());
  chain.extend(claims, std::move(last));
  const Explanation explanation = told(chain);
  BOOST_TEST((states(explanation) ==
              std::vector<State>{State::kPassed, State::kPassed, State::kFailed, State::kNotReached}));
  const std::string text = explanation.text();
  BOOST_TEST(contains(text, "DENIED, not_narrower, at step 4, narrowing, token 2"));
  BOOST_TEST(contains(text, "hr.read"));
  BOOST_TEST(contains(text, "What would help: drop the scope hr.read."));
}

BOOST_AUTO_TEST_CASE(a_token_that_cannot_be_read_is_told_as_such) {
  IssuedChain chain = issue_chain(3);
  chain.tokens[1] = "nonsense";
  const Explanation explanation = told(chain);
  BOOST_TEST((states(explanation) == std::vector<State>{State::kRead, State::kUnreadable}));
  BOOST_TEST(contains(explanation.text(), "A chain of 3 tokens"));
  BOOST_TEST(contains(explanation.text(), "read, not verified"));
  BOOST_TEST(contains(explanation.text(), "a token that cannot be read"));
  BOOST_TEST(explanation.hops[0].signed_with == "nothing that could be verified");
}

BOOST_AUTO_TEST_CASE(an_empty_and_an_overlong_chain_are_told_too) {
  const IssuedChain chain = issue_chain(2);
  BOOST_TEST(contains(explain({}, chain.trust(), kIssuedNow).text(), "DENIED, malformed, at form"));
  VerifyOptions options;
  options.max_tokens = 1;
  const Explanation explanation = explain(chain.views(), chain.trust(), kIssuedNow, options);
  BOOST_TEST(contains(explanation.text(), "more tokens than this verifier accepts"));
  BOOST_TEST(contains(explanation.text(), "A chain of 2 tokens"));
  BOOST_TEST(explanation.hops.empty());
}

BOOST_AUTO_TEST_CASE(an_expired_chain_says_when_and_what_would_help) {
  const std::string text = told(issue_chain(1), kIssuedNow + std::chrono::seconds(3601)).text();
  BOOST_TEST(contains(text, "Why: the token has expired."));
  BOOST_TEST(contains(text, "1800003601"));
  BOOST_TEST(contains(text, "What would help: obtain a new token"));
}

BOOST_AUTO_TEST_CASE(hostile_claims_cannot_speak_to_the_terminal) {
  const std::string evil =
      "\x1B]0;owned\x07\r\n\x7F\xC2\x9B"
      "31m\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\xA8\xE2\x80\x8F\\";
  Claims claims = root_claims({});
  claims.iss = claims.sub = claims.client_id = evil;
  claims.jti = evil;
  claims.aud = {evil, evil};
  claims.authority.constraints = {{evil, Prefix{evil}},
                                  {evil, Membership{false, {"\"\xC2\x9B\xE2\x80\xAE\""}}},
                                  {"k", UnknownRule{evil, "\"\xC2\x9B\""}}};
  IssuedChain chain = issue_root(claims);
  SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  Claims child = child_claims(chain.leaf(), holder.public_key());
  child.client_id = evil;
  chain.extend(child, std::move(holder));
  BOOST_TEST(told(chain).verdict.valid());
  BOOST_TEST(is_harmless(told(chain).text()));
  // The same, denied at each step that quotes the chain.
  IssuedChain other_principal = issue_root(claims);
  SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  Claims altered = child_claims(other_principal.leaf(), key.public_key());
  altered.sub = evil + "x";
  altered.par_hash = child_claims(other_principal.leaf(), key.public_key()).par_hash;
  other_principal.extend(altered, key);
  BOOST_TEST((told(other_principal).verdict.outcome() == Outcome::kPrincipalAltered));
  BOOST_TEST(is_harmless(told(other_principal).text()));
  IssuedChain unlinked = issue_root(claims);
  altered.sub = evil;
  altered.par_hash = evil;
  unlinked.extend(altered, key);
  BOOST_TEST((told(unlinked).verdict.outcome() == Outcome::kParHashMismatch));
  BOOST_TEST(is_harmless(told(unlinked).text()));
  IssuedChain wider = issue_root(claims);
  altered = child_claims(wider.leaf(), key.public_key());
  altered.authority.constraints[0].rule = Prefix{"\x1B"};
  wider.extend(altered, key);
  BOOST_TEST((told(wider).verdict.outcome() == Outcome::kNotNarrower));
  BOOST_TEST(is_harmless(told(wider).text()));
}

BOOST_AUTO_TEST_CASE(a_hostile_action_cannot_speak_to_the_terminal_either) {
  const IssuedChain chain = issue_chain(1);
  ActionRequest request;
  request.audience = "\x1B[2J";
  request.dpop = DpopPresentation{"\x1B.\x1B.\x1B", "\x1B", "\x1B", std::nullopt};
  VerifyOptions options;
  options.request = &request;
  BOOST_TEST(is_harmless(explain(chain.views(), chain.trust(), kIssuedNow, options).text()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
