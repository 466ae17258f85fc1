// The key that a token seals with, and what fails in a module while it does. What every sealer must do is in
// tests/conformance.

#include "hsm/pkcs11/sealing.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/pkcs11/onlooker.hpp"
#include "tests/unit/pkcs11/owner_child.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::simulators {
static std::ostream& operator<<(std::ostream& out, Pkcs11Call call) { return out << static_cast<int>(call); }
}  // namespace chancery::simulators

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;
using simulators::Pkcs11Call;
using enum Pkcs11Call;
using enum ErrorCode;

const KeyBinding kOwner{"daemon", "vault"};

Bytes a_secret() { return Bytes(32, 0xC3); }

std::optional<Error> seal_error(KeyBackend& backend, Deadline deadline = far_away()) {
  const auto sealed = backend.sealer()->seal(kOwner, SecretBytes(ByteView(a_secret())), deadline);
  return sealed ? std::nullopt : std::optional(sealed.error());
}

std::optional<ErrorCode> seal_code(KeyBackend& backend, Deadline deadline = far_away()) {
  const auto error = seal_error(backend, deadline);
  return error ? std::optional(error->code) : std::nullopt;
}

Bytes seal(KeyBackend& backend) {
  return required(backend.sealer()->seal(kOwner, SecretBytes(ByteView(a_secret())), far_away()));
}

/// The error, or nothing when it opened; another secret ends the test.
std::optional<Error> unseal_error(KeyBackend& backend, const Bytes& sealed, Deadline deadline = far_away()) {
  const auto opened = backend.sealer()->unseal(kOwner, sealed, deadline);
  if (!opened) return opened.error();
  BOOST_REQUIRE(std::ranges::equal(opened->view(), a_secret()));
  return std::nullopt;
}

std::optional<ErrorCode> unseal_code(KeyBackend& backend, const Bytes& sealed,
                                     Deadline deadline = far_away()) {
  const auto error = unseal_error(backend, sealed, deadline);
  return error ? std::optional(error->code) : std::nullopt;
}

Bytes key_id_of(const Bytes& sealed) {
  const ByteView id = read_sealed(sealed).value().key_id;
  return {id.begin(), id.end()};
}

struct Running : SimulatedToken {
  std::unique_ptr<Pkcs11Backend> backend = open(1);
};

struct Isolated : SimulatedToken {
  std::unique_ptr<Pkcs11Backend> backend = required(Pkcs11Backend::open(isolated()));
};

constexpr std::array<CK_RV, 5> kTransient{CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_KEY_HANDLE_INVALID,
                                          CKR_SESSION_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN};
constexpr std::array kStepsOfUnsealing{kFindObjectsInit, kDecryptInit, kDecrypt};
constexpr std::array kStepsOfSealing{kGenerateKey, kEncryptInit, kEncrypt, kDecryptInit, kDecrypt};

/// An AES key with the label of ours, as whoever has the PIN may put there.
void plant_key(const Onlooker& onlooker, const Bytes& id) {
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_AES;
  CK_BBOOL yes = CK_TRUE;
  Bytes value(32, 0x11);
  std::array wanted{CK_ATTRIBUTE{CKA_CLASS, &kind, sizeof kind},
                    CK_ATTRIBUTE{CKA_KEY_TYPE, &type, sizeof type},
                    CK_ATTRIBUTE{CKA_TOKEN, &yes, sizeof yes},
                    CK_ATTRIBUTE{CKA_PRIVATE, &yes, sizeof yes},
                    CK_ATTRIBUTE{CKA_EXTRACTABLE, &yes, sizeof yes},
                    CK_ATTRIBUTE{CKA_ENCRYPT, &yes, sizeof yes},
                    CK_ATTRIBUTE{CKA_DECRYPT, &yes, sizeof yes},
                    attribute(CKA_LABEL, as_bytes(kSealingLabel)),
                    attribute(CKA_ID, id),
                    attribute(CKA_VALUE, value)};
  onlooker.create(wanted);
}

}  // namespace

