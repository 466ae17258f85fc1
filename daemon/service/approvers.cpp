#include "daemon/service/approvers.hpp"

#include <optional>
#include <string>
#include <utility>

#include <chancery/approval_decision.hpp>
#include <chancery/approver_enrolment.hpp>

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/amounts.hpp"
#include "daemon/service/approvals.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using store::ApproverKeyState;

constexpr std::string_view kOperator = "operator";

Error refused(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

api::ApproverKey describe(const store::ApproverKey& key) {
  api::ApproverKey out;
  out.jkt = key.jkt.text();
  out.kind = key.kind;
  out.jwk = key.jwk;
  out.credential_id = key.credential_id;
  out.state = store::approver_key_state_name(key.state);
  out.enrolled_at = seconds_of(key.enrolled_at);
  out.enrolled_by = key.enrolled_by;
  if (key.ended_at) out.ended_at = seconds_of(*key.ended_at);
  return out;
}

api::Approver describe(const store::Approver& approver) {
  api::Approver out{approver.principal, approver.groups, {}};
  for (const store::ApproverKey& key : approver.keys) out.keys.push_back(describe(key));
  return out;
}

api::Gate describe(const Gate& gate) {
  api::Gate out;
  out.name = gate.name;
  out.scopes = gate.scopes;
  out.tools = gate.tools;
  out.when = gate_when_name(gate.when);
  out.parameter = gate.parameter;
  if (gate.when == Gate::When::kAbove) out.above = amount_text(gate.above);
  out.hours = gate.hours;
  out.approvers = gate.approvers;
  out.quorum = gate.quorum;
  out.separation = gate.separation;
  out.wait_s = gate.wait.count();
  out.lifetime_s = gate.lifetime.count();
  out.enforcement = gate.tpm_enforced ? api::kTpmEnforced : api::kSoftwareEnforced;
  return out;
}

Result<Thumbprint> thumbprint_from(std::string_view text) {
  const auto octets = base64url_decode_exactly<std::tuple_size_v<Sha256Digest>>(text);
  if (!octets) return refused("an approver's key is named by its thumbprint, 43 characters of base64url");
  return Thumbprint{*octets};
}

/// Who says that a document shall hold.
struct Voucher {
  std::string name = std::string(kOperator);
  std::optional<Thumbprint> key{};  ///< none: the operator
};

/// What somebody who is enrolled has signed.
struct SignedWord {
  Voucher voucher;
  std::string document_sha256;  ///< of what it is about
};

// The signature counts for this daemon, and not for long.
Result<SignedWord> require_word(const Office& office, const CallContext& context, const std::string& jws) {
  const auto policy = office.policy.current();
  CHANCERY_ASSIGN(const EnrolmentAuthorization said, read_enrolment_authorization(jws));
  CHANCERY_ASSIGN(const ApproverSigner signer, require_signer(office, said.key, said.approver));
  if (said.audience != policy->issuer_url)
    return refused("the authorization is for another daemon: `aud` must be this issuer's URL");
  if (said.issued_at > context.now + kClockLeeway)
    return refused(
        "the authorization is of the future: the clock of whoever made it is more than a minute fast");
  if (said.issued_at + kAuthorizationLife < context.now)
    return refused("the authorization is more than an hour old: sign for it anew");
  CHANCERY_TRY(require_kind(signer, said.by_passkey));
  CHANCERY_TRY(verify_enrolment_authorization(jws, signer.public_key, policy->passkeys));
  return SignedWord{{said.approver, said.key}, said.document_sha256};
}

Status require_document(const SignedWord& word, std::string_view document) {
  if (word.document_sha256 == hex_encode(sha256(as_bytes(document)))) return {};
  return refused("the authorization is for another document: sign for this very one");
}

Result<Voucher> require_authorization(const Office& office, const CallContext& context,
                                      const std::string& jws, std::string_view document) {
  CHANCERY_ASSIGN(SignedWord word, require_word(office, context, jws));
  CHANCERY_TRY(require_document(word, document));
  return std::move(word.voucher);
}

// The operator's session of the console was opened from the socket.
bool is_operator(const Office& office, const CallContext& context) {
  const auto& visitor = context.caller.visitor;
  if (visitor) return visitor->role == ConsoleRole::kOperator;
  const auto& process = context.caller.process;
  return process && require_operator(*process, office.policy.current()->operators).has_value();
}

// Persons, and groups as `group:NAME`, whom any gate names.
std::vector<std::string> named_by_gates(const Policy& policy) {
  std::vector<std::string> out = policy.tool_approvers;
  for (const Gate& gate : policy.gates) out.insert(out.end(), gate.approvers.begin(), gate.approvers.end());
  return out;
}

Result<Voucher> require_operator_for_first(const Office& office, const CallContext& context) {
  const Caller& caller = context.caller;
  if (caller.visitor && caller.visitor->role == ConsoleRole::kOperator) return Voucher{};
  if (caller.visitor || !caller.process)
    return Error{
        ErrorCode::kUnauthenticated,
        "`authorization` is missing: an approver who is enrolled signs for each but the first, whom the "
        "operator enrols on the daemon's socket"};
  CHANCERY_TRY(require_operator(*caller.process, office.policy.current()->operators));
  return Voucher{};
}

Result<store::NewApproverKey> new_key(const Enrolment& enrolment, const Voucher& voucher,
                                      std::chrono::sys_seconds now) {
  store::NewApproverKey out{enrolment.principal, enrolment.groups, {}, {}, voucher.key};
  out.key.jkt = enrolment.key.thumbprint();
  out.key.kind = enrolment.kind;
  out.key.jwk = enrolment.key.jwk();
  out.key.credential_id = enrolment.credential_id;
  out.key.enrolled_at = now;
  out.key.enrolled_by = voucher.name;
  if (!enrolment.replaces.empty()) {
    CHANCERY_ASSIGN(out.replaces, thumbprint_from(enrolment.replaces));
  }
  return out;
}

AuditFacts enrolment_facts(const store::NewApproverKey& key) {
  json::Node groups = json::Node::array();
  for (const std::string& group : key.groups) groups.push_back(group);
  AuditFacts facts{.ids = {{"approver", key.principal}, {"approver_key", key.key.jkt.text()}},
                   .details = json::Node::object(
                       {{"kind", key.key.kind}, {"groups", std::move(groups)}, {"by", key.key.enrolled_by}})};
  if (key.replaces) facts.ids.emplace_back("former_key", key.replaces->text());
  if (key.by) facts.ids.emplace_back("by_key", key.by->text());
  return facts;
}

AuditFacts revocation_facts(const store::Approver& person, std::string_view jkt, const Voucher& voucher,
                            const std::string& reason) {
  AuditFacts facts{.ids = {{"approver", person.principal}, {"approver_key", std::string(jkt)}},
                   .details = json::Node::object({{"by", voucher.name}})};
  if (voucher.key) facts.ids.emplace_back("by_key", voucher.key->text());
  if (!reason.empty()) facts.details.set("reason", reason);
  return facts;
}

// Whoever may not know of the key is told the same, whether there is one or not: before it is looked up, either the caller's authority or
// an approver's signature has held. The signature is enough, whoever brings it.
Result<Voucher> require_right_to_end(Office& office, const CallContext& context, const Thumbprint& key,
                                     const std::string& authorization) {
  if (authorization.empty()) {
    CHANCERY_TRY(require_authority(office, context, scope::kApproversRevoke));
    return Voucher{};
  }
  CHANCERY_ASSIGN(SignedWord word, require_word(office, context, authorization));
  CHANCERY_ASSIGN(const store::Approver person, office.approvers.by_key(key));
  CHANCERY_TRY(require_document(word, key_revocation_document({person.principal, key})));
  return std::move(word.voucher);
}

// What the key has opened so far, or could open yet for whoever has it and the TPM, counts no more.
Status end_gate_keys_of(Office& office, const CallContext& context, const store::ApproverKey& approver) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys,
                  office.gated.opened_by(approver, office.policy.current()->gates));
  Status outcome;
  for (const store::Key& key : keys) {
    const Status ended = revoke_at_once(office, key, "an approver's key was revoked", context);
    // A conflict: another was quicker. What fails keeps no other from its end.
    if (!ended && ended.error().code != ErrorCode::kConflict) outcome = ended;
  }
  return outcome;
}

}  // namespace

