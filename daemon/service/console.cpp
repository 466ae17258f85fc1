// Signing in to the console, and out of it.

#include "daemon/service/console.hpp"

#include <utility>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/console_passkeys.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr const char* kSession = "console";  // an id of entries

api::ConsoleSession describe(const Office& office, const ConsoleSession& session, std::size_t passkeys,
                             std::chrono::sys_seconds now) {
  const ConsoleVisitor& visitor = session.visitor;
  api::ConsoleSession out;
  out.role = console_role_name(visitor.role);
  out.uid = visitor.uid;
  out.principal = visitor.principal;
  out.passkey = visitor.passkey;
  out.credential_id = visitor.credential_id;
  out.needs_passkey = session.needs_passkey;
  out.passkeys = passkeys;
  out.began_at = session.began_at.time_since_epoch().count();
  out.ends_at = session.ends_at.time_since_epoch().count();
  out.idle_s = office.console->options().session_idle.count();
  out.now = now.time_since_epoch().count();
  out.version = CHANCERY_VERSION;
  out.issuer = office.policy->issuer_url;
  out.rp_id = office.console->options().party.id;
  return out;
}

/// As whom the console lets a process in: at most as what it is on the socket.
Result<ConsoleVisitor> visitor_for(const Office& office, const Process& process) {
  ConsoleVisitor visitor;
  visitor.uid = process.uid;
  const auto& approvers = office.console->options().approvers;
  const auto approver = approvers.find(process.uid);
  if (require_operator(process, office.policy->operators)) {
    visitor.role = ConsoleRole::kOperator;
    return visitor;
  }
  if (approver == approvers.end())
    return Error{ErrorCode::kForbidden,
                 "the console is for the operator, and for users whom [console] approvers names"};
  visitor.principal = approver->second;
  return visitor;
}

// Whoever shows up with an approver's link still has to show the approver's passkey, if there is one.
Result<ConsoleSession> session_for(Office& office, const Process& process) {
  CHANCERY_ASSIGN(ConsoleVisitor visitor, visitor_for(office, process));
  ConsoleSession session;
  session.asker = process;
  if (visitor.role == ConsoleRole::kApprover) {
    CHANCERY_ASSIGN(const auto passkeys, passkeys_for(office, visitor));
    session.needs_passkey = !passkeys.empty();
  }
  session.visitor = std::move(visitor);
  return session;
}

// A session is as good as what it rests on is now: the rule that says who the operator is, and the passkey that signed in. One that
// was replaced in good order signs nothing more, and its owner reads on.
Status require_standing(Office& office, const ConsoleSession& session) {
  const ConsoleVisitor& visitor = session.visitor;
  if (visitor.role == ConsoleRole::kOperator)
    CHANCERY_TRY(require_operator(session.asker, office.policy->operators));
  if (visitor.passkey.empty()) return {};
  const auto key = base64url_decode_exactly<std::tuple_size_v<Sha256Digest>>(visitor.passkey);
  if (!key) return Error{ErrorCode::kForbidden, "the passkey of this session has no thumbprint"};
  CHANCERY_ASSIGN(const store::Approver owner, office.approvers.by_key(Thumbprint{*key}));
  if (owner.keys.front().state != store::ApproverKeyState::kRevoked) return {};
  return Error{ErrorCode::kForbidden, "the passkey of this session is revoked"};
}

}  // namespace

Result<ConsoleSession> visit_console(Office& office, const ConsoleKey& key, std::chrono::sys_seconds now) {
  constexpr Error kNone{ErrorCode::kUnauthenticated,
                        "there is no session, or it has ended: `chancery console` opens one"};
  const auto session = office.console->find(key, now);
  if (!session) return kNone;
  const Status standing = require_standing(office, *session);
  if (standing) return *session;
  if (standing.error().code != ErrorCode::kForbidden) return standing.error();
  office.console->close(session->visitor.session);
  return kNone;
}

Result<api::ConsoleLink> give_console_link(Office& office, const CallContext& context) {
  CHANCERY_ASSIGN(const ConsoleSession session, session_for(office, *context.caller.process));
  CHANCERY_ASSIGN(const ConsoleDesk::Link link, office.console->give_link(session, context.now));
  CHANCERY_TRY(office.store.append_audit(
      audit_entry("console.link", context,
                  {.principal = session.visitor.principal,
                   .details = json::Node::object({{"role", console_role_name(session.visitor.role)}})})));
  api::ConsoleLink out;
  out.url = office.console->options().party.origins.front() + "/ui#link=" + link.secret;
  out.expires_at = link.expires_at.time_since_epoch().count();
  out.role = console_role_name(session.visitor.role);
  out.principal = session.visitor.principal;
  return out;
}

Result<ConsoleEntry> open_console(Office& office, const CallContext& context,
                                  const api::OpenConsole& message) {
  Result<ConsoleDesk::Opened> found = office.console->open(message.link, context.now);
  office.tallies->shown(ConsoleCredential::kLink, found.has_value());
  CHANCERY_ASSIGN(ConsoleDesk::Opened opened, std::move(found));
  const ConsoleVisitor& visitor = opened.session.visitor;
  CallContext as_visitor = context;
  as_visitor.caller.visitor = visitor;
  const auto recorded = office.store.append_audit(audit_entry(
      "console.sign_in", as_visitor, {.principal = visitor.principal, .ids = {{kSession, visitor.session}}}));
  auto session =
      recorded ? show_console_session(office, as_visitor) : Result<api::ConsoleSession>(recorded.error());
  if (!session) {
    office.console->close(visitor.session);
    return session.error();
  }
  session->mark = std::move(opened.mark);
  return ConsoleEntry{std::move(opened.cookie), visitor, *std::move(session)};
}

Result<api::ConsoleSession> show_console_session(Office& office, const CallContext& context) {
  const ConsoleVisitor& visitor = *context.caller.visitor;
  const auto session = office.console->session(visitor.session, context.now);
  if (!session)
    return Error{ErrorCode::kUnauthenticated, "the session has ended: `chancery console` opens another"};
  CHANCERY_ASSIGN(const auto passkeys, passkeys_for(office, visitor));
  return describe(office, *session, passkeys.size(), context.now);
}

Status close_console(Office& office, const CallContext& context) {
  const ConsoleVisitor& visitor = *context.caller.visitor;
  office.console->close(visitor.session);  // whatever comes of the record: nobody stays who wants to go
  CHANCERY_TRY(office.store.append_audit(audit_entry(
      "console.sign_out", context, {.principal = visitor.principal, .ids = {{kSession, visitor.session}}})));
  return {};
}

}  // namespace chancery::service
