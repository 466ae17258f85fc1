#include <array>

#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/random_authority.hpp"

namespace chancery::tests {
namespace {

constexpr std::uint64_t kFirstSeed = 20260401;

Outcome outcome(std::string_view text, const TrustSnapshot& trust, VerificationCache* cache = nullptr) {
  VerifyOptions options;
  options.cache = cache;
  return verify_chain(split_chain(text), trust, kIssuedNow, options).outcome();
}

std::string joined(const IssuedChain& chain) { return join_chain(chain.tokens); }

Algorithm random_algorithm(RandomSource& random) {
  return random.once_in(2) ? Algorithm::kES256 : Algorithm::kEd25519;
}

DelegationRequest random_request(RandomSource& random, const PublicKey& holder) {
  DelegationRequest request;
  request.client_id = "spiffe://example.net/agent/" + std::to_string(random.below(3));
  request.holder = holder.thumbprint();
  if (random.once_in(3)) request.audience = {"https://ledger.example.net", "https://other.example.net"};
  request.authority = random_authority(random);
  request.lifetime = std::chrono::seconds(1 + random.below(5000));
  request.jti = std::to_string(random.bits());
  return request;
}

// Delegates from the leaf to a new holder, if the request leaves anything.
bool delegate(IssuedChain& chain, RandomSource& random) {
  SigningKey holder = SigningKey::generate(random_algorithm(random)).value();
  const auto child = attenuate(chain.leaf(), 16, random_request(random, holder.public_key()), kIssuedNow);
  if (!child) return false;
  chain.extend(child->claims, std::move(holder));
  return true;
}

// A chain of up to six tokens. A root with wide scopes lets most requests through.
IssuedChain random_chain(RandomSource& random) {
  Claims root = root_claims({});
  root.authority = random_authority(random);
  root.authority.scopes = {"a.*", "b.*", "c1.*", "openid"};
  IssuedChain chain = issue_root(root, random_algorithm(random));
  const std::size_t wanted = 1 + random.below(6);
  for (int attempt = 0; attempt < 20 && chain.tokens.size() < wanted; ++attempt) delegate(chain, random);
  return chain;
}

// What a byte may become: near misses in base64url, the separators, and octets that have no place there.
std::vector<char> replacements(char original) {
  std::vector<char> out;
  for (const int candidate :
       {original ^ 1, original ^ 0x20, original + 1, int{'A'}, int{'.'}, int{'~'}, 0, 0xC3}) {
    if (static_cast<char>(candidate) != original) out.push_back(static_cast<char>(candidate));
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chain_properties)

BOOST_AUTO_TEST_CASE(what_was_delegated_always_verifies) {
  std::array<std::size_t, 7> by_length{};
  VerificationCache cache(64);
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 400; ++seed) {
    RandomSource random(seed);
    const IssuedChain chain = random_chain(random);
    const TrustSnapshot trust = chain.trust();
    ++by_length[chain.tokens.size()];
    BOOST_TEST_CONTEXT("seed " << seed << ", " << chain.tokens.size() << " tokens") {
      BOOST_TEST((outcome(joined(chain), trust) == Outcome::kValid));
      BOOST_TEST((outcome(joined(chain), trust, &cache) == Outcome::kValid));
      BOOST_TEST((outcome(joined(chain), trust, &cache) == Outcome::kValid));
    }
  }
  for (std::size_t length = 1; length <= 6; ++length) BOOST_TEST(by_length[length] > 10u, length);
}

BOOST_AUTO_TEST_CASE(a_chain_verifies_in_its_own_order_only) {
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 60; ++seed) {
    RandomSource random(seed);
    IssuedChain chain = random_chain(random);
    if (chain.tokens.size() < 2) continue;
    const TrustSnapshot trust = chain.trust();
    const std::size_t first = random.below(chain.tokens.size());
    const std::size_t second = random.below(chain.tokens.size());
    if (first == second) continue;
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::swap(chain.tokens[first], chain.tokens[second]);
      BOOST_TEST((outcome(joined(chain), trust) != Outcome::kValid));
      std::swap(chain.tokens[first], chain.tokens[second]);
      chain.tokens.insert(chain.tokens.begin() + static_cast<std::ptrdiff_t>(first), chain.tokens[second]);
      BOOST_TEST((outcome(joined(chain), trust) != Outcome::kValid));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_single_byte_of_a_valid_chain_can_be_changed) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const IssuedChain chain = issue_chain(2, algorithm);
    const TrustSnapshot trust = chain.trust();
    const std::string original = joined(chain);
    VerificationCache warm(16);
    BOOST_REQUIRE((outcome(original, trust, &warm) == Outcome::kValid));
    for (std::size_t at = 0; at < original.size(); ++at) {
      for (const char replacement : replacements(original[at])) {
        std::string changed = original;
        changed[at] = replacement;
        // With a warm cache too: a token that looks like a known one must not pass for it.
        if (outcome(changed, trust) == Outcome::kValid || outcome(changed, trust, &warm) == Outcome::kValid) {
          BOOST_ERROR("octet " << at << " of " << original.size() << " became " << int{replacement});
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(no_octet_of_a_valid_chain_can_be_left_out_or_doubled) {
  const IssuedChain chain = issue_chain(2, Algorithm::kEd25519);
  const TrustSnapshot trust = chain.trust();
  const std::string original = joined(chain);
  for (std::size_t at = 0; at < original.size(); ++at) {
    const std::string shorter = original.substr(0, at) + original.substr(at + 1);
    const std::string longer = original.substr(0, at) + original[at] + original.substr(at);
    if (outcome(shorter, trust) == Outcome::kValid) BOOST_ERROR("octet " << at << " left out");
    if (outcome(longer, trust) == Outcome::kValid) BOOST_ERROR("octet " << at << " doubled");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
