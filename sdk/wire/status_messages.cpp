// The messages about the statuses of tokens.

#include "sdk/wire/status_messages.hpp"

#include <array>

#include <chancery/verify.hpp>

#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr std::array kTargets{"token", "subtree", "agent", "key", "principal"};
constexpr const char* kWhatTarget =
    "name what is meant by exactly one of `token`, `subtree`, `chain`, `agent`, `key` and `principal`";

// --- parts

Result<api::StatusTarget> target_from(const Value& object) {
  api::StatusTarget out;
  for (const char* const kind : kTargets) {
    if (object.find(kind) == nullptr) continue;
    if (!out.kind.empty()) return malformed(kWhatTarget);
    out.kind = kind;
    CHANCERY_ASSIGN(out.value, need_text(object, kind, kWhatTarget));
  }
  if (object.find(api::kChainTarget) != nullptr) {
    if (!out.kind.empty()) return malformed(kWhatTarget);
    CHANCERY_ASSIGN(const std::vector<std::string> tokens, chain(object));
    out.kind = api::kChainTarget;
    out.value = join_chain(tokens);
  }
  return out.kind.empty() ? Result<api::StatusTarget>(malformed(kWhatTarget)) : out;
}

Node target_node(const api::StatusTarget& target) {
  Node node = Node::object({});
  node.set(target.kind, target.value);
  return node;
}

Result<std::int64_t> number_from(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(const auto number, integer(object, name, kAnyCount, what));
  if (!number) return malformed(what);
  return *number;
}

Result<std::uint64_t> count_from(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(const std::int64_t number, number_from(object, name, what));
  return static_cast<std::uint64_t>(number);
}

Node act_node(const api::StatusAct& act) {
  Node node = Node::object(
      {{"kind", act.kind}, {"target", target_node(act.target)}, {"at", act.at}, {"tokens", act.tokens}});
  if (act.id != 0) node.set("id", act.id);
  set_unless_empty(node, "reason", act.reason);
  set_optional(node, "until", act.until);
  set_optional(node, "lifted_at", act.lifted_at);
  return node;
}