// --- its form

BOOST_AUTO_TEST_CASE(what_is_sealed_is_read_within_its_bounds) {
  struct Row {
    const char* what;
    Bytes sealed;
    bool is_read;
  };
  const auto of_size = [](std::size_t secret, std::uint8_t version = 1) {
    Bytes sealed(1 + kSealingIdSize + kSealingIvSize + secret + 16);
    sealed[0] = version;
    return sealed;
  };
  const std::array kRows{
      Row{"nothing", {}, false},
      Row{"a version alone", {1}, false},
      Row{"no secret", of_size(0), false},
      Row{"one octet", of_size(1), true},
      Row{"as much as is sealed", of_size(Sealer::kMaxSecret), true},
      Row{"one octet more", of_size(Sealer::kMaxSecret + 1), false},
      Row{"version 0", of_size(32, 0), false},
      Row{"version 2", of_size(32, 2), false},
  };
  for (const Row& row : kRows) {
    const auto parts = read_sealed(row.sealed);
    BOOST_TEST(parts.has_value() == row.is_read, row.what);
    if (!parts) BOOST_TEST((parts.error().code == kKeyLost), row.what);
    if (parts) BOOST_TEST(parts->ciphertext.size() == row.sealed.size() - 29, row.what);
  }
}

// --- its key

BOOST_FIXTURE_TEST_CASE(one_key_is_made_and_the_token_does_not_give_it_out, Running) {
  BOOST_TEST(Onlooker(*this).objects(CKO_SECRET_KEY).empty());
  const Bytes first = seal(*backend), second = seal(*backend);
  BOOST_TEST((unseal_code(*backend, first) == std::nullopt));
  const Onlooker onlooker(*this);
  const auto keys = onlooker.objects(CKO_SECRET_KEY);
  BOOST_REQUIRE(keys.size() == 1u);
  BOOST_TEST(onlooker.read_private_value(keys.front()) == CKR_ATTRIBUTE_SENSITIVE);
  BOOST_TEST((onlooker.id_of(keys.front()) == key_id_of(first)));
  BOOST_TEST((key_id_of(first) == key_id_of(second)));
}

BOOST_FIXTURE_TEST_CASE(opening_makes_no_key, Running) {
  const Bytes sealed = seal(*backend);
  {
    const Onlooker onlooker(*this);
    onlooker.remove(onlooker.objects(CKO_SECRET_KEY).front());
  }
  BOOST_TEST((unseal_code(*backend, sealed) == kKeyLost));
  BOOST_TEST(Onlooker(*this).objects(CKO_SECRET_KEY).empty());
}

BOOST_FIXTURE_TEST_CASE(another_token_opens_nothing, SimulatedToken) {
  const simulators::SoftToken second = required(store.add_token("second"));
  const auto backend = open();
  Pkcs11Options other = options();
  other.serial = second.serial;
  other.pin_file = second.pin_file;
  const auto on_second = required(Pkcs11Backend::open(std::move(other)));
  const Bytes sealed = seal(*backend);
  BOOST_TEST((unseal_code(*on_second, sealed) == kKeyLost));
  seal(*on_second);
  BOOST_TEST((unseal_code(*on_second, sealed) == kKeyLost));
}

