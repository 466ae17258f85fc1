#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <chancery/api_vault.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

// The commands of `chancery vault`.

void add_vault_put(CLI::App& group, Command& chosen);     ///< `put`, `rotate`
void add_vault_show(CLI::App& group, Command& chosen);    ///< `list`, `show`, `age`
void add_vault_change(CLI::App& group, Command& chosen);  ///< `activate`, `change`, `revoke`, `reset`
void add_vault_import(CLI::App& group, Command& chosen);
void add_vault_issuers(CLI::App& group, Command& chosen);  ///< `issuers`, `consent`

/// The longest value that the daemon takes.
inline constexpr std::size_t kLongestValue = 16 * 1024;

/// A credential for people, or its JSON. It has no value to show.
void show_credential(Output& output, const api::Credential& credential);

/// The version that is released now; null: none.
[[nodiscard]] const api::CredentialVersion* active_version(const api::Credential& credential);

/// A credential's name. What is none may be a value that somebody gave in its place: it is not quoted.
[[nodiscard]] Checked<void> require_credential_name(const std::string& name);

/// When a value expires: a time from now on (`90d`), or an instant (RFC 3339). Empty: never.
[[nodiscard]] Checked<std::optional<std::int64_t>> read_expiry(const std::string& text,
                                                               std::chrono::sys_seconds now);

/// What a revocation of a credential would concern: tools, uses, and by the audit log who used it.
[[nodiscard]] Checked<ExitCode> show_credential_impact(Context& context, const std::string& name);

}  // namespace chancery::cli
