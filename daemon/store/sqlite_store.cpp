#include "daemon/store/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <mutex>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/state_lock.hpp"
#include "daemon/store/statements.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr Error kNoSuchAgent{ErrorCode::kNotFound, "no such agent: `chancery agent list` shows the agents"};
constexpr Error kRetiredBefore{ErrorCode::kRetired, "the agent is retired: register a new one"};
constexpr Error kDamagedRow{ErrorCode::kStoreCorrupt,
                            "a record in the database is damaged: restore it from a backup"};

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status check_agent(const Agent& agent) {
  if (!is_hex(agent.id, 32) || agent.key.binding.agent_id != agent.id) {
    return Error{ErrorCode::kInvalidArgument,
                 "an agent's id is 32 hexadecimal digits, the same in its key's binding"};
  }
  if (agent.state != AgentState::kActive || agent.retired_at) {
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

Status check_page(std::size_t limit) {
  if (limit >= 1 && limit <= kMaxPage) return {};
  return Error{ErrorCode::kInvalidArgument, "ask for 1 to 1000 records at a time"};
}

Result<AgentState> parse_state(std::string_view name) {
  using enum AgentState;
  for (const AgentState state : {kActive, kRetired, kLost}) {
    if (agent_state_name(state) == name) return state;
  }
  return kDamagedRow;
}

// Keys are found by their thumbprints, so one that is not its key's would hide it or show another.
Result<PublicKey> stored_public_key(const std::string& jwk, std::string_view thumbprint) {
  auto key = parse_jwk(jwk);
  if (!key || key->thumbprint().text() != thumbprint) return kDamagedRow;
  return key;
}

Result<Agent> read_agent(const Query& row) {
  CHANCERY_ASSIGN(PublicKey public_key, stored_public_key(row.text(4), row.text(5)));
  CHANCERY_ASSIGN(const AgentState state, parse_state(row.text(8)));
  Agent agent{
      .id = row.text(0),
      .name = row.text(1),
      .backend = row.text(2),
      .key = {.binding = {row.text(0), row.text(3)}, .public_key = public_key, .blob = row.octets(6)},
      .selectors = row.text(7),
      .state = state,
      .created_at = row.time(9),
      .retired_at = std::nullopt,
  };
  if (!row.is_null(10)) agent.retired_at = row.time(10);
  return agent;
}

Result<IssuedToken> read_token(const Query& row) {
  const auto holder = base64url_decode_exactly<32>(row.text(3));
  if (!holder) return kDamagedRow;
  IssuedToken token{
      .id = row.text(0),
      .jti = row.text(1),
      .parent_id = std::nullopt,
      .holder = {*holder},
      .agent_id = std::nullopt,
      .principal = row.text(5),
      .issued_at = row.time(6),
      .expires_at = row.time(7),
      .compact = row.text(8),
  };
  if (!row.is_null(2)) token.parent_id = row.text(2);
  if (!row.is_null(4)) token.agent_id = row.text(4);
  return token;
}

/// The SQLite implementation: one connection behind one mutex. The sync of a commit is its whole cost, and
/// SQLite has one writer at a time whatever we do.
class SqliteStore final : public Store {
 public:
  SqliteStore(StateLock lock, Database database) noexcept
      : lock_(std::move(lock)), database_(std::move(database)) {}

  Result<std::uint64_t> add_agent(const Agent& agent, const AuditEntry& audit) override;
  Result<std::uint64_t> retire_agent(std::string_view id, const AuditEntry& audit) override;
  Result<std::uint64_t> mark_agent_lost(std::string_view id, const AuditEntry& audit) override;
  Result<std::uint64_t> add_daemon_key(const DaemonKey& key, const AuditEntry& audit) override;
  Result<std::uint64_t> pin_backend(std::string_view backend, std::string_view device_name,
                                    const AuditEntry& audit) override;
  Result<std::uint64_t> pin_master(std::string_view value, const AuditEntry& audit) override;
  Result<std::uint64_t> record_token(const IssuedToken& token, const std::optional<std::string>& signer_id,
                                     const AuditEntry& audit) override;
  Result<std::uint64_t> record_use(std::string_view agent_id, const AuditEntry& audit) override;
  Result<std::uint64_t> append_audit(const AuditEntry& audit) override;

  Result<Agent> agent_by_name(std::string_view name) override;
  Result<Agent> agent_by_id(std::string_view id) override;
  Result<Agent> agent_by_key(const Thumbprint& thumbprint) override;
  Result<std::vector<Agent>> agents(const AgentQuery& query) override;
  Result<std::vector<DaemonKey>> daemon_keys(std::string_view purpose) override;
  Result<std::string> backend_pin(std::string_view backend) override;
  Result<std::string> master_pin() override;
  Result<IssuedToken> token(std::string_view id) override;
  Result<std::vector<AuditRecord>> audit_after(std::uint64_t sequence, std::size_t limit) override;
  Result<std::vector<AuditRecord>> audit_tail(std::size_t limit) override;
  Result<StoreCounts> counts() override;
  Status check() override;
  Result<std::map<std::string, std::uint64_t>> agent_keys_by_backend() override;

 private:
  using Effect = std::function<Status()>;

  Result<std::uint64_t> mutate(const AuditEntry& audit, const Effect& effect);
  Result<std::uint64_t> insert_audit(const AuditEntry& audit);
  Status expect_one_change(std::string_view agent_id, AgentState wanted);
  Status expect_active(std::string_view agent_id);
  Result<Agent> find_agent(const char* statement, std::string_view key);
  Result<std::vector<AuditRecord>> read_audit(Query& rows);

  std::mutex mutex_;
  StateLock lock_;  // before the database: released after it
  Database database_;
};

// Every mutation goes through here: effect and audit entry, then the commit, or nothing.
Result<std::uint64_t> SqliteStore::mutate(const AuditEntry& audit, const Effect& effect) {
  if (audit.json.empty()) {
    return Error{ErrorCode::kInvalidArgument, "nothing is recorded without an audit entry"};
  }
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Transaction transaction, Transaction::begin(database_));
  CHANCERY_TRY(effect());
  CHANCERY_ASSIGN(const std::uint64_t sequence, insert_audit(audit));
  CHANCERY_TRY(transaction.commit());
  return sequence;
}

Result<std::uint64_t> SqliteStore::insert_audit(const AuditEntry& audit) {
  const std::string digest = hex_encode(sha256(as_bytes(audit.json)));
  CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertAudit));
  CHANCERY_TRY(insert.bind(audit.at).bind(audit.json).bind(digest).run());
  return static_cast<std::uint64_t>(database_.last_row());
}

