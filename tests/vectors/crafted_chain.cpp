#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/vectors/scene.hpp"

// Vectors of our own for steps 1 to 5.

namespace chancery::tests {
namespace {

constexpr const char* kForged = "signature_invalid";
constexpr const char* kWider = "not_narrower";
constexpr const char* kExpired = "expired";
constexpr const char* kDepth = "depth_invalid";

// Puts more members, `"name":value,`, in front of the signer's `jwk` in the leaf's header. Names must sort
// so.
void front_jwk(Scene& s, const std::string& members) {
  std::string& jwk = s.leaf().header["jwk"];
  jwk = "{" + members + jwk.substr(1);
}
// The same after its last member.
void back_jwk(Scene& s, const std::string& members) {
  std::string& jwk = s.leaf().header["jwk"];
  jwk.insert(jwk.size() - 1, "," + members);
}

void set_signature(Scene& s, const Bytes& signature) {
  s.leaf().edit_compact = [signature](const std::string& token) { return with_signature(token, signature); };
}

const std::array kSigners{
    Crafted{"D01/holder-and-issuer-mixed", [](Scene& s) { s.sign_as_issuer(1, test_keys().issuer); }},
    Crafted{"D01/root-key-signs-a-child", [](Scene& s) { s.sign_as_issuer(2, test_keys().root); }},
    Crafted{"D01/issuer-where-holder-is-demanded",
            [](Scene& s) {
              s.sign_as_issuer(1, test_keys().issuer);
              s.vector["child_signing"] = R"(["holder"])";
            },
            kForged, "1"},
    Crafted{"D01/holder-where-issuer-is-demanded",
            [](Scene& s) { s.vector["child_signing"] = R"(["issuer"])"; }, kForged, "1"},
    Crafted{"D01/no-mode-and-a-root-alone",
            [](Scene& s) {
              s.grow(1);
              s.vector["child_signing"] = "[]";
            }},
    Crafted{"D01/stranger-as-issuer", [](Scene& s) { s.sign_as_issuer(1, test_keys().stranger); }, kForged,
            "1"},
    Crafted{"D01/no-issuers-configured",
            [](Scene& s) {
              s.sign_as_issuer(1, test_keys().issuer);
              s.vector["trusted_issuers"] = "[]";
            },
            kForged, "1"},
    Crafted{"no-roots-configured", [](Scene& s) { s.vector["trusted_roots"] = "[]"; }, kForged, "1"},
    Crafted{"D03/es256-not-accepted", [](Scene& s) { s.vector["accepted_algs"] = R"(["Ed25519"])"; }, kForged,
            "1"},
    Crafted{"D03/ed25519-not-accepted", [](Scene& s) { s.vector["accepted_algs"] = R"(["ES256"])"; }, kForged,
            "1"},
    Crafted{"D03/ed25519-alone-suffices",
            [](Scene& s) {
              s.grow(3, true);
              s.vector["accepted_algs"] = R"(["Ed25519"])";
            }},
    Crafted{"D03/nothing-accepted", [](Scene& s) { s.vector["accepted_algs"] = "[]"; }, kForged, "1"},
    Crafted{"D03/alg-lower-case", [](Scene& s) { s.root().header["alg"] = quoted("es256"); }, kForged, "1"},
    // The signature is good under the P-256 key that is shown.
    Crafted{"D02/alg-of-another-type-than-jwk", [](Scene& s) { s.leaf().header["alg"] = quoted("Ed25519"); },
            kForged, "1"},
    Crafted{"D02/alg-of-another-type-than-the-root-key",
            [](Scene& s) { s.root().header["alg"] = quoted("Ed25519"); }, kForged, "1"},
    Crafted{"D46/a-bad-root-beside-a-good-one",
            [](Scene& s) {
              s.vector["trusted_roots"].insert(1, R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"},)");
            }},
};

const std::array kHeaderKeys{
    Crafted{"D27/unknown-member-is-ignored", [](Scene& s) { back_jwk(s, R"("z":1)"); }},
    Crafted{"D30/kid-is-ignored", [](Scene& s) { s.leaf().header["kid"] = quoted("other"); }},
    Crafted{"D27/use-enc",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"x":)"), 0, R"(,"use":"enc")");
              };
            },
            kForged, "1"},
    Crafted{"D27/use-sig-accepted",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"x":)"), 0, R"(,"use":"sig")");
              };
            }},
    Crafted{"D27/key-ops-verify",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"kty":)"), 0, R"(,"key_ops":["sign","verify"])");
              };
            }},
    Crafted{"D27/key-ops-sign",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"kty":)"), 0, R"(,"key_ops":["sign"])");
              };
            },
            kForged, "1"},
    Crafted{"D27/key-ops-text",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"kty":)"), 0, R"(,"key_ops":"verify")");
              };
            },
            kForged, "1"},
    Crafted{"D27/alg-of-the-key-null", [](Scene& s) { front_jwk(s, R"("alg":null,)"); }, kForged, "1"},
    Crafted{"D27/symmetric-member",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) {
                return h.replace(h.find(R"(,"kty":)"), 0, R"(,"k":"AA")");
              };
            },
            kForged, "1"},
    Crafted{"D27/short-coordinate",
            [](Scene& s) { s.leaf().header["jwk"] = R"({"crv":"P-256","kty":"EC","x":"AA","y":"AA"})"; },
            kForged, "1"},
    Crafted{"D27/padded-coordinate",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) { return h.replace(h.find(R"(","y":)"), 0, "="); };
            },
            kForged, "1"},
    Crafted{"D27/off-the-curve",
            [](Scene& s) {
              const std::string y = base64url_encode(test_keys().holders[1].public_key().y());
              s.leaf().edit_header = [y](std::string h) {
                return h.replace(h.find(y), y.size(),
                                 base64url_encode(test_keys().holders[1].public_key().x()));
              };
            },
            kForged, "1"},
    Crafted{"D27/other-curve",
            [](Scene& s) {
              s.leaf().edit_header = [](std::string h) { return h.replace(h.find("P-256"), 5, "P-384"); };
            },
            kForged, "1"},
    Crafted{"D27/jwk-null", [](Scene& s) { s.leaf().header["jwk"] = "null"; }, kForged, "1"},
    Crafted{"D27/jwk-text", [](Scene& s) { s.leaf().header["jwk"] = quoted("key"); }, kForged, "1"},
    Crafted{"D28/any-jwk-on-the-root", [](Scene& s) { s.root().header["jwk"] = "null"; }},
};

