#pragma once

#include <chrono>
#include <string_view>

#include "daemon/service/caller.hpp"
#include "daemon/store/store.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

// Every audit entry has the same five members: `action`, `at`, `caller`, `request_id`, `details`. Tokens and
// proofs are named by hash, never quoted.

/// What was done for a caller, by which process, in which request.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, const CallContext& context,
                                            json::Node details);

/// What the daemon did of itself: `caller` and `request_id` are null.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, std::chrono::sys_seconds at,
                                            json::Node details);

/// Details of what happens to an agent: which one it is, never its blob.
[[nodiscard]] json::Node agent_details(const store::Agent& agent);

/// Details of what happens to a key.
[[nodiscard]] json::Node key_details(const store::Key& key);

}  // namespace chancery::service
