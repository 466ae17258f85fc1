#include "daemon/store/sqlite_votes.hpp"

#include "daemon/store/gate_terms.hpp"
#include "daemon/store/sqlite_rows.hpp"

namespace chancery::store {
namespace {

constexpr std::string_view kApprove = "approve";
constexpr std::string_view kDeny = "deny";

constexpr const char* kVotes =
    "SELECT principal, key, verdict, gates, at, reason, jws, policy_signature, voided_at FROM approval_votes "
    "WHERE call = ? ORDER BY seq";
constexpr const char* kInsert =
    "INSERT INTO approval_votes (call, principal, key, verdict, gates, at, reason, jws, policy_signature) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kOpenCalls =
    "SELECT DISTINCT c.id FROM approval_votes v JOIN parked_calls c ON c.seq = v.call "
    "WHERE v.key = ? AND v.voided_at IS NULL AND c.ended_at IS NULL";
constexpr const char* kVoid =
    "UPDATE approval_votes SET voided_at = ?2 WHERE key = ?1 AND voided_at IS NULL AND "
    "call IN (SELECT seq FROM parked_calls WHERE ended_at IS NULL)";

Result<Vote> vote_from(const Query& row) {
  Vote out;
  out.principal = row.text(0);
  CHANCERY_ASSIGN(out.key, read_thumbprint(row.text(1)));
  const std::string verdict = row.text(2);
  if (verdict != kApprove && verdict != kDeny) return kDamagedRow;
  out.approves = verdict == kApprove;
  CHANCERY_ASSIGN(out.gates, names_from(row.text(3)));
  out.at = row.time(4);
  out.reason = row.text(5);
  out.jws = row.text(6);
  out.policy_signature = row.text(7);
  out.voided_at = optional_time(row, 8);
  return out;
}

}  // namespace

Result<std::vector<Vote>> votes_of(Database& database, std::int64_t call) {
  CHANCERY_ASSIGN(Query select, database.query(kVotes));
  return read_all<Vote>(select.bind(call), vote_from);
}

Status insert_vote(Database& database, std::int64_t call, const Vote& vote) {
  const std::string key = vote.key.text();
  const std::string gates = names_text(vote.gates);
  CHANCERY_ASSIGN(Query insert, database.query(kInsert));
  insert.bind(call).bind(vote.principal).bind(key).bind(vote.approves ? kApprove : kDeny).bind(gates);
  insert.bind(vote.at).bind(vote.reason).bind(vote.jws).bind(vote.policy_signature);
  const Status inserted = insert.run();
  if (inserted || inserted.error().code != ErrorCode::kConflict) return inserted;
  return Error{ErrorCode::kConflict,
               "this person has decided about it already: nobody counts twice, by whichever key"};
}

Result<std::vector<std::string>> open_calls_of(Database& database, const Thumbprint& key) {
  const std::string text = key.text();
  CHANCERY_ASSIGN(Query select, database.query(kOpenCalls));
  return read_all<std::string>(select.bind(text),
                               [](const Query& row) -> Result<std::string> { return row.text(0); });
}

Status void_open_votes(Database& database, const Thumbprint& key, sys_seconds now) {
  const std::string text = key.text();
  CHANCERY_ASSIGN(Query update, database.query(kVoid));
  return update.bind(text).bind(now).run();
}

}  // namespace chancery::store
