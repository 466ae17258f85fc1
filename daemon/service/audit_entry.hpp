#pragma once

#include <string_view>

#include "daemon/service/caller.hpp"
#include "daemon/store/store.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

/// An audit entry: what was done, by which process, in which request, and the details of the action. Tokens
/// and proofs are named by hash, never quoted.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, const CallContext& context,
                                            json::Node details);

/// Details of what happens to an agent: which one it is, never its blob.
[[nodiscard]] json::Node agent_details(const store::Agent& agent);

}  // namespace chancery::service
