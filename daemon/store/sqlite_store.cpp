#include "daemon/store/sqlite_store.hpp"

#include <algorithm>
#include <utility>

#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_gate_book.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/sqlite_store_impl.hpp"
#include "daemon/store/statements.hpp"
#include "daemon/store/token_ends.hpp"

namespace chancery::store {
namespace {

constexpr Error kRetiredBefore{ErrorCode::kRetired, "the agent is retired: register a new one"};

constexpr Error kNoMasterPin{ErrorCode::kNotFound, "no master secret is pinned yet"};

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status check_agent(const Agent& agent) {
  if (!is_hex(agent.id, 32) || agent.key.owner != agent.id || agent.key.stored.binding.agent_id != agent.id) {
    return Error{ErrorCode::kInvalidArgument,
                 "an agent's id is 32 hexadecimal digits, the same as its key's owner and binding"};
  }
  if (agent.key.state != KeyState::kActive || agent.retired_at) {
    return Error{ErrorCode::kInvalidArgument, "an agent is registered active"};
  }
  return {};
}

Status check_token(const IssuedToken& token) {
  if (!is_hex(token.id, 64) || (token.parent_id && !is_hex(*token.parent_id, 64))) {
    return Error{ErrorCode::kInvalidArgument,
                 "a token's id is the SHA-256 of its signing input, 64 hexadecimal digits"};
  }
  return {};
}

}  // namespace

Result<std::size_t> SqliteStore::seal_with(SecretBytes secret) {
  const auto guard = journal_->hold();
  seal_ = RecordSeal(std::move(secret));
  return find_damage();
}

Result<std::uint64_t> SqliteStore::seal_former_records(std::string_view master_pin, const AuditEntry& audit) {
  const auto sequence = journal_->mutate(audit, [&]() -> Status {
    {
      CHANCERY_ASSIGN(Query update, database_.query(sql::kReplaceMasterPin));
      CHANCERY_TRY(update.bind(master_pin).run());
    }
    CHANCERY_TRY(expect_some_change(kNoMasterPin));
    CHANCERY_ASSIGN(Query every_key, database_.query(sql::kUnsealedKeys));
    CHANCERY_ASSIGN(const std::vector<Key> keys, read_all<Key>(every_key, parse_key));
    for (const Key& key : keys) CHANCERY_TRY(update_key(key));
    CHANCERY_ASSIGN(Query every_agent, database_.query(sql::kUnsealedAgents));
    CHANCERY_ASSIGN(const std::vector<PlacedAgent> agents, read_all<PlacedAgent>(every_agent, parse_agent));
    for (const auto& [agent, key_place] : agents) CHANCERY_TRY(update_agent(agent, key_place));
    return {};
  });
  if (!sequence) return sequence;
  const auto guard = journal_->hold();
  CHANCERY_TRY(find_damage());
  return sequence;
}

Result<std::uint64_t> SqliteStore::add_agent(const Agent& agent, const AuditEntry& audit) {
  CHANCERY_TRY(check_agent(agent));
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(insert_key(agent.key));
    const std::int64_t key = database_.last_row();
    const Sha256Digest seal = seal_.of(agent, key);
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertAgent));
    insert.bind(agent.id).bind(agent.name).bind(agent.selectors).bind(agent.created_at);
    return insert.bind(key).bind(seal).run();
  });
}

Status SqliteStore::update_agent(const Agent& agent, std::int64_t key_place) {
  const Sha256Digest seal = seal_.of(agent, key_place);
  CHANCERY_ASSIGN(Query update, database_.query(sql::kUpdateAgent));
  return update.bind_optional(agent.retired_at).bind(key_place).bind(seal).bind(agent.id).run();
}

Result<std::int64_t> SqliteStore::place_of_newest(std::string_view agent_id) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentKey));
  CHANCERY_ASSIGN(const bool row, select.bind(agent_id).step());
  return row ? Result<std::int64_t>(select.number(0)) : kNoSuchAgent;
}

Result<std::uint64_t> SqliteStore::retire_agent(std::string_view id, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Agent agent, find_agent(sql::kAgentById, id));
    if (agent.retired_at) return kRetiredBefore;
    agent.retired_at = audit.at;
    CHANCERY_ASSIGN(const std::int64_t place, place_of_newest(id));
    CHANCERY_TRY(update_agent(agent, place));
    CHANCERY_ASSIGN(Query select, database_.query(sql::kKeysOfOwner));
    CHANCERY_ASSIGN(const std::vector<Key> keys, read_keys(select.bind(id)));
    for (Key key : keys) {
      if (!may_become(key.state, KeyState::kRetired)) continue;
      key.state = KeyState::kRetired;
      key.reason.clear();
      key.ended_at = audit.at;
      CHANCERY_TRY(update_key(key));
    }
    CHANCERY_TRY(
        end_tokens(database_, {StatusTarget::Kind::kAgent, std::string(id)}, "agent retired", audit.at));
    return intend_to_destroy(id);
  });
}

