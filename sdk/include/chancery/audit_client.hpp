#pragma once

#include <cstdint>
#include <future>
#include <string>

#include <chancery/api_audit.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls of a client around the audit log (docs/protocol/audit.md); everything that Client says of its own holds for
/// them. Nothing is verified here: that is for whoever has a key of the log's from elsewhere. Borrows the client, which must
/// outlive it but may be moved.
class AuditClient {
 public:
  explicit AuditClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  // Of an auditor.

  ClientResult<api::AuditPage> entries(const api::AuditQuery& query = {}) const;
  ClientResult<api::ProvedAuditEntry> entry(std::uint64_t number) const;
  /// \param size  of the tree: that of a checkpoint, mostly
  ClientResult<api::AuditInclusion> inclusion(std::uint64_t number, std::uint64_t size) const;
  ClientResult<api::AuditConsistency> consistency(std::uint64_t first, std::uint64_t second) const;
  /// \param after  the size of a checkpoint's tree: those of larger ones
  /// \param limit  1 to 1000
  ClientResult<api::AuditCheckpointPage> checkpoints(std::uint64_t after = 0, std::size_t limit = 100) const;
  /// Has the daemon sign what the log is now.
  ClientResult<api::AuditCheckpoint> make_checkpoint() const;
  ClientResult<api::Rotation> rotate_key(const api::RotateKey& request = {}) const;

  // Anywhere.

  /// The newest checkpoint: a signed note.
  ClientResult<std::string> checkpoint() const;
  ClientResult<api::AuditKeys> keys() const;

  // The same through futures. A request is copied before the call returns.

  std::future<ClientResult<api::AuditPage>> entries_async(const api::AuditQuery& query = {}) const;
  std::future<ClientResult<api::ProvedAuditEntry>> entry_async(std::uint64_t number) const;
  std::future<ClientResult<api::AuditInclusion>> inclusion_async(std::uint64_t number,
                                                                 std::uint64_t size) const;
  std::future<ClientResult<api::AuditConsistency>> consistency_async(std::uint64_t first,
                                                                     std::uint64_t second) const;
  std::future<ClientResult<api::AuditCheckpointPage>> checkpoints_async(std::uint64_t after = 0,
                                                                        std::size_t limit = 100) const;
  std::future<ClientResult<api::AuditCheckpoint>> make_checkpoint_async() const;
  std::future<ClientResult<api::Rotation>> rotate_key_async(const api::RotateKey& request = {}) const;
  std::future<ClientResult<std::string>> checkpoint_async() const;
  std::future<ClientResult<api::AuditKeys>> keys_async() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
