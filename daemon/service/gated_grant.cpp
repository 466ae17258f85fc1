#include "daemon/service/gated_grant.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "daemon/service/approval_grounds.hpp"
#include "daemon/service/approvals.hpp"
#include "daemon/service/attestation.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/parking.hpp"
#include "daemon/service/request_outline.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

using json::Node;
using std::chrono::sys_seconds;

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::int64_t seconds_of(sys_seconds at) { return at.time_since_epoch().count(); }

// A key behind a gate grants what the gate is about, and nothing else: its anchor's ceiling says so.
Status require_scopes_of(const Gate& gate, const std::vector<std::string>& scopes) {
  const bool are_gates = std::ranges::all_of(scopes, [&](const std::string& scope) {
    return std::ranges::any_of(gate.scopes,
                               [&](const std::string& outer) { return scope_covers(outer, scope); });
  });
  if (are_gates) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      "a part of the scopes is behind a gate that the TPM enforces: ask for these in a grant of their own"};
}

// Of a token whose status list is one of this daemon's own.
std::optional<store::StatusPlace> place_of(const Office& office, const Claims& claims) {
  if (!claims.status) return std::nullopt;
  const std::string prefix = status_list_prefix(office.policy.current()->issuer_url);
  const std::string& uri = claims.status->uri;
  store::StatusPlace place;
  place.index = claims.status->index;
  if (!uri.starts_with(prefix)) return std::nullopt;
  const auto [end, failure] =
      std::from_chars(uri.data() + prefix.size(), uri.data() + uri.size(), place.list);
  return failure == std::errc() && end == uri.data() + uri.size() ? std::optional(place) : std::nullopt;
}

/// One question for a grant behind a gate.
class GatedGrant {
 public:
  GatedGrant(Office& office, const CallContext& context, const api::CreateGrant& message, const Gate& gate,
             const store::Agent& receiver)
      : office_(office), context_(context), message_(message), gate_(gate), receiver_(receiver) {}

  Result<api::Grant> answer(Claims claims) {
    CHANCERY_TRY(office_.spending.require_newest());
    CHANCERY_TRY(require_scopes_of(gate_, message_.authority.scopes));
    CHANCERY_TRY(require_known_asker(*office_.policy.current(), context_.caller, gate_));
    CHANCERY_TRY(require_custody(office_, receiver_, on_behalf_of(context_)));
    CHANCERY_ASSIGN(issuer_, prepare_issuer());
    subject_ = subject();
    CHANCERY_ASSIGN(const std::optional<store::ParkedCall> open,
                    open_request(office_, subject_, context_.now));
    // What is asked for now, before there is a token.
    CHANCERY_ASSIGN(const store::ParkedCall asked, compose(claims, ""));
    CHANCERY_ASSIGN(const bool is_denied, office_.gates.was_denied(asked, context_.now));
    if (is_denied) {
      came_of_it_ = ApprovalRequest::kDenied;
      return kDenied;
    }
    if (open && open->state != store::ApprovalState::kApproved) {
      came_of_it_ = ApprovalRequest::kRepeated;
      return waiting(open->id);
    }
    if (open) {
      CHANCERY_ASSIGN(const store::ParkedCall whole, office_.approvals.find(open->id));
      if (whole.state != store::ApprovalState::kApproved) return kUsedMeanwhile;
      CHANCERY_ASSIGN(const bool is_good, has_grounds(office_, whole, asked));
      came_of_it_ = ApprovalRequest::kPermitted;
      if (is_good) return sign(whole);
    }
    came_of_it_ = ApprovalRequest::kParked;
    return ask(std::move(claims), asked);
  }

  /// What came of asking, when there was an answer or a person's denial.
  [[nodiscard]] ApprovalRequest came_of_it() const noexcept { return came_of_it_; }

 private:
  // Whoever looks up the key that an approver's tool pins finds it published.
  Result<GatedIssuer> prepare_issuer() {
    CHANCERY_ASSIGN(GatedIssuer issuer, office_.gated.current(gate_, office_.policy->max_grant_lifetime,
                                                              context_.now, context_.deadline));
    CHANCERY_TRY(publish_gates(office_));
    return issuer;
  }