Result<std::uint64_t> SqliteStore::pin_backend(std::string_view backend, std::string_view device_name,
                                               const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertPin));
    return insert.bind(backend).bind(device_name).run();
  });
}

Result<std::uint64_t> SqliteStore::pin_master(std::string_view value, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertMasterPin));
    return insert.bind(value).run();
  });
}

// Within the transaction that records: nobody can end the key between this and the commit.
Status SqliteStore::expect_serving(const Thumbprint& thumbprint) {
  CHANCERY_ASSIGN(const Key key, find_key(thumbprint));
  switch (key.state) {
    case KeyState::kActive:
    case KeyState::kRotating:
      return {};
    case KeyState::kRetired:
    case KeyState::kRevoked:
      return Error{ErrorCode::kRetired, "the key has ended: obtain a chain for the agent's present key"};
    case KeyState::kLost:
      return Error{ErrorCode::kKeyLost,
                   "the key is lost: `chancery agent reenroll` gives the agent a new one"};
  }
  return kDamagedRow;
}

Status SqliteStore::expect_receiver(const IssuedToken& token) {
  if (!token.agent_id) return {};
  CHANCERY_ASSIGN(const Agent agent, find_agent(sql::kAgentById, *token.agent_id));
  if (agent.retired_at) return kRetiredBefore;
  // A key that is not known is one in the memory of the agent's process.
  const Status serving = expect_serving(token.holder);
  return !serving && serving.error().code == ErrorCode::kNotFound ? Status{} : serving;
}

namespace {

Status use_up(Journal& journal, const ApprovalUse& approved, sys_seconds now) {
  CHANCERY_ASSIGN(const bool is_used, use_approval(journal, approved, now));
  if (is_used) return {};
  return Error{ErrorCode::kConflict, "the approval was used, or has lapsed, meanwhile: ask again"};
}

}  // namespace

Result<std::uint64_t> SqliteStore::record_token(const IssuedToken& token, const Thumbprint& signer,
                                                const AuditEntry& audit) {
  CHANCERY_TRY(check_token(token));
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(expect_receiver(token));
    CHANCERY_TRY(expect_serving(signer));
    CHANCERY_TRY(expect_unended(database_, token));
    if (token.approved != nullptr) CHANCERY_TRY(use_up(*journal_, *token.approved, audit.at));
    const std::string holder = token.holder.text();
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertToken));
    insert.bind(token.id).bind(token.jti).bind_optional(token.parent_id);
    insert.bind(holder).bind_optional(token.agent_id).bind(token.principal);
    insert.bind(token.issued_at).bind(token.expires_at).bind(token.compact);
    CHANCERY_TRY(insert.run());
    if (token.status) CHANCERY_TRY(take_place(database_, *token.status, database_.last_row()));
    return put_behind(database_, token.id, token.gate);
  });
}

Result<std::uint64_t> SqliteStore::record_use(const Thumbprint& signer, const AuditEntry& audit) {
  return journal_->mutate(audit, [&] { return expect_serving(signer); });
}

Result<std::uint64_t> SqliteStore::append_audit(const AuditEntry& audit) {
  return journal_->mutate(audit, [] { return Status{}; });
}

Result<Agent> SqliteStore::find_agent(const char* statement, std::string_view key) {
  CHANCERY_ASSIGN(Query select, database_.query(statement));
  CHANCERY_ASSIGN(const bool row, select.bind(key).step());
  if (!row) return kNoSuchAgent;
  return read_agent(select, seal_);
}

Result<Agent> SqliteStore::agent_by_name(std::string_view name) {
  const auto guard = journal_->hold();
  return find_agent(sql::kAgentByName, name);
}

Result<Agent> SqliteStore::agent_by_id(std::string_view id) {
  const auto guard = journal_->hold();
  return find_agent(sql::kAgentById, id);
}

Result<Agent> SqliteStore::agent_by_key(const Thumbprint& thumbprint) {
  const std::string text = thumbprint.text();
  const auto guard = journal_->hold();
  return find_agent(sql::kAgentByKey, text);
}

Result<std::vector<Agent>> SqliteStore::agents(const AgentQuery& query) {
  CHANCERY_TRY(check_page(query.limit));
  const auto guard = journal_->hold();
  std::int64_t after = 0;
  if (!query.after.empty()) {
    CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentPlace));
    CHANCERY_ASSIGN(const bool row, select.bind(query.after).step());
    if (!row) return kNoSuchAgent;
    after = select.number(0);
  }
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentsAfter));
  select.bind(after).bind(static_cast<std::int64_t>(query.limit));
  return read_all<Agent>(select, [this](const Query& row) { return read_agent(row, seal_); });
}

