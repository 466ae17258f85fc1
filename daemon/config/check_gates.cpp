// The rules for `[[gate]]`.

#include <algorithm>
#include <set>

#include "daemon/config/check.hpp"
#include "daemon/config/options.hpp"
#include "daemon/config/values.hpp"
#include "sdk/base/name.hpp"

namespace chancery::config {
namespace {

using Found = std::optional<Complaint>;

constexpr std::size_t kMostGates = 64;
constexpr std::size_t kMostApprovers = 64;
// What a policy of PolicySigned and PolicyOR has room for.
constexpr std::size_t kMostTpmApprovers = 4;
// As a policyRef has them on every TPM.
constexpr std::size_t kMostTpmName = 32;
constexpr std::string_view kGroup = "group:";

// Whom it names who could never be enrolled would leave the gate closed.
bool is_approver(const std::string& text) {
  return is_person(text) ||
         (text.starts_with(kGroup) && is_name(std::string_view(text).substr(kGroup.size())));
}

// An option that another `when` looks at would do nothing.
Found refuse_stray(const std::string& option, bool is_given, bool is_looked_at, const char* whens) {
  if (!is_given || is_looked_at) return std::nullopt;
  return Complaint{option, std::string("is for when = ") + whens + " only: take it out"};
}

Found check_when(const GateConfig& gate, const std::string& section) {
  const bool has_bound = gate.when == GateWhen::kAbove;
  const bool has_parameter = has_bound || gate.when == GateWhen::kFirstTime;
  const bool has_hours = gate.when == GateWhen::kOutsideHours;
  if (auto found = refuse_stray(section + "parameter", !gate.parameter.empty(), has_parameter,
                                "\"above\" and \"first_time\""))
    return found;
  if (auto found = refuse_stray(section + "above", !gate.above.empty(), has_bound, "\"above\"")) return found;
  if (auto found = refuse_stray(section + "hours", !gate.hours.empty(), has_hours, "\"outside_hours\""))
    return found;
  if (has_parameter && gate.parameter.empty())
    return Complaint{
        section + "parameter",
        "is required with when = \"above\" and \"first_time\": name the parameter of the action"};
  if (has_bound && gate.above.empty())
    return Complaint{section + "above",
                     "is required with when = \"above\": give the most that passes without an approval"};
  if (has_hours && !parse_hours(gate.hours))
    return Complaint{section + "hours",
                     "must be days, times and a zone, such as \"Mo-Fr 08:00-18:00 Europe/Berlin\""};
  return std::nullopt;
}

// Groups have as many members as approvers are enrolled in them: that shows when a request waits.
Found check_quorum(const GateConfig& gate, const std::string& section) {
  if (gate.approvers.empty())
    return Complaint{section + "approvers", "is required: say who may decide, principals or groups"};
  if (auto found = check_approvers(section + "approvers", gate.approvers)) return found;
  const bool has_group =
      std::ranges::any_of(gate.approvers, [](const auto& name) { return name.starts_with(kGroup); });
  if (has_group || gate.quorum <= gate.approvers.size()) return std::nullopt;
  return Complaint{section + "quorum", "is more than there are approvers: so many can never approve"};
}

// What a TPM signs is a grant: it sees no call, and no parameters.
Found check_tpm(const GateConfig& gate, const std::string& section) {
  if (gate.enforcement != GateEnforcement::kTpm) return std::nullopt;
  if (!gate.tools.empty())
    return Complaint{section + "tools",
                     "must be empty with enforcement = \"tpm\": the TPM signs grants, and sees no calls"};
  if (gate.scopes.empty())
    return Complaint{
        section + "scopes",
        "is required with enforcement = \"tpm\": say which scopes the TPM grants by approval only"};
  if (gate.when != GateWhen::kAlways)
    return Complaint{
        section + "when",
        "must be \"always\" with enforcement = \"tpm\": a grant has no parameters, and a TPM no clock"};
  if (gate.name.size() > kMostTpmName)
    return Complaint{section + "name", "must be at most 32 characters with enforcement = \"tpm\""};
  if (gate.quorum > kMostTpmApprovers)
    return Complaint{section + "quorum", "must be at most 4 with enforcement = \"tpm\""};
  if (gate.approvers.size() > kMostTpmApprovers)
    return Complaint{section + "approvers", "must be at most 4 with enforcement = \"tpm\""};
  return std::nullopt;
}

Found check_gate(const GateConfig& gate, const std::string& section) {
  if (gate.name.empty()) return Complaint{section + "name", "is required"};
  if (!is_name(gate.name))
    return Complaint{section + "name",
                     "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"};
  if (!std::ranges::all_of(gate.tools, is_name))
    return Complaint{section + "tools", "must be names of tools: [a-z0-9][a-z0-9._-]{0,62}"};
  if (auto found = check_when(gate, section)) return found;
  if (auto found = check_quorum(gate, section)) return found;
  return check_tpm(gate, section);
}

}  // namespace

Found check_approvers(const std::string& option, const std::vector<std::string>& approvers) {
  if (!std::ranges::all_of(approvers, is_approver))
    return Complaint{
        option,
        "must be principals such as \"user:bob@example.org\" and groups such as \"group:finance\": nobody can be enrolled as an "
        "approver by a name without a kind"};
  if (approvers.size() > kMostApprovers)
    return Complaint{option, "has more than 64: put persons into a group"};
  std::set<std::string_view> names(approvers.begin(), approvers.end());
  if (names.size() == approvers.size()) return std::nullopt;
  return Complaint{option, "has somebody twice, who counts once: take the second one out"};
}

Found find_gate_contradiction(const Config& config) {
  if (config.gates.size() > kMostGates)
    return Complaint{"gate", "has more than 64 sections: one gate can be about several scopes and tools"};
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < config.gates.size(); ++i) {
    const GateConfig& gate = config.gates[i];
    const std::string section = std::string(kGateSection) + "[" + std::to_string(i) + "].";
    if (auto found = check_gate(gate, section)) return found;
    if (!names.insert(gate.name).second)
      return Complaint{section + "name", "is the name of an earlier [[gate]]: choose another"};
  }
  return std::nullopt;
}

}  // namespace chancery::config
