#include "daemon/service/authenticate.hpp"

#include "sdk/crypto/hash.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/verify/dpop.hpp"

namespace chancery::service {
namespace {

using std::chrono::sys_seconds;

Error refused_chain(const Denial& denial) {
  return Error{
      ErrorCode::kChainRefused,
      denial.outcome == Outcome::kExpired
          ? "the chain has expired: obtain a new one"
          : "the chain does not begin with this daemon's own key, or does not verify: `chancery explain` "
            "says why",
      0, static_cast<std::int16_t>(denial.hop)};
}

// The nonce that the proof carries, if it is one of ours.
std::optional<std::string> nonce_of(const Nonces& nonces, const std::string& proof, sys_seconds now) {
  const auto jws = Jws::parse(proof);
  if (!jws) return std::nullopt;
  const json::Value* claim = jws->payload.root().find("nonce");
  const auto nonce = claim == nullptr ? std::nullopt : claim->string();
  if (!nonce || !nonces.accepts(*nonce, now)) return std::nullopt;
  return std::string(*nonce);
}

/// Sees to it that a proof counts once, and keeps why it does not.
class OneUse {
 public:
  OneUse(store::ProofBook& proofs, const DpopPresentation& dpop, sys_seconds now)
      : proofs_(proofs), expires_at_(now + dpop.iat_past + dpop.iat_future), now_(now) {}

  bool was_seen(const Thumbprint& holder, std::string_view jti) {
    const auto recorded = proofs_.record({holder, sha256(as_bytes(jti)), now_, expires_at_});
    if (!recorded) {
      failure_ = recorded.error();
    } else if (*recorded == store::ProofRecord::kTooMany) {
      failure_ = {ErrorCode::kOverloaded, "this key has used too many proofs of late: wait for some minutes"};
    }
    return failure_ || *recorded == store::ProofRecord::kUsedBefore;
  }

  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  store::ProofBook& proofs_;
  const sys_seconds expires_at_;
  const sys_seconds now_;
  std::optional<Error> failure_;
};

}  // namespace

Result<VerifiedChain> authenticate(Office& office, const Presentation& presentation,
                                   std::chrono::sys_seconds now) {
  const Verdict verdict = verify_chain(presentation.chain, office.trust.own(), now, office.policy.verify);
  if (!verdict.valid()) return refused_chain(verdict.denial());
  ActionRequest request;
  request.dpop = DpopPresentation{presentation.proof, presentation.method, presentation.uri, {}};
  request.dpop->nonce = nonce_of(office.nonces, presentation.proof, now);
  if (!request.dpop->nonce) {
    return Error{ErrorCode::kNonceRequired,
                 "make the proof with the nonce of the `DPoP-Nonce` header, and send the request again"};
  }
  OneUse use(office.proofs, *request.dpop, now);
  request.seen = [&](const Thumbprint& holder, std::string_view jti) { return use.was_seen(holder, jti); };
  const auto failure = check_proof(request, verdict.chain().leaf(), now, office.policy.verify);
  if (!failure) return verdict.chain();
  if (use.failure()) return *use.failure();
  return Error{ErrorCode::kProofRefused, failure->reason};
}

}  // namespace chancery::service
