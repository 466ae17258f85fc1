#include <algorithm>

#include <chancery/proof.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/verify/dpop.hpp"
#include "sdk/verify/htu.hpp"

namespace chancery {
namespace {

Error invalid(const char* what) { return Error{ErrorCode::kInvalidArgument, what}; }

// RFC 9110 section 9.1: a method is a token.
bool is_method(std::string_view method) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  const auto allowed = [&](char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return alphanumeric || kSymbols.find(c) != std::string_view::npos;
  };
  return !method.empty() && std::ranges::all_of(method, allowed);
}

Status check(const ProofClaims& claims) {
  if (!is_method(claims.htm)) return invalid("`htm` must be an HTTP method");
  if (!normalize_htu(claims.htu)) return invalid("`htu` must be an absolute http(s) URI");
  if (claims.jti.empty()) return invalid("`jti` must be fresh and random, not empty");
  if (claims.ada && !base64url_decode_exactly<32>(*claims.ada))
    return invalid("`ada` must be the base64url SHA-256 of the action");
  return {};
}

}  // namespace

Result<std::string> action_digest(std::string_view scope, const Parameters& parameters) {
  json::Node params = json::Node::object();
  for (const auto& [name, value] : parameters) {
    if (value.jcs.empty())
      return Error{ErrorCode::kNonFinite, "give every parameter a value that JSON can say"};
    params.set(name, json::Node::canonical(value.jcs));
  }
  const json::Node action = json::Node::object({{"scope", scope}, {"params", std::move(params)}});
  return base64url_encode(sha256(as_bytes(json::to_jcs(action))));
}

Result<UnsignedProof> UnsignedProof::encode(const ProofClaims& claims, std::string_view leaf,
                                            const PublicKey& holder, std::chrono::sys_seconds now) {
  CHANCERY_TRY(check(claims));
  const json::Node header = json::Node::object({{"typ", "dpop+jwt"},
                                                {"alg", algorithm_name(holder.algorithm())},
                                                {"jwk", json::Node::canonical(holder.jwk())}});
  json::Node payload = json::Node::object({{"jti", claims.jti},
                                           {"htm", claims.htm},
                                           {"htu", claims.htu},
                                           {"iat", now.time_since_epoch().count()},
                                           {"ath", access_token_hash(leaf)}});
  if (claims.nonce) payload.set("nonce", *claims.nonce);
  if (claims.ada) payload.set("ada", *claims.ada);
  UnsignedProof proof;
  proof.signing_input_ = signing_input_of(header, payload);
  return proof;
}

std::string UnsignedProof::with(const Signature& signature) const {
  return signing_input_ + "." + base64url_encode(signature);
}

}  // namespace chancery
