#include <chancery/audit_client.hpp>

#include "sdk/client/audit_calls.hpp"
#include "sdk/client/client_impl.hpp"

namespace chancery {

// Every method twice: waiting for its answer, and through a future.

ClientResult<api::AuditPage> AuditClient::entries(const api::AuditQuery& query) const {
  return impl_->run(client::audit_entries(query));
}
std::future<ClientResult<api::AuditPage>> AuditClient::entries_async(const api::AuditQuery& query) const {
  return impl_->post(client::audit_entries(query));
}

ClientResult<api::ProvedAuditEntry> AuditClient::entry(std::uint64_t number) const {
  return impl_->run(client::audit_entry(number));
}
std::future<ClientResult<api::ProvedAuditEntry>> AuditClient::entry_async(std::uint64_t number) const {
  return impl_->post(client::audit_entry(number));
}

ClientResult<api::AuditInclusion> AuditClient::inclusion(std::uint64_t number, std::uint64_t size) const {
  return impl_->run(client::audit_inclusion(number, size));
}
std::future<ClientResult<api::AuditInclusion>> AuditClient::inclusion_async(std::uint64_t number,
                                                                            std::uint64_t size) const {
  return impl_->post(client::audit_inclusion(number, size));
}

ClientResult<api::AuditConsistency> AuditClient::consistency(std::uint64_t first,
                                                             std::uint64_t second) const {
  return impl_->run(client::audit_consistency(first, second));
}
std::future<ClientResult<api::AuditConsistency>> AuditClient::consistency_async(std::uint64_t first,
                                                                                std::uint64_t second) const {
  return impl_->post(client::audit_consistency(first, second));
}

ClientResult<api::AuditCheckpointPage> AuditClient::checkpoints(std::uint64_t after,
                                                                std::size_t limit) const {
  return impl_->run(client::audit_checkpoints(after, limit));
}
std::future<ClientResult<api::AuditCheckpointPage>> AuditClient::checkpoints_async(std::uint64_t after,
                                                                                   std::size_t limit) const {
  return impl_->post(client::audit_checkpoints(after, limit));
}

ClientResult<api::AuditCheckpoint> AuditClient::make_checkpoint() const {
  return impl_->run(client::make_audit_checkpoint());
}
std::future<ClientResult<api::AuditCheckpoint>> AuditClient::make_checkpoint_async() const {
  return impl_->post(client::make_audit_checkpoint());
}

ClientResult<api::Rotation> AuditClient::rotate_key(const api::RotateKey& request) const {
  return impl_->run(client::rotate_audit_key(request));
}
std::future<ClientResult<api::Rotation>> AuditClient::rotate_key_async(const api::RotateKey& request) const {
  return impl_->post(client::rotate_audit_key(request));
}

ClientResult<std::string> AuditClient::checkpoint() const { return impl_->run(client::audit_checkpoint()); }
std::future<ClientResult<std::string>> AuditClient::checkpoint_async() const {
  return impl_->post(client::audit_checkpoint());
}

ClientResult<api::AuditKeys> AuditClient::keys() const { return impl_->run(client::audit_keys()); }
std::future<ClientResult<api::AuditKeys>> AuditClient::keys_async() const {
  return impl_->post(client::audit_keys());
}

}  // namespace chancery
