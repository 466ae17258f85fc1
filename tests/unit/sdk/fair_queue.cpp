#include "sdk/base/fair_queue.hpp"

#include <string>

#include <boost/test/unit_test.hpp>

namespace chancery::tests {
namespace {

struct Request {
  std::string owner;
};
using Queue = FairQueue<Request>;

Queue::Item request_of(std::string owner) { return std::make_shared<Request>(Request{std::move(owner)}); }

std::string order_of(Queue& queue) {
  std::string owners;
  while (const auto item = queue.pop()) owners += item->owner;
  return owners;
}

}  // namespace

BOOST_AUTO_TEST_CASE(owners_take_turns_and_their_own_requests_keep_their_order) {
  Queue queue(100);
  for (const char* owner : {"a", "a", "a", "b", "b", "c"}) BOOST_TEST(queue.push(request_of(owner)));
  BOOST_TEST(queue.size() == 6u);
  BOOST_TEST(order_of(queue) == "abcaba");
  BOOST_TEST(queue.size() == 0u);

  const auto first = request_of("a"), second = request_of("a");
  BOOST_TEST(queue.push(first));
  BOOST_TEST(queue.push(second));
  BOOST_TEST(queue.pop() == first);
  BOOST_TEST(queue.pop() == second);
}

BOOST_AUTO_TEST_CASE(a_newcomer_waits_for_one_turn_of_each_other_owner_at_most) {
  Queue queue(100);
  for (int i = 0; i < 20; ++i) BOOST_TEST(queue.push(request_of("busy")));
  BOOST_TEST(queue.pop() != nullptr);
  BOOST_TEST(queue.push(request_of("new")));
  BOOST_TEST(queue.pop()->owner == "busy");
  BOOST_TEST(queue.pop()->owner == "new");
}

BOOST_AUTO_TEST_CASE(one_owner_fills_half_of_the_queue_and_all_of_them_the_whole) {
  Queue queue(4);
  BOOST_TEST(queue.push(request_of("a")));
  BOOST_TEST(queue.push(request_of("a")));
  BOOST_TEST(!queue.push(request_of("a")));
  BOOST_TEST(queue.push(request_of("b")));
  BOOST_TEST(queue.push(request_of("c")));
  BOOST_TEST(!queue.push(request_of("d")));
  BOOST_TEST(queue.pop() != nullptr);
  BOOST_TEST(queue.push(request_of("d")));
}

BOOST_AUTO_TEST_CASE(a_queue_of_one_takes_one) {
  Queue queue(1);
  BOOST_TEST(queue.push(request_of("a")));
  BOOST_TEST(!queue.push(request_of("b")));
}

BOOST_AUTO_TEST_CASE(a_request_whose_caller_has_gone_leaves_its_place) {
  Queue queue(4);
  const auto gone = request_of("a");
  BOOST_TEST(queue.push(request_of("a")));
  BOOST_TEST(queue.push(gone));
  BOOST_TEST(queue.push(request_of("b")));
  queue.remove(*gone);
  queue.remove(*gone);
  queue.remove(*request_of("nobody"));
  BOOST_TEST(queue.size() == 2u);
  BOOST_TEST(order_of(queue) == "ab");

  const auto only = request_of("c");
  BOOST_TEST(queue.push(only));
  queue.remove(*only);
  BOOST_TEST(queue.pop() == nullptr);
}

BOOST_AUTO_TEST_CASE(draining_takes_everything) {
  Queue queue(10);
  for (const char* owner : {"a", "b", "a"}) BOOST_TEST(queue.push(request_of(owner)));
  BOOST_TEST(queue.drain().size() == 3u);
  BOOST_TEST(queue.pop() == nullptr);
}

}  // namespace chancery::tests
