// The keys of the SQLite store: their states, what is intended with them, what ends with them.

#include <algorithm>
#include <set>

#include "daemon/store/sqlite_approver_book.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "daemon/store/sqlite_store_impl.hpp"
#include "daemon/store/statements.hpp"
#include "daemon/store/token_ends.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr Error kNoWay{ErrorCode::kConflict,
                       "the key's state allows no such change: `chancery key list` shows it"};
constexpr Error kNoneChanged{ErrorCode::kNotFound, "no key of this backend is in that state"};
constexpr auto kMost = static_cast<std::int64_t>(kMaxPage);

constexpr std::size_t kThumbprintText = 43;

std::string openers_text(const std::vector<Thumbprint>& approvers) {
  std::string out;
  for (const Thumbprint& approver : approvers) out += (out.empty() ? "" : " ") + approver.text();
  return out;
}

Result<std::vector<Thumbprint>> openers_from(std::string_view text) {
  std::vector<Thumbprint> out;
  while (!text.empty()) {
    CHANCERY_ASSIGN(out.emplace_back(), read_thumbprint(text.substr(0, kThumbprintText)));
    text.remove_prefix(std::min(text.size(), kThumbprintText + 1));
  }
  return out;
}

bool ends(KeyState state) { return state == KeyState::kRetired || state == KeyState::kRevoked; }

}  // namespace

Status SqliteStore::expect_some_change(const Error& otherwise) const {
  return database_.changes() > 0 ? Status{} : Status{otherwise};
}

Status SqliteStore::delete_intent(std::string_view backend, std::string_view key_id) {
  CHANCERY_ASSIGN(Query remove, database_.query(sql::kDropIntent));
  return remove.bind(backend).bind(key_id).run();
}

Status SqliteStore::insert_key(const Key& key) {
  const hsm::KeyBinding& binding = key.stored.binding;
  CHANCERY_TRY(delete_intent(key.backend, binding.key_id));
  const std::string jwk = key.stored.public_key.jwk();
  const std::string thumbprint = key.stored.public_key.thumbprint().text();
  const Sha256Digest seal = seal_.of(key);
  CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertKey));
  insert.bind(key.owner).bind(key.backend).bind(binding.agent_id).bind(binding.key_id).bind(jwk);
  return insert.bind(thumbprint).bind(key.stored.blob).bind(key.created_at).bind(seal).run();
}

Status SqliteStore::update_key(const Key& key) {
  const std::string thumbprint = key.stored.public_key.thumbprint().text();
  const Sha256Digest seal = seal_.of(key);
  CHANCERY_ASSIGN(Query update, database_.query(sql::kUpdateKey));
  update.bind(key.stored.blob).bind(key_state_name(key.state)).bind(key.reason);
  update.bind_optional(key.overlap_until).bind_optional(key.ended_at).bind_optional(key.destroyed_at);
  return update.bind(seal).bind(thumbprint).run();
}

Status SqliteStore::intend_to_destroy(std::string_view owner) {
  CHANCERY_ASSIGN(Query insert, database_.query(sql::kIntendToDestroy));
  return insert.bind(owner).run();
}

Result<std::vector<Key>> SqliteStore::read_keys(Query& rows) {
  return read_all<Key>(rows, [this](const Query& row) { return read_key(row, seal_); });
}

// Of many, one damaged record must not keep the others from what is due to them.
Result<std::vector<Key>> SqliteStore::sound_keys(Query& rows) {
  return read_sound<Key>(rows, [this](const Query& row) { return read_key(row, seal_); });
}

Result<Key> SqliteStore::only_key(const char* statement, std::string_view first, std::string_view second) {
  CHANCERY_ASSIGN(Query select, database_.query(statement));
  CHANCERY_ASSIGN(const bool row, select.bind(first).bind(second).step());
  if (!row) return kNoSuchKey;
  return read_key(select, seal_);
}

