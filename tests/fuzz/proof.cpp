#include <string>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/dpop.hpp"
#include "sdk/verify/htu.hpp"
#include "tests/fuzz/signed_chain.hpp"
#include "tests/fuzz/target.hpp"

// An input is a compact proof; or, with a line end in it, a header and a payload, in which `@JWK` and `@ATH`
// stand for the holder's key and the token's hash, and which the target signs.

namespace chancery::fuzz {
namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1800000000}};

const Token& leaf() {
  static const Token token =
      Token::parse(
          signed_chain(R"({"aud":"a","authorization_details":[{"scopes":["a.b"],"type":"agent_delegation"}],)"
                       R"("client_id":"c","cnf":{"jkt":"@JKT"},"del_depth":0,"del_max_depth":4,)"
                       R"("exp":1800000600,"iat":1,"iss":"i","jti":"j","sub":"s"})")[0])
          .value();
  return token;
}

std::string proof_of(std::string_view input) {
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) return std::string(input);
  const SigningKey& holder = hop_keys().signers[1];
  const std::string header =
      filled(std::string(input.substr(0, line_end)), "@JWK", holder.public_key().jwk());
  const std::string payload = filled(std::string(input.substr(line_end + 1)), "@ATH",
                                     base64url_encode(sha256(as_bytes(leaf().compact()))));
  return signed_jws(header, payload, holder);
}

void check_uri(std::string_view uri) {
  const auto normal = normalize_htu(uri);
  if (normal) require(normalize_htu(*normal) == normal);
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view input = fuzz::text_of(data, size);
  fuzz::check_uri(input);
  ActionRequest request;
  request.dpop = DpopPresentation{fuzz::proof_of(input), "POST", "https://a.example/x?y", std::nullopt};
  std::size_t asked = 0;
  request.seen = [&](const Thumbprint& key, std::string_view jti) {
    fuzz::require(key == fuzz::leaf().claims().holder && !jti.empty());
    ++asked;
    return false;
  };
  const auto failure = check_proof(request, fuzz::leaf(), fuzz::kNow, {});
  fuzz::require(asked ==
                (failure ? 0u : 1u));  // the last test of all, so only of a proof that holds otherwise
  if (failure) return 0;
  request.dpop->htm = "GET";
  fuzz::require(check_proof(request, fuzz::leaf(), fuzz::kNow, {}).has_value());
  request.dpop->htm = "POST";
  request.seen = [](const Thumbprint&, std::string_view) { return true; };
  fuzz::require(check_proof(request, fuzz::leaf(), fuzz::kNow, {}).has_value());
  return 0;
}
