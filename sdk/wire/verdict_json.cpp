#include <array>

#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/wire/custody_fields.hpp"
#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {
namespace {

using json::Node;
using json::Value;

Node verdict_node(const Verdict& verdict) {
  Node node = Node::object(
      {{"outcome", outcome_name(verdict.outcome())}, {"not_performed", text_array(verdict.not_performed())}});
  set_custody(node, verdict);
  if (verdict.valid()) {
    node.set("step", nullptr);
    node.set("hop", nullptr);
    node.set("leaf", leaf_node(verdict.chain()));
    return node;
  }
  const Denial& denial = verdict.denial();
  node.set("step", step_node(step_name(denial.step)));
  node.set("hop", denial.hop < 0 ? Node(nullptr) : Node(denial.hop));
  node.set("reason", denial.reason);
  return node;
}

std::string_view state_name(HopExplanation::State state) {
  switch (state) {
    case HopExplanation::State::kPassed:
      return "passed";
    case HopExplanation::State::kFailed:
      return "failed";
    case HopExplanation::State::kNotReached:
      return "not_reached";
    case HopExplanation::State::kRead:
      return "read";
    case HopExplanation::State::kUnreadable:
      return "unreadable";
  }
  return "";
}

Node hop_node(const HopExplanation& hop) {
  return Node::object({{"state", state_name(hop.state)},
                       {"giver", hop.giver},
                       {"receiver", hop.receiver},
                       {"principal", hop.principal},
                       {"signed_with", hop.signed_with},
                       {"holder", hop.holder},
                       {"audience", hop.audience},
                       {"scopes", hop.scopes},
                       {"constraints", text_array(hop.constraints)},
                       {"valid_from", hop.valid_from},
                       {"valid_until", hop.valid_until}});
}

// `step` as text: "parse", "4"; empty for null.
std::string step_text(const Value* step) {
  if (step == nullptr || step->is(Value::Kind::kNull)) return {};
  return std::string(step->string().value_or(step->source()));
}

}  // namespace

Node leaf_node(const VerifiedChain& chain) {
  const Claims& claims = chain.leaf().claims();
  return Node::object({{"principal", chain.principal()},
                       {"agent", claims.client_id},
                       {"jkt", claims.holder.text()},
                       {"audience", text_array(claims.aud)},
                       {"authority", to_json(claims.authority)},
                       {"exp", claims.exp},
                       {"del_depth", claims.del_depth},
                       {"del_max_depth", chain.max_depth()}});
}

Node step_node(std::string_view step) {
  const bool is_number = step.size() == 1 && step.front() >= '1' && step.front() <= '8';
  return is_number ? Node(step.front() - '0') : Node(step);
}

std::string write(const Verdict& verdict) { return json::to_jcs(verdict_node(verdict)); }

namespace {

Node explanation_node(const Explanation& explanation) {
  Node node = verdict_node(explanation.verdict);
  Node hops = Node::array();
  for (const HopExplanation& hop : explanation.hops) hops.push_back(hop_node(hop));
  node.set("tokens", explanation.tokens);
  node.set("hops", std::move(hops));
  if (!explanation.verdict.valid()) {
    const Denial& denial = explanation.verdict.denial();
    node.set("expected", denial.expected);
    node.set("found", denial.found);
    node.set("remedy", denial.remedy);
  }
  return node;
}

}  // namespace

std::string write(const Explanation& explanation) { return json::to_jcs(explanation_node(explanation)); }

std::string write(const Decision& decision) {
  Node node = explanation_node(decision.explanation);
  node.set("decision", ruling_name(decision.ruling));
  node.set("missing", text_array(decision.missing));
  return json::to_jcs(node);
}

Result<api::Verification> read_verification(std::string json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const Value& root = document.root();
  api::Verification out;
  CHANCERY_ASSIGN(out.outcome, need_text(root, "outcome", "a verification has `outcome`"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", "`reason` is a string"));
  out.step = step_text(root.find("step"));
  if (const Value* hop = root.find("hop"); hop != nullptr && hop->integer())
    out.hop = static_cast<int>(*hop->integer());
  CHANCERY_ASSIGN(out.not_performed, string_array(root, "not_performed",
                                                  "a verification has `not_performed`: an array of strings"));
  out.json = std::move(json);
  return out;
}

}  // namespace chancery::wire

chancery::api::Verification chancery::api::to_verification(const Verdict& verdict) {
  return wire::read_verification(wire::write(verdict)).value();
}

namespace chancery::wire {

Result<ActionRequest> to_action_request(const api::Action& action) {
  ActionRequest request;
  request.audience = action.audience;
  request.scope = action.scope;
  CHANCERY_ASSIGN(request.parameters, parse_parameters(action.params));
  request.dpop = action.dpop;
  return request;
}

}  // namespace chancery::wire
