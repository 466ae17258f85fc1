// What is particular to the SQLite store: files, locks, migrations and crashes.

#include "daemon/store/sqlite_store.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <functional>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite_books.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;

std::string read_octets(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_octets(const std::filesystem::path& file, std::string_view octets) {
  std::ofstream(file, std::ios::binary).write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

/// Runs `body` in a child process and gives its exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) ::_exit(body());
  int status = -1;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The child records tokens, one for each identifier that it is asked for, and reports each one that the store
// has acknowledged, until it is killed.
[[noreturn]] void record_until_killed(const std::filesystem::path& folder, int report) {
  auto store = open_sqlite_store(folder);
  const auto issuer = store ? (*store)->keys(kIssuer) : std::vector<Key>{};
  while (store && issuer && !issuer->empty()) {
    const IssuedToken token = fresh_token();
    const auto sequence = (*store)->record_token(token, issuer->front().stored.public_key.thumbprint(),
                                                 entry("grant " + token.id));
    if (!sequence) break;
    std::string line = token.id + std::to_string(sequence.value());
    line.resize(80, ' ');
    if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size())) break;
  }
  ::_exit(1);
}

struct Acknowledged {
  std::string id;
  std::uint64_t sequence;
};

std::vector<Acknowledged> acknowledged_before_kill(const std::filesystem::path& folder, std::size_t count) {
  std::array<int, 2> report{};
  BOOST_REQUIRE(::pipe(report.data()) == 0);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) record_until_killed(folder, report[1]);
  ::close(report[1]);

  std::vector<Acknowledged> records;
  std::array<char, 80> line{};
  bool killed = false;
  while (::read(report[0], line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
    const std::string text(line.data(), line.size());
    records.push_back({text.substr(0, 64), std::stoull(text.substr(64))});
    if (records.size() >= count && !std::exchange(killed, true)) ::kill(child, SIGKILL);
  }
  ::close(report[0]);
  BOOST_REQUIRE(::waitpid(child, nullptr, 0) == child);
  BOOST_TEST_REQUIRE(killed);
  return records;
}

BOOST_AUTO_TEST_CASE(every_acknowledged_record_survives_kill_9) {
  const TemporaryFolder folder;
  must(must(open_sqlite_store(folder.path()))->add_key(fresh_key_of(std::string(kIssuer)), {}, entry("x")));
  std::vector<Acknowledged> records;
  for (const std::size_t count : {1U, 7U, 20U, 33U, 50U}) {
    const auto more = acknowledged_before_kill(folder.path(), count);
    records.insert(records.end(), more.begin(), more.end());
  }
  const Books books = make_sqlite_books(must(Journal::open(folder.path())));
  Store* const store = books.store.get();
  for (const Acknowledged& record : records) {
    BOOST_TEST(store->token(record.id).has_value());
    const std::vector<AuditRecord> audit = must(store->audit_after(record.sequence - 1, 1));
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST(audit[0].json.find("grant " + record.id) != std::string::npos);
  }
  const StoreCounts counts = must(store->counts());
  BOOST_TEST(counts.tokens + 1 == counts.audit_entries);
  audit::Frontier tree;
  for (const AuditRecord& entry : must(store->audit_tail(kMaxPage)))
    tree.append(audit::leaf_hash(as_bytes(entry.json)));
  BOOST_TEST(tree.size() == counts.audit_entries);
  BOOST_TEST((must(books.audit->root(tree.size())) == tree.root()));
}

BOOST_AUTO_TEST_CASE(a_second_opener_is_refused_and_told_the_first) {
  const TemporaryFolder folder;
  auto store = must(open_sqlite_store(folder.path()));
  const auto second = open_sqlite_store(folder.path());
  BOOST_TEST((refusal(second) == kStoreLocked));
  BOOST_TEST(second.error().native == static_cast<std::uint64_t>(::getpid()));
  const auto holder = static_cast<std::uint64_t>(::getpid());
  const auto refused_here = [&] {
    const auto opened = open_sqlite_store(folder.path());
    return !opened && opened.error().code == kStoreLocked && opened.error().native == holder ? 0 : 1;
  };
  BOOST_TEST(in_child(refused_here) == 0);
  store.reset();
  must(open_sqlite_store(folder.path()));
}

