#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/token.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/jws.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

std::string decoded(std::string_view part) { return std::string(as_text(base64url_decode(part).value())); }

std::string encoded(std::string_view text) { return base64url_encode(as_bytes(text)); }

// All that a token can say, each claim with a value of its own.
Claims full_claims(const PublicKey& holder) {
  Claims claims = root_claims(holder);
  claims.aud = {"first", "second", "\xC3\xA9\n\""};
  claims.iat = 1700000000.25;
  claims.exp = 9007199254740991;
  claims.nbf = -5;
  claims.del_depth = 3;
  claims.del_max_depth = 7;
  claims.par_hash = "not checked here";
  claims.has_status = true;
  claims.status = StatusReference{"https://status.example.net/1", 9007199254740991};
  claims.authority.scopes = {"a.b", "a.*", "User.Read"};
  claims.authority.constraints = {
      {"n", NumberBound{NumberBound::Type::kMax, -0.5}},
      {"n", NumberBound{NumberBound::Type::kMin, -1e-7}},
      {"calls", NumberBound{NumberBound::Type::kMaxLifetime, 10}},
      {"calls", NumberBound{NumberBound::Type::kMaxSubtree, 20}},
      {"a.b#x", Membership{false, {R"("x")", "1", R"({"a":[null,true]})"}}},
      {"k", Membership{true, {}}},
      {"path", Prefix{"/data/\xF0\x9F\x98\x82"}},
      {"class", Rank{"internal", {"public", "internal", "secret"}}},
      {"zone", UnknownRule{"geo", R"({"in":["EU"]})"}},
      {"odd", UnknownRule{"order", R"(["x"])"}},
  };
  return claims;
}

void check_same(const Claims& got, const Claims& want) {
  BOOST_TEST(got.iss == want.iss);
  BOOST_TEST(got.sub == want.sub);
  BOOST_TEST(got.client_id == want.client_id);
  BOOST_TEST(got.jti == want.jti);
  BOOST_TEST(got.aud == want.aud, boost::test_tools::per_element());
  BOOST_TEST(got.iat == want.iat);
  BOOST_TEST(got.exp == want.exp);
  BOOST_TEST((got.nbf == want.nbf));
  BOOST_TEST((got.holder == want.holder));
  BOOST_TEST(got.del_depth == want.del_depth);
  BOOST_TEST((got.del_max_depth == want.del_max_depth));
  BOOST_TEST((got.par_hash == want.par_hash));
  BOOST_TEST(got.status.has_value() == want.status.has_value());
  if (got.status && want.status) {
    BOOST_TEST(got.status->uri == want.status->uri);
    BOOST_TEST(got.status->index == want.status->index);
  }
  BOOST_TEST(got.authority.scopes == want.authority.scopes, boost::test_tools::per_element());
  BOOST_TEST((got.authority.constraints == want.authority.constraints));
}

constexpr std::array<std::string_view, 9> kNotThreeParts{"",     ".",  "a",       "a.b",     "a.b.c.d",
                                                         "....", "..", "e30.e30", "e30.e30."};

}  // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(what_is_encoded_is_read_back) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const SigningKey signer = SigningKey::generate(algorithm).value();
    for (const bool by_holder : {false, true}) {
      for (const Claims& claims : {full_claims(signer.public_key()), root_claims(signer.public_key())}) {
        const std::string compact = sign_token(claims, signer, by_holder);
        const Token token = Token::parse(compact).value();
        check_same(token.claims(), claims);
        BOOST_TEST(token.compact() == compact);
        BOOST_TEST(token.signing_input() == compact.substr(0, compact.rfind('.')));
        BOOST_TEST((token.digest() == sha256(as_bytes(token.signing_input()))));
        BOOST_TEST((token.algorithm() == algorithm));
        BOOST_TEST(token.algorithm_text() == algorithm_name(algorithm));
        BOOST_TEST(token.has_jwk() == by_holder);
        BOOST_TEST((token.signer().has_value() == by_holder));
        if (by_holder) BOOST_TEST((*token.signer() == signer.public_key()));
        if (by_holder) BOOST_TEST((*token.signer_thumbprint() == signer.public_key().thumbprint()));
        BOOST_TEST(Jws::parse(compact).value().verifies_under(signer.public_key()));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_exact_octets_of_a_token) {
  const PublicKey key = PublicKey::ed25519({});
  Claims claims = root_claims(key);
  claims.authority.constraints.clear();
  const std::string unsigned_token = UnsignedToken::encode(claims, key, true).signing_input() + ".";
  const JwsParts parts = JwsParts::split(unsigned_token).value();
  BOOST_TEST(decoded(parts.header) ==
             R"({"alg":"Ed25519","jwk":{"crv":"Ed25519","kty":"OKP",)"
             R"("x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"typ":"at+jwt"})");
  BOOST_TEST(decoded(parts.payload) ==
             R"({"aud":"https://ledger.example.net","authorization_details":[{"constraints":[],)"
             R"("scopes":["ledger.*","docs.export"],"type":"agent_delegation"}],)"
             R"("client_id":"spiffe://example.net/agent/0","cnf":{"jkt":")" +
                 key.thumbprint().text() +
                 R"("},"del_depth":0,"del_max_depth":16,"exp":1800003600,"iat":1800000000,)"
                 R"("iss":"https://as.example.net","jti":"root","sub":"user:ana@example.net"})");
  const std::string by_issuer = UnsignedToken::encode(claims, key, false).signing_input() + ".";
  BOOST_TEST(decoded(JwsParts::split(by_issuer)->header) ==
             R"({"alg":"Ed25519","kid":")" + key.thumbprint().text() + R"(","typ":"at+jwt"})");
}

