#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::api {

// What waits for a person, who decides it, and by which keys (docs/protocol/approvals.md).

/// The outcome of a decision about a call or an action that waits.
inline constexpr std::string_view kApprovalRequired = "approval_required";
/// The outcome of one that a person has denied, as long as the request would have waited.
inline constexpr std::string_view kApprovalDenied = "approval_denied";

/// What a tool runtime says of a call that takes an approval. Everything else in the request document is what the daemon
/// verified.
struct ApprovalTerms {
  std::string risk;         ///< "low", "medium", "high"
  std::string arguments;    ///< JSON of an object: what the tool would be called with
  std::string description;  ///< of the tool, for people: at most 512 octets; may be empty
  /// The tool's own declaration takes an approval; else the terms are given since the daemon asked for them.
  bool is_declared = true;
};

/// A call that waits, as whoever asked for it is told.
struct PendingApproval {
  std::string id;  ///< 32 hexadecimal digits
  std::int64_t expires_at = 0;
  std::string document;  ///< JCS: what is to be approved
  std::string sha256;    ///< of these octets, in hexadecimal
  std::string url{};     ///< of the page where it is decided; empty: nobody said
};

// Who sees to it that nothing happens without a decision: the device, or this daemon.
inline constexpr std::string_view kTpmEnforced = "tpm-enforced";
inline constexpr std::string_view kSoftwareEnforced = "software-enforced";

/// A gate that a request is put to.
struct ApprovalGate {
  std::string name;
  std::int64_t quorum = 1;     ///< how many different persons must approve
  std::int64_t approvals = 0;  ///< how many have
  std::string separation;      ///< "none", "principal", "requester"
  std::string enforcement;     ///< kTpmEnforced, kSoftwareEnforced
  bool operator==(const ApprovalGate&) const = default;
};

/// What a person decided.
struct ApprovalVote {
  std::string approver;  ///< the principal
  std::string key;       ///< thumbprint
  std::string verdict;   ///< "approve", "deny"
  std::int64_t at = 0;
  std::string enforcement;         ///< kTpmEnforced with a signature for the TPM, else kSoftwareEnforced
  std::string reason;              ///< may be empty; untrusted text
  std::string decision;            ///< the JWS: verifies offline
  std::vector<std::string> gates;  ///< for which it counts
  std::optional<std::int64_t> voided_at;  ///< when its key was revoked: it counts no more
  bool operator==(const ApprovalVote&) const = default;
};

/// The last request of the same kind that was decided, for the same tool (scope), the same principal and by the same key.
struct PreviousRequest {
  std::string id;
  std::string state;  ///< what was decided: "approved", "denied"
  std::int64_t decided_at = 0;
  std::string sha256;    ///< of the document
  std::string document;  ///< JCS
  bool operator==(const PreviousRequest&) const = default;
};

struct Approval {
  std::string id;
  std::string kind;         ///< "call", "action", "grant"
  std::string state;        ///< "pending", "approved", "denied", "cancelled", "expired", "used", "lapsed"
  std::string tool;         ///< of others than calls the scope
  std::string principal;    ///< for whom
  std::string key;          ///< thumbprint of the key of the agent that asks
  std::string sha256;       ///< of the document
  std::string enforcement;  ///< kTpmEnforced when each gate is, else kSoftwareEnforced
  std::vector<ApprovalGate> gates;
  std::int64_t asked_at = 0;
  std::int64_t expires_at = 0;
  std::optional<std::int64_t> approved_at;
  std::optional<std::int64_t> approved_until;  ///< an approval is used before, or lapses
  std::optional<std::int64_t> ended_at;        ///< when nothing could come of it any more
  std::string document;                        ///< JCS; empty in a list, and when it has ended
  std::vector<ApprovalVote> decisions;         ///< empty in a list
  std::string agent{};                         ///< SPIFFE ID; empty for a key of others
  std::string risk{};                          ///< "low", "medium", "high"; of calls
  /// Of the arguments those that are numbers, else what would be spent, for lists: by name; a handful. Empty when it has ended.
  std::map<std::string, std::string> amounts{};
  std::optional<PreviousRequest>
      previous{};  ///< never in a list, nor when it has ended, nor for the agent that asks
  bool operator==(const Approval&) const = default;
};