const std::array kSignatures{
    Crafted{"zero-signature", [](Scene& s) { set_signature(s, Bytes(64)); }, kForged, "1"},
    Crafted{"63-octets", [](Scene& s) { set_signature(s, Bytes(63, 1)); }, kForged, "1"},
    Crafted{"all-ones", [](Scene& s) { set_signature(s, Bytes(64, 0xFF)); }, kForged, "1"},
    Crafted{"one-octet", [](Scene& s) { set_signature(s, Bytes(1, 1)); }, kForged, "1"},
    Crafted{"zero-ed25519-signature",
            [](Scene& s) {
              s.grow(2);
              set_signature(s, Bytes(64));
            },
            kForged, "1"},
};

const std::array kShape{
    Crafted{"par-hash-of-the-grandparent",
            [](Scene& s) { s.leaf().payload["par_hash"] = quoted(parent_hash(s.root().compact())); },
            "par_hash_mismatch", "2"},
    Crafted{"D18/one-more-than-the-leaf", [](Scene& s) { s.root().payload["del_max_depth"] = "3"; }},
    Crafted{"D18/as-many-as-the-leaf-says", [](Scene& s) { s.leaf().payload["del_max_depth"] = "2"; }, kDepth,
            "3"},
    Crafted{"D18/leaf-allows-itself", [](Scene& s) { s.leaf().payload["del_max_depth"] = "3"; }},
    Crafted{"D18/child-of-a-leaf-only", [](Scene& s) { s.middle().payload["del_max_depth"] = "1"; }, kDepth,
            "3"},
    Crafted{"D18/a-root-alone",
            [](Scene& s) {
              s.grow(1);
              s.root().payload["del_max_depth"] = "1";
            }},
    Crafted{"D18/a-child-of-a-root-for-itself",
            [](Scene& s) {
              s.grow(2);
              s.root().payload["del_max_depth"] = "1";
            },
            kDepth, "3"},
    Crafted{"depth-1-in-the-root", [](Scene& s) { s.root().payload["del_depth"] = "1"; }, kDepth, "3"},
    Crafted{"depth-0-in-a-child", [](Scene& s) { s.middle().payload["del_depth"] = "0"; }, kDepth, "3"},
    Crafted{"root-cut-off",
            [](Scene& s) {
              s.sign_as_issuer(1, test_keys().root);
              s.tokens.erase(s.tokens.begin());
            },
            "malformed", "parse"},
    Crafted{"sub-differs-in-case", [](Scene& s) { s.leaf().payload["sub"] = quoted("user:Ana@example.net"); },
            "principal_altered", "3"},
    Crafted{"depth-before-narrowing",
            [](Scene& s) {
              s.allow(2, R"(["crm.read"])", "");
              s.leaf().payload["del_depth"] = "7";
            },
            kDepth, "3"},
    Crafted{"principal-before-narrowing",
            [](Scene& s) {
              s.allow(1, R"(["crm.read"])", "");
              s.leaf().payload["sub"] = quoted("user:eve@example.net");
            },
            "principal_altered", "3"},
    Crafted{"narrowing-before-time",
            [](Scene& s) {
              s.allow(2, R"(["crm.read"])", "");
              s.root().payload["exp"] = "1";
            },
            kWider, "4"},
};

