#include "daemon/service/token_statuses.hpp"

#include <algorithm>
#include <vector>

#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

Result<EndedTokens::Change> change_of(const store::TokenStatus& token) {
  CHANCERY_ASSIGN(const Bytes octets, hex_decode(token.id));
  EndedTokens::Change change;
  if (octets.size() != change.token.size()) {
    return Error{ErrorCode::kStoreCorrupt,
                 "a token's id in the database is damaged: restore it from a backup"};
  }
  std::ranges::copy(octets, change.token.begin());
  if (token.status != 0) change.end = token.status == 1 ? TokenEnd::kRevoked : TokenEnd::kSuspended;
  return change;
}

Result<std::vector<EndedTokens::Change>> changes_of(const std::vector<store::TokenStatus>& tokens) {
  std::vector<EndedTokens::Change> changes;
  changes.reserve(tokens.size());
  for (const store::TokenStatus& token : tokens) {
    CHANCERY_ASSIGN(changes.emplace_back(), change_of(token));
  }
  return changes;
}

}  // namespace

Status TokenStatuses::publish(std::chrono::sys_seconds now) {
  const std::lock_guard lock(acting_);
  CHANCERY_ASSIGN(const std::vector<store::TokenStatus> ended, book_.ended(now));
  CHANCERY_ASSIGN(const std::vector<EndedTokens::Change> changes, changes_of(ended));
  trust_.publish_ended_tokens(EndedTokens().with(changes));
  return {};
}

Status TokenStatuses::adopt(const std::vector<store::IssuedToken>& chain) {
  const std::lock_guard lock(acting_);
  CHANCERY_ASSIGN(std::vector<store::TokenStatus> adopted, book_.adopt(chain));
  std::erase_if(adopted, [](const store::TokenStatus& token) { return token.status == 0; });
  if (adopted.empty()) return {};
  CHANCERY_ASSIGN(const std::vector<EndedTokens::Change> changes, changes_of(adopted));
  trust_.publish_changes(changes);
  return Error{
      ErrorCode::kParentDenied,
      "the chain was delegated by or to whom was revoked or is suspended: `chancery impact` shows it"};
}

Result<store::StatusAct> TokenStatuses::add(const store::StatusAct& act, const store::AuditEntry& audit) {
  const std::lock_guard lock(acting_);
  return publish(book_.add(act, audit));
}

Result<store::StatusAct> TokenStatuses::lift(std::int64_t id, const store::AuditEntry& audit) {
  const std::lock_guard lock(acting_);
  return publish(book_.lift(id, audit));
}

Result<store::StatusAct> TokenStatuses::publish(Result<store::DoneAct> done) {
  if (!done) return done.error();
  CHANCERY_ASSIGN(const std::vector<EndedTokens::Change> changes, changes_of(done->tokens));
  trust_.publish_changes(changes);
  return std::move(done->act);
}

}  // namespace chancery::service
