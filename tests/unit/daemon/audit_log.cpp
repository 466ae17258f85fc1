// The audit log as a Merkle tree in the database: always the tree of what is recorded, whatever becomes of transactions.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/audit_tree.hpp"
#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite_books.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/daemon/faulty_disk.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;
using Path = std::vector<Sha256Digest>;
using Texts = std::span<const std::string>;

// --- RFC 6962 section 2.1 as it is written, over the entries themselves

Sha256Digest hash_with_prefix(std::uint8_t prefix, std::string_view first, std::string_view second = {}) {
  std::string octets(1, static_cast<char>(prefix));
  octets.append(first).append(second);
  return sha256(as_bytes(octets));
}

std::size_t split_of(std::size_t size) {
  std::size_t k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

Sha256Digest tree_hash(Texts entries) {
  if (entries.empty()) return sha256({});
  if (entries.size() == 1) return hash_with_prefix(0, entries[0]);
  const std::size_t k = split_of(entries.size());
  const Sha256Digest left = tree_hash(entries.first(k));
  const Sha256Digest right = tree_hash(entries.subspan(k));
  return hash_with_prefix(1, as_text(left), as_text(right));
}

Path audit_path(std::size_t m, Texts entries) {
  if (entries.size() == 1) return {};
  const std::size_t k = split_of(entries.size());
  const bool is_left = m < k;
  Path path = is_left ? audit_path(m, entries.first(k)) : audit_path(m - k, entries.subspan(k));
  path.push_back(tree_hash(is_left ? entries.subspan(k) : entries.first(k)));
  return path;
}

// --- a log

struct Log {
  void record(const std::string& event) {
    const std::uint64_t sequence = must(books.store->append_audit(entry(event)));
    entries.push_back(must(books.audit->entry(sequence)).json);
  }

  void record_until(std::size_t size) {
    while (entries.size() < size) record("event " + std::to_string(entries.size()));
  }

  void reopen() {
    close();
    open();
  }
  void close() {
    books = {};
    journal.reset();
  }
  void open() {
    journal = must(Journal::open(folder.path()));
    books = make_sqlite_books(journal);
  }

  void change(const char* statement) {
    close();
    must(must(Database::open(folder.path() / "chancery.db")).execute(statement));
  }

  [[nodiscard]] std::vector<std::string> all() {
    std::vector<std::string> out;
    std::uint64_t after = 0;
    while (true) {
      const std::vector<AuditRecord> page = must(books.store->audit_after(after, kMaxPage));
      if (page.empty()) return out;
      for (const AuditRecord& record : page) out.push_back(record.json);
      after = page.back().sequence;
    }
  }

  void expect_tree_of_what_is_recorded() {
    const std::vector<std::string> recorded = all();
    BOOST_TEST(books.audit->counts().size == recorded.size());
    BOOST_TEST((must(books.audit->root(recorded.size())) == tree_hash(recorded)));
  }

  TemporaryFolder folder;
  std::shared_ptr<Journal> journal = must(Journal::open(folder.path()));
  Books books = make_sqlite_books(journal);
  std::vector<std::string> entries;
};

std::size_t below(std::mt19937& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_log)

BOOST_FIXTURE_TEST_CASE(every_root_is_that_of_rfc_6962, Log) {
  constexpr std::size_t kMost = 600;
  BOOST_TEST((must(books.audit->root(0)) == tree_hash({})));
  record_until(kMost);
  for (std::size_t size = 1; size <= kMost; ++size) {
    BOOST_TEST((must(books.audit->root(size)) == tree_hash(Texts(entries).first(size))), size);
  }
  BOOST_TEST((refusal(books.audit->root(kMost + 1)) == kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(proofs_are_those_of_rfc_6962_and_lead_to_the_roots, Log) {
  record_until(600);
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = 1 + below(random, entries.size());
    const std::size_t index = below(random, size);
    const Path path = must(books.audit->inclusion(index + 1, size));
    BOOST_TEST((path == audit_path(index, Texts(entries).first(size))));
    const std::size_t before = 1 + below(random, size);
    const Path proof = must(books.audit->consistency(before, size));
    BOOST_TEST(audit::proves_consistency({before, tree_hash(Texts(entries).first(before))},
                                         {size, tree_hash(Texts(entries).first(size))}, proof));
  }
  std::vector<std::uint64_t> many;
  for (std::uint64_t number = 1; number <= 577; number += 3) many.push_back(number);
  const std::vector<Path> paths = must(books.audit->inclusions(many, 577));
  BOOST_REQUIRE(paths.size() == many.size());
  for (std::size_t i = 0; i < many.size(); ++i)
    BOOST_TEST((paths[i] == audit_path(many[i] - 1, Texts(entries).first(577))), many[i]);
  BOOST_TEST((refusal(books.audit->inclusions({1, 0}, 600)) == kNotFound));
  BOOST_TEST((refusal(books.audit->inclusions({1, 601}, 600)) == kInvalidArgument));
  BOOST_TEST((refusal(books.audit->inclusions({1}, 601)) == kInvalidArgument));
  BOOST_TEST((refusal(books.audit->inclusion(601, 600)) == kInvalidArgument));
  BOOST_TEST((refusal(books.audit->inclusion(0, 600)) == kNotFound));
  BOOST_TEST((refusal(books.audit->inclusion(1, 601)) == kInvalidArgument));
  BOOST_TEST((refusal(books.audit->consistency(600, 599)) == kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(the_tree_goes_on_where_it_was_after_a_restart, Log) {
  for (const std::size_t size : {0U, 1U, 255U, 256U, 257U, 511U, 512U, 515U}) {
    record_until(size);
    reopen();
    expect_tree_of_what_is_recorded();
    record("after a restart");
    expect_tree_of_what_is_recorded();
  }
}

BOOST_FIXTURE_TEST_CASE(effects_that_are_undone_leave_no_leaf, Log) {
  record_until(250);
  std::vector<std::jthread> callers;
  {
    const auto guard = journal->hold();
    for (int i = 0; i < 40; ++i) {
      callers.emplace_back([this, i] {
        const auto effect = [i] {
          return i % 3 == 0 ? Status{Error{kForbidden, "an effect that fails"}} : Status{};
        };
        static_cast<void>(journal->mutate(entry("effect " + std::to_string(i)), effect));
      });
    }
    while (journal->waiting() < 40) std::this_thread::yield();
  }
  callers.clear();
  BOOST_TEST(all().size() == 250U + 26U);
  expect_tree_of_what_is_recorded();
  reopen();
  expect_tree_of_what_is_recorded();
}

BOOST_AUTO_TEST_CASE(a_commit_that_fails_leaves_no_leaf_and_is_counted) {
  FaultyDisk disk;
  Log log;
  log.record_until(255);
  disk.set(DiskFault::kSyncFails);
  bool is_recorded = false;
  AuditEntry lost = entry("lost");
  lost.is_recorded = &is_recorded;
  BOOST_TEST((refusal(log.books.store->append_audit(lost)) == kStoreUnavailable));
  BOOST_TEST(!is_recorded);
  BOOST_TEST(log.books.audit->counts().failed == 1U);
  disk.set(DiskFault::kNone);
  must(log.books.store->append_audit(lost));
  BOOST_TEST(is_recorded);
  BOOST_TEST(log.books.audit->counts().recorded == 256U);
  log.expect_tree_of_what_is_recorded();
}

using Sequences = std::vector<std::uint64_t>;

Sequences sequences(const std::vector<AuditRecord>& records) {
  Sequences out;
  for (const AuditRecord& record : records) out.push_back(record.sequence);
  return out;
}

struct ReferringLog : Log {
  void refer(std::vector<std::string> refs) {
    AuditEntry audit = entry("event");
    audit.refs = std::move(refs);
    must(books.store->append_audit(audit));
  }
  [[nodiscard]] std::int64_t waiting() {
    const auto guard = journal->hold();
    return must(journal->database().number("SELECT count(*) FROM audit_recent"));
  }
};

// Of five entries the first ones are in the index, and the others wait.
BOOST_DATA_TEST_CASE(entries_are_found_by_what_they_refer_to, boost::unit_test::data::xrange(6), indexed) {
  ReferringLog log;
  for (int i = 0; i < 5; ++i) {
    log.refer({"token " + std::to_string(i), "all", "all"});
    if (i + 1 == indexed) BOOST_TEST(!must(log.books.audit->index_some(1)));
  }
  BOOST_TEST(log.waiting() == 5 - indexed);
  AuditBook& book = *log.books.audit;
  BOOST_TEST(sequences(must(book.with_ref("token 3", 0, 10))) == (Sequences{4}));
  BOOST_TEST(sequences(must(book.with_ref("all", 0, 10))) == (Sequences{1, 2, 3, 4, 5}));
  BOOST_TEST(sequences(must(book.with_ref("all", 1, 3))) == (Sequences{2, 3, 4}));
  BOOST_TEST(sequences(must(book.last_with_ref("all", 2))) == (Sequences{4, 5}));
  BOOST_TEST(sequences(must(book.last_with_ref("all", 10))) == (Sequences{1, 2, 3, 4, 5}));
  BOOST_TEST(must(book.with_ref("tok", 0, 10)).empty());
  BOOST_TEST((refusal(book.with_ref("all", 0, 0)) == kInvalidArgument));
  BOOST_TEST((refusal(book.entry(6)) == kNotFound));
  BOOST_TEST((refusal(book.entry(0)) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(references_come_into_the_index_some_at_a_time, ReferringLog) {
  for (int i = 0; i < 600; ++i) refer({"of " + std::to_string(i), "all"});
  BOOST_TEST(!must(books.audit->index_some(601)));
  BOOST_TEST(waiting() == 600);
  BOOST_TEST(must(books.audit->index_some(600)));
  BOOST_TEST(waiting() > 0);
  BOOST_TEST(waiting() < 600);
  while (must(books.audit->index_some(1))) {
  }
  BOOST_TEST(waiting() == 0);
  BOOST_TEST(!must(books.audit->index_some(0)));
  BOOST_TEST(must(books.audit->with_ref("all", 0, 1000)).size() == 600u);
  reopen();
  BOOST_TEST(sequences(must(books.audit->with_ref("of 599", 0, 10))) == (Sequences{600}));
}

// So that a search never reads through all of a log whose rounds nobody makes.
BOOST_FIXTURE_TEST_CASE(only_so_many_entries_wait_for_the_index, ReferringLog) {
  const AuditEntry last = entry("last");
  must(journal->mutate(last, [&]() -> Status {
    for (int i = 0; i < 5000; ++i) {
      AuditEntry audit = entry("event");
      audit.refs = {"of " + std::to_string(i), "all"};
      CHANCERY_TRY(journal->append_before(audit));
    }
    return {};
  }));
  BOOST_TEST(waiting() < 4300);
  BOOST_TEST(waiting() > 4000);
  BOOST_TEST(sequences(must(books.audit->with_ref("of 0", 0, 10))) == (Sequences{1}));
  BOOST_TEST(sequences(must(books.audit->with_ref("of 4999", 0, 10))) == (Sequences{5000}));
}

BOOST_FIXTURE_TEST_CASE(entries_say_which_configuration_governs, Log) {
  record("before");
  books.audit->govern_by("0123456789abcdef");
  record("under it");
  BOOST_TEST(entries[0] == R"({"action":"before","at":1000,"v":1})");
  BOOST_TEST(entries[1] == R"({"action":"under it","at":1000,"policy":"0123456789abcdef","v":1})");
}

BOOST_FIXTURE_TEST_CASE(each_log_has_a_name_of_its_own_for_good, Log) {
  const std::string name = must(books.audit->origin("issuer.example"));
  BOOST_TEST(name.starts_with("issuer.example/audit/"));
  BOOST_TEST(name.size() == std::string("issuer.example/audit/").size() + 16);
  reopen();
  BOOST_TEST(must(books.audit->origin("other.example")) == name);
  Log other;
  BOOST_TEST(must(other.books.audit->origin("issuer.example")) != name);
}

BOOST_FIXTURE_TEST_CASE(checkpoints_are_kept_in_their_order, Log) {
  BOOST_TEST(!must(books.audit->last_checkpoint()).has_value());
  const std::string name = must(books.audit->origin("issuer.example"));
  const auto checkpoint = [&](std::uint64_t size) {
    return SignedCheckpoint{size, sys_seconds(std::chrono::seconds(1000)),
                            name + "\n" + std::to_string(size) + "\n"};
  };
  for (const std::uint64_t size : {3U, 5U, 9U}) must(books.audit->keep(checkpoint(size)));
  BOOST_TEST((must(books.audit->last_checkpoint()) == checkpoint(9)));
  BOOST_TEST((must(books.audit->checkpoints(3, 1)) == std::vector{checkpoint(5)}));
  BOOST_TEST((refusal(books.audit->keep(checkpoint(5))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(a_log_that_was_renamed_has_no_checkpoints_of_before, Log) {
  const std::string former = must(books.audit->origin("issuer.example"));
  must(books.audit->keep({3, {}, former + "\n3\n"}));
  must(books.audit->rename(entry("log.rename")));
  const std::string present = must(books.audit->known_origin());
  BOOST_TEST(present.starts_with("issuer.example/audit/"));
  BOOST_TEST(present != former);
  BOOST_TEST(!must(books.audit->last_checkpoint()).has_value());
  BOOST_TEST(must(books.audit->checkpoints(0, 10)).empty());
  reopen();
  BOOST_TEST(must(books.audit->origin("other.example")) == present);
  must(books.audit->keep({4, {}, present + "\n4\n"}));
  BOOST_TEST(must(books.audit->last_checkpoint())->size == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_log_without_a_name_is_renamed_too, Log) {
  must(books.audit->rename(entry("log.rename")));
  BOOST_TEST(must(books.audit->known_origin()).empty());
  BOOST_TEST(must(books.audit->origin("issuer.example")).starts_with("issuer.example/audit/"));
}

BOOST_FIXTURE_TEST_CASE(what_is_in_the_log_is_not_changed_by_the_daemon, Log) {
  record_until(257);
  must(books.audit->keep({257, {}, "note"}));
  const auto guard = journal->hold();
  for (const char* statement : {"DELETE FROM audit", "UPDATE audit SET entry = 'x'",
                                "DELETE FROM audit_nodes", "UPDATE audit_nodes SET hash = zeroblob(32)",
                                "DELETE FROM audit_checkpoints", "UPDATE audit_checkpoints SET note = 'x'"}) {
    BOOST_TEST(!journal->database().execute(statement).has_value(), statement);
  }
}

BOOST_FIXTURE_TEST_CASE(a_tree_with_holes_is_not_opened, Log) {
  record_until(520);
  change("DROP TRIGGER audit_keeps_entries; DELETE FROM audit WHERE sequence = 515");
  BOOST_TEST((refusal(Journal::open(folder.path())) == kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(a_tree_without_a_node_is_not_opened, Log) {
  record_until(520);
  change("DROP TRIGGER audit_nodes_stay; DELETE FROM audit_nodes WHERE idx = 0");
  BOOST_TEST((refusal(Journal::open(folder.path())) == kStoreCorrupt));
}

constexpr const char* kEditEarlyEntry =
    "DROP TRIGGER audit_keeps_contents; UPDATE audit SET entry = replace(entry, 'event 4', 'event 5') WHERE sequence = 5";

BOOST_FIXTURE_TEST_CASE(entries_below_kept_nodes_are_held_against_them, Log) {
  record_until(600);
  BOOST_TEST(must(books.audit->check_blocks(0, 1)) == 1u);
  BOOST_TEST(must(books.audit->check_blocks(1, 100)) == 2u);
  BOOST_TEST(must(books.audit->check_blocks(2, 100)) == 2u);
  change(kEditEarlyEntry);
  open();
  // The node above it is the former one's: the root does not tell.
  BOOST_TEST((must(books.audit->root(600)) == tree_hash(entries)));
  const auto checked = books.audit->check_blocks(0, 100);
  BOOST_REQUIRE(!checked);
  BOOST_TEST((checked.error().code == kStoreCorrupt));
  BOOST_TEST(checked.error().native == 1u);
  BOOST_TEST(must(books.audit->check_blocks(1, 100)) == 2u);
}

// Of a node that stands for 256 others, too.
BOOST_AUTO_TEST_CASE(nodes_above_others_are_held_against_them) {
  TemporaryFolder folder;
  Database database = must(Database::open(folder.path() / "tree.db"));
  must(migrate(database, migrations().size()));
  constexpr std::uint64_t kSize = std::uint64_t{1} << 16;
  Transaction transaction = must(Transaction::begin(database));
  AuditTree tree = must(AuditTree::load(database));
  for (std::uint64_t i = 0; i < kSize; ++i) must(tree.append(database, entry("e"), std::to_string(i)));
  must(transaction.commit());
  BOOST_TEST(must(check_blocks(database, kSize, 0, kSize)) == 256u);
  must(database.execute(
      "DROP TRIGGER audit_nodes_keep_hashes; UPDATE audit_nodes SET hash = zeroblob(32) WHERE level = 16"));
  BOOST_TEST(must(check_blocks(database, kSize, 0, 255)) == 255u);
  BOOST_TEST((refusal(check_blocks(database, kSize, 255, 1)) == kStoreCorrupt));
}

// A daemon of before wrote entries with their digests: they are the first leaves.
BOOST_AUTO_TEST_CASE(entries_of_a_former_version_become_leaves) {
  const TemporaryFolder folder;
  const std::size_t former_schema = 9;
  std::vector<std::string> former;
  {
    Database old = must(Database::open(folder.path() / "chancery.db"));
    must(migrate(old, former_schema));
    must(old.execute("BEGIN"));
    for (int i = 0; i < 600; ++i) {
      former.push_back(R"({"action":"grant","at":1000,"details":{"n":)" + std::to_string(i) + "}}");
      Query insert = must(old.query("INSERT INTO audit (at, entry, sha256) VALUES (1000, ?, ?)"));
      const std::string digest(64, 'a');
      must(insert.bind(former.back()).bind(digest).run());
    }
    must(old.execute("COMMIT"));
  }
  const auto journal = must(Journal::open(folder.path()));
  const Books books = make_sqlite_books(journal);
  BOOST_TEST((must(books.audit->root(600)) == tree_hash(former)));
  BOOST_TEST(must(books.audit->entry(600)).json == former.back());
  BOOST_TEST(must(books.store->append_audit(entry("next"))) == 601U);
  former.push_back(must(books.audit->entry(601)).json);
  BOOST_TEST((must(books.audit->root(601)) == tree_hash(former)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