  // Another key of the agent's or of the gate's is another request: the document holds the token as it will be.
  [[nodiscard]] std::string subject() const {
    Node approvers = Node::array();
    for (const std::string& approver : gate_.approvers) approvers.push_back(approver);
    const Node node = Node::object({{"asked", Node::canonical(wire::write(message_))},
                                    {"asked_by", identity_of(context_.caller)},
                                    {"holder", receiver_.key.stored.public_key.thumbprint().text()},
                                    {"gate", gate_.name},
                                    {"approvers", std::move(approvers)},
                                    {"quorum", gate_.quorum},
                                    {"separation", gate_.separation},
                                    {"issuer", issuer_->key.stored.public_key.thumbprint().text()}});
    return digest_of(json::to_jcs(node));
  }

  Result<api::Grant> waiting(std::string_view id) const {
    CHANCERY_ASSIGN(const store::ParkedCall whole, office_.approvals.find(id));
    return told(whole);
  }

  [[nodiscard]] api::Grant told(const store::ParkedCall& request) const {
    api::Grant out;
    out.approval = api::PendingApproval{request.id, seconds_of(request.expires_at), request.document,
                                        request.digest, approval_page(office_, request.id)};
    return out;
  }

  // A place in a status list is taken for good: who asks for more than can wait takes none.
  Result<api::Grant> ask(Claims claims, const store::ParkedCall& asked) {
    CHANCERY_TRY(office_.gates.require_room(asked));
    CHANCERY_ASSIGN(claims.jti, random_id());
    CHANCERY_TRY(refer_to_status(office_, claims));
    const UnsignedToken token = UnsignedToken::encode(claims, issuer_->key.stored.public_key, false);
    CHANCERY_ASSIGN(const store::ParkedCall request, compose(claims, token.signing_input()));
    AuditFacts facts = approval_facts(request);
    facts.details.set("expires_at", seconds_of(request.expires_at));
    facts.details.set("gates", Node::array({gate_.name}));
    CHANCERY_TRY(office_.gates.park(request, audit_entry("approval.request", context_, std::move(facts))));
    return told(request);
  }

  [[nodiscard]] Result<store::ParkedCall> compose(const Claims& claims, const std::string& input) const {
    store::ParkedCall request;
    CHANCERY_ASSIGN(request.id, random_id());
    request.subject = request.matter = subject_;
    request.runtime = identity_of(context_.caller);
    request.token = digest_of(input);
    request.key = request.first = receiver_.key.stored.public_key.thumbprint();
    request.principal = message_.principal;
    request.tool = message_.authority.scopes.front();
    for (const std::string& scope : message_.authority.scopes)
      request.scope += (request.scope.empty() ? "" : " ") + scope;
    request.kind = store::ApprovalKind::kGrant;
    request.gates = {terms_of(gate_)};
    request.requesters = requesters_of(*office_.policy.current(), context_.caller);
    request.lifetime = gate_.lifetime;
    request.asked_at = context_.now;
    const sys_seconds token_ends{std::chrono::seconds(static_cast<std::int64_t>(claims.exp))};
    request.expires_at = std::min(context_.now + gate_.wait, token_ends);
    const Node gate =
        Node::object({{"gate", gate_.name}, {"why", "the TPM grants these scopes by approval only"}});
    Node gates = Node::array();
    gates.push_back(gate);
    const Node document = Node::object({{"typ", "chancery-approval-request"},
                                        {"v", 1},
                                        {"kind", "grant"},
                                        {"id", request.id},
                                        {"gates", std::move(gates)},
                                        {"principal", request.principal},
                                        {"client_id", claims.client_id},
                                        {"agent", claims.client_id},
                                        {"key", request.key.text()},
                                        {"asked_by", request.runtime},
                                        {"unsigned_token", input},
                                        {"asked_at", seconds_of(request.asked_at)},
                                        {"expires_at", seconds_of(request.expires_at)}});
    request.document = json::to_jcs(document);
    request.digest = digest_of(request.document);
    CHANCERY_TRY(outline(request));
    return request;
  }

