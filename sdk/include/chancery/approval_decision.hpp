#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/approver_enrolment.hpp>
#include <chancery/keys.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

namespace chancery {

// What a person decided about a request that waits (docs/protocol/decisions.md). Pure.

enum class ApprovalVerdict : std::uint8_t { kApprove, kDeny };

/// "approve", "deny".
[[nodiscard]] std::string_view verdict_name(ApprovalVerdict verdict) noexcept;

/// A decision: a JWS, `typ` "chancery-decision+jwt", by the approver's own key.
struct ApprovalDecision {
  std::string approver;        ///< `iss`: the principal, KIND:NAME; at most 256 octets without space
  std::string request;         ///< its id, 32 hexadecimal digits
  std::string request_sha256;  ///< of its document, 64 hexadecimal digits
  std::string reason;          ///< one line of at most 512 octets; may be empty
  ApprovalVerdict verdict = ApprovalVerdict::kDeny;
  std::chrono::sys_seconds issued_at{};
  Thumbprint key;           ///< `kid`
  bool by_passkey = false;  ///< `alg` is chancery-webauthn-es256
  bool operator==(const ApprovalDecision&) const = default;
};

/// The longest decision, and the longest authorization, that is looked at.
inline constexpr std::size_t kMaxDecisionSize = 16384;

/// Whether a text may stand as a decision's reason: at most 512 octets of UTF-8, none of them a control character or
/// one that turns the direction of writing.
[[nodiscard]] bool is_decision_reason(std::string_view text);

/// Reads the shape alone; nothing is verified. Header and payload are in JCS and have the members that the format names,
/// and no other.
/// \return kMalformed (which part), kNonCanonical, kDuplicateMember, kUnsupportedAlgorithm, kTooLarge
[[nodiscard]] Result<ApprovalDecision> read_approval_decision(std::string_view jws);

/// The JWS signing input: what a key signs, and whose SHA-256 is the challenge for a passkey.
/// \param algorithm  of the key; ES256 for a passkey
[[nodiscard]] std::string approval_decision_input(const ApprovalDecision& decision, Algorithm algorithm);

/// Whether `key` signed it: read_approval_decision(), `kid` is the key's thumbprint, `alg` the key's, and the signature; of a passkey
/// its assertion over the signing input's SHA-256 (verify_passkey_assertion). What the decision is about, when, and whether
/// the approver may, are the caller's to judge.
/// \param passkeys  none: no passkey is accepted
/// \return what these say; kSignatureInvalid, kUnsupportedAlgorithm
[[nodiscard]] Status verify_approval_decision(std::string_view jws, const PublicKey& key,
                                              const std::optional<RelyingParty>& passkeys);

/// The same for whichever party a passkey answered: of RP id and origin alone it may be another (verify_passkey_signature). It tells a
/// decision that was made under another configuration from one that the key did not sign; it is no ground to count one.
[[nodiscard]] Status verify_approval_decision_of_any_party(std::string_view jws, const PublicKey& key);

/// The challenge that a passkey answers for a signing input, of decisions and of authorizations alike.
[[nodiscard]] Sha256Digest passkey_challenge(std::string_view signing_input);

/// The compact form of what a key signed.
[[nodiscard]] std::string signed_by_key(std::string_view signing_input, const Signature& signature);
/// The compact form of what a passkey signed: its third part is the base64url of the assertion's JSON.
[[nodiscard]] std::string signed_by_passkey(std::string_view signing_input,
                                            const PasskeyAssertion& assertion);

}  // namespace chancery