Result<std::uint64_t> SqliteStore::add_agent(const Agent& agent, const AuditEntry& audit) {
  CHANCERY_TRY(check_agent(agent));
  return mutate(audit, [&]() -> Status {
    const std::string jwk = agent.key.public_key.jwk();
    const std::string thumbprint = agent.key.public_key.thumbprint().text();
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertAgent));
    insert.bind(agent.id).bind(agent.name).bind(agent.backend).bind(agent.key.binding.key_id);
    insert.bind(jwk).bind(thumbprint).bind(agent.key.blob).bind(agent.selectors).bind(agent.created_at);
    return insert.run();
  });
}

Result<std::uint64_t> SqliteStore::retire_agent(std::string_view id, const AuditEntry& audit) {
  return mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query update, database_.query(sql::kRetireAgent));
    CHANCERY_TRY(update.bind(audit.at).bind(id).run());
    return expect_one_change(id, AgentState::kRetired);
  });
}

Result<std::uint64_t> SqliteStore::mark_agent_lost(std::string_view id, const AuditEntry& audit) {
  return mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query update, database_.query(sql::kMarkAgentLost));
    CHANCERY_TRY(update.bind(id).run());
    return expect_one_change(id, AgentState::kLost);
  });
}

Status SqliteStore::expect_one_change(std::string_view agent_id, AgentState wanted) {
  if (database_.changes() == 1) return {};
  CHANCERY_ASSIGN(const Agent agent, find_agent(sql::kAgentById, agent_id));
  if (agent.state == AgentState::kRetired) return kRetiredBefore;
  if (agent.state == wanted) {
    return Error{ErrorCode::kConflict, "the agent is marked as lost already: retire it"};
  }
  return Error{ErrorCode::kInternal, "the agent's state did not change: report this"};
}

Result<std::uint64_t> SqliteStore::add_daemon_key(const DaemonKey& key, const AuditEntry& audit) {
  return mutate(audit, [&]() -> Status {
    const std::string jwk = key.key.public_key.jwk();
    const std::string thumbprint = key.key.public_key.thumbprint().text();
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertDaemonKey));
    insert.bind(key.purpose).bind(key.backend).bind(key.key.binding.agent_id).bind(key.key.binding.key_id);
    insert.bind(jwk).bind(thumbprint).bind(key.key.blob).bind(key.created_at);
    return insert.run();
  });
}

