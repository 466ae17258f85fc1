#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

namespace chancery::incident {

// What an agent was and did, in one document that verifies offline (docs/protocol/incidents.md). Times are seconds since 1970,
// ids and digests hexadecimal.

/// The longest document that is looked at, in octets.
inline constexpr std::size_t kMaxBundle = 64 * 1024 * 1024;

/// A key of the agent's.
struct AgentKey {
  std::string jkt;
  std::string jwk;  ///< JCS
  std::string state;
  std::string backend;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> ended_at{};
  bool operator==(const AgentKey&) const = default;
};

/// Where a token stands in relation to the agent.
inline constexpr const char* kHeld = "held";    ///< by the agent, or by a process of its
inline constexpr const char* kAbove = "above";  ///< one from which it was delegated
inline constexpr const char* kBelow = "below";  ///< one that was delegated from it

struct ChainToken {
  std::string id;
  std::string parent;  ///< id; empty: it is the first of its chain
  std::string place;   ///< one of the three above
  std::string status;  ///< "valid", "revoked" or "suspended"
  std::string agent;   ///< who holds it, by name; empty: nobody of this daemon's
  bool is_session = false;
  std::int64_t issued_at = 0;
  std::int64_t expires_at = 0;
  std::string compact;
  bool operator==(const ChainToken&) const = default;
};

/// What a person decided.
struct Decision {
  std::string approver;
  std::string jkt;
  std::string jwk;  ///< JCS
  std::string verdict;
  std::int64_t at = 0;
  std::optional<std::int64_t> voided_at{};
  std::string jws;
  bool operator==(const Decision&) const = default;
};

/// What waits for a person, or did.
struct Request {
  std::string id;
  std::string kind;
  std::string state;
  std::string sha256;    ///< of the document that was to be approved
  std::string document;  ///< JCS; empty: it is kept no more
  std::string tool;
  std::string principal;
  std::string enforcement;  ///< "tpm-enforced" or "software-enforced"
  std::vector<std::string> gates;
  std::int64_t asked_at = 0;
  std::optional<std::int64_t> ended_at{};
  std::vector<Decision> decisions;
  bool operator==(const Request&) const = default;
};

/// A call of a tool that was permitted.
struct ToolCall {
  std::string permit;
  std::string decision;
  std::string runtime;  ///< id of the agent that made it
  std::string token;
  std::string jkt;
  std::string tool;
  std::string scope;
  std::string credential;  ///< by name; empty: none
  std::string arguments_sha256;
  std::int64_t given_at = 0;
  std::optional<std::int64_t> released_at{};
  std::optional<std::int64_t> ended_at{};
  std::string receipt;  ///< JCS; empty: no result was reported
  bool operator==(const ToolCall&) const = default;
};

/// What a verifier of attestation said of a key.
struct Attested {
  std::string jkt;
  std::string issuer;
  std::string host;
  std::string custody;
  std::int64_t evidence_at = 0;
  std::int64_t expires_at = 0;
  std::string result;  ///< `eat+jwt`
  bool operator==(const Attested&) const = default;
};

/// An entry of the audit log.
struct LoggedEntry {
  std::uint64_t number = 0;
  std::string json;  ///< its own octets
  bool operator==(const LoggedEntry&) const = default;
};

/// Something that the agent reached, and how often.
struct Reach {
  std::string kind;   ///< "tool", "action", "credential" or "agent"
  std::string name;   ///< of the tool, the audience, the credential or the agent that it delegated to
  std::string scope;  ///< empty of agents
  std::uint64_t count = 0;
  std::int64_t first_at = 0;
  std::int64_t last_at = 0;
  bool operator==(const Reach&) const = default;
};

struct Freeze {
  std::int64_t since = 0;
  std::string reason;
  std::string enforcement;  ///< "tpm" or "software"
  bool operator==(const Freeze&) const = default;
};

/// What the daemon says of an agent at one instant.
struct Evidence {
  std::string log;     ///< the name of the audit log
  std::string issuer;  ///< the daemon's URL
  std::string agent;   ///< by name
  std::string agent_id;
  std::string selectors;  ///< JCS
  std::int64_t created_at = 0;
  std::int64_t opened_at = 0;
  std::string reason;
  std::optional<Freeze> frozen{};          ///< none: its keys sign
  std::optional<std::int64_t> revoked{};   ///< by which act; none: not by this
  std::uint64_t size = 0;                  ///< of the log when all this was so
  std::vector<std::string> cut;            ///< which of the lists below were cut: their oldest are left out
  std::uint64_t damaged = 0;               ///< records that could not be read, and are left out
  std::optional<RelyingParty> passkeys{};  ///< whom passkeys answer
  std::vector<AgentKey> keys;              ///< newest first
  std::vector<ChainToken> tokens;          ///< oldest first
  std::vector<Request> requests;           ///< newest first
  std::vector<ToolCall> calls;             ///< newest first
  std::vector<Attested> attestation;       ///< empty: nothing is known of its keys
  std::vector<LoggedEntry> entries;        ///< oldest first
  std::vector<Reach> reached;
};

/// What makes the evidence evident: an entry of the log has its hash, and the log's key has signed a tree with that entry and all
/// of the evidence's.
struct Proof {
  std::string checkpoint;         ///< a signed note
  std::vector<std::string> keys;  ///< of the log, as the daemon publishes them: prove nothing by themselves
  LoggedEntry opening;            ///< `incident.open`
  std::vector<Sha256Digest> opening_path;
  std::vector<std::vector<Sha256Digest>> paths;  ///< of the evidence's entries, in their order
};

struct Bundle {
  Evidence evidence;
  std::string digest;  ///< SHA-256 of the evidence's octets, as they stand
  Proof proof;
};

/// In JCS: what is hashed.
[[nodiscard]] std::string write_evidence(const Evidence& evidence);
[[nodiscard]] std::string digest_of(std::string_view evidence);

/// In JCS. \param evidence  as write_evidence() gave it
[[nodiscard]] std::string write_bundle(std::string evidence, const Proof& proof);

/// Reads the shape alone; nothing is verified.
/// \return kMalformed (which part), kNonCanonical, kDuplicateMember, kTooLarge
[[nodiscard]] Result<Bundle> read_bundle(std::string_view text);

}  // namespace chancery::incident
