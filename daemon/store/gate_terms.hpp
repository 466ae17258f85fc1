#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/approver_book.hpp"

namespace chancery::store {

// What a request's gates say of who decides it. Pure: the row of the request is all that they look at.

/// For which of a request's gates a decision by this person counts.
/// \param person  with all keys, those that have ended too: what one of them asked for, the person did
/// \return their names, at least one; kForbidden: no gate names the person, or separation excludes it from each that does
[[nodiscard]] Result<std::vector<std::string>> gates_for(const ParkedCall& call, const Approver& person);

/// How many different persons have approved for a gate.
[[nodiscard]] std::uint32_t approvals_for(const GateTerms& gate, const std::vector<Vote>& votes);

/// Whether that is enough for each of the gates. False without any.
[[nodiscard]] bool are_all_open(const std::vector<GateTerms>& gates, const std::vector<Vote>& votes);

/// kInvalidArgument unless they are within the bounds: how many, each with a name of its own, how many approvers, the quorum. One without
/// approvers is opened by nobody.
[[nodiscard]] Status check_gates(const std::vector<GateTerms>& gates);

// As the database has them, in JCS. Reading: kStoreCorrupt.

[[nodiscard]] std::string gates_text(const std::vector<GateTerms>& gates);
[[nodiscard]] Result<std::vector<GateTerms>> gates_from(const std::string& text);
[[nodiscard]] std::string names_text(const std::vector<std::string>& names);
[[nodiscard]] Result<std::vector<std::string>> names_from(const std::string& text);

}  // namespace chancery::store
