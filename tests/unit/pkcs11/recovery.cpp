// What fails in a module, and how often it is tried again.

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::simulators {
static std::ostream& operator<<(std::ostream& out, Pkcs11Call call) { return out << static_cast<int>(call); }
}  // namespace chancery::simulators

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;
using simulators::Pkcs11Call;
using enum Pkcs11Call;
using enum ErrorCode;

struct Running : SimulatedToken {
  std::unique_ptr<Pkcs11Backend> backend = open(1);
  StoredKey key = create_key(*backend);
};

constexpr std::array<CK_RV, 8> kTransient{
    CKR_DEVICE_ERROR,  CKR_DEVICE_REMOVED,         CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID,
    CKR_SESSION_COUNT, CKR_SESSION_HANDLE_INVALID, CKR_TOKEN_NOT_PRESENT,     CKR_USER_NOT_LOGGED_IN};
constexpr std::array kStepsOfSigning{kSignInit, kSign};
constexpr std::array kStepsOfOpening{kGetSlotList, kOpenSession, kGetSessionInfo, kLogin};

constexpr std::array<CK_RV, 5> kRefusals{CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE,
                                         CKR_PIN_EXPIRED, CKR_PIN_LOCKED};

}  // namespace

BOOST_DATA_TEST_CASE(a_failure_that_passes_is_not_noticed,
                     data::make(kTransient) * data::make(kStepsOfSigning), rv, step) {
  Running run;
  const std::uint64_t logins = run.faults.calls(kLogin);
  run.faults.fail(step, rv, 1);
  BOOST_TEST(!sign_code(*run.backend, run.key).has_value());
  BOOST_TEST(run.faults.calls(kLogin) == logins + 1);  // the last session was closed, and the login with it
  BOOST_TEST(run.backend->load().recoveries == 1u);
  BOOST_TEST(run.backend->load().live_sessions == 1u);
}

BOOST_DATA_TEST_CASE(a_failure_that_stays_is_told_after_the_second_time, data::make(kTransient), rv) {
  Running run;
  const std::uint64_t signs = run.faults.calls(kSign);
  run.faults.fail(kSign, rv, 1000);
  const auto error = sign_error(*run.backend, run.key);
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST((error->code == kDeviceUnavailable || error->code == kDeviceError));
  BOOST_TEST(error->native == rv);
  BOOST_TEST(run.faults.calls(kSign) == signs + 2);
  run.faults.fail(kSign, 0, 0);
  BOOST_TEST(!sign_code(*run.backend, run.key).has_value());
}

BOOST_DATA_TEST_CASE(a_failure_while_a_session_is_opened_is_not_noticed, data::make(kStepsOfOpening), step) {
  Running run;
  run.faults.fail(kSign, CKR_SESSION_HANDLE_INVALID, 1);
  const std::uint64_t signatures = run.faults.calls(kSign);
  // The first attempt opens nothing; the request has had its second then.
  run.faults.fail(step, CKR_DEVICE_ERROR, 1);
  const auto error = sign_error(*run.backend, run.key);
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST(error->native == CKR_DEVICE_ERROR);
  BOOST_TEST(run.faults.calls(kSign) == signatures + 1);
  BOOST_TEST(!sign_code(*run.backend, run.key).has_value());
}

BOOST_FIXTURE_TEST_CASE(other_failures_are_told_at_once, Running) {
  const std::uint64_t signs = faults.calls(kSign);
  faults.fail(kSign, CKR_DEVICE_MEMORY, 1);
  const auto error = sign_error(*backend, key);
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST((error->code == kDeviceError));
  BOOST_TEST(error->native == CKR_DEVICE_MEMORY);
  BOOST_TEST(faults.calls(kSign) == signs + 1);
}

BOOST_DATA_TEST_CASE(a_key_is_made_once_whatever_fails,
                     data::make(std::array{kGenerateKeyPair, kGetAttributeValue}), step) {
  Running run;
  run.faults.fail(step, CKR_DEVICE_ERROR, 1);
  const StoredKey second = create_key(*run.backend, "second");
  BOOST_TEST(!sign_code(*run.backend, second).has_value());
  BOOST_REQUIRE(run.backend->destroy(second, far_away()));
  BOOST_TEST((sign_code(*run.backend, second) == kKeyLost));
}

// --- the PIN

