#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/vectors/scene.hpp"

// Vectors of our own for steps 6 and 8: the proof of possession and the action.

namespace chancery::tests {
namespace {

constexpr const char* kUnbound = "holder_binding_failed";
constexpr const char* kCeiling = "ceiling_exceeded";

Draft& presented(Scene& s) {
  s.act("ledger.rows.read", "{}");
  return s.proof;
}

void prove(Scene& s, std::string claim, std::string value) {
  presented(s).payload[std::move(claim)] = std::move(value);
}

void demand_nonce(Scene& s, std::string nonce) {
  s.dpop["nonce"] = quoted("n-1");
  prove(s, "nonce", std::move(nonce));
}

const std::array kProofHeaders{
    Crafted{"good", [](Scene& s) { presented(s); }},
    Crafted{"typ-jwt", [](Scene& s) { presented(s).header["typ"] = quoted("JWT"); }, kUnbound, "6"},
    Crafted{"typ-absent", [](Scene& s) { presented(s).header.erase("typ"); }, kUnbound, "6"},
    Crafted{"jwk-absent", [](Scene& s) { presented(s).header.erase("jwk"); }, kUnbound, "6"},
    Crafted{"jwk-private", [](Scene& s) { presented(s).header["jwk"].replace(0, 1, R"({"d":"AAAA",)"); },
            kUnbound, "6"},
    Crafted{"jwk-with-a-public-member",
            [](Scene& s) { presented(s).header["jwk"].replace(0, 1, R"({"kid":"1",)"); }},
    Crafted{"jwk-of-the-parents-holder",
            [](Scene& s) {
              presented(s).signer = &test_keys().holders[1];
              s.proof.header["jwk"] = s.proof.signer->public_key().jwk();
              s.proof.header["alg"] = quoted("ES256");
            },
            kUnbound, "6"},
    Crafted{"signed-by-another-key", [](Scene& s) { presented(s).signer = &test_keys().holders[0]; },
            kUnbound, "6"},
    Crafted{"alg-of-another-type", [](Scene& s) { presented(s).header["alg"] = quoted("ES256"); }, kUnbound,
            "6"},
    Crafted{"crit", [](Scene& s) { presented(s).header["crit"] = "[]"; }, kUnbound, "6"},
    Crafted{"b64", [](Scene& s) { presented(s).header["b64"] = "true"; }, kUnbound, "6"},
    Crafted{"D20/white-space-is-free",
            [](Scene& s) {
              presented(s).edit_header = [](const std::string& text) { return "\n" + text; };
              s.proof.edit_payload = [](const std::string& text) { return text + " "; };
            }},
    Crafted{"D20/header-member-twice",
            [](Scene& s) {
              presented(s).edit_header = [](const std::string& text) {
                return R"({"typ":"dpop+jwt",)" + text.substr(1);
              };
            },
            kUnbound, "6"},
    Crafted{"D20/claim-twice",
            [](Scene& s) {
              presented(s).edit_payload = [](const std::string& text) {
                return R"({"htm":"GET",)" + text.substr(1);
              };
            },
            kUnbound, "6"},
    Crafted{"four-parts", [](Scene& s) { presented(s).edit_compact = [](auto text) { return text + "."; }; },
            kUnbound, "6"},
    Crafted{"empty", [](Scene& s) { presented(s).edit_compact = [](auto) { return ""; }; }, kUnbound, "6"},
    Crafted{"signature-changed",
            [](Scene& s) {
              presented(s).edit_compact = [](auto text) { return with_signature(text, Bytes(64, 9)); };
            },
            kUnbound, "6"},
};

const std::array kProofClaims{
    Crafted{"htm-lower-case", [](Scene& s) { prove(s, "htm", quoted("post")); }, kUnbound, "6"},
    Crafted{"htm-other", [](Scene& s) { prove(s, "htm", quoted("GET")); }, kUnbound, "6"},
    Crafted{"htm-array", [](Scene& s) { prove(s, "htm", R"(["POST"])"); }, kUnbound, "6"},
    Crafted{"D21/htu-query-dropped",
            [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net/rows?a=1#b")); }},
    Crafted{"D21/requests-own-query-dropped",
            [](Scene& s) {
              presented(s);
              s.dpop["htu"] = quoted("https://ledger.example.net/rows?page=2");
            }},
    Crafted{"D21/htu-default-port",
            [](Scene& s) { prove(s, "htu", quoted("HTTPS://ledger.example.net:443/rows")); }},
    Crafted{"D21/htu-other-port",
            [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net:8443/rows")); }, kUnbound, "6"},
    Crafted{"D21/htu-escaped-letter",
            [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net/%72ows")); }},
    Crafted{"D21/htu-dot-segments",
            [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net/x/../rows")); }},
    Crafted{"D21/htu-path-case", [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net/Rows")); },
            kUnbound, "6"},
    Crafted{"D21/htu-trailing-slash",
            [](Scene& s) { prove(s, "htu", quoted("https://ledger.example.net/rows/")); }, kUnbound, "6"},
    Crafted{"D21/htu-relative", [](Scene& s) { prove(s, "htu", quoted("/rows")); }, kUnbound, "6"},
    Crafted{"D21/both-sides-no-uri",
            [](Scene& s) {
              prove(s, "htu", quoted("rows"));
              s.dpop["htu"] = quoted("rows");
            },
            kUnbound, "6"},
    Crafted{"D24/iat-301-ago", [](Scene& s) { prove(s, "iat", "1799999699"); }, kUnbound, "6"},
    Crafted{"D24/iat-300-and-a-half-ago", [](Scene& s) { prove(s, "iat", "1799999699.5"); }, kUnbound, "6"},
    Crafted{"D24/iat-60-ahead", [](Scene& s) { prove(s, "iat", "1800000060"); }},
    Crafted{"D24/iat-60-and-a-half-ahead", [](Scene& s) { prove(s, "iat", "1800000060.5"); }, kUnbound, "6"},
    Crafted{"D24/iat-absent", [](Scene& s) { prove(s, "iat", ""); }, kUnbound, "6"},
    Crafted{"D24/narrower-window",
            [](Scene& s) {
              prove(s, "iat", "1799999990");
              s.dpop["iat_past"] = "9";
            },
            kUnbound, "6"},
    Crafted{"nonce-as-demanded", [](Scene& s) { demand_nonce(s, quoted("n-1")); }},
    Crafted{"nonce-absent", [](Scene& s) { demand_nonce(s, ""); }, kUnbound, "6"},
    Crafted{"nonce-other", [](Scene& s) { demand_nonce(s, quoted("n-2")); }, kUnbound, "6"},
    Crafted{"nonce-number",
            [](Scene& s) {
              demand_nonce(s, "1");
              s.dpop["nonce"] = quoted("1");
            },
            kUnbound, "6"},
    Crafted{"nonce-not-demanded", [](Scene& s) { prove(s, "nonce", quoted("n-9")); }},
    Crafted{"D20/ath-absent", [](Scene& s) { prove(s, "ath", ""); }, kUnbound, "6"},
    Crafted{"D20/ath-of-something-else", [](Scene& s) { prove(s, "ath", quoted(std::string(43, 'A'))); },
            kUnbound, "6"},
    Crafted{"D41/jti-absent", [](Scene& s) { prove(s, "jti", ""); }, kUnbound, "6"},
    Crafted{"D41/jti-number", [](Scene& s) { prove(s, "jti", "1"); }, kUnbound, "6"},
    Crafted{"jti-seen",
            [](Scene& s) {
              presented(s);
              s.dpop["seen_jti"] = R"(["proof-0","proof-1"])";
            },
            kUnbound, "6"},
    Crafted{"unknown-claims-are-ignored", [](Scene& s) { prove(s, "exp", "1"); }},
    Crafted{"D38/no-proof",
            [](Scene& s) {
              presented(s);
              s.has_proof = false;
            },
            kUnbound, "6"},
    Crafted{"proof-before-audience",
            [](Scene& s) {
              prove(s, "htm", quoted("GET"));
              s.vector["audience"] = quoted("https://elsewhere.example.net");
            },
            kUnbound, "6"},
    Crafted{"time-before-proof",
            [](Scene& s) {
              prove(s, "htm", quoted("GET"));
              s.leaf().payload["exp"] = "1";
            },
            "expired", "5"},
};

const std::array kAudiences{
    Crafted{"D49/root-lacks-it",
            [](Scene& s) {
              presented(s);
              s.root().payload["aud"] = quoted("https://other.example.net");
            },
            "audience_mismatch", "8"},
    Crafted{"D49/every-token-among-others",
            [](Scene& s) {
              presented(s);
              for (Draft& token : s.tokens) token.payload["aud"] = "[\"x\"," + quoted(kAudience) + "]";
            }},
    Crafted{"audience-prefix",
            [](Scene& s) {
              presented(s);
              s.vector["audience"] = quoted("https://ledger.example.net");
            },
            "audience_mismatch", "8"},
    Crafted{"audience-before-scope",
            [](Scene& s) {
              s.act("crm.read", "{}");
              s.vector["audience"] = quoted("elsewhere");
            },
            "audience_mismatch", "8"},
    Crafted{"status-before-audience",
            [](Scene& s) {
              presented(s);
              s.publish(0, 0, 1, {1});
              s.vector["audience"] = quoted("elsewhere");
            },
            "revoked", "7"},
    Crafted{"scope-before-ceiling",
            [](Scene& s) {
              s.bound(R"([{"key":"n","max":1}])");
              s.act("crm.read", R"({"n":2})");
            },
            "scope_not_granted", "8"},
    Crafted{"scope-opaque", [](Scene& s) { s.allow(R"(["User.Read"])", ""), s.act("User.Read", "{}"); }},
    Crafted{"scope-opaque-other", [](Scene& s) { s.allow(R"(["User.Read"])", ""), s.act("User.read", "{}"); },
            "scope_not_granted", "8"},
    Crafted{"scope-wildcard-under-wildcard", [](Scene& s) { s.act("ledger.rows.*", "{}"); }},
    Crafted{"scope-of-the-parent-only",
            [](Scene& s) {
              s.allow(2, R"(["docs.export"])", "");
              s.act("ledger.rows", "{}");
            },
            "scope_not_granted", "8"},
    Crafted{"D36/scope-empty", [](Scene& s) { s.act("", "{}"); }, "scope_not_granted", "8"},
};

void bounded(Scene& s, std::string_view constraints, std::string_view params,
             std::string_view totals = "{}") {
  s.bound(constraints);
  s.act("ledger.pay", params, totals);
}

constexpr std::string_view kRank = R"([{"key":"k","order":["low","mid","high"],"rank":"mid"}])";

const std::array kParameters{
    Crafted{"max-equal", [](Scene& s) { bounded(s, R"([{"key":"n","max":5}])", R"({"n":5})"); }},
    Crafted{"max-just-over", [](Scene& s) { bounded(s, R"([{"key":"n","max":5}])", R"({"n":5.0000001})"); },
            kCeiling, "8"},
    Crafted{"D26/max-true", [](Scene& s) { bounded(s, R"([{"key":"n","max":5}])", R"({"n":true})"); },
            kCeiling, "8"},
    Crafted{"D26/max-null", [](Scene& s) { bounded(s, R"([{"key":"n","max":5}])", R"({"n":null})"); },
            kCeiling, "8"},
    Crafted{"min-equal", [](Scene& s) { bounded(s, R"([{"key":"n","min":5}])", R"({"n":5})"); }},
    Crafted{"min-just-under", [](Scene& s) { bounded(s, R"([{"key":"n","min":5}])", R"({"n":4.9999999})"); },
            kCeiling, "8"},
    Crafted{"prefix-within", [](Scene& s) { bounded(s, R"([{"key":"p","prefix":"/a"}])", R"({"p":"/a"})"); }},
    Crafted{"prefix-outside", [](Scene& s) { bounded(s, R"([{"key":"p","prefix":"/a"}])", R"({"p":"/"})"); },
            kCeiling, "8"},
    Crafted{"D26/prefix-array",
            [](Scene& s) { bounded(s, R"([{"key":"p","prefix":"/a"}])", R"({"p":["/a"]})"); }, kCeiling, "8"},
    Crafted{"rank-below", [](Scene& s) { bounded(s, kRank, R"({"k":"low"})"); }},
    Crafted{"rank-equal", [](Scene& s) { bounded(s, kRank, R"({"k":"mid"})"); }},
    Crafted{"rank-beyond", [](Scene& s) { bounded(s, kRank, R"({"k":"high"})"); }, kCeiling, "8"},
    Crafted{"rank-not-in-order", [](Scene& s) { bounded(s, kRank, R"({"k":"lowest"})"); }, kCeiling, "8"},
    Crafted{"D26/rank-number", [](Scene& s) { bounded(s, kRank, R"({"k":0})"); }, kCeiling, "8"},
    Crafted{"not-one-of-outside",
            [](Scene& s) { bounded(s, R"([{"key":"k","not_one_of":["a"]}])", R"({"k":"b"})"); }},
    Crafted{"not-one-of-inside",
            [](Scene& s) { bounded(s, R"([{"key":"k","not_one_of":["a"]}])", R"({"k":"a"})"); }, kCeiling,
            "8"},
    Crafted{"not-one-of-nothing",
            [](Scene& s) { bounded(s, R"([{"key":"k","not_one_of":[]}])", R"({"k":null})"); }},
    Crafted{"one-of-nothing", [](Scene& s) { bounded(s, R"([{"key":"k","one_of":[]}])", R"({"k":null})"); },
            kCeiling, "8"},
    Crafted{"D14/one-of-number-written-otherwise",
            [](Scene& s) { bounded(s, R"([{"key":"k","one_of":[1]}])", R"({"k":1.0})"); }},
    Crafted{
        "D14/one-of-object-in-other-order",
        [](Scene& s) { bounded(s, R"([{"key":"k","one_of":[{"a":1,"b":2}]}])", R"({"k":{"b":2,"a":1}})"); }},
    Crafted{"D14/one-of-true-is-no-text",
            [](Scene& s) { bounded(s, R"([{"key":"k","one_of":["true"]}])", R"({"k":true})"); }, kCeiling,
            "8"},
    Crafted{"D25/dotted-key-is-no-path",
            [](Scene& s) { bounded(s, R"([{"key":"a.b","max":5}])", R"({"a":{"b":1}})"); }, kCeiling, "8"},
    Crafted{"D25/dotted-key-is-a-name",
            [](Scene& s) { bounded(s, R"([{"key":"a.b","max":5}])", R"({"a.b":1})"); }},
    Crafted{"unbounded-parameters-are-free", [](Scene& s) { bounded(s, "[]", R"({"x":[1],"y":"z"})"); }},
};

const std::array kQualified{
    Crafted{"D47/wildcard-key-reaches-a-literal",
            [](Scene& s) { bounded(s, R"([{"key":"ledger.*#n","max":5}])", R"({"n":6})"); }, kCeiling, "8"},
    Crafted{"D47/wildcard-key-within",
            [](Scene& s) { bounded(s, R"([{"key":"ledger.*#n","max":5}])", R"({"n":5})"); }},
    Crafted{"D47/literal-key-reaches-a-wildcard",
            [](Scene& s) {
              s.bound(R"([{"key":"ledger.pay#n","max":5}])");
              s.act("ledger.*", R"({"n":6})");
            },
            kCeiling, "8"},
    Crafted{"D47/literal-key-within-a-wildcard",
            [](Scene& s) {
              s.bound(R"([{"key":"ledger.pay#n","max":5}])");
              s.act("ledger.*", R"({"n":5})");
            }},
    Crafted{"D47/literal-key-leaves-what-is-below-it",
            [](Scene& s) {
              s.bound(R"([{"key":"ledger.pay#n","max":5}])");
              s.act("ledger.pay.bulk", R"({"n":6})");
            }},
    Crafted{"D47/parameter-absent", [](Scene& s) { bounded(s, R"([{"key":"ledger.pay#n","max":5}])", "{}"); },
            kCeiling, "8"},
    Crafted{"D47/out-of-reach-parameter-absent",
            [](Scene& s) { bounded(s, R"([{"key":"docs.export#n","max":5}])", "{}"); }},
    Crafted{
        "D47/parameter-named-like-the-key",
        [](Scene& s) { bounded(s, R"([{"key":"ledger.pay#n","max":5}])", R"({"ledger.pay#n":1,"n":1})"); },
        kCeiling, "8"},
    Crafted{"D47/parameter-with-a-hash-out-of-reach",
            [](Scene& s) { bounded(s, R"([{"key":"docs.export#n","max":5}])", R"({"a#b":1})"); }, kCeiling,
            "8"},
    Crafted{"D47/opaque-scope-makes-a-plain-key",
            [](Scene& s) { bounded(s, R"([{"key":"User.Read#n","max":5}])", R"({"User.Read#n":5})"); }},
    Crafted{"D47/opaque-scope-key-absent",
            [](Scene& s) { bounded(s, R"([{"key":"User.Read#n","max":5}])", R"({"n":5})"); }, kCeiling, "8"},
    Crafted{"D47/empty-name-makes-a-plain-key",
            [](Scene& s) { bounded(s, R"([{"key":"ledger.pay#","max":5}])", R"({"ledger.pay#":5})"); }},
    Crafted{"D47/divided-at-the-first-hash",
            [](Scene& s) { bounded(s, R"([{"key":"ledger.pay#a#b","max":5}])", "{}"); }, kCeiling, "8"},
    Crafted{"D47/total-out-of-reach",
            [](Scene& s) { bounded(s, R"([{"key":"docs.export#n","max_subtree":5}])", "{}"); }},
    Crafted{"D47/total-under-the-full-key",
            [](Scene& s) {
              bounded(s, R"([{"key":"ledger.pay#n","max_subtree":5}])", R"({"n":1})",
                      R"({"max_subtree":{"ledger.pay#n":5}})");
            }},
    Crafted{"D47/total-under-the-bare-name",
            [](Scene& s) {
              bounded(s, R"([{"key":"ledger.pay#n","max_subtree":5}])", R"({"n":1})",
                      R"({"max_subtree":{"n":5}})");
            },
            kCeiling, "8"},
    Crafted{"D47/unknown-type-out-of-reach",
            [](Scene& s) { bounded(s, R"([{"key":"docs.export#n","zone":5}])", "{}"); }, "unknown_constraint",
            "8"},
    Crafted{"D13/order-alone-denies",
            [](Scene& s) { bounded(s, R"([{"key":"k","order":["a"]}])", R"({"k":"a"})"); },
            "unknown_constraint", "8"},
};

const std::array kTotals{
    Crafted{
        "D31/subtree-at-the-bound",
        [](Scene& s) { bounded(s, R"([{"key":"n","max_subtree":5}])", "{}", R"({"max_subtree":{"n":5}})"); }},
    Crafted{"D31/subtree-over",
            [](Scene& s) {
              bounded(s, R"([{"key":"n","max_subtree":5}])", "{}", R"({"max_subtree":{"n":5.5}})");
            },
            kCeiling, "8"},
    Crafted{
        "D31/lifetime-held-as-subtree",
        [](Scene& s) { bounded(s, R"([{"key":"n","max_lifetime":5}])", "{}", R"({"max_subtree":{"n":1}})"); },
        kCeiling, "8"},
    Crafted{"D31/total-null",
            [](Scene& s) {
              bounded(s, R"([{"key":"n","max_subtree":5}])", "{}", R"({"max_subtree":{"n":null}})");
            },
            kCeiling, "8"},
    Crafted{
        "D31/parameters-are-no-total",
        [](Scene& s) { bounded(s, R"([{"key":"n","max_subtree":5}])", R"({"n":1,"max_subtree":{"n":1}})"); },
        kCeiling, "8"},
    Crafted{"D31/both-kinds-on-one-key",
            [](Scene& s) {
              bounded(s, R"([{"key":"n","max_lifetime":5},{"key":"n","max_subtree":9}])", "{}",
                      R"({"max_lifetime":{"n":5},"max_subtree":{"n":9}})");
            }},
    Crafted{"D31/one-kind-of-both-over",
            [](Scene& s) {
              bounded(s, R"([{"key":"n","max_lifetime":5},{"key":"n","max_subtree":9}])", "{}",
                      R"({"max_lifetime":{"n":6},"max_subtree":{"n":9}})");
            },
            kCeiling, "8"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crafted_request)

BOOST_DATA_TEST_CASE(proof_headers, boost::unit_test::data::make(kProofHeaders), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(proof_claims, boost::unit_test::data::make(kProofClaims), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(audiences_and_scopes, boost::unit_test::data::make(kAudiences), row) {
  check_crafted(row);
}
BOOST_DATA_TEST_CASE(parameters, boost::unit_test::data::make(kParameters), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(qualified_keys, boost::unit_test::data::make(kQualified), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(totals, boost::unit_test::data::make(kTotals), row) { check_crafted(row); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