BOOST_AUTO_TEST_CASE(files_are_for_the_daemon_alone) {
  const TemporaryFolder parent;
  const auto folder = parent.path() / "state";
  const mode_t before = ::umask(0);
  const auto store = must(open_sqlite_store(folder));
  must(store->append_audit(entry("start")));
  ::umask(before);
  struct stat status {};
  BOOST_REQUIRE(::stat(folder.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0700U);
  std::size_t files = 0;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    BOOST_REQUIRE(::stat(item.path().c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777) == 0600U, item.path());
    ++files;
  }
  BOOST_TEST(files == 4U);  // database, -wal, -shm, lock
}

BOOST_AUTO_TEST_CASE(a_folder_that_others_may_write_to_is_refused) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0720U, 0702U}) {
    BOOST_REQUIRE(::chmod(folder.path().c_str(), mode) == 0);
    BOOST_TEST((refusal(open_sqlite_store(folder.path())) == kFilePermissions));
  }
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  must(open_sqlite_store(folder.path()));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_used_is_named_as_unavailable) {
  const TemporaryFolder folder;
  write_octets(folder.path() / "file", "not a folder");
  BOOST_TEST((refusal(open_sqlite_store(folder.path() / "file")) == kStoreUnavailable));
  BOOST_TEST((refusal(open_sqlite_store(folder.path() / "no" / "parent")) == kStoreUnavailable));
}

// Root passes by permissions; without capabilities it is a user like others.
bool drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

// Whether a user without privileges finds the store unavailable for that reason.
bool is_unavailable(const std::filesystem::path& folder, std::uint64_t reason) {
  const auto refused = [&] {
    if (!drop_capabilities()) return 2;
    const auto opened = open_sqlite_store(folder);
    return !opened && opened.error().code == kStoreUnavailable && opened.error().native == reason ? 0 : 1;
  };
  return in_child(refused) == 0;
}

BOOST_AUTO_TEST_CASE(a_read_only_folder_is_unavailable) {
  const TemporaryFolder folder;
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  BOOST_TEST(is_unavailable(folder.path(), EACCES));
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
}

BOOST_AUTO_TEST_CASE(a_read_only_database_is_unavailable) {
  const TemporaryFolder folder;
  must(open_sqlite_store(folder.path()));
  BOOST_REQUIRE(::chmod((folder.path() / "chancery.db").c_str(), 0400) == 0);
  BOOST_TEST(is_unavailable(folder.path(), SQLITE_READONLY));
}

BOOST_AUTO_TEST_CASE(what_is_no_database_is_corrupt_and_left_alone) {
  const TemporaryFolder folder;
  const std::string garbage(8192, 'x');
  write_octets(folder.path() / "chancery.db", garbage);
  BOOST_TEST((refusal(open_sqlite_store(folder.path())) == kStoreCorrupt));
  BOOST_TEST((read_octets(folder.path() / "chancery.db") == garbage));
}

BOOST_AUTO_TEST_CASE(a_database_of_another_program_is_left_alone) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "chancery.db";
  must(must(Database::open(file)).execute("CREATE TABLE notes (text TEXT); PRAGMA user_version = 1"));
  const std::string before = read_octets(file);
  BOOST_TEST((refusal(open_sqlite_store(folder.path())) == kStoreCorrupt));
  BOOST_TEST((read_octets(file) == before));
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_corrupt) {
  const TemporaryFolder folder;
  const Agent agent = fresh_agent("support");
  must(must(open_sqlite_store(folder.path()))->add_agent(agent, entry("x")));
  must(must(Database::open(folder.path() / "chancery.db")).execute("UPDATE keys SET jwk = '{}'"));
  const auto store = must(open_sqlite_store(folder.path()));
  BOOST_TEST((refusal(store->agent_by_name("support")) == kStoreCorrupt));
}

