// The messages of enforcement points.

#include <algorithm>
#include <array>

#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/authorize_fields.hpp"
#include "sdk/wire/custody_fields.hpp"
#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr Range kReservation{1, 86400};
constexpr std::size_t kLongestKey = 128;

bool is_printable(char c) { return c > ' ' && c < 127; }

Status read_action(const Value& root, api::Authorize& out) {
  const Value* action = root.find("action");
  if (action == nullptr) return malformed("`action` must be an object with `scope` and `params`");
  CHANCERY_TRY(allow_only(*action, {"scope", "params"},
                          "`action` has `scope` and `params` only: totals never come from a request"));
  CHANCERY_ASSIGN(out.scope, need_text(*action, "scope", "`action.scope` must be a scope"));
  if (const Value* params = action->find("params")) {
    if (!params->is(Value::Kind::kObject)) return malformed("`action.params` must be an object");
    out.params = json::to_jcs(*params);
  }
  return {};
}

Status read_terms(const Value& root, api::Authorize& out) {
  CHANCERY_ASSIGN(const auto reserve,
                  integer(root, "reserve_s", kReservation, "`reserve_s` must be 1 to 86400 seconds"));
  out.reserve = std::chrono::seconds(reserve.value_or(0));
  CHANCERY_ASSIGN(out.idempotency_key,
                  text_or_empty(root, "idempotency_key", "`idempotency_key` must be a string"));
  if (out.idempotency_key.size() > kLongestKey || !std::ranges::all_of(out.idempotency_key, is_printable)) {
    return malformed("`idempotency_key` must be at most 128 printable ASCII characters without spaces");
  }
  CHANCERY_ASSIGN(const std::string ada, text_or_empty(root, "ada", "`ada` can be \"required\" only"));
  if (!ada.empty() && ada != "required") return malformed("`ada` can be \"required\" only");
  out.ada_required = ada == "required";
  return {};
}

Node denial_node(const api::Decision& decision) {
  Node node = Node::object({{"decision", "deny"},
                            {"not_performed", text_array(decision.not_performed)},
                            {"outcome", decision.outcome},
                            {"step", step_node(decision.step)},
                            {"reason", decision.reason}});
  if (!decision.custody.empty()) node.set("custody", Node::canonical(decision.custody));
  if (decision.approval) node.set("approval", pending_approval_node(*decision.approval));
  if (!decision.hop) return node;
  node.set("hop", *decision.hop);
  node.set("expected", decision.expected);
  node.set("found", decision.found);
  node.set("remedy", decision.remedy);
  return node;
}

Node permit_node(const api::Decision& decision) {
  Node node = Node::object({{"decision", "permit"},
                            {"decision_id", decision.id},
                            {"not_performed", text_array(decision.not_performed)}});
  if (!decision.custody.empty()) node.set("custody", Node::canonical(decision.custody));
  if (decision.expires_at) node.set("expires_at", *decision.expires_at);
  if (decision.leaf) node.set("leaf", Node::canonical(decision.leaf->json));
  return node;
}

Status read_permit(const Value& root, api::Decision& out) {
  CHANCERY_ASSIGN(out.id, need_text(root, "decision_id", "a permit has `decision_id`"));
  CHANCERY_ASSIGN(out.expires_at, integer(root, "expires_at", kAnyTime, "`expires_at` is a time"));
  const Value* leaf = root.find("leaf");
  if (leaf == nullptr) return malformed("a permit has `leaf`");
  out.leaf.emplace();
  CHANCERY_ASSIGN(out.leaf->principal, need_text(*leaf, "principal", "a leaf has `principal`"));
  CHANCERY_ASSIGN(out.leaf->agent, text_or_empty(*leaf, "agent", "a leaf's `agent` is a string"));
  out.leaf->json = json::to_jcs(*leaf);
  return {};
}

