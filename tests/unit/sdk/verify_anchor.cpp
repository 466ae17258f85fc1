#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/issued_chain.hpp"

// What an anchor may say (decision D48): `iss`, patterns of `sub` and `client_id`, a ceiling.

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

Authority authority(std::string_view json) { return Authority::parse(json).value(); }

struct Limited {
  const char* name;
  void (*limit)(TrustAnchor&);
  Outcome outcome = Outcome::kValid;
};
std::ostream& operator<<(std::ostream& out, const Limited& row) { return out << row.name; }

constexpr auto kForbidden = Outcome::kSignatureInvalid;
constexpr auto kWider = Outcome::kNotNarrower;

// The chain says: iss https://as.example.net, sub user:ana@example.net, client_id
// spiffe://example.net/agent/0, scopes ledger.* and docs.export, amount at most 500.
const std::array kLimits{
    Limited{"nothing given", [](TrustAnchor&) {}},
    Limited{"its iss", [](TrustAnchor& a) { a.iss = "https://as.example.net"; }},
    Limited{"another iss", [](TrustAnchor& a) { a.iss = "https://as.example.org"; }, kForbidden},
    Limited{"an iss with a star is no pattern", [](TrustAnchor& a) { a.iss = "https://as.*"; }, kForbidden},
    Limited{"the empty iss", [](TrustAnchor& a) { a.iss = ""; }, kForbidden},
    Limited{"its sub", [](TrustAnchor& a) { a.sub = {"user:ana@example.net"}; }},
    Limited{"a prefix of its sub without a star", [](TrustAnchor& a) { a.sub = {"user:"}; }, kForbidden},
    Limited{"a prefix of its sub", [](TrustAnchor& a) { a.sub = {"user:*"}; }},
    Limited{"its sub and a star", [](TrustAnchor& a) { a.sub = {"user:ana@example.net*"}; }},
    Limited{"any sub", [](TrustAnchor& a) { a.sub = {"*"}; }},
    Limited{"a star inside is no wildcard", [](TrustAnchor& a) { a.sub = {"user:*@example.net"}; },
            kForbidden},
    Limited{"one sub of two",
            [](TrustAnchor& a) {
              a.sub = {"user:bob@example.net", "user:ana*"};
            }},
    Limited{"no sub of two",
            [](TrustAnchor& a) {
              a.sub = {"user:bob*", "group:*"};
            },
            kForbidden},
    Limited{"its client_id", [](TrustAnchor& a) { a.client_id = {"spiffe://example.net/agent/0"}; }},
    Limited{"a prefix of its client_id", [](TrustAnchor& a) { a.client_id = {"spiffe://example.net/*"}; }},
    Limited{"another client_id", [](TrustAnchor& a) { a.client_id = {"spiffe://example.org/*"}; },
            kForbidden},
    Limited{"a ceiling of the same",
            [](TrustAnchor& a) {
              a.ceiling = authority(
                  R"({"scopes":["ledger.*","docs.export"],"constraints":[{"key":"amount","max":500}]})");
            }},
    Limited{"a higher ceiling",
            [](TrustAnchor& a) { a.ceiling = authority(R"({"scopes":["ledger.*","docs.*","hr.*"]})"); }},
    Limited{"a ceiling that lacks a scope",
            [](TrustAnchor& a) { a.ceiling = authority(R"({"scopes":["ledger.*"]})"); }, kWider},
    Limited{"a lower bound",
            [](TrustAnchor& a) {
              a.ceiling =
                  authority(R"({"scopes":["ledger.*","docs.*"],"constraints":[{"key":"amount","max":499}]})");
            },
            kWider},
    Limited{"a bound that the root lacks",
            [](TrustAnchor& a) {
              a.ceiling = authority(
                  R"({"scopes":["ledger.*","docs.*"],"constraints":[{"key":"region","one_of":["eu"]}]})");
            },
            kWider},
    Limited{"an empty ceiling", [](TrustAnchor& a) { a.ceiling = Authority{}; }, kWider},
};

TrustAnchor anchor_for(const IssuedChain& chain) {
  TrustAnchor anchor;
  anchor.keys = {chain.keys.front().public_key()};
  return anchor;
}

