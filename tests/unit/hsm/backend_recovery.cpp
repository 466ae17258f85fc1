#include <atomic>
#include <filesystem>
#include <vector>

#include "tests/unit/hsm/simulated_tpm.hpp"

// What the backend does when its TPM is absent, dies, stops, is exchanged or is reset. Deadlines are an hour
// away where a call must return without waiting for them.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using namespace std::chrono_literals;

void put_aside(const simulators::Swtpm& tpm) {
  std::filesystem::rename(tpm.folder() / "state", tpm.folder() / "aside");
  std::filesystem::create_directory(tpm.folder() / "state");
}

void put_back(const simulators::Swtpm& tpm) {
  std::filesystem::remove_all(tpm.folder() / "state");
  std::filesystem::rename(tpm.folder() / "aside", tpm.folder() / "state");
}

}  // namespace

BOOST_AUTO_TEST_CASE(absent_at_start_is_unavailable_and_found_later) {
  simulators::Swtpm tpm = start_swtpm();
  const StoredKey key = create_key(*open_backend(options_for(tpm.tcti())));
  tpm.stop();
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST((sign_error(*backend, key) == kDeviceUnavailable));
  BOOST_TEST((check_error(*backend) == kDeviceUnavailable));
  BOOST_TEST(
      (backend->create({"agent", "k2"}, Algorithm::kES256, far_away()).error().code == kDeviceUnavailable));
  StoredKey unwanted = key;
  unwanted.binding.key_id = "k3";
  BOOST_TEST(backend->destroy(unwanted, far_away()).has_value());  // what is away holds no copies
  BOOST_TEST(backend->describe().manufacturer.empty());
  BOOST_TEST(backend->storage_key_name().empty());

  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return sign_error(*backend, key) == std::nullopt; });
  BOOST_TEST(!backend->describe().manufacturer.empty());
  BOOST_TEST(backend->load().recoveries == 1u);
}

BOOST_AUTO_TEST_CASE(a_restart_while_nobody_asks_goes_unnoticed) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    tpm.kill();
    BOOST_REQUIRE(tpm.restart());
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    BOOST_TEST(backend->load().recoveries == i);
  }
  tpm.stop();
  BOOST_REQUIRE(tpm.restart());
  create_key(*backend, "another");
}

BOOST_AUTO_TEST_CASE(killed_for_good_is_unavailable_and_leaves_nothing) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  tpm.kill();
  BOOST_TEST((sign_error(*backend, key) == kDeviceUnavailable));
  BOOST_TEST((sign_error(*backend, key) == kDeviceUnavailable));
  const BackendLoad load = backend->load();
  BOOST_TEST(load.queued == 0u);
  BOOST_TEST(load.live_objects == 0u);
  BOOST_TEST(load.live_sessions == 0u);
  BOOST_TEST(load.cached_keys == 0u);
}

BOOST_AUTO_TEST_CASE(stopped_is_a_timeout_first_and_unavailable_from_then_on) {
  simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.timeout = 300ms;
  const auto backend = open_backend(std::move(options));
  const StoredKey key = create_key(*backend);
  tpm.pause();
  BOOST_TEST((sign_error(*backend, key) == kDeviceTimeout));
  // Known to be gone: nobody waits for the next attempt to reach it, which takes longer than these callers
  // have.
  for (int i = 0; i < 10; ++i) BOOST_TEST((sign_error(*backend, key, in(100ms)) == kDeviceUnavailable));
  BOOST_TEST((check_error(*backend) == kDeviceUnavailable));
  std::this_thread::sleep_for(700ms);  // longer than an attempt to reach it takes
  BOOST_TEST((check_error(*backend) == kDeviceUnavailable));
  tpm.resume();
  eventually([&] { return sign_error(*backend, key) == std::nullopt; });
}

BOOST_AUTO_TEST_CASE(stopped_at_start_is_unavailable_and_found_later) {
  simulators::Swtpm tpm = start_swtpm();
  tpm.pause();
  TpmOptions options = options_for(tpm.tcti());
  options.timeout = 200ms;
  const auto backend = open_backend(std::move(options));
  eventually([&] { return check_error(*backend) == kDeviceUnavailable; });
  tpm.resume();
  eventually([&] { return check_error(*backend) == std::nullopt; });
  create_key(*backend);
}

// On a chip a command takes long; who has little time must not cost others the connection.
BOOST_AUTO_TEST_CASE(a_caller_who_leaves_early_breaks_nothing) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  tpm.pause();
  BOOST_TEST((sign_error(*backend, key, in(30ms)) == kDeviceTimeout));
  tpm.resume();
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(backend->load().recoveries == 0u);
}

