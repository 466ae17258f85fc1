#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/api_authorize.hpp>
#include <chancery/api_status.hpp>
#include <chancery/token.hpp>
#include <chancery/verify.hpp>

namespace chancery::api {

// The requests and answers of the daemon's REST interface (docs/protocol/openapi.yaml), as values. Times are
// whole seconds since 1970, UTC. Chains are compact tokens, root first.

/// By what the daemon knows an agent's process on the Unix socket. All that is given must match; one of uid,
/// gid and unit is required. The executable and its hash narrow only: they do not protect against the same
/// uid.
struct Selectors {
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::string unit;               ///< systemd unit, "support-agent.service"
  std::string executable;         ///< absolute path
  std::string executable_sha256;  ///< 64 hexadecimal digits
  bool operator==(const Selectors&) const = default;
};

struct CreateAgent {
  std::string name;     ///< [a-z0-9][a-z0-9._-]{0,62}
  std::string backend;  ///< empty: the daemon's first
  Selectors selectors;
  std::string algorithm;  ///< "ES256", "Ed25519"; empty: ES256
};

/// A key by which an agent can sign, and where it hangs on its device's kill switch (docs/protocol/kill-switch.md).
struct KeySwitch {
  std::string jkt;
  std::string backend;
  std::string state;  ///< "active" or "rotating"
  /// Number of the bank, and the bit in it; of neither: it hangs on none, and the daemon alone refuses. Bit 0 of bank 0 is that of all
  /// keys: it has no slot of its own.
  std::optional<std::int64_t> bank{};
  std::optional<std::int64_t> bit{};
};

struct Agent {
  std::string name;
  std::string id;  ///< SPIFFE ID
  std::string backend;
  /// "active", "rotating" (an earlier key serves beside the newest), "lost" or "revoked" (its newest key is),
  /// "retired"
  std::string state;
  std::string reason;  ///< why its key is lost or revoked; empty otherwise
  std::string jwk;     ///< the newest public key, JSON
  std::string jkt;     ///< its thumbprint
  Selectors selectors;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> retired_at;
  std::optional<std::int64_t> frozen_since{};  ///< none: its keys sign
  std::string frozen_reason{};                 ///< of whoever froze it; may be empty
  std::string freeze_enforcement{};            ///< "tpm" or "software": who refuses while it is frozen
  std::vector<KeySwitch> kill_switch{};        ///< of each key by which it can sign, newest first
};

struct AgentPage {
  std::vector<Agent> agents;
  std::string next;  ///< give as `after` for the next page; empty at the end
};

/// A key and where in its life it is (docs/operations/keys.md).
struct Key {
  std::string jkt;
  std::string owner;  ///< the agent's name, or "issuer"
  std::string backend;
  std::string algorithm;
  std::string state;   ///< "active", "rotating", "retired", "lost", "revoked"
  std::string reason;  ///< of a lost or revoked one
  std::int64_t created_at = 0;
  std::optional<std::int64_t> overlap_until;  ///< of a rotating one
  std::optional<std::int64_t> ended_at;
  std::optional<std::int64_t> destroyed_at;  ///< when its device was seen to have it no more
};

struct KeyList {
  std::vector<Key> keys;  ///< newest first
};

/// What an end of keys ends: tokens that have not expired and can be used no more.
struct Ended {
  std::uint64_t held = 0;             ///< by those keys
  std::uint64_t descendants = 0;      ///< delegated from those
  std::optional<std::int64_t> until;  ///< when the last of them would have expired
  std::vector<std::string> agents;    ///< that hold descendants
};

struct Retirement {
  Agent agent;
  Ended ended;
};

struct RotateKey {
  std::optional<std::chrono::seconds> overlap;  ///< none: as the daemon is configured
  std::string backend;                          ///< for agents; empty: where the key is
  std::string algorithm;                        ///< for agents; empty: as the key's
};

struct ReenrollAgent {
  std::string backend;    ///< empty: where the key was
  std::string algorithm;  ///< empty: as the key's
  bool revoke = false;    ///< revoke its lost keys too
};

struct Rotation {
  Key key;                    ///< that is active now
  std::optional<Key> former;  ///< the one before it
};

struct RevokeKey {
  std::string reason;  ///< for people, at most 200 octets
};

struct Revocation {
  Key key;
  Ended ended;
};

struct Adoption {
  std::string backend;
  std::string device;  ///< Name of the device that serves from now on, hexadecimal
};

struct CreateGrant {
  std::string principal;
  std::string agent;  ///< name
  std::vector<std::string> audience;
  Authority authority;
  std::chrono::seconds lifetime{0};
  std::int64_t depth = 1;  ///< agents that the chain may count, the first included
  std::string gate{};      ///< by name: all that is done under the grant is behind it; empty: none
};

struct Grant {
  std::vector<std::string> chain;     ///< empty while it waits
  std::vector<std::string> warnings;  ///< wildcards that a constraint leaves partly unbounded, and the like
  /// The scopes are behind a gate: nothing is granted before people have approved it. Then the same is asked for again.
  std::optional<PendingApproval> approval{};
};

/// Authority over the daemon itself, for an operator's own key.
struct CreateOperator {
  std::string name;                                            ///< [a-z0-9][a-z0-9._-]{0,62}
  std::string jkt;                                             ///< thumbprint of the operator's key
  std::chrono::seconds lifetime{std::chrono::hours(24 * 90)};  ///< at most 90 days
};

/// By what an agent's process elsewhere gets its first chain.
struct CreateJoinToken {
  std::string agent;                   ///< name
  std::vector<std::string> chain;      ///< of authority over the daemon, held by the agent's own key
  std::chrono::seconds lifetime{600};  ///< of the join token; at most an hour
};

struct JoinToken {
  std::string token;  ///< a secret, good once
  std::int64_t expires_at = 0;
};

/// What a process that joined has from now on.
struct Joined {
  std::string agent;               ///< name
  std::string id;                  ///< SPIFFE ID
  std::vector<std::string> chain;  ///< of authority over the daemon, held by the process's key
};

struct CreateSession {
  std::vector<std::string> chain;      ///< whose leaf is handed on
  std::string key_proof;               ///< a DPoP proof by the new key for this request, `ath` of the leaf
  std::chrono::seconds lifetime{600};  ///< at most ten minutes
};

struct Session {
  std::vector<std::string> chain;
  std::int64_t expires_at = 0;
};

struct CreateDelegation {
  std::vector<std::string> chain;
  std::string to;                     ///< the receiving agent's name or SPIFFE ID
  std::vector<std::string> audience;  ///< empty: the parent's
  Authority authority;
  std::chrono::seconds lifetime{0};  ///< zero: as long as the daemon's default and the parent allow
  bool exact = false;                ///< refuse rather than narrow
};

struct Delegation {
  std::vector<std::string> chain;
  Authority granted;
  std::vector<Narrowing> narrowed;
};

struct CreateProof {
  std::vector<std::string> chain;
  std::string htm;
  std::string htu;
  std::optional<std::string> nonce;
  std::optional<std::string> ada{};  ///< action_digest() of the action that the proof shall be good for alone
};

struct Proof {
  std::string proof;  ///< the compact `dpop+jwt`
};

/// An action to be judged, as the verification request has it.
struct Action {
  std::string audience;
  std::string scope;
  std::string params = "{}";  ///< a JSON object
  std::optional<DpopPresentation> dpop;
};

struct VerifyChain {
  std::vector<std::string> chain;
  std::optional<Action> request;
  CustodyTerms custody{};
};

/// A verdict, as the library, the command line and REST give it alike.
struct Verification {
  std::string outcome;  ///< "valid", or the outcome's name
  std::string step;     ///< as step_name() has it; empty when valid
  int hop = -1;
  std::string reason;
  std::vector<std::string> not_performed;
  std::string json;  ///< the whole answer, in JCS
  [[nodiscard]] bool valid() const { return outcome == "valid"; }
};

/// The library's verdict in that form.
[[nodiscard]] Verification to_verification(const Verdict& verdict);

struct Readiness {
  bool ready = false;
  std::vector<std::string> missing;
  std::string json;
};

/// One thing that a device or the daemon's process is found to be like; for people.
struct Fact {
  std::string name;
  std::string value;
  std::string severity;  ///< "ok", "warn" or "bad"
  std::string advice;    ///< what to do; empty when there is nothing to do
  bool operator==(const Fact&) const = default;
};

/// What a key backend is busy with and holds at the moment.
struct BackendLoad {
  std::int64_t queued = 0;        ///< requests that wait for the device
  std::int64_t live_objects = 0;  ///< transient objects in the device
  std::int64_t live_sessions = 0;
  std::int64_t cached_keys = 0;
  std::int64_t recoveries = 0;  ///< times that the device was found again
  bool operator==(const BackendLoad&) const = default;
};

/// A key backend of the daemon: a `[[backend]]` section and the device behind it.
struct Backend {
  std::string name;
  std::string type;          ///< "tpm", "pkcs11"
  std::string manufacturer;  ///< this and the next: empty until the device was met
  std::string firmware;
  bool emulated = false;
  std::vector<std::string> algorithms;
  std::string state;   ///< "ok", or the name of the error that its check gave
  std::string advice;  ///< what to do about the error
  std::string native;  ///< the device's own code, "0x921"; empty when there is none
  BackendLoad load;
  bool is_default = false;  ///< where agents live that name no other
  bool is_issuer = false;   ///< where the issuer key lives
  std::int64_t agent_keys = 0;
  std::vector<Fact> facts;  ///< of one backend; empty in a list
  bool operator==(const Backend&) const = default;
};

struct BackendList {
  std::vector<Backend> backends;
};

/// The daemon's process as its operator should know it: permissions, locked memory, core dumps.
struct Process {
  std::vector<Fact> facts;
};

}  // namespace chancery::api