Result<api::StatusAct> act_from(const Value& object) {
  const Value* target = object.find("target");
  if (target == nullptr) return malformed("an act has `target`");
  api::StatusAct out;
  CHANCERY_ASSIGN(out.target, target_from(*target));
  CHANCERY_ASSIGN(out.kind, need_text(object, "kind", "an act has `kind`"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", "`reason` is a string"));
  CHANCERY_ASSIGN(out.at, number_from(object, "at", "an act has `at`"));
  CHANCERY_ASSIGN(out.tokens, count_from(object, "tokens", "an act has `tokens`"));
  CHANCERY_ASSIGN(const auto id, integer(object, "id", kAnyCount, "`id` is a number"));
  out.id = id.value_or(0);
  CHANCERY_ASSIGN(out.until, integer(object, "until", kAnyTime, "`until` is a time"));
  CHANCERY_ASSIGN(out.lifted_at, integer(object, "lifted_at", kAnyTime, "`lifted_at` is a time"));
  return out;
}

Node agent_node(const api::ImpactAgent& agent) {
  Node node = Node::object({{"name", agent.name}, {"tokens", agent.tokens}});
  set_optional(node, "last_used_at", agent.last_used_at);
  return node;
}

Result<api::ImpactAgent> agent_from(const Value& object) {
  api::ImpactAgent out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", "an agent has `name`"));
  CHANCERY_ASSIGN(out.tokens, count_from(object, "tokens", "an agent has `tokens`"));
  CHANCERY_ASSIGN(out.last_used_at, integer(object, "last_used_at", kAnyTime, "`last_used_at` is a time"));
  return out;
}

Node denial_node(const api::DrillDenial& denial) {
  Node node = Node::object({{"token", denial.token},
                            {"count", denial.count},
                            {"first_at", denial.first_at},
                            {"last_at", denial.last_at}});
  set_unless_empty(node, "agent", denial.agent);
  return node;
}

Result<api::DrillDenial> denial_from(const Value& object) {
  api::DrillDenial out;
  CHANCERY_ASSIGN(out.token, need_text(object, "token", "a denial has `token`"));
  CHANCERY_ASSIGN(out.agent, text_or_empty(object, "agent", "`agent` is a string"));
  CHANCERY_ASSIGN(out.count, count_from(object, "count", "a denial has `count`"));
  CHANCERY_ASSIGN(out.first_at, number_from(object, "first_at", "a denial has `first_at`"));
  CHANCERY_ASSIGN(out.last_at, number_from(object, "last_at", "a denial has `last_at`"));
  return out;
}

}  // namespace

// --- requests

std::string write(const api::ChangeStatus& message) {
  Node node = target_node(message.target);
  set_unless_empty(node, "reason", message.reason);
  return json::to_jcs(node);
}

Result<api::ChangeStatus> read_change_status(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(
      allow_only(root, {"token", "subtree", "chain", "agent", "key", "principal", "reason"}, kWhatTarget));
  api::ChangeStatus out;
  CHANCERY_ASSIGN(out.target, target_from(root));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` must be a string"));
  return out;
}

std::string write(const api::AskImpact& message) { return json::to_jcs(target_node(message.target)); }

Result<api::AskImpact> read_ask_impact(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(
      allow_only(document.root(), {"token", "subtree", "chain", "agent", "key", "principal"}, kWhatTarget));
  api::AskImpact out;
  CHANCERY_ASSIGN(out.target, target_from(document.root()));
  return out;
}

std::string write(const api::CreateDrill& message) {
  Node node = target_node(message.target);
  node.set("window_s", message.window.count());
  set_unless_empty(node, "reason", message.reason);
  return json::to_jcs(node);
}

Result<api::CreateDrill> read_create_drill(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(
      root, {"token", "subtree", "chain", "agent", "key", "principal", "window_s", "reason"}, kWhatTarget));
  api::CreateDrill out;
  CHANCERY_ASSIGN(out.target, target_from(root));
  CHANCERY_ASSIGN(const std::int64_t window,
                  number_from(root, "window_s", "`window_s` must be a whole number of seconds"));
  out.window = std::chrono::seconds(window);
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` must be a string"));
  return out;
}

// --- answers

std::string write(const api::StatusAct& message) { return json::to_jcs(act_node(message)); }

Result<api::StatusAct> read_status_act(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return act_from(document.root());
}

std::string write(const api::Impact& message) {
  Node node = Node::object({{"target", target_node(message.target)},
                            {"tokens", message.tokens},
                            {"descendants", message.descendants},
                            {"agents", array_of(message.agents, agent_node)},
                            {"open_reservations", message.open_reservations},
                            {"standing", array_of(message.standing, act_node)}});
  set_optional(node, "until", message.until);
  set_optional(node, "last_used_at", message.last_used_at);
  return json::to_jcs(node);
}

Result<api::Impact> read_impact(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  const Value* target = root.find("target");
  if (target == nullptr) return malformed("an impact has `target`");
  api::Impact out;
  CHANCERY_ASSIGN(out.target, target_from(*target));
  CHANCERY_ASSIGN(out.tokens, count_from(root, "tokens", "an impact has `tokens`"));
  CHANCERY_ASSIGN(out.descendants, count_from(root, "descendants", "an impact has `descendants`"));
  CHANCERY_ASSIGN(out.until, integer(root, "until", kAnyTime, "`until` is a time"));
  CHANCERY_ASSIGN(out.last_used_at, integer(root, "last_used_at", kAnyTime, "`last_used_at` is a time"));
  CHANCERY_ASSIGN(out.agents,
                  items_from<api::ImpactAgent>(root, "agents", "an impact has `agents`", agent_from));
  CHANCERY_ASSIGN(out.open_reservations,
                  count_from(root, "open_reservations", "an impact has `open_reservations`"));
  CHANCERY_ASSIGN(out.standing,
                  items_from<api::StatusAct>(root, "standing", "an impact has `standing`", act_from));
  return out;
}

std::string write(const api::Drill& message) {
  return json::to_jcs(
      Node::object({{"act", act_node(message.act)}, {"denials", array_of(message.denials, denial_node)}}));
}

Result<api::Drill> read_drill(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value* act = document.root().find("act");
  if (act == nullptr) return malformed("a drill has `act`");
  api::Drill out;
  CHANCERY_ASSIGN(out.act, act_from(*act));
  CHANCERY_ASSIGN(out.denials, items_from<api::DrillDenial>(document.root(), "denials",
                                                            "a drill has `denials`", denial_from));
  return out;
}

}  // namespace chancery::wire
