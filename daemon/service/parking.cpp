#include "daemon/service/parking.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "daemon/service/amounts.hpp"
#include "daemon/service/approvals.hpp"
#include "daemon/service/key_life.hpp"
#include "daemon/service/request_outline.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/htu.hpp"
#include "sdk/wire/authorize_fields.hpp"

namespace chancery::service {
namespace {

using json::Node;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kLongestDescription = 512;
// So that whatever the document stands in can be read with the usual limits.
constexpr json::Limits kArgumentLimits{.max_depth = 32};
constexpr std::array<std::string_view, 3> kRisks{"low", "medium", "high"};

Error refused(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::int64_t seconds_of(sys_seconds at) { return at.time_since_epoch().count(); }

// What the agent's proof is of vouches for each argument: a runtime that was taken over can ask a person about nothing else.
Status require_proven(const json::Value& arguments, const std::string& params) {
  CHANCERY_ASSIGN(const json::Document proven, json::Document::parse(params, wire::kActionLimits));
  const bool are_proven = std::ranges::all_of(arguments.members(), [&](const json::Member& argument) {
    const json::Value* const parameter = proven.root().find(argument.name);
    return parameter != nullptr && json::to_jcs(*parameter) == json::to_jcs(argument.value);
  });
  if (are_proven) return {};
  return refused(
      "each of `approval.arguments` must stand in `action.params` with the same value: the agent's proof is of those");
}

// Arguments for a person to read: an object of which everybody reads the same.
Result<std::string> readable(const std::string& arguments) {
  const auto document = json::Document::parse(arguments, kArgumentLimits);
  if (!document || !document->root().is(json::Value::Kind::kObject))
    return refused(
        "what a person is to approve must be an object, at most 32 deep and without integers beyond 2^53");
  std::string canonical = json::to_jcs(document->root());
  if (canonical.size() <= kMostToApprove) return canonical;
  return Error{ErrorCode::kTooLarge,
               "the arguments are longer than a person can approve: they may have 16384 octets in JCS"};
}

Node names_node(const std::vector<std::string>& names) {
  Node node = Node::array();
  for (const std::string& name : names) node.push_back(name);
  return node;
}

// Why a gate is closed can be told otherwise a minute later; which one it is, and who opens it, cannot.
Node terms_node(std::span<const ClosedGate> closed) {
  Node node = Node::array();
  for (const ClosedGate& item : closed) {
    const store::GateTerms terms = terms_of(item.gate);
    node.push_back(Node::object({{"gate", terms.gate},
                                 {"approvers", names_node(terms.approvers)},
                                 {"quorum", terms.quorum},
                                 {"separation", terms.separation}}));
  }
  return node;
}

Node reasons_node(std::span<const ClosedGate> closed) {
  Node node = Node::array();
  for (const ClosedGate& item : closed)
    node.push_back(Node::object({{"gate", item.gate.name}, {"why", item.why}}));
  return node;
}

// What is spent by it, by the keys of the constraints that bound it.
Node debits_node(const ActionBudget& budget) {
  std::map<std::string, std::string> amounts;
  for (const store::Debit& debit : budget.debits) amounts.emplace(debit.total.key, amount_text(debit.amount));
  Node node = Node::object();
  for (const auto& [key, amount] : amounts) node.set(key, amount);
  return node;
}

void set_unless_empty(Node& node, const char* name, const std::string& text) {
  if (!text.empty()) node.set(name, text);
}

}  // namespace

Status check_approval(const api::AskPermit& message) {
  const api::ApprovalTerms& terms = *message.approval;
  if (std::ranges::find(kRisks, terms.risk) == kRisks.end())
    return refused("`approval.risk` must be low, medium or high");
  const bool is_line =
      std::ranges::all_of(terms.description, [](unsigned char c) { return c >= ' ' && c != 127; });
  if (terms.description.size() > kLongestDescription || !is_line)
    return refused("`approval.description` must be a text of at most 512 octets in one line");
  CHANCERY_ASSIGN(const std::string canonical, readable(terms.arguments));
  if (digest_of(canonical) != message.arguments_sha256)
    return refused("`arguments_sha256` must be the SHA-256 of `approval.arguments` in JCS");
  CHANCERY_ASSIGN(const json::Document arguments, json::Document::parse(canonical, kArgumentLimits));
  return require_proven(arguments.root(), message.action.params);
}

Matter matter_of_call(const Policy& policy, const api::AskPermit& message, const store::Agent& runtime) {
  Matter matter;
  matter.kind = store::ApprovalKind::kCall;
  matter.tool = message.tool;
  matter.credential = message.credential;
  matter.risk = message.approval->risk;
  matter.description = message.approval->description;
  matter.arguments = message.approval->arguments;
  matter.arguments_sha256 = message.arguments_sha256;
  matter.asked_by = runtime.id;
  matter.runtime = spiffe_id(policy, runtime.name);
  return matter;
}

Result<Matter> matter_of_action(const Policy& policy, const CallContext& context,
                                const api::Authorize& action) {
  Matter matter;
  CHANCERY_ASSIGN(matter.arguments, readable(action.params));
  matter.arguments_sha256 = digest_of(matter.arguments);
  matter.asked_by = identity_of(context.caller);
  matter.requesters = requesters_of(policy, context.caller);
  return matter;
}

std::vector<std::string> requesters_of(const Policy& policy, const Caller& caller) {
  std::vector<std::string> out;
  if (caller.chain) out = {caller.chain->principal(), "jkt:" + caller.chain->leaf().claims().holder.text()};
  if (caller.visitor && !caller.visitor->principal.empty()) out.push_back(caller.visitor->principal);
  std::optional<std::uint32_t> uid;
  if (caller.process) uid = caller.process->uid;
  if (caller.visitor) uid = caller.visitor->uid;
  const auto person = uid ? policy.persons.find(*uid) : policy.persons.end();
  if (person != policy.persons.end()) out.push_back(person->second);
  return out;
}

Status require_known_asker(const Policy& policy, const Caller& caller, const Gate& gate) {
  if (gate.separation != store::kSeparateRequester) return {};
  const bool is_known =
      caller.process ? policy.persons.contains(caller.process->uid) : !requesters_of(policy, caller).empty();
  if (is_known) return {};
  return Error{
      ErrorCode::kForbidden,
      "this is behind a gate that keeps whoever asks from deciding, and no principal is known for the user who "
      "asks: put that user's id, which `id -u` prints, into [console] approvers as UID=PRINCIPAL and restart "
      "chanceryd, or choose another `separation` for the gate"};
}

// Whose key it is, is known here; any name in a token is what a delegator wrote.
Result<Node> Parking::subject_of(const Asker& asker) const {
  const Claims& leaf = asker.chain.leaf().claims();
  Node node = Node::object({{"typ", "chancery-approval-request"},
                            {"v", 1},
                            {"kind", store::approval_kind_name(matter_.kind)},
                            {"scope", action_.scope},
                            {"arguments_sha256", matter_.arguments_sha256},
                            {"principal", leaf.sub},
                            {"client_id", leaf.client_id},
                            {"key", asker.key.text()},
                            {"token", hex_encode(asker.chain.leaf().digest())},
                            {"audience", action_.audience},
                            {"uri", action_.uri},
                            {"debits", debits_node(asker.budget)}});
  CHANCERY_ASSIGN(const json::Document arguments, json::Document::parse(matter_.arguments, kArgumentLimits));
  node.set("arguments", Node::copy(arguments.root()));
  if (leaf.is_session) node.set("session_key", leaf.holder.text());
  const auto agent = office_.store.agent_by_key(asker.key);
  if (!agent && agent.error().code != ErrorCode::kNotFound) return agent.error();
  if (agent) node.set("agent", spiffe_id(*office_.policy.current(), agent->name));
  set_unless_empty(node, "tool", matter_.tool);
  set_unless_empty(node, "risk", matter_.risk);
  set_unless_empty(node, "runtime", matter_.runtime);
  set_unless_empty(node, "credential", matter_.credential);
  set_unless_empty(node, "description", matter_.description);
  if (matter_.kind == store::ApprovalKind::kCall) return node;
  node.set("method", action_.method);
  node.set("asked_by", matter_.asked_by);
  return node;
}

// Without what an agent changes by opening another session, or delegating to itself.
std::string Parking::matter_of(const Asker& asker) const {
  Node node = Node::object({{"kind", store::approval_kind_name(matter_.kind)},
                            {"scope", action_.scope},
                            {"tool", matter_.tool},
                            {"audience", action_.audience},
                            {"arguments_sha256", matter_.arguments_sha256},
                            {"principal", asker.chain.principal()},
                            {"gates", terms_node(asker.closed)}});
  // A call's address is its tool's; of an action it says what is done. Its proof is good for any query and spelling, and so is a denial.
  if (matter_.kind != store::ApprovalKind::kCall) {
    node.set("uri", normalize_htu(action_.uri).value_or(action_.uri));
    node.set("method", action_.method);
  }
  return digest_of(json::to_jcs(node));
}

Status Parking::compose(const Asker& asker) {
  const VerifiedChain& chain = asker.chain;
  call_ = {};
  is_repeated_ = false;
  // Nodes grow and are not copied: what a request is about is written once for its name, and once for a person.
  CHANCERY_ASSIGN(Node subject, subject_of(asker));
  subject.set("gates", terms_node(asker.closed));
  call_.subject = digest_of(json::to_jcs(subject));
  call_.matter = matter_of(asker);
  CHANCERY_ASSIGN(Node document, subject_of(asker));
  CHANCERY_ASSIGN(call_.id, random_id());
  call_.runtime = matter_.asked_by;
  call_.token = hex_encode(chain.leaf().digest());
  call_.key = asker.key;
  call_.first = chain.tokens().front()->claims().holder;
  call_.principal = chain.principal();
  call_.tool = matter_.tool.empty() ? action_.scope : matter_.tool;
  call_.scope = action_.scope;
  call_.kind = matter_.kind;
  call_.requesters = matter_.requesters;
  call_.asked_at = context_.now;
  // Nobody can do it when the token has expired, so nobody is asked until then.
  call_.expires_at = sys_seconds{seconds(static_cast<std::int64_t>(chain.leaf().claims().exp))};
  call_.lifetime = asker.closed.front().gate.lifetime;
  gates_.clear();
  for (const ClosedGate& closed : asker.closed) {
    gates_.push_back(closed.gate.name);
    call_.gates.push_back(terms_of(closed.gate));
    call_.expires_at = std::min(call_.expires_at, context_.now + closed.gate.wait);
    call_.lifetime = std::min(call_.lifetime, closed.gate.lifetime);
  }
  // A gate that nobody may open stays closed, whoever opens the others: then nobody approves the request.
  const bool has_nobody =
      std::ranges::any_of(call_.gates, [](const store::GateTerms& terms) { return terms.approvers.empty(); });
  if (has_nobody) call_.gates.clear();
  document.set("gates", reasons_node(asker.closed));
  document.set("id", call_.id);
  document.set("asked_at", seconds_of(call_.asked_at));
  document.set("expires_at", seconds_of(call_.expires_at));
  call_.document = json::to_jcs(document);
  call_.digest = digest_of(call_.document);
  return outline(call_);
}

void Parking::repeat(store::ParkedCall waiting) {
  call_ = std::move(waiting);
  is_repeated_ = true;
}

store::AuditEntry Parking::attempt() const {
  return audit_entry("tool.attempt", context_,
                     {.ids = {{"approval", call_.id},
                              {"token", call_.token},
                              {"runtime", matter_.asked_by},
                              {"arguments", matter_.arguments_sha256}},
                      .details = Node::object({{"tool", call_.tool}, {"scope", action_.scope}})});
}

AuditFacts Parking::request() const {
  AuditFacts facts{.ids = {{"approval", call_.id}, {"document", call_.digest}},
                   .details = Node::object({{"kind", store::approval_kind_name(call_.kind)},
                                            {"scope", action_.scope},
                                            {"expires_at", seconds_of(call_.expires_at)}})};
  facts.details.set("gates", names_node(gates_));
  if (matter_.kind == store::ApprovalKind::kCall) {
    facts.ids.emplace_back("runtime", matter_.asked_by);
    facts.details.set("tool", call_.tool);
    facts.details.set("risk", matter_.risk);
  }
  if (is_repeated_) facts.details.set("repeated", true);
  return facts;
}

AuditFacts Parking::use(const store::ParkedCall& approved) const {
  return {.ids = {{"approval", approved.id}, {"document", approved.digest}},
          .details =
              Node::object({{"kind", store::approval_kind_name(approved.kind)}, {"scope", action_.scope}})};
}

api::PendingApproval Parking::answer() const {
  return {call_.id, seconds_of(call_.expires_at), call_.document, call_.digest,
          approval_page(office_, call_.id)};
}

}  // namespace chancery::service
