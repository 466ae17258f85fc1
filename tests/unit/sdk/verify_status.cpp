#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/made_status_list.hpp"

// Which status lists count for which anchor's chains: what the vectors, whose anchors carry no restrictions,
// cannot say.

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

constexpr const char* kUri = "https://status.example.net/lists/1";

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

// A list at kUri of which entry 0 is valid and entry 1 revoked.
FetchedStatusList list_by(const SigningKey& key) {
  return {kUri, sign_status_list({.uri = kUri, .ttl = 60}, key), kIssuedNow};
}

IssuedChain chain_at(std::uint64_t index) {
  Claims claims = root_claims({});
  claims.has_status = true;
  claims.status = StatusReference{kUri, index};
  return issue_root(claims);
}

/// The keys of a case: the anchor's own, those for all anchors, another anchor's, and one that nobody
/// configured.
struct StatusKeys {
  SigningKey own = new_key();
  SigningKey shared = new_key();
  SigningKey other = new_key();
  SigningKey stranger = new_key();
};

struct Signed {
  const char* name;
  bool has_own;                    ///< the anchor names status keys of its own
  SigningKey StatusKeys::*signer;  ///< of the list
  Outcome outcome;
};
std::ostream& operator<<(std::ostream& out, const Signed& row) { return out << row.name; }

constexpr auto kUnknown = Outcome::kStatusUnknown;

const std::array kSigned{
    Signed{"its own key", true, &StatusKeys::own, Outcome::kValid},
    Signed{"the shared key, when it has its own", true, &StatusKeys::shared, kUnknown},
    Signed{"the shared key, when it has none", false, &StatusKeys::shared, Outcome::kValid},
    Signed{"another anchor's key, when it has its own", true, &StatusKeys::other, kUnknown},
    Signed{"another anchor's key, when it has none", false, &StatusKeys::other, kUnknown},
    Signed{"a stranger's key", true, &StatusKeys::stranger, kUnknown},
};

Outcome outcome_of(const IssuedChain& chain, TrustConfig trust, TrustAnchor anchor) {
  anchor.keys = {chain.keys.front().public_key()};
  trust.anchors.insert(trust.anchors.begin(), std::move(anchor));
  return verify_chain(chain.views(), TrustSnapshot(std::move(trust)), kIssuedNow).outcome();
}

struct Prefixed {
  const char* name;
  std::vector<std::string> prefixes;
  Outcome outcome;
};
std::ostream& operator<<(std::ostream& out, const Prefixed& row) { return out << row.name; }

