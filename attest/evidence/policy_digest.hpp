#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/refusal.hpp"
#include "attest/evidence/signing_area.hpp"

// Keys that a TPM signs with only under the signatures of approvers (docs/protocol/gated-keys.md): everything that an
// approver's tool, the daemon and the TPM must compute alike. Approvers' own keys are in signing_area.hpp. Pure and thread-safe.

namespace chancery::attest {

/// Who opens a gate that a TPM enforces. In which order they stand says nothing.
struct GatePolicy {
  std::vector<PublicKey> approvers;  ///< 1 to kMostGateApprovers P-256 keys, each once
  std::uint32_t quorum = 1;          ///< how many of them it takes
  std::string gate;                  ///< its name, which is the policyRef: 1 to kMostGateName octets
};

inline constexpr std::size_t kMostGateApprovers = 4;
/// What a policyRef holds on every TPM: as many octets as its largest hash gives, SHA-256 at least.
inline constexpr std::size_t kMostGateName = 32;

/// Approvers whose signatures are enough.
struct GateChoice {
  std::vector<PublicKey> signers;  ///< in the order in which the TPM takes their signatures
  Sha256Digest digest{};           ///< of TPM2_PolicySigned by each of them
};

/// Every set of `quorum` approvers, in the order in which TPM2_PolicyOR takes their digests: approvers by their Names, sets
/// as a dictionary has them. One set alone is the policy itself, without a TPM2_PolicyOR.
/// \return the sets; kInvalidArgument for a policy that is none, kUnsupportedAlgorithm for a key that is not P-256,
///         kInvalidKey for one that is no point of it
[[nodiscard]] Result<std::vector<GateChoice>> gate_choices(const GatePolicy& policy);

/// The authPolicy of a key behind this gate. \return as gate_choices()
[[nodiscard]] Result<Sha256Digest> gate_policy_digest(const GatePolicy& policy);

// --- public areas

/// What a gated key must be, but for its point: P-256 with ECDSA over SHA-256, made in and bound to its TPM, and of use by
/// this policy alone.
[[nodiscard]] TPMT_PUBLIC gated_key_area(const Sha256Digest& policy);

/// What an approver's tool keeps of a gated key when it is enrolled.
struct GatedKey {
  Name name{};
  PublicKey key;
};

/// Judges a public area: that it is well formed (kMalformed), of a key that signs (kKeyType), with the attributes of a gated
/// key and no other (kKeyAttributes: userWithAuth, say, would open it past its policy), and with this policy (kKeyPolicy, also
/// for a policy that is none).
/// That the key is in a TPM is not judged: a statement of the TPM's about this Name says so (attest/verify).
/// \param area  TPMT_PUBLIC
[[nodiscard]] Judged<GatedKey> judge_gated_key(ByteView area, const GatePolicy& policy);

// --- what is signed

/// cpHash of the TPM2_Sign with which a gated key signs this digest (Part 1, 16.7): the command as the daemon sends it.
[[nodiscard]] Sha256Digest sign_command_digest(const Name& key, const Sha256Digest& digest);

/// What an approver signs, by ECDSA over SHA-256, so that the TPM signs `signing_input` with `key` and nothing else (aHash of
/// TPM2_PolicySigned, Part 3, 23.3, without nonceTPM and for good). An approver's tool computes it from what it has seen and
/// from the Name that it keeps, and takes none of it from elsewhere.
/// \param signing_input  of the token, a JWS (RFC 7515, 5.1)
[[nodiscard]] Bytes policy_signature_input(const Name& key, ByteView signing_input, std::string_view gate);
/// SHA-256 of it, for who signs digests.
[[nodiscard]] Sha256Digest policy_signature_digest(const Name& key, ByteView signing_input,
                                                   std::string_view gate);

}  // namespace chancery::attest