/// A decision, as an approver's tool sends it.
struct DecideApproval {
  std::string decision;          ///< JWS, `typ` chancery-decision+jwt
  std::string policy_signature;  ///< for a gate that a TPM enforces: raw, base64url; empty: none
};

/// What came of a decision.
struct DecidedApproval {
  std::string id;
  std::string state;        ///< "pending" while others are needed too
  std::string enforcement;  ///< kTpmEnforced, kSoftwareEnforced
  bool operator==(const DecidedApproval&) const = default;
};

/// A key by which a person decides.
struct ApproverKey {
  std::string jkt;            ///< thumbprint
  std::string kind;           ///< "file", "tpm", "pkcs11", "passkey"
  std::string jwk;            ///< JSON of the public key, in JCS
  std::string credential_id;  ///< of a passkey, base64url
  std::string state;          ///< "active", "replaced", "revoked"
  std::int64_t enrolled_at = 0;
  std::string enrolled_by;  ///< who vouched for it: a principal, or "operator"
  std::optional<std::int64_t> ended_at;
  bool operator==(const ApproverKey&) const = default;
};

struct Approver {
  std::string principal;
  std::vector<std::string> groups;
  std::vector<ApproverKey> keys;  ///< in a list the active ones alone
  bool operator==(const Approver&) const = default;
};

struct ApproverList {
  std::vector<Approver> approvers;  ///< in the order of their principals
};

/// A key that is to be a person's.
struct EnrollApprover {
  std::string enrolment;      ///< the document in JCS (approver_enrolment.hpp)
  std::string authorization;  ///< JWS over its SHA-256 by who is enrolled; empty: the first, by the operator
};

/// The end of a key.
struct RevokeApproverKey {
  std::string reason;  ///< one line of at most 512 octets; may be empty
  std::string
      authorization;  ///< JWS over the revocation's SHA-256 by another key of the same person, or this; empty: by the operator
};

/// A rule of the operator's for what waits for a person.
struct Gate {
  std::string name;
  std::vector<std::string> scopes;
  std::vector<std::string> tools;
  std::string when;                    ///< "always", "above", "first_time", "outside_hours"
  std::string parameter;               ///< of `above` and `first_time`
  std::string above;                   ///< a decimal
  std::string hours;                   ///< of `outside_hours`
  std::vector<std::string> approvers;  ///< principals, and groups as `group:NAME`
  std::int64_t quorum = 1;
  std::string separation;
  std::int64_t wait_s = 0;      ///< how long a request waits
  std::int64_t lifetime_s = 0;  ///< how long an approval is good for
  std::string enforcement;      ///< kTpmEnforced, kSoftwareEnforced
  std::string key;              ///< JWK of the gated key, in JCS; empty when there is none
  std::string key_name;         ///< its Name in the TPM, in hexadecimal
  std::string key_backend;      ///< the backend that has it: whose device says where it is
  bool operator==(const Gate&) const = default;
};

struct GateList {
  std::vector<Gate> gates;  ///< as they are configured
};

struct ApprovalPage {
  std::vector<Approval> approvals;  ///< in the order in which they were asked for, or the other way around
  std::string next;                 ///< `after` of the next page; empty: this is the last one
};

struct ApprovalQuery {
  std::string state;        ///< of these alone; empty: of all; "settled": of those that are not pending
  std::string after;        ///< the `next` of the page before; empty for the first
  std::size_t limit = 100;  ///< 1 to 1000
  bool newest_first = false;
};

}  // namespace chancery::api
