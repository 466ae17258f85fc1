// A module that does not answer: callers leave at their deadline, and whoever has another session goes on.

#include <thread>

#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using enum simulators::Pkcs11Call;
using enum ErrorCode;

/// Calls of a function wait until this ends.
class Hold {
 public:
  Hold(simulators::Pkcs11Faults& faults, simulators::Pkcs11Call call) : faults_(faults), call_(call) {
    faults_.hold(call_);
  }
  ~Hold() { faults_.release(call_); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  simulators::Pkcs11Faults& faults_;
  const simulators::Pkcs11Call call_;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_stalled_signature_ends_for_its_caller_at_the_deadline, SimulatedToken) {
  const auto backend = open(1);
  const StoredKey key = create_key(*backend);
  {
    const Hold hold(faults, kSign);
    BOOST_TEST(backend->load().is_up);
    BOOST_TEST((sign_code(*backend, key, in(50ms)) == kDeviceTimeout));
    BOOST_TEST(!backend->load().is_up);
    BOOST_TEST(faults.waiting(kSign) == 1u);
    // Its session is in the module still: whoever comes now waits for it in vain.
    BOOST_TEST((sign_code(*backend, key, in(50ms)) == kDeviceTimeout));
    BOOST_TEST(backend->load().queued == 0u);  // and leaves no request behind
  }
  BOOST_TEST(!sign_code(*backend, key).has_value());
  BOOST_TEST(backend->load().is_up);
}

BOOST_FIXTURE_TEST_CASE(a_stalled_session_does_not_stop_the_others, SimulatedToken) {
  const auto backend = open(2);
  const StoredKey stalled = create_key(*backend, "stalled");
  const StoredKey other = create_key(*backend, "other");
  const Hold hold(faults, kGenerateKeyPair);
  std::jthread caller([&] { static_cast<void>(backend->create({"slow", "k"}, Algorithm::kES256, in(10s))); });
  eventually([&] { return faults.waiting(kGenerateKeyPair) == 1; });
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(!sign_code(*backend, other).has_value());
    BOOST_TEST(!sign_code(*backend, stalled).has_value());
  }
  BOOST_TEST(faults.waiting(kGenerateKeyPair) == 1u);
  faults.release(kGenerateKeyPair);
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_says_busy, SimulatedToken) {
  Pkcs11Options small = options(1);
  small.queue = 2;
  const auto backend = required(Pkcs11Backend::open(std::move(small)));
  const StoredKey key = create_key(*backend);
  const Hold hold(faults, kSign);
  std::vector<std::jthread> callers;
  callers.emplace_back([&] { static_cast<void>(sign_code(*backend, key, in(10s))); });
  eventually([&] { return faults.waiting(kSign) == 1; });
  callers.emplace_back([&] { static_cast<void>(sign_code(*backend, key, in(10s))); });
  eventually([&] { return backend->load().queued == 1; });
  BOOST_TEST((sign_code(*backend, key, in(10s)) == kDeviceBusy));  // the agent's share of the queue
  faults.release(kSign);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_nobody_waited_for_is_removed_again, SimulatedToken) {
  const auto backend = open(1);
  {
    const Hold hold(faults, kGenerateKeyPair);
    BOOST_TEST(
        (backend->create({"agent", "k1"}, Algorithm::kES256, in(50ms)).error().code == kDeviceTimeout));
  }
  eventually([&] { return faults.calls(kDestroyObject) == 2; });
}

BOOST_FIXTURE_TEST_CASE(a_backend_ends_although_the_module_is_stalled, SimulatedToken) {
  auto backend = open(2);
  const StoredKey key = create_key(*backend);
  {
    const Hold hold(faults, kSign);
    BOOST_TEST((sign_code(*backend, key, in(20ms)) == kDeviceTimeout));
    backend.reset();
    BOOST_TEST(faults.waiting(kSign) == 1u);
    BOOST_TEST(faults.calls(kFinalize) == 0u);  // not under the feet of a call
  }
  eventually([&] { return faults.calls(kFinalize) == 1; });
}

BOOST_FIXTURE_TEST_CASE(a_module_that_stalls_at_once_does_not_stop_the_start, SimulatedToken) {
  std::unique_ptr<Pkcs11Backend> backend;
  {
    const Hold hold(faults, kInitialize);
    Pkcs11Options impatient = options();
    impatient.timeout = 50ms;
    backend = required(Pkcs11Backend::open(std::move(impatient)));
    BOOST_TEST((backend->check(in(50ms)).error().code == kDeviceTimeout));
  }
  BOOST_TEST(!sign_code(*backend, create_key(*backend)).has_value());
}

}  // namespace chancery::hsm
