#include <algorithm>
#include <array>

#include <chancery/keys.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery {
namespace {

constexpr std::array<std::string_view, 8> kPrivateMembers{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

Error invalid(const char* what) { return Error{ErrorCode::kInvalidKey, what}; }

bool says(const json::Value& jwk, std::string_view name, std::string_view want) {
  const json::Value* member = jwk.find(name);
  return member != nullptr && member->string() == want;
}

std::optional<std::array<std::uint8_t, 32>> coordinate(const json::Value& jwk, std::string_view name) {
  const json::Value* member = jwk.find(name);
  if (member == nullptr || !member->string()) return std::nullopt;
  return base64url_decode_exactly<32>(*member->string());
}

// RFC 7517 sections 4.2 and 4.3: what a key says that it is for must include verification.
bool may_verify(const json::Value& jwk) {
  if (jwk.find("use") != nullptr && !says(jwk, "use", "sig")) return false;
  const json::Value* operations = jwk.find("key_ops");
  return operations == nullptr || std::ranges::any_of(operations->items(), [](const json::Value& operation) {
           return operation.string() == "verify";
         });
}

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::kES256:
      return "ES256";
    case Algorithm::kEd25519:
      return "Ed25519";
  }
  return "";
}

std::optional<Algorithm> algorithm_from_name(std::string_view name) noexcept {
  if (name == "ES256") return Algorithm::kES256;
  if (name == "Ed25519") return Algorithm::kEd25519;
  return std::nullopt;
}

std::string Thumbprint::text() const { return base64url_encode(octets); }

PublicKey PublicKey::p256(const std::array<std::uint8_t, 32>& x,
                          const std::array<std::uint8_t, 32>& y) noexcept {
  PublicKey key;
  key.algorithm_ = Algorithm::kES256;
  std::ranges::copy(x, key.octets_.begin());
  std::ranges::copy(y, key.octets_.begin() + 32);
  return key;
}

PublicKey PublicKey::ed25519(const std::array<std::uint8_t, 32>& x) noexcept {
  PublicKey key;
  key.algorithm_ = Algorithm::kEd25519;
  std::ranges::copy(x, key.octets_.begin());
  return key;
}

std::string PublicKey::jwk() const {
  std::string jwk;
  jwk.reserve(140);
  switch (algorithm_) {
    case Algorithm::kES256:
      jwk.append(R"({"crv":"P-256","kty":"EC","x":")").append(base64url_encode(x()));
      jwk.append(R"(","y":")").append(base64url_encode(y())).append(R"("})");
      break;
    case Algorithm::kEd25519:
      jwk.append(R"({"crv":"Ed25519","kty":"OKP","x":")").append(base64url_encode(x())).append(R"("})");
      break;
  }
  return jwk;
}

Thumbprint PublicKey::thumbprint() const { return {sha256(as_bytes(jwk()))}; }

Result<PublicKey> public_key_from_jwk(const json::Value& jwk) {
  if (!jwk.is(json::Value::Kind::kObject)) return invalid("a JWK is a JSON object");
  for (const std::string_view name : kPrivateMembers) {
    if (jwk.find(name) != nullptr)
      return invalid("the JWK holds a private or symmetric key: give the public key only");
  }
  if (!may_verify(jwk)) return invalid("the JWK's `use` or `key_ops` forbids verification");
  const bool ec = says(jwk, "kty", "EC") && says(jwk, "crv", "P-256");
  if (!ec && !(says(jwk, "kty", "OKP") && says(jwk, "crv", "Ed25519"))) {
    return Error{ErrorCode::kUnsupportedAlgorithm, "unsupported key type: use EC P-256 or OKP Ed25519"};
  }
  const Algorithm algorithm = ec ? Algorithm::kES256 : Algorithm::kEd25519;
  if (jwk.find("alg") != nullptr && !says(jwk, "alg", algorithm_name(algorithm))) {
    return invalid("the JWK's `alg` contradicts its key type: P-256 has ES256, Ed25519 has Ed25519");
  }
  const auto x = coordinate(jwk, "x");
  if (!x) return invalid("the JWK's `x` is not 32 octets of base64url");
  if (!ec) return PublicKey::ed25519(*x);
  const auto y = coordinate(jwk, "y");
  if (!y) return invalid("the JWK's `y` is not 32 octets of base64url");
  return PublicKey::p256(*x, *y);
}

Result<std::vector<PublicKey>> read_key_set(const json::Value& keys) {
  if (!keys.is(json::Value::Kind::kArray))
    return Error{ErrorCode::kMalformed, "a key set's `keys` is an array of JWKs"};
  std::vector<PublicKey> out;
  for (const json::Value& item : keys.items()) {
    if (item.is(json::Value::Kind::kObject) && !may_verify(item)) continue;
    const auto key = public_key_from_jwk(item);
    if (key) out.push_back(*key);
    if (!key && key.error().code != ErrorCode::kUnsupportedAlgorithm) return key.error();
  }
  return out;
}

Result<PublicKey> parse_jwk(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  CHANCERY_ASSIGN(const PublicKey key, public_key_from_jwk(document.root()));
  CHANCERY_TRY(check_point(key));
  return key;
}

Result<std::vector<PublicKey>> parse_key_set(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const json::Value* keys = document.root().find("keys");
  if (keys == nullptr) return Error{ErrorCode::kMalformed, "a JWK Set has `keys`"};
  return read_key_set(*keys);
}

}  // namespace chancery
