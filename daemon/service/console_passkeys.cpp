// What takes a passkey in the console.

#include "daemon/service/console_passkeys.hpp"

#include <algorithm>
#include <utility>

#include <chancery/approval_decision.hpp>
#include <chancery/approver_enrolment.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/console.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using Kind = ConsoleQuestion::Kind;

constexpr std::size_t kMostOffered = 64;  // credentials in one question
constexpr std::size_t kUserIdOctets = 32;

constexpr Error kNotConfirmed{
    ErrorCode::kForbidden,
    "this takes a fresh confirmation by the passkey of this session, of this very request: ask again"};

const ConsoleVisitor& visitor_of(const CallContext& context) { return *context.caller.visitor; }

Result<ConsoleVisitor> require_passkey(const CallContext& context) {
  const ConsoleVisitor& visitor = visitor_of(context);
  if (!visitor.passkey.empty()) return visitor;
  return Error{ErrorCode::kForbidden,
               "this takes a passkey: sign in to this session with yours first, or enrol one"};
}

std::vector<std::string> credentials_of(const std::vector<KnownPasskey>& passkeys) {
  std::vector<std::string> out;
  for (const KnownPasskey& passkey : passkeys) {
    if (out.size() < kMostOffered) out.push_back(passkey.credential_id);
  }
  return out;
}

// The session's passkey may have been revoked since it signed in.
Result<KnownPasskey> own_passkey(Office& office, const ConsoleVisitor& visitor) {
  CHANCERY_ASSIGN(const auto known, known_passkeys(office, visitor.principal));
  const auto own = std::ranges::find(known, visitor.credential_id, &KnownPasskey::credential_id);
  if (own != known.end() && own->key.thumbprint().text() == visitor.passkey) return *own;
  return Error{ErrorCode::kForbidden,
               "the passkey of this session is enrolled no more: sign in with another one"};
}

api::PasskeyQuestion question_for(const Office& office, Bytes challenge,
                                  std::vector<std::string> credentials) {
  return {{}, std::move(challenge), office.console->options().party.id, std::move(credentials)};
}

// Which of the checks did not hold is for the log alone: an answer that is told why can be mended by trying.
void note_why(const CallContext& context, const Error& error) {
  if (context.attempt != nullptr) context.attempt->facts.details.set("why", error_name(error.code));
}

api::PreparedSignature prepared(const Office& office, std::string input, const ConsoleVisitor& visitor) {
  const Sha256Digest challenge = passkey_challenge(input);
  api::PreparedSignature out;
  out.input = std::move(input);
  out.question = question_for(office, Bytes(challenge.begin(), challenge.end()), {visitor.credential_id});
  return out;
}

Result<ApprovalVerdict> read_verdict(std::string_view text) {
  for (const ApprovalVerdict verdict : {ApprovalVerdict::kApprove, ApprovalVerdict::kDeny}) {
    if (text == verdict_name(verdict)) return verdict;
  }
  return Error{ErrorCode::kInvalidArgument, "`verdict` is approve or deny"};
}

// An identifier of the person's for the authenticator, which says nothing about it (WebAuthn section 14.6.1), and is the
// same each time, so that a device keeps one passkey of a person and not many.
std::string user_id_of(std::string_view issuer, std::string_view principal) {
  const Sha256Digest digest = sha256(as_bytes(std::string(issuer).append("\n").append(principal)));
  return base64url_encode(ByteView(digest).first(kUserIdOctets));
}

// By the document that it is to stand in: who may be enrolled is said in one place.
Status check_person(const api::AskPasskey& message) {
  const PublicKey any = PublicKey::p256({}, {});
  if (!message.replaces.empty() && !base64url_decode_exactly<32>(message.replaces))
    return Error{ErrorCode::kInvalidArgument, "`replaces` is the thumbprint of a key: 43 characters"};
  chancery::Enrolment enrolment{message.principal, message.groups, any, "passkey", "AAAA", message.replaces};
  std::ranges::sort(enrolment.groups);
  const auto read = read_enrolment(enrolment_document(enrolment));
  // That the key is no point on the curve is so, and is not the person's fault.
  if (read || read.error().code == ErrorCode::kInvalidKey) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      "`principal` is like user:bob@example.org, without space; `groups` are names such as finance, without `group:`, none twice, at "
      "most 32"};
}

/// Who the passkey says that it is.
Result<KnownPasskey> judge_sign_in(Office& office, const CallContext& context,
                                   const api::PasskeyAnswer& message) {
  const ConsoleVisitor& visitor = visitor_of(context);
  CHANCERY_ASSIGN(const ConsoleQuestion asked,
                  office.console->take(visitor.session, message.id, Kind::kSignIn, context.now));
  CHANCERY_ASSIGN(const auto passkeys, passkeys_for(office, visitor));
  const auto known = std::ranges::find(passkeys, message.credential_id, &KnownPasskey::credential_id);
  if (known == passkeys.end())
    return Error{ErrorCode::kNotFound, "no such passkey is enrolled for who may sign in here"};
  CHANCERY_TRY(verify_passkey_assertion(message.assertion, asked.challenge, known->key,
                                        office.console->options().party));
  return *known;
}

}  // namespace