// Two daemons that found no key, each with a session that has yet to make one.
BOOST_FIXTURE_TEST_CASE(of_two_keys_that_were_made_at_once_all_take_the_same, SimulatedToken) {
  const auto one = open(1), other = open(1);
  faults.hold(kGenerateKey);
  Bytes by_one, by_other;
  {
    std::jthread first([&] { by_one = seal(*one); }), second([&] { by_other = seal(*other); });
    eventually([&] { return faults.waiting(kGenerateKey) == 2; });
    faults.release(kGenerateKey);
  }
  const Onlooker onlooker(*this);
  const auto keys = onlooker.objects(CKO_SECRET_KEY);
  BOOST_REQUIRE(keys.size() == 2u);
  const Bytes lowest = std::min(onlooker.id_of(keys[0]), onlooker.id_of(keys[1]));
  const auto third = open(1);
  for (Pkcs11Backend* const backend : {one.get(), other.get(), third.get()}) {
    BOOST_TEST((key_id_of(seal(*backend)) == lowest));
    BOOST_TEST((unseal_code(*backend, by_one) == std::nullopt));
    BOOST_TEST((unseal_code(*backend, by_other) == std::nullopt));
  }
  BOOST_TEST(onlooker.objects(CKO_SECRET_KEY).size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_may_leave_the_token_is_passed_over, Running) {
  const Onlooker onlooker(*this);
  const Bytes planted(kSealingIdSize, 0x00);
  plant_key(onlooker, planted);
  const Bytes sealed = seal(*backend);
  BOOST_TEST((key_id_of(sealed) != planted));
  BOOST_TEST(onlooker.objects(CKO_SECRET_KEY).size() == 2u);
  BOOST_TEST((unseal_code(*backend, sealed) == std::nullopt));
}

// By its tag it shows which one it was.
BOOST_FIXTURE_TEST_CASE(a_second_key_of_the_same_id_changes_nothing, Running) {
  const Bytes sealed = seal(*backend);
  const Onlooker onlooker(*this);
  plant_key(onlooker, key_id_of(sealed));
  BOOST_TEST((unseal_code(*backend, sealed) == std::nullopt));
  BOOST_TEST((unseal_code(*backend, seal(*backend)) == std::nullopt));
  Bytes changed = sealed;
  changed.back() ^= 1;
  BOOST_TEST((unseal_code(*backend, changed) == kKeyLost));
}

BOOST_FIXTURE_TEST_CASE(a_token_that_makes_another_kind_of_key_is_refused_and_keeps_none, Running) {
  faults.plan().lying_attribute = CKA_EXTRACTABLE + 1;
  BOOST_TEST((seal_code(*backend) == kKeyMismatch));
  faults.plan().lying_attribute = 0;
  BOOST_TEST(Onlooker(*this).objects(CKO_SECRET_KEY).empty());
  BOOST_TEST((seal_code(*backend) == std::nullopt));
}

// --- what fails

BOOST_DATA_TEST_CASE(a_failure_while_opening_that_passes_is_not_noticed,
                     data::make(kTransient) * data::make(kStepsOfUnsealing), rv, step) {
  Running run;
  const Bytes sealed = seal(*run.backend);
  run.faults.fail(step, rv, 1);
  BOOST_TEST((unseal_code(*run.backend, sealed) == std::nullopt));
  BOOST_TEST(run.backend->load().recoveries == 1u);
}

BOOST_DATA_TEST_CASE(a_failure_while_sealing_that_passes_is_not_noticed,
                     data::make(kTransient) * data::make(kStepsOfSealing), rv, step) {
  Running run;
  run.faults.fail(step, rv, 1);
  BOOST_TEST((unseal_code(*run.backend, seal(*run.backend)) == std::nullopt));
  BOOST_TEST(Onlooker(run).objects(CKO_SECRET_KEY).size() == 1u);
}

// SoftHSM says the same of a tag that does not fit. "Lost" is for good.
BOOST_DATA_TEST_CASE(a_token_that_is_ill_does_not_say_that_a_secret_is_lost,
                     data::make(std::array<CK_RV, 2>{CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED}), rv) {
  Running run;
  const Bytes sealed = seal(*run.backend);
  run.faults.fail(kDecrypt, rv, 1);
  BOOST_TEST((unseal_code(*run.backend, sealed) == std::nullopt));
  run.faults.fail(kDecrypt, rv, 1000);
  BOOST_TEST((unseal_code(*run.backend, sealed) == kDeviceError));
  run.faults.fail(kDecrypt, 0, 0);
  run.faults.fail(kEncrypt, rv, 1000);
  Bytes changed = sealed;
  changed.back() ^= 1;
  BOOST_TEST((unseal_code(*run.backend, changed) == kDeviceError));  // who knows
  run.faults.fail(kEncrypt, 0, 0);
  BOOST_TEST((unseal_code(*run.backend, changed) == kKeyLost));
  BOOST_TEST((unseal_code(*run.backend, sealed) == std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(a_token_that_seals_and_does_not_open_is_found_out_at_once, Running) {
  faults.fail(kDecrypt, CKR_ENCRYPTED_DATA_INVALID, 1);
  BOOST_TEST((seal_code(*backend) == kDeviceError));
  faults.fail(kDecryptInit, CKR_KEY_FUNCTION_NOT_PERMITTED, 1);
  BOOST_TEST((seal_code(*backend) == kDeviceError));
  BOOST_TEST((seal_code(*backend) == std::nullopt));
}

BOOST_DATA_TEST_CASE(a_token_that_takes_no_iv_of_ours_says_that_it_does_not_seal,
                     data::make(std::array<CK_RV, 2>{CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID}),
                     rv) {
  for (const bool is_isolated : {false, true}) {
    SimulatedToken simulated;
    const auto backend =
        required(Pkcs11Backend::open(is_isolated ? simulated.isolated() : simulated.options()));
    simulated.faults.fail(kEncryptInit, rv, 1);
    const auto error = seal_error(*backend);
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == kUnsupportedAlgorithm));
    BOOST_TEST(error->native == rv);
    BOOST_TEST(std::string_view(error->what).find("CKM_AES_GCM") != std::string_view::npos);
  }
}

BOOST_FIXTURE_TEST_CASE(a_token_that_was_pulled_out_is_unavailable_and_loses_nothing, Running) {
  const Bytes sealed = seal(*backend);
  faults.remove_token();
  BOOST_TEST((unseal_code(*backend, sealed) == kDeviceUnavailable));
  BOOST_TEST((seal_code(*backend) == kDeviceUnavailable));
  faults.return_token();
  BOOST_TEST((unseal_code(*backend, sealed) == std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(a_stall_ends_for_its_caller_at_the_deadline, SimulatedToken) {
  const auto backend = open(2);
  const Bytes sealed = seal(*backend);
  faults.hold(kDecrypt);
  BOOST_TEST((unseal_code(*backend, sealed, in(50ms)) == kDeviceTimeout));
  faults.release(kDecrypt);
  BOOST_TEST((unseal_code(*backend, sealed) == std::nullopt));
}

// --- in a process of its own

BOOST_DATA_TEST_CASE(a_crash_costs_no_secret_and_makes_no_second_key,
                     data::make(kStepsOfSealing) * data::make(std::array{false, true}), step, is_late) {
  Isolated run;
  if (is_late) {
    run.faults.crash_late(step);
  } else {
    run.faults.crash(step);
  }
  const Bytes sealed = seal(*run.backend);
  BOOST_TEST((unseal_code(*run.backend, sealed) == std::nullopt));
  BOOST_TEST(run.backend->load().recoveries >= 1u);
  BOOST_TEST(Onlooker(run).objects(CKO_SECRET_KEY).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_other_process_tells_of_a_loss_in_words_about_secrets, Isolated) {
  Bytes sealed = seal(*backend);
  sealed.back() ^= 1;
  const auto error = unseal_error(*backend, sealed);
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST((error->code == kKeyLost));
  BOOST_TEST(std::string_view(error->what).find("sealed") != std::string_view::npos);
}

BOOST_FIXTURE_TEST_CASE(who_crashes_it_twice_is_told_and_the_secret_is_there_still, Isolated) {
  const Bytes sealed = seal(*backend);
  faults.crash(kDecrypt, 2);
  BOOST_TEST((unseal_code(*backend, sealed) == kDeviceUnavailable));
  BOOST_TEST((unseal_code(*backend, sealed) == std::nullopt));
}

}  // namespace chancery::hsm
