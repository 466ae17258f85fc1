// The use cases around the audit log. It is written elsewhere: with everything that is done.

#include <algorithm>
#include <utility>

#include "daemon/service/audit_start.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/office.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {
namespace {

// With what stands around them, pages stay below what clients take.
constexpr std::size_t kMostOctets = 2u << 20;

api::AuditCheckpoint describe(const store::SignedCheckpoint& checkpoint) {
  return {checkpoint.size, checkpoint.at.time_since_epoch().count(), checkpoint.note};
}

Result<std::vector<store::AuditRecord>> find_entries(Office& office, const api::AuditQuery& query) {
  if (query.ref.empty()) {
    return query.is_tail ? office.store.audit_tail(query.limit)
                         : office.store.audit_after(query.after, query.limit);
  }
  return query.is_tail ? office.audit.book.last_with_ref(query.ref, query.limit)
                       : office.audit.book.with_ref(query.ref, query.after, query.limit);
}

Sha256Digest leaf_of(const store::AuditRecord& entry) { return audit::leaf_hash(as_bytes(entry.json)); }

std::string text_member(const json::Value* object, std::string_view name) {
  const json::Value* value = object == nullptr ? nullptr : object->find(name);
  return value == nullptr ? std::string() : std::string(value->string().value_or(""));
}

// As the use case chose it that wrote the entry: the decision's id, or the request's.
Bytes salt_of(const AuditDesk& desk, const store::AuditRecord& record) {
  const auto document = json::Document::parse_borrowed(record.json);
  if (!document) return {};
  const json::Value* details = document->root().find("details");
  const bool has_hash =
      details != nullptr && (details->find("params") != nullptr || details->find("amounts") != nullptr);
  if (!has_hash) return {};
  const std::string decision = text_member(document->root().find("ids"), "decision");
  const SecretBytes salt =
      desk.salt_for(decision.empty() ? text_member(&document->root(), "request_id") : decision);
  return {salt.view().begin(), salt.view().end()};
}

// A log that is read from its beginning to its end is told in pages that fit.
std::vector<api::AuditEntry> within_bounds(std::vector<store::AuditRecord> records, bool is_tail) {
  std::size_t octets = 0;
  std::vector<api::AuditEntry> out;
  const std::size_t count = records.size();
  for (std::size_t i = 0; i < count; ++i) {
    store::AuditRecord& record = records[is_tail ? count - 1 - i : i];
    octets += record.json.size();
    if (octets > kMostOctets && !out.empty()) break;
    out.push_back({record.sequence, std::move(record.json)});
  }
  if (is_tail) std::ranges::reverse(out);
  return out;
}

}  // namespace

Result<api::AuditPage> list_audit_entries(Office& office, const CallContext& context,
                                          const api::AuditQuery& query) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  CHANCERY_ASSIGN(std::vector<store::AuditRecord> records, find_entries(office, query));
  return api::AuditPage{within_bounds(std::move(records), query.is_tail), office.audit.book.counts().size};
}

Result<api::ProvedAuditEntry> show_audit_entry(Office& office, const CallContext& context,
                                               std::uint64_t number) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  store::AuditBook& log = office.audit.book;
  CHANCERY_ASSIGN(store::AuditRecord record, log.entry(number));
  CHANCERY_ASSIGN(const std::optional<store::SignedCheckpoint> newest, log.last_checkpoint());
  api::ProvedAuditEntry out{.entry = {number, {}}, .leaf = leaf_of(record)};
  if (newest) out.checkpoint = describe(*newest);
  if (newest && number <= newest->size) {
    CHANCERY_ASSIGN(std::vector<Sha256Digest> path, log.inclusion(number, newest->size));
    out.inclusion = api::AuditInclusion{number, newest->size, out.leaf, std::move(path)};
  }
  if (require_authority(office, context, scope::kAuditSalts)) out.salt = salt_of(office.audit, record);
  out.entry.json = std::move(record.json);
  return out;
}

Result<api::AuditInclusion> prove_inclusion(Office& office, const CallContext& context, std::uint64_t number,
                                            std::uint64_t size) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  store::AuditBook& log = office.audit.book;
  CHANCERY_ASSIGN(const store::AuditRecord record, log.entry(number));
  CHANCERY_ASSIGN(std::vector<Sha256Digest> path, log.inclusion(number, size));
  return api::AuditInclusion{number, size, leaf_of(record), std::move(path)};
}

Result<api::AuditConsistency> prove_consistency(Office& office, const CallContext& context,
                                                std::uint64_t first, std::uint64_t second) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  CHANCERY_ASSIGN(std::vector<Sha256Digest> path, office.audit.book.consistency(first, second));
  return api::AuditConsistency{first, second, std::move(path)};
}

Result<api::AuditCheckpointPage> list_audit_checkpoints(Office& office, const CallContext& context,
                                                        std::uint64_t after, std::size_t limit) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditRead));
  CHANCERY_ASSIGN(const std::vector<store::SignedCheckpoint> kept,
                  office.audit.book.checkpoints(after, limit));
  api::AuditCheckpointPage out;
  for (const store::SignedCheckpoint& checkpoint : kept) out.checkpoints.push_back(describe(checkpoint));
  return out;
}

Result<api::AuditCheckpoint> make_audit_checkpoint(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kAuditCheckpoint));
  CHANCERY_ASSIGN(const store::SignedCheckpoint made, office.audit.checkpoint(context.now, context.deadline));
  return describe(made);
}

Result<std::string> newest_audit_checkpoint(Office& office) {
  CHANCERY_ASSIGN(std::optional<store::SignedCheckpoint> newest, office.audit.book.last_checkpoint());
  if (newest) return std::move(newest->note);
  return Error{ErrorCode::kNotFound,
               "there is no checkpoint of the audit log yet: it is made when its key's backend answers"};
}

Result<api::AuditKeys> show_audit_keys(Office& office) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys(store::kAudit));
  api::AuditKeys out;
  CHANCERY_ASSIGN(out.origin, office.audit.origin());
  for (const store::Key& key : keys) {
    const PublicKey& public_key = key.stored.public_key;
    CHANCERY_ASSIGN(std::string verifier_key, audit::verifier_key({out.origin, public_key}));
    out.keys.push_back({std::move(verifier_key), public_key.jwk(), public_key.thumbprint().text(),
                        key.backend, std::string(store::key_state_name(key.state)),
                        key.created_at.time_since_epoch().count()});
  }
  return out;
}

}  // namespace chancery::service