  // What is signed is what stands in the document that was approved. The TPM asks for the approvers' signatures over that; that they have
  // decided for this question, and are not excluded from it, is for this daemon to look at.
  Result<api::Grant> sign(const store::ParkedCall& whole) {
    CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(whole.document));
    const json::Value* const unsigned_token = document.root().find("unsigned_token");
    if (unsigned_token == nullptr || !unsigned_token->string()) return kDamaged;
    const std::string input(*unsigned_token->string());
    CHANCERY_ASSIGN(const std::vector<hsm::PolicySignature> signatures, signatures_for(whole.id));
    CHANCERY_ASSIGN(const Signature signature,
                    office_.gated.sign(*issuer_, input, signatures, context_.deadline));
    CHANCERY_ASSIGN(const Token token, accept_signed(input + "." + base64url_encode(signature)));
    return record(token, whole);
  }

  Result<api::Grant> record(const Token& token, const store::ParkedCall& approved) {
    const Claims& claims = token.claims();
    if (claims.exp <= static_cast<double>(seconds_of(context_.now)))
      return Error{ErrorCode::kConflict, "the token that was approved has expired: ask for the grant again"};
    const store::AuditEntry use_entry = audit_entry("approval.use", context_, approval_facts(approved));
    const store::ApprovalUse use{approved.id, subject_, &use_entry};
    store::IssuedToken record = record_of(token, nullptr, &receiver_);
    record.status = place_of(office_, claims);
    const std::string compact = record.compact;
    CHANCERY_TRY(record_root(office_, context_, std::move(record), claims,
                             issuer_->key.stored.public_key.thumbprint(),
                             {"token.grant", message_.gate, &use}));
    api::Grant out;
    out.chain = {compact};
    return out;
  }

  // Of those who approved and whose keys count still. Whether they are enough, and right, is the TPM's to say.
  Result<std::vector<hsm::PolicySignature>> signatures_for(std::string_view id) const {
    CHANCERY_ASSIGN(const std::vector<store::Vote> votes, office_.approvals.votes(id));
    std::vector<hsm::PolicySignature> out;
    for (const store::Vote& vote : votes) {
      if (!vote.approves || vote.voided_at || vote.policy_signature.empty()) continue;
      CHANCERY_ASSIGN(const store::Approver person, office_.approvers.by_key(vote.key));
      CHANCERY_ASSIGN(const PublicKey key, parse_jwk(person.keys.front().jwk));
      CHANCERY_ASSIGN(const Bytes octets, base64url_decode(vote.policy_signature));
      hsm::PolicySignature signature{key, {}};
      if (octets.size() != signature.signature.size()) continue;
      std::ranges::copy(octets, signature.signature.begin());
      out.push_back(signature);
    }
    return out;
  }

  static constexpr Error kDenied{
      ErrorCode::kForbidden,
      "a person has denied this grant: it can be asked for again when the denied request would have expired"};
  static constexpr Error kUsedMeanwhile{
      ErrorCode::kConflict, "the approval was used, or has lapsed, meanwhile: ask for the grant again"};
  static constexpr Error kDamaged{
      ErrorCode::kStoreCorrupt,
      "the request that was approved is not one for a grant: ask for the grant again"};

  Office& office_;
  const CallContext& context_;
  const api::CreateGrant& message_;
  const Gate& gate_;
  const store::Agent& receiver_;
  std::optional<GatedIssuer> issuer_;
  std::string subject_;
  ApprovalRequest came_of_it_ = ApprovalRequest::kRefused;
};

}  // namespace

Result<api::Grant> grant_behind(Office& office, const CallContext& context, const api::CreateGrant& message,
                                const Gate& gate, const store::Agent& receiver, Claims claims) {
  GatedGrant grant(office, context, message, gate, receiver);
  auto answer = grant.answer(std::move(claims));
  const bool is_told = answer || grant.came_of_it() == ApprovalRequest::kDenied;
  office.tallies->asked(store::ApprovalKind::kGrant,
                        is_told ? grant.came_of_it() : ApprovalRequest::kRefused);
  return answer;
}

Status publish_gates(const Office& office) {
  const auto held = office.gated.hold_publishing();
  const auto policy = office.policy.current();
  return office.gated.publish(policy->gates, policy->granted_scopes);
}

}  // namespace chancery::service
