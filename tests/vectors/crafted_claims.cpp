#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/vectors/scene.hpp"

// Vectors of our own for the shape of claims, authority and constraints.

namespace chancery::tests {
namespace {

constexpr const char* kParse = "parse";
constexpr const char* kMalformed = "malformed";

void claim(Scene& s, std::string name, std::string value) {
  s.leaf().payload[std::move(name)] = std::move(value);
}

std::string thumbprint_claim(std::string_view jkt) { return R"({"jkt":)" + quoted(jkt) + "}"; }

const std::array kStrings{
    Crafted{"D12/sub-empty-root", [](Scene& s) { s.root().payload["sub"] = R"("")"; }, kMalformed, kParse},
    Crafted{"sub-absent", [](Scene& s) { s.leaf().payload.erase("sub"); }, kMalformed, kParse},
    Crafted{"iss-null", [](Scene& s) { claim(s, "iss", "null"); }, kMalformed, kParse},
    Crafted{"D42/iss-empty-child", [](Scene& s) { claim(s, "iss", R"("")"); }, kMalformed, kParse},
    Crafted{"D42/client-id-empty", [](Scene& s) { claim(s, "client_id", R"("")"); }},
    Crafted{"client-id-absent", [](Scene& s) { s.leaf().payload.erase("client_id"); }, kMalformed, kParse},
    Crafted{"client-id-array", [](Scene& s) { claim(s, "client_id", R"(["a"])"); }, kMalformed, kParse},
    Crafted{"jti-number", [](Scene& s) { claim(s, "jti", "1"); }, kMalformed, kParse},
    Crafted{"aud-absent", [](Scene& s) { s.leaf().payload.erase("aud"); }, kMalformed, kParse},
    Crafted{"aud-empty-array", [](Scene& s) { claim(s, "aud", "[]"); }, kMalformed, kParse},
    Crafted{"aud-of-numbers", [](Scene& s) { claim(s, "aud", "[1]"); }, kMalformed, kParse},
    Crafted{"aud-object", [](Scene& s) { claim(s, "aud", "{}"); }, kMalformed, kParse},
    Crafted{"D42/aud-array-of-an-empty-string", [](Scene& s) { claim(s, "aud", R"([""])"); }},
};

const std::array kNumbers{
    Crafted{"D11/iat-fractional", [](Scene& s) { claim(s, "iat", "1799999999.5"); }},
    Crafted{"D11/nbf-fractional", [](Scene& s) { claim(s, "nbf", "1799999999.5"); }},
    Crafted{"iat-absent", [](Scene& s) { s.leaf().payload.erase("iat"); }, kMalformed, kParse},
    Crafted{"iat-negative", [](Scene& s) { claim(s, "iat", "-1"); }},
    Crafted{"exp-text", [](Scene& s) { claim(s, "exp", R"("1800003600")"); }, kMalformed, kParse},
    Crafted{"exp-absent", [](Scene& s) { s.root().payload.erase("exp"); }, kMalformed, kParse},
    Crafted{"D43/nbf-null", [](Scene& s) { claim(s, "nbf", "null"); }, kMalformed, kParse},
    Crafted{"D43/del-max-depth-null", [](Scene& s) { claim(s, "del_max_depth", "null"); }, kMalformed,
            kParse},
    Crafted{"D43/par-hash-null", [](Scene& s) { claim(s, "par_hash", "null"); }, kMalformed, kParse},
    Crafted{"D45/del-max-depth-0", [](Scene& s) { claim(s, "del_max_depth", "0"); }, kMalformed, kParse},
    Crafted{"D45/del-max-depth-0-root", [](Scene& s) { s.root().payload["del_max_depth"] = "0"; }, kMalformed,
            kParse},
    Crafted{"D45/del-max-depth-fraction", [](Scene& s) { claim(s, "del_max_depth", "3.5"); }, kMalformed,
            kParse},
    Crafted{"D45/del-max-depth-text", [](Scene& s) { claim(s, "del_max_depth", R"("4")"); }, kMalformed,
            kParse},
    Crafted{"D45/del-max-depth-equal", [](Scene& s) { claim(s, "del_max_depth", "4"); }},
    Crafted{"del-depth-negative", [](Scene& s) { s.root().payload["del_depth"] = "-1"; }, kMalformed, kParse},
    Crafted{"del-depth-fraction", [](Scene& s) { claim(s, "del_depth", "2.5"); }, kMalformed, kParse},
    Crafted{"del-depth-text", [](Scene& s) { claim(s, "del_depth", R"("2")"); }, kMalformed, kParse},
    Crafted{"del-depth-absent", [](Scene& s) { s.leaf().payload.erase("del_depth"); }, kMalformed, kParse},
};

const std::array kBinding{
    Crafted{"D16/cnf-absent", [](Scene& s) { s.leaf().payload.erase("cnf"); }, kMalformed, kParse},
    Crafted{"D16/cnf-text", [](Scene& s) { claim(s, "cnf", R"("jkt")"); }, kMalformed, kParse},
    Crafted{"D16/cnf-other-members",
            [](Scene& s) {
              claim(s, "cnf",
                    R"({"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","jwk":{},"x5t#S256":1})");
            }},
    Crafted{"D16/jkt-spare-bits",
            [](Scene& s) { claim(s, "cnf", thumbprint_claim(std::string(42, 'A') + "B")); }, kMalformed,
            kParse},
    Crafted{"D16/jkt-33-octets", [](Scene& s) { claim(s, "cnf", thumbprint_claim(std::string(44, 'A'))); },
            kMalformed, kParse},
    Crafted{"par-hash-in-root", [](Scene& s) { s.root().payload["par_hash"] = quoted(std::string(43, 'A')); },
            kMalformed, kParse},
    Crafted{"par-hash-absent-in-child", [](Scene& s) { claim(s, "par_hash", ""); }, kMalformed, kParse},
    Crafted{"D17/par-hash-empty", [](Scene& s) { claim(s, "par_hash", R"("")"); }, "par_hash_mismatch", "2"},
    Crafted{"D17/par-hash-not-base64url", [](Scene& s) { claim(s, "par_hash", R"("!")"); },
            "par_hash_mismatch", "2"},
    Crafted{"D17/par-hash-number", [](Scene& s) { claim(s, "par_hash", "1"); }, kMalformed, kParse},
};

const std::array kStatus{
    Crafted{"D32/status-null", [](Scene& s) { claim(s, "status", "null"); }, kMalformed, kParse},
    Crafted{"D32/status-array", [](Scene& s) { claim(s, "status", "[]"); }, kMalformed, kParse},
    Crafted{"D32/status-list-null", [](Scene& s) { claim(s, "status", R"({"status_list":null})"); },
            kMalformed, kParse},
    Crafted{"D32/idx-negative",
            [](Scene& s) { claim(s, "status", R"({"status_list":{"idx":-1,"uri":"u"}})"); }, kMalformed,
            kParse},
    Crafted{"D32/idx-fraction",
            [](Scene& s) { claim(s, "status", R"({"status_list":{"idx":0.5,"uri":"u"}})"); }, kMalformed,
            kParse},
    Crafted{"D32/idx-text", [](Scene& s) { claim(s, "status", R"({"status_list":{"idx":"0","uri":"u"}})"); },
            kMalformed, kParse},
    Crafted{"D32/uri-empty", [](Scene& s) { claim(s, "status", R"({"status_list":{"idx":0,"uri":""}})"); },
            kMalformed, kParse},
    Crafted{"D32/uri-number", [](Scene& s) { claim(s, "status", R"({"status_list":{"idx":0,"uri":1}})"); },
            kMalformed, kParse},
    Crafted{"D32/other-mechanism-only", [](Scene& s) { claim(s, "status", R"({"ocsp":{}})"); },
            "status_unknown", "7"},
};

const std::array kDetails{
    Crafted{"details-object", [](Scene& s) { claim(s, "authorization_details", "{}"); }, kMalformed, kParse},
    Crafted{"details-empty", [](Scene& s) { claim(s, "authorization_details", "[]"); }, kMalformed, kParse},
    Crafted{"details-of-text", [](Scene& s) { claim(s, "authorization_details", R"(["agent_delegation"])"); },
            kMalformed, kParse},
    Crafted{"detail-without-type",
            [](Scene& s) { claim(s, "authorization_details", R"([{"scopes":["docs.export"]}])"); },
            kMalformed, kParse},
    Crafted{"detail-without-scopes",
            [](Scene& s) {
              claim(s, "authorization_details", R"([{"constraints":[],"type":"agent_delegation"}])");
            },
            kMalformed, kParse},
    Crafted{"detail-with-another-member",
            [](Scene& s) {
              claim(s, "authorization_details",
                    R"([{"actions":[],"scopes":["docs.export"],"type":"agent_delegation"}])");
            },
            kMalformed, kParse},
    Crafted{"scopes-text", [](Scene& s) { s.allow(2, R"("docs.export")", ""); }, kMalformed, kParse},
    Crafted{"scope-with-a-space", [](Scene& s) { s.allow(2, R"(["docs.export "])", ""); }, kMalformed,
            kParse},
    Crafted{"scope-star-inside", [](Scene& s) { s.allow(2, R"(["ledger.*.read"])", ""); }, kMalformed,
            kParse},
    Crafted{"constraints-object", [](Scene& s) { s.allow(2, R"(["docs.export"])", "{}"); }, kMalformed,
            kParse},
};

const std::array kConstraints{
    Crafted{"key-only", [](Scene& s) { s.bound(R"([{"key":"k"}])"); }, kMalformed, kParse},
    Crafted{"key-absent", [](Scene& s) { s.bound(R"([{"max":1}])"); }, kMalformed, kParse},
    Crafted{"key-empty", [](Scene& s) { s.bound(R"([{"key":"","max":1}])"); }},
    Crafted{"max-text", [](Scene& s) { s.bound(R"([{"key":"k","max":"1"}])"); }, kMalformed, kParse},
    Crafted{"min-true", [](Scene& s) { s.bound(R"([{"key":"k","min":true}])"); }, kMalformed, kParse},
    Crafted{"max-lifetime-null", [](Scene& s) { s.bound(R"([{"key":"k","max_lifetime":null}])"); },
            kMalformed, kParse},
    Crafted{"max-subtree-array", [](Scene& s) { s.bound(R"([{"key":"k","max_subtree":[1]}])"); }, kMalformed,
            kParse},
    Crafted{"prefix-number", [](Scene& s) { s.bound(R"([{"key":"k","prefix":1}])"); }, kMalformed, kParse},
    Crafted{"one-of-text", [](Scene& s) { s.bound(R"([{"key":"k","one_of":"a"}])"); }, kMalformed, kParse},
    Crafted{"D14/one-of-any-values",
            [](Scene& s) { s.bound(R"([{"key":"k","one_of":[null,true,[],{"a":1}]}])"); }},
    Crafted{"rank-order-of-one", [](Scene& s) { s.bound(R"([{"key":"k","order":["a"],"rank":"a"}])"); },
            kMalformed, kParse},
    Crafted{"rank-order-repeats", [](Scene& s) { s.bound(R"([{"key":"k","order":["a","a"],"rank":"a"}])"); },
            kMalformed, kParse},
    Crafted{"rank-order-of-numbers", [](Scene& s) { s.bound(R"([{"key":"k","order":[1,2],"rank":"a"}])"); },
            kMalformed, kParse},
    Crafted{"rank-not-in-order", [](Scene& s) { s.bound(R"([{"key":"k","order":["a","b"],"rank":"c"}])"); },
            kMalformed, kParse},
    Crafted{"rank-number", [](Scene& s) { s.bound(R"([{"key":"k","order":["a","b"],"rank":1}])"); },
            kMalformed, kParse},
    Crafted{"D13/order-with-max", [](Scene& s) { s.bound(R"([{"key":"k","max":1,"order":["a","b"]}])"); },
            kMalformed, kParse},
    Crafted{"D13/order-with-unknown",
            [](Scene& s) { s.bound(R"([{"key":"k","order":["a","b"],"zone":1}])"); }, kMalformed, kParse},
    Crafted{"D13/order-alone-is-unknown", [](Scene& s) { s.bound(R"([{"key":"k","order":["a"]}])"); }},
    Crafted{"D13/unknown-null", [](Scene& s) { s.bound(R"([{"key":"k","zone":null}])"); }},
    Crafted{"pair-twice-unknown", [](Scene& s) { s.bound(R"([{"key":"k","zone":1},{"key":"k","zone":2}])"); },
            kMalformed, kParse},
    Crafted{"two-types-on-one-key",
            [](Scene& s) { s.bound(R"([{"key":"k","max":2},{"key":"k","min":1}])"); }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crafted_claims)

BOOST_DATA_TEST_CASE(strings, boost::unit_test::data::make(kStrings), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(numbers, boost::unit_test::data::make(kNumbers), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(holder_and_parent, boost::unit_test::data::make(kBinding), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(status_references, boost::unit_test::data::make(kStatus), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(details, boost::unit_test::data::make(kDetails), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(constraints, boost::unit_test::data::make(kConstraints), row) { check_crafted(row); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
