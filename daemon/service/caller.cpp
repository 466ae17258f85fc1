#include "daemon/service/caller.hpp"

#include <algorithm>
#include <cctype>

#include "daemon/service/executable.hpp"

namespace chancery::service {
namespace {

bool in_group(const Process& process, std::uint32_t gid) {
  return process.gid == gid || std::ranges::find(process.groups, gid) != process.groups.end();
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string_view console_role_name(ConsoleRole role) noexcept {
  return role == ConsoleRole::kOperator ? "operator" : "approver";
}

std::string identity_of(const Caller& caller) {
  if (caller.process) return "uid:" + std::to_string(caller.process->uid);
  if (caller.visitor) return "console:" + caller.visitor->session;
  return caller.chain ? "jkt:" + caller.chain->leaf().claims().holder.text() : "";
}

Status require_operator(const Process& process, const OperatorRule& rule) {
  const bool by_uid = std::ranges::find(rule.uids, process.uid) != rule.uids.end();
  if (by_uid || (rule.gid && in_group(process, *rule.gid))) return {};
  return Error{
      ErrorCode::kForbidden,
      "only the operator may do this: call as the daemon's user, root, or a member of the operator group"};
}

Status require_match(const Process& process, const api::Selectors& selectors) {
  const bool anchored = selectors.uid || selectors.gid || !selectors.unit.empty();
  const bool matches =
      anchored && (!selectors.uid || *selectors.uid == process.uid) &&
      (!selectors.gid || in_group(process, *selectors.gid)) &&
      (selectors.unit.empty() || selectors.unit == process.unit) &&
      (selectors.executable.empty() || selectors.executable == process.executable) &&
      (selectors.executable_sha256.empty() ||
       equal_ignoring_case(selectors.executable_sha256, executable_digest(process.pid, process.start_time)));
  if (matches) return {};
  return Error{ErrorCode::kNotHolder,
               "the calling process is not the agent that holds this chain: its selectors do not match"};
}

}  // namespace chancery::service
