#include "daemon/service/audit_entry.hpp"

namespace chancery::service {

namespace {

store::AuditEntry entry_of(std::string_view action, std::chrono::sys_seconds at, json::Node caller,
                           json::Node request_id, json::Node details) {
  const json::Node entry = json::Node::object({{"action", action},
                                               {"at", at.time_since_epoch().count()},
                                               {"caller", std::move(caller)},
                                               {"request_id", std::move(request_id)},
                                               {"details", std::move(details)}});
  return {at, json::to_jcs(entry)};
}

}  // namespace

store::AuditEntry audit_entry(std::string_view action, const CallContext& context, json::Node details) {
  json::Node caller = json::Node::object(
      {{"uid", context.caller.uid}, {"gid", context.caller.gid}, {"pid", context.caller.pid}});
  if (!context.caller.unit.empty()) caller.set("unit", context.caller.unit);
  return entry_of(action, context.now, std::move(caller), context.request_id, std::move(details));
}

store::AuditEntry audit_entry(std::string_view action, std::chrono::sys_seconds at, json::Node details) {
  return entry_of(action, at, nullptr, nullptr, std::move(details));
}

json::Node agent_details(const store::Agent& agent) {
  return json::Node::object({{"agent", agent.name},
                             {"agent_id", agent.id},
                             {"backend", agent.key.backend},
                             {"jkt", agent.key.stored.public_key.thumbprint().text()},
                             {"selectors", json::Node::canonical(agent.selectors)}});
}

json::Node key_details(const store::Key& key) {
  return json::Node::object({{"owner", key.owner},
                             {"backend", key.backend},
                             {"key_id", key.stored.binding.key_id},
                             {"jkt", key.stored.public_key.thumbprint().text()}});
}

}  // namespace chancery::service
