#include "daemon/service/parking.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "daemon/service/amounts.hpp"
#include "daemon/service/key_life.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
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
  if (message.release) return refused("a call that takes an approval releases nothing: leave `release` out");
  if (std::ranges::find(kRisks, terms.risk) == kRisks.end())
    return refused("`approval.risk` must be low, medium or high");
  const bool is_line =
      std::ranges::all_of(terms.description, [](unsigned char c) { return c >= ' ' && c != 127; });
  if (terms.description.size() > kLongestDescription || !is_line)
    return refused("`approval.description` must be a text of at most 512 octets in one line");
  const auto arguments = json::Document::parse(terms.arguments, kArgumentLimits);
  if (!arguments || !arguments->root().is(json::Value::Kind::kObject))
    return refused(
        "`approval.arguments` must be an object, at most 32 deep and without integers beyond 2^53");
  const std::string canonical = json::to_jcs(arguments->root());
  if (canonical.size() > kMostToApprove)
    return Error{ErrorCode::kTooLarge,
                 "the arguments are longer than a person can approve: they may have 16384 octets in JCS"};
  if (digest_of(canonical) != message.arguments_sha256)
    return refused("`arguments_sha256` must be the SHA-256 of `approval.arguments` in JCS");
  return require_proven(arguments->root(), message.action.params);
}

// Whose key it is, is known here; any name in a token is what a delegator wrote.
Result<Node> Parking::subject_of(const Asker& asker) const {
  const auto policy = office_.policy.current();
  const api::Authorize& action = message_.action;
  const Claims& leaf = asker.chain.leaf().claims();
  Node node = Node::object({{"typ", "chancery-approval-request"},
                            {"v", 1},
                            {"tool", message_.tool},
                            {"scope", action.scope},
                            {"risk", message_.approval->risk},
                            {"arguments_sha256", message_.arguments_sha256},
                            {"principal", leaf.sub},
                            {"client_id", leaf.client_id},
                            {"key", asker.key.text()},
                            {"token", hex_encode(asker.chain.leaf().digest())},
                            {"audience", action.audience},
                            {"uri", action.uri},
                            {"runtime", spiffe_id(*policy, runtime_.name)},
                            {"debits", debits_node(asker.budget)}});
  const auto arguments = json::Document::parse(message_.approval->arguments, kArgumentLimits);
  if (!arguments) return arguments.error();
  node.set("arguments", Node::copy(arguments->root()));
  if (leaf.is_session) node.set("session_key", leaf.holder.text());
  const auto agent = office_.store.agent_by_key(asker.key);
  if (!agent && agent.error().code != ErrorCode::kNotFound) return agent.error();
  if (agent) node.set("agent", spiffe_id(*policy, agent->name));
  set_unless_empty(node, "credential", message_.credential);
  set_unless_empty(node, "description", message_.approval->description);
  return node;
}

Status Parking::compose(const Asker& asker) {
  const VerifiedChain& chain = asker.chain;
  CHANCERY_ASSIGN(Node document, subject_of(asker));
  call_ = {};
  is_repeated_ = false;
  call_.subject = digest_of(json::to_jcs(document));
  CHANCERY_ASSIGN(call_.id, random_id());
  call_.runtime = runtime_.id;
  call_.token = hex_encode(chain.leaf().digest());
  call_.key = asker.key;
  call_.first = chain.tokens().front()->claims().holder;
  call_.principal = chain.principal();
  call_.tool = message_.tool;
  call_.asked_at = context_.now;
  // Nobody can do it when the token has expired, so nobody is asked until then.
  const sys_seconds token_ends{seconds(static_cast<std::int64_t>(chain.leaf().claims().exp))};
  call_.expires_at = std::min(context_.now + office_.policy->approval_life, token_ends);
  document.set("id", call_.id);
  document.set("asked_at", seconds_of(call_.asked_at));
  document.set("expires_at", seconds_of(call_.expires_at));
  call_.document = json::to_jcs(document);
  call_.digest = digest_of(call_.document);
  return {};
}

void Parking::repeat(store::ParkedCall waiting) {
  call_ = std::move(waiting);
  is_repeated_ = true;
}

store::AuditEntry Parking::attempt() const {
  return audit_entry("tool.attempt", context_,
                     {.ids = {{"approval", call_.id},
                              {"token", call_.token},
                              {"runtime", runtime_.id},
                              {"arguments", message_.arguments_sha256}},
                      .details = Node::object({{"tool", call_.tool}, {"scope", message_.action.scope}})});
}

AuditFacts Parking::request() const {
  AuditFacts facts{.ids = {{"approval", call_.id}, {"runtime", runtime_.id}, {"document", call_.digest}},
                   .details = Node::object({{"tool", call_.tool},
                                            {"scope", message_.action.scope},
                                            {"risk", message_.approval->risk},
                                            {"expires_at", seconds_of(call_.expires_at)}})};
  if (is_repeated_) facts.details.set("repeated", true);
  return facts;
}

api::PendingApproval Parking::answer() const {
  return {call_.id, seconds_of(call_.expires_at), call_.document, call_.digest};
}

}  // namespace chancery::service
