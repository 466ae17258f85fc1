#include "daemon/store/sqlite_vault_book.hpp"

#include <algorithm>
#include <array>

#include "daemon/store/sqlite_rows.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::store {
namespace {

constexpr Error kStillRetiring{
    ErrorCode::kConflict,
    "the version before the active one is still in use: wait until it is not, or end it with `chancery vault revoke "
    "NAME --version N`"};

constexpr const char* kKey = "SELECT backend, key_id, sealed, made_at FROM vault_key";
constexpr const char* kInsertKey =
    "INSERT INTO vault_key (only_one, backend, key_id, sealed, made_at) VALUES (1, ?, ?, ?, ?)";

constexpr const char* kFind =
    "SELECT id, name, type, scope, tools, owner, environment, created_at, rotate_on_hit, revision, issuer FROM "
    "credentials WHERE name = ?";
constexpr const char* kList =
    "SELECT id, name, type, scope, tools, owner, environment, created_at, rotate_on_hit, revision, issuer FROM "
    "credentials WHERE name > ? ORDER BY name LIMIT ?";
constexpr const char* kVersions =
    "SELECT number, state, created_at, expires_at, activated_at, retire_at, revoked_at, last_used_at, uses, "
    "(SELECT count(*) FROM credential_uses u WHERE u.credential = v.credential AND u.version = v.number AND "
    "u.until > ?2) FROM credential_versions v WHERE credential = ?1 ORDER BY number";
constexpr const char* kEnvelope =
    "SELECT data_key, value FROM credential_versions WHERE credential = ? AND number = ? AND value IS NOT NULL";

constexpr const char* kInsert =
    "INSERT INTO credentials (id, name, type, scope, tools, owner, environment, created_at, rotate_on_hit, issuer, "
    "revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";
constexpr const char* kInsertVersion =
    "INSERT INTO credential_versions (credential, number, state, created_at, expires_at, activated_at, data_key, value) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kNextRevision =
    "UPDATE credentials SET revision = revision + 1 WHERE id = ? AND revision = ?";
constexpr const char* kChange =
    "UPDATE credentials SET type = ?2, scope = ?3, tools = ?4, owner = ?5, environment = ?6, rotate_on_hit = ?7 "
    "WHERE id = ?1";
constexpr const char* kReseal =
    "UPDATE credential_versions SET data_key = ?3, value = ?4 WHERE credential = ?1 AND number = ?2 AND "
    "value IS NOT NULL";
constexpr const char* kRetireActive =
    "UPDATE credential_versions SET state = 'retiring', retire_at = ?2 WHERE credential = ?1 AND state = 'active'";
constexpr const char* kActivate =
    "UPDATE credential_versions SET state = 'active', activated_at = ?2 WHERE credential = ?1 AND "
    "state = 'pending'";

// What is erased of a version is overwritten in the file, as `secure_delete` asks for.
constexpr const char* kRevoke =
    "UPDATE credential_versions SET state = 'revoked', revoked_at = ?3, retire_at = NULL, data_key = NULL, "
    "value = NULL WHERE credential = ?1 AND number = ?2 AND state <> 'revoked'";
constexpr const char* kRevokeAll =
    "UPDATE credential_versions SET state = 'revoked', revoked_at = ?2, retire_at = NULL, data_key = NULL, "
    "value = NULL WHERE credential = ?1 AND state <> 'revoked'";
constexpr const char* kRevokeEverything =
    "UPDATE credential_versions SET state = 'revoked', revoked_at = ?, retire_at = NULL, data_key = NULL, "
    "value = NULL WHERE state <> 'revoked'";
constexpr const char* kEndGrants =
    "UPDATE issuer_grants SET state = 'ended', since = ?, generation = generation + 1, data_key = NULL, value = NULL "
    "WHERE state <> 'ended'";
constexpr const char* kForgetUsesOf = "DELETE FROM credential_uses WHERE credential = ? AND version = ?";
constexpr const char* kForgetRevokedUses =
    "DELETE FROM credential_uses WHERE EXISTS (SELECT 1 FROM credential_versions v WHERE v.credential = "
    "credential_uses.credential AND v.number = credential_uses.version AND v.state = 'revoked')";

constexpr const char* kIsRead = "SELECT 1 FROM credentials WHERE id = ? AND revision = ?";
constexpr const char* kInsertUse =
    "INSERT INTO credential_uses (id, credential, version, until) VALUES (?, ?, ?, ?)";
constexpr const char* kNoteUse =
    "UPDATE credential_versions SET uses = uses + 1, last_used_at = max(coalesce(last_used_at, 0), ?3) "
    "WHERE credential = ?1 AND number = ?2 AND state = 'active'";
constexpr const char* kEndUse = "DELETE FROM credential_uses WHERE id = ?";
constexpr const char* kPruneUses = "DELETE FROM credential_uses WHERE until <= ?";

constexpr const char* kRetiring =
    "SELECT v.credential, c.name, v.number, v.retire_at, (SELECT count(*) FROM credential_uses u WHERE "
    "u.credential = v.credential AND u.version = v.number AND u.until > ?1) FROM credential_versions v JOIN "
    "credentials c ON c.id = v.credential WHERE v.state = 'retiring' AND (v.retire_at <= ?1 OR NOT EXISTS (SELECT 1 "
    "FROM credential_uses u WHERE u.credential = v.credential AND u.version = v.number AND u.until > ?1)) LIMIT ?2";
constexpr const char* kRetiringOf =
    "SELECT number, (SELECT count(*) FROM credential_uses u WHERE u.credential = v.credential AND u.version = "
    "v.number AND u.until > ?2), retire_at FROM credential_versions v WHERE v.credential = ?1 AND "
    "v.state = 'retiring'";

constexpr const char* kCounts =
    "SELECT state, count(*), min(created_at) FROM credential_versions GROUP BY state";

Result<VersionState> state_from(std::string_view name) {
  using enum VersionState;
  for (const VersionState state : {kPending, kActive, kRetiring, kRevoked}) {
    if (version_state_name(state) == name) return state;
  }
  return kDamagedRow;
}

std::string tools_text(const std::vector<std::string>& tools) {
  json::Node array = json::Node::array();
  for (const std::string& tool : tools) array.push_back(tool);
  return json::to_jcs(array);
}

Result<std::vector<std::string>> tools_from(std::string text) {
  const auto document = json::Document::parse(std::move(text));
  if (!document || !document->root().is(json::Value::Kind::kArray)) return kDamagedRow;
  std::vector<std::string> tools;
  for (const json::Value& item : document->root().items()) {
    if (!item.string()) return kDamagedRow;
    tools.emplace_back(*item.string());
  }
  return tools;
}

Result<CredentialVersion> version_from(const Query& row) {
  CredentialVersion out;
  out.number = row.number(0);
  CHANCERY_ASSIGN(out.state, state_from(row.text(1)));
  out.created_at = row.time(2);
  out.expires_at = optional_time(row, 3);
  out.activated_at = optional_time(row, 4);
  out.retire_at = optional_time(row, 5);
  out.revoked_at = optional_time(row, 6);
  out.last_used_at = optional_time(row, 7);
  out.uses = static_cast<std::uint64_t>(row.number(8));
  out.open_uses = static_cast<std::uint64_t>(row.number(9));
  return out;
}

Result<Credential> credential_from(const Query& row) {
  Credential out;
  out.id = row.text(0);
  out.name = row.text(1);
  out.type = row.text(2);
  out.scope = row.text(3);
  CHANCERY_ASSIGN(out.tools, tools_from(row.text(4)));
  out.owner = row.text(5);
  out.environment = row.text(6);
  out.created_at = row.time(7);
  out.rotate_on_hit = row.number(8) != 0;
  out.revision = row.number(9);
  out.issuer = row.text(10);
  return out;
}

class SqliteVaultBook final : public VaultBook {
 public:
  explicit SqliteVaultBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::optional<SealedVaultKey>> key() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kKey));
    CHANCERY_ASSIGN(const bool row, query.step());
    if (!row) return std::optional<SealedVaultKey>();
    return std::optional(SealedVaultKey{query.text(0), query.text(1), query.octets(2), query.time(3)});
  }

  Result<std::uint64_t> keep_key(const SealedVaultKey& key, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kInsertKey));
      return insert.bind(key.backend).bind(key.key_id).bind(key.sealed).bind(key.made_at).run();
    });
  }

  Result<std::uint64_t> reset(sys_seconds now, const AuditEntry& audit) override {
    return erasing(audit, [&]() -> Status {
      CHANCERY_TRY(
          database().execute("DELETE FROM vault_key; UPDATE credentials SET revision = revision + 1"));
      {
        CHANCERY_ASSIGN(Query end, database().query(kEndGrants));
        CHANCERY_TRY(end.bind(now).run());
      }
      {
        CHANCERY_ASSIGN(Query revoke, database().query(kRevokeEverything));
        CHANCERY_TRY(revoke.bind(now).run());
      }
      return database().execute(kForgetRevokedUses);
    });
  }

  Result<Credential> find(std::string_view name, sys_seconds now) override {
    const auto held = journal_->hold();
    Credential out;
    {
      CHANCERY_ASSIGN(Query query, database().query(kFind));
      CHANCERY_ASSIGN(const bool row, query.bind(name).step());
      if (!row) return kNoSuchCredential;
      CHANCERY_ASSIGN(out, credential_from(query));
    }
    CHANCERY_ASSIGN(out.versions, versions_of(out.id, now));
    return out;
  }

  Result<std::vector<Credential>> list(std::size_t limit, std::string_view after, sys_seconds now) override {
    CHANCERY_TRY(check_page(limit));
    const auto held = journal_->hold();
    std::vector<Credential> out;
    {
      CHANCERY_ASSIGN(Query rows, database().query(kList));
      CHANCERY_ASSIGN(out, read_all<Credential>(rows.bind(after).bind(static_cast<std::int64_t>(limit)),
                                                credential_from));
    }
    for (Credential& credential : out) {
      CHANCERY_ASSIGN(credential.versions, versions_of(credential.id, now));
    }
    return out;
  }

  Result<Envelope> envelope(std::string_view credential, std::int64_t version) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query query, database().query(kEnvelope));
    CHANCERY_ASSIGN(const bool row, query.bind(credential).bind(version).step());
    if (!row) return Error{ErrorCode::kNotFound, "the credential has no such version, or it was revoked"};
    return Envelope{query.octets(0), query.octets(1)};
  }

  Result<std::uint64_t> add(const Credential& credential, const Envelope& envelope,
                            const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      {
        CHANCERY_ASSIGN(Query insert, database().query(kInsert));
        const std::string tools = tools_text(credential.tools);
        insert.bind(credential.id).bind(credential.name).bind(credential.type).bind(credential.scope);
        insert.bind(tools).bind(credential.owner).bind(credential.environment).bind(credential.created_at);
        CHANCERY_TRY(insert.bind(std::int64_t{credential.rotate_on_hit}).bind(credential.issuer).run());
      }
      return insert_version(credential.id, credential.versions.front(), envelope);
    });
  }

  Result<std::uint64_t> add_version(const Credential& read, const NewVersion& next,
                                    const AuditEntry& audit) override {
    return erasing(audit, [&]() -> Status {
      CHANCERY_TRY(advance(read));
      if (next.version.state == VersionState::kActive) {
        CHANCERY_TRY(retire_active(read.id, next.version.created_at, next.retire_former_at));
      }
      return insert_version(read.id, next.version, next.envelope);
    });
  }

  Result<std::uint64_t> change(const Credential& read, const Credential& changed,
                               const std::vector<ResealedVersion>& resealed,
                               const AuditEntry& audit) override {
    return erasing(audit, [&]() -> Status {
      CHANCERY_TRY(advance(read));
      {
        CHANCERY_ASSIGN(Query update, database().query(kChange));
        const std::string tools = tools_text(changed.tools);
        update.bind(read.id).bind(changed.type).bind(changed.scope).bind(tools);
        update.bind(changed.owner).bind(changed.environment);
        CHANCERY_TRY(update.bind(std::int64_t{changed.rotate_on_hit}).run());
      }
      for (const ResealedVersion& version : resealed) {
        CHANCERY_ASSIGN(Query update, database().query(kReseal));
        update.bind(read.id).bind(version.number).bind(version.envelope.data_key);
        CHANCERY_TRY(update.bind(version.envelope.value).run());
        if (database().changes() != 1) return kChangedMeanwhile;
      }
      return {};
    });
  }

  Result<std::uint64_t> activate(const Credential& read, sys_seconds now, sys_seconds retire_at,
                                 const AuditEntry& audit) override {
    return erasing(audit, [&]() -> Status {
      CHANCERY_TRY(advance(read));
      CHANCERY_TRY(retire_active(read.id, now, retire_at));
      CHANCERY_ASSIGN(Query update, database().query(kActivate));
      CHANCERY_TRY(update.bind(read.id).bind(now).run());
      if (database().changes() == 1) return {};
      return Error{ErrorCode::kConflict,
                   "no version of the credential is pending: put one with `chancery vault put` first"};
    });
  }

  Result<std::uint64_t> revoke(const Credential& read, std::int64_t version, sys_seconds now,
                               const AuditEntry& audit) override {
    const bool is_known = version == 0 || std::ranges::any_of(read.versions, [&](const auto& v) {
                            return v.number == version;
                          });
    if (!is_known) {
      return Error{ErrorCode::kNotFound,
                   "the credential has no such version: `chancery vault show NAME` shows those that it has"};
    }
    return erasing(audit, [&]() -> Status {
      CHANCERY_TRY(advance(read));
      CHANCERY_TRY(version == 0 ? revoke_all(read.id, now) : revoke_one(read.id, version, now));
      return database().execute(kForgetRevokedUses);
    });
  }

  Result<std::uint64_t> take_use(const Credential& read, const CredentialUse& use, sys_seconds now,
                                 const AuditEntry& audit) override {
    return journal_->mutate(audit, [&] { return take_use_within(database(), read, use, now); });
  }

  Status end_use(std::string_view id) override {
    return journal_->write([&] { return end_use_within(database(), id); });
  }

  Result<std::vector<RetiringVersion>> idle(sys_seconds now) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kRetiring));
    rows.bind(now).bind(static_cast<std::int64_t>(kMaxPage));
    std::vector<RetiringVersion> out;
    while (true) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) return out;
      out.push_back({rows.text(0), rows.text(1), rows.number(2), static_cast<std::uint64_t>(rows.number(4))});
    }
  }

  Result<std::uint64_t> retire(const RetiringVersion& version, sys_seconds now,
                               const AuditEntry& audit) override {
    return erasing(audit, [&]() -> Status {
      CHANCERY_ASSIGN(const std::optional<Retiring> found, retiring_of(version.credential, now));
      const bool is_idle = found && (found->open_uses == 0 || found->retire_at <= now);
      if (!is_idle || found->number != version.number) return kChangedMeanwhile;
      return revoke_one(version.credential, version.number, now);
    });
  }

  Status prune(sys_seconds now) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query prune, database().query(kPruneUses));
      return prune.bind(now).run();
    });
  }

  Result<VaultCounts> counts() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kCounts));
    VaultCounts out;
    while (true) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) return out;
      CHANCERY_ASSIGN(const VersionState state, state_from(rows.text(0)));
      count_of(out, state) = static_cast<std::uint64_t>(rows.number(1));
      if (state == VersionState::kActive) out.oldest_active = rows.time(2);
    }
  }

 private:
  struct Retiring {
    std::int64_t number = 0;
    std::uint64_t open_uses = 0;
    sys_seconds retire_at{};
  };

  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  static std::uint64_t& count_of(VaultCounts& counts, VersionState state) noexcept {
    switch (state) {
      case VersionState::kPending:
        return counts.pending;
      case VersionState::kActive:
        return counts.active;
      case VersionState::kRetiring:
        return counts.retiring;
      case VersionState::kRevoked:
        break;
    }
    return counts.revoked;
  }

  // What was erased is in the log's older pages until these are written back.
  Result<std::uint64_t> erasing(const AuditEntry& audit, const Journal::Effect& effect) {
    const auto sequence = journal_->mutate(audit, effect);
    if (!sequence) return sequence;
    const auto held = journal_->hold();
    static_cast<void>(database().execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    return sequence;
  }

  // Whether the credential is as it was read; from here on it is not.
  Status advance(const Credential& read) {
    CHANCERY_ASSIGN(Query update, database().query(kNextRevision));
    CHANCERY_TRY(update.bind(read.id).bind(read.revision).run());
    return database().changes() == 1 ? Status{} : Status{kChangedMeanwhile};
  }

  Result<std::vector<CredentialVersion>> versions_of(std::string_view id, sys_seconds now) {
    CHANCERY_ASSIGN(Query rows, database().query(kVersions));
    return read_all<CredentialVersion>(rows.bind(id).bind(now), version_from);
  }

  Status insert_version(std::string_view id, const CredentialVersion& version, const Envelope& envelope) {
    CHANCERY_ASSIGN(Query insert, database().query(kInsertVersion));
    insert.bind(id).bind(version.number).bind(version_state_name(version.state)).bind(version.created_at);
    insert.bind_optional(version.expires_at).bind_optional(version.activated_at);
    const Status inserted = insert.bind(envelope.data_key).bind(envelope.value).run();
    if (inserted || inserted.error().code != ErrorCode::kConflict) return inserted;
    return Error{ErrorCode::kConflict,
                 "a version of the credential is pending already: activate it or revoke it first"};
  }

  Result<std::optional<Retiring>> retiring_of(std::string_view id, sys_seconds now) {
    CHANCERY_ASSIGN(Query query, database().query(kRetiringOf));
    CHANCERY_ASSIGN(const bool row, query.bind(id).bind(now).step());
    if (!row) return std::optional<Retiring>();
    return std::optional(
        Retiring{query.number(0), static_cast<std::uint64_t>(query.number(1)), query.time(2)});
  }

  // Two versions serve at a time, so a third one has to end first.
  Status retire_active(std::string_view id, sys_seconds now, sys_seconds retire_at) {
    CHANCERY_ASSIGN(const std::optional<Retiring> former, retiring_of(id, now));
    if (former && former->open_uses > 0 && former->retire_at > now) return kStillRetiring;
    if (former) CHANCERY_TRY(revoke_one(id, former->number, now));
    CHANCERY_ASSIGN(Query update, database().query(kRetireActive));
    return update.bind(id).bind(retire_at).run();
  }

  Status revoke_one(std::string_view id, std::int64_t number, sys_seconds now) {
    {
      CHANCERY_ASSIGN(Query revoke, database().query(kRevoke));
      CHANCERY_TRY(revoke.bind(id).bind(number).bind(now).run());
    }
    if (database().changes() != 1)
      return Error{ErrorCode::kConflict, "this version of the credential was revoked before"};
    CHANCERY_ASSIGN(Query forget, database().query(kForgetUsesOf));
    return forget.bind(id).bind(number).run();
  }

  Status revoke_all(std::string_view id, sys_seconds now) {
    CHANCERY_ASSIGN(Query revoke, database().query(kRevokeAll));
    CHANCERY_TRY(revoke.bind(id).bind(now).run());
    if (database().changes() > 0) return {};
    return Error{ErrorCode::kConflict, "every version of the credential was revoked before"};
  }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::string_view version_state_name(VersionState state) noexcept {
  switch (state) {
    case VersionState::kPending:
      return "pending";
    case VersionState::kActive:
      return "active";
    case VersionState::kRetiring:
      return "retiring";
    case VersionState::kRevoked:
      return "revoked";
  }
  return "";
}

const CredentialVersion* Credential::version_in(VersionState state) const noexcept {
  const auto found = std::ranges::find(versions, state, &CredentialVersion::state);
  return found == versions.end() ? nullptr : &*found;
}

Status take_use_within(Database& database, const Credential& read, const CredentialUse& use,
                       sys_seconds now) {
  {
    CHANCERY_ASSIGN(Query query, database.query(kIsRead));
    CHANCERY_ASSIGN(const bool is_same, query.bind(read.id).bind(read.revision).step());
    if (!is_same) return kChangedMeanwhile;
  }
  {
    CHANCERY_ASSIGN(Query note, database.query(kNoteUse));
    CHANCERY_TRY(note.bind(use.credential).bind(use.version).bind(now).run());
    if (database.changes() != 1) return kChangedMeanwhile;
  }
  CHANCERY_ASSIGN(Query insert, database.query(kInsertUse));
  return insert.bind(use.id).bind(use.credential).bind(use.version).bind(use.until).run();
}

Status end_use_within(Database& database, std::string_view id) {
  CHANCERY_ASSIGN(Query remove, database.query(kEndUse));
  return remove.bind(id).run();
}

std::unique_ptr<VaultBook> make_sqlite_vault_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteVaultBook>(std::move(journal));
}

}  // namespace chancery::store
