// What the book of freezes must do.

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_freeze_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using enum ErrorCode;

constexpr sys_seconds kNow{10'000'000s};

struct Freezes {
  Freezes() { open(); }
  void open() {
    book.reset();
    store.reset();
    const auto journal = must(Journal::open(folder.path()));
    store = make_sqlite_store(journal);
    book = make_sqlite_freeze_book(journal);
  }
  std::uint16_t slot_of(const std::string& agent, sys_seconds now = kNow, std::uint16_t last = 3,
                        std::set<std::uint16_t> avoid = {}) {
    return must(book->take_slot({agent, last, std::move(avoid)}, now));
  }
  std::string add_agent(const std::string& name) {
    const Agent agent = fresh_agent(name);
    must(store->add_agent(agent, entry("agent.create")));
    return agent.id;
  }

  TemporaryFolder folder;
  std::unique_ptr<Store> store;
  std::unique_ptr<FreezeBook> book;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(freeze_book)

BOOST_FIXTURE_TEST_CASE(who_is_frozen_is_kept_over_a_restart, Freezes) {
  const Freeze all{"", kNow, "leak"};
  const Freeze one{"a1", kNow + 1s, ""};
  must(book->freeze(one, entry("agent.freeze")));
  must(book->freeze(all, entry("freeze.all")));
  open();
  BOOST_TEST((must(book->frozen()) == std::vector<Freeze>{all, one}));
}

BOOST_FIXTURE_TEST_CASE(the_first_time_and_reason_stand, Freezes) {
  const Freeze first{"a1", kNow, "odd"};
  must(book->freeze(first, entry("agent.freeze")));
  must(book->freeze({"a1", kNow + 60s, "later"}, entry("agent.freeze")));
  BOOST_TEST((must(book->frozen()) == std::vector<Freeze>{first}));
  BOOST_TEST(must(store->audit_tail(10)).size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_frozen_is_not_unfrozen, Freezes) {
  BOOST_TEST((refusal(book->unfreeze("a1", entry("agent.unfreeze"))) == kConflict));
  must(book->freeze({"", kNow, ""}, entry("freeze.all")));
  BOOST_TEST((refusal(book->unfreeze("a1", entry("agent.unfreeze"))) == kConflict));
  must(book->unfreeze("", entry("freeze.lift")));
  BOOST_TEST(must(book->frozen()).empty());
  BOOST_TEST(must(store->audit_tail(10)).size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(each_agent_has_a_slot_of_its_own_as_long_as_there_are_some, Freezes) {
  const std::string one = add_agent("one");
  const std::string two = add_agent("two");
  BOOST_TEST(slot_of(one) == 1);
  BOOST_TEST(slot_of(two) == 2);
  BOOST_TEST(slot_of(one) == 1);  // for good
  BOOST_TEST(slot_of(add_agent("three")) == 3);
  BOOST_TEST(slot_of(add_agent("four")) == 0);
  open();
  BOOST_TEST((must(book->slots()).at(1) == FreezeSlot{two, 2}));
}

BOOST_FIXTURE_TEST_CASE(keys_by_which_agents_sign_are_read_page_by_page, Freezes) {
  const std::string one = add_agent("one");
  add_agent("two");
  add_agent("three");
  must(store->retire_agent(one, entry("agent.retire")));
  const std::vector<AgentKey> first = must(book->active_keys(0, 1));
  BOOST_REQUIRE(first.size() == 1u);
  const Key two = must(store->agent_by_name("two")).key;
  BOOST_TEST(first.front().backend == two.backend);
  BOOST_TEST((first.front().blob == two.stored.blob));
  const std::vector<AgentKey> rest = must(book->active_keys(first.front().place, 10));
  BOOST_REQUIRE(rest.size() == 1u);
  BOOST_TEST((rest.front().blob == must(store->agent_by_name("three")).key.stored.blob));
  BOOST_TEST(must(book->active_keys(rest.front().place, 10)).empty());
}

BOOST_FIXTURE_TEST_CASE(keys_that_rotate_are_read_by_backend_page_by_page, Freezes) {
  std::vector<Key> former;
  for (const char* name : {"one", "two"}) {
    add_agent(name);
    const Agent agent = must(store->agent_by_name(name));
    former.push_back(agent.key);
    must(store->add_key(fresh_key_of(agent.id), kNow + 1h, entry("key.rotate")));
  }
  add_agent("three");
  const std::string backend = former.front().backend;
  const std::vector<AgentKey> first = must(book->rotating_keys(backend, 0, 1));
  BOOST_REQUIRE(first.size() == 1u);
  BOOST_TEST((first.front().blob == former[0].stored.blob));
  const std::vector<AgentKey> rest = must(book->rotating_keys(backend, first.front().place, 10));
  BOOST_REQUIRE(rest.size() == 1u);
  BOOST_TEST((rest.front().blob == former[1].stored.blob));
  BOOST_TEST(must(book->rotating_keys(backend, rest.front().place, 10)).empty());
  BOOST_TEST(must(book->rotating_keys("elsewhere", 0, 10)).empty());
}

BOOST_FIXTURE_TEST_CASE(a_slot_that_a_device_has_frozen_is_given_to_nobody_new, Freezes) {
  const std::string one = add_agent("one");
  BOOST_TEST(slot_of(one, kNow, 3, {1, 2}) == 3);
  BOOST_TEST(slot_of(add_agent("two"), kNow, 3, {1, 2}) == 0);
  BOOST_TEST(slot_of(one, kNow, 3, {3}) == 3);  // it is its own
}

BOOST_FIXTURE_TEST_CASE(slots_of_retired_agents_are_given_again, Freezes) {
  const std::string one = add_agent("one");
  BOOST_TEST(slot_of(one) == 1);
  must(store->retire_agent(one, entry("agent.retire")));
  BOOST_TEST(slot_of(add_agent("two")) == 1);
}

// A slot is taken before its agent is registered, which may come to nothing.
BOOST_FIXTURE_TEST_CASE(a_slot_whose_agent_was_never_registered_is_given_again_after_an_hour, Freezes) {
  BOOST_TEST(slot_of("never") == 1);
  BOOST_TEST(slot_of(add_agent("one"), kNow + 1h) == 2);
  BOOST_TEST(slot_of(add_agent("two"), kNow + 1h + 1s) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
