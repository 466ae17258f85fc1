#include "daemon/service/key_proof.hpp"

#include "sdk/crypto/hash.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::service {

Result<std::string> require_nonce(const Nonces& nonces, const std::string& proof,
                                  std::chrono::sys_seconds now) {
  const auto jws = Jws::parse(proof);
  const json::Value* claim = jws ? jws->payload.root().find("nonce") : nullptr;
  const auto nonce = claim == nullptr ? std::nullopt : claim->string();
  if (nonce && nonces.accepts(*nonce, now)) return std::string(*nonce);
  return Error{ErrorCode::kNonceRequired,
               "make the proof with the nonce of the `DPoP-Nonce` header, and send the request again"};
}

std::chrono::sys_seconds expiry_of(const DpopPresentation& dpop, std::chrono::sys_seconds now) {
  return now + dpop.iat_past + dpop.iat_future;
}

Status require_first_use(Office& office, const Thumbprint& key, std::string_view jti,
                         const DpopPresentation& dpop, std::chrono::sys_seconds now) {
  const store::ProofUse use{key, sha256(as_bytes(jti)), now, expiry_of(dpop, now)};
  CHANCERY_ASSIGN(const store::ProofRecord recorded, office.proofs.record(use));
  switch (recorded) {
    case store::ProofRecord::kRecorded:
      return {};
    case store::ProofRecord::kUsedBefore:
      return Error{ErrorCode::kProofRefused, "this proof was used before: make a fresh one"};
    case store::ProofRecord::kTooMany:
      break;
  }
  return Error{ErrorCode::kOverloaded, "this key has used too many proofs of late: wait for some minutes"};
}

Result<ProvedKey> find_new_key(const Office& office, const NewKeyProof& presented,
                               std::chrono::sys_seconds now) {
  Error last{ErrorCode::kProofRefused, "the proof is for another address than this daemon's"};
  const auto policy = office.policy.current();
  for (std::string url : policy->public_urls) {
    const DpopPresentation dpop{presented.proof, "POST", url.append(presented.path), presented.nonce};
    auto key = check_new_key(dpop, presented.bound_to, now, policy->verify);
    if (key) return key;
    last = key.error();
  }
  return last;
}

}  // namespace chancery::service
