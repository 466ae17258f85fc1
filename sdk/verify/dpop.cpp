#include "sdk/verify/dpop.hpp"

#include <chancery/proof.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/verify/htu.hpp"

namespace chancery {
namespace {

using Failure = std::optional<ProofFailure>;

std::optional<std::string_view> text_claim(const Jws& proof, std::string_view name) {
  const json::Value* claim = proof.payload.root().find(name);
  return claim == nullptr ? std::nullopt : claim->string();
}

std::string seconds_text(double seconds) { return json::to_jcs(json::Node(seconds)); }

Failure check_form(const Jws& proof, const VerifyOptions& options) {
  const json::Value* typ = proof.header.root().find("typ");
  if (typ == nullptr || typ->string() != "dpop+jwt")
    return ProofFailure{"the proof's `typ` must be dpop+jwt", "dpop+jwt", {}};
  const bool accepted = proof.algorithm && (*proof.algorithm == Algorithm::kES256 ? options.accept_es256
                                                                                  : options.accept_ed25519);
  if (!accepted) return ProofFailure{"the proof's `alg` is not accepted", "ES256 or Ed25519", {}};
  return std::nullopt;
}

Failure check_key(const Jws& proof, const Token& leaf, const VerifyOptions& options) {
  if (Failure failure = check_form(proof, options)) return failure;
  const HeaderKey jwk = header_key(proof.header.root());
  if (!jwk.key)
    return ProofFailure{"the proof's header must carry the holder's public key as `jwk`",
                        "the JWK of holder key " + leaf.claims().holder.text(),
                        {}};
  const Thumbprint thumbprint = jwk.key->thumbprint();
  if (thumbprint != leaf.claims().holder) {
    return ProofFailure{"the proof is by another key than the leaf's holder key", leaf.claims().holder.text(),
                        thumbprint.text()};
  }
  if (!proof.verifies_under(*jwk.key))
    return ProofFailure{
        "the proof's signature does not verify", "a signature by holder key " + thumbprint.text(), {}};
  return std::nullopt;
}

Failure check_target(const Jws& proof, const DpopPresentation& dpop) {
  const auto htm = text_claim(proof, "htm");
  if (htm != dpop.htm)
    return ProofFailure{"the proof is for another HTTP method", dpop.htm, std::string(htm.value_or(""))};
  const auto htu = text_claim(proof, "htu");
  const auto proved = normalize_htu(htu.value_or(""));
  if (!proved || proved != normalize_htu(dpop.htu)) {
    return ProofFailure{"the proof is for another URI", dpop.htu, std::string(htu.value_or(""))};
  }
  return std::nullopt;
}

Failure check_freshness(const Jws& proof, const DpopPresentation& dpop, std::chrono::sys_seconds now) {
  const json::Value* iat = proof.payload.root().find("iat");
  const auto issued = iat == nullptr ? std::nullopt : iat->number();
  if (!issued) return ProofFailure{"the proof's `iat` must be a number", "when the proof was made", "none"};
  const auto at = static_cast<double>(now.time_since_epoch().count());
  const double first = at - static_cast<double>(dpop.iat_past.count());
  const double last = at + static_cast<double>(dpop.iat_future.count());
  if (*issued < first || *issued > last) {
    return ProofFailure{"the proof's `iat` is outside the accepted window",
                        seconds_text(first) + " to " + seconds_text(last), seconds_text(*issued)};
  }
  if (dpop.nonce && text_claim(proof, "nonce") != *dpop.nonce) {
    return ProofFailure{"the proof does not carry the nonce that the server gave", *dpop.nonce,
                        std::string(text_claim(proof, "nonce").value_or("none"))};
  }
  return std::nullopt;
}

// A proof that names an action is good for no other; one that names none, for any unless the request demands it.
Failure check_bound_action(const Jws& proof, const ActionRequest& request) {
  const json::Value* ada = proof.payload.root().find("ada");
  if (ada == nullptr && !request.ada_required) return std::nullopt;
  const auto digest = action_digest(request.scope, request.parameters);
  const std::string expected = digest ? *digest : "an action whose parameters have a canonical form";
  if (ada == nullptr)
    return ProofFailure{"the proof does not name the action that it is for", expected, "none"};
  if (digest && ada->string() == *digest) return std::nullopt;
  return ProofFailure{"the proof is for another action", expected, std::string(ada->string().value_or(""))};
}

}  // namespace

std::string access_token_hash(std::string_view compact) {
  return base64url_encode(sha256(as_bytes(compact)));
}

std::optional<ProofFailure> check_proof(const ActionRequest& request, const Token& leaf,
                                        std::chrono::sys_seconds now, const VerifyOptions& options) {
  if (!request.dpop)
    return ProofFailure{"no proof of possession was presented", "a DPoP proof by the leaf's holder key",
                        "none"};
  const DpopPresentation& dpop = *request.dpop;
  const auto proof = Jws::parse(dpop.proof);
  if (!proof)
    return ProofFailure{"the proof is not a well-formed JWS", "a compact dpop+jwt", proof.error().what};
  if (Failure failure = check_key(*proof, leaf, options)) return failure;
  if (Failure failure = check_target(*proof, dpop)) return failure;
  if (Failure failure = check_freshness(*proof, dpop, now)) return failure;
  if (text_claim(*proof, "ath") != access_token_hash(leaf.compact())) {
    return ProofFailure{"the proof's `ath` is not the hash of the chain's last token",
                        access_token_hash(leaf.compact()),
                        std::string(text_claim(*proof, "ath").value_or(""))};
  }
  if (Failure failure = check_bound_action(*proof, request)) return failure;
  const auto jti = text_claim(*proof, "jti");
  if (!jti || jti->empty())
    return ProofFailure{"the proof's `jti` must be a non-empty string", "a fresh `jti`", "none"};
  if (request.seen && request.seen(leaf.claims().holder, *jti)) {
    return ProofFailure{"this proof was used before", "a fresh `jti`", std::string(*jti)};
  }
  return std::nullopt;
}

Result<ProvedKey> check_new_key(const DpopPresentation& dpop, std::optional<std::string_view> bound_to,
                                std::chrono::sys_seconds now, const VerifyOptions& options) {
  const auto refused = [](const char* what) { return Error{ErrorCode::kProofRefused, what}; };
  const auto proof = Jws::parse(dpop.proof);
  if (!proof) return refused("the proof is not a well-formed JWS");
  if (const Failure failure = check_form(*proof, options)) return refused(failure->reason);
  const HeaderKey jwk = header_key(proof->header.root());
  if (!jwk.key || !proof->verifies_under(*jwk.key)) {
    return refused("the proof must carry the new key as `jwk` in its header, and be signed with it");
  }
  if (const Failure failure = check_target(*proof, dpop)) return refused(failure->reason);
  if (const Failure failure = check_freshness(*proof, dpop, now)) return refused(failure->reason);
  if (bound_to && text_claim(*proof, "ath") != access_token_hash(*bound_to)) {
    return refused("the proof's `ath` is not the hash of the token that it is for");
  }
  const auto jti = text_claim(*proof, "jti");
  if (!jti || jti->empty()) return refused("the proof's `jti` must be a non-empty string");
  return ProvedKey{*jwk.key, std::string(*jti)};
}

}  // namespace chancery
