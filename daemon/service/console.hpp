#pragma once

#include <string>
#include <string_view>

#include <chancery/api_console.hpp>
#include <chancery/result.hpp>

#include "daemon/service/console_desk.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

// The console (docs/protocol/console.md): signing in, and what takes a passkey. The office has a console, and every context but
// those of the first two calls a visitor. What a passkey answers and does not hold is kUnauthenticated, in the same words
// whatever is wrong with it; the audit log has the reason.

/// A link for whoever's process asks: the operator, or a person whom `[console] approvers` names. kForbidden, kOverloaded.
[[nodiscard]] Result<api::ConsoleLink> give_console_link(Office& office, const CallContext& context);

/// The session that a request is of. It ends when whoever opened it is the operator no more, or its passkey was revoked.
/// kUnauthenticated, in the same words whatever is wrong with it.
[[nodiscard]] Result<ConsoleSession> visit_console(Office& office, const ConsoleKey& key,
                                                   std::chrono::sys_seconds now);

/// What opening a session gives.
struct ConsoleEntry {
  std::string cookie;  ///< a secret
  ConsoleVisitor visitor;
  api::ConsoleSession session;  ///< without `may`, and with the mark
};
/// Opens a session by a link, which is used up. kUnauthenticated, kOverloaded.
[[nodiscard]] Result<ConsoleEntry> open_console(Office& office, const CallContext& context,
                                                const api::OpenConsole& message);

/// Without `may`. kUnauthenticated when it has ended meanwhile.
[[nodiscard]] Result<api::ConsoleSession> show_console_session(Office& office, const CallContext& context);
[[nodiscard]] Status close_console(Office& office, const CallContext& context);

/// Asks for a passkey that says who it is. kNotFound when nobody has one who could sign in here.
[[nodiscard]] Result<api::PasskeyQuestion> ask_sign_in(Office& office, const CallContext& context);
/// kUnauthenticated.
[[nodiscard]] Result<ConsoleEntry> sign_in_with_passkey(Office& office, const CallContext& context,
                                                        const api::PasskeyAnswer& message);

/// Asks for a passkey's word that this very request is to be made. kForbidden without a passkey.
[[nodiscard]] Result<api::PasskeyQuestion> ask_confirmation(Office& office, const CallContext& context,
                                                            const api::AskConfirmation& message);
/// Takes it: the session's own passkey confirms this request, once. kForbidden.
[[nodiscard]] Status confirm(Office& office, const CallContext& context, const ConfirmedRequest& request,
                             const api::PasskeyAnswer& answer);

/// What the session's passkey signs to decide. kForbidden without a passkey, kNotFound, kConflict when nothing waits,
/// kInvalidArgument (verdict, reason).
[[nodiscard]] Result<api::PreparedSignature> prepare_decision(Office& office, const CallContext& context,
                                                              const api::PrepareDecision& message);
/// The same to authorize an enrolment. kForbidden, and what read_enrolment() says.
[[nodiscard]] Result<api::PreparedSignature> prepare_authorization(Office& office, const CallContext& context,
                                                                   const api::PrepareAuthorization& message);

/// Asks for a new passkey. kForbidden for an approver who names somebody else, kInvalidArgument (principal, groups).
[[nodiscard]] Result<api::PasskeyCreation> ask_new_passkey(Office& office, const CallContext& context,
                                                           const api::AskPasskey& message);
/// Checks what was made, and writes the document that enrols it; nothing is enrolled yet. kUnauthenticated (the question),
/// and what check_passkey_registration() says.
[[nodiscard]] Result<api::CheckedPasskey> check_new_passkey(Office& office, const CallContext& context,
                                                            const api::CheckPasskey& message);

}  // namespace chancery::service
