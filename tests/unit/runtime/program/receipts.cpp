#include "daemon/runtime/receipts.hpp"

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// A device that signs when it is let, and notes what it signed together.
struct Device {
  Receipts::Sign sign() {
    return [this](const std::vector<std::string>& permits) -> Result<std::string> {
      const std::lock_guard lock(mutex);
      if (failure) return *failure;
      batches.push_back(permits);
      return "jws " + std::to_string(batches.size());
    };
  }
  Receipts::Complain complain() {
    return [this](const Error&) { ++complaints; };
  }

  std::mutex mutex;
  std::optional<Error> failure;
  std::vector<std::vector<std::string>> batches;
  std::atomic<int> complaints = 0;
};

bool is_signed(const Receipts& receipts, const std::string& permit) {
  const auto found = receipts.find(permit);
  return found && !found->jws.empty();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(receipts)

BOOST_AUTO_TEST_CASE(a_receipt_is_kept_and_signed_soon) {
  Device device;
  Receipts receipts(device.sign(), device.complain());
  BOOST_TEST(!receipts.find("p").has_value());
  receipts.add("p", "{}");
  BOOST_TEST(eventually([&] { return is_signed(receipts, "p"); }));
  BOOST_TEST(receipts.find("p")->receipt == "{}");
}

BOOST_AUTO_TEST_CASE(receipts_that_wait_are_signed_together) {
  Device device;
  Receipts receipts(
      [&device](const std::vector<std::string>& permits) {
        std::this_thread::sleep_for(20ms);  // as a device does
        return device.sign()(permits);
      },
      device.complain());
  for (int i = 0; i < 200; ++i) receipts.add("p" + std::to_string(i), "{}");
  BOOST_TEST(eventually([&] { return is_signed(receipts, "p199"); }));
  const std::lock_guard lock(device.mutex);
  BOOST_TEST(device.batches.size() <= 5u);
  std::size_t count = 0;
  for (const auto& batch : device.batches) {
    BOOST_TEST(batch.size() <= Receipts::kMostTogether);
    count += batch.size();
  }
  BOOST_TEST(count == 200u);
}

BOOST_AUTO_TEST_CASE(a_device_that_is_away_is_waited_for) {
  Device device;
  device.failure = Error{ErrorCode::kDeviceUnavailable, "away"};
  Receipts receipts(device.sign(), device.complain());
  receipts.add("p", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
  BOOST_TEST(!is_signed(receipts, "p"));
  {
    const std::lock_guard lock(device.mutex);
    device.failure.reset();
  }
  BOOST_TEST(eventually([&] { return is_signed(receipts, "p"); }));
}

BOOST_AUTO_TEST_CASE(what_the_daemon_does_not_know_is_given_up) {
  Device device;
  device.failure = Error{ErrorCode::kNotFound, "forgotten"};
  Receipts receipts(device.sign(), device.complain());
  receipts.add("old", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
  {
    const std::lock_guard lock(device.mutex);
    device.failure.reset();
  }
  receipts.add("new", "{}");
  BOOST_TEST(eventually([&] { return is_signed(receipts, "new"); }));
  BOOST_TEST(!is_signed(receipts, "old"));
}

BOOST_AUTO_TEST_CASE(the_last_ten_thousand_are_kept) {
  Device device;
  Receipts receipts(device.sign(), device.complain());
  for (std::size_t i = 0; i <= Receipts::kMostKept; ++i) receipts.add("p" + std::to_string(i), "{}");
  BOOST_TEST(!receipts.find("p0").has_value());
  BOOST_TEST(receipts.find("p1").has_value());
}

BOOST_AUTO_TEST_CASE(it_ends_while_a_device_is_away) {
  Device device;
  device.failure = Error{ErrorCode::kDeviceUnavailable, "away"};
  Receipts receipts(device.sign(), device.complain());
  receipts.add("p", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