Verdict verify(const IssuedChain& chain, std::vector<TrustAnchor> anchors) {
  TrustConfig trust;
  trust.anchors = std::move(anchors);
  return verify_chain(chain.views(), TrustSnapshot(std::move(trust)), kIssuedNow);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(anchors)

BOOST_DATA_TEST_CASE(a_root_says_what_its_anchor_may_say, data::make(kLimits), row) {
  const IssuedChain chain = issue_chain(2);
  TrustAnchor anchor = anchor_for(chain);
  row.limit(anchor);
  const Verdict verdict = verify(chain, {anchor});
  BOOST_REQUIRE((verdict.outcome() == row.outcome));
  if (verdict.valid()) return;
  BOOST_TEST(verdict.denial().hop == 0);
  BOOST_TEST((verdict.denial().step == (row.outcome == kWider ? Step::kNarrowing : Step::kSignature)));
}

BOOST_AUTO_TEST_CASE(of_anchors_that_share_a_key_the_one_that_may_speak_counts) {
  const IssuedChain chain = issue_chain(2);
  TrustAnchor other_issuer = anchor_for(chain);
  other_issuer.iss = "https://other.example.net";
  TrustAnchor right = anchor_for(chain);
  right.iss = "https://as.example.net";
  BOOST_TEST(verify(chain, {other_issuer, right}).valid());
  BOOST_TEST(verify(chain, {right, other_issuer}).valid());
  BOOST_TEST((verify(chain, {other_issuer, other_issuer}).outcome() == kForbidden));
}

BOOST_AUTO_TEST_CASE(of_anchors_that_share_a_key_only_one_ceiling_counts) {
  const IssuedChain chain = issue_chain(1);
  TrustAnchor low = anchor_for(chain);
  low.iss = "https://other.example.net";
  low.ceiling = Authority{};
  BOOST_TEST(verify(chain, {low, anchor_for(chain)}).valid());
  low.iss.reset();
  BOOST_TEST((verify(chain, {low, anchor_for(chain)}).outcome() == kWider));  // the first that may speak
}

BOOST_AUTO_TEST_CASE(a_key_of_another_anchor_does_not_lend_its_rights) {
  const IssuedChain chain = issue_chain(1);
  const IssuedChain stranger = issue_chain(1);
  TrustAnchor limited = anchor_for(chain);
  limited.sub = {"user:bob@example.net"};
  BOOST_TEST((verify(chain, {limited, anchor_for(stranger)}).outcome() == kForbidden));
  BOOST_TEST((verify(chain, {anchor_for(stranger)}).outcome() == kForbidden));
}

BOOST_AUTO_TEST_CASE(an_anchor_has_as_many_keys_as_it_likes) {
  const IssuedChain chain = issue_chain(1);
  TrustAnchor anchor = anchor_for(issue_chain(1, Algorithm::kEd25519));
  anchor.keys.push_back(issue_chain(1).keys.front().public_key());
  anchor.keys.push_back(chain.keys.front().public_key());
  BOOST_TEST(verify(chain, {anchor}).valid());
}

BOOST_AUTO_TEST_CASE(a_key_off_its_curve_is_left_out) {
  const IssuedChain chain = issue_chain(1);
  TrustAnchor anchor = anchor_for(chain);
  anchor.keys.insert(anchor.keys.begin(), PublicKey::p256({}, {}));
  BOOST_TEST(verify(chain, {anchor}).valid());
}

BOOST_AUTO_TEST_CASE(issuers_and_holders_sign_no_root) {
  const IssuedChain chain = issue_chain(1);
  TrustConfig trust;
  trust.issuers = {chain.keys.front().public_key()};
  VerifyOptions options;
  options.issuer_signed = true;
  BOOST_TEST(
      (verify_chain(chain.views(), TrustSnapshot(trust), kIssuedNow, options).outcome() == kForbidden));
}

BOOST_AUTO_TEST_CASE(an_anchor_signs_children_without_jwk_only_where_it_may_speak) {
  IssuedChain chain = issue_chain(1);
  const SigningKey partner = SigningKey::generate(Algorithm::kES256).value();
  const std::string child = sign_token(child_claims(chain.leaf(), partner.public_key()), partner, false);
  const std::array<std::string_view, 2> tokens{chain.tokens[0], child};
  const auto outcome_with = [&](const TrustAnchor& other) {
    TrustConfig trust;
    trust.anchors = {anchor_for(chain), other};
    trust.anchors.back().keys = {partner.public_key()};
    VerifyOptions options;
    options.issuer_signed = true;
    return verify_chain(tokens, TrustSnapshot(trust), kIssuedNow, options).outcome();
  };
  TrustAnchor anchor;
  BOOST_TEST((outcome_with(anchor) == Outcome::kValid));
  anchor.sub = {"user:somebody-else@example.org"};
  BOOST_TEST((outcome_with(anchor) == kForbidden));
  anchor.sub = {"user:*"};
  anchor.ceiling = Authority::parse(R"({"scopes":["nothing.of.this"],"constraints":[]})").value();
  BOOST_TEST((outcome_with(anchor) == kForbidden));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