Result<std::vector<KnownPasskey>> known_passkeys(Office& office, std::string_view principal) {
  CHANCERY_ASSIGN(const std::vector<store::Approver> approvers, office.approvers.list());
  std::vector<KnownPasskey> out;
  for (const store::Approver& approver : approvers) {
    if (!principal.empty() && approver.principal != principal) continue;
    for (const store::ApproverKey& key : approver.keys) {
      if (key.kind != "passkey" || key.state != store::ApproverKeyState::kActive) continue;
      CHANCERY_ASSIGN(const PublicKey public_key, parse_jwk(key.jwk));
      out.push_back({approver.principal, key.credential_id, public_key});
    }
  }
  return out;
}

Result<std::vector<KnownPasskey>> passkeys_for(Office& office, const ConsoleVisitor& visitor) {
  const bool is_anybody = visitor.role == ConsoleRole::kOperator;
  return known_passkeys(office, is_anybody ? std::string_view() : std::string_view(visitor.principal));
}

Bytes confirmation_challenge(std::string_view question, const ConfirmedRequest& request) {
  const std::string text =
      json::to_jcs(json::Node::object({{"typ", "chancery-console-confirmation"},
                                       {"id", question},
                                       {"method", request.method},
                                       {"path", request.path},
                                       {"body_sha256", hex_encode(sha256(as_bytes(request.body)))}}));
  const Sha256Digest digest = sha256(as_bytes(text));
  return {digest.begin(), digest.end()};
}

Result<api::PasskeyQuestion> ask_sign_in(Office& office, const CallContext& context) {
  CHANCERY_ASSIGN(const auto passkeys, passkeys_for(office, visitor_of(context)));
  if (passkeys.empty())
    return Error{ErrorCode::kNotFound,
                 "no passkey that could sign in here is enrolled: enrol one on the page Passkeys"};
  CHANCERY_ASSIGN(const ConsoleQuestion asked,
                  office.console->ask(visitor_of(context).session, {.kind = Kind::kSignIn}, context.now));
  api::PasskeyQuestion out = question_for(office, asked.challenge, credentials_of(passkeys));
  out.id = asked.id;
  return out;
}

Result<ConsoleEntry> sign_in_with_passkey(Office& office, const CallContext& context,
                                          const api::PasskeyAnswer& message) {
  note_attempt(context, {});
  const auto known = judge_sign_in(office, context, message);
  office.tallies->shown(ConsoleCredential::kPasskey, known.has_value());
  if (!known) {
    note_why(context, known.error());
    return Error{
        ErrorCode::kUnauthenticated,
        "the passkey's answer does not count: use one that is enrolled here, and answer once, within "
        "five minutes"};
  }
  ConsoleVisitor who = visitor_of(context);
  who.principal = known->principal;
  who.passkey = known->key.thumbprint().text();
  who.credential_id = known->credential_id;
  CallContext as_known = context;
  as_known.caller.visitor = who;
  CHANCERY_TRY(office.store.append_audit(
      audit_entry("console.passkey", as_known,
                  {.principal = who.principal, .ids = {{"key", who.passkey}, {"console", who.session}}})));
  CHANCERY_ASSIGN(ConsoleDesk::Opened opened, office.console->sign_in(who, context.now));
  CHANCERY_ASSIGN(api::ConsoleSession session, show_console_session(office, as_known));
  session.mark = std::move(opened.mark);
  return ConsoleEntry{std::move(opened.cookie), std::move(who), std::move(session)};
}

Result<api::PasskeyQuestion> ask_confirmation(Office& office, const CallContext& context,
                                              const api::AskConfirmation& message) {
  CHANCERY_ASSIGN(const ConsoleVisitor visitor, require_passkey(context));
  const ConfirmedRequest request{message.method, message.path, message.body};
  CHANCERY_ASSIGN(const ConsoleQuestion asked,
                  office.console->ask(visitor.session, {.kind = Kind::kConfirm}, context.now));
  api::PasskeyQuestion out =
      question_for(office, confirmation_challenge(asked.id, request), {visitor.credential_id});
  out.id = asked.id;
  return out;
}

namespace {

// Over what is asked now: had another request been shown to the passkey, its challenge would have been another.
Status judge_confirmation(Office& office, const CallContext& context, const ConfirmedRequest& request,
                          const api::PasskeyAnswer& answer) {
  CHANCERY_ASSIGN(const ConsoleVisitor visitor, require_passkey(context));
  const auto asked = office.console->take(visitor.session, answer.id, Kind::kConfirm, context.now);
  if (!asked) return kNotConfirmed;
  CHANCERY_ASSIGN(const KnownPasskey own, own_passkey(office, visitor));
  const auto use = verify_passkey_assertion(answer.assertion, confirmation_challenge(asked->id, request),
                                            own.key, office.console->options().party);
  if (use) return {};
  note_why(context, use.error());
  return kNotConfirmed;
}

}  // namespace