Result<Key> SqliteStore::find_key(const Thumbprint& thumbprint) {
  const std::string text = thumbprint.text();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kKey));
  CHANCERY_ASSIGN(const bool row, select.bind(text).step());
  if (!row) return kNoSuchKey;
  return read_key(select, seal_);
}

Result<std::vector<Key>> SqliteStore::keys_of(const char* statement, std::string_view first,
                                              std::string_view second) {
  CHANCERY_ASSIGN(Query select, database_.query(statement));
  select.bind(first);
  if (!second.empty()) select.bind(second);
  return sound_keys(select);
}

// --- mutations: what is changed is read, and so its seal checked, before it is sealed anew

Status SqliteStore::insert_newest(const Key& key, sys_seconds overlap_until) {
  CHANCERY_ASSIGN(Query select, database_.query(sql::kKeysInUse));
  CHANCERY_ASSIGN(const std::vector<Key> former_keys, read_keys(select.bind(key.owner)));
  for (Key former : former_keys) {
    const bool was_active = former.state == KeyState::kActive;
    const bool counts_on = former.state == KeyState::kLost && is_daemons(key.owner) && !former.overlap_until;
    if (!was_active && !counts_on) continue;
    if (was_active) former.state = KeyState::kRotating;
    former.overlap_until = overlap_until;
    CHANCERY_TRY(update_key(former));
  }
  return insert_key(key);
}

Result<std::uint64_t> SqliteStore::add_key(const Key& key, sys_seconds overlap_until,
                                           const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(insert_newest(key, overlap_until));
    if (key.stored.binding.agent_id != key.owner) return {};  // the daemon's own
    const std::int64_t place = database_.last_row();
    CHANCERY_ASSIGN(const Agent agent, find_agent(sql::kAgentById, key.owner));
    if (agent.retired_at) {
      return Error{ErrorCode::kRetired, "the agent was retired meanwhile: register a new one"};
    }
    return update_agent(agent, place);
  });
}

Result<std::uint64_t> SqliteStore::add_gate_key(const Key& key, const std::vector<Thumbprint>& approvers,
                                                sys_seconds overlap_until, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(insert_newest(key, overlap_until));
    const std::string gate_key = key.stored.public_key.thumbprint().text();
    const std::string openers = openers_text(approvers);
    const Sha256Digest seal = seal_.of(GateKeyOpeners{gate_key, openers});
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertOpeners));
    return insert.bind(gate_key).bind(openers).bind(seal).run();
  });
}

Result<std::uint64_t> SqliteStore::change_key(const Thumbprint& thumbprint, KeyState state,
                                              std::string_view reason, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(Key key, find_key(thumbprint));
    if (!may_become(key.state, state)) return kNoWay;
    key.state = state;
    key.reason = reason;
    if (!ends(state)) return update_key(key);
    key.ended_at = audit.at;
    CHANCERY_TRY(update_key(key));
    if (!is_daemons(key.owner)) {
      CHANCERY_TRY(end_tokens(database_, {StatusTarget::Kind::kKey, thumbprint.text()},
                              "key " + std::string(key_state_name(state)), audit.at));
    }
    return intend_to_destroy(key.owner);
  });
}

// The keys that these statements give are lost from now on, for this reason.
Status SqliteStore::lose(const std::vector<Key>& keys, std::string_view reason) {
  for (Key key : keys) {
    key.state = KeyState::kLost;
    key.reason = reason;
    CHANCERY_TRY(update_key(key));
  }
  return {};
}

Result<std::uint64_t> SqliteStore::lose_keys(std::string_view backend, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(const std::vector<Key> serving, keys_of(sql::kServingKeys, backend));
    return serving.empty() ? Status{kNoneChanged} : lose(serving, kOtherDevice);
  });
}

Result<std::uint64_t> SqliteStore::recover_keys(std::string_view backend, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    CHANCERY_ASSIGN(const std::vector<Key> lost, keys_of(sql::kRecoverableKeys, backend, kOtherDevice));
    for (Key key : lost) {
      key.state = key.overlap_until ? KeyState::kRotating : KeyState::kActive;
      key.reason.clear();
      CHANCERY_TRY(update_key(key));
    }
    return lost.empty() ? Status{kNoneChanged} : Status{};
  });
}

