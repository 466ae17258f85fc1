#include "daemon/store/gate_terms.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/store/sqlite_rows.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::store {
namespace {

using json::Node;
using json::Value;

constexpr std::string_view kGroup = "group:";
constexpr std::string_view kKey = "jkt:";

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool names(const GateTerms& gate, const Approver& person) {
  return std::ranges::any_of(gate.approvers, [&](std::string_view approver) {
    if (!approver.starts_with(kGroup)) return approver == person.principal;
    return has(person.groups, approver.substr(kGroup.size()));
  });
}

bool has_asked(const ParkedCall& call, const Approver& person) {
  if (has(call.requesters, person.principal)) return true;
  return std::ranges::any_of(person.keys, [&](const ApproverKey& key) {
    return key.jkt == call.key || has(call.requesters, std::string(kKey) + key.jkt.text());
  });
}

// What is none of the three words excludes as many as it can.
bool excludes(const GateTerms& gate, const ParkedCall& call, const Approver& person) {
  if (gate.separation == kSeparateNobody) return false;
  if (person.principal == call.principal) return true;
  return gate.separation != kSeparatePrincipal && has_asked(call, person);
}

Node gate_node(const GateTerms& gate) {
  Node approvers = Node::array();
  for (const std::string& approver : gate.approvers) approvers.push_back(approver);
  return Node::object({{"gate", gate.gate},
                       {"approvers", std::move(approvers)},
                       {"quorum", gate.quorum},
                       {"separation", gate.separation},
                       {"tpm_enforced", gate.tpm_enforced}});
}

Result<std::vector<std::string>> texts_of(const Value* value) {
  if (value == nullptr || !value->is(Value::Kind::kArray)) return kDamagedRow;
  std::vector<std::string> out;
  for (const Value& item : value->items()) {
    if (!item.string()) return kDamagedRow;
    out.emplace_back(*item.string());
  }
  return out;
}

Result<GateTerms> gate_from(const Value& value) {
  const Value* const name = value.find("gate");
  const Value* const quorum = value.find("quorum");
  const Value* const separation = value.find("separation");
  const Value* const tpm_enforced = value.find("tpm_enforced");
  const bool is_gate = name != nullptr && name->string() && quorum != nullptr && quorum->integer() &&
                       separation != nullptr && separation->string() && tpm_enforced != nullptr &&
                       tpm_enforced->boolean();
  if (!is_gate || *quorum->integer() < 1 || *quorum->integer() > kMostQuorum) return kDamagedRow;
  GateTerms out;
  out.gate = *name->string();
  CHANCERY_ASSIGN(out.approvers, texts_of(value.find("approvers")));
  out.quorum = static_cast<std::uint32_t>(*quorum->integer());
  out.separation = *separation->string();
  out.tpm_enforced = *tpm_enforced->boolean();
  return out;
}

}  // namespace

Result<std::vector<std::string>> gates_for(const ParkedCall& call, const Approver& person) {
  std::vector<std::string> out;
  bool is_named = false;
  for (const GateTerms& gate : call.gates) {
    if (!names(gate, person)) continue;
    is_named = true;
    if (!excludes(gate, call, person)) out.push_back(gate.gate);
  }
  if (!out.empty()) return out;
  if (!is_named)
    return Error{
        ErrorCode::kForbidden,
        "none of the request's gates names this approver: `chancery gate list` shows whom they name"};
  return Error{ErrorCode::kForbidden,
               "whoever asked for it, or has it done, does not decide it: somebody else has to"};
}

std::uint32_t approvals_for(const GateTerms& gate, const std::vector<Vote>& votes) {
  std::set<std::string_view> persons;
  for (const Vote& vote : votes) {
    if (vote.approves && !vote.voided_at && has(vote.gates, gate.gate)) persons.insert(vote.principal);
  }
  return static_cast<std::uint32_t>(persons.size());
}

bool are_all_open(const std::vector<GateTerms>& gates, const std::vector<Vote>& votes) {
  const auto is_open_now = [&](const GateTerms& gate) { return approvals_for(gate, votes) >= gate.quorum; };
  return !gates.empty() && std::ranges::all_of(gates, is_open_now);
}

Status check_gates(const std::vector<GateTerms>& gates) {
  const auto is_sound = [](const GateTerms& gate) {
    return !gate.gate.empty() && gate.approvers.size() <= kMostApproversOfGate && gate.quorum >= 1 &&
           gate.quorum <= kMostQuorum;
  };
  std::set<std::string_view> seen;
  for (const GateTerms& gate : gates) seen.insert(gate.gate);
  if (gates.size() <= kMostGates && seen.size() == gates.size() && std::ranges::all_of(gates, is_sound))
    return {};
  return Error{
      ErrorCode::kInvalidArgument,
      "a request is put to at most 16 gates of different names, each with at most 64 approvers and a "
      "quorum of 1 to 8"};
}

std::string gates_text(const std::vector<GateTerms>& gates) {
  Node out = Node::array();
  for (const GateTerms& gate : gates) out.push_back(gate_node(gate));
  return json::to_jcs(out);
}

Result<std::vector<GateTerms>> gates_from(const std::string& text) {
  const auto document = json::Document::parse_borrowed(text);
  if (!document || !document->root().is(Value::Kind::kArray)) return kDamagedRow;
  std::vector<GateTerms> out;
  for (const Value& item : document->root().items()) {
    CHANCERY_ASSIGN(out.emplace_back(), gate_from(item));
  }
  return out;
}

std::string names_text(const std::vector<std::string>& names) {
  Node out = Node::array();
  for (const std::string& name : names) out.push_back(name);
  return json::to_jcs(out);
}

Result<std::vector<std::string>> names_from(const std::string& text) {
  const auto document = json::Document::parse_borrowed(text);
  if (!document) return kDamagedRow;
  return texts_of(&document->root());
}

}  // namespace chancery::store
