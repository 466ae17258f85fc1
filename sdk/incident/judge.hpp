#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/trust.hpp>

#include "sdk/audit/note.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/incident/bundle.hpp"

namespace chancery::incident {

/// What does not hold of a bundle.
enum class Fault : std::uint8_t {
  kCheckpoint,   ///< it is by no key of the log that was given, or of another log
  kOpening,      ///< the log's entry is none that opens this incident, or not in the tree that was signed
  kDigest,       ///< the evidence is not what the log has the hash of
  kEntry,        ///< an entry is not in the tree that was signed, or not in its place
  kKey,          ///< a key has another thumbprint than it is said to have
  kToken,        ///< a token is not the one that its id names
  kChain,        ///< a token's chain does not verify under the anchors that were given
  kRequest,      ///< a document is not the one whose hash is said to have been approved
  kDecision,     ///< a decision is not by its approver's key, or about something else, or the log has another
  kReceipt,      ///< a receipt is of another call, or not the one that the log has
  kAttestation,  ///< an attestation result is about another key, or not by the verifier that was given
  kReach,        ///< what is said to have been reached is not what the entries say
};

/// "checkpoint", "opening" …
[[nodiscard]] std::string_view fault_name(Fault fault) noexcept;

struct Finding {
  Fault fault = Fault::kCheckpoint;
  std::string subject;  ///< which one: a number, an id; from the bundle, so untrusted text; may be empty
  const char* what = "";
};

/// What the bundle is held against. Borrowed.
struct Terms {
  std::span<const audit::NoteKey> keys;    ///< of the log, from elsewhere
  const TrustSnapshot* trust = nullptr;    ///< null: chains are not verified
  std::span<const VerifyKey> verifiers{};  ///< of attestation; empty: results are not verified
};

/// What was found. Nothing of the bundle is to be believed unless it is sound; what was not looked at is counted too.
struct Report {
  std::vector<Finding> findings;
  std::uint64_t signed_to = 0;           ///< size of the tree that was signed
  std::uint64_t entries = 0;             ///< proved to be in it
  std::uint64_t tokens = 0;              ///< that are what their ids name
  std::uint64_t chains = 0;              ///< tokens whose chains verify, but for their status
  std::uint64_t unverified_chains = 0;   ///< no anchors were given, or a token above is not in the bundle
  std::uint64_t decisions = 0;           ///< that are by their approvers' keys, and in the log's entries
  std::uint64_t unlogged_decisions = 0;  ///< the same without an entry: it was cut off
  std::uint64_t receipts = 0;            ///< that the log's entries have the hashes of
  std::uint64_t unlogged_receipts = 0;
  std::uint64_t results = 0;  ///< of attestation, by a verifier that was given
  std::uint64_t unverified_results = 0;

  [[nodiscard]] bool is_sound() const noexcept { return findings.empty(); }
};

/// Holds a bundle against the log's key: everything is looked at, and whatever does not hold is said. Pure: reads no clock, file
/// or socket. A chain is judged at the instant at which its last token was issued.
[[nodiscard]] Report judge(const Bundle& bundle, const Terms& terms);

}  // namespace chancery::incident
