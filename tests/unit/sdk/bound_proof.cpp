#include <array>
#include <cmath>
#include <limits>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/sdk/presented_action.hpp"

// Proofs as they are made, and proofs that name the one action that they are good for (`ada`).

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

std::string digest_of(std::string_view scope, std::string_view params) {
  return action_digest(scope, parse_parameters(params).value()).value();
}

struct Binding {
  const char* name;
  std::optional<std::string> ada;  ///< of the proof; the action is ledger.pay with {"amount":100}
  bool required;
  bool accepted;
};
std::ostream& operator<<(std::ostream& out, const Binding& row) { return out << row.name; }

const std::array kBindings{
    Binding{"none, none demanded", std::nullopt, false, true},
    Binding{"none, though demanded", std::nullopt, true, false},
    Binding{"this action, none demanded", digest_of("ledger.pay", R"({"amount":100})"), false, true},
    Binding{"this action, demanded", digest_of("ledger.pay", R"({"amount":100})"), true, true},
    Binding{"another spelling of it", digest_of("ledger.pay", R"({ "amount": 1e2 })"), true, true},
    Binding{"another amount", digest_of("ledger.pay", R"({"amount":101})"), false, false},
    Binding{"a text for a number", digest_of("ledger.pay", R"({"amount":"100"})"), false, false},
    Binding{"one parameter more", digest_of("ledger.pay", R"({"amount":100,"to":"x"})"), false, false},
    Binding{"no parameters", digest_of("ledger.pay", "{}"), false, false},
    Binding{"another scope", digest_of("ledger.read", R"({"amount":100})"), false, false},
    Binding{"something else of its length", base64url_encode(sha256({})), false, false},
};

struct BadClaims {
  const char* name;
  ProofClaims claims;
};
std::ostream& operator<<(std::ostream& out, const BadClaims& row) { return out << row.name; }

const std::array kBadClaims{
    BadClaims{"no method", {"", kActionUri, "1"}},
    BadClaims{"a method with a space", {"PO ST", kActionUri, "1"}},
    BadClaims{"a relative URI", {"POST", "/rows", "1"}},
    BadClaims{"a URI of another scheme", {"POST", "ftp://ledger.example.net/rows", "1"}},
    BadClaims{"no jti", {"POST", kActionUri, ""}},
    BadClaims{"an ada that is too short", {"POST", kActionUri, "1", std::nullopt, "AAAA"}},
    BadClaims{"an ada that is no base64url", {"POST", kActionUri, "1", std::nullopt, std::string(43, '=')}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(bound_proofs)

BOOST_DATA_TEST_CASE(a_proof_that_names_an_action_is_good_for_no_other, data::make(kBindings), row) {
  const IssuedChain chain = issue_chain(2);
  ActionRequest request = action_for(chain);
  request.dpop->proof = sign_proof(chain, {"POST", kActionUri, "1", std::nullopt, row.ada});
  request.ada_required = row.required;
  const Verdict verdict = verify_action(chain, request);
  BOOST_REQUIRE(verdict.valid() == row.accepted);
  if (row.accepted) return;
  BOOST_TEST((verdict.outcome() == Outcome::kHolderBindingFailed));
  BOOST_TEST(verdict.denial().expected == digest_of("ledger.pay", R"({"amount":100})"));
  BOOST_TEST(verdict.denial().found == row.ada.value_or("none"));
}

BOOST_AUTO_TEST_CASE(a_proof_for_another_action_is_not_remembered_as_seen) {
  const IssuedChain chain = issue_chain(1);
  ActionRequest request = action_for(chain);
  request.dpop->proof =
      sign_proof(chain, {"POST", kActionUri, "1", std::nullopt, digest_of("ledger.read", "{}")});
  bool asked = false;
  request.seen = [&](const Thumbprint&, std::string_view) { return asked = true; };
  BOOST_TEST(!verify_action(chain, request).valid());
  BOOST_TEST(!asked);
}

BOOST_AUTO_TEST_CASE(an_action_without_canonical_form_matches_no_ada) {
  const IssuedChain chain = issue_chain(1);
  ActionRequest request = action_for(chain);
  request.parameters["amount"] = ParameterValue::of(std::numeric_limits<double>::infinity());
  request.dpop->proof = sign_proof(
      chain, {"POST", kActionUri, "1", std::nullopt, digest_of("ledger.pay", R"({"amount":100})")});
  BOOST_TEST((verify_action(chain, request).outcome() == Outcome::kHolderBindingFailed));
  BOOST_TEST((action_digest("ledger.pay", request.parameters).error().code == ErrorCode::kNonFinite));
}

BOOST_AUTO_TEST_CASE(the_digest_is_that_of_the_canonical_action) {
  const std::string jcs = R"({"params":{"a":[1,"x"],"b":null},"scope":"ledger.pay"})";
  BOOST_TEST(digest_of("ledger.pay", R"({ "b": null, "a": [1.0, "x"] })") ==
             base64url_encode(sha256(as_bytes(jcs))));
}

BOOST_DATA_TEST_CASE(claims_that_no_server_would_accept_make_no_proof, data::make(kBadClaims), row) {
  const IssuedChain chain = issue_chain(1);
  const auto proof =
      UnsignedProof::encode(row.claims, chain.tokens.back(), chain.leaf_key().public_key(), kIssuedNow);
  BOOST_REQUIRE(!proof.has_value());
  BOOST_TEST((proof.error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
