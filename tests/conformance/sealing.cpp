// What everything that seals must do. A device that does not seal says so.

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/sealer.hpp"
#include "sdk/base/hex.hpp"
#include "tests/conformance/backend_fixture.hpp"

namespace chancery::conformance {
namespace {

using namespace std::chrono_literals;
using enum ErrorCode;
namespace data = boost::unit_test::data;

constexpr std::array kSealing{
    BackendKind{"tpm, encrypted sessions", make_tpm_encrypted},
    BackendKind{"tpm, plain sessions", make_tpm_plain},
    BackendKind{"pkcs11, SoftHSM", make_softhsm},
    BackendKind{"pkcs11, SoftHSM in a process of its own", make_softhsm_isolated},
    BackendKind{"memory", make_memory},
};

const hsm::KeyBinding kOwner{"daemon", "vault"};

hsm::Deadline soon() { return std::chrono::steady_clock::now() + 30s; }

hsm::Sealer& sealer_of(BackendFixture& fixture) {
  BOOST_REQUIRE(fixture.backend().sealer() != nullptr);
  return *fixture.backend().sealer();
}

Bytes secret_of(std::size_t size) {
  Bytes secret(size);
  for (std::size_t i = 0; i < size; ++i) secret[i] = static_cast<std::uint8_t>(0xA5 + 7 * i);
  return secret;
}

Bytes seal(hsm::Sealer& sealer, ByteView secret, const hsm::KeyBinding& binding = kOwner) {
  auto sealed = sealer.seal(binding, SecretBytes(secret), soon());
  BOOST_REQUIRE_MESSAGE(sealed, (sealed ? "" : sealed.error().what));
  return *std::move(sealed);
}

std::optional<ErrorCode> seal_error(hsm::Sealer& sealer, ByteView secret, hsm::Deadline deadline = soon()) {
  const auto sealed = sealer.seal(kOwner, SecretBytes(secret), deadline);
  return sealed ? std::nullopt : std::optional(sealed.error().code);
}

std::optional<ErrorCode> unseal_error(hsm::Sealer& sealer, ByteView sealed,
                                      const hsm::KeyBinding& binding = kOwner,
                                      hsm::Deadline deadline = soon()) {
  const auto opened = sealer.unseal(binding, sealed, deadline);
  return opened ? std::nullopt : std::optional(opened.error().code);
}

bool opens_to(hsm::Sealer& sealer, ByteView sealed, ByteView secret,
              const hsm::KeyBinding& binding = kOwner) {
  const auto opened = sealer.unseal(binding, sealed, soon());
  BOOST_TEST(opened.has_value(), (opened ? "" : opened.error().what));
  return opened && hex_encode(opened->view()) == hex_encode(secret);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sealing)

BOOST_DATA_TEST_CASE(what_was_sealed_opens_again, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  for (const std::size_t size : {std::size_t{1}, std::size_t{32}, hsm::Sealer::kMaxSecret}) {
    const Bytes secret = secret_of(size);
    const Bytes sealed = seal(sealer, secret);
    for (int i = 0; i < 2; ++i) BOOST_TEST(opens_to(sealer, sealed, secret), size << " octets");
    if (size > 1) BOOST_TEST(hex_encode(sealed).find(hex_encode(secret)) == std::string::npos);
  }
  BOOST_TEST(fixture->backend().load().live_objects <= 1u);
}

BOOST_DATA_TEST_CASE(nothing_and_too_much_are_refused, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  for (const std::size_t size : {std::size_t{0}, hsm::Sealer::kMaxSecret + 1, std::size_t{4096}}) {
    BOOST_TEST((seal_error(sealer, secret_of(size)) == kInvalidArgument), size << " octets");
  }
}

BOOST_DATA_TEST_CASE(the_same_secret_is_never_sealed_to_the_same, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes first = seal(sealer, secret_of(32)), second = seal(sealer, secret_of(32));
  BOOST_TEST(hex_encode(first) != hex_encode(second));
  BOOST_TEST(opens_to(sealer, first, secret_of(32)));
  BOOST_TEST(opens_to(sealer, second, secret_of(32)));
}

BOOST_DATA_TEST_CASE(it_opens_for_nobody_else_and_under_no_other_name, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes sealed = seal(sealer, secret_of(32));
  const std::array<hsm::KeyBinding, 5> others{{{"agent", "vault"},
                                               {"daemon", "vault2"},
                                               {"daemonv", "ault"},  // the same letters, divided elsewhere
                                               {"vault", "daemon"},
                                               {"", ""}}};
  for (const hsm::KeyBinding& other : others) {
    BOOST_TEST((unseal_error(sealer, sealed, other) == kKeyLost), other.agent_id << "/" << other.key_id);
  }
  BOOST_TEST(opens_to(sealer, sealed, secret_of(32)));
}

BOOST_DATA_TEST_CASE(what_was_tampered_with_never_opens, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes sealed = seal(sealer, secret_of(32));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes flipped = sealed;
    flipped[i] ^= 0x01;
    BOOST_TEST((unseal_error(sealer, flipped) == kKeyLost), "octet " << i);
  }
  Bytes cut = sealed, longer = sealed;
  cut.pop_back();
  longer.push_back(0);
  for (const Bytes& wrong :
       {cut, longer, Bytes(), Bytes(1, 0x01), Bytes(sealed.size()), Bytes(100'000, 0x01)}) {
    BOOST_TEST((unseal_error(sealer, wrong) == kKeyLost), wrong.size() << " octets");
  }
  BOOST_TEST(opens_to(sealer, sealed, secret_of(32)));
  BOOST_TEST(fixture->backend().load().live_objects <= 1u);
}

// A key's blob is no sealed secret, and a sealed secret no key, also under one binding.
BOOST_DATA_TEST_CASE(keys_and_secrets_are_no_substitute_for_each_other, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes sealed = seal(sealer, secret_of(32));
  const auto key = fixture->backend().create(kOwner, Algorithm::kES256, soon());
  BOOST_REQUIRE(key);
  BOOST_TEST((unseal_error(sealer, key->blob) == kKeyLost));
  hsm::StoredKey as_key = *key;
  as_key.blob = sealed;
  const auto signature = fixture->backend().sign(as_key, as_bytes("message"), soon());
  BOOST_REQUIRE(!signature);
  BOOST_TEST((signature.error().code == kKeyLost));
  BOOST_TEST(fixture->backend().sign(*key, as_bytes("message"), soon()).has_value());
  BOOST_TEST(opens_to(sealer, sealed, secret_of(32)));
}

BOOST_DATA_TEST_CASE(discarding_the_keys_of_a_binding_loses_no_secret, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes sealed = seal(sealer, secret_of(32));
  BOOST_TEST(fixture->backend().discard(kOwner, soon()).has_value());
  BOOST_TEST(opens_to(sealer, sealed, secret_of(32)));
}

BOOST_DATA_TEST_CASE(it_opens_after_a_restart_of_daemon_and_device, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  const Bytes sealed = seal(sealer_of(*fixture), secret_of(32));
  fixture->restart_device();
  BOOST_TEST(opens_to(sealer_of(*fixture), sealed, secret_of(32)));
  fixture->reopen();
  BOOST_TEST(opens_to(sealer_of(*fixture), sealed, secret_of(32)));
}

BOOST_DATA_TEST_CASE(a_device_that_was_cleared_opens_nothing_and_seals_anew, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  const Bytes sealed = seal(sealer_of(*fixture), secret_of(32));
  fixture->clear_device();
  hsm::Sealer& sealer = sealer_of(*fixture);
  BOOST_TEST((unseal_error(sealer, sealed) == kKeyLost));
  const Bytes anew = seal(sealer, secret_of(64));
  BOOST_TEST(opens_to(sealer, anew, secret_of(64)));
  BOOST_TEST((unseal_error(sealer, sealed) == kKeyLost));
}

BOOST_DATA_TEST_CASE(a_deadline_in_the_past_seals_nothing, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  const Bytes sealed = seal(sealer, secret_of(32));
  const hsm::Deadline past = std::chrono::steady_clock::now() - 1s;
  BOOST_TEST((seal_error(sealer, secret_of(32), past) == kDeviceTimeout));
  BOOST_TEST((unseal_error(sealer, sealed, kOwner, past) == kDeviceTimeout));
  BOOST_TEST(opens_to(sealer, sealed, secret_of(32)));
}

// From the first call on, which may have to make a key.
BOOST_DATA_TEST_CASE(threads_may_seal_and_open_at_once, data::make(kSealing), kind) {
  const auto fixture = kind.make();
  hsm::Sealer& sealer = sealer_of(*fixture);
  constexpr std::size_t kThreads = 8;
  std::atomic<int> good = 0;
  std::atomic<const char*> complaint = "";  // the last
  std::array<Bytes, kThreads> sealed;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const hsm::KeyBinding binding{"agent-" + std::to_string(t), "k"};
        const Bytes secret = secret_of(t + 1);
        for (int i = 0; i < 4; ++i) {
          auto made = sealer.seal(binding, SecretBytes(ByteView(secret)), soon());
          if (!made) {
            complaint = made.error().what;
            continue;
          }
          const auto opened = sealer.unseal(binding, *made, soon());
          if (!opened) complaint = opened.error().what;
          good += opened && hex_encode(opened->view()) == hex_encode(secret);
          sealed[t] = *std::move(made);
        }
      });
    }
  }
  BOOST_TEST(good == 4 * static_cast<int>(kThreads), good << " were good: " << complaint.load());
  for (std::size_t t = 0; t < kThreads; ++t) {
    BOOST_TEST(opens_to(sealer, sealed[t], secret_of(t + 1), {"agent-" + std::to_string(t), "k"}));
  }
}

BOOST_AUTO_TEST_CASE(a_token_without_aes_gcm_says_so_and_serves_on) {
  const auto fixture = make_tpm2_pkcs11();
  hsm::Sealer& sealer = sealer_of(*fixture);
  BOOST_TEST((seal_error(sealer, secret_of(32)) == kUnsupportedAlgorithm));
  const auto refused = sealer.seal(kOwner, SecretBytes(ByteView(secret_of(32))), soon());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(std::string_view(refused.error().what).find("CKM_AES_GCM") != std::string_view::npos);
  BOOST_TEST(fixture->backend().create(kOwner, Algorithm::kES256, soon()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::conformance
