#pragma once

#include <string>
#include <string_view>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of who decides, and at which gates, as approval_messages.hpp has that of what is decided.

[[nodiscard]] std::string write(const api::Approver& message);
[[nodiscard]] std::string write(const api::ApproverList& message);
/// Its enrolment must be JSON: else it is written as null.
[[nodiscard]] std::string write(const api::EnrollApprover& message);
[[nodiscard]] std::string write(const api::RevokeApproverKey& message);
[[nodiscard]] std::string write(const api::GateList& message);

[[nodiscard]] Result<api::Approver> read_approver(std::string_view json);
[[nodiscard]] Result<api::ApproverList> read_approver_list(std::string_view json);
[[nodiscard]] Result<api::EnrollApprover> read_enroll_approver(std::string_view json);
[[nodiscard]] Result<api::RevokeApproverKey> read_revoke_approver_key(std::string_view json);
[[nodiscard]] Result<api::GateList> read_gate_list(std::string_view json);

}  // namespace chancery::wire