Result<std::uint64_t> SqliteStore::replace_backend(std::string_view backend, std::string_view device_name,
                                                   std::string_view reason, const AuditEntry& audit) {
  return journal_->mutate(audit, [&]() -> Status {
    {
      CHANCERY_ASSIGN(Query update, database_.query(sql::kReplacePin));
      CHANCERY_TRY(update.bind(device_name).bind(backend).run());
    }
    CHANCERY_TRY(expect_some_change(kNoPin));
    CHANCERY_ASSIGN(const std::vector<Key> of_other, keys_of(sql::kKeysOfOtherDevice, backend, kOtherDevice));
    CHANCERY_TRY(lose(of_other, reason));
    CHANCERY_ASSIGN(const std::vector<Key> serving, keys_of(sql::kServingKeys, backend));
    return lose(serving, reason);
  });
}

Result<std::uint64_t> SqliteStore::key_destroyed(const KeyIntent& intent, const AuditEntry& audit) {
  const auto sequence = journal_->mutate(audit, [&]() -> Status {
    CHANCERY_TRY(delete_intent(intent.backend, intent.key_id));
    CHANCERY_TRY(expect_some_change(kNoSuchKey));
    CHANCERY_ASSIGN(const std::vector<Key> found, keys_of(sql::kKeyById, intent.backend, intent.key_id));
    for (Key key : found) {
      key.destroyed_at = audit.at;
      key.stored.blob.clear();
      CHANCERY_TRY(update_key(key));
    }
    return {};
  });
  if (!sequence) return sequence;
  // The blob, which a TPM would still open, is in the log's older pages until these are written back.
  const auto guard = journal_->hold();
  static_cast<void>(database_.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return sequence;
}

// --- intents

Status SqliteStore::add_intent(const KeyIntent& intent) {
  return journal_->write([&]() -> Status {
    const std::string kind(intent_name(intent.kind));
    CHANCERY_ASSIGN(Query insert, database_.query(sql::kInsertIntent));
    insert.bind(kind).bind(intent.backend).bind(intent.owner).bind(intent.key_id);
    insert.bind(std::int64_t{intent.overlap.count()}).bind(algorithm_name(intent.algorithm));
    return insert.run();
  });
}

Status SqliteStore::drop_intent(const KeyIntent& intent) {
  return journal_->write([&] { return delete_intent(intent.backend, intent.key_id); });
}

Result<std::vector<KeyIntent>> SqliteStore::intents() {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kIntents));
  return read_all<KeyIntent>(select.bind(kMost), read_intent);
}

// --- look-ups

Result<Key> SqliteStore::key(const Thumbprint& thumbprint) {
  const auto guard = journal_->hold();
  return find_key(thumbprint);
}

Result<Key> SqliteStore::key_by_id(std::string_view backend, std::string_view key_id) {
  const auto guard = journal_->hold();
  return only_key(sql::kKeyById, backend, key_id);
}

Result<Key> SqliteStore::newest_key(std::string_view owner, std::string_view backend) {
  const auto guard = journal_->hold();
  return only_key(sql::kNewestKey, owner, backend);
}

Result<std::vector<Key>> SqliteStore::keys_in_use(std::string_view owner) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kKeysInUse));
  return read_keys(select.bind(owner));
}

Result<std::vector<Key>> SqliteStore::gate_keys_in_use() {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kGateKeysInUse));
  return sound_keys(select);
}

// What another hand has changed says nothing.
Result<std::vector<Thumbprint>> SqliteStore::openers_of(const Thumbprint& gate_key) {
  const std::string key = gate_key.text();
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kOpeners));
  CHANCERY_ASSIGN(const bool row, select.bind(key).step());
  if (!row) return std::vector<Thumbprint>();
  const std::string openers = select.text(0);
  if (!equal_constant_time(seal_.of(GateKeyOpeners{key, openers}), select.octets(1)))
    return std::vector<Thumbprint>();
  return openers_from(openers);
}

