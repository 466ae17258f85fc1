#include <atomic>

#include "sdk/base/hex.hpp"
#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
#include "tests/unit/hsm/tpm_terminal.hpp"

// What somebody between us and the TPM can see and do.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using namespace std::chrono_literals;
using namespace simulators;

// The auth value of the key {"agent", "k1"}. Its derivation is for good: another one would lose every key.
Bytes auth_of_the_key() {
  using namespace std::string_literals;
  const std::string info = "chancery tpm key auth\0\0\0\x05"s + "agent\0\0\0\x02"s + "k1";
  const SecretBytes auth = hkdf_sha256(Bytes(32, 0x5a), {}, info, 32);
  return {auth.view().begin(), auth.view().end()};
}

void make_and_use_a_key(TpmOptions options, const TpmProxy& proxy) {
  options.tcti = proxy.tcti();
  const auto backend = open_backend(std::move(options));
  const StoredKey key = create_key(*backend);
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
}

}  // namespace

BOOST_AUTO_TEST_CASE(encrypted_sessions_hide_auth_values_and_plain_ones_do_not) {
  const simulators::Swtpm tpm = start_swtpm();
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    TpmProxy proxy(tpm.socket());
    TpmOptions options = options_for("");
    options.sessions = sessions;
    make_and_use_a_key(std::move(options), proxy);
    BOOST_TEST(proxy.has_seen(auth_of_the_key()) == (sessions == SessionKind::kPlain));
  }
}

BOOST_AUTO_TEST_CASE(a_changed_signature_never_leaves) {
  const simulators::Swtpm tpm = start_swtpm();
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    std::atomic<bool> tampers = false;
    const TpmProxy proxy(tpm.socket(), [&](std::uint32_t command, Bytes& response) {
      // Header, size of the parameters, algorithm, hash, size of r: then r.
      if (tampers && command == TPM2_CC_Sign && response.size() > 40) response[30] ^= 1;
      return true;
    });
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    const StoredKey key = create_key(*backend);
    tampers = true;
    // With a session the response's HMAC tells; without, the public key does.
    const ErrorCode want = sessions == SessionKind::kEncrypted ? kDeviceUnavailable : kKeyMismatch;
    BOOST_TEST((sign_error(*backend, key) == want));
    tampers = false;
    eventually([&] { return sign_error(*backend, key) == std::nullopt; });
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_lost_is_asked_for_again) {
  const simulators::Swtpm tpm = start_swtpm();
  std::atomic<int> cuts = 0;
  const TpmProxy proxy(tpm.socket(), [&](std::uint32_t command, Bytes&) {
    const bool cut =
        cuts > 0 && (command == TPM2_CC_Sign || command == TPM2_CC_Load || command == TPM2_CC_Create);
    return !cut || cuts-- <= 0;
  });
  const auto backend = open_backend(options_for(proxy.tcti()));
  cuts = 1;
  const StoredKey key = create_key(*backend);
  cuts = 2;  // the Load's, then the Sign's
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(cuts == 0);
  BOOST_TEST(backend->load().recoveries == 3u);
  BOOST_TEST(backend->load().live_sessions == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_that_never_survives_is_given_up) {
  const simulators::Swtpm tpm = start_swtpm();
  const TpmProxy proxy(tpm.socket(), [](std::uint32_t command, Bytes&) { return command != TPM2_CC_Sign; });
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  BOOST_TEST((sign_error(*backend, key) == kDeviceUnavailable));
  eventually([&] { return check_error(*backend) == std::nullopt; });  // the others go on
}

// The Name covers it, and sessions are salted to it.
BOOST_AUTO_TEST_CASE(a_storage_key_that_was_exchanged_on_the_way_is_not_used) {
  const simulators::Swtpm tpm = start_swtpm();
  const TpmProxy proxy(tpm.socket(), [](std::uint32_t command, Bytes& response) {
    if (command == TPM2_CC_CreatePrimary) response[80] ^= 1;  // within the point
    return true;
  });
  const auto backend = open_backend(options_for(proxy.tcti()));
  BOOST_TEST((check_error(*backend) == kDeviceUnavailable));
  BOOST_TEST(backend->storage_key_name().empty());
}

BOOST_AUTO_TEST_CASE(a_tpm_that_asks_for_patience_gets_it_until_the_deadline) {
  const simulators::Swtpm tpm = start_swtpm();
  std::atomic<int> refusals = 0;
  const TpmProxy proxy(tpm.socket(), [&](std::uint32_t command, Bytes& response) {
    if (command == TPM2_CC_Sign && refusals > 0 && refusals-- > 0) response = response_of(TPM2_RC_NV_RATE);
    return true;
  });
  TpmOptions options = options_for(proxy.tcti());
  options.sessions = SessionKind::kPlain;
  const auto backend = open_backend(std::move(options));
  const StoredKey key = create_key(*backend);
  refusals = 3;
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(refusals == 0);
  refusals = 1'000'000;
  BOOST_TEST((sign_error(*backend, key, in(100ms)) == kDeviceTimeout));
  refusals = 0;
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(backend->load().recoveries == 0u);
}

// The TPM has taken a nonce that we have not heard of: to it, our next HMAC looks like one under a wrong auth
// value.
BOOST_AUTO_TEST_CASE(a_session_that_fell_out_of_step_loses_no_key) {
  const simulators::Swtpm tpm = start_swtpm();
  std::atomic<bool> swallows = false;
  const TpmProxy proxy(tpm.socket(), [&](std::uint32_t command, Bytes& response) {
    if (command == TPM2_CC_Sign && swallows.exchange(false)) response = response_of(TPM2_RC_NV_RATE);
    return true;
  });
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  swallows = true;
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(!swallows);
  BOOST_TEST(backend->load().live_sessions == 1u);
  BOOST_TEST(backend->load().recoveries == 0u);
}

// A refusal that the TPM never gave leaves its nonces one ahead of ours.
BOOST_AUTO_TEST_CASE(a_session_that_fell_out_of_step_does_not_keep_keys_from_being_made) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  proxy.inject(TPM2_CC_Sign, {.kind = TctiFault::Kind::kExchange, .answer = response_of(TPM2_RC_LOCKOUT)});
  BOOST_TEST((sign_error(*backend, key) == kDeviceLockout));
  const auto made = backend->create({"agent", "k2"}, Algorithm::kES256, far_away());
  BOOST_TEST(made.has_value(), (made ? "" : made.error().what));
  BOOST_TEST(backend->load().live_sessions == 1u);
}

