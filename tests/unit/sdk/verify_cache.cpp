#include <thread>

#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

std::shared_ptr<const Token> parsed(const std::string& compact) {
  return std::make_shared<const Token>(Token::parse(compact).value());
}

Outcome outcome(const IssuedChain& chain, const TrustSnapshot& trust, VerificationCache* cache) {
  VerifyOptions options;
  options.cache = cache;
  return verify_chain(chain.views(), trust, kIssuedNow, options).outcome();
}

// Tokens of one payload under changing `jti`, with a signature of no meaning: for the cache alone.
std::vector<std::string> distinct_tokens(std::size_t count) {
  std::vector<std::string> tokens;
  Claims claims = root_claims({});
  for (std::size_t i = 0; i < count; ++i) {
    claims.jti = std::to_string(i);
    Signature signature{};
    signature[62] = static_cast<std::uint8_t>(i >> 8);  // in the tail, by which the cache places a token
    signature[63] = static_cast<std::uint8_t>(i);
    tokens.push_back(UnsignedToken::encode(claims, PublicKey::ed25519({}), false).with(signature));
  }
  return tokens;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verification_cache)

BOOST_AUTO_TEST_CASE(a_token_is_found_by_all_its_octets) {
  VerificationCache cache(8);
  const IssuedChain chain = issue_chain(1);
  const Thumbprint key = chain.keys.front().public_key().thumbprint();
  BOOST_TEST(!cache.find(chain.tokens[0]).has_value());
  cache.remember(parsed(chain.tokens[0]), key);
  BOOST_REQUIRE(cache.find(chain.tokens[0]).has_value());
  BOOST_TEST((cache.find(chain.tokens[0])->verified_under == key));
  // The tail, by which a token is placed, is the same; the first octet is not.
  std::string other = chain.tokens[0];
  other[0] = other[0] == 'e' ? 'f' : 'e';
  BOOST_TEST(!cache.find(other).has_value());
  BOOST_TEST(!cache.find("").has_value());
  BOOST_TEST(!cache.find(chain.tokens[0].substr(1)).has_value());
}

BOOST_AUTO_TEST_CASE(a_hit_under_another_key_proves_nothing) {
  const IssuedChain chain = issue_chain(2);
  VerificationCache cache(8);
  BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kValid));
  BOOST_TEST((outcome(chain, issue_chain(1).trust(), &cache) == Outcome::kSignatureInvalid));
  BOOST_TEST((outcome(chain, TrustSnapshot(), &cache) == Outcome::kSignatureInvalid));
  BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(a_hit_counts_whichever_anchor_comes_first) {
  const IssuedChain chain = issue_chain(2);
  TrustConfig both;
  both.anchors.resize(2);
  both.anchors[0].keys = {issue_chain(1).keys.front().public_key()};
  both.anchors[1].keys = {chain.keys.front().public_key()};
  VerificationCache cache(8);
  for (int pass = 0; pass < 2; ++pass) {
    BOOST_TEST((outcome(chain, TrustSnapshot(both), &cache) == Outcome::kValid));
    std::swap(both.anchors[0], both.anchors[1]);
  }
}

