#pragma once

#include <string>
#include <string_view>

#include <chancery/api_audit.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_audit.hpp, both ways, as messages.hpp has that of chancery/api.hpp. Entries are embedded as
// they stand in the log: since that is JCS, as the whole answer is, a reader gets their very octets back.

[[nodiscard]] std::string write(const api::AuditPage& message);
[[nodiscard]] std::string write(const api::ProvedAuditEntry& message);
[[nodiscard]] std::string write(const api::AuditInclusion& message);
[[nodiscard]] std::string write(const api::AuditConsistency& message);
[[nodiscard]] std::string write(const api::AuditCheckpoint& message);
[[nodiscard]] std::string write(const api::AuditCheckpointPage& message);
[[nodiscard]] std::string write(const api::AuditKeys& message);

[[nodiscard]] Result<api::AuditPage> read_audit_page(std::string_view json);
[[nodiscard]] Result<api::ProvedAuditEntry> read_proved_audit_entry(std::string_view json);
[[nodiscard]] Result<api::AuditInclusion> read_audit_inclusion(std::string_view json);
[[nodiscard]] Result<api::AuditConsistency> read_audit_consistency(std::string_view json);
[[nodiscard]] Result<api::AuditCheckpoint> read_audit_checkpoint(std::string_view json);
[[nodiscard]] Result<api::AuditCheckpointPage> read_audit_checkpoint_page(std::string_view json);
[[nodiscard]] Result<api::AuditKeys> read_audit_keys(std::string_view json);

}  // namespace chancery::wire
