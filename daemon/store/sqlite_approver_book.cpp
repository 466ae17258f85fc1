#include "daemon/store/sqlite_approver_book.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "daemon/store/gate_terms.hpp"
#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

using State = ApproverKeyState;

constexpr std::array<std::string_view, 3> kStateNames{"active", "replaced", "revoked"};

constexpr const char* kPerson = "SELECT principal, member_of, seal FROM approvers WHERE principal = ?";
constexpr const char* kPersons = "SELECT principal, member_of, seal FROM approvers ORDER BY principal";
constexpr const char* kCountPersons = "SELECT count(*) FROM approvers";
constexpr const char* kKeepPerson =
    "INSERT INTO approvers (principal, member_of, seal) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET member_of = excluded.member_of, seal = excluded.seal";

// In the order in which key_from() reads them.
#define COLUMNS "jkt, kind, jwk, credential_id, state, enrolled_at, enrolled_by, ended_at, seal, principal"
constexpr int kPrincipal = 9;
constexpr const char* kKeysOf = "SELECT " COLUMNS " FROM approver_keys WHERE principal = ? ORDER BY seq";
constexpr const char* kActiveKeysOf =
    "SELECT " COLUMNS " FROM approver_keys WHERE principal = ? AND state = 'active' ORDER BY seq";
constexpr const char* kKey = "SELECT " COLUMNS " FROM approver_keys WHERE jkt = ?";
constexpr const char* kEveryKey = "SELECT " COLUMNS " FROM approver_keys";
#undef COLUMNS
constexpr const char* kAnyActive = "SELECT EXISTS (SELECT 1 FROM approver_keys WHERE state = 'active')";
constexpr const char* kInsertKey =
    "INSERT INTO approver_keys (jkt, kind, jwk, credential_id, state, enrolled_at, enrolled_by, seal, principal) "
    "VALUES (?, ?, ?, ?, 'active', ?, ?, ?, ?)";
constexpr const char* kEndKey =
    "UPDATE approver_keys SET state = ?2, ended_at = ?3, seal = ?4 WHERE jkt = ?1 AND state <> 'revoked'";

constexpr Error kNoVoucher{
    ErrorCode::kForbidden,
    "the key that signed for it is no approver's, or has ended: somebody who is enrolled must sign for it"};

Result<State> key_state_from(std::string_view name) {
  const auto* const found = std::ranges::find(kStateNames, name);
  if (found == kStateNames.end()) return kDamagedRow;
  return static_cast<State>(found - kStateNames.begin());
}

// A key is found by its thumbprint: one that is not its own would have another decide.
Result<ApproverKey> key_from(const Query& row, const RecordSeal& seal) {
  ApproverKey out;
  CHANCERY_ASSIGN(out.jkt, read_thumbprint(row.text(0)));
  out.kind = row.text(1);
  out.jwk = row.text(2);
  out.credential_id = row.text(3);
  CHANCERY_ASSIGN(out.state, key_state_from(row.text(4)));
  out.enrolled_at = row.time(5);
  out.enrolled_by = row.text(6);
  out.ended_at = optional_time(row, 7);
  const auto key = parse_jwk(out.jwk);
  if (!key || key->thumbprint() != out.jkt) return kDamagedRow;
  if (!equal_constant_time(seal.of(out, row.text(kPrincipal)), row.octets(8))) return kDamagedRow;
  return out;
}

/// Without keys.
Result<Approver> person_from(const Query& row, const RecordSeal& seal) {
  Approver out;
  out.principal = row.text(0);
  CHANCERY_ASSIGN(out.groups, names_from(row.text(1)));
  if (!equal_constant_time(seal.of(out), row.octets(2))) return kDamagedRow;
  return out;
}

Result<std::vector<ApproverKey>> read_keys(Journal& journal, const char* statement,
                                           std::string_view principal) {
  CHANCERY_ASSIGN(Query keys, journal.database().query(statement));
  return read_all<ApproverKey>(keys.bind(principal),
                               [&](const Query& row) { return key_from(row, journal.seal()); });
}

Result<Approver> find_person(Journal& journal, std::string_view principal) {
  Approver out;
  {
    CHANCERY_ASSIGN(Query select, journal.database().query(kPerson));
    CHANCERY_ASSIGN(const bool row, select.bind(principal).step());
    if (!row) return kNoSuchApprover;
    CHANCERY_ASSIGN(out, person_from(select, journal.seal()));
  }
  CHANCERY_ASSIGN(out.keys, read_keys(journal, kKeysOf, principal));
  return out;
}

