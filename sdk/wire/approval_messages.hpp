#pragma once

#include <string>
#include <string_view>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::wire {

// The JSON of chancery/api_approvals.hpp, both ways, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::Approval& message);
[[nodiscard]] std::string write(const api::ApprovalPage& message);

[[nodiscard]] Result<api::Approval> read_approval(std::string_view json);
[[nodiscard]] Result<api::ApprovalPage> read_approval_page(std::string_view json);

[[nodiscard]] std::string write(const api::DecideApproval& message);
[[nodiscard]] std::string write(const api::DecidedApproval& message);
[[nodiscard]] Result<api::DecideApproval> read_decide_approval(std::string_view json);
[[nodiscard]] Result<api::DecidedApproval> read_decided_approval(std::string_view json);

// Members of the messages of tool runtimes.

[[nodiscard]] json::Node approval_terms_node(const api::ApprovalTerms& terms);
[[nodiscard]] Result<api::ApprovalTerms> approval_terms_from(const json::Value& value);
[[nodiscard]] json::Node pending_approval_node(const api::PendingApproval& pending);
[[nodiscard]] Result<api::PendingApproval> pending_approval_from(const json::Value& value);

}  // namespace chancery::wire