Result<std::uint64_t> SqliteStore::pin_backend(std::string_view backend, std::string_view device_name,
                                               const AuditEntry& audit) {
  return mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertPin));
    return insert.bind(backend).bind(device_name).run();
  });
}

Result<std::uint64_t> SqliteStore::pin_master(std::string_view value, const AuditEntry& audit) {
  return mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertMasterPin));
    return insert.bind(value).run();
  });
}

// Within the transaction that records: nobody can end the agent between this and the commit.
Status SqliteStore::expect_active(std::string_view agent_id) {
  CHANCERY_ASSIGN(const Agent agent, find_agent(sql::kAgentById, agent_id));
  switch (agent.state) {
    case AgentState::kActive:
      return {};
    case AgentState::kRetired:
      return kRetiredBefore;
    case AgentState::kLost:
      return Error{ErrorCode::kKeyLost, "the agent's key is lost: retire the agent and register it again"};
  }
  return kDamagedRow;
}

Result<std::uint64_t> SqliteStore::record_token(const IssuedToken& token,
                                                const std::optional<std::string>& signer_id,
                                                const AuditEntry& audit) {
  CHANCERY_TRY(check_token(token));
  return mutate(audit, [&]() -> Status {
    if (token.agent_id) CHANCERY_TRY(expect_active(*token.agent_id));
    if (signer_id) CHANCERY_TRY(expect_active(*signer_id));
    const std::string holder = token.holder.text();
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertToken));
    insert.bind(token.id).bind(token.jti).bind_optional(token.parent_id);
    insert.bind(holder).bind_optional(token.agent_id).bind(token.principal);
    insert.bind(token.issued_at).bind(token.expires_at).bind(token.compact);
    return insert.run();
  });
}

Result<std::uint64_t> SqliteStore::record_use(std::string_view agent_id, const AuditEntry& audit) {
  return mutate(audit, [&] { return expect_active(agent_id); });
}

Result<std::uint64_t> SqliteStore::append_audit(const AuditEntry& audit) {
  return mutate(audit, [] { return Status{}; });
}

Result<Agent> SqliteStore::find_agent(const char* statement, std::string_view key) {
  CHANCERY_ASSIGN(Query select, database_.query(statement));
  CHANCERY_ASSIGN(const bool row, select.bind(key).step());
  if (!row) return kNoSuchAgent;
  return read_agent(select);
}

Result<Agent> SqliteStore::agent_by_name(std::string_view name) {
  const std::lock_guard guard(mutex_);
  return find_agent(sql::kAgentByName, name);
}

Result<Agent> SqliteStore::agent_by_id(std::string_view id) {
  const std::lock_guard guard(mutex_);
  return find_agent(sql::kAgentById, id);
}

Result<Agent> SqliteStore::agent_by_key(const Thumbprint& thumbprint) {
  const std::string text = thumbprint.text();
  const std::lock_guard guard(mutex_);
  return find_agent(sql::kAgentByKey, text);
}

Result<std::vector<Agent>> SqliteStore::agents(const AgentQuery& query) {
  CHANCERY_TRY(check_page(query.limit));
  const std::lock_guard guard(mutex_);
  std::int64_t after = 0;
  if (!query.after.empty()) {
    CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentPlace));
    CHANCERY_ASSIGN(const bool row, select.bind(query.after).step());
    if (!row) return kNoSuchAgent;
    after = select.number(0);
  }
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentsAfter));
  select.bind(after).bind(static_cast<std::int64_t>(query.limit));
  std::vector<Agent> page;
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return page;
    CHANCERY_ASSIGN(Agent agent, read_agent(select));
    page.push_back(std::move(agent));
  }
}

Result<std::vector<DaemonKey>> SqliteStore::daemon_keys(std::string_view purpose) {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kDaemonKeys));
  select.bind(purpose);
  std::vector<DaemonKey> keys;
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return keys;
    CHANCERY_ASSIGN(PublicKey public_key, stored_public_key(select.text(4), select.text(5)));
    keys.push_back({.purpose = select.text(0),
                    .backend = select.text(1),
                    .key = {{select.text(2), select.text(3)}, public_key, select.octets(6)},
                    .created_at = select.time(7)});
  }
}

Result<std::string> SqliteStore::backend_pin(std::string_view backend) {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kPin));
  CHANCERY_ASSIGN(const bool row, select.bind(backend).step());
  if (!row) return Error{ErrorCode::kNotFound, "no device is pinned for this backend yet"};
  return select.text(0);
}

