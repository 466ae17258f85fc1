#pragma once

#include <string>
#include <string_view>

#include <chancery/api_console.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_console.hpp: of what the page sends the one way, of what it is answered the other; of links both.

[[nodiscard]] std::string write(const api::ConsoleLink& message);
[[nodiscard]] Result<api::ConsoleLink> read_console_link(std::string_view json);

[[nodiscard]] Result<api::OpenConsole> read_open_console(std::string_view json);
[[nodiscard]] Result<api::PasskeyAnswer> read_passkey_answer(std::string_view json);
[[nodiscard]] Result<api::PrepareDecision> read_prepare_decision(std::string_view json);
[[nodiscard]] Result<api::PrepareAuthorization> read_prepare_authorization(std::string_view json);
[[nodiscard]] Result<api::AskConfirmation> read_ask_confirmation(std::string_view json);
[[nodiscard]] Result<api::AskPasskey> read_ask_passkey(std::string_view json);
[[nodiscard]] Result<api::CheckPasskey> read_check_passkey(std::string_view json);

/// A confirmation as it stands in a header: base64url of `{"id", "assertion"}`, without `credential_id`. kMalformed.
[[nodiscard]] Result<api::PasskeyAnswer> read_passkey_confirmation(std::string_view header);

[[nodiscard]] std::string write(const api::ConsoleSession& message);
[[nodiscard]] std::string write(const api::PasskeyQuestion& message);
[[nodiscard]] std::string write(const api::PreparedSignature& message);
[[nodiscard]] std::string write(const api::PasskeyCreation& message);
[[nodiscard]] std::string write(const api::CheckedPasskey& message);
[[nodiscard]] std::string write(const api::ConsoleAgentPage& message);
[[nodiscard]] std::string write(const api::ConsoleAgentSight& message);
[[nodiscard]] std::string write(const api::ConsoleApproval& message);
[[nodiscard]] std::string write(const api::ConsoleChain& message);
[[nodiscard]] std::string write(const api::ConsoleAuditPage& message);

}  // namespace chancery::wire
