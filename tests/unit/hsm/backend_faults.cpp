#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// A table of what can befall a command on its way to the TPM and back, and what comes of it: a good signature
// or the one error that names it, in time, and nothing left in the TPM.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using enum simulators::TctiFault::Kind;
using namespace std::chrono_literals;
using simulators::TctiFault;
using simulators::TpmProxy;
namespace data = boost::unit_test::data;

constexpr auto kCommandLimit = 400ms;

struct Command {
  const char* name;
  TPM2_CC code;
};
std::ostream& operator<<(std::ostream& out, const Command& row) { return out << row.name; }

const std::array kCommands{
    Command{"Create", TPM2_CC_Create},
    Command{"Load", TPM2_CC_Load},
    Command{"Sign", TPM2_CC_Sign},
    Command{"ContextLoad", TPM2_CC_ContextLoad},
    Command{"ContextSave", TPM2_CC_ContextSave},
    Command{"FlushContext", TPM2_CC_FlushContext},
};

const std::array kSetUpCommands{
    Command{"Startup", TPM2_CC_Startup},
    Command{"GetCapability", TPM2_CC_GetCapability},
    Command{"CreatePrimary", TPM2_CC_CreatePrimary},
    Command{"StartAuthSession", TPM2_CC_StartAuthSession},
};

struct Fault {
  const char* name;
  TctiFault fault;
};
std::ostream& operator<<(std::ostream& out, const Fault& row) { return out << row.name; }

const std::array kPassingFaults{
    Fault{"no answer", {.kind = kCut}},
    Fault{"half a header", {.kind = kTruncate, .offset = 5}},
    Fault{"a header and no more", {.kind = kTruncate, .offset = 10}},
    Fault{"half an answer", {.kind = kShorten, .offset = 14}},
    Fault{"another tag", {.kind = kCorrupt, .offset = 1}},
    Fault{"a size that no answer has", {.kind = kCorrupt, .offset = 2}},
    Fault{"late", {.kind = kDelay, .delay = 30ms}},
    Fault{"RETRY", {.kind = kRefuse, .code = TPM2_RC_RETRY}},
    Fault{"TESTING", {.kind = kRefuse, .code = TPM2_RC_TESTING}},
    Fault{"NV_RATE", {.kind = kRefuse, .code = TPM2_RC_NV_RATE}},
    Fault{"MEMORY", {.kind = kRefuse, .code = TPM2_RC_MEMORY}},
};

const std::array kSessions{SessionKind::kEncrypted, SessionKind::kPlain};

/// A backend behind a proxy, and two keys under one binding: whatever opens one would open the other.
struct Scene {
  explicit Scene(SessionKind sessions, std::chrono::milliseconds command_limit = 10s) {
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    options.timeout = command_limit;
    options.key_cache = 1;  // so that keys come from their blobs as well
    backend = open_backend(std::move(options));
    first = create_key(*backend);
    second = create_key(*backend);
  }

  /// Everything that a backend does; nothing when all of it came out well.
  std::optional<ErrorCode> work() {
    const auto made = backend->create({"agent", "k2"}, Algorithm::kES256, in(10s));
    if (!made) return made.error().code;
    for (const StoredKey& key : {*made, first, second, first}) {
      if (const auto error = sign_error(*backend, key, in(10s))) return error;
    }
    return check_error(*backend, in(10s));
  }

  /// What the TPM holds for us, by its own account and by ours.
  void expect_nothing_leaked() {
    eventually([&] { return check_error(*backend) == std::nullopt; });
    const BackendLoad load = backend->load();
    BOOST_TEST(load.queued == 0u);
    BOOST_TEST(load.live_objects <= 1u);  // the key that was used last
    BOOST_TEST(load.live_sessions <= 1u);
    BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == load.live_objects);
    BOOST_TEST(count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == load.live_sessions);
    BOOST_TEST(count_handles(*backend, TPM2_ACTIVE_SESSION_FIRST) == 0u);
  }

  simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy{tpm.socket()};
  std::unique_ptr<TpmBackend> backend;
  StoredKey first, second;
};

}  // namespace

// --- faults that pass

BOOST_DATA_TEST_CASE(a_passing_fault_costs_no_caller_anything,
                     data::make(kCommands) * data::make(kPassingFaults), command, fault) {
  for (const SessionKind sessions : kSessions) {
    Scene scene(sessions);
    scene.proxy.inject(command.code, fault.fault);
    const auto error = scene.work();
    BOOST_TEST((error == std::nullopt), "error " << (error ? static_cast<int>(*error) : 0));
    BOOST_TEST(scene.proxy.struck() == 1);
    scene.expect_nothing_leaked();
  }
}