Result<api::ApproverList> list_approvers(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kApproversRead));
  CHANCERY_ASSIGN(const std::vector<store::Approver> approvers, office.approvers.list());
  api::ApproverList out;
  for (const store::Approver& approver : approvers) out.approvers.push_back(describe(approver));
  return out;
}

Result<api::Approver> show_approver(Office& office, const CallContext& context, std::string_view principal) {
  CHANCERY_TRY(require_authority(office, context, scope::kApproversRead));
  CHANCERY_ASSIGN(const store::Approver approver, office.approvers.find(principal));
  return describe(approver);
}

Result<api::GateList> list_gates(const Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kGatesRead));
  const auto policy = office.policy.current();
  api::GateList out;
  for (const Gate& gate : policy->gates) {
    out.gates.push_back(describe(gate));
    if (!gate.tpm_enforced) continue;
    // There is none before the first grant is asked for, nor for approvers that a TPM can hold no key to.
    const auto issuer = office.gated.find(gate);
    if (!issuer || !*issuer) continue;
    out.gates.back().key = (*issuer)->key.stored.public_key.jwk();
    out.gates.back().key_name = hex_encode((*issuer)->name);
    out.gates.back().key_backend = (*issuer)->key.backend;
  }
  return out;
}

Result<api::Approver> enroll_approver(Office& office, const CallContext& context,
                                      const api::EnrollApprover& message) {
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const chancery::Enrolment enrolment, read_enrolment(message.enrolment));
  note_attempt(context, {.ids = {{"approver", enrolment.principal},
                                 {"approver_key", enrolment.key.thumbprint().text()}}});
  const bool is_first = message.authorization.empty();
  CHANCERY_ASSIGN(const Voucher voucher,
                  is_first
                      ? require_operator_for_first(office, context)
                      : require_authorization(office, context, message.authorization, message.enrolment));
  CHANCERY_ASSIGN(store::NewApproverKey key, new_key(enrolment, voucher, context.now));
  if (!is_operator(office, context)) key.reserved = named_by_gates(*office.policy.current());
  CHANCERY_TRY(office.approvers.enroll(
      key, audit_entry(key.replaces ? "approver.rotate" : "approver.enroll", context, enrolment_facts(key))));
  CHANCERY_ASSIGN(const store::Approver approver, office.approvers.find(key.principal));
  return describe(approver);
}

