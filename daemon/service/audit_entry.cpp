#include "daemon/service/audit_entry.hpp"

#include "sdk/base/hex.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

using json::Node;

// Ids of agents are in no other entry of theirs than this: by it those about their keys, which know no name, are found.
constexpr const char* kAgentId = "agent_id";

std::string_view outcome_text(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::kDone:
      return "done";
    case AuditOutcome::kPermit:
      return "permit";
    case AuditOutcome::kDeny:
      return "deny";
    case AuditOutcome::kRefused:
      return "refused";
    case AuditOutcome::kFailed:
      return "failed";
  }
  return "";
}

Node process_node(const Process& process) {
  Node node = Node::object({{"uid", process.uid}, {"gid", process.gid}, {"pid", process.pid}});
  if (!process.unit.empty()) node.set("unit", process.unit);
  return node;
}

Node chain_node(const VerifiedChain& chain) {
  const Claims& leaf = chain.leaf().claims();
  return Node::object({{"principal", leaf.sub},
                       {"client_id", leaf.client_id},
                       {"jkt", leaf.holder.text()},
                       {"token", hex_encode(chain.leaf().digest())}});
}

Node visitor_node(const ConsoleVisitor& visitor) {
  Node node = Node::object(
      {{"console", visitor.session}, {"role", console_role_name(visitor.role)}, {"uid", visitor.uid}});
  if (!visitor.principal.empty()) node.set("principal", visitor.principal);
  if (!visitor.passkey.empty()) node.set("passkey", visitor.passkey);
  return node;
}

Node caller_node(const Caller& caller) {
  if (caller.process) return process_node(*caller.process);
  if (caller.visitor) return visitor_node(*caller.visitor);
  return caller.chain ? chain_node(*caller.chain) : Node(nullptr);
}

/// Puts an entry together: what names something is a reference too.
class Composer {
 public:
  Composer(std::string_view action, std::chrono::sys_seconds at) {
    entry_.action = action;
    entry_.at = at;
  }

  void set(const char* name, Node value) { entry_.members.set(name, std::move(value)); }

  void refer(const std::string& identifier) { entry_.refs.push_back(identifier); }

  void set_reference(const char* name, const std::string& identifier) {
    if (identifier.empty()) return;
    set(name, identifier);
    refer(identifier);
  }

  void add(AuditFacts facts) {
    set("outcome", outcome_text(facts.outcome));
    set_reference("principal", facts.principal);
    set_reference("agent", facts.agent);
    entry_.by_key = facts.by_key;
    set_reference("session", facts.session);
    if (facts.hop >= 0) set("hop", facts.hop);
    Node ids = Node::object();
    for (auto& [name, identifier] : facts.ids) {
      if (identifier.empty()) continue;
      refer(identifier);
      ids.set(std::move(name), std::move(identifier));
    }
    set("ids", std::move(ids));
    set("details", std::move(facts.details));
  }

  void add(const CallContext& context) {
    set("caller", caller_node(context.caller));
    set_reference("request_id", context.request_id);
    set_reference("task", context.task);
    set_reference("trace_id", context.trace_id);
    if (const auto& visitor = context.caller.visitor) {
      for (const std::string* name : {&visitor->session, &visitor->principal, &visitor->passkey})
        if (!name->empty()) refer(*name);
    }
    if (context.caller.process || !context.caller.chain) return;
    const Token& leaf = context.caller.chain->leaf();
    refer(hex_encode(leaf.digest()));
    refer(leaf.claims().holder.text());
  }

  [[nodiscard]] store::AuditEntry take() { return std::move(entry_); }

 private:
  store::AuditEntry entry_;
};

constexpr std::size_t kLongestIdentifier = 256;
constexpr std::size_t kMostDetails = 4096;

void drop_if_long(std::string& identifier) {
  if (identifier.size() > kLongestIdentifier) identifier.clear();
}