Status read_denial(const Value& root, api::Decision& out) {
  CHANCERY_ASSIGN(out.outcome, need_text(root, "outcome", "a denial has `outcome`"));
  CHANCERY_ASSIGN(out.reason, need_text(root, "reason", "a denial has `reason`"));
  const Value* step = root.find("step");
  if (step == nullptr) return malformed("a denial has `step`");
  out.step = std::string(step->string().value_or(step->source()));
  CHANCERY_ASSIGN(const auto hop, integer(root, "hop", kAnyCount, "`hop` is the number of a token"));
  if (hop) out.hop = static_cast<int>(*hop);
  CHANCERY_ASSIGN(out.expected, text_or_empty(root, "expected", "`expected` is a string"));
  CHANCERY_ASSIGN(out.found, text_or_empty(root, "found", "`found` is a string"));
  CHANCERY_ASSIGN(out.remedy, text_or_empty(root, "remedy", "`remedy` is a string"));
  if (const Value* const approval = root.find("approval")) {
    CHANCERY_ASSIGN(out.approval, pending_approval_from(*approval));
  }
  return {};
}

}  // namespace

Status allow_authorize_members(const Value& root, std::initializer_list<std::string_view> besides,
                               const char* what) {
  constexpr std::array<std::string_view, 12> kMembers = {"chain",
                                                         "proof",
                                                         "method",
                                                         "uri",
                                                         "audience",
                                                         "action",
                                                         "reserve_s",
                                                         "idempotency_key",
                                                         "ada",
                                                         "require_custody",
                                                         "custody_max_age_s",
                                                         "attestation_results"};
  const auto is_known = [&](const json::Member& member) {
    return std::ranges::find(kMembers, member.name) != kMembers.end() ||
           std::ranges::find(besides, member.name) != besides.end();
  };
  const bool is_good = root.is(Value::Kind::kObject) && std::ranges::all_of(root.members(), is_known);
  return is_good ? Status{} : Status{malformed(what)};
}

Node authorize_node(const api::Authorize& message) {
  const auto params = Document::parse(message.params, kActionLimits);
  Node action = Node::object({{"scope", message.scope}});
  action.set("params", params ? Node::copy(params->root()) : Node(nullptr));
  Node node = Node::object({{"chain", text_array(message.chain)},
                            {"proof", message.proof},
                            {"method", message.method},
                            {"uri", message.uri},
                            {"audience", message.audience},
                            {"action", std::move(action)}});
  if (message.reserve.count() > 0) node.set("reserve_s", message.reserve.count());
  if (!message.idempotency_key.empty()) node.set("idempotency_key", message.idempotency_key);
  if (message.ada_required) node.set("ada", "required");
  set_custody_terms(node, message.custody);
  return node;
}

std::string write(const api::Authorize& message) { return json::to_jcs(authorize_node(message)); }

Result<api::Authorize> read_authorize(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json, kActionLimits));
  CHANCERY_TRY(allow_authorize_members(
      document.root(), {},
      "an authorization has `chain`, `proof`, `method`, `uri`, `audience`, `action`, `reserve_s`, "
      "`idempotency_key`, `ada`, `require_custody`, `custody_max_age_s` and `attestation_results` only"));
  return authorize_from(document.root());
}

Result<api::Authorize> authorize_from(const Value& root) {
  api::Authorize out;
  CHANCERY_ASSIGN(out.chain, chain(root));
  CHANCERY_ASSIGN(out.proof, need_text(root, "proof", "`proof` must be the request's compact dpop+jwt"));
  CHANCERY_ASSIGN(out.method, need_text(root, "method", "`method` must be the request's HTTP method"));
  CHANCERY_ASSIGN(out.uri, need_text(root, "uri", "`uri` must be the request's URI"));
  CHANCERY_ASSIGN(out.audience,
                  need_text(root, "audience", "`audience` must be the enforcement point's identifier"));
  CHANCERY_TRY(read_action(root, out));
  CHANCERY_TRY(read_terms(root, out));
  CHANCERY_ASSIGN(out.custody, custody_terms(root));
  return out;
}