// Names are of octets between these two alone. One bound on each side: SQLite's index would be walked from the looser of two.
Result<std::vector<Agent>> SqliteStore::agents_by_name(const AgentNameQuery& query) {
  CHANCERY_TRY(check_page(query.limit));
  const std::string behind = query.after.empty() ? query.after : query.after + "\x01";
  const std::string& first = std::max(behind, query.prefix);
  const std::string end = query.prefix + "\x7f";
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentsByName));
  select.bind(first).bind(end).bind(static_cast<std::int64_t>(query.limit));
  return read_all<Agent>(select, [this](const Query& row) { return read_agent(row, seal_); });
}

Result<std::string> SqliteStore::backend_pin(std::string_view backend) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kPin));
  CHANCERY_ASSIGN(const bool row, select.bind(backend).step());
  if (!row) return kNoPin;
  return select.text(0);
}

Result<std::string> SqliteStore::master_pin() {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kMasterPin));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (!row) return kNoMasterPin;
  return select.text(0);
}

Result<IssuedToken> SqliteStore::token(std::string_view id) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kToken));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return Error{ErrorCode::kNotFound, "no such token was issued here"};
  return read_token(select);
}

Result<std::vector<IssuedToken>> SqliteStore::tokens_of_agent(std::string_view id, sys_seconds now,
                                                              std::size_t limit) {
  CHANCERY_TRY(check_page(limit));
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kTokensOfAgent));
  select.bind(id).bind(now).bind(static_cast<std::int64_t>(limit));
  return read_all<IssuedToken>(select, read_token);
}

Result<std::uint64_t> SqliteStore::count_tokens_of_agent(std::string_view id, sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kCountTokensOfAgent));
  CHANCERY_ASSIGN(const bool row, select.bind(id).bind(now).step());
  return row ? Result<std::uint64_t>(static_cast<std::uint64_t>(select.number(0))) : kDamagedRow;
}

Result<std::vector<AuditRecord>> SqliteStore::audit_after(std::uint64_t sequence, std::size_t limit) {
  CHANCERY_TRY(check_page(limit));
  if (sequence > INT64_MAX) return std::vector<AuditRecord>{};
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAuditAfter));
  select.bind(static_cast<std::int64_t>(sequence)).bind(static_cast<std::int64_t>(limit));
  return read_all<AuditRecord>(select, read_audit);
}

Result<std::vector<AuditRecord>> SqliteStore::audit_tail(std::size_t limit) {
  CHANCERY_TRY(check_page(limit));
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAuditTail));
  select.bind(static_cast<std::int64_t>(limit));
  CHANCERY_ASSIGN(std::vector<AuditRecord> records, read_all<AuditRecord>(select, read_audit));
  std::ranges::reverse(records);
  return records;
}

// What can still be counted of a damaged database is no answer.
Result<StoreCounts> SqliteStore::counts() {
  const auto guard = journal_->hold();
  if (database_.is_damaged()) return kDamagedDatabase;
  StoreCounts counts;
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentCounts));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (!row) return kDamagedRow;
  counts.retired_agents = static_cast<std::uint64_t>(select.number(1));
  counts.lost_agents = static_cast<std::uint64_t>(select.number(2));
  counts.active_agents =
      static_cast<std::uint64_t>(select.number(0)) - counts.retired_agents - counts.lost_agents;
  CHANCERY_ASSIGN(const std::int64_t keys, database_.number(sql::kKeyCount));
  counts.keys = static_cast<std::uint64_t>(keys);
  CHANCERY_ASSIGN(const std::int64_t tokens, database_.number(sql::kTokenCount));
  CHANCERY_ASSIGN(const std::int64_t entries, database_.number(sql::kAuditCount));
  counts.tokens = static_cast<std::uint64_t>(tokens);
  counts.audit_entries = static_cast<std::uint64_t>(entries);
  return counts;
}

Status SqliteStore::check() { return journal_->check(); }

Result<StateSpace> SqliteStore::space() { return space_at(journal_->file().parent_path()); }

Result<std::map<std::string, std::uint64_t>> SqliteStore::agent_keys_by_backend() {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentKeysByBackend));
  std::map<std::string, std::uint64_t> keys;
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return keys;
    keys.emplace(select.text(0), static_cast<std::uint64_t>(select.number(1)));
  }
}

Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& state_folder) {
  CHANCERY_ASSIGN(std::shared_ptr<Journal> journal, Journal::open(state_folder));
  return make_sqlite_store(std::move(journal));
}

std::unique_ptr<Store> make_sqlite_store(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteStore>(std::move(journal));
}

}  // namespace chancery::store