const std::array kTime{
    Crafted{"D19/nbf-is-now", [](Scene& s) { s.leaf().payload["nbf"] = "1800000000"; }},
    Crafted{"D19/nbf-is-later", [](Scene& s) { s.leaf().payload["nbf"] = "1800000001"; }, kExpired, "5"},
    Crafted{"D19/nbf-half-a-second-later", [](Scene& s) { s.root().payload["nbf"] = "1800000000.5"; },
            kExpired, "5"},
    Crafted{"D19/exp-half-a-second-later", [](Scene& s) { s.leaf().payload["exp"] = "1800000000.5"; }},
    Crafted{"D19/exp-half-a-second-ago", [](Scene& s) { s.leaf().payload["exp"] = "1799999999.5"; }, kExpired,
            "5"},
    Crafted{"D19/exp-is-now", [](Scene& s) { s.leaf().payload["exp"] = "1800000000"; }},
    Crafted{"D19/middle-expired", [](Scene& s) { s.middle().payload["exp"] = "1799999999"; }, kExpired, "5"},
    Crafted{"D19/exp-a-quarter-second-beyond-the-parent",
            [](Scene& s) { s.leaf().payload["exp"] = "1800003600.25"; }, kExpired, "5"},
    Crafted{"D19/exp-beyond-the-parent-within-the-root",
            [](Scene& s) {
              s.middle().payload["exp"] = "1800003000";
              s.leaf().payload["exp"] = "1800003001";
            },
            kExpired, "5"},
    Crafted{"D19/exp-of-the-parent",
            [](Scene& s) {
              s.middle().payload["exp"] = "1800003000";
              s.leaf().payload["exp"] = "1800003000";
            }},
    Crafted{"D19/iat-after-exp", [](Scene& s) { s.leaf().payload["iat"] = "1900000000"; }},
    Crafted{"D19/nbf-before-the-parents",
            [](Scene& s) {
              s.root().payload["nbf"] = "1799999000";
              s.leaf().payload["nbf"] = "1";
            }},
};