BOOST_AUTO_TEST_CASE(noise_for_answers_is_unavailable) {
  const FakeTpm noise([](int fd) {
    std::uint8_t octet = 0;
    while (!read_message(fd).empty()) {
      Bytes response(64);
      for (std::uint8_t& each : response) each = octet = static_cast<std::uint8_t>(octet * 31 + 7);
      const Bytes header = response_of(0, 64);
      std::copy(header.begin(), header.end(), response.begin());
      write_octets(fd, response);
    }
  });
  const auto backend = open_backend(options_for(noise.tcti()));
  BOOST_TEST((check_error(*backend) == kDeviceUnavailable));
}

// --- answers and handles of another

namespace {

// What another TPM answers to this command, in a scene like ours.
Bytes answer_of_another_tpm(TPM2_CC command) {
  const simulators::Swtpm other = start_swtpm();
  TpmProxy proxy(other.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  proxy.inject(TPM2_CC_Sign, {.kind = TctiFault::Kind::kCut});  // a key stays behind, and is asked after
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  Bytes answer = proxy.last_answer(command);
  BOOST_REQUIRE(!answer.empty());
  return answer;
}

}  // namespace

// All in it agrees with all the rest of it, so that only the pinned Name can tell.
BOOST_AUTO_TEST_CASE(another_storage_key_that_is_whole_is_told_by_its_name) {
  simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  const Bytes name = backend->storage_key_name();
  proxy.inject(TPM2_CC_CreatePrimary,
               {.kind = TctiFault::Kind::kExchange, .answer = answer_of_another_tpm(TPM2_CC_CreatePrimary)},
               TpmProxy::kAlways);
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));  // on the connection that was met before
  const Bytes session = proxy.last_answer(TPM2_CC_StartAuthSession);
  tpm.kill();
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST((sign_error(*backend, key) == kWrongDevice));
  BOOST_TEST(proxy.struck() > 0);
  BOOST_TEST(proxy.last_answer(TPM2_CC_StartAuthSession) == session);  // nothing was salted to it
  BOOST_TEST(backend->storage_key_name() == name);
  proxy.heal();
  eventually([&] { return sign_error(*backend, key) == std::nullopt; });
}