BOOST_AUTO_TEST_CASE(a_token_survives_being_copied_and_moved) {
  const IssuedChain chain = issue_chain(1);
  std::vector<Token> tokens;
  {
    Token first = chain.leaf();
    tokens.push_back(first);
    tokens.push_back(std::move(first));
  }
  for (const Token& token : tokens) {
    BOOST_TEST(token.compact() == chain.tokens[0]);
    BOOST_TEST(chain.tokens[0].starts_with(token.signing_input()));
    BOOST_TEST(token.claims().sub == "user:ana@example.net");
  }
}

BOOST_DATA_TEST_CASE(what_has_not_three_parts_is_malformed, data::make(kNotThreeParts), compact) {
  BOOST_TEST((Token::parse(compact).error().code == ErrorCode::kMalformed));
  BOOST_TEST((Jws::parse(compact).error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(errors_tell_forms_apart) {
  const auto code = [](std::string_view header, std::string_view payload) {
    return Token::parse(encoded(header) + "." + encoded(payload) + ".").error().code;
  };
  constexpr std::string_view kHeader = R"({"alg":"ES256","typ":"at+jwt"})";
  BOOST_TEST((code(kHeader, "{}") == ErrorCode::kMalformed));
  BOOST_TEST((code(R"({"typ":"at+jwt","alg":"ES256"})", "{}") == ErrorCode::kNonCanonical));
  BOOST_TEST((code(kHeader, "{ }") == ErrorCode::kNonCanonical));
  BOOST_TEST((code(kHeader, R"({"a":1,"a":1})") == ErrorCode::kDuplicateMember));
  BOOST_TEST((code(kHeader, R"({"a":NaN})") == ErrorCode::kNonFinite));
  BOOST_TEST((code("[]", "{}") == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ordinary_jws)

BOOST_AUTO_TEST_CASE(a_signature_verifies_under_its_own_key_and_algorithm_only) {
  const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  const std::string input = encoded(R"({ "alg": "ES256" })") + "." + encoded("{ }");
  const std::string compact = input + "." + base64url_encode(key.sign(as_bytes(input)).value());
  const Jws jws = Jws::parse(compact).value();
  BOOST_TEST(jws.verifies_under(key.public_key()));
  BOOST_TEST(!jws.verifies_under(SigningKey::generate(Algorithm::kES256).value().public_key()));
  BOOST_TEST(!jws.verifies_under(SigningKey::generate(Algorithm::kEd25519).value().public_key()));
  BOOST_TEST((Jws::parse(compact + "=").error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(extensions_are_refused_before_the_signature_is_looked_at) {
  const SigningKey key = SigningKey::generate(Algorithm::kEd25519).value();
  for (const std::string_view header :
       {R"({"alg":"Ed25519","b64":true})", R"({"alg":"Ed25519","crit":["exp"]})", "{}"}) {
    const std::string input = encoded(header) + "." + encoded("{}");
    const std::string compact = input + "." + base64url_encode(key.sign(as_bytes(input)).value());
    BOOST_TEST((Jws::parse(compact).error().code == ErrorCode::kMalformed), header);
  }
}

BOOST_AUTO_TEST_CASE(the_size_limit_is_exact) {
  const std::string compact = "e30.e30." + std::string(100, 'A');
  BOOST_TEST(JwsParts::split(compact, 108).has_value());
  BOOST_TEST((JwsParts::split(compact, 107).error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
