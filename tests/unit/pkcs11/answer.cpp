#include "hsm/pkcs11/answer.hpp"

#include <thread>

#include <boost/test/unit_test.hpp>

namespace chancery::hsm::tests {
namespace {

using namespace std::chrono_literals;

Deadline within(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

BOOST_AUTO_TEST_SUITE(answer)

BOOST_AUTO_TEST_CASE(a_caller_is_given_what_is_put) {
  Answer<int> answer;
  const std::jthread other([&] { BOOST_TEST(answer.put(7)); });
  BOOST_TEST(answer.wait_until(within(60s)).value_or(0) == 7);
}

// Whoever should wake it may be held up by another caller's request.
BOOST_AUTO_TEST_CASE(a_caller_that_nobody_wakes_finds_its_value_before_the_deadline) {
  Answer<int> answer;
  const Deadline deadline = within(60s);
  const std::jthread other([&] { BOOST_TEST(answer.leave(7)); });
  BOOST_TEST(answer.wait_until(deadline).value_or(0) == 7);
  BOOST_TEST((std::chrono::steady_clock::now() < deadline));
}

BOOST_AUTO_TEST_CASE(a_caller_that_has_left_takes_nothing) {
  Answer<int> answer;
  BOOST_TEST(!answer.wait_until(within(1ms)).has_value());
  BOOST_TEST(!answer.put(7));
  BOOST_TEST(!answer.leave(7));
}

BOOST_AUTO_TEST_CASE(a_value_that_was_there_before_is_taken_even_at_the_deadline) {
  Answer<int> answer;
  BOOST_TEST(answer.leave(7));
  BOOST_TEST(answer.wait_until(within(0ms)).value_or(0) == 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm::tests