// What it is asked for is which handles to flush, and the Name of the storage key does not come from it.
BOOST_AUTO_TEST_CASE(an_exchanged_answer_to_read_public_changes_nothing) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const StoredKey key = create_key(*backend);
  const Bytes name = backend->storage_key_name();
  proxy.inject(TPM2_CC_ReadPublic,
               {.kind = TctiFault::Kind::kExchange, .answer = answer_of_another_tpm(TPM2_CC_ReadPublic)},
               TpmProxy::kAlways);
  proxy.inject(TPM2_CC_Sign, {.kind = TctiFault::Kind::kCut});
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST(proxy.struck() == 2);
  BOOST_TEST(backend->storage_key_name() == name);
  BOOST_TEST((check_error(*backend) == std::nullopt));
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == backend->load().live_objects);
}

// Two keys under one binding, so that the auth value of one opens the other. With a session the command's
// HMAC covers their Names; without, the TPM signs with the wrong one, and the public key tells.
BOOST_AUTO_TEST_CASE(handles_that_were_swapped_after_a_restart_give_no_signature_of_another_key) {
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    simulators::Swtpm tpm = start_swtpm();
    TpmProxy proxy(tpm.socket());
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    const StoredKey first = create_key(*backend), second = create_key(*backend);
    tpm.kill();
    BOOST_REQUIRE(tpm.restart());
    for (const StoredKey& key : {first, second}) BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    proxy.inject(TPM2_CC_Sign, {.kind = TctiFault::Kind::kSwapHandles});  // the second is loaded still
    const auto error = sign_error(*backend, first);
    BOOST_TEST((error == (sessions == SessionKind::kPlain ? std::optional(kKeyMismatch) : std::nullopt)));
    BOOST_TEST(proxy.struck() == 1);
    BOOST_TEST((sign_error(*backend, first) == std::nullopt));
    BOOST_TEST((sign_error(*backend, second) == std::nullopt));
  }
}

BOOST_AUTO_TEST_CASE(a_restart_that_the_connection_does_not_show_is_noticed_all_the_same) {
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    simulators::Swtpm tpm = start_swtpm();
    TpmProxy proxy(tpm.socket());
    proxy.hide_restarts();
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    const StoredKey key = create_key(*backend);
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    tpm.kill();
    BOOST_REQUIRE(tpm.restart());
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));
    BOOST_TEST(backend->load().recoveries == 1u);
    BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) <= 1u);
  }
}

// --- a character device

BOOST_AUTO_TEST_CASE(a_simulator_behind_a_device_is_refused_all_the_same) {
  const simulators::Swtpm tpm = start_swtpm();
  const TpmTerminal terminal(tpm.socket());
  TpmOptions options = options_for(terminal.tcti());
  options.allow_simulator = false;
  const auto backend = TpmBackend::open(std::move(options));
  BOOST_REQUIRE(!backend);
  BOOST_TEST((backend.error().code == kSimulatorRefused));
}

BOOST_AUTO_TEST_CASE(keys_work_behind_a_device_and_none_stays_loaded) {
  const simulators::Swtpm tpm = start_swtpm();
  const TpmTerminal terminal(tpm.socket());
  const auto backend = open_backend(options_for(terminal.tcti()));
  const StoredKey key = create_key(*backend);
  for (int i = 0; i < 3; ++i) BOOST_TEST((sign_error(*backend, key) == std::nullopt));
  BOOST_TEST((check_error(*backend) == std::nullopt));
  BOOST_TEST(backend->load().live_objects == 0u);
  BOOST_TEST(backend->load().cached_keys == 1u);
  BOOST_TEST(backend->describe().emulated);
}

}  // namespace chancery::hsm