/// With all keys.
Result<Approver> owner_of(Journal& journal, const Thumbprint& key) {
  std::string principal;
  {
    const std::string jkt = key.text();
    CHANCERY_ASSIGN(Query select, journal.database().query(kKey));
    CHANCERY_ASSIGN(const bool row, select.bind(jkt).step());
    if (!row) return kNoSuchApproverKey;
    CHANCERY_TRY(key_from(select, journal.seal()));
    principal = select.text(kPrincipal);
  }
  return find_person(journal, principal);
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool is_active(const ApproverKey& key) { return key.state == State::kActive; }

const ApproverKey* active_key(const Approver& person, const Thumbprint& jkt) {
  const auto found = std::ranges::find(person.keys, jkt, &ApproverKey::jkt);
  return found != person.keys.end() && is_active(*found) ? &*found : nullptr;
}

/// Counts a change once it is over, also one that failed: what of it is kept, nobody knows then.
class Change {
 public:
  explicit Change(std::atomic<std::uint64_t>& count) noexcept : count_(count) {}
  ~Change() { ++count_; }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  std::atomic<std::uint64_t>& count_;
};

class SqliteApproverBook final : public ApproverBook {
 public:
  explicit SqliteApproverBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::vector<Approver>> list() override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(std::vector<Approver> persons, sound_persons());
    std::vector<Approver> out;
    for (Approver& person : persons) {
      auto keys = read_keys(*journal_, kActiveKeysOf, person.principal);
      if (!keys) continue;
      person.keys = *std::move(keys);
      out.push_back(std::move(person));
    }
    return out;
  }

  Result<Approver> find(std::string_view principal) override {
    const auto held = journal_->hold();
    return find_person(*journal_, principal);
  }

  Result<Approver> by_key(const Thumbprint& key) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Approver person, owner_of(*journal_, key));
    std::erase_if(person.keys, [&](const ApproverKey& each) { return each.jkt != key; });
    return person;
  }

  Result<bool> has_any() override {
    const auto held = journal_->hold();
    return is_any_active();
  }

  std::uint64_t changes() const noexcept override { return changes_; }

  Result<std::uint64_t> enroll(const NewApproverKey& key, const AuditEntry& audit) override {
    const Change change(changes_);
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(require_vouched(key));
      CHANCERY_ASSIGN(const std::optional<Approver> person, known(key.principal));
      CHANCERY_TRY(require_room(person, key));
      if (key.replaces) CHANCERY_TRY(replace(person, key));
      CHANCERY_TRY(keep_person(key));
      return insert(key);
    });
  }

  Result<EndedApproverKey> revoke(const Thumbprint& key, const std::optional<Thumbprint>& by,
                                  const EntryOf& lapsed, const AuditEntry& audit) override {
    const Change change(changes_);
    EndedApproverKey out;
    CHANCERY_ASSIGN(out.sequence, journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(const Approver person, owner_of(*journal_, key));
      if (by && active_key(person, *by) == nullptr)
        return Error{ErrorCode::kForbidden,
                     "a person's key is ended by an active key of the same person, or by the operator"};
      CHANCERY_TRY(end(person, key, State::kRevoked, audit.at));
      CHANCERY_ASSIGN(out.lapsed, void_votes(*journal_, key, audit.at, lapsed));
      return {};
    }));
    return out;
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  // One that is damaged hides no other.
  Result<std::vector<Approver>> sound_persons() {
    CHANCERY_ASSIGN(Query rows, database().query(kPersons));
    return read_sound<Approver>(rows,
                                [this](const Query& row) { return person_from(row, journal_->seal()); });
  }

  Result<bool> is_any_active() {
    CHANCERY_ASSIGN(const std::int64_t any, database().number(kAnyActive));
    return any != 0;
  }

  Result<std::optional<Approver>> known(std::string_view principal) {
    auto found = find_person(*journal_, principal);
    if (found) return std::optional(*std::move(found));
    if (found.error().code == ErrorCode::kNotFound) return std::optional<Approver>();
    return found.error();
  }

  // The steps of enroll(), each within its transaction.
  Status require_vouched(const NewApproverKey& key);
  static Status require_free(const Approver& voucher, const NewApproverKey& key);
  Status require_groups(const Approver& voucher, const NewApproverKey& key);
  Result<bool> has_members(const std::string& group);
  Status require_room(const std::optional<Approver>& person, const NewApproverKey& key);
  Status replace(const std::optional<Approver>& person, const NewApproverKey& key);
  Status keep_person(const NewApproverKey& key);
  Status insert(const NewApproverKey& key);

  Status end(const Approver& person, const Thumbprint& key, State state, sys_seconds now);

  const std::shared_ptr<Journal> journal_;
  std::atomic<std::uint64_t> changes_ = 0;
};

