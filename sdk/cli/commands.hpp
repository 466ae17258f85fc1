#pragma once

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

// One command group each. They add their arguments to `app` and set `chosen` when their subcommand is given.

void add_status(CLI::App& app, Command& chosen);
void add_agent(CLI::App& app, Command& chosen);
void add_key(CLI::App& app, Command& chosen);
void add_issuer(CLI::App& app, Command& chosen);
void add_status_key(CLI::App& app, Command& chosen);
void add_audit_key(CLI::App& app, Command& chosen);
void add_webhook_key(CLI::App& app, Command& chosen);
void add_status_list(CLI::App& app, Command& chosen);
void add_revocation(CLI::App& app, Command& chosen);  ///< `revoke`, `suspend`, `lift`, `impact`
void add_drill(CLI::App& app, Command& chosen);
void add_backend(CLI::App& app, Command& chosen);
void add_host(CLI::App& app, Command& chosen);
void add_attest(CLI::App& app, Command& chosen);
void add_anomaly(CLI::App& app, Command& chosen);
void add_approval(CLI::App& app, Command& chosen);
void add_console(CLI::App& app, Command& chosen);
void add_freeze(CLI::App& app, Command& chosen);
void add_incident(CLI::App& app, Command& chosen);
void add_audit(CLI::App& app, Command& chosen);
void add_trace(CLI::App& app, Command& chosen);
void add_budget(CLI::App& app, Command& chosen);
void add_backup(CLI::App& app, Command& chosen);  ///< `backup`, `restore`
void add_vault(CLI::App& app, Command& chosen);
void add_receipt(CLI::App& app, Command& chosen);
void add_init(CLI::App& app, Command& chosen);
void add_operator(CLI::App& app, Command& chosen);
void add_login(CLI::App& app, Command& chosen);
void add_context(CLI::App& app, Command& chosen);
void add_run(CLI::App& app, Command& chosen);
void add_join_token(CLI::App& app, Command& chosen);
void add_grant(CLI::App& app, Command& chosen);
void add_delegate(CLI::App& app, Command& chosen);
void add_verify(CLI::App& app, Command& chosen);
void add_authorize(CLI::App& app, Command& chosen);
void add_decision_ends(CLI::App& app, Command& chosen);  ///< `settle`, `release`
void add_explain(CLI::App& app, Command& chosen);
void add_inspect(CLI::App& app, Command& chosen);
void add_mcp(CLI::App& app, Command& chosen);
void add_proof(CLI::App& app, Command& chosen);
void add_present(CLI::App& app, Command& chosen);
void add_verify_vectors(CLI::App& app, Command& chosen);
void add_verify_evidence(CLI::App& app, Command& chosen);
void add_doctor(CLI::App& app, Command& chosen);
void add_trust(CLI::App& app, Command& chosen);
void add_version(CLI::App& app, Command& chosen);

/// The chain that a command is about: files, `-` or texts; standard input when there is none.
void add_chain_argument(CLI::App& command, std::vector<std::string>& chain);

/// An option that may be given several times, with one value each time.
CLI::Option* add_repeatable(CLI::App& command, const char* name, std::vector<std::string>& values,
                            const char* help);

}  // namespace chancery::cli
