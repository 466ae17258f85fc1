// What every book of grants must do.

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_grant_book.hpp"
#include "daemon/store/sqlite_vault_book.hpp"
#include "tests/unit/daemon/folder_octets.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;
using enum ErrorCode;

constexpr sys_seconds kNow{seconds{10'000}};

SealedGrant grant_of(std::uint64_t generation, GrantState state = GrantState::kUsable) {
  SealedGrant out;
  out.issuer = "calendar";
  out.state = state;
  out.since = kNow + seconds(generation);
  out.generation = generation;
  if (state != GrantState::kEnded)
    out.envelope = Envelope{Bytes(60, 1), Bytes(90, static_cast<std::uint8_t>(generation))};
  return out;
}

struct Grants {
  SealedGrant there() {
    const auto found = must(book->find("calendar"));
    BOOST_REQUIRE(found);
    return *found;
  }
  void reopen() {
    book.reset();
    book = make_sqlite_grant_book(must(Journal::open(folder.path())));
  }

  TemporaryFolder folder;
  std::unique_ptr<GrantBook> book = make_sqlite_grant_book(must(Journal::open(folder.path())));
};

}  // namespace

BOOST_AUTO_TEST_SUITE(grant_book)

BOOST_FIXTURE_TEST_CASE(there_is_none_before_the_first, Grants) { BOOST_TEST(!must(book->find("calendar"))); }

BOOST_FIXTURE_TEST_CASE(each_state_is_kept_over_a_restart, Grants) {
  std::uint64_t generation = 0;
  for (const GrantState state : {GrantState::kUsable, GrantState::kRefreshing, GrantState::kUncertain,
                                 GrantState::kUsable, GrantState::kEnded}) {
    const SealedGrant next = grant_of(++generation, state);
    must(book->replace(next));
    reopen();
    BOOST_TEST((there() == next), grant_state_name(state));
  }
}

BOOST_FIXTURE_TEST_CASE(the_first_may_have_ended, Grants) {
  must(book->replace(grant_of(1, GrantState::kEnded)));
  BOOST_TEST((there() == grant_of(1, GrantState::kEnded)));
}

BOOST_FIXTURE_TEST_CASE(only_what_was_seen_is_replaced, Grants) {
  must(book->replace(grant_of(1)));
  must(book->replace(grant_of(2)));
  for (const std::uint64_t stale : {1u, 2u, 4u}) {
    BOOST_TEST((refusal(book->replace(grant_of(stale))) == kConflict), stale);
    BOOST_TEST((refusal(book->replace(grant_of(stale, GrantState::kEnded))) == kConflict), stale);
  }
  BOOST_TEST((there() == grant_of(2)));
}

BOOST_FIXTURE_TEST_CASE(each_issuer_has_its_own, Grants) {
  must(book->replace(grant_of(1)));
  SealedGrant other = grant_of(1);
  other.issuer = "mail";
  must(book->replace(other));
  BOOST_TEST((there() == grant_of(1)));
  BOOST_TEST((must(book->find("mail")) == other));
}

BOOST_FIXTURE_TEST_CASE(what_was_replaced_is_in_no_file, Grants) {
  SealedGrant first = grant_of(1);
  const std::string mark = "envelope-of-the-first-refresh-token";
  first.envelope->value.assign(mark.begin(), mark.end());
  must(book->replace(first));
  BOOST_TEST(stands_in_files(folder.path(), mark));
  must(book->replace(grant_of(2)));
  BOOST_TEST(!stands_in_files(folder.path(), mark));
}

BOOST_AUTO_TEST_CASE(a_reset_of_the_vault_ends_every_grant) {
  const TemporaryFolder folder;
  const auto journal = must(Journal::open(folder.path()));
  const auto grants = make_sqlite_grant_book(journal);
  must(grants->replace(grant_of(1)));
  must(make_sqlite_vault_book(journal)->reset(kNow + seconds(9), entry("vault.reset")));
  const auto found = must(grants->find("calendar"));
  BOOST_REQUIRE(found);
  BOOST_TEST((found->state == GrantState::kEnded));
  BOOST_TEST((found->since == kNow + seconds(9)));
  BOOST_TEST(!found->envelope);
  BOOST_TEST(found->generation == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