// `parent` bounds the first two tokens, `child` the last.
void narrow(Scene& s, std::string_view parent, std::string_view child) {
  s.bound(parent);
  s.allow(2, R"(["ledger.*"])", child);
}
void narrow_scopes(Scene& s, std::string_view parent, std::string_view child) {
  s.allow(parent, "");
  s.allow(2, child, "");
}

const std::array kScopes{
    Crafted{"literal-under-wildcard", [](Scene& s) { narrow_scopes(s, R"(["a.*"])", R"(["a.b.c"])"); }},
    Crafted{"wildcard-under-wildcard", [](Scene& s) { narrow_scopes(s, R"(["a.*"])", R"(["a.b.*"])"); }},
    Crafted{"wildcard-under-literal", [](Scene& s) { narrow_scopes(s, R"(["a.b"])", R"(["a.b.*"])"); },
            kWider, "4"},
    Crafted{"wildcard-widened", [](Scene& s) { narrow_scopes(s, R"(["a.b.*"])", R"(["a.*"])"); }, kWider,
            "4"},
    Crafted{"word-itself-under-wildcard", [](Scene& s) { narrow_scopes(s, R"(["a.b.*"])", R"(["a.b"])"); },
            kWider, "4"},
    Crafted{"neighbour-with-the-same-letters",
            [](Scene& s) { narrow_scopes(s, R"(["a.*"])", R"(["ab.c"])"); }, kWider, "4"},
    Crafted{"opaque-under-wildcard", [](Scene& s) { narrow_scopes(s, R"(["a.*"])", R"(["a.B"])"); }, kWider,
            "4"},
    Crafted{"opaque-other-case", [](Scene& s) { narrow_scopes(s, R"(["Openid"])", R"(["openid"])"); }, kWider,
            "4"},
    Crafted{"fewer", [](Scene& s) { narrow_scopes(s, R"(["a.b","c.d"])", R"(["c.d"])"); }},
    Crafted{"repeated", [](Scene& s) { narrow_scopes(s, R"(["a.b"])", R"(["a.b","a.b"])"); }},
};