Result<std::vector<Key>> SqliteStore::keys(std::string_view owner) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kKeysOfOwner));
  return read_keys(select.bind(owner));
}

Result<std::vector<Key>> SqliteStore::overdue_keys(sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kOverdueKeys));
  return sound_keys(select.bind(now).bind(kMost));
}

Result<std::vector<Key>> SqliteStore::aged_keys(sys_seconds latest, std::size_t skip) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kAgedKeys));
  return sound_keys(select.bind(latest).bind(kMost).bind(static_cast<std::int64_t>(skip)));
}

Result<std::vector<Thumbprint>> SqliteStore::ended_keys(sys_seconds since, sys_seconds now) {
  const auto guard = journal_->hold();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kEndedKeys));
  const auto read = [](const Query& row) { return read_thumbprint(row.text(0)); };
  CHANCERY_ASSIGN(std::vector<Thumbprint> ended, read_all<Thumbprint>(select.bind(since).bind(now), read));
  ended.insert(ended.end(), damaged_keys_.begin(), damaged_keys_.end());
  return ended;
}

// A damaged record may have been that of a key that has ended: so its key counts as ended, by whichever of its
// two names is left.
Result<std::size_t> SqliteStore::find_damage() {
  damaged_keys_.clear();
  std::size_t damaged = 0;
  CHANCERY_ASSIGN(Query keys, database_.query(sql::kEveryKey));
  while (true) {
    CHANCERY_ASSIGN(const bool row, keys.step());
    if (!row) break;
    if (read_key(keys, seal_)) continue;
    ++damaged;
    if (const auto named = read_thumbprint(keys.text(5))) damaged_keys_.push_back(*named);
    if (const auto key = parse_jwk(keys.text(4))) damaged_keys_.push_back(key->thumbprint());
  }
  CHANCERY_ASSIGN(Query agents, database_.query(sql::kEveryAgent));
  while (true) {
    CHANCERY_ASSIGN(const bool row, agents.step());
    if (!row) break;
    if (!read_agent(agents, seal_)) ++damaged;
  }
  CHANCERY_ASSIGN(const std::size_t approvers, count_damaged_approvers(*journal_));
  return damaged + approvers;
}

Result<EndedTokens> SqliteStore::tokens_of(const std::vector<Thumbprint>& keys, sys_seconds now) {
  const auto guard = journal_->hold();
  EndedTokens out;
  for (const Thumbprint& key : keys) {
    const std::string text = key.text();
    CHANCERY_ASSIGN(Query held, database_.query(sql::kHeldTokens));
    CHANCERY_ASSIGN(const bool row, held.bind(text).bind(now).step());
    if (!row) return kDamagedRow;
    out.held += static_cast<std::uint64_t>(held.number(0));
    if (!held.is_null(1)) out.until = std::max(out.until.value_or(held.time(1)), held.time(1));
    CHANCERY_TRY(add_descendants(key, now, out));
  }
  return out;
}

// A child does not outlive its parent, so `until` stays as it is.
Status SqliteStore::add_descendants(const Thumbprint& holder, sys_seconds now, EndedTokens& out) {
  const std::string text = holder.text();
  CHANCERY_ASSIGN(Query select, database_.query(sql::kDescendants));
  select.bind(text).bind(now);
  std::set<std::string> agents(out.agents.begin(), out.agents.end());
  while (true) {
    CHANCERY_ASSIGN(const bool row, select.step());
    if (!row) break;
    ++out.descendants;
    if (std::string name = select.text(1); !name.empty() && agents.size() < kMaxPage) {
      agents.insert(std::move(name));
    }
  }
  out.agents.assign(agents.begin(), agents.end());
  return {};
}

}  // namespace chancery::store
