#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <chancery/api.hpp>
#include <chancery/api_audit.hpp>
#include <chancery/result.hpp>

#include "sdk/client/calls.hpp"

namespace chancery::client {

// The calls around the audit log.

[[nodiscard]] Result<Call<api::AuditPage>> audit_entries(const api::AuditQuery& query);
[[nodiscard]] Result<Call<api::ProvedAuditEntry>> audit_entry(std::uint64_t number);
[[nodiscard]] Result<Call<api::AuditInclusion>> audit_inclusion(std::uint64_t number, std::uint64_t size);
[[nodiscard]] Result<Call<api::AuditConsistency>> audit_consistency(std::uint64_t first,
                                                                    std::uint64_t second);
[[nodiscard]] Result<Call<api::AuditCheckpointPage>> audit_checkpoints(std::uint64_t after,
                                                                       std::size_t limit);
[[nodiscard]] Result<Call<api::AuditCheckpoint>> make_audit_checkpoint();
[[nodiscard]] Result<Call<api::Rotation>> rotate_audit_key(const api::RotateKey& message);
[[nodiscard]] Result<Call<std::string>> audit_checkpoint();
[[nodiscard]] Result<Call<api::AuditKeys>> audit_keys();

}  // namespace chancery::client
