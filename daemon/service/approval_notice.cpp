#include "daemon/service/approval_notice.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "daemon/service/approvals.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {
namespace {

using json::Node;

constexpr Error kNoNotice{ErrorCode::kMalformed, "what was noted of a request that waits is damaged"};

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

Node gate_node(const store::GateTerms& gate) {
  Node approvers = Node::array();
  for (const std::string& approver : gate.approvers) approvers.push_back(approver);
  return Node::object({{"name", gate.gate},
                       {"approvers", std::move(approvers)},
                       {"quorum", gate.quorum},
                       {"separation", gate.separation},
                       {"enforcement", gate.tpm_enforced ? api::kTpmEnforced : api::kSoftwareEnforced}});
}

void set_unless_empty(Node& node, const char* name, const std::string& text) {
  if (!text.empty()) node.set(name, text);
}

}  // namespace

Result<ApprovalNotice> read_notice(std::string_view text) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const json::Value* const id = document.root().find("id");
  const json::Value* const name = document.root().find("state");
  const json::Value* const at = document.root().find("at");
  if (id == nullptr || name == nullptr || at == nullptr) return kNoNotice;
  const auto request = id->string();
  const auto state = store::approval_state_named(name->string().value_or(""));
  const auto second = at->integer();
  if (!request || !state || !second) return kNoNotice;
  return ApprovalNotice{std::string(*request), *state,
                        std::chrono::sys_seconds{std::chrono::seconds(*second)}};
}

// Of a call the tool is told besides its scope; in lists others have their scope in its place.
Node notice_node(const ApprovalNotice& notice, const store::ParkedCall& call, const std::string& page) {
  Node gates = Node::array();
  for (const store::GateTerms& gate : call.gates) gates.push_back(gate_node(gate));
  Node node = Node::object({{"id", call.id},
                            {"state", store::approval_state_name(notice.state)},
                            {"at", seconds_of(notice.at)},
                            {"kind", store::approval_kind_name(call.kind)},
                            {"principal", call.principal},
                            {"key", call.key.text()},
                            {"enforcement", enforcement_of(call)},
                            {"gates", std::move(gates)},
                            {"asked_at", seconds_of(call.asked_at)},
                            {"expires_at", seconds_of(call.expires_at)}});
  set_unless_empty(node, "agent", call.agent);
  if (call.kind == store::ApprovalKind::kCall) node.set("tool", call.tool);
  set_unless_empty(node, "scope", call.scope);
  set_unless_empty(node, "risk", call.risk);
  const bool is_usable = notice.state == store::ApprovalState::kApproved && call.approved_until;
  if (is_usable) node.set("approved_until", seconds_of(*call.approved_until));
  set_unless_empty(node, "page", page);
  return node;
}

WebhookTopic told_approvals(store::Outbox& notices, const Office& office) {
  // It is the same whenever it is told, wherever the console is by then.
  const auto read = [&office](const store::Outbox::Kept& kept) -> Result<WebhookTopic::Told> {
    CHANCERY_ASSIGN(const ApprovalNotice notice, read_notice(kept.second));
    CHANCERY_ASSIGN(const store::ParkedCall call, office.approvals.summary(notice.request));
    const Node node = notice_node(notice, call, approval_page(office, call.id));
    return WebhookTopic::Told{
        notice.at, json::to_jcs(node),
        "approval " + notice.request + " " + std::string(store::approval_state_name(notice.state))};
  };
  return {notices,
          "approval",
          read,
          "what became of a request for an approval could not be told to the webhook: it is tried again",
          "what became of a request for an approval is told to the webhook no more",
          "requests for approvals that wait for the webhook could not be looked up",
          "which requests for approvals the webhook was told could not be recorded",
          {ErrorCode::kOverloaded,
           "more than 4096 waited, and the oldest are forgotten: see whether the receiver is up"}};
}

}  // namespace chancery::service