Status confirm(Office& office, const CallContext& context, const ConfirmedRequest& request,
               const api::PasskeyAnswer& answer) {
  Status judged = judge_confirmation(office, context, request, answer);
  office.tallies->shown(ConsoleCredential::kConfirmation, judged.has_value());
  return judged;
}

Result<api::PreparedSignature> prepare_decision(Office& office, const CallContext& context,
                                                const api::PrepareDecision& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kApprovalsRead));
  CHANCERY_ASSIGN(const ConsoleVisitor visitor, require_passkey(context));
  CHANCERY_ASSIGN(const KnownPasskey own, own_passkey(office, visitor));
  ApprovalDecision decision;
  CHANCERY_ASSIGN(decision.verdict, read_verdict(message.verdict));
  if (!is_decision_reason(message.reason))
    return Error{ErrorCode::kInvalidArgument,
                 "`reason` is one line of at most 512 octets, without control characters"};
  CHANCERY_ASSIGN(const store::ParkedCall call, office.approvals.find(message.request));
  if (call.state != store::ApprovalState::kPending)
    return Error{ErrorCode::kConflict, "the request waits for no decision any more"};
  decision.approver = visitor.principal;
  decision.request = call.id;
  decision.request_sha256 = call.digest;
  decision.reason = message.reason;
  decision.issued_at = context.now;
  decision.key = own.key.thumbprint();
  decision.by_passkey = true;
  api::PreparedSignature out =
      prepared(office, approval_decision_input(decision, Algorithm::kES256), visitor);
  out.request_sha256 = call.digest;
  return out;
}

Result<api::PreparedSignature> prepare_authorization(Office& office, const CallContext& context,
                                                     const api::PrepareAuthorization& message) {
  CHANCERY_ASSIGN(const ConsoleVisitor visitor, require_passkey(context));
  CHANCERY_ASSIGN(const KnownPasskey own, own_passkey(office, visitor));
  CHANCERY_TRY(read_enrolment(message.enrolment));
  EnrolmentAuthorization authorization;
  authorization.approver = visitor.principal;
  authorization.audience = office.policy->issuer_url;
  authorization.document_sha256 = hex_encode(sha256(as_bytes(message.enrolment)));
  authorization.issued_at = context.now;
  authorization.key = own.key.thumbprint();
  authorization.by_passkey = true;
  return prepared(office, enrolment_authorization_input(authorization, Algorithm::kES256), visitor);
}

Result<api::PasskeyCreation> ask_new_passkey(Office& office, const CallContext& context,
                                             const api::AskPasskey& message) {
  const ConsoleVisitor& visitor = visitor_of(context);
  if (visitor.role == ConsoleRole::kApprover && message.principal != visitor.principal)
    return Error{ErrorCode::kForbidden, "an approver enrols passkeys of its own alone"};
  CHANCERY_TRY(check_person(message));
  CHANCERY_ASSIGN(const auto known, known_passkeys(office, message.principal));
  ConsoleQuestion question{.kind = Kind::kEnrol,
                           .principal = message.principal,
                           .groups = message.groups,
                           .replaces = message.replaces};
  std::ranges::sort(question.groups);
  CHANCERY_ASSIGN(const ConsoleQuestion asked,
                  office.console->ask(visitor.session, std::move(question), context.now));
  api::PasskeyCreation out;
  out.question = question_for(office, asked.challenge, credentials_of(known));
  out.question.id = asked.id;
  out.user_id = user_id_of(office.policy->issuer_url, message.principal);
  out.user_name = message.principal;
  return out;
}

Result<api::CheckedPasskey> check_new_passkey(Office& office, const CallContext& context,
                                              const api::CheckPasskey& message) {
  CHANCERY_ASSIGN(const ConsoleQuestion asked,
                  office.console->take(visitor_of(context).session, message.id, Kind::kEnrol, context.now));
  CHANCERY_ASSIGN(const Passkey made, check_passkey_registration(message.registration, asked.challenge,
                                                                 office.console->options().party));
  CHANCERY_ASSIGN(const bool has_any, office.approvers.has_any());
  api::CheckedPasskey out;
  out.enrolment = enrolment_document(
      {asked.principal, asked.groups, made.key, "passkey", made.credential_id, asked.replaces});
  CHANCERY_TRY(read_enrolment(out.enrolment));
  out.sha256 = hex_encode(sha256(as_bytes(out.enrolment)));
  out.jkt = made.key.thumbprint().text();
  out.is_first = !has_any;
  return out;
}

}  // namespace chancery::service