BOOST_AUTO_TEST_CASE(the_queue_is_bounded_and_its_callers_leave_in_time) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.queue = 2;
  const auto backend = open_backend(std::move(options));
  const StoredKey b = create_key(*backend, "b"), c = create_key(*backend, "c"), d = create_key(*backend, "d");
  std::atomic<int> good = 0;
  std::atomic<bool> is_held = false, release = false;
  std::vector<std::jthread> callers;
  callers.emplace_back([&] {
    const Status held = backend->device().run("a", far_away(), [&](OpenTpm&) -> Status {
      is_held = true;
      release.wait(false);
      return {};
    });
    good += held.has_value();
  });
  eventually([&] { return is_held.load(); });
  const auto call = [&](const StoredKey& key) {
    callers.emplace_back([&] { good += sign_error(*backend, key) == std::nullopt; });
  };
  call(b);
  eventually([&] { return backend->load().queued == 1; });
  BOOST_TEST((sign_error(*backend, b) == kDeviceBusy));               // b has its half
  BOOST_TEST((sign_error(*backend, d, in(20ms)) == kDeviceTimeout));  // waits, and gives its place back
  BOOST_TEST(backend->load().queued == 1u);
  call(c);
  eventually([&] { return backend->load().queued == 2; });
  BOOST_TEST((sign_error(*backend, d) == kDeviceBusy));
  release = true;
  release.notify_all();
  callers.clear();
  BOOST_TEST(good == 3);
}

BOOST_AUTO_TEST_CASE(ending_does_not_wait_for_a_stopped_tpm) {
  simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.timeout = std::chrono::hours(1);
  auto backend = open_backend(std::move(options));
  const StoredKey key = create_key(*backend);
  tpm.pause();
  BOOST_TEST((sign_error(*backend, key, in(30ms)) == kDeviceTimeout));
  backend.reset();
}

BOOST_AUTO_TEST_CASE(another_tpm_in_its_place_is_refused_until_the_right_one_is_back) {
  simulators::Swtpm tpm = start_swtpm();
  int pinned = 0;
  TpmOptions options = options_for(tpm.tcti());
  options.pin = [&](ByteView) -> Status {
    ++pinned;
    return {};
  };
  const auto backend = open_backend(std::move(options));
  const StoredKey key = create_key(*backend);
  tpm.kill();
  put_aside(tpm);
  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return sign_error(*backend, key) == kWrongDevice; });
  BOOST_TEST((check_error(*backend) == kWrongDevice));
  BOOST_TEST((backend->create({"agent", "k2"}, Algorithm::kES256, far_away()).error().code == kWrongDevice));
  BOOST_TEST(backend->load().live_sessions == 0u);

  tpm.kill();
  put_back(tpm);
  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return sign_error(*backend, key) == std::nullopt; });
  BOOST_TEST(pinned == 1);
}

// The owner's hierarchy gets a new seed: the device is another one, and no single key is at fault.
BOOST_AUTO_TEST_CASE(a_cleared_tpm_is_another_one) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend), unused = create_key(*backend, "unused");
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  const Status cleared = backend->device().run("test", far_away(), [](OpenTpm& open) {
    return open.connection->command("not cleared", [&] {
      return Esys_Clear(open.connection->esys(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                        ESYS_TR_NONE);
    });
  });
  BOOST_REQUIRE(cleared);
  BOOST_TEST((sign_error(*backend, unused) == kWrongDevice));
  BOOST_TEST((sign_error(*backend, key) == kWrongDevice));
}

BOOST_AUTO_TEST_CASE(restarts_under_load_give_no_wrong_signature_and_leave_nothing) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  std::vector<StoredKey> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(create_key(*backend, "agent-" + std::to_string(i)));
  std::atomic<bool> ending = false;
  std::atomic<int> good = 0, refused = 0, wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; !ending; ++i) {
          const StoredKey& key = keys[i % keys.size()];
          const auto signature = backend->sign(key, as_bytes("message"), far_away());
          if (signature) {
            const bool right = verify_signature(key.public_key, sha256(as_bytes("message")),
                                                as_bytes("message"), *signature);
            ++(right ? good : wrong);
          } else {
            ++(signature.error().code == kDeviceUnavailable ? refused : wrong);
          }
        }
      });
    }
    for (int restart = 0; restart < 15; ++restart) {
      const int before = good;
      eventually([&] { return good > before + 10; });
      tpm.kill();
      if (!tpm.restart()) break;
    }
    ending = true;
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(good > 150);
  BOOST_TEST_MESSAGE(good << " signatures, " << refused << " refused as unavailable");
  eventually([&] { return check_error(*backend) == std::nullopt; });
  BOOST_TEST(backend->load().queued == 0u);
  BOOST_TEST(backend->load().live_objects <= 1u);
  BOOST_TEST(backend->load().live_sessions == 1u);
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) <= 1u);
  BOOST_TEST(count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);
}

}  // namespace chancery::hsm
