// What every book of join tokens must do.

#include <atomic>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_join_book.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;

constexpr sys_seconds kNow{seconds{10'000}};
const std::string kHash(64, 'a');

struct Book {
  Book() { must(book->add(token, entry("join_token"))); }

  JoinUse take(sys_seconds now = kNow) {
    JoinToken out;
    return must(book->take(kHash, now, out));
  }

  TemporaryFolder folder;
  std::unique_ptr<JoinBook> book = make_sqlite_join_book(must(Journal::open(folder.path())));
  JoinToken token{kHash, std::string(32, '1'), "a~b", kNow, kNow + seconds(600)};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(join_book)

BOOST_FIXTURE_TEST_CASE(a_token_is_good_once_and_comes_with_what_it_is_for, Book) {
  JoinToken out;
  BOOST_TEST((must(book->take(kHash, kNow, out)) == JoinUse::kTaken));
  BOOST_TEST((out == token));
  BOOST_TEST((take() == JoinUse::kUsedBefore));
  BOOST_TEST((take(kNow + seconds(601)) == JoinUse::kUsedBefore));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_good_until_its_last_second, Book) {
  BOOST_TEST((take(kNow + seconds(601)) == JoinUse::kExpired));
  BOOST_TEST((take(kNow + seconds(600)) == JoinUse::kTaken));
}

BOOST_FIXTURE_TEST_CASE(a_token_that_was_never_made_is_unknown, Book) {
  JoinToken out;
  BOOST_TEST((must(book->take(std::string(64, 'b'), kNow, out)) == JoinUse::kUnknown));
}

BOOST_FIXTURE_TEST_CASE(exactly_one_of_a_hundred_uses_wins_also_after_a_restart, Book) {
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> users;
    for (int i = 0; i < 100; ++i) users.emplace_back([&] { taken += take() == JoinUse::kTaken ? 1 : 0; });
  }
  BOOST_TEST(taken == 1);
  book.reset();
  book = make_sqlite_join_book(must(Journal::open(folder.path())));
  BOOST_TEST((take() == JoinUse::kUsedBefore));
}

BOOST_FIXTURE_TEST_CASE(a_token_that_is_given_back_is_good_again, Book) {
  BOOST_TEST((take() == JoinUse::kTaken));
  must(book->give_back(kHash));
  BOOST_TEST((take() == JoinUse::kTaken));
}

BOOST_FIXTURE_TEST_CASE(a_second_use_is_noticed_for_a_day, Book) {
  BOOST_TEST((take() == JoinUse::kTaken));
  must(book->prune(token.expires_at + std::chrono::hours(24)));
  BOOST_TEST((take() == JoinUse::kUsedBefore));
  must(book->prune(token.expires_at + std::chrono::hours(24) + seconds(1)));
  BOOST_TEST((take() == JoinUse::kUnknown));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
