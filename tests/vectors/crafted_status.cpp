#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/vectors/scene.hpp"

// Vectors of our own for step 7. Statuses stand in an octet from its least significant bits upwards.

namespace chancery::tests {
namespace {

constexpr const char* kUnknown = "status_unknown";
constexpr const char* kRevoked = "revoked";

// A good list that says "valid", for tests that then break something else.
Members& good(Scene& s) { return s.publish(2, 0, 1, {0x00}).token.payload; }
Draft& good_token(Scene& s) { return s.publish(2, 0, 1, {0x00}).token; }

std::string list_claim(std::string_view bits, const std::string& lst) {
  return R"({"bits":)" + std::string(bits) + R"(,"lst":")" + lst + R"("})";
}

const std::array kValues{
    Crafted{"bits-1-first", [](Scene& s) { s.publish(2, 0, 1, {0xFE}); }},
    Crafted{"bits-1-first-revoked", [](Scene& s) { s.publish(2, 0, 1, {0x01}); }, kRevoked, "7"},
    Crafted{"bits-1-last-of-an-octet",
            [](Scene& s) {
              s.publish(2, 7, 1, {0x7F, 0xFF});
            }},
    Crafted{"bits-1-last-of-an-octet-revoked",
            [](Scene& s) {
              s.publish(2, 7, 1, {0x80, 0x00});
            },
            kRevoked, "7"},
    Crafted{"bits-1-second-octet-revoked",
            [](Scene& s) {
              s.publish(2, 8, 1, {0x00, 0x01});
            },
            kRevoked, "7"},
    Crafted{"bits-1-last",
            [](Scene& s) {
              s.publish(2, 15, 1, {0xFF, 0x7F});
            }},
    Crafted{"bits-1-beyond-the-end",
            [](Scene& s) {
              s.publish(2, 16, 1, {0x00, 0x00});
            },
            kUnknown, "7"},
    Crafted{"bits-2-valid", [](Scene& s) { s.publish(2, 3, 2, {0x3F}); }},
    Crafted{"bits-2-revoked", [](Scene& s) { s.publish(2, 1, 2, {0x04}); }, kRevoked, "7"},
    Crafted{"bits-2-own-value", [](Scene& s) { s.publish(2, 2, 2, {0x30}); }, kUnknown, "7"},
    Crafted{"bits-2-beyond-the-end", [](Scene& s) { s.publish(2, 4, 2, {0x00}); }, kUnknown, "7"},
    Crafted{"bits-4-valid", [](Scene& s) { s.publish(2, 1, 4, {0x0F}); }},
    Crafted{"bits-4-revoked", [](Scene& s) { s.publish(2, 1, 4, {0x10}); }, kRevoked, "7"},
    Crafted{"bits-4-own-value", [](Scene& s) { s.publish(2, 0, 4, {0x04}); }, kUnknown, "7"},
    Crafted{"bits-4-beyond-the-end", [](Scene& s) { s.publish(2, 2, 4, {0x00}); }, kUnknown, "7"},
    Crafted{"bits-8-valid",
            [](Scene& s) {
              s.publish(2, 1, 8, {0xFF, 0x00});
            }},
    Crafted{"bits-8-revoked",
            [](Scene& s) {
              s.publish(2, 1, 8, {0x00, 0x01});
            },
            kRevoked, "7"},
    Crafted{"bits-8-own-value", [](Scene& s) { s.publish(2, 0, 8, {0xFF}); }, kUnknown, "7"},
    Crafted{"bits-8-beyond-the-end", [](Scene& s) { s.publish(2, 1, 8, {0x00}); }, kUnknown, "7"},
    Crafted{"index-of-2-to-the-53-minus-1", [](Scene& s) { s.publish(2, 9007199254740991, 1, {0x00}); },
            kUnknown, "7"},
    Crafted{"empty-list", [](Scene& s) { s.publish(2, 0, 1, {}); }, kUnknown, "7"},
    Crafted{"root-and-leaf-valid",
            [](Scene& s) {
              s.publish(0, 1, 1, {0x04});
              s.tokens[2].payload["status"] = s.root().payload["status"];
            }},
    Crafted{"middle-revoked", [](Scene& s) { s.publish(1, 0, 1, {0x01}); }, kRevoked, "7"},
};

const std::array kTimes{
    Crafted{"D33/age-is-ttl", [](Scene& s) { s.publish(2, 0, 1, {0}).fetched_at = kNow - 600; }},
    Crafted{"D33/age-beyond-ttl", [](Scene& s) { s.publish(2, 0, 1, {0}).fetched_at = kNow - 601; }, kUnknown,
            "7"},
    Crafted{"D33/ttl-half-a-second-short", [](Scene& s) { good(s)["ttl"] = "9.5"; }, kUnknown, "7"},
    Crafted{"D33/ttl-half-a-second-long", [](Scene& s) { good(s)["ttl"] = "10.5"; }},
    Crafted{"D33/fetched-now-ttl-0",
            [](Scene& s) {
              s.publish(2, 0, 1, {0}).fetched_at = kNow;
              s.lists[0].token.payload["ttl"] = "0";
            }},
    Crafted{"D33/fetched-in-the-future", [](Scene& s) { s.publish(2, 0, 1, {0}).fetched_at = kNow + 1; },
            kUnknown, "7"},
    Crafted{"D33/exp-one-second-later", [](Scene& s) { good(s)["exp"] = "1800000001"; }},
    Crafted{"D33/exp-half-a-second-later", [](Scene& s) { good(s)["exp"] = "1800000000.5"; }},
    Crafted{"D33/exp-half-a-second-ago", [](Scene& s) { good(s)["exp"] = "1799999999.5"; }, kUnknown, "7"},
    Crafted{"D33/stale-and-revoked",
            [](Scene& s) { s.publish(2, 0, 1, {1}).token.payload["exp"] = "1800000000"; }, kUnknown, "7"},
    Crafted{"D34/ttl-alone", [](Scene& s) { good(s).erase("exp"); }},
    Crafted{"D34/ttl-alone-outlived",
            [](Scene& s) {
              good(s).erase("exp");
              s.lists[0].fetched_at = kNow - 601;
            },
            kUnknown, "7"},
    Crafted{"exp-text", [](Scene& s) { good(s)["exp"] = R"("1900000000")"; }, kUnknown, "7"},
    Crafted{"ttl-null", [](Scene& s) { good(s)["ttl"] = "null"; }, kUnknown, "7"},
};

const std::array kForms{
    Crafted{"sub-differs", [](Scene& s) { good(s)["sub"] = quoted("https://status.example.net/2"); },
            kUnknown, "7"},
    Crafted{"sub-absent", [](Scene& s) { good(s).erase("sub"); }, kUnknown, "7"},
    Crafted{"held-under-another-uri",
            [](Scene& s) { s.publish(2, 0, 1, {0}).uri = "https://status.example.net/2"; }, kUnknown, "7"},
    Crafted{"fetch-failed", [](Scene& s) { s.publish(2, 0, 1, {0}).fetched = false; }, kUnknown, "7"},
    Crafted{"typ-application",
            [](Scene& s) { good_token(s).header["typ"] = quoted("application/statuslist+jwt"); }},
    Crafted{"typ-jwt", [](Scene& s) { good_token(s).header["typ"] = quoted("JWT"); }, kUnknown, "7"},
    Crafted{"typ-absent", [](Scene& s) { good_token(s).header.erase("typ"); }, kUnknown, "7"},
    Crafted{"crit", [](Scene& s) { good_token(s).header["crit"] = R"(["exp"])"; }, kUnknown, "7"},
    Crafted{"D20/white-space-is-free",
            [](Scene& s) {
              Draft& token = good_token(s);
              token.edit_header = [](const std::string& text) { return " " + text; };
              token.edit_payload = [](const std::string& text) { return text + "\n"; };
            }},
    Crafted{"D20/member-twice",
            [](Scene& s) {
              good_token(s).edit_payload = [](const std::string& text) {
                return R"({"ttl":600,)" + text.substr(1);
              };
            },
            kUnknown, "7"},
    Crafted{"D39/stranger-signs", [](Scene& s) { good_token(s).signer = &test_keys().stranger; }, kUnknown,
            "7"},
    Crafted{"D39/the-list-shows-its-own-key",
            [](Scene& s) {
              Draft& token = good_token(s);
              token.signer = &test_keys().stranger;
              token.header["jwk"] = token.signer->public_key().jwk();
            },
            kUnknown, "7"},
    Crafted{"D39/no-status-keys",
            [](Scene& s) {
              good(s);
              s.vector["status_keys"] = "[]";
            },
            kUnknown, "7"},
    Crafted{"D22/eddsa",
            [](Scene& s) {
              Draft& token = good_token(s);
              token.signer = &test_keys().ed_status;
              token.header["alg"] = quoted("EdDSA");
            },
            kUnknown, "7"},
    Crafted{"D22/ed25519",
            [](Scene& s) {
              Draft& token = good_token(s);
              token.signer = &test_keys().ed_status;
              token.header["alg"] = quoted("Ed25519");
            }},
    Crafted{"D22/es256-not-accepted",
            [](Scene& s) {
              s.grow(2, true);
              s.publish(1, 0, 1, {0});
              s.vector["accepted_algs"] = R"(["Ed25519"])";
            },
            kUnknown, "7"},
    Crafted{"signature-of-another-list",
            [](Scene& s) {
              good_token(s).edit_compact = [](const std::string& token) {
                return with_signature(token, Bytes(64, 7));
              };
            },
            kUnknown, "7"},
    Crafted{"no-jws", [](Scene& s) { good_token(s).edit_compact = [](const auto&) { return "x"; }; },
            kUnknown, "7"},
    Crafted{"bits-text", [](Scene& s) { good(s)["status_list"] = list_claim(R"("1")", compressed({0})); },
            kUnknown, "7"},
    Crafted{"bits-0", [](Scene& s) { good(s)["status_list"] = list_claim("0", compressed({0})); }, kUnknown,
            "7"},
    Crafted{"bits-16",
            [](Scene& s) {
              good(s)["status_list"] = list_claim("16", compressed({0, 0}));
            },
            kUnknown, "7"},
    Crafted{"lst-absent", [](Scene& s) { good(s)["status_list"] = R"({"bits":1})"; }, kUnknown, "7"},
    Crafted{"lst-padded", [](Scene& s) { good(s)["status_list"] = list_claim("1", compressed({0}) + "="); },
            kUnknown, "7"},
    Crafted{"lst-truncated",
            [](Scene& s) {
              const std::string whole = compressed(Bytes(100));
              good(s)["status_list"] = list_claim("1", whole.substr(0, whole.size() / 8 * 4));
            },
            kUnknown, "7"},
    Crafted{"lst-with-a-tail",
            [](Scene& s) { good(s)["status_list"] = list_claim("1", compressed(Bytes(4)) + "AAAA"); },
            kUnknown, "7"},
    Crafted{"16-mib", [](Scene& s) { s.publish(2, 134217727, 1, Bytes(16u << 20)); }},
    Crafted{"beyond-16-mib", [](Scene& s) { s.publish(2, 0, 1, Bytes((16u << 20) + 1)); }, kUnknown, "7"},
    Crafted{"order/expired-before-revoked",
            [](Scene& s) {
              s.publish(2, 0, 1, {1});
              s.root().payload["exp"] = "1";
            },
            "expired", "5"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crafted_status)

BOOST_DATA_TEST_CASE(values, boost::unit_test::data::make(kValues), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(times, boost::unit_test::data::make(kTimes), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(forms, boost::unit_test::data::make(kForms), row) { check_crafted(row); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
