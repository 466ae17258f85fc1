#include "sdk/wire/incident_messages.hpp"

#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

// An incident is opened so that it ends: who leaves an agent at work says so.
Result<bool> unless_refused(const json::Value& root, std::string_view name, const char* what) {
  if (root.find(name) == nullptr) return true;
  return flag(root, name, what);
}

}  // namespace

std::string write(const api::OpenIncident& message) {
  json::Node node =
      json::Node::object({{"agent", message.agent}, {"freeze", message.freeze}, {"revoke", message.revoke}});
  set_unless_empty(node, "reason", message.reason);
  if (message.entries != api::kMostIncidentEntries) node.set("entries", message.entries);
  return json::to_jcs(node);
}

Result<api::OpenIncident> read_open_incident(std::string_view text) {
  constexpr const char* kHas =
      "an incident is opened with `agent`, and perhaps `reason`, `freeze`, `revoke` and `entries`";
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const json::Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"agent", "reason", "freeze", "revoke", "entries"}, kHas));
  api::OpenIncident out;
  CHANCERY_ASSIGN(out.agent, need_text(root, "agent", "`agent` names the agent that the incident is about"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` is a text"));
  CHANCERY_ASSIGN(out.freeze, unless_refused(root, "freeze", "`freeze` is true or false"));
  CHANCERY_ASSIGN(out.revoke, unless_refused(root, "revoke", "`revoke` is true or false"));
  CHANCERY_ASSIGN(const auto entries, integer(root, "entries", {1, api::kMostIncidentEntries},
                                              "`entries` is a number from 1 to 10000"));
  out.entries = entries.value_or(api::kMostIncidentEntries);
  return out;
}

}  // namespace chancery::wire
