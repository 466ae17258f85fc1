// The PIN over the lives of the processes that present it: one that was refused is not presented again.

#include <csignal>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "tests/unit/pkcs11/owner_child.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using enum simulators::Pkcs11Call;
using enum ErrorCode;

/// The PIN that is configured is wrong.
struct WrongPin : SimulatedToken {
  WrongPin() { std::ofstream(token.pin_file) << "000000\n"; }

  void is_refused(Pkcs11Backend& backend) {
    for (int i = 0; i < 3; ++i) {
      const Status status = backend.check(far_away());
      BOOST_REQUIRE(!status);
      BOOST_TEST((status.error().code == kPinRefused));
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_refused_pin_outlives_the_process_that_presented_it, WrongPin) {
  const auto backend = required(Pkcs11Backend::open(isolated(4)));
  is_refused(*backend);
  if (const auto child = owner_child()) ::kill(*child, SIGKILL);
  eventually([&] { return backend->load().recoveries == 1; });
  is_refused(*backend);
  BOOST_TEST((backend->create({"agent", "k1"}, Algorithm::kES256, far_away()).error().code == kPinRefused));
  BOOST_TEST(faults.calls(kLogin) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_token_that_refused_the_pin_tells_its_state_all_the_same, WrongPin) {
  const auto backend = required(Pkcs11Backend::open(isolated(2)));
  is_refused(*backend);
  BOOST_TEST(required(backend->facts(far_away())).size() == 5u);
  BOOST_TEST(!backend->load().is_up);
  if (const auto child = owner_child()) ::kill(*child, SIGKILL);
  BOOST_TEST(required(backend->facts(far_away())).size() == 5u);  // of the next process too
  is_refused(*backend);
  BOOST_TEST(faults.calls(kLogin) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_refusal_that_a_crash_kept_from_us_is_read_from_the_token, WrongPin) {
  faults.crash_late(kLogin);
  const auto backend = required(Pkcs11Backend::open(isolated(4)));
  is_refused(*backend);
  BOOST_TEST(faults.calls(kLogin) == 1u);
  BOOST_TEST(backend->load().recoveries == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pin_of_which_nothing_is_known_is_presented_twice_at_most, SimulatedToken) {
  faults.crash(kLogin, 100);
  const auto backend = required(Pkcs11Backend::open(isolated(4)));
  for (int i = 0; i < 3; ++i) BOOST_TEST((backend->check(far_away()).error().code == kPinRefused));
  BOOST_TEST(faults.calls(kLogin) == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_good_pin_is_presented_by_each_new_process, SimulatedToken) {
  const auto backend = required(Pkcs11Backend::open(isolated(1)));
  for (std::uint64_t life = 2; life <= 4; ++life) {
    faults.crash(kGetSessionInfo);
    BOOST_TEST(backend->check(far_away()).has_value());
    BOOST_TEST(faults.calls(kLogin) == life);
  }
}

BOOST_FIXTURE_TEST_CASE(a_token_that_locked_itself_is_asked_again_when_it_was_unlocked, SimulatedToken) {
  faults.plan().token_flags = CKF_USER_PIN_LOCKED;
  const auto backend = required(Pkcs11Backend::open(isolated(1)));
  BOOST_TEST((backend->check(far_away()).error().code == kDeviceLockout));
  faults.plan().token_flags = 0;
  BOOST_TEST(backend->check(far_away()).has_value());
  BOOST_TEST(faults.calls(kLogin) == 1u);
}

}  // namespace chancery::hsm
