// A store on a disk that is full, that nobody may write to, that loses what it was given, or whose pages are damaged.

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/journal.hpp"
#include "daemon/store/soundness.hpp"
#include "daemon/store/sqlite_books.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "daemon/store/state_space.hpp"
#include "sdk/audit/merkle.hpp"
#include "tests/unit/daemon/faulty_disk.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;

bool tells(const Error& error, std::string_view part) {
  return std::string_view(error.what).find(part) != std::string_view::npos;
}

/// A store with a key that signs tokens.
struct Kept {
  explicit Kept(const std::filesystem::path& folder) : books(make_sqlite_books(must(Journal::open(folder)))) {
    must(books.store->add_key(issuer, {}, entry("issuer_key.create")));
  }
  Result<std::uint64_t> record(const IssuedToken& token) {
    return books.store->record_token(token, issuer.stored.public_key.thumbprint(),
                                     entry("grant " + token.id));
  }

  Key issuer = fresh_key_of(std::string(kIssuer));
  Books books;
};

// --- writes that fail

struct FaultCase {
  const char* name;
  DiskFault fault;
  const char* what;  // is said of it
};
std::ostream& operator<<(std::ostream& out, const FaultCase& c) { return out << c.name; }
constexpr std::array kWriteFaults{
    FaultCase{"no space", DiskFault::kFull, "is full: free some space"},
    FaultCase{"no space for this user", DiskFault::kQuota, "is full: free some space"},
    FaultCase{"read-only", DiskFault::kReadOnly, "is read-only"},
    FaultCase{"the sync of the commit fails", DiskFault::kSyncFails, "did not confirm"}};

BOOST_DATA_TEST_CASE(a_failed_commit_is_an_error_and_recovers, boost::unit_test::data::make(kWriteFaults),
                     c) {
  const TemporaryFolder folder;
  const IssuedToken before = fresh_token();
  const IssuedToken during = fresh_token();
  const IssuedToken after = fresh_token();
  FaultyDisk disk;
  {
    Kept kept(folder.path());
    must(kept.record(before));
    disk.set(c.fault);
    const auto failed = kept.record(during);
    BOOST_TEST((refusal(failed) == kStoreUnavailable));
    BOOST_TEST(tells(failed.error(), c.what), failed.error().what);
    BOOST_TEST((refusal(kept.books.store->token(during.id)) == kNotFound));
    disk.set(DiskFault::kNone);
    BOOST_TEST(must(kept.record(after)) == 3U);
  }
  const auto store = must(open_sqlite_store(folder.path()));
  BOOST_TEST(store->token(before.id).has_value());
  BOOST_TEST(store->token(after.id).has_value());
  BOOST_TEST((refusal(store->token(during.id)) == kNotFound));
}

BOOST_DATA_TEST_CASE(a_look_finds_out_what_is_wrong_though_nobody_writes,
                     boost::unit_test::data::make(kWriteFaults), c) {
  const TemporaryFolder folder;
  FaultyDisk disk;
  const Kept kept(folder.path());
  must(kept.books.store->check());  // by what was written last
  must(kept.books.store->check());  // by a write of its own, which is no proof to the next
  disk.set(c.fault);
  for (int i = 0; i < 2; ++i) {
    const Status found = kept.books.store->check();
    BOOST_REQUIRE(!found);
    BOOST_TEST((found.error().code == kStoreUnavailable));
    BOOST_TEST(tells(found.error(), c.what), found.error().what);
  }
  disk.set(DiskFault::kNone);
  must(kept.books.store->check());
  const StoreCounts counts = must(kept.books.store->counts());
  BOOST_TEST(counts.audit_entries == 1U);
}

BOOST_DATA_TEST_CASE(a_write_that_failed_is_found_by_the_next_look,
                     boost::unit_test::data::make(kWriteFaults), c) {
  const TemporaryFolder folder;
  FaultyDisk disk;
  Kept kept(folder.path());
  disk.set(c.fault);
  BOOST_TEST((refusal(kept.record(fresh_token())) == kStoreUnavailable));
  BOOST_TEST(!kept.books.store->check());
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_at_the_start_is_unavailable) {
  const TemporaryFolder folder;
  must(open_sqlite_store(folder.path()));
  FaultyDisk disk;
  disk.set(DiskFault::kReadFails);
  BOOST_TEST((refusal(open_sqlite_store(folder.path())) == kStoreUnavailable));
}

// --- what the file system says

struct SpaceCase {
  const char* name;
  StateSpace space;
  const char* what;  // is wrong with it; null: nothing
};
std::ostream& operator<<(std::ostream& out, const SpaceCase& c) { return out << c.name; }
constexpr std::uint64_t kAll = std::uint64_t{1} << 40;
constexpr std::array kSpaces{
    SpaceCase{"room", {kAll / 2, kAll, false}, nullptr},
    SpaceCase{"just enough", {kLeastFreeOctets, kAll, false}, nullptr},
    SpaceCase{"one octet less", {kLeastFreeOctets - 1, kAll, false}, "is full"},
    SpaceCase{"none", {0, kAll, false}, "is full"},
    SpaceCase{"of a file system that does not tell", {0, 0, false}, nullptr},
    SpaceCase{"room, and nobody may write", {kAll / 2, kAll, true}, "is read-only"},
    SpaceCase{"no room, and nobody may write", {0, kAll, true}, "is read-only"},
};