BOOST_DATA_TEST_CASE(a_passing_fault_while_the_tpm_is_found_again_costs_nobody_anything,
                     data::make(kSetUpCommands) * data::make(kPassingFaults), command, fault) {
  Scene scene(SessionKind::kEncrypted);
  scene.tpm.kill();
  scene.proxy.inject(command.code, fault.fault);
  BOOST_REQUIRE(scene.tpm.restart());
  const auto error = scene.work();
  BOOST_TEST((error == std::nullopt), "error " << (error ? static_cast<int>(*error) : 0));
  BOOST_TEST(scene.proxy.struck() == 1);
  scene.expect_nothing_leaked();
}

// Outside of what an answer's HMAC covers.
BOOST_DATA_TEST_CASE(a_handle_that_was_changed_on_the_way_is_not_used,
                     data::make({Command{"Load", TPM2_CC_Load}, Command{"ContextLoad", TPM2_CC_ContextLoad}}),
                     command) {
  for (const SessionKind sessions : kSessions) {
    Scene scene(sessions);
    scene.proxy.inject(command.code, {.kind = kCorrupt, .offset = 13});
    BOOST_TEST((scene.work() == std::nullopt));
    BOOST_TEST(scene.proxy.struck() == 1);
    scene.expect_nothing_leaked();
  }
}

// --- faults that stay

namespace {

struct StayingFault {
  const char* name;
  TctiFault fault;
  ErrorCode encrypted;
  ErrorCode plain;
};
std::ostream& operator<<(std::ostream& out, const StayingFault& row) { return out << row.name; }

const std::array kStayingFaults{
    StayingFault{"no answer", {.kind = kCut}, kDeviceUnavailable, kDeviceUnavailable},
    StayingFault{"silence", {.kind = kSilence}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"a size beyond the answer", {.kind = kCorrupt, .offset = 4}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"too late", {.kind = kDelay, .delay = kCommandLimit * 4}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"half an answer", {.kind = kTruncate, .offset = 40}, kDeviceUnavailable, kDeviceUnavailable},
    StayingFault{"a short answer", {.kind = kShorten, .offset = 40}, kDeviceUnavailable, kDeviceUnavailable},
    // With a session the answer's HMAC tells; without, the public key does.
    StayingFault{"another signature", {.kind = kCorrupt, .offset = 30}, kDeviceUnavailable, kKeyMismatch},
    StayingFault{"another HMAC", {.kind = kCorrupt, .offset = -1}, kDeviceUnavailable, kDeviceUnavailable},
    StayingFault{"RETRY", {.kind = kRefuse, .code = TPM2_RC_RETRY}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"TESTING", {.kind = kRefuse, .code = TPM2_RC_TESTING}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"NV_RATE", {.kind = kRefuse, .code = TPM2_RC_NV_RATE}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"MEMORY", {.kind = kRefuse, .code = TPM2_RC_MEMORY}, kDeviceTimeout, kDeviceTimeout},
    StayingFault{"LOCKOUT", {.kind = kRefuse, .code = TPM2_RC_LOCKOUT}, kDeviceLockout, kDeviceLockout},
    StayingFault{"failure mode", {.kind = kRefuse, .code = TPM2_RC_FAILURE}, kDeviceError, kDeviceError},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_staying_fault_has_one_name_until_it_ends, data::make(kStayingFaults), row) {
  for (const SessionKind sessions : kSessions) {
    const ErrorCode want = sessions == SessionKind::kPlain ? row.plain : row.encrypted;
    Scene scene(sessions, want == kDeviceTimeout ? kCommandLimit : 10s);
    scene.proxy.inject(TPM2_CC_Sign, row.fault, TpmProxy::kAlways);
    const auto error = sign_error(*scene.backend, scene.first, in(want == kDeviceTimeout ? 600ms : 10s));
    BOOST_TEST((error == want), "error " << (error ? static_cast<int>(*error) : 0));
    BOOST_TEST(scene.proxy.struck() > 0);
    scene.proxy.heal();
    eventually([&] { return sign_error(*scene.backend, scene.first) == std::nullopt; });
    scene.expect_nothing_leaked();
  }
}

}  // namespace chancery::hsm
