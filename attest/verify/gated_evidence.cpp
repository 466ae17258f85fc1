#include "attest/verify/gated_evidence.hpp"

#include <utility>

namespace chancery::attest {

Judged<AttestedGatedKey> verify_gated_evidence(KeyEvidence evidence, const EnrolledHost& host,
                                               const GatePolicy& policy, ByteView nonce) {
  AttestedGatedKey out;
  CHANCERY_ASSIGN(out.key, judge_gated_key(evidence.key_public, policy));
  const auto digest = gate_policy_digest(policy);
  if (!digest) return Refusal{Check::kKeyPolicy, digest.error().what};
  evidence.policy_digest.assign(digest->begin(), digest->end());
  CHANCERY_ASSIGN(const AttestedKey attested, verify_evidence(evidence, host, Policy{}, nonce));
  out.custody = attested.custody;
  out.state = attested.state;
  return out;
}

}  // namespace chancery::attest
