#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/trust.hpp>

#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

constexpr std::string_view kKey =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

// `KEY` in a row stands for a good JWK.
std::string with_key(std::string_view text) {
  std::string out(text);
  for (std::size_t at = out.find("KEY"); at != std::string::npos; at = out.find("KEY"))
    out.replace(at, 3, kKey);
  return out;
}

struct Bad {
  const char* name;
  std::string_view json;
  ErrorCode code = ErrorCode::kMalformed;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.name; }

constexpr std::array kBad{
    Bad{"no JSON", "{"},
    Bad{"an array", "[]"},
    Bad{"no anchors", "{}"},
    Bad{"anchors an object", R"({"anchors":{}})"},
    Bad{"an unknown member", R"({"anchors":[],"roots":[]})"},
    Bad{"a member twice", R"({"anchors":[],"anchors":[]})", ErrorCode::kDuplicateMember},
    Bad{"an anchor that is a text", R"({"anchors":["KEY"]})"},
    Bad{"an anchor without keys", R"({"anchors":[{"iss":"a"}]})"},
    Bad{"an anchor with no key", R"({"anchors":[{"keys":[]}]})"},
    Bad{"keys an object", R"({"anchors":[{"keys":KEY}]})"},
    Bad{"keys null", R"({"anchors":[{"keys":null}]})"},
    Bad{"a key that is a text", R"({"anchors":[{"keys":["x"]}]})", ErrorCode::kInvalidKey},
    Bad{"a verifier that is a text", R"({"anchors":[{"keys":[KEY],"attestation_verifiers":["x"]}]})",
        ErrorCode::kInvalidKey},
    Bad{"a private key", R"({"anchors":[{"keys":[{"kty":"OKP","crv":"Ed25519","d":"AA"}]}]})",
        ErrorCode::kInvalidKey},
    Bad{"an RSA key", R"({"anchors":[{"keys":[{"kty":"RSA"}]}]})", ErrorCode::kUnsupportedAlgorithm},
    Bad{"a key off its curve",
        R"({"anchors":[{"keys":[{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",)"
        R"("y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}]})",
        ErrorCode::kInvalidKey},
    Bad{"an unknown member of an anchor", R"({"anchors":[{"keys":[KEY],"subject":[]}]})"},
    Bad{"iss a number", R"({"anchors":[{"keys":[KEY],"iss":1}]})"},
    Bad{"iss null", R"({"anchors":[{"keys":[KEY],"iss":null}]})"},
    Bad{"sub a number", R"({"anchors":[{"keys":[KEY],"sub":1}]})"},
    Bad{"sub of numbers", R"({"anchors":[{"keys":[KEY],"sub":[1]}]})"},
    Bad{"client_id null", R"({"anchors":[{"keys":[KEY],"client_id":null}]})"},
    Bad{"an empty list of sub restricts to nothing", R"({"anchors":[{"keys":[KEY],"sub":[]}]})"},
    Bad{"an empty list of client_id", R"({"anchors":[{"keys":[KEY],"client_id":[]}]})"},
    Bad{"an empty list of prefixes", R"({"anchors":[{"keys":[KEY],"status":{"prefixes":[]}}]})"},
    Bad{"an empty list of status keys", R"({"anchors":[{"keys":[KEY],"status":{"keys":[]}}]})"},
    Bad{"ceiling an array", R"({"anchors":[{"keys":[KEY],"ceiling":[]}]})"},
    Bad{"ceiling with an unknown member", R"({"anchors":[{"keys":[KEY],"ceiling":{"scope":[]}}]})"},
    Bad{"ceiling with a bad scope", R"({"anchors":[{"keys":[KEY],"ceiling":{"scopes":["*"]}}]})"},
    Bad{"a ceiling that covers nothing", R"({"anchors":[{"keys":[KEY],"ceiling":{"constraints":[]}}]})"},
    Bad{"status an array", R"({"anchors":[{"keys":[KEY],"status":[]}]})"},
    Bad{"status with an unknown member", R"({"anchors":[{"keys":[KEY],"status":{"uris":[]}}]})"},
    Bad{"issuers an object", R"({"anchors":[],"issuers":{}})"},
    Bad{"a status key that is none", R"({"anchors":[],"status_keys":[1]})", ErrorCode::kInvalidKey},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(trust_configuration)

BOOST_DATA_TEST_CASE(bad_trust_is_refused_as_a_whole, data::make(kBad), row) {
  const auto trust = TrustConfig::parse(with_key(row.json));
  BOOST_REQUIRE(!trust.has_value());
  BOOST_TEST((trust.error().code == row.code));
}

BOOST_AUTO_TEST_CASE(everything_that_an_anchor_may_say_is_read) {
  const auto trust = TrustConfig::parse(with_key(R"({
      "anchors": [{"iss": "https://as.example.net", "keys": [KEY, KEY], "sub": ["user:*", "x"], "client_id": "spiffe://*",
                   "ceiling": {"scopes": ["a.*"], "constraints": [{"key": "n", "max": 1}]},
                   "status": {"prefixes": ["https://status.example.net/"], "keys": [KEY]},
                   "attestation_verifiers": [KEY]},
                  {"keys": [KEY]}],
      "issuers": [KEY], "status_keys": [KEY, KEY]})"));
  BOOST_REQUIRE(trust.has_value());
  BOOST_REQUIRE(trust->anchors.size() == 2u);
  const TrustAnchor& anchor = trust->anchors[0];
  BOOST_TEST(anchor.iss.value() == "https://as.example.net");
  BOOST_TEST(anchor.keys.size() == 2u);
  BOOST_TEST(anchor.sub == (std::vector<std::string>{"user:*", "x"}), boost::test_tools::per_element());
  BOOST_TEST(anchor.client_id == (std::vector<std::string>{"spiffe://*"}), boost::test_tools::per_element());
  BOOST_TEST(anchor.ceiling->jcs() ==
             R"({"constraints":[{"key":"n","max":1}],"scopes":["a.*"],"type":"agent_delegation"})");
  BOOST_TEST(anchor.status_prefixes.size() == 1u);
  BOOST_TEST(anchor.attestation_verifiers.size() == 1u);
  BOOST_TEST(anchor.status_keys.size() == 1u);
  BOOST_TEST(!trust->anchors[1].iss.has_value());
  BOOST_TEST(!trust->anchors[1].ceiling.has_value());
  BOOST_TEST(trust->issuers.size() == 1u);
  BOOST_TEST(trust->status_keys.size() == 2u);
}

BOOST_AUTO_TEST_CASE(trust_without_anchors_is_trust_in_nobody) {
  const auto trust = TrustConfig::parse(R"({"anchors":[]})");
  BOOST_REQUIRE(trust.has_value());
  BOOST_TEST(trust->anchors.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
