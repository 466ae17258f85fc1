#include "daemon/service/audit_entry.hpp"

#include "sdk/base/hex.hpp"

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

json::Node process_node(const Process& process) {
  json::Node node = json::Node::object({{"uid", process.uid}, {"gid", process.gid}, {"pid", process.pid}});
  if (!process.unit.empty()) node.set("unit", process.unit);
  return node;
}

json::Node chain_node(const VerifiedChain& chain) {
  const Claims& leaf = chain.leaf().claims();
  return json::Node::object({{"principal", leaf.sub},
                             {"client_id", leaf.client_id},
                             {"jkt", leaf.holder.text()},
                             {"token", hex_encode(chain.leaf().digest())}});
}

json::Node caller_node(const Caller& caller) {
  if (caller.process) return process_node(*caller.process);
  return caller.chain ? chain_node(*caller.chain) : json::Node(nullptr);
}

}  // namespace

store::AuditEntry audit_entry(std::string_view action, const CallContext& context, json::Node details) {
  return entry_of(action, context.now, caller_node(context.caller), context.request_id, std::move(details));
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