BOOST_DATA_TEST_CASE(a_refused_pin_is_presented_once, data::make(kRefusals), rv) {
  SimulatedToken simulated;
  simulated.faults.fail(kLogin, rv, 1);
  const auto backend = simulated.open(3);  // comes up all the same: a restart would try the PIN again
  for (int i = 0; i < 5; ++i) {
    const Status status = backend->check(far_away());
    BOOST_REQUIRE(!status);
    BOOST_TEST((status.error().code == kPinRefused));
    BOOST_TEST(status.error().native == rv);
  }
  BOOST_TEST(!backend->create({"agent", "k1"}, Algorithm::kES256, far_away()));
  BOOST_TEST(simulated.faults.calls(kLogin) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pin_that_is_really_wrong_is_presented_once_by_many_threads, SimulatedToken) {
  Pkcs11Options wrong = options(8);
  const std::filesystem::path file = store.folder() / "wrong";
  std::filesystem::copy(token.pin_file, file);
  std::filesystem::resize_file(file, 4);
  wrong.pin_file = file;
  const auto backend = required(Pkcs11Backend::open(std::move(wrong)));
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 16; ++i) {
      callers.emplace_back([&] { static_cast<void>(backend->check(far_away())); });
    }
  }
  BOOST_TEST(faults.calls(kLogin) == 1u);
  BOOST_TEST((backend->check(far_away()).error().native == CKR_PIN_INCORRECT));
}

BOOST_FIXTURE_TEST_CASE(a_pin_refused_at_the_second_login_is_not_presented_again, Running) {
  const std::uint64_t logins = faults.calls(kLogin);
  faults.fail(kSign, CKR_DEVICE_REMOVED, 1);
  faults.fail(kLogin, CKR_PIN_INCORRECT, 1);
  for (int i = 0; i < 3; ++i) BOOST_TEST((sign_error(*backend, key)->native == CKR_PIN_INCORRECT));
  BOOST_TEST(faults.calls(kLogin) == logins + 1);
}

BOOST_DATA_TEST_CASE(the_last_try_is_left_to_people,
                     data::make(std::array<CK_FLAGS, 2>{CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED}), flag) {
  SimulatedToken simulated;
  simulated.faults.plan().token_flags = flag;
  const auto backend = simulated.open(1);
  const Status status = backend->check(far_away());
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == kDeviceLockout));
  BOOST_TEST(simulated.faults.calls(kLogin) == 0u);
  simulated.faults.plan().token_flags = 0;  // somebody logged in with the right one
  BOOST_TEST(backend->check(far_away()).has_value());
}

// --- the token goes and comes

BOOST_FIXTURE_TEST_CASE(a_token_that_was_pulled_out_is_missed_and_found_again, Running) {
  for (int round = 0; round < 3; ++round) {
    faults.remove_token();
    BOOST_TEST((sign_code(*backend, key) == kDeviceUnavailable));
    BOOST_TEST((sign_code(*backend, key) == kDeviceUnavailable));
    BOOST_TEST((backend->check(far_away()).error().code == kDeviceUnavailable));
    BOOST_TEST((backend->destroy(key, far_away()).error().code == kDeviceUnavailable));
    faults.return_token();
    BOOST_TEST(!sign_code(*backend, key).has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(a_backend_comes_up_without_its_token, SimulatedToken) {
  faults.remove_token();
  const auto backend = open();
  BOOST_TEST((backend->check(far_away()).error().code == kDeviceUnavailable));
  faults.return_token();
  BOOST_TEST(!sign_code(*backend, create_key(*backend)).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_login_that_somebody_ended_does_not_pass_for_a_lost_key, Running) {
  // Without it the session finds no private objects at all.
  backend.reset();
  backend = open(1);
  const auto module = required(Module::load(simulators::Pkcs11Faults::module()));
  const FoundToken found = required(module->find_token({{}, {}, {}, token.serial}));
  CK_SESSION_HANDLE session = 0;
  BOOST_REQUIRE(module->functions().C_OpenSession(found.slot, CKF_SERIAL_SESSION, nullptr, nullptr,
                                                  &session) == CKR_OK);
  BOOST_REQUIRE(module->functions().C_Logout(session) == CKR_OK);
  BOOST_TEST(!sign_code(*backend, key).has_value());
  module->functions().C_CloseSession(session);
}

BOOST_FIXTURE_TEST_CASE(a_token_with_few_sessions_is_used_with_those_that_it_has, SimulatedToken) {
  faults.plan().session_limit = 2;
  const auto backend = open(6);
  const StoredKey key = create_key(*backend);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 12; ++i) {
      callers.emplace_back([&] {
        for (int k = 0; k < 10; ++k) good += backend->sign(key, as_bytes("message"), far_away()) ? 1 : 0;
      });
    }
  }
  BOOST_TEST(good == 120);
  BOOST_TEST(backend->load().live_sessions == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_token_without_any_session_left_says_so, SimulatedToken) {
  const auto backend = open(1);
  const StoredKey key = create_key(*backend);
  faults.fail(kSign, CKR_SESSION_HANDLE_INVALID, 1);
  faults.fail(kOpenSession, CKR_SESSION_COUNT, 1000);
  const auto error = sign_error(*backend, key);
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST((error->code == kDeviceUnavailable));
  BOOST_TEST(error->native == CKR_SESSION_COUNT);
}

}  // namespace chancery::hsm
