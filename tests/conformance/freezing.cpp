// What every kill switch must do, and that a device without one says so.

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/kill_switch.hpp"
#include "tests/conformance/backend_fixture.hpp"

namespace chancery::conformance {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

constexpr std::array kSwitched{
    BackendKind{"tpm, encrypted sessions", make_tpm_encrypted},
    BackendKind{"tpm, plain sessions", make_tpm_plain},
};
constexpr std::array kUnswitched{
    BackendKind{"pkcs11, SoftHSM", make_softhsm},
    BackendKind{"pkcs11, SoftHSM in a process of its own", make_softhsm_isolated},
    BackendKind{"memory", make_memory},
};

hsm::Deadline soon() { return std::chrono::steady_clock::now() + 30s; }

/// A fixture whose switch is armed.
struct Armed {
  explicit Armed(const BackendKind& kind) : fixture(kind.make()) {
    for (std::size_t bank = 0; bank < state().banks.size(); ++bank) set(bank, 0);
  }

  [[nodiscard]] hsm::KillSwitch& kill_switch() const {
    BOOST_REQUIRE(fixture->backend().kill_switch() != nullptr);
    return *fixture->backend().kill_switch();
  }
  [[nodiscard]] hsm::SwitchState state() const {
    auto state = kill_switch().state(soon());
    BOOST_REQUIRE_MESSAGE(state, (state ? "" : state.error().what));
    return *std::move(state);
  }
  void set(std::size_t bank, std::uint64_t frozen) const {
    const auto asked = kill_switch().ask(bank, frozen, soon());
    BOOST_REQUIRE_MESSAGE(asked, (asked ? "" : asked.error().what));
    const SigningKey& key = *fixture->operator_key();
    const auto message = attest::setting_message(*asked, key.public_key());
    BOOST_REQUIRE(message);
    const auto signature = key.sign(*message);
    BOOST_REQUIRE(signature);
    const Status done = kill_switch().set(*asked, *signature, soon());
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  }
  [[nodiscard]] hsm::StoredKey key_in(std::uint16_t slot) const {
    auto key = kill_switch().create({"agent-" + std::to_string(slot), "k1"}, slot, soon());
    BOOST_REQUIRE_MESSAGE(key, (key ? "" : key.error().what));
    return *std::move(key);
  }
  [[nodiscard]] ErrorCode refusal(const hsm::StoredKey& key) const {
    const auto signature = fixture->backend().sign(key, as_bytes("message"), soon());
    BOOST_REQUIRE(!signature);
    return signature.error().code;
  }
  [[nodiscard]] bool signs(const hsm::StoredKey& key) const {
    return fixture->backend().sign(key, as_bytes("message"), soon()).has_value();
  }

  std::unique_ptr<BackendFixture> fixture;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(freezing)

BOOST_DATA_TEST_CASE(a_device_without_a_kill_switch_says_so, data::make(kUnswitched), kind) {
  const auto fixture = kind.make();
  BOOST_TEST(fixture->backend().kill_switch() == nullptr);
  BOOST_TEST(fixture->operator_key() == nullptr);
}

// More agents than contexts are kept of: each way by which a key comes in is refused.
BOOST_DATA_TEST_CASE(one_write_freezes_all_and_one_signature_unfreezes_them, data::make(kSwitched), kind) {
  const Armed armed(kind);
  std::vector<hsm::StoredKey> keys;
  for (std::uint16_t slot = 1; slot <= 24; ++slot) keys.push_back(armed.key_in(slot));
  for (const hsm::StoredKey& key : keys) BOOST_TEST(armed.signs(key));
  BOOST_REQUIRE(armed.kill_switch().freeze(hsm::KillSwitch::kAll, soon()));
  for (const hsm::StoredKey& key : keys) BOOST_TEST((armed.refusal(key) == ErrorCode::kForbidden));
  armed.set(0, 0);
  for (const hsm::StoredKey& key : keys) BOOST_TEST(armed.signs(key));
}

BOOST_DATA_TEST_CASE(a_freeze_outlasts_restarts_of_device_and_daemon, data::make(kSwitched), kind) {
  const Armed armed(kind);
  const hsm::StoredKey frozen = armed.key_in(1);
  const hsm::StoredKey other = armed.key_in(2);
  BOOST_REQUIRE(armed.kill_switch().freeze(1, soon()));
  armed.fixture->restart_device();
  armed.fixture->reopen();
  BOOST_TEST((armed.refusal(frozen) == ErrorCode::kForbidden));
  BOOST_TEST(armed.signs(other));
  BOOST_TEST(armed.state().is_frozen(1));
}

BOOST_DATA_TEST_CASE(a_cleared_device_has_neither_switch_nor_keys, data::make(kSwitched), kind) {
  const Armed armed(kind);
  const hsm::StoredKey key = armed.key_in(1);
  armed.fixture->clear_device();
  BOOST_TEST(!armed.state().is_armed(1));
  BOOST_TEST((armed.refusal(key) == ErrorCode::kKeyLost));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::conformance