BOOST_DATA_TEST_CASE(a_file_system_without_room_is_named, boost::unit_test::data::make(kSpaces), c) {
  const Status checked = check_space(c.space);
  BOOST_TEST(checked.has_value() == (c.what == nullptr));
  if (!checked) BOOST_TEST(tells(checked.error(), c.what), checked.error().what);
}

BOOST_AUTO_TEST_CASE(the_room_of_a_folder_is_its_file_systems) {
  const TemporaryFolder folder;
  const StateSpace space = must(space_at(folder.path()));
  BOOST_TEST(space.all_octets > 0U);
  BOOST_TEST(space.free_octets <= space.all_octets);
  BOOST_TEST((refusal(space_at(folder.path() / "none")) == kStoreUnavailable));
}

// --- syncs that lose what they were given

void expect_sound_log(Books& books) {
  const StoreCounts counts = must(books.store->counts());
  audit::Frontier tree;
  while (tree.size() < counts.audit_entries) {
    const std::vector<AuditRecord> page = must(books.store->audit_after(tree.size(), kMaxPage));
    BOOST_REQUIRE(!page.empty());
    for (const AuditRecord& entry : page) {
      BOOST_TEST_REQUIRE(entry.sequence == tree.size() + 1);
      tree.append(audit::leaf_hash(as_bytes(entry.json)));
    }
  }
  BOOST_TEST((must(books.audit->root(tree.size())) == tree.root()));
}

// As the next start would find it.
void expect_kept(const FaultyDisk& disk, const std::filesystem::path& folder, std::uint64_t seed,
                 const std::vector<std::string>& answered) {
  const TemporaryFolder after;
  disk.cut_power(seed, std::filesystem::canonical(folder), after.path());
  Books books = make_sqlite_books(must(Journal::open(after.path())));
  for (const std::string& id : answered) BOOST_TEST(books.store->token(id).has_value(), id);
  expect_sound_log(books);
}

// With Linux a sync fails once; the next one says nothing of what was lost. With few pages in the log the syncs of the
// database itself are met too.
BOOST_DATA_TEST_CASE(what_was_answered_is_on_the_disk_though_syncs_lose_what_they_were_given,
                     boost::unit_test::data::xrange(std::uint64_t{1}, std::uint64_t{5}), seed) {
  const TemporaryFolder folder;
  FaultyDisk disk;
  const auto journal = must(Journal::open(folder.path()));
  must(journal->database().execute(seed % 2 == 0 ? "PRAGMA wal_autocheckpoint = 7"
                                                 : "PRAGMA wal_autocheckpoint = 60"));
  Books books = make_sqlite_books(journal);
  const Key issuer = fresh_key_of(std::string(kIssuer));
  must(books.store->add_key(issuer, {}, entry("issuer_key.create")));
  std::vector<std::string> answered;
  int failed = 0;
  for (int i = 0; i < 48; ++i) {
    const bool loses = i % 3 == 0;
    if (loses) disk.lose_sync(i / 3 % 4);
    const IssuedToken token = fresh_token();
    const auto done =
        books.store->record_token(token, issuer.stored.public_key.thumbprint(), entry("grant " + token.id));
    disk.lose_sync(FaultyDisk::kNever);
    if (done) answered.push_back(token.id);
    failed += done ? 0 : 1;
    if (loses) expect_kept(disk, folder.path(), seed * 100 + static_cast<std::uint64_t>(i), answered);
  }
  BOOST_TEST(failed >= 4);
  BOOST_TEST(answered.size() >= 32U);
  expect_sound_log(books);
  expect_kept(disk, folder.path(), seed, answered);
}

// --- damaged pages

constexpr std::size_t kPageSize = 4096;

using Page = std::string;

/// What becomes of which page.
struct DamageCase {
  const char* name;
  const char* object;  // the table or index whose first page it is
  char octet;          // of which the page consists then
};
std::ostream& operator<<(std::ostream& out, const DamageCase& c) { return out << c.name; }
constexpr char kGarbage = '\xA5';
constexpr std::array kDamages{
    DamageCase{"keys, garbage", "keys", kGarbage},
    DamageCase{"keys, zeroes", "keys", '\0'},
    DamageCase{"agents, garbage", "agents", kGarbage},
    DamageCase{"the audit log, garbage", "audit", kGarbage},
    DamageCase{"the audit log, zeroes", "audit", '\0'},
    DamageCase{"the index of tokens' ids, garbage", "sqlite_autoindex_tokens_1", kGarbage},
    DamageCase{"the index of agents' ids, zeroes", "sqlite_autoindex_agents_1", '\0'},
};