Node decision_node(const api::Decision& decision) {
  return decision.permitted ? permit_node(decision) : denial_node(decision);
}

std::string write(const api::Decision& decision) { return json::to_jcs(decision_node(decision)); }

Result<api::Decision> read_decision(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return decision_from(document.root());
}

Result<api::Decision> decision_from(const Value& root) {
  CHANCERY_ASSIGN(const std::string decision,
                  need_text(root, "decision", "a decision has `decision`: permit or deny"));
  api::Decision out;
  CHANCERY_ASSIGN(out.not_performed,
                  string_array(root, "not_performed", "a decision has `not_performed`: an array of strings"));
  if (const Value* custody = root.find("custody")) out.custody = json::to_jcs(*custody);
  // Whatever is not said to be permitted is not.
  out.permitted = decision == "permit";
  CHANCERY_TRY(out.permitted ? read_permit(root, out) : read_denial(root, out));
  return out;
}

std::string write(const api::Settlement& message) {
  Node amounts = Node::object();
  for (const auto& [parameter, amount] : message.amounts) amounts.set(parameter, amount);
  return json::to_jcs(Node::object({{"amounts", std::move(amounts)}}));
}

Result<api::Settlement> read_settlement(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"amounts"}, "a settlement has `amounts` only"));
  api::Settlement out;
  const Value* amounts = root.find("amounts");
  if (amounts == nullptr) return out;
  if (!amounts->is(Value::Kind::kObject)) return malformed("`amounts` must be an object of numbers");
  for (const json::Member& member : amounts->members()) {
    const auto amount = member.value.number();
    if (!amount) return malformed("`amounts` must be an object of numbers");
    out.amounts.emplace(member.name, *amount);
  }
  return out;
}

std::string write(const api::EndedReservation& message) {
  return json::to_jcs(Node::object({{"decision_id", message.decision_id}, {"state", message.state}}));
}

Result<api::EndedReservation> read_ended_reservation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::EndedReservation out;
  CHANCERY_ASSIGN(out.decision_id,
                  need_text(document.root(), "decision_id", "a reservation has `decision_id`"));
  CHANCERY_ASSIGN(out.state, need_text(document.root(), "state", "a reservation has `state`"));
  return out;
}

std::string write(const api::AcceptBudget& message) {
  Node node = Node::object({});
  if (message.tokens) node.set("tokens", *message.tokens);
  return json::to_jcs(node);
}

Result<api::AcceptBudget> read_accept_budget(std::string_view json) {
  if (json.empty()) return api::AcceptBudget{};
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  constexpr const char* kWhat = "the body has `tokens`, \"end\" or \"keep\", or nothing";
  CHANCERY_TRY(allow_only(document.root(), {"tokens"}, kWhat));
  api::AcceptBudget out;
  if (document.root().find("tokens") == nullptr) return out;
  CHANCERY_ASSIGN(out.tokens, need_text(document.root(), "tokens", kWhat));
  return out;
}

std::string write(const api::Budget& message) {
  Node node = Node::object({{"state", message.state},
                            {"checkpoint", message.checkpoint},
                            {"totals", message.totals},
                            {"reservations", message.reservations}});
  if (!message.reason.empty()) node.set("reason", message.reason);
  return json::to_jcs(node);
}

Result<api::Budget> read_budget(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::Budget out;
  CHANCERY_ASSIGN(out.state, need_text(root, "state", "a budget has `state`"));
  CHANCERY_ASSIGN(out.checkpoint, need_text(root, "checkpoint", "a budget has `checkpoint`"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` is a string"));
  CHANCERY_ASSIGN(const auto totals, integer(root, "totals", kAnyCount, "`totals` is a count"));
  CHANCERY_ASSIGN(const auto reservations,
                  integer(root, "reservations", kAnyCount, "`reservations` is a count"));
  out.totals = totals.value_or(0);
  out.reservations = reservations.value_or(0);
  return out;
}

}  // namespace chancery::wire
