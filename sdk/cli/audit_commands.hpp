#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <chancery/api_audit.hpp>

#include "sdk/audit/entry.hpp"
#include "sdk/audit/note.hpp"
#include "sdk/cli/context.hpp"

namespace chancery::cli {

// Into the group `audit`.

void add_audit_reading(CLI::App& audit, Command& chosen);      ///< `tail`, `show`
void add_audit_proving(CLI::App& audit, Command& chosen);      ///< `prove`
void add_audit_verify(CLI::App& audit, Command& chosen);       ///< `verify`
void add_audit_export(CLI::App& audit, Command& chosen);       ///< `export`
void add_audit_checkpoints(CLI::App& audit, Command& chosen);  ///< `checkpoint`, `keys`

/// The keys of a log as options name them: verifier keys, or files with one a line.
[[nodiscard]] Checked<std::vector<audit::NoteKey>> read_note_keys(const std::vector<std::string>& arguments);

/// An entry that the daemon sent. \return kBadResponse for what is none
[[nodiscard]] Checked<audit::Entry> read_entry(const api::AuditEntry& entry);

/// An entry in one line, for people: number, instant, action, outcome, for whom and about what.
[[nodiscard]] std::string entry_line(const audit::Entry& entry);

/// `text` as a whole number from 1. \return misuse that names `what`
[[nodiscard]] Checked<std::uint64_t> read_entry_number(const std::string& text);

}  // namespace chancery::cli
