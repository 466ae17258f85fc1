#include "daemon/service/audit_entry.hpp"

namespace chancery::service {

store::AuditEntry audit_entry(std::string_view action, const CallContext& context, json::Node details) {
  json::Node caller = json::Node::object(
      {{"uid", context.caller.uid}, {"gid", context.caller.gid}, {"pid", context.caller.pid}});
  if (!context.caller.unit.empty()) caller.set("unit", context.caller.unit);
  const json::Node entry = json::Node::object({{"action", action},
                                               {"at", context.now.time_since_epoch().count()},
                                               {"request_id", context.request_id},
                                               {"caller", std::move(caller)},
                                               {"details", std::move(details)}});
  return {context.now, json::to_jcs(entry)};
}

json::Node agent_details(const store::Agent& agent) {
  return json::Node::object({{"agent", agent.name},
                             {"agent_id", agent.id},
                             {"backend", agent.backend},
                             {"jkt", agent.key.public_key.thumbprint().text()},
                             {"selectors", json::Node::canonical(agent.selectors)}});
}

}  // namespace chancery::service
