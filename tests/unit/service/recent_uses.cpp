// Of many tokens those are forgotten first that were used longest ago.

#include "daemon/service/recent_uses.hpp"

#include <string>

#include <boost/test/unit_test.hpp>

#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

Sha256Digest token(int number) { return sha256(as_bytes(std::to_string(number))); }

}  // namespace

BOOST_AUTO_TEST_SUITE(recent_uses)

BOOST_AUTO_TEST_CASE(the_last_use_of_each_token_is_told) {
  RecentUses uses;
  BOOST_TEST(!uses.find(token(1)).has_value());
  uses.note(token(1), sys_seconds{seconds{5}});
  uses.note(token(1), sys_seconds{seconds{9}});
  BOOST_TEST((uses.find(token(1)) == sys_seconds{seconds{9}}));
}

BOOST_AUTO_TEST_CASE(a_token_that_is_used_again_and_again_makes_nobody_forget) {
  RecentUses uses(160);
  for (int i = 0; i < 100; ++i) uses.note(token(i), sys_seconds{seconds{i}});
  for (int i = 0; i < 10'000; ++i) uses.note(token(i % 100), sys_seconds{seconds{1000}});
  for (int i = 0; i < 100; ++i) BOOST_TEST(uses.find(token(i)).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_used_longest_ago_is_forgotten_first) {
  RecentUses uses(1600);
  for (int i = 0; i < 10'000; ++i) uses.note(token(i), sys_seconds{seconds{i}});
  for (int i = 9500; i < 10'000; ++i) BOOST_TEST(uses.find(token(i)).has_value(), i);
  for (int i = 0; i < 5000; ++i) BOOST_TEST(!uses.find(token(i)).has_value(), i);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::service