// What was asked for in vain is whatever the caller sent: it gets no more of the disk than what is done does.
AuditFacts bounded(AuditFacts facts) {
  for (std::string* const name : {&facts.principal, &facts.agent, &facts.session}) drop_if_long(*name);
  for (auto& [name, identifier] : facts.ids) drop_if_long(identifier);
  if (json::to_jcs(facts.details).size() > kMostDetails) facts.details = Node::object({{"omitted", true}});
  return facts;
}

// The token of the session in which a caller acts.
std::string session_of(const Caller& caller) {
  if (caller.process || !caller.chain || !caller.chain->leaf().claims().is_session) return {};
  return hex_encode(caller.chain->leaf().digest());
}

// Something that is done besides, such as a key that is found to be lost, is not what was asked for.
bool answers(std::string_view action, AuditOutcome outcome, const Attempt& attempt) {
  return action == attempt.action || outcome != AuditOutcome::kDone;
}

}  // namespace

void note_attempt(const CallContext& context, AuditFacts facts) {
  if (context.attempt != nullptr) context.attempt->facts = std::move(facts);
}

void note_denial(const CallContext& context, const Denial& denial) {
  if (context.attempt != nullptr) context.attempt->denial = denial;
}

store::AuditEntry audit_entry(std::string_view action, const CallContext& context, AuditFacts facts) {
  Composer composer(action, context.now);
  composer.add(context);
  if (facts.session.empty()) facts.session = session_of(context.caller);
  const AuditOutcome outcome = facts.outcome;
  composer.add(std::move(facts));
  store::AuditEntry entry = composer.take();
  Attempt* const attempt = context.attempt;
  if (attempt != nullptr && answers(action, outcome, *attempt)) entry.is_recorded = &attempt->is_recorded;
  return entry;
}

store::AuditEntry refusal_entry(const CallContext& context, const std::optional<Error>& error,
                                AuditOutcome outcome) {
  AuditFacts facts = bounded(std::move(context.attempt->facts));
  facts.outcome = outcome;
  if (error) {
    facts.details.set("error", error_name(error->code));
    facts.hop = error->hop;
  }
  if (const auto& denial = context.attempt->denial) {
    facts.details.set("denial", outcome_name(denial->outcome));
    facts.details.set("step", wire::step_node(step_name(denial->step)));
    facts.hop = denial->hop;
  }
  return audit_entry(context.attempt->action, context, std::move(facts));
}

store::AuditEntry audit_entry(std::string_view action, std::chrono::sys_seconds at, AuditFacts facts) {
  Composer composer(action, at);
  composer.set("caller", nullptr);
  composer.add(std::move(facts));
  return composer.take();
}

store::AuditEntry audit_entry(std::string_view action, const Occasion& occasion, AuditFacts facts) {
  return occasion.caller != nullptr ? audit_entry(action, *occasion.caller, std::move(facts))
                                    : audit_entry(action, occasion.now, std::move(facts));
}

AuditFacts agent_facts(const store::Agent& agent) {
  return {.agent = agent.name,
          .ids = {{kAgentId, agent.id}, {"key", agent.key.stored.public_key.thumbprint().text()}},
          .details = Node::object(
              {{"backend", agent.key.backend}, {"selectors", Node::canonical(agent.selectors)}})};
}

AuditFacts key_facts(const store::Key& key) {
  AuditFacts facts{
      .ids = {{"key", key.stored.public_key.thumbprint().text()}},
      .details = Node::object(
          {{"owner", key.owner}, {"backend", key.backend}, {"key_id", key.stored.binding.key_id}})};
  if (!store::is_daemons(key.owner)) facts.ids.emplace_back(kAgentId, key.owner);
  return facts;
}

AuditFacts backend_facts(std::string_view backend) { return {.ids = {{"backend", std::string(backend)}}}; }

AuditFacts host_facts(std::string_view host) { return {.ids = {{"host", std::string(host)}}}; }

}  // namespace chancery::service
