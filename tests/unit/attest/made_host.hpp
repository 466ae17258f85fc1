#pragma once

#include <vector>

#include "attest/verify/key_evidence.hpp"
#include "tests/unit/attest/made_evidence.hpp"

namespace chancery::tests {

/// A host whose TPM is made of keys in software, enrolled with a verifier; what it says can be made wrong before it is
/// signed.
struct MadeHost {
  MadeHost();

  openssl::Pkey ak_key;
  attest::EnrolledHost enrolled;
  attest::Policy policy;
  Bytes nonce;

  TPMT_PUBLIC key;      ///< the agent's
  Bytes parent;         ///< the qualified name that it is certified under
  TPMS_ATTEST certify;  ///< without Names, which are made of `key` and `parent`
  TPMS_ATTEST quote;    ///< without its digest
  attest::PcrValues values;
  Bytes policy_digest;  ///< that the key is said to have
  bool has_quote = true;
  bool is_by_creation = false;        ///< it is certified how the key was made, in place of the key
  bool shows_other_creation = false;  ///< creation data that are not those which are certified

  [[nodiscard]] attest::KeyEvidence evidence() const;
  [[nodiscard]] attest::Judged<attest::AttestedKey> judged() const {
    return attest::verify_evidence(evidence(), enrolled, policy, nonce);
  }
};

/// The checks that the cases of key_evidence.cpp fail.
[[nodiscard]] std::vector<attest::Check> checks_of_key_evidence();
/// Those that the cases of the other files fail.
[[nodiscard]] std::vector<attest::Check> checks_of_endorsement();
[[nodiscard]] std::vector<attest::Check> checks_of_measurements();
[[nodiscard]] std::vector<attest::Check> checks_of_claims();

}  // namespace chancery::tests