const std::array kPrefixed{
    Prefixed{"none given", {}, Outcome::kValid},
    Prefixed{"the folder", {"https://status.example.net/lists/"}, Outcome::kValid},
    Prefixed{"the whole", {kUri}, Outcome::kValid},
    Prefixed{"another host", {"https://status.example.org/"}, kUnknown},
    Prefixed{"longer than the whole", {"https://status.example.net/lists/1/"}, kUnknown},
    Prefixed{"one of two", {"https://x.example.net/", "https://status.example.net/"}, Outcome::kValid},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(status_of_anchors)

BOOST_DATA_TEST_CASE(a_list_counts_for_chains_of_the_anchor_whose_key_signed_it, data::make(kSigned), row) {
  const StatusKeys keys;
  TrustConfig trust;
  trust.status_keys = {keys.shared.public_key()};
  trust.status_lists = {list_by(keys.*row.signer)};
  trust.anchors.emplace_back().keys = {new_key().public_key()};
  trust.anchors.back().status_keys = {keys.other.public_key()};
  TrustAnchor anchor;
  if (row.has_own) anchor.status_keys = {keys.own.public_key()};
  BOOST_TEST((outcome_of(chain_at(0), trust, anchor) == row.outcome));
  const Outcome revoked = row.outcome == Outcome::kValid ? Outcome::kRevoked : row.outcome;
  BOOST_TEST((outcome_of(chain_at(1), trust, anchor) == revoked));
}

BOOST_DATA_TEST_CASE(a_list_lies_where_the_anchor_allows, data::make(kPrefixed), row) {
  const SigningKey key = new_key();
  TrustConfig trust;
  trust.status_keys = {key.public_key()};
  trust.status_lists = {list_by(key)};
  TrustAnchor anchor;
  anchor.status_prefixes = row.prefixes;
  BOOST_TEST((outcome_of(chain_at(0), trust, anchor) == row.outcome));
}

BOOST_AUTO_TEST_CASE(of_two_lists_for_one_uri_an_unusable_one_does_not_hide_the_other) {
  const SigningKey key = new_key();
  const SigningKey stranger = new_key();
  TrustConfig trust;
  trust.status_keys = {key.public_key()};
  for (const bool good_first : {true, false}) {
    trust.status_lists = {list_by(good_first ? key : stranger), list_by(good_first ? stranger : key)};
    BOOST_TEST((outcome_of(chain_at(0), trust, {}) == Outcome::kValid));
    BOOST_TEST((outcome_of(chain_at(1), trust, {}) == Outcome::kRevoked));
  }
}

BOOST_AUTO_TEST_CASE(a_list_by_another_anchors_key_does_not_take_the_place_of_the_right_one) {
  const StatusKeys keys;
  for (const bool own_first : {true, false}) {
    TrustConfig trust;
    trust.status_lists = {list_by(own_first ? keys.own : keys.other),
                          list_by(own_first ? keys.other : keys.own)};
    trust.anchors.emplace_back().keys = {new_key().public_key()};
    trust.anchors.back().status_keys = {keys.other.public_key()};
    TrustAnchor anchor;
    anchor.status_keys = {keys.own.public_key()};
    BOOST_TEST((outcome_of(chain_at(0), trust, anchor) == Outcome::kValid));
    BOOST_TEST((outcome_of(chain_at(1), trust, anchor) == Outcome::kRevoked));
  }
}

BOOST_AUTO_TEST_CASE(of_lists_by_two_keys_of_an_anchor_the_one_that_was_fetched_last_counts) {
  const StatusKeys keys;
  TrustConfig trust;
  trust.status_lists = {list_by(keys.own), list_by(keys.other)};
  TrustAnchor anchor;
  anchor.status_keys = {keys.own.public_key(), keys.other.public_key()};
  trust.status_lists[0].fetched_at -= std::chrono::seconds(61);  // stale: beyond its `ttl`
  BOOST_TEST((outcome_of(chain_at(1), trust, anchor) == Outcome::kRevoked));
  std::swap(trust.status_lists[0].fetched_at, trust.status_lists[1].fetched_at);
  BOOST_TEST((outcome_of(chain_at(1), trust, anchor) == Outcome::kRevoked));
  trust.status_lists[0].fetched_at = trust.status_lists[1].fetched_at;
  BOOST_TEST((outcome_of(chain_at(1), trust, anchor) == kUnknown));
}

BOOST_AUTO_TEST_CASE(keys_of_its_own_that_are_unusable_are_not_replaced_by_the_shared_ones) {
  const SigningKey shared = new_key();
  TrustConfig trust;
  trust.status_keys = {shared.public_key()};
  trust.status_lists = {list_by(shared)};
  TrustAnchor anchor;
  anchor.status_keys = {PublicKey::p256({}, {})};
  BOOST_TEST((outcome_of(chain_at(0), trust, anchor) == kUnknown));
}

/// Two anchors that could root the chain, in order, and what becomes of it.
struct Doubled {
  const char* name;
  void (*shape)(TrustAnchor& first, TrustAnchor& second, const PublicKey& status_key);
  Outcome outcome;
};
std::ostream& operator<<(std::ostream& out, const Doubled& row) { return out << row.name; }

void say_status(TrustAnchor& anchor, const PublicKey& key) {
  anchor.status_prefixes = {"https://status.example.net/lists/"};
  anchor.status_keys = {key};
}

const std::array kDoubled{
    Doubled{"the first says it",
            [](TrustAnchor& first, TrustAnchor&, const PublicKey& key) { say_status(first, key); },
            Outcome::kRevoked},
    Doubled{"the second says it, the first nothing",
            [](TrustAnchor&, TrustAnchor& second, const PublicKey& key) { say_status(second, key); },
            Outcome::kRevoked},
    Doubled{"the second says it, the first something else",
            [](TrustAnchor& first, TrustAnchor& second, const PublicKey& key) {
              first.status_prefixes = {"https://elsewhere.example.net/"};
              say_status(second, key);
            },
            kUnknown},
    Doubled{"the second says it, of another principal",
            [](TrustAnchor&, TrustAnchor& second, const PublicKey& key) {
              second.sub = {"user:nobody@example.net"};
              say_status(second, key);
            },
            kUnknown},
    Doubled{"the second says it, of another key",
            [](TrustAnchor&, TrustAnchor& second, const PublicKey& key) {
              second.keys = {new_key().public_key()};
              say_status(second, key);
            },
            kUnknown},
    Doubled{"neither says it", [](TrustAnchor&, TrustAnchor&, const PublicKey&) {}, kUnknown},
    Doubled{"the first's ceiling counts, whoever says the status",
            [](TrustAnchor& first, TrustAnchor& second, const PublicKey& key) {
              first.ceiling = Authority::parse(R"({"scopes":["nothing.of.this"]})").value();
              say_status(second, key);
            },
            Outcome::kNotNarrower},
};

BOOST_DATA_TEST_CASE(an_anchor_that_is_silent_about_status_hides_none_that_is_not, data::make(kDoubled),
                     row) {
  const SigningKey key = new_key();
  const IssuedChain chain = chain_at(1);
  TrustConfig trust;
  trust.status_lists = {list_by(key)};
  trust.anchors.resize(2);
  for (TrustAnchor& anchor : trust.anchors) anchor.keys = {chain.keys.front().public_key()};
  row.shape(trust.anchors[0], trust.anchors[1], key.public_key());
  const TrustSnapshot ready(std::move(trust));
  BOOST_TEST((verify_chain(chain.views(), ready, kIssuedNow).outcome() == row.outcome));
}

BOOST_AUTO_TEST_CASE(lists_of_another_snapshot_count_for_the_anchors_whose_keys_signed_them) {
  const StatusKeys keys;
  const IssuedChain chain = chain_at(1);
  TrustConfig trust;
  trust.anchors.resize(1);
  trust.anchors[0].keys = {chain.keys.front().public_key()};
  trust.anchors[0].status_keys = {keys.own.public_key()};
  const TrustSnapshot bare(trust);
  const auto with_list_by = [&](const SigningKey& key) {
    TrustConfig other;
    other.status_keys = {key.public_key()};
    other.status_lists = {list_by(key)};
    const TrustSnapshot merged = bare.with_status_lists_of(TrustSnapshot(other));
    return verify_chain(chain.views(), merged, kIssuedNow).outcome();
  };
  BOOST_TEST((verify_chain(chain.views(), bare, kIssuedNow).outcome() == kUnknown));
  BOOST_TEST((with_list_by(keys.own) == Outcome::kRevoked));
  BOOST_TEST((with_list_by(keys.other) == kUnknown));
}

BOOST_AUTO_TEST_CASE(a_token_without_a_reference_needs_no_list) {
  BOOST_TEST((outcome_of(issue_chain(2), {}, {}) == Outcome::kValid));
  BOOST_TEST((outcome_of(chain_at(0), {}, {}) == kUnknown));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
