#include "daemon/runtime/receipts.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
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

/// A device that signs when it is let, and notes what it signed together. Which permits it does not know can be said.
struct Device {
  Receipts::Sign sign() {
    return [this](const std::vector<std::string>& permits) -> Result<std::string> {
      const std::lock_guard lock(mutex);
      ++attempts;
      if (failure) return *failure;
      for (const std::string& permit : permits) {
        if (unknown.contains(permit)) return Error{ErrorCode::kNotFound, "no such permit"};
      }
      batches.push_back(permits);
      return "jws " + std::to_string(batches.size());
    };
  }
  Receipts::Complain complain() {
    return [this](const Error&, std::string_view permit) {
      const std::lock_guard lock(mutex);
      ++complaints;
      if (!permit.empty()) given_up.emplace_back(permit);
    };
  }

  std::mutex mutex;
  std::optional<Error> failure;
  std::set<std::string> unknown;
  std::vector<std::vector<std::string>> batches;
  std::vector<std::string> given_up;
  int attempts = 0;
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

namespace {

struct Unknown {
  const char* name;
  std::set<std::string> permits;
};
std::ostream& operator<<(std::ostream& out, const Unknown& row) { return out << row.name; }
const std::array kUnknown{
    Unknown{"the first", {"p0"}},          Unknown{"the last", {"p63"}},
    Unknown{"one in the middle", {"p31"}}, Unknown{"two side by side", {"p31", "p32"}},
    Unknown{"each end", {"p0", "p63"}},
};

}  // namespace

BOOST_DATA_TEST_CASE(one_that_the_daemon_does_not_know_takes_no_other_with_it,
                     boost::unit_test::data::make(kUnknown), row) {
  Device device;
  device.unknown = row.permits;
  device.mutex.lock();  // so that all of them are asked for together, or nearly
  Receipts receipts(device.sign(), device.complain());
  for (int i = 0; i < 64; ++i) receipts.add("p" + std::to_string(i), "{}");
  device.mutex.unlock();
  BOOST_TEST(eventually([&] { return receipts.waiting() == 0; }));
  for (int i = 0; i < 64; ++i) {
    const std::string permit = "p" + std::to_string(i);
    BOOST_TEST(is_signed(receipts, permit) == !row.permits.contains(permit), permit);
  }
  const std::lock_guard lock(device.mutex);
  BOOST_TEST(std::set<std::string>(device.given_up.begin(), device.given_up.end()) == row.permits,
             boost::test_tools::per_element());
  // Halves of halves, and not one by one.
  BOOST_TEST(device.attempts <= 2 * 7 * static_cast<int>(row.permits.size()) + 2);
}

namespace {

struct Refusal {
  const char* name;
  ErrorCode code;
};
std::ostream& operator<<(std::ostream& out, const Refusal& row) { return out << row.name; }
constexpr std::array kRefusals{
    Refusal{"the runtime is not registered", ErrorCode::kForbidden},
    Refusal{"the daemon is away", ErrorCode::kConnectFailed},
    Refusal{"the database is away", ErrorCode::kStoreUnavailable},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_is_refused_to_everybody_is_asked_for_again_after_a_pause,
                     boost::unit_test::data::make(kRefusals), row) {
  Device device;
  device.failure = Error{row.code, "not now"};
  const auto began = std::chrono::steady_clock::now();
  Receipts receipts(device.sign(), device.complain());
  receipts.add("p", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
  {
    const std::lock_guard lock(device.mutex);
    // A second between two attempts at least, however long this test has been waiting for its turn.
    const auto seconds = (std::chrono::steady_clock::now() - began) / 1s;
    BOOST_TEST(device.attempts <= 1 + seconds);
    BOOST_TEST(device.given_up.empty());
    device.failure.reset();
  }
  BOOST_TEST(receipts.waiting() == 1u);
  BOOST_TEST(eventually([&] { return is_signed(receipts, "p"); }));
  BOOST_TEST(receipts.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(what_waits_is_signed_before_the_end) {
  Device device;
  Receipts receipts(
      [&device](const std::vector<std::string>& permits) {
        std::this_thread::sleep_for(20ms);  // as a device does
        return device.sign()(permits);
      },
      device.complain());
  for (int i = 0; i < 300; ++i) receipts.add("p" + std::to_string(i), "{}");
  BOOST_TEST(receipts.settle(60s) == 0u);
  for (int i = 0; i < 300; ++i) BOOST_TEST(is_signed(receipts, "p" + std::to_string(i)));
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_no_device_that_is_away) {
  Device device;
  device.failure = Error{ErrorCode::kDeviceUnavailable, "away"};
  Receipts receipts(device.sign(), device.complain());
  receipts.add("p", "{}");
  receipts.add("q", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
  BOOST_TEST(receipts.settle(1h) == 2u);  // after one more attempt
  const std::lock_guard lock(device.mutex);
  BOOST_TEST(device.attempts >= 2);
}

BOOST_AUTO_TEST_CASE(the_end_uses_a_device_that_has_come_back) {
  Device device;
  device.failure = Error{ErrorCode::kDeviceUnavailable, "away"};
  Receipts receipts(device.sign(), device.complain());
  receipts.add("p", "{}");
  BOOST_TEST(eventually([&] { return device.complaints > 0; }));
  {
    const std::lock_guard lock(device.mutex);
    device.failure.reset();
  }
  BOOST_TEST(receipts.settle(1h) == 0u);
  BOOST_TEST(is_signed(receipts, "p"));
}

BOOST_AUTO_TEST_CASE(nothing_that_waits_needs_no_patience) {
  Device device;
  Receipts receipts(device.sign(), device.complain());
  BOOST_TEST(receipts.settle(0ms) == 0u);
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
