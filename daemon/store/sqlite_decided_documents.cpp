#include "daemon/store/sqlite_decided_documents.hpp"

#include <string>
#include <utility>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

// Anew and not changed in place: a row's number says which was decided last.
constexpr const char* kKeep =
    "INSERT OR REPLACE INTO decided_documents (kind, tool, principal, key, id, state, decided_at, digest, document) "
    "SELECT kind, tool, principal, key, id, ?2, ?3, digest, document FROM parked_calls "
    "WHERE id = ?1 AND length(document) > 0";
constexpr const char* kBound =
    "DELETE FROM decided_documents "
    "WHERE seq <= (SELECT seq FROM decided_documents ORDER BY seq DESC LIMIT 1 OFFSET ?)";
constexpr const char* kLike =
    "SELECT id, state, decided_at, digest, document FROM decided_documents "
    "WHERE kind = ? AND tool = ? AND principal = ? AND key = ? AND id <> ?";
constexpr const char* kForgetOne = "DELETE FROM decided_documents WHERE id = ?";
constexpr const char* kForgetOfKey =
    "DELETE FROM decided_documents WHERE id IN (SELECT c.id FROM approval_votes v JOIN parked_calls c ON c.seq = v.call "
    "WHERE v.key = ? AND v.voided_at IS NULL)";
constexpr const char* kForget = "DELETE FROM decided_documents WHERE decided_at < ?";

}  // namespace

Status keep_decided(Database& database, std::string_view id, bool is_approved, sys_seconds now) {
  const auto state = approval_state_name(is_approved ? ApprovalState::kApproved : ApprovalState::kDenied);
  {
    CHANCERY_ASSIGN(Query keep, database.query(kKeep));
    CHANCERY_TRY(keep.bind(id).bind(state).bind(now).run());
  }
  CHANCERY_ASSIGN(Query bound, database.query(kBound));
  return bound.bind(kMostDecidedDocuments).run();
}

Result<std::optional<DecidedDocument>> decided_like(Database& database, const ParkedCall& call) {
  const std::string key = call.key.text();
  CHANCERY_ASSIGN(Query select, database.query(kLike));
  select.bind(approval_kind_name(call.kind)).bind(call.tool).bind(call.principal).bind(key);
  CHANCERY_ASSIGN(const bool row, select.bind(call.id).step());
  if (!row) return std::optional<DecidedDocument>();
  DecidedDocument out;
  out.id = select.text(0);
  out.is_approved = select.text(1) == approval_state_name(ApprovalState::kApproved);
  out.decided_at = select.time(2);
  out.digest = select.text(3);
  out.document = select.text(4);
  // What is not what was decided is compared with nothing, and keeps nobody from deciding.
  if (hex_encode(sha256(as_bytes(out.document))) != out.digest) return std::optional<DecidedDocument>();
  return std::optional(std::move(out));
}

Status forget_decided_of(Database& database, std::string_view id) {
  CHANCERY_ASSIGN(Query forget, database.query(kForgetOne));
  return forget.bind(id).run();
}

Status forget_decided_by(Database& database, const Thumbprint& key) {
  const std::string text = key.text();
  CHANCERY_ASSIGN(Query forget, database.query(kForgetOfKey));
  return forget.bind(text).run();
}

Status forget_decided_before(Database& database, sys_seconds before) {
  CHANCERY_ASSIGN(Query forget, database.query(kForget));
  return forget.bind(before).run();
}

}  // namespace chancery::store