// Nobody decides in another's name: whoever has a key adds to it by that alone. Nobody gives more than he has, unless nobody has
// it: else whoever may vouch could open each gate that names a group.
Status SqliteApproverBook::require_vouched(const NewApproverKey& key) {
  if (!key.by) {
    CHANCERY_ASSIGN(const bool is_later, is_any_active());
    if (!is_later) return {};
    return Error{ErrorCode::kConflict,
                 "there is an approver already, who must sign for the next one: `chancery approver enroll "
                 "--document`"};
  }
  const auto voucher = owner_of(*journal_, *key.by);
  if (!voucher) return voucher.error().code == ErrorCode::kNotFound ? kNoVoucher : voucher.error();
  if (active_key(*voucher, *key.by) == nullptr) return kNoVoucher;
  CHANCERY_ASSIGN(const std::optional<Approver> person, known(key.principal));
  if (!person || std::ranges::none_of(person->keys, is_active)) {
    CHANCERY_TRY(require_free(*voucher, key));
    return require_groups(*voucher, key);
  }
  if (voucher->principal != key.principal)
    return Error{
        ErrorCode::kForbidden,
        "this person has a key, by which alone another of theirs is enrolled: if it is lost, the operator "
        "revokes it first"};
  if (person->groups == key.groups) return {};
  return Error{
      ErrorCode::kForbidden,
      "nobody changes one's own groups: the operator revokes the person's keys, and another approver "
      "enrols the person anew"};
}

// A name that a gate waits for, and that nobody has, would be whoever's who vouches for a key of their own under it.
Status SqliteApproverBook::require_free(const Approver& voucher, const NewApproverKey& key) {
  const auto is_reserved = [&](const std::string& group) {
    return !has(voucher.groups, group) && has(key.reserved, "group:" + group);
  };
  if (!has(key.reserved, key.principal) && std::ranges::none_of(key.groups, is_reserved)) return {};
  return Error{
      ErrorCode::kForbidden,
      "a gate names this person, or one of these groups, and the person has no key: the operator must send what an "
      "approver has signed, on the daemon's socket, `chancery approver enroll --signed`"};
}

Status SqliteApproverBook::require_groups(const Approver& voucher, const NewApproverKey& key) {
  for (const std::string& group : key.groups) {
    if (has(voucher.groups, group)) continue;
    CHANCERY_ASSIGN(const bool is_others, has_members(group));
    if (is_others)
      return Error{
          ErrorCode::kForbidden,
          "a member of each of these groups must sign for it: nobody gives a group that has members, and "
          "that one is not in"};
  }
  return {};
}

Result<bool> SqliteApproverBook::has_members(const std::string& group) {
  CHANCERY_ASSIGN(const std::vector<Approver> persons, sound_persons());
  for (const Approver& person : persons) {
    if (!has(person.groups, group)) continue;
    CHANCERY_ASSIGN(const Approver whole, find_person(*journal_, person.principal));
    if (std::ranges::any_of(whole.keys, is_active)) return true;
  }
  return false;
}

Status SqliteApproverBook::require_room(const std::optional<Approver>& person, const NewApproverKey& key) {
  if (person) {
    const auto active = std::ranges::count_if(person->keys, is_active);
    if (key.replaces || active < static_cast<std::ptrdiff_t>(kMostKeysOfApprover)) return {};
    return Error{ErrorCode::kConflict, "this person has 16 keys: revoke one that is not used any more"};
  }
  CHANCERY_ASSIGN(const std::int64_t persons, database().number(kCountPersons));
  if (persons < static_cast<std::int64_t>(kMostApprovers)) return {};
  return Error{ErrorCode::kConflict, "there are 1000 approvers, and there can be no more"};
}