Result<api::Approver> revoke_approver_key(Office& office, const CallContext& context, std::string_view jkt,
                                          const api::RevokeApproverKey& message) {
  CHANCERY_ASSIGN(const Thumbprint key, thumbprint_from(jkt));
  note_attempt(context, {.ids = {{"approver_key", std::string(jkt)}}});
  if (!is_decision_reason(message.reason))
    return refused("`reason` is one line of at most 512 octets, without control characters");
  CHANCERY_ASSIGN(const Voucher voucher, require_right_to_end(office, context, key, message.authorization));
  CHANCERY_ASSIGN(const store::Approver person, office.approvers.by_key(key));
  const auto lapsed = [&](const store::ParkedCall& call) {
    AuditFacts facts = approval_facts(call);
    facts.ids.emplace_back("approver_key", std::string(jkt));
    return audit_entry("approval.lapse", context, std::move(facts));
  };
  const auto revoked = office.approvers.revoke(
      key, voucher.key, lapsed,
      audit_entry("approver.revoke", context, revocation_facts(person, jkt, voucher, message.reason)));
  // Whoever repeats it finishes what was interrupted: no key that is made later is opened by this one.
  const bool is_again = !revoked && revoked.error().code == ErrorCode::kConflict;
  if (revoked || is_again) CHANCERY_TRY(end_gate_keys_of(office, context, person.keys.front()));
  CHANCERY_TRY(revoked);
  CHANCERY_ASSIGN(const store::Approver approver, office.approvers.find(person.principal));
  return describe(approver);
}

Result<ApproverSigner> require_signer(const Office& office, const Thumbprint& key,
                                      std::string_view principal) {
  const auto person = office.approvers.by_key(key);
  if (!person && person.error().code != ErrorCode::kNotFound) return person.error();
  if (!person)
    return Error{
        ErrorCode::kForbidden,
        "it is signed by a key that is no approver's: `chancery approver list` shows those that are"};
  const store::ApproverKey& found = person->keys.front();
  if (found.state != ApproverKeyState::kActive)
    return Error{
        ErrorCode::kForbidden,
        "it is signed by a key that has ended: sign by one that is active, `chancery approver list`"};
  if (person->principal != principal)
    return Error{ErrorCode::kForbidden, "it names another person than the one whose key signed it"};
  CHANCERY_ASSIGN(const PublicKey public_key, parse_jwk(found.jwk));
  return ApproverSigner{found, public_key};
}

Status require_kind(const ApproverSigner& signer, bool by_passkey) {
  if ((signer.key.kind == "passkey") == by_passkey) return {};
  return Error{ErrorCode::kForbidden,
               "a passkey signs as a passkey does, and no other key: the key is enrolled as another kind"};
}

}  // namespace chancery::service
