#include "daemon/store/token_ends.hpp"

#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/status_statements.hpp"

namespace chancery::store {
namespace {

const char* marking_statement(const StatusTarget& target) {
  switch (target.kind) {
    case StatusTarget::Kind::kToken:
      return sql::kMarkToken;
    case StatusTarget::Kind::kSubtree:
      return sql::kMarkSubtree;
    case StatusTarget::Kind::kAgent:
      return sql::kMarkAgent;
    case StatusTarget::Kind::kKey:
      return sql::kMarkKey;
    case StatusTarget::Kind::kPrincipal:
      return target.value == kEverybody ? sql::kMarkEverybody : sql::kMarkPrincipal;
  }
  return nullptr;
}

// What else a revocation ends. It says for good what marks cannot: of a key that is not ours, nobody knows all tokens.
Status end_with_tokens(Database& database, const StatusAct& act) {
  if (act.kind != StatusAct::Kind::kRevoke) return {};
  const bool is_agent = act.target.kind == StatusTarget::Kind::kAgent;
  if (!is_agent && act.target.kind != StatusTarget::Kind::kKey) return {};
  CHANCERY_ASSIGN(Query end, database.query(is_agent ? sql::kEndJoinTokens : sql::kEndHolder));
  return end.bind(act.target.value).bind(act.at).run();
}

}  // namespace

Result<StatusAct> record_act(Database& database, StatusAct act) {
  {
    CHANCERY_ASSIGN(Query insert, database.query(sql::kInsertAct));
    insert.bind(act_kind_name(act.kind)).bind(target_kind_name(act.target.kind)).bind(act.target.value);
    CHANCERY_TRY(insert.bind(act.reason).bind(act.at).bind_optional(act.until).run());
  }
  act.id = database.last_row();
  act.lifted_at.reset();
  CHANCERY_TRY(end_with_tokens(database, act));
  {
    CHANCERY_ASSIGN(Query mark, database.query(marking_statement(act.target)));
    CHANCERY_TRY(mark.bind(act.target.value).bind(act.at).bind(act.id).run());
  }
  act.tokens = static_cast<std::uint64_t>(database.changes());
  CHANCERY_ASSIGN(Query count, database.query(sql::kCountMarks));
  CHANCERY_TRY(count.bind(static_cast<std::int64_t>(act.tokens)).bind(act.id).run());
  return act;
}

Result<std::optional<TokenStatus>> adopt_token(Database& database, const IssuedToken& token) {
  const std::string holder = token.holder.text();
  {
    CHANCERY_ASSIGN(Query insert, database.query(sql::kAdoptToken));
    insert.bind(token.id).bind(token.jti).bind_optional(token.parent_id).bind(holder).bind(token.principal);
    CHANCERY_TRY(insert.bind(token.issued_at).bind(token.expires_at).bind(token.compact).run());
  }
  if (database.changes() == 0) return std::optional<TokenStatus>();
  const std::int64_t place = database.last_row();
  {
    CHANCERY_ASSIGN(Query mark, database.query(sql::kMarkAdopted));
    CHANCERY_TRY(mark.bind(place).run());
  }
  CHANCERY_ASSIGN(Query select, database.query(sql::kStatusOfToken));
  CHANCERY_ASSIGN(const bool row, select.bind(place).step());
  if (!row) return kDamagedRow;
  return std::optional(TokenStatus{select.text(0), static_cast<unsigned>(select.number(1))});
}

Status end_tokens(Database& database, const StatusTarget& target, std::string reason, sys_seconds at) {
  CHANCERY_ASSIGN(const StatusAct act,
                  record_act(database, {.target = target, .reason = std::move(reason), .at = at}));
  if (act.tokens > 0) return {};
  CHANCERY_ASSIGN(Query drop, database.query(sql::kDropAct));
  return drop.bind(act.id).run();
}

Status end_all_tokens(Database& database, std::string reason, sys_seconds at) {
  StatusAct act{.target = {StatusTarget::Kind::kPrincipal, std::string(kEverybody)},
                .reason = std::move(reason),
                .at = at};
  CHANCERY_TRY(record_act(database, std::move(act)));
  return {};
}

Status expect_unended(Database& database, const IssuedToken& token) {
  if (token.parent_id) {
    CHANCERY_ASSIGN(Query select, database.query(sql::kIsEnded));
    CHANCERY_ASSIGN(const bool is_ended, select.bind(*token.parent_id).step());
    if (is_ended) {
      return Error{ErrorCode::kParentDenied,
                   "the chain was revoked or suspended meanwhile: POST /v1/chains/explain says why"};
    }
  }
  const std::string agent = token.agent_id.value_or("");
  const std::string holder = token.holder.text();
  CHANCERY_ASSIGN(Query select, database.query(sql::kIsSuspended));
  select.bind(agent).bind(holder).bind(token.principal);
  CHANCERY_ASSIGN(const bool is_suspended, select.step());
  if (!is_suspended) return {};
  return Error{ErrorCode::kForbidden,
               "the agent, its key or the principal is suspended: `chancery impact` shows by what, and "
               "`chancery lift` ends it"};
}

Status take_place(Database& database, const StatusPlace& place, std::int64_t token) {
  CHANCERY_ASSIGN(Query give, database.query(sql::kGiveIndex));
  give.bind(token).bind(static_cast<std::int64_t>(place.list)).bind(static_cast<std::int64_t>(place.index));
  CHANCERY_TRY(give.run());
  if (database.changes() == 1) return {};
  return Error{ErrorCode::kConflict, "the status index is another token's, or was not allocated"};
}

}  // namespace chancery::store
