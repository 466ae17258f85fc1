#include "daemon/service/authenticate.hpp"

#include "daemon/service/key_proof.hpp"
#include "sdk/verify/dpop.hpp"

namespace chancery::service {
namespace {

Error refused_chain(const Denial& denial) {
  return Error{
      ErrorCode::kChainRefused,
      denial.outcome == Outcome::kExpired
          ? "the chain has expired: obtain a new one"
          : "the chain does not begin with this daemon's own key, or does not verify: `chancery explain` "
            "says why",
      0, static_cast<std::int16_t>(denial.hop)};
}

}  // namespace

Result<VerifiedChain> require_own_chain(const Office& office, std::span<const std::string_view> chain,
                                        std::chrono::sys_seconds now) {
  const Verdict verdict = judge_use(office, chain, office.trust.own(), now, office.policy->verify);
  if (!verdict.valid()) return refused_chain(verdict.denial());
  return verdict.chain();
}

Result<VerifiedChain> authenticate(Office& office, const Presentation& presentation,
                                   std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(VerifiedChain chain, require_own_chain(office, presentation.chain, now));
  ActionRequest request;
  request.dpop = DpopPresentation{presentation.proof, presentation.method, presentation.uri, {}};
  CHANCERY_ASSIGN(request.dpop->nonce, require_nonce(office.nonces, presentation.proof, now));
  Status first_use;
  request.seen = [&](const Thumbprint& holder, std::string_view jti) {
    first_use = require_first_use(office, holder, jti, *request.dpop, now);
    return !first_use;
  };
  const auto failure = check_proof(request, chain.leaf(), now, office.policy->verify);
  CHANCERY_TRY(first_use);
  if (failure) return Error{ErrorCode::kProofRefused, failure->reason};
  return chain;
}

}  // namespace chancery::service