Status add_daemon_key(Database& old, const Key& key) {
  CHANCERY_ASSIGN(Query insert,
                  old.query("INSERT INTO daemon_keys (purpose, backend, agent_id, key_id, jwk, thumbprint, "
                            "blob, created_at) VALUES (?, ?, 'daemon', ?, ?, ?, ?, ?)"));
  const std::string jwk = key.stored.public_key.jwk();
  const std::string thumbprint = key.stored.public_key.thumbprint().text();
  insert.bind(key.owner).bind(key.backend).bind(key.stored.binding.key_id).bind(jwk).bind(thumbprint);
  return insert.bind(key.stored.blob).bind(key.created_at).run();
}

Status add_token(Database& old, const IssuedToken& token, std::string_view agent_id) {
  CHANCERY_ASSIGN(Query insert,
                  old.query("INSERT INTO tokens (id, jti, holder, agent_id, principal, issued_at, "
                            "expires_at, compact) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  const std::string holder = token.holder.text();
  insert.bind(token.id).bind(token.jti).bind(holder).bind(agent_id).bind(token.principal);
  return insert.bind(token.issued_at).bind(token.expires_at).bind(token.compact).run();
}

struct Change {
  const char* name;
  const char* statement;
};
std::ostream& operator<<(std::ostream& out, const Change& c) { return out << c.name; }

constexpr std::array kChanges{
    Change{"an agent's id", "UPDATE agents SET id = replace(id, substr(id, 1, 1), 'x')"},
    Change{"an agent's name", "UPDATE agents SET name = 'support'"},
    Change{"an agent's selectors", "UPDATE agents SET selectors = '{\"uid\":0}'"},
    Change{"an agent's creation", "UPDATE agents SET created_at = created_at + 1"},
    Change{"an agent's newest key", "UPDATE agents SET key = 1"},
    Change{"an agent's seal", "UPDATE agents SET seal = zeroblob(32)"},
    Change{"an agent's seal, taken away", "UPDATE agents SET seal = NULL"},
    Change{"a key's owner", "UPDATE keys SET owner = replace(owner, substr(owner, 1, 1), 'x')"},
    Change{"a key's backend", "UPDATE keys SET backend = 'tpm1'"},
    Change{"a key's binding", "UPDATE keys SET agent_id = 'daemon'"},
    Change{"a key's id", "UPDATE keys SET key_id = 'k' || seq"},
    Change{"a key's blob", "UPDATE keys SET blob = zeroblob(8)"},
    Change{"a key's state", "UPDATE keys SET state = 'lost'"},
    Change{"a key's reason", "UPDATE keys SET reason = 'x'"},
    Change{"a key's creation", "UPDATE keys SET created_at = 0"},
    Change{"a key's overlap", "UPDATE keys SET overlap_until = 0"},
    Change{"a key's destruction", "UPDATE keys SET destroyed_at = 1"},
    Change{"a key's seal", "UPDATE keys SET seal = zeroblob(32)"},
    Change{"another key's seal",
           "UPDATE keys SET seal = (SELECT seal FROM keys WHERE seq = 1) WHERE seq = 2"},
};

BOOST_DATA_TEST_CASE(a_record_that_another_hand_changed_is_not_used, boost::unit_test::data::make(kChanges),
                     c) {
  const TemporaryFolder folder;
  const Agent agent = fresh_agent("orchestrator");
  const Key second = fresh_key_of(agent.id);
  {
    const auto store = must(open_sqlite_store(folder.path()));
    must(store->seal_with(SecretBytes(Bytes(32, 7))));
    must(store->add_agent(agent, entry("x")));
    must(store->add_key(second, sys_seconds(std::chrono::seconds(1)), entry("x")));
  }
  const auto is_found = [&] {
    const auto store = must(open_sqlite_store(folder.path()));
    BOOST_TEST(must(store->seal_with(SecretBytes(Bytes(32, 7)))) >= 1U);
    const auto found = store->agent_by_key(second.stored.public_key.thumbprint());
    const auto newest = store->agent_by_name("orchestrator");
    const auto changed =
        store->change_key(second.stored.public_key.thumbprint(), KeyState::kRevoked, "", entry("x"));
    const bool corrupt =
        (!found && found.error().code == kStoreCorrupt) || (!newest && newest.error().code == kStoreCorrupt);
    return std::pair(corrupt, found && newest && changed);
  };
  must(must(Database::open(folder.path() / "chancery.db"))
           .execute(("PRAGMA foreign_keys = OFF; " + std::string(c.statement)).c_str()));
  const auto [corrupt, used] = is_found();
  BOOST_TEST(corrupt);
  BOOST_TEST(!used);
}

// Whoever may write the file cannot bring a revoked key back by making its record another's.
BOOST_AUTO_TEST_CASE(a_key_whose_record_was_changed_counts_as_ended) {
  const TemporaryFolder folder;
  const Agent agent = fresh_agent("support");
  const Thumbprint thumbprint = agent.key.stored.public_key.thumbprint();
  {
    const auto store = must(open_sqlite_store(folder.path()));
    must(store->seal_with(SecretBytes(Bytes(32, 7))));
    must(store->add_agent(agent, entry("x")));
    must(store->change_key(thumbprint, KeyState::kRevoked, "stolen", entry("x")));
  }
  for (const char* statement :
       {"UPDATE keys SET state = 'lost', ended_at = NULL",
        "UPDATE keys SET thumbprint = replace(thumbprint, substr(thumbprint, 1, 1), '_')"}) {
    must(must(Database::open(folder.path() / "chancery.db")).execute(statement));
    const auto store = must(open_sqlite_store(folder.path()));
    must(store->seal_with(SecretBytes(Bytes(32, 7))));
    const std::vector<Thumbprint> ended = must(store->ended_keys({}, {}));
    BOOST_TEST((std::ranges::find(ended, thumbprint) != ended.end()), statement);
  }
}

BOOST_AUTO_TEST_CASE(records_under_another_secret_are_not_used) {
  const TemporaryFolder folder;
  {
    const auto store = must(open_sqlite_store(folder.path()));
    must(store->seal_with(SecretBytes(Bytes(32, 7))));
    must(store->add_agent(fresh_agent("support"), entry("x")));
  }
  const auto store = must(open_sqlite_store(folder.path()));
  for (const bool is_right : {false, true}) {
    must(store->seal_with(SecretBytes(Bytes(32, is_right ? 7 : 8))));
    const auto found = store->agent_by_name("support");
    BOOST_TEST(found.has_value() == is_right);
    if (!found) BOOST_TEST((refusal(found) == kStoreCorrupt));
  }
}

BOOST_AUTO_TEST_CASE(a_version_1_database_is_brought_up_to_date) {
  const TemporaryFolder folder;
  const Agent agent = fresh_agent("veteran");
  const Key older = fresh_key_of(std::string(kIssuer), 1000);
  Key newer = fresh_key_of(std::string(kIssuer), 2000);
  newer.backend = "tpm1";
  {
    Database old = must(Database::open(folder.path() / "chancery.db"));
    must(migrate(old, 1));
    BOOST_TEST(must(schema_version(old)) == 1U);
    Query insert = must(old.query(
        "INSERT INTO agents (id, name, backend, key_id, jwk, thumbprint, blob, selectors, state, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active', ?)"));
    const hsm::StoredKey& key = agent.key.stored;
    const std::string jwk = key.public_key.jwk();
    const std::string thumbprint = key.public_key.thumbprint().text();
    insert.bind(agent.id).bind(agent.name).bind(agent.key.backend).bind(key.binding.key_id).bind(jwk);
    insert.bind(thumbprint).bind(key.blob).bind(agent.selectors).bind(agent.created_at);
    must(insert.run());
    must(add_token(old, fresh_token(), agent.id));
    must(add_daemon_key(old, older));
    must(add_daemon_key(old, newer));
  }
  auto store = must(open_sqlite_store(folder.path()));
  BOOST_TEST((refusal(store->agent_by_name("veteran")) == kStoreCorrupt));
  BOOST_TEST(must(store->seal_with(SecretBytes(Bytes(32, 7)))) == 4U);  // an agent, three keys
  BOOST_TEST((refusal(store->seal_former_records(std::string(64, 'b'), entry("x"))) == kNotFound));
  must(store->pin_master(std::string(64, 'a'), entry("master.pin")));
  must(store->seal_former_records(std::string(64, 'b'), entry("master.pin")));
  BOOST_TEST(must(store->master_pin()) == std::string(64, 'b'));
  BOOST_TEST(must(store->ended_keys({}, {})).empty());
  check_same(must(store->agent_by_name("veteran")), agent);
  store.reset();
  store = must(open_sqlite_store(folder.path()));
  BOOST_TEST((refusal(store->agent_by_name("veteran")) == kStoreCorrupt));
  BOOST_TEST(must(store->seal_with(SecretBytes(Bytes(32, 7)))) == 0U);
  const std::vector<Key> issuers = must(store->keys(kIssuer));
  BOOST_TEST_REQUIRE(issuers.size() == 2U);
  check_same(issuers[0], newer);
  check_same(issuers[1].stored, older.stored);
  BOOST_TEST((issuers[1].state == KeyState::kRotating));
  BOOST_TEST(must(store->counts()).tokens == 1U);
  must(store->pin_backend("tpm0", "000baaaa", entry("backend.pinned")));
}

BOOST_AUTO_TEST_CASE(each_version_leads_to_the_present_one) {
  for (std::size_t version = 0; version <= migrations().size(); ++version) {
    const TemporaryFolder folder;
    {
      Database database = must(Database::open(folder.path() / "chancery.db"));
      must(migrate(database, version));
      BOOST_TEST(must(schema_version(database)) == version);
    }
    must(open_sqlite_store(folder.path()));
    Database database = must(Database::open(folder.path() / "chancery.db"));
    BOOST_TEST(must(schema_version(database)) == migrations().size());
  }
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_refused) {
  const TemporaryFolder folder;
  must(open_sqlite_store(folder.path()));
  const std::size_t newer = migrations().size() + 1;
  const std::string set = "PRAGMA user_version = " + std::to_string(newer);
  must(must(Database::open(folder.path() / "chancery.db")).execute(set.c_str()));
  const auto opened = open_sqlite_store(folder.path());
  BOOST_TEST((refusal(opened) == kStoreUnavailable));
  BOOST_TEST(opened.error().native == newer);
}

BOOST_AUTO_TEST_CASE(audit_entries_cannot_be_changed_or_deleted) {
  const TemporaryFolder folder;
  must(must(open_sqlite_store(folder.path()))->append_audit(entry("start")));
  Database database = must(Database::open(folder.path() / "chancery.db"));
  BOOST_TEST(!database.execute("DELETE FROM audit").has_value());
  BOOST_TEST(!database.execute("UPDATE audit SET at = 0").has_value());
  BOOST_TEST(must(database.number("SELECT count(*) FROM audit WHERE at = 1000")) == 1);
}

BOOST_AUTO_TEST_CASE(a_database_that_was_deleted_takes_no_more_records) {
  const TemporaryFolder folder;
  const auto store = must(open_sqlite_store(folder.path()));
  must(store->append_audit(entry("start")));
  BOOST_REQUIRE(std::filesystem::remove(folder.path() / "chancery.db"));
  BOOST_TEST((refusal(store->append_audit(entry("lost"))) == kStoreUnavailable));
  BOOST_TEST((refusal(store->check()) == kStoreUnavailable));
}

BOOST_AUTO_TEST_CASE(a_writer_from_outside_makes_the_store_unavailable_for_a_while) {
  const TemporaryFolder folder;
  const auto store = must(open_sqlite_store(folder.path()));
  Database intruder = must(Database::open(folder.path() / "chancery.db"));
  must(intruder.execute("BEGIN IMMEDIATE"));
  BOOST_TEST((refusal(store->append_audit(entry("x"))) == kStoreUnavailable));
  must(intruder.execute("ROLLBACK"));
  must(store->append_audit(entry("x")));
}

}  // namespace
}  // namespace chancery::store::testing
