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

}  // namespace chancery::service
