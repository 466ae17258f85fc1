#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
};

struct Agent {
  std::string name;
  std::string id;  ///< SPIFFE ID
  std::string backend;
  std::string state;  ///< "active", "retired", "lost"
  std::string jwk;    ///< the public key, JSON
  std::string jkt;    ///< its thumbprint
  Selectors selectors;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> retired_at;
};

struct AgentPage {
  std::vector<Agent> agents;
  std::string next;  ///< give as `after` for the next page; empty at the end
};

struct CreateGrant {
  std::string principal;
  std::string agent;  ///< name
  std::vector<std::string> audience;
  Authority authority;
  std::chrono::seconds lifetime{0};
  std::int64_t depth = 1;  ///< agents that the chain may count, the first included
};

struct Grant {
  std::vector<std::string> chain;
  std::vector<std::string> warnings;  ///< wildcards that a constraint leaves partly unbounded, and the like
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
};

/// A verdict, as the library, the command line and REST give it alike.
struct Verification {
  std::string outcome;  ///< "valid", or the outcome's name
  std::string step;     ///< "parse", "1" … "8"; empty when valid
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
