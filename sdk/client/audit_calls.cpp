#include "sdk/client/audit_calls.hpp"

#include <utility>

#include "sdk/base/percent.hpp"
#include "sdk/wire/audit_messages.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::client {
namespace {

constexpr const char* kCheckpoints = "/v1/audit/checkpoints";

Result<std::string> as_it_is(std::string body) { return body; }

std::string entries_target(const api::AuditQuery& query) {
  const std::string count = std::to_string(query.limit);
  std::string target = "/v1/audit/entries?";
  target += query.is_tail ? "last=" + count : "limit=" + count + "&after=" + std::to_string(query.after);
  if (!query.ref.empty()) target += "&ref=" + percent_encode(query.ref);
  return target;
}

}  // namespace

Result<Call<api::AuditPage>> audit_entries(const api::AuditQuery& query) {
  return Call<api::AuditPage>{{"GET", entries_target(query), {}}, reading<wire::read_audit_page>};
}

Result<Call<api::ProvedAuditEntry>> audit_entry(std::uint64_t number) {
  return Call<api::ProvedAuditEntry>{{"GET", "/v1/audit/entries/" + std::to_string(number), {}},
                                     reading<wire::read_proved_audit_entry>};
}

Result<Call<api::AuditInclusion>> audit_inclusion(std::uint64_t number, std::uint64_t size) {
  return Call<api::AuditInclusion>{
      {"GET", "/v1/audit/inclusion?entry=" + std::to_string(number) + "&size=" + std::to_string(size), {}},
      reading<wire::read_audit_inclusion>};
}

Result<Call<api::AuditConsistency>> audit_consistency(std::uint64_t first, std::uint64_t second) {
  return Call<api::AuditConsistency>{
      {"GET", "/v1/audit/consistency?from=" + std::to_string(first) + "&to=" + std::to_string(second), {}},
      reading<wire::read_audit_consistency>};
}

Result<Call<api::AuditCheckpointPage>> audit_checkpoints(std::uint64_t after, std::size_t limit) {
  return Call<api::AuditCheckpointPage>{{"GET", page_target(kCheckpoints, std::to_string(after), limit), {}},
                                        reading<wire::read_audit_checkpoint_page>};
}

Result<Call<api::AuditCheckpoint>> make_audit_checkpoint() {
  return Call<api::AuditCheckpoint>{{"POST", kCheckpoints, {}}, reading<wire::read_audit_checkpoint>};
}

Result<Call<api::Rotation>> rotate_audit_key(const api::RotateKey& message) {
  return Call<api::Rotation>{{"POST", "/v1/audit/keys/rotate", wire::write(message)},
                             reading<wire::read_rotation>};
}

Result<Call<std::string>> audit_checkpoint() {
  Call<std::string> call{{"GET", "/v1/audit/checkpoint", {}}, as_it_is};
  call.request.accept = "text/plain";
  return call;
}

Result<Call<api::AuditKeys>> audit_keys() {
  return Call<api::AuditKeys>{{"GET", "/v1/audit/keys", {}}, reading<wire::read_audit_keys>};
}

}  // namespace chancery::client