BOOST_AUTO_TEST_CASE(what_did_not_verify_is_not_remembered) {
  IssuedChain chain = issue_chain(2);
  char& last = chain.tokens[1][chain.tokens[1].size() - 10];
  last = last == 'A' ? 'B' : 'A';
  VerificationCache cache(8);
  for (int pass = 0; pass < 2; ++pass) {
    BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kSignatureInvalid));
    BOOST_TEST(!cache.find(chain.tokens[1]).has_value());
    BOOST_TEST(cache.find(chain.tokens[0]).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_hit_skips_the_signature_and_nothing_else) {
  const IssuedChain chain = issue_chain(2);
  VerificationCache cache(8);
  BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kValid));
  VerifyOptions options;
  options.cache = &cache;
  const auto late = kIssuedNow + std::chrono::hours(2);
  BOOST_TEST((verify_chain(chain.views(), chain.trust(), late, options).outcome() == Outcome::kExpired));
  options.accept_es256 = false;
  BOOST_TEST((verify_chain(chain.views(), chain.trust(), kIssuedNow, options).outcome() ==
              Outcome::kSignatureInvalid));
  options.accept_es256 = true;
  options.holder_signed = false;
  BOOST_TEST((verify_chain(chain.views(), chain.trust(), kIssuedNow, options).outcome() ==
              Outcome::kSignatureInvalid));
  // The child without its parent, and the root in the child's place.
  IssuedChain cut = chain;
  cut.tokens.erase(cut.tokens.begin());
  BOOST_TEST((outcome(cut, chain.trust(), &cache) == Outcome::kMalformed));
  IssuedChain twice = chain;
  twice.tokens[1] = twice.tokens[0];
  BOOST_TEST((outcome(twice, chain.trust(), &cache) == Outcome::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_holders_token_is_no_proof_under_another_holder) {
  const IssuedChain chain = issue_chain(2);
  VerificationCache cache(8);
  BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kValid));
  // The same child under a root that names another holder: it must fail at the signature, cached or not.
  IssuedChain spliced = chain;
  Claims claims = root_claims(SigningKey::generate(Algorithm::kES256).value().public_key());
  spliced.tokens[0] = sign_token(claims, chain.keys.front(), false);
  BOOST_TEST((outcome(spliced, chain.trust(), &cache) == Outcome::kSignatureInvalid));
  BOOST_TEST((outcome(spliced, chain.trust(), nullptr) == Outcome::kSignatureInvalid));
}

BOOST_AUTO_TEST_CASE(it_keeps_no_more_than_its_capacity) {
  const auto tokens = distinct_tokens(300);
  for (const std::size_t capacity :
       {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{64}}) {
    VerificationCache cache(capacity);
    for (const std::string& token : tokens) cache.remember(parsed(token), {});
    std::size_t kept = 0;
    for (const std::string& token : tokens) kept += cache.find(token).has_value();
    const std::size_t bound = std::max<std::size_t>((capacity + 3) / 4 * 4, 4);
    BOOST_TEST(kept <= bound, kept << " kept of " << capacity);
    BOOST_TEST(kept > bound / 2);
    BOOST_TEST(cache.find(tokens.back()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(remembering_again_takes_no_second_place) {
  const auto tokens = distinct_tokens(4);
  VerificationCache cache(4);
  Thumbprint other;
  other.octets.fill(9);
  for (const std::string& token : tokens) cache.remember(parsed(token), {});
  for (int i = 0; i < 10; ++i) cache.remember(parsed(tokens[0]), other);
  for (const std::string& token : tokens) BOOST_TEST(cache.find(token).has_value());
  BOOST_TEST((cache.find(tokens[0])->verified_under == other));
}

BOOST_AUTO_TEST_CASE(four_threads_that_share_it_get_the_right_answers) {
  const IssuedChain good = issue_chain(3, Algorithm::kEd25519);
  const IssuedChain second = issue_chain(2, Algorithm::kEd25519);
  const TrustSnapshot trust = good.trust();
  VerificationCache cache(4);  // one set: all threads meet there
  std::array<int, 4> wrong{};
  {
    std::array<std::jthread, 4> threads;
    for (std::size_t i = 0; i < threads.size(); ++i) {
      threads[i] = std::jthread([&, i] {
        for (int round = 0; round < 200; ++round) {
          wrong[i] += outcome(good, trust, &cache) != Outcome::kValid;
          wrong[i] += outcome(second, trust, &cache) != Outcome::kSignatureInvalid;
          wrong[i] += outcome(second, second.trust(), &cache) != Outcome::kValid;
        }
      });
    }
  }
  BOOST_TEST(wrong == (std::array<int, 4>{}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_long_token_is_verified_but_not_kept) {
  Claims claims = root_claims({});
  claims.jti.assign(8192, 'j');
  const IssuedChain chain = issue_root(claims);
  VerificationCache cache(8);
  BOOST_TEST((outcome(chain, chain.trust(), &cache) == Outcome::kValid));
  BOOST_TEST(!cache.find(chain.tokens[0]).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