Result<std::string> SqliteStore::master_pin() {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kMasterPin));
  CHANCERY_ASSIGN(const bool row, select.step());
  if (!row) return Error{ErrorCode::kNotFound, "no master secret is pinned yet"};
  return select.text(0);
}

Result<IssuedToken> SqliteStore::token(std::string_view id) {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kToken));
  CHANCERY_ASSIGN(const bool row, select.bind(id).step());
  if (!row) return Error{ErrorCode::kNotFound, "no such token was issued here"};
  return read_token(select);
}

Result<std::vector<AuditRecord>> SqliteStore::read_audit(Query& rows) {
  std::vector<AuditRecord> records;
  while (true) {
    CHANCERY_ASSIGN(const bool row, rows.step());
    if (!row) return records;
    records.push_back({.sequence = static_cast<std::uint64_t>(rows.number(0)),
                       .at = rows.time(1),
                       .json = rows.text(2),
                       .sha256 = rows.text(3)});
  }
}

Result<std::vector<AuditRecord>> SqliteStore::audit_after(std::uint64_t sequence, std::size_t limit) {
  CHANCERY_TRY(check_page(limit));
  if (sequence > INT64_MAX) return std::vector<AuditRecord>{};
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAuditAfter));
  select.bind(static_cast<std::int64_t>(sequence)).bind(static_cast<std::int64_t>(limit));
  return read_audit(select);
}

Result<std::vector<AuditRecord>> SqliteStore::audit_tail(std::size_t limit) {
  CHANCERY_TRY(check_page(limit));
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAuditTail));
  select.bind(static_cast<std::int64_t>(limit));
  CHANCERY_ASSIGN(std::vector<AuditRecord> records, read_audit(select));
  std::ranges::reverse(records);
  return records;
}

Result<StoreCounts> SqliteStore::counts() {
  const std::lock_guard guard(mutex_);
  StoreCounts counts;
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentCounts));
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) break;
    CHANCERY_ASSIGN(const AgentState state, parse_state(select.text(0)));
    const auto count = static_cast<std::uint64_t>(select.number(1));
    switch (state) {
      case AgentState::kActive:
        counts.active_agents = count;
        break;
      case AgentState::kRetired:
        counts.retired_agents = count;
        break;
      case AgentState::kLost:
        counts.lost_agents = count;
        break;
    }
  }
  CHANCERY_ASSIGN(const std::int64_t tokens, database_.number(sql::kTokenCount));
  CHANCERY_ASSIGN(const std::int64_t entries, database_.number(sql::kAuditCount));
  counts.tokens = static_cast<std::uint64_t>(tokens);
  counts.audit_entries = static_cast<std::uint64_t>(entries);
  return counts;
}

Status SqliteStore::check() {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Transaction transaction, Transaction::begin(database_));
  return {};
}

Result<std::map<std::string, std::uint64_t>> SqliteStore::agent_keys_by_backend() {
  const std::lock_guard guard(mutex_);
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgentKeysByBackend));
  std::map<std::string, std::uint64_t> keys;
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) return keys;
    keys.emplace(select.text(0), static_cast<std::uint64_t>(select.number(1)));
  }
}

// A folder that others may write to lets them replace the database, whatever its own permissions.
Result<std::filesystem::path> private_folder(const std::filesystem::path& requested) {
  if (::mkdir(requested.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{ErrorCode::kStoreUnavailable,
                 "cannot make the state folder: make its parent, or name another",
                 static_cast<std::uint64_t>(errno)};
  }
  std::error_code failure;
  std::filesystem::path folder = std::filesystem::canonical(requested, failure);
  struct stat status {};
  if (failure || ::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Error{ErrorCode::kStoreUnavailable,
                 "the state path is not a folder: name one that the daemon owns",
                 static_cast<std::uint64_t>(failure ? failure.value() : ENOTDIR)};
  }
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!ours || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "others may write to the state folder: give it to the daemon's user with mode 0700"};
  }
  return folder;
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& state_folder) {
  CHANCERY_ASSIGN(const std::filesystem::path folder, private_folder(state_folder));
  CHANCERY_ASSIGN(StateLock lock, StateLock::acquire(folder));
  CHANCERY_ASSIGN(Database database, Database::open(folder / "chancery.db"));
  CHANCERY_TRY(schema_version(database));
  CHANCERY_TRY(database.use_write_ahead_log());
  CHANCERY_TRY(migrate(database));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(lock), std::move(database)));
}

}  // namespace chancery::store