Status SqliteApproverBook::replace(const std::optional<Approver>& person, const NewApproverKey& key) {
  if (!person || active_key(*person, *key.replaces) == nullptr)
    return Error{
        ErrorCode::kNotFound,
        "the key that is to be replaced is no active key of this person: `chancery approver show` lists them"};
  return end(*person, *key.replaces, State::kReplaced, key.key.enrolled_at);
}

Status SqliteApproverBook::keep_person(const NewApproverKey& key) {
  const Sha256Digest seal = journal_->seal().of(Approver{key.principal, key.groups, {}});
  const std::string groups = names_text(key.groups);
  CHANCERY_ASSIGN(Query keep, database().query(kKeepPerson));
  return keep.bind(key.principal).bind(groups).bind(seal).run();
}

Status SqliteApproverBook::insert(const NewApproverKey& key) {
  const ApproverKey& added = key.key;
  const std::string jkt = added.jkt.text();
  const Sha256Digest seal = journal_->seal().of(added, key.principal);
  CHANCERY_ASSIGN(Query query, database().query(kInsertKey));
  query.bind(jkt).bind(added.kind).bind(added.jwk).bind(added.credential_id).bind(added.enrolled_at);
  const Status inserted = query.bind(added.enrolled_by).bind(seal).bind(key.principal).run();
  if (inserted || inserted.error().code != ErrorCode::kConflict) return inserted;
  return Error{
      ErrorCode::kConflict,
      "this key, or this passkey, is enrolled already, and stays its owner's for ever: make another"};
}

Status SqliteApproverBook::end(const Approver& person, const Thumbprint& key, State state, sys_seconds now) {
  const auto found = std::ranges::find(person.keys, key, &ApproverKey::jkt);
  if (found == person.keys.end() || found->state == State::kRevoked)
    return Error{ErrorCode::kConflict, "the key was revoked before: nothing is left of it to end"};
  ApproverKey ended = *found;
  ended.state = state;
  if (!ended.ended_at) ended.ended_at = now;  // one that was replaced decided nothing since
  const std::string jkt = key.text();
  const Sha256Digest seal = journal_->seal().of(ended, person.principal);
  CHANCERY_ASSIGN(Query update, database().query(kEndKey));
  return update.bind(jkt).bind(approver_key_state_name(state)).bind(*ended.ended_at).bind(seal).run();
}

}  // namespace

std::string_view approver_key_state_name(ApproverKeyState state) noexcept {
  return kStateNames[static_cast<std::size_t>(state)];
}

Result<ApproverKey> approver_key(Journal& journal, const Thumbprint& key) {
  const std::string jkt = key.text();
  CHANCERY_ASSIGN(Query select, journal.database().query(kKey));
  CHANCERY_ASSIGN(const bool row, select.bind(jkt).step());
  if (!row) return kNoSuchApproverKey;
  return key_from(select, journal.seal());
}

Result<Approver> active_approver(Journal& journal, const Thumbprint& key) {
  auto person = owner_of(journal, key);
  if (!person && person.error().code != ErrorCode::kNotFound) return person.error();
  if (!person)
    return Error{
        ErrorCode::kForbidden,
        "the decision is by a key that is no approver's: `chancery approver list` shows those that are"};
  if (active_key(*person, key) != nullptr) return person;
  return Error{
      ErrorCode::kForbidden,
      "the decision is by a key that has ended: decide by one that is active, `chancery approver list`"};
}

Result<std::size_t> count_damaged_approvers(Journal& journal) {
  std::size_t damaged = 0;
  CHANCERY_ASSIGN(Query persons, journal.database().query(kPersons));
  while (true) {
    CHANCERY_ASSIGN(const bool row, persons.step());
    if (!row) break;
    if (!person_from(persons, journal.seal())) ++damaged;
  }
  CHANCERY_ASSIGN(Query keys, journal.database().query(kEveryKey));
  while (true) {
    CHANCERY_ASSIGN(const bool row, keys.step());
    if (!row) return damaged;
    if (!key_from(keys, journal.seal())) ++damaged;
  }
}

std::unique_ptr<ApproverBook> make_sqlite_approver_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteApproverBook>(std::move(journal));
}

}  // namespace chancery::store
