#include <map>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/ended_tokens.hpp>

#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/random_source.hpp"

// Tokens that a verifier knows to have ended: the set itself, and what verification makes of it.

namespace chancery::tests {
namespace {

using Change = EndedTokens::Change;

constexpr const char* kOwnLists = "https://issuer.example/v1/status-lists/";

Sha256Digest digest_of(std::size_t number) {
  Sha256Digest digest{};
  for (std::size_t i = 0; i < sizeof number; ++i) digest[i] = static_cast<std::uint8_t>(number >> 8 * i);
  return digest;
}

EndedTokens ended(const Token& token, std::optional<TokenEnd> end) {
  const Change change{token.digest(), end};
  return EndedTokens().with({&change, 1});
}

Claims root_with_status(const char* uri) {
  Claims claims = root_claims({});
  claims.has_status = true;
  claims.status = StatusReference{uri, 7};
  return claims;
}

// The trust of the chain's own issuer, which says of `prefix` that it knows all.
TrustSnapshot trust_of(const IssuedChain& chain, const char* prefix) {
  TrustConfig config;
  config.anchors.emplace_back().keys = {chain.keys.front().public_key()};
  config.anchors.back().known_status_prefix = prefix;
  return TrustSnapshot(std::move(config));
}

Outcome outcome(const IssuedChain& chain, const TrustSnapshot& trust) {
  return verify_chain(chain.views(), trust, kIssuedNow).outcome();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ended_tokens)

BOOST_AUTO_TEST_CASE(what_was_said_last_of_a_token_is_found) {
  RandomSource random(7);
  std::map<std::size_t, std::optional<TokenEnd>> wanted;
  EndedTokens tokens;
  std::vector<EndedTokens> former;  // shares with those that follow, and must not change with them
  for (int round = 0; round < 300; ++round) {
    std::vector<Change> changes;
    for (std::size_t i = 0; i < random.below(9); ++i) {
      const std::size_t number = random.below(200);
      const std::array<std::optional<TokenEnd>, 3> ends{TokenEnd::kRevoked, TokenEnd::kSuspended,
                                                        std::nullopt};
      wanted[number] = random.pick(ends);
      changes.push_back({digest_of(number), wanted[number]});
    }
    former.push_back(tokens);
    tokens = tokens.with(changes);
    for (const auto& [number, end] : wanted) {
      BOOST_REQUIRE_MESSAGE(tokens.find(digest_of(number)) == end, "round " << round << ", " << number);
    }
  }
  BOOST_TEST(!former.front().find(digest_of(wanted.begin()->first)));
  BOOST_TEST(!tokens.find(digest_of(1000)));
}

BOOST_AUTO_TEST_CASE(a_chain_is_denied_at_the_token_that_ended) {
  const IssuedChain chain = issue_chain(3);
  for (std::size_t hop = 0; hop < 3; ++hop) {
    const Token token = Token::parse(chain.tokens[hop]).value();
    for (const TokenEnd end : {TokenEnd::kRevoked, TokenEnd::kSuspended}) {
      const Verdict verdict = verify_chain(chain.views(), chain.trust().with(ended(token, end)), kIssuedNow);
      BOOST_TEST((verdict.outcome() == Outcome::kRevoked));
      BOOST_TEST(verdict.denial().hop == static_cast<int>(hop));
      BOOST_TEST((verdict.denial().step == Step::kStatus));
      const std::string reason = verdict.denial().reason;
      BOOST_TEST(reason == (end == TokenEnd::kRevoked ? "the token was revoked" : "the token is suspended"));
    }
    BOOST_TEST((outcome(chain, chain.trust().with(ended(token, std::nullopt))) == Outcome::kValid));
  }
}

BOOST_AUTO_TEST_CASE(an_end_is_known_of_chains_of_any_anchor) {
  const IssuedChain chain = issue_root(root_with_status("https://elsewhere.example/1"));
  const TrustSnapshot trust = trust_of(chain, kOwnLists).with(ended(chain.leaf(), TokenEnd::kRevoked));
  BOOST_TEST((outcome(chain, trust) == Outcome::kRevoked));
}

BOOST_AUTO_TEST_CASE(an_issuer_needs_no_list_for_what_it_knows) {
  const std::string uri = std::string(kOwnLists) + "1";
  const IssuedChain chain = issue_root(root_with_status(uri.c_str()));
  BOOST_TEST((outcome(chain, trust_of(chain, kOwnLists)) == Outcome::kValid));
  BOOST_TEST((outcome(chain, trust_of(chain, "")) == Outcome::kStatusUnknown));
  BOOST_TEST((outcome(chain, trust_of(chain, "https://elsewhere.example/")) == Outcome::kStatusUnknown));
}

BOOST_AUTO_TEST_CASE(another_anchors_chain_may_not_hide_behind_an_issuers_lists) {
  const std::string uri = std::string(kOwnLists) + "1";
  const IssuedChain own = issue_root(root_with_status(uri.c_str()));
  const IssuedChain foreign = issue_root(root_with_status(uri.c_str()));
  TrustConfig config;
  config.anchors.emplace_back().keys = {own.keys.front().public_key()};
  config.anchors.back().known_status_prefix = kOwnLists;
  config.anchors.emplace_back().keys = {foreign.keys.front().public_key()};
  const TrustSnapshot trust(std::move(config));
  BOOST_TEST((outcome(own, trust) == Outcome::kValid));
  BOOST_TEST((outcome(foreign, trust) == Outcome::kStatusUnknown));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