/// A folder with a store that has been used, of which everything is in the database's file.
struct Used {
  Used() {
    {
      Kept kept(folder.path());
      for (int i = 0; i < 3; ++i) {
        token = fresh_token();
        must(kept.record(token));
        must(kept.books.store->add_agent(fresh_agent("agent" + std::to_string(i)), entry("agent.create")));
      }
    }
    Database database = must(Database::open(file));
    BOOST_TEST_REQUIRE(must(database.number("PRAGMA page_size")) == std::int64_t{kPageSize});
    must(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }

  std::int64_t first_page(const std::string& object) {
    Database database = must(Database::open(file));
    Query root = must(database.query("SELECT rootpage FROM sqlite_schema WHERE name = ?"));
    BOOST_REQUIRE(must(root.bind(std::string_view(object)).step()));
    return root.number(0);
  }
  Page read(std::int64_t page) const {
    std::ifstream in(file, std::ios::binary);
    in.seekg((page - 1) * static_cast<std::int64_t>(kPageSize));
    Page octets(kPageSize, '\0');
    BOOST_REQUIRE(in.read(octets.data(), static_cast<std::streamsize>(octets.size())));
    return octets;
  }
  void write(std::int64_t page, const Page& octets) const {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp((page - 1) * static_cast<std::int64_t>(kPageSize));
    BOOST_REQUIRE(out.write(octets.data(), static_cast<std::streamsize>(octets.size())).flush());
  }
  void damage(const char* object, char octet = kGarbage) {
    write(first_page(object), Page(kPageSize, octet));
  }

  TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "chancery.db";
  IssuedToken token;  // the last of those that were recorded
};

/// Has the connection forget what it has read: another one has written since.
void forget_pages(const std::filesystem::path& file) {
  Database other = must(Database::open(file));
  must(other.execute("BEGIN IMMEDIATE; PRAGMA user_version = 11; COMMIT"));
}

BOOST_DATA_TEST_CASE(a_damaged_database_is_not_opened, boost::unit_test::data::make(kDamages), c) {
  Used used;
  used.damage(c.object, c.octet);
  const auto opened = open_sqlite_store(used.folder.path());
  BOOST_TEST((refusal(opened) == kStoreCorrupt));
  BOOST_TEST(tells(opened.error(), "chancery restore"), opened.error().what);
  BOOST_TEST(tells(opened.error(), "docs/operations/recovery.md"), opened.error().what);
}

// Nothing of it is malformed by itself: it is found by each index being compared with its table.
BOOST_AUTO_TEST_CASE(a_page_of_another_index_in_an_indexs_place_is_found_at_the_start) {
  for (const bool is_large : {false, true}) {
    Used used;
    const std::int64_t page = used.first_page("sqlite_autoindex_agents_1");
    used.write(page, used.read(used.first_page("sqlite_autoindex_keys_1")));
    Database database = must(Database::open(used.file));
    const Status checked = check_soundness(database, is_large ? 1 : kPagesReadAtStart);
    BOOST_TEST(!checked.has_value());
    if (!checked) BOOST_TEST((checked.error().code == kStoreCorrupt));
  }
}

// What is only read with a backup.
BOOST_AUTO_TEST_CASE(of_a_large_database_the_start_reads_all_but_tokens_and_the_log) {
  for (const char* const object : {"tokens", "audit", "audit_refs", "keys", "status_acts", "totals"}) {
    const std::string_view name = object;
    const bool is_read = name != "tokens" && name != "audit" && name != "audit_refs";
    Used used;
    used.damage(object);
    Database database = must(Database::open(used.file));
    BOOST_TEST(check_soundness(database, 1).has_value() != is_read, object);
    BOOST_TEST(!check_soundness(database).has_value(), object);
  }
}

BOOST_AUTO_TEST_CASE(a_sound_database_is_sound_whatever_its_size) {
  Used used;
  Database database = must(Database::open(used.file));
  must(check_soundness(database));
  must(check_soundness(database, 1));
}

BOOST_AUTO_TEST_CASE(once_damage_was_found_nothing_is_written_any_more) {
  Used used;
  Kept kept(used.folder.path());
  Store& store = *kept.books.store;
  must(must(Database::open(used.file)).execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  used.damage("agents");
  forget_pages(used.file);

  BOOST_TEST(must(store.token(used.token.id)).id == used.token.id);  // from a page that is sound
  must(store.append_audit(entry("before it was read")));
  BOOST_TEST((refusal(store.agents({})) == kStoreCorrupt));
  BOOST_TEST((refusal(store.agent_by_name("agent1")) == kStoreCorrupt));
  BOOST_TEST((refusal(store.add_agent(fresh_agent("next"), entry("x"))) == kStoreCorrupt));
  const auto refused = store.append_audit(entry("after"));
  BOOST_TEST((refusal(refused) == kStoreCorrupt));
  BOOST_TEST(tells(refused.error(), "chancery restore"), refused.error().what);
  BOOST_TEST((refusal(kept.record(fresh_token())) == kStoreCorrupt));
  BOOST_TEST((refusal(store.check()) == kStoreCorrupt));
  BOOST_TEST((refusal(store.counts()) == kStoreCorrupt));
}

}  // namespace
}  // namespace chancery::store::testing
