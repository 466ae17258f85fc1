#pragma once

#include <chancery/bytes.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/key_evidence.hpp"

namespace chancery::attest {

/// A gated key of which it is proved where it is, and what opens it.
struct AttestedGatedKey {
  GatedKey key;
  Custody custody = Custody::kSoftware;
  HostState state;
};

/// Judges evidence for a key behind a gate, in this order: the key's public area is that of a gated key behind this policy, as
/// judge_gated_key() has it; the rest is as good as verify_evidence() asks, with the policy's digest as the one that the key must have.
/// Pure and thread-safe; one verification of a signature.
/// \param evidence  its `policy_digest` is not looked at: it follows from the policy
/// \param host      in whose TPM the key is said to be
/// \param nonce     that this evidence was asked for with, and no other was
[[nodiscard]] Judged<AttestedGatedKey> verify_gated_evidence(KeyEvidence evidence, const EnrolledHost& host,
                                                             const GatePolicy& policy, ByteView nonce);

}  // namespace chancery::attest
