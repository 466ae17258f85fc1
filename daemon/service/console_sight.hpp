#pragma once

#include <string_view>

#include <chancery/api_console.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// What the console's pages show beyond the answers that there are for programs. Each takes authority as its scope says, of a process
// and of a chain too. None walks through all that there is: their statements go by indexes (tests/unit/service/console_plans.cpp).

/// The most agents, or entries, of one page.
inline constexpr std::size_t kMostOfConsolePage = 200;

/// Agents in the order of their names. kForbidden, kInvalidArgument (search, limit).
[[nodiscard]] Result<api::ConsoleAgentPage> list_console_agents(Office& office, const CallContext& context,
                                                                const api::ConsoleAgentQuery& query);
/// One of them, with what it may still spend. kForbidden, kNotFound.
[[nodiscard]] Result<api::ConsoleAgentSight> show_console_agent(Office& office, const CallContext& context,
                                                                std::string_view name);
/// A request that waits with the chain behind it. kForbidden, kNotFound.
[[nodiscard]] Result<api::ConsoleApproval> show_console_approval(Office& office, const CallContext& context,
                                                                 std::string_view id);
/// The chain that ends with a token. kForbidden, kNotFound when one of its tokens is not known, kInvalidArgument (id).
[[nodiscard]] Result<api::ConsoleChain> show_console_chain(Office& office, const CallContext& context,
                                                           std::string_view token);
/// Entries of the audit log, newest first. kForbidden, kInvalidArgument (limit).
[[nodiscard]] Result<api::ConsoleAuditPage> search_audit(Office& office, const CallContext& context,
                                                         const api::ConsoleAuditQuery& query);

}  // namespace chancery::service
