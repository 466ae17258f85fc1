#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api_approvals.hpp>
#include <chancery/custody.hpp>
#include <chancery/token.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "sdk/cli/approver_identity.hpp"
#include "sdk/cli/failure.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {

/// What a device proved of a gate's key when it was pinned.
struct GateEvidence {
  Custody custody = Custody::kSoftware;  ///< kTpmCertified, or kTpmCertifiedEmulated for a simulator's
  std::string endorsement;               ///< why the device is believed: "root", "pinned"
  std::string ek;  ///< fingerprint of its EK's certificate, else of the EK's public area
  std::chrono::sys_seconds at{};
};

/// A gate that a TPM enforces, as an approver has looked at it once: who opens it, how many of them it takes, and its key. What
/// an approver signs for it is computed from this, and from nothing that the daemon says later.
struct PinnedGate {
  std::string issuer;  ///< of the daemon
  attest::GatePolicy policy;
  attest::GatedKey key;                    ///< its Name follows from policy and point
  std::optional<GateEvidence> evidence{};  ///< none: that the key is in a TPM is the daemon's word
};

/// Computes the Name that a key behind this policy has.
/// \return what attest::gate_choices() says; kInvalidKey for a point that is none
[[nodiscard]] Result<PinnedGate> gate_behind(std::string issuer, attest::GatePolicy policy,
                                             const PublicKey& key);

/// The policy that a gate must have: of each approver whom it names, one by one or by a group, the P-256 key that was enrolled last
/// and is no passkey. A TPM counts keys and not persons, so that nobody has two there; who has none cannot open it.
/// \param approvers  with their active keys, in the order in which they were enrolled
/// \return misuse for a gate that no TPM enforces; kMalformed, kInvalidKey for an approver's key that is none
[[nodiscard]] Checked<attest::GatePolicy> policy_of(const api::Gate& gate,
                                                    const std::vector<api::Approver>& approvers);

/// What is pinned of a daemon's gate; nothing when it is not. Pins are files of this user's settings, in `gates`.
/// \return kMalformed for a pin that says nothing, or not what it should; else what keeps it from being read
[[nodiscard]] Checked<std::optional<PinnedGate>> pinned_gate(const std::string& issuer,
                                                             const std::string& gate);
[[nodiscard]] Checked<void> pin_gate(const PinnedGate& gate);

/// What the pin rests on, in a few words for people.
[[nodiscard]] std::string evidence_text(const std::optional<GateEvidence>& evidence);
/// The same as JSON. \return null for a pin without evidence
[[nodiscard]] json::Node evidence_node(const std::optional<GateEvidence>& evidence);

/// The signature by which this approver lets the gate's key sign this token, and nothing else: raw, base64url. Everything that is
/// signed is computed from the token's octets and the pin.
/// \param token  of the request's document, as read_unsigned_token() gives it
/// \return misuse when the approver's key is none of the gate's; kBadResponse when the token names another key than the gate's;
///         what HolderKey::sign() says
[[nodiscard]] Checked<std::string> sign_for_gate(const ApproverIdentity& approver, const PinnedGate& gate,
                                                 const Token& token);

}  // namespace chancery::cli
