#include "sdk/crypto/jwk.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/keys.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

// RFC 8037 appendix A.2 and A.3.
constexpr std::string_view kEd25519 =
    R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";
constexpr std::string_view kEd25519Thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
// RFC 7517 appendix A.1.
constexpr std::string_view kP256 =
    R"("kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
    R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")";

struct Jwk {
  const char* name;
  std::string_view key;   ///< the members that make the key
  std::string_view more;  ///< further members
  std::optional<ErrorCode> error;
};
std::ostream& operator<<(std::ostream& out, const Jwk& row) { return out << row.name; }

constexpr auto kInvalid = ErrorCode::kInvalidKey;
constexpr auto kUnsupported = ErrorCode::kUnsupportedAlgorithm;

const std::array kJwks{
    Jwk{"P-256", kP256, "", {}},
    Jwk{"Ed25519", kEd25519, "", {}},
    Jwk{"its algorithm", kP256, R"("alg":"ES256")", {}},
    Jwk{"its algorithm, Ed25519", kEd25519, R"("alg":"Ed25519")", {}},
    Jwk{"the polymorphic name", kEd25519, R"("alg":"EdDSA")", kInvalid},
    Jwk{"another algorithm", kP256, R"("alg":"ES384")", kInvalid},
    Jwk{"the other key's algorithm", kEd25519, R"("alg":"ES256")", kInvalid},
    Jwk{"algorithm null", kP256, R"("alg":null)", kInvalid},
    Jwk{"use sig", kP256, R"("use":"sig")", {}},
    Jwk{"use enc", kP256, R"("use":"enc")", kInvalid},
    Jwk{"use null", kP256, R"("use":null)", kInvalid},
    Jwk{"operation verify", kP256, R"("key_ops":["verify"])", {}},
    Jwk{"operation verify among others", kP256, R"("key_ops":["sign","verify"])", {}},
    Jwk{"operation sign", kP256, R"("key_ops":["sign"])", kInvalid},
    Jwk{"no operation", kP256, R"("key_ops":[])", kInvalid},
    Jwk{"operations as a text", kP256, R"("key_ops":"verify")", kInvalid},
    Jwk{"public members that nobody asked for", kP256, R"("kid":"1","x5c":[],"exp":1)", {}},
    Jwk{"private d", kP256, R"("d":"AA")", kInvalid},
    Jwk{"private d, empty", kEd25519, R"("d":"")", kInvalid},
    Jwk{"symmetric k", kP256, R"("k":"AA")", kInvalid},
    Jwk{"private p", kP256, R"("p":1)", kInvalid},
    Jwk{"private q", kP256, R"("q":1)", kInvalid},
    Jwk{"private dp", kP256, R"("dp":1)", kInvalid},
    Jwk{"private dq", kP256, R"("dq":1)", kInvalid},
    Jwk{"private qi", kP256, R"("qi":1)", kInvalid},
    Jwk{"private oth", kP256, R"("oth":[])", kInvalid},
    Jwk{"RSA", R"("kty":"RSA","n":"AQAB","e":"AQAB")", "", kUnsupported},
    Jwk{"symmetric", R"("kty":"oct")", "", kUnsupported},
    Jwk{"no type", R"("crv":"P-256")", "", kUnsupported},
    Jwk{"P-384", R"("kty":"EC","crv":"P-384","x":"AA","y":"AA")", "", kUnsupported},
    Jwk{"X25519", R"("kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")", "",
        kUnsupported},
    Jwk{"EC with Edwards' curve", R"("kty":"EC","crv":"Ed25519","x":"AA","y":"AA")", "", kUnsupported},
    Jwk{"no x", R"("kty":"OKP","crv":"Ed25519")", "", kInvalid},
    Jwk{"x a number", R"("kty":"OKP","crv":"Ed25519","x":1)", "", kInvalid},
    Jwk{"x short", R"("kty":"OKP","crv":"Ed25519","x":"AAAA")", "", kInvalid},
    Jwk{"x with spare bits",
        R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp")", "", kInvalid},
    Jwk{"x padded", R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")", "",
        kInvalid},
    Jwk{"no y", R"("kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")", "",
        kInvalid},
    Jwk{"y of 33 octets",
        R"("kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
        R"("y":"AOBLZekkVtmIi1Kzeb371R7oae8fD8ZbZllpW2zOCBcj")",
        "", kInvalid},
};

std::string text_of(const Jwk& row) {
  return "{" + std::string(row.key) + (row.more.empty() ? "" : ",") + std::string(row.more) + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jwks)

BOOST_DATA_TEST_CASE(a_jwk_is_a_public_key_that_may_verify, data::make(kJwks), row) {
  const auto key = parse_jwk(text_of(row));
  const auto embedded = json::Document::parse("[" + text_of(row) + "]");
  BOOST_TEST(public_key_from_jwk(embedded->root().items()[0]).has_value() == key.has_value());
  BOOST_REQUIRE(key.has_value() == !row.error);
  if (row.error) BOOST_TEST((key.error().code == *row.error));
}

BOOST_AUTO_TEST_CASE(texts_that_are_no_jwk_are_refused) {
  for (const std::string_view text : {"", "null", "[]", "\"kty\"", "{", "{\"kty\":\"EC\",\"kty\":\"EC\"}"}) {
    BOOST_TEST(!parse_jwk(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_point_off_the_curve_is_refused_on_its_own_and_left_to_its_use_inside_a_header) {
  std::string off(kP256);
  off.replace(off.rfind("FyM"), 3, "FyI");
  const std::string text = "{" + off + "}";
  BOOST_TEST((parse_jwk(text).error().code == ErrorCode::kInvalidKey));
  const auto document = json::Document::parse(text);
  const PublicKey key = public_key_from_jwk(document->root()).value();
  BOOST_TEST(!verify_signature(key, {}, {}, Signature{}));
}

BOOST_AUTO_TEST_CASE(the_thumbprint_of_rfc_8037) {
  const PublicKey key = parse_jwk("{" + std::string(kEd25519) + "}").value();
  BOOST_TEST(key.thumbprint().text() == kEd25519Thumbprint);
  BOOST_TEST((key.algorithm() == Algorithm::kEd25519));
}

BOOST_AUTO_TEST_CASE(a_key_writes_the_jwk_that_it_reads) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const PublicKey key = SigningKey::generate(algorithm).value().public_key();
    BOOST_TEST((parse_jwk(key.jwk()).value() == key));
    BOOST_TEST(json::Document::parse(key.jwk())->canonical());
    BOOST_TEST(key.thumbprint().text().size() == 43u);
  }
}

BOOST_AUTO_TEST_CASE(algorithms_have_their_fully_specified_names_only) {
  BOOST_TEST(algorithm_name(Algorithm::kES256) == "ES256");
  BOOST_TEST(algorithm_name(Algorithm::kEd25519) == "Ed25519");
  BOOST_TEST((algorithm_from_name("ES256") == Algorithm::kES256));
  BOOST_TEST((algorithm_from_name("Ed25519") == Algorithm::kEd25519));
  for (const std::string_view name : {"EdDSA", "es256", "ES256 ", "", "none", "ES384", "HS256", "Ed448"}) {
    BOOST_TEST(!algorithm_from_name(name).has_value(), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