const std::array kBounds{
    Crafted{"min-raised",
            [](Scene& s) { narrow(s, R"([{"key":"k","min":1}])", R"([{"key":"k","min":2}])"); }},
    Crafted{"min-lowered",
            [](Scene& s) { narrow(s, R"([{"key":"k","min":1}])", R"([{"key":"k","min":0.5}])"); }, kWider,
            "4"},
    Crafted{"lifetime-lowered",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","max_lifetime":9}])", R"([{"key":"k","max_lifetime":8}])");
            }},
    Crafted{"lifetime-raised",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","max_lifetime":9}])", R"([{"key":"k","max_lifetime":10}])");
            },
            kWider, "4"},
    Crafted{
        "subtree-raised",
        [](Scene& s) { narrow(s, R"([{"key":"k","max_subtree":9}])", R"([{"key":"k","max_subtree":9.5}])"); },
        kWider, "4"},
    Crafted{"one-of-fewer",
            [](Scene& s) { narrow(s, R"([{"key":"k","one_of":[1,2]}])", R"([{"key":"k","one_of":[2]}])"); }},
    Crafted{"one-of-none",
            [](Scene& s) { narrow(s, R"([{"key":"k","one_of":[1,2]}])", R"([{"key":"k","one_of":[]}])"); }},
    Crafted{"one-of-more",
            [](Scene& s) { narrow(s, R"([{"key":"k","one_of":[1]}])", R"([{"key":"k","one_of":[1,2]}])"); },
            kWider, "4"},
    Crafted{"D14/one-of-other-type",
            [](Scene& s) { narrow(s, R"([{"key":"k","one_of":[1]}])", R"([{"key":"k","one_of":["1"]}])"); },
            kWider, "4"},
    Crafted{"not-one-of-more",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","not_one_of":[1]}])", R"([{"key":"k","not_one_of":[2,1]}])");
            }},
    Crafted{"not-one-of-fewer",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","not_one_of":[1,2]}])", R"([{"key":"k","not_one_of":[2]}])");
            },
            kWider, "4"},
    Crafted{
        "prefix-longer",
        [](Scene& s) { narrow(s, R"([{"key":"k","prefix":"/a"}])", R"([{"key":"k","prefix":"/a/b"}])"); }},
    Crafted{"prefix-shorter",
            [](Scene& s) { narrow(s, R"([{"key":"k","prefix":"/a"}])", R"([{"key":"k","prefix":"/"}])"); },
            kWider, "4"},
    Crafted{"prefix-other",
            [](Scene& s) { narrow(s, R"([{"key":"k","prefix":"/a"}])", R"([{"key":"k","prefix":"/b/a"}])"); },
            kWider, "4"},
    Crafted{"rank-lower",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","order":["x","a"],"rank":"a"}])",
                     R"([{"key":"k","order":["x","a"],"rank":"x"}])");
            }},
    Crafted{"rank-higher",
            [](Scene& s) {
              narrow(s, R"([{"key":"k","order":["x","a"],"rank":"x"}])",
                     R"([{"key":"k","order":["x","a"],"rank":"a"}])");
            },
            kWider, "4"},
    Crafted{
        "unknown-kept",
        [](Scene& s) { narrow(s, R"([{"key":"k","zone":{"a":1}}])", R"([{"key":"k","zone":{"a":1}}])"); }},
    Crafted{"unknown-dropped", [](Scene& s) { narrow(s, R"([{"key":"k","zone":{"a":1}}])", "[]"); }, kWider,
            "4"},
    Crafted{"unknown-added", [](Scene& s) { narrow(s, "[]", R"([{"key":"k","zone":1}])"); }},
    Crafted{"order-alone-changed",
            [](Scene& s) { narrow(s, R"([{"key":"k","order":["a"]}])", R"([{"key":"k","order":["b"]}])"); },
            kWider, "4"},
    Crafted{"type-swapped",
            [](Scene& s) { narrow(s, R"([{"key":"k","max":5}])", R"([{"key":"k","one_of":[1]}])"); }, kWider,
            "4"},
    Crafted{
        "lifetime-for-subtree",
        [](Scene& s) { narrow(s, R"([{"key":"k","max_subtree":5}])", R"([{"key":"k","max_lifetime":5}])"); },
        kWider, "4"},
    Crafted{"key-other-case",
            [](Scene& s) { narrow(s, R"([{"key":"k","max":5}])", R"([{"key":"K","max":5}])"); }, kWider, "4"},
    Crafted{"order-of-constraints-is-free",
            [](Scene& s) {
              narrow(s, R"([{"key":"a","max":5},{"key":"b","max":5}])",
                     R"([{"key":"b","max":5},{"key":"a","max":5}])");
            }},
    Crafted{"constraints-absent-under-none", [](Scene& s) { narrow(s, "[]", ""); }},
    Crafted{"D47/full-key-lowered",
            [](Scene& s) {
              narrow(s, R"([{"key":"ledger.pay#n","max":5}])", R"([{"key":"ledger.pay#n","max":4}])");
            }},
    Crafted{"D47/full-key-dropped-with-its-scope",
            [](Scene& s) {
              s.bound(R"([{"key":"ledger.pay#n","max":5}])");
              s.allow(2, R"(["docs.export"])", "[]");
            },
            kWider, "4"},
    Crafted{"D47/full-key-widened-to-a-wildcard",
            [](Scene& s) {
              narrow(s, R"([{"key":"ledger.pay#n","max":5}])", R"([{"key":"ledger.*#n","max":5}])");
            },
            kWider, "4"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crafted_chain)

BOOST_DATA_TEST_CASE(signers, boost::unit_test::data::make(kSigners), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(keys_in_headers, boost::unit_test::data::make(kHeaderKeys), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(signatures, boost::unit_test::data::make(kSignatures), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(linkage_and_shape, boost::unit_test::data::make(kShape), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(times, boost::unit_test::data::make(kTime), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(scopes, boost::unit_test::data::make(kScopes), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(bounds, boost::unit_test::data::make(kBounds), row) { check_crafted(row); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
