#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/vectors/scene.hpp"

// Vectors of our own for the parse step: what the sample does not hold of the decisions that the page on
// vectors names. The tag of the decision stands in the row's name.

namespace chancery::tests {
namespace {

constexpr const char* kParse = "parse";
constexpr const char* kMalformed = "malformed";
constexpr const char* kNonCanonical = "non_canonical";
constexpr const char* kDuplicate = "duplicate_member";
constexpr const char* kNonFinite = "non_finite";

Edit replace(std::string from, std::string to) {
  return [from = std::move(from), to = std::move(to)](std::string text) {
    const std::size_t at = text.find(from);
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
  };
}

Edit append(std::string end) {
  return [end = std::move(end)](std::string text) { return text + end; };
}

// An ignored claim with that JSON text, spliced in where canonical order wants it.
void say_x(Scene& s, std::string value) { s.leaf().payload["x"] = std::move(value); }

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

// Pads an ignored claim until the compact token has exactly `size` characters. The header is 4n+2 characters
// long or whatever it is: a few of its lengths cannot be reached with the payload alone, so `kid` takes up
// the rest.
void pad_leaf(Scene& s, std::size_t size) {
  Draft& leaf = s.leaf();
  leaf.payload["par_hash"] = quoted("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  for (std::size_t kid = 0; kid < 3; ++kid) {
    leaf.header["kid"] = quoted(std::string(kid, 'k'));
    leaf.payload["x"] = quoted("");
    const std::size_t room = size - leaf.compact().size();
    for (std::size_t x = room / 4 * 3 - 3; x < room / 4 * 3 + 6; ++x) {
      leaf.payload["x"] = quoted(std::string(x, 'x'));
      if (leaf.compact().size() == size) return;
    }
  }
}

const std::array kHeader{
    Crafted{"D04/crit-empty-array", [](Scene& s) { s.root().header["crit"] = "[]"; }, kMalformed, kParse},
    Crafted{"D04/crit-null", [](Scene& s) { s.leaf().header["crit"] = "null"; }, kMalformed, kParse},
    Crafted{"D04/b64-false", [](Scene& s) { s.root().header["b64"] = "false"; }, kMalformed, kParse},
    Crafted{"D04/b64-true", [](Scene& s) { s.leaf().header["b64"] = "true"; }, kMalformed, kParse},
    Crafted{"D04/crit-as-a-claim", [](Scene& s) { s.leaf().payload["crit"] = "[]"; }},
    Crafted{"D05/typ-application", [](Scene& s) { s.root().header["typ"] = quoted("application/at+jwt"); }},
    Crafted{"D05/typ-upper-case", [](Scene& s) { s.root().header["typ"] = quoted("AT+JWT"); }, kMalformed,
            kParse},
    Crafted{"D05/typ-space", [](Scene& s) { s.root().header["typ"] = quoted("at+jwt "); }, kMalformed,
            kParse},
    Crafted{"D05/typ-absent", [](Scene& s) { s.leaf().header.erase("typ"); }, kMalformed, kParse},
    Crafted{"D05/typ-proof", [](Scene& s) { s.leaf().header["typ"] = quoted("dpop+jwt"); }, kMalformed,
            kParse},
    Crafted{"D05/typ-array", [](Scene& s) { s.leaf().header["typ"] = R"(["at+jwt"])"; }, kMalformed, kParse},
    Crafted{"alg-absent", [](Scene& s) { s.root().header.erase("alg"); }, kMalformed, kParse},
    Crafted{"alg-null", [](Scene& s) { s.root().header["alg"] = "null"; }, kMalformed, kParse},
    Crafted{"D30/kid-of-any-type", [](Scene& s) { s.root().header["kid"] = "[1]"; }},
    Crafted{"D44/unknown-header-member", [](Scene& s) { s.leaf().header["x"] = R"({"y":[1,2]})"; }},
    Crafted{"header-array", [](Scene& s) { s.root().edit_header = [](auto) { return "[]"; }; }, kMalformed,
            kParse},
    Crafted{"header-member-twice",
            [](Scene& s) { s.root().edit_header = replace("{", R"({"alg":"ES256",)"); }, kDuplicate, kParse},
};

const std::array kNumbers{
    Crafted{"D06/largest-safe", [](Scene& s) { say_x(s, "9007199254740991"); }},
    Crafted{"D06/smallest-safe", [](Scene& s) { say_x(s, "-9007199254740991"); }},
    Crafted{"D06/one-below-smallest", [](Scene& s) { say_x(s, "-9007199254740992"); }, kMalformed, kParse},
    Crafted{"D06/rounds-up-to-unsafe", [](Scene& s) { say_x(s, "9007199254740991.5"); }, kMalformed, kParse},
    Crafted{"D06/before-canonical-form", [](Scene& s) { say_x(s, "1E30"); }, kMalformed, kParse},
    Crafted{"D07/overflow-below", [](Scene& s) { say_x(s, "-1e400"); }, kNonFinite, kParse},
    Crafted{"D07/underflow", [](Scene& s) { say_x(s, "1e-400"); }, kNonCanonical, kParse},
    Crafted{"D07/smallest-double", [](Scene& s) { say_x(s, "5e-324"); }},
    Crafted{"D07/infinity", [](Scene& s) { say_x(s, "Infinity"); }, kNonFinite, kParse},
    Crafted{"D07/minus-infinity", [](Scene& s) { say_x(s, "-Infinity"); }, kNonFinite, kParse},
    Crafted{"minus-nan", [](Scene& s) { say_x(s, "-NaN"); }, kMalformed, kParse},
    Crafted{"minus-zero", [](Scene& s) { say_x(s, "-0"); }, kNonCanonical, kParse},
    Crafted{"trailing-fraction-zero", [](Scene& s) { say_x(s, "1.0"); }, kNonCanonical, kParse},
    Crafted{"leading-zero", [](Scene& s) { say_x(s, "01"); }, kMalformed, kParse},
    Crafted{"leading-plus", [](Scene& s) { say_x(s, "+1"); }, kMalformed, kParse},
    Crafted{"hexadecimal", [](Scene& s) { say_x(s, "0x1"); }, kMalformed, kParse},
};

const std::array kText{
    Crafted{"D07/invalid-utf-8", [](Scene& s) { say_x(s, "\"\xFF\""); }, kMalformed, kParse},
    Crafted{"D07/overlong-utf-8", [](Scene& s) { say_x(s, "\"\xC0\xAF\""); }, kMalformed, kParse},
    Crafted{"D07/encoded-surrogate", [](Scene& s) { say_x(s, "\"\xED\xA0\x80\""); }, kMalformed, kParse},
    Crafted{"D07/lone-low-surrogate", [](Scene& s) { say_x(s, R"("\udc00")"); }, kMalformed, kParse},
    Crafted{"escaped-pair-for-a-raw-character", [](Scene& s) { say_x(s, R"("\ud83d\ude02")"); },
            kNonCanonical, kParse},
    Crafted{"raw-supplementary-character", [](Scene& s) { say_x(s, "\"\xF0\x9F\x98\x82\""); }},
    Crafted{"raw-control-character", [](Scene& s) { say_x(s, "\"\x01\""); }, kMalformed, kParse},
    Crafted{"escaped-control-character", [](Scene& s) { say_x(s, R"("\u0001\n")"); }},
    Crafted{"upper-case-escape", [](Scene& s) { say_x(s, R"("\u001F")"); }, kNonCanonical, kParse},
    Crafted{"long-escape-of-a-newline", [](Scene& s) { say_x(s, R"("\u000a")"); }, kNonCanonical, kParse},
    Crafted{"escaped-solidus", [](Scene& s) { say_x(s, R"("\/")"); }, kNonCanonical, kParse},
    Crafted{"member-order", [](Scene& s) { say_x(s, R"({"b":1,"a":2})"); }, kNonCanonical, kParse},
    Crafted{"member-twice-deep-inside", [](Scene& s) { say_x(s, R"([{"y":{"a":1,"a":1}}])"); }, kDuplicate,
            kParse},
    Crafted{"member-twice-one-escaped", [](Scene& s) { say_x(s, R"({"a":1,"\u0061":1})"); }, kDuplicate,
            kParse},
    Crafted{"member-twice-out-of-order", [](Scene& s) { say_x(s, R"({"b":1,"a":1,"b":1})"); }, kDuplicate,
            kParse},
    Crafted{"D44/unknown-claim-not-canonical", [](Scene& s) { say_x(s, "[1, 2]"); }, kNonCanonical, kParse},
    Crafted{"space-after-the-payload", [](Scene& s) { s.leaf().edit_payload = append("\n"); }, kNonCanonical,
            kParse},
    Crafted{"text-after-the-payload", [](Scene& s) { s.leaf().edit_payload = append("{}"); }, kMalformed,
            kParse},
    Crafted{"nul-after-the-payload", [](Scene& s) { s.leaf().edit_payload = append(std::string(1, '\0')); },
            kMalformed, kParse},
    Crafted{"trailing-comma", [](Scene& s) { say_x(s, "[1,]"); }, kMalformed, kParse},
    Crafted{"comment", [](Scene& s) { say_x(s, "[/**/]"); }, kMalformed, kParse},
    Crafted{"single-quotes", [](Scene& s) { say_x(s, "'x'"); }, kMalformed, kParse},
    Crafted{"upper-case-literal", [](Scene& s) { say_x(s, "True"); }, kMalformed, kParse},
};

const std::array kSize{
    Crafted{"D09/nested-64", [](Scene& s) { say_x(s, nested(63)); }},
    Crafted{"D09/nested-65", [](Scene& s) { say_x(s, nested(64)); }, kMalformed, kParse},
    Crafted{"D09/65536-characters", [](Scene& s) { pad_leaf(s, 65536); }, "par_hash_mismatch", "2"},
    Crafted{"D09/65537-characters", [](Scene& s) { pad_leaf(s, 65537); }, kMalformed, kParse},
    Crafted{"D10/empty-token", [](Scene& s) { s.leaf().edit_compact = [](auto) { return ""; }; }, kMalformed,
            kParse},
    Crafted{"D10/two-dots", [](Scene& s) { s.root().edit_compact = [](auto) { return ".."; }; }, kMalformed,
            kParse},
    Crafted{"two-parts",
            [](Scene& s) { s.leaf().edit_compact = [](std::string t) { return t.erase(t.rfind('.')); }; },
            kMalformed, kParse},
    Crafted{"D10/empty-signature",
            [](Scene& s) { s.leaf().edit_compact = [](auto t) { return with_signature(t, {}); }; },
            "signature_invalid", "1"},
    Crafted{"D08/leading-space", [](Scene& s) { s.root().edit_compact = [](auto t) { return " " + t; }; },
            kMalformed, kParse},
    Crafted{"D08/trailing-newline", [](Scene& s) { s.leaf().edit_compact = append("\n"); }, kMalformed,
            kParse},
    Crafted{"D08/plus-in-the-header",
            [](Scene& s) { s.root().edit_input = [](auto t) { return "+" + t.substr(1); }; }, kMalformed,
            kParse},
    Crafted{"D08/padded-header", [](Scene& s) { s.root().edit_input = replace(".", "=."); }, kMalformed,
            kParse},
    // 64 octets leave four spare bits in the last character: 'A' to 'P' differ in them alone.
    Crafted{"D08/spare-bits-in-the-signature",
            [](Scene& s) {
              s.leaf().edit_compact = [](std::string t) {
                ++t.back();
                return t;
              };
            },
            kMalformed, kParse},
};

const std::array kOrder{
    Crafted{"D40/header-form-before-payload-syntax",
            [](Scene& s) {
              s.root().edit_header = append(" ");
              s.root().edit_payload = append("!");
            },
            kNonCanonical, kParse},
    Crafted{"D40/payload-duplicate-before-header-members",
            [](Scene& s) {
              s.root().header.erase("typ");
              s.root().payload["x"] = R"({"a":1,"a":1})";
            },
            kDuplicate, kParse},
    Crafted{"D40/payload-form-before-signature-encoding",
            [](Scene& s) {
              s.root().edit_payload = append(" ");
              s.root().edit_compact = append("=");
            },
            kNonCanonical, kParse},
    Crafted{"D40/root-before-leaf",
            [](Scene& s) {
              s.root().payload["x"] = "NaN";
              s.leaf().edit_payload = append(" ");
            },
            kNonFinite, kParse},
    Crafted{"D40/duplicate-before-form", [](Scene& s) { say_x(s, R"({"b":1, "a":1, "b":1})"); }, kDuplicate,
            kParse},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crafted_parse)

BOOST_DATA_TEST_CASE(headers, boost::unit_test::data::make(kHeader), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(numbers, boost::unit_test::data::make(kNumbers), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(texts, boost::unit_test::data::make(kText), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(sizes_and_encodings, boost::unit_test::data::make(kSize), row) { check_crafted(row); }
BOOST_DATA_TEST_CASE(order_of_checks, boost::unit_test::data::make(kOrder), row) { check_crafted(row); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
