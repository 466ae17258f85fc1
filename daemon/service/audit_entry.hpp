#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/verify.hpp>

#include "daemon/service/caller.hpp"
#include "daemon/service/occasion.hpp"
#include "daemon/store/store.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

// Entries of the audit log, all of one form: docs/protocol/audit.md. Tokens and proofs are named by hash, never quoted, and
// parameters of actions stand in it as salted hashes alone.

/// What has become of what an entry is about.
enum class AuditOutcome : std::uint8_t {
  kDone,
  kPermit,
  kDeny,
  kRefused,  ///< for a reason that the caller can mend
  kFailed,   ///< for one that it cannot
};

/// What an entry is about. Empty members are left out.
struct AuditFacts {
  std::string principal{};
  std::string agent{};    ///< by name; one of others by its `client_id`
  std::string session{};  ///< the id of a session's token
  /// Identifiers by what they name: token, parent, decision, key, host …
  std::vector<std::pair<std::string, std::string>> ids{};
  json::Node details = json::Node::object();
  AuditOutcome outcome = AuditOutcome::kDone;
  int hop = -1;  ///< of a chain that denies
  /// In place of `agent`: the key that shows who acts. The log has the name of the agent here whose key it is.
  std::optional<Thumbprint> by_key{};
};

/// What is known so far of what a request asks for, and whether that stands in the audit log: a request that is refused
/// leaves an entry too.
struct Attempt {
  std::string_view action;  ///< empty: of a request that is not recorded
  AuditFacts facts{};
  std::optional<Denial> denial{};  ///< by a chain that was judged for it
  bool is_recorded = false;
};

/// Tells what a request is about as soon as that is known, for the case that it is refused.
void note_attempt(const CallContext& context, AuditFacts facts);

/// Tells why a chain that was judged for a request is denied.
void note_denial(const CallContext& context, const Denial& denial);

/// What was done for a caller, by which process, in which request.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, const CallContext& context,
                                            AuditFacts facts);

/// That what a request asked for was refused, with what is known of it. The request has an attempt.
/// \param error  why; none: it could not even be read
[[nodiscard]] store::AuditEntry refusal_entry(const CallContext& context, const std::optional<Error>& error,
                                              AuditOutcome outcome);

/// What the daemon did of itself.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, std::chrono::sys_seconds at,
                                            AuditFacts facts);

/// What was done on an occasion, for a caller or of the daemon's own accord.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, const Occasion& occasion,
                                            AuditFacts facts);

/// Facts about what happens to an agent: which one it is, never its blob.
[[nodiscard]] AuditFacts agent_facts(const store::Agent& agent);

/// Facts about what happens to a key.
[[nodiscard]] AuditFacts key_facts(const store::Key& key);

/// Facts about a backend, or a host.
[[nodiscard]] AuditFacts backend_facts(std::string_view backend);
[[nodiscard]] AuditFacts host_facts(std::string_view host);

}  // namespace chancery::service
