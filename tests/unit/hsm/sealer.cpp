#include "hsm/tpm/sealer.hpp"

#include <atomic>

#include <boost/test/data/test_case.hpp>

#include "hsm/tpm/key_blob.hpp"
#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// What befalls a secret between us and the TPM. What every sealer must do is in tests/conformance.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using enum simulators::TctiFault::Kind;
using namespace std::chrono_literals;
using simulators::TctiFault;
using simulators::TpmProxy;
namespace data = boost::unit_test::data;

const KeyBinding kOwner{"agent", "k1"};

Bytes a_secret() { return Bytes(32, 0xC3); }

Bytes seal(TpmBackend& backend, const KeyBinding& binding = kOwner) {
  auto sealed = backend.sealer()->seal(binding, SecretBytes(ByteView(a_secret())), far_away());
  BOOST_REQUIRE_MESSAGE(sealed, (sealed ? "" : sealed.error().what));
  return *std::move(sealed);
}

std::optional<ErrorCode> seal_error(TpmBackend& backend, Deadline deadline = far_away()) {
  const auto sealed = backend.sealer()->seal(kOwner, SecretBytes(ByteView(a_secret())), deadline);
  return sealed ? std::nullopt : std::optional(sealed.error().code);
}

/// The error, or nothing when it opened; another secret ends the test.
std::optional<ErrorCode> unseal_error(TpmBackend& backend, const Bytes& sealed,
                                      Deadline deadline = far_away()) {
  const auto opened = backend.sealer()->unseal(kOwner, sealed, deadline);
  if (!opened) return opened.error().code;
  BOOST_REQUIRE(std::ranges::equal(opened->view(), a_secret()));
  return std::nullopt;
}

// The auth value of what is sealed for {"agent", "k1"}. Its derivation is for good: another one would lose every vault.
Bytes auth_of_the_secret() {
  using namespace std::string_literals;
  const std::string info = "chancery tpm sealed auth\0\0\0\x05"s + "agent\0\0\0\x02"s + "k1";
  const SecretBytes auth = hkdf_sha256(Bytes(32, 0x5a), {}, info, 32);
  return {auth.view().begin(), auth.view().end()};
}

constexpr std::array kCommands{TPM2_CC_Create, TPM2_CC_Load, TPM2_CC_Unseal, TPM2_CC_FlushContext};

}  // namespace

BOOST_AUTO_TEST_CASE(encrypted_sessions_hide_a_secret_and_plain_ones_do_not) {
  const simulators::Swtpm tpm = start_swtpm();
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    TpmProxy proxy(tpm.socket());
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    const Bytes sealed = seal(*backend);
    const bool is_plain = sessions == SessionKind::kPlain;
    BOOST_TEST(proxy.has_seen(a_secret()) == is_plain);
    BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
    BOOST_TEST(proxy.has_seen(a_secret()) == is_plain);
    BOOST_TEST(proxy.has_seen(auth_of_the_secret()) == is_plain);
  }
}

// Each way alone: what was sealed elsewhere is opened by a backend that only opens.
BOOST_AUTO_TEST_CASE(a_secret_is_hidden_on_its_way_back_too) {
  const simulators::Swtpm tpm = start_swtpm();
  const Bytes sealed = seal(*open_backend(options_for(tpm.tcti())));
  for (const SessionKind sessions : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    TpmProxy proxy(tpm.socket());
    TpmOptions options = options_for(proxy.tcti());
    options.sessions = sessions;
    const auto backend = open_backend(std::move(options));
    BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
    BOOST_TEST(proxy.has_seen(a_secret()) == (sessions == SessionKind::kPlain));
  }
}

BOOST_AUTO_TEST_CASE(what_is_sealed_is_data_that_this_tpm_alone_opens_by_its_auth_value) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const auto parts = unmarshal_like(seal(*backend), sealed_data_template());
  BOOST_REQUIRE(parts);
  const TPMT_PUBLIC& area = parts->public_area.publicArea;
  BOOST_TEST(area.type == TPM2_ALG_KEYEDHASH);
  BOOST_TEST(area.parameters.keyedHashDetail.scheme.scheme == TPM2_ALG_NULL);
  BOOST_TEST(area.objectAttributes ==
             (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA));
  BOOST_TEST(area.authPolicy.size == 0u);
  BOOST_TEST(area.unique.keyedHash.size == 32u);
  BOOST_TEST(!unmarshal(seal(*backend)));  // no signing key
}

BOOST_AUTO_TEST_CASE(sealing_leaves_nothing_in_the_tpm) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  for (int i = 0; i < 5; ++i) {
    const Bytes sealed = seal(*backend);
    BOOST_TEST((sign_error(*backend, key) == std::nullopt));  // a key that stays loaded makes room
    BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
  }
  BOOST_TEST((check_error(*backend) == std::nullopt));
  BOOST_TEST(backend->load().live_objects == 0u);
  BOOST_TEST(count_handles(*backend, TPM2_TRANSIENT_FIRST) == 0u);
  BOOST_TEST(backend->load().live_sessions == 1u);
}

BOOST_AUTO_TEST_CASE(another_master_secret_opens_nothing) {
  const simulators::Swtpm tpm = start_swtpm();
  const Bytes sealed = seal(*open_backend(options_for(tpm.tcti())));
  TpmOptions others = options_for(tpm.tcti());
  others.master = SecretBytes(Bytes(32, 0x77));
  BOOST_TEST((unseal_error(*open_backend(std::move(others)), sealed) == kKeyLost));
  BOOST_TEST((unseal_error(*open_backend(options_for(tpm.tcti())), sealed) == std::nullopt));
}

// Nothing is lost while the right TPM may come back. Once the other one is taken for good, it is.
BOOST_AUTO_TEST_CASE(a_cleared_tpm_is_another_one_until_it_is_adopted) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const Bytes sealed = seal(*backend);
  BOOST_REQUIRE(tpm.clear());
  eventually([&] { return unseal_error(*backend, sealed) == kWrongDevice; });
  BOOST_TEST((seal_error(*backend) == kWrongDevice));
  BOOST_REQUIRE(backend->adopt([](ByteView) { return Status{}; }));
  eventually([&] { return unseal_error(*backend, sealed) == kKeyLost; });
  BOOST_TEST((seal_error(*backend) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_tpm_that_is_away_is_unavailable_and_loses_nothing) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const Bytes sealed = seal(*backend);
  tpm.kill();
  BOOST_TEST((unseal_error(*backend, sealed) == kDeviceUnavailable));
  BOOST_TEST((seal_error(*backend) == kDeviceUnavailable));
  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return unseal_error(*backend, sealed) == std::nullopt; });
}

BOOST_AUTO_TEST_CASE(a_stopped_tpm_is_a_timeout) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const Bytes sealed = seal(*backend);
  tpm.pause();
  BOOST_TEST((unseal_error(*backend, sealed, in(30ms)) == kDeviceTimeout));
  BOOST_TEST((seal_error(*backend, in(30ms)) == kDeviceTimeout));
  tpm.resume();
  BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
}

BOOST_DATA_TEST_CASE(an_answer_that_was_lost_is_asked_for_again, data::make(kCommands), command) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Bytes before = seal(*backend);
  proxy.inject(command, {.kind = kCut});
  const Bytes sealed = seal(*backend);
  BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
  BOOST_TEST((unseal_error(*backend, before) == std::nullopt));
  BOOST_TEST(proxy.struck() == 1);
  BOOST_TEST(backend->load().live_sessions == 1u);
}

// The TPM has taken a nonce that we have not heard of: to it, our next HMAC looks like one under a wrong auth value.
BOOST_AUTO_TEST_CASE(a_session_that_fell_out_of_step_loses_no_secret) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Bytes sealed = seal(*backend);
  for (const TPM2_CC command : {TPM2_CC_Create, TPM2_CC_Unseal}) {
    proxy.inject(command, {.kind = kExchange, .answer = simulators::response_of(TPM2_RC_NV_RATE)});
    BOOST_TEST((seal_error(*backend) == std::nullopt));
    BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
  }
  BOOST_TEST(proxy.struck() == 2);
  BOOST_TEST(backend->load().recoveries == 0u);
  BOOST_TEST(backend->load().live_sessions == 1u);
}

BOOST_AUTO_TEST_CASE(a_secret_that_was_changed_on_its_way_back_is_not_given_out) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Bytes sealed = seal(*backend);
  // Header, size of the parameters, size of the data: then the data.
  proxy.inject(TPM2_CC_Unseal, {.kind = kCorrupt, .offset = 20}, TpmProxy::kAlways);
  BOOST_TEST((unseal_error(*backend, sealed) == kDeviceUnavailable));
  proxy.heal();
  eventually([&] { return unseal_error(*backend, sealed) == std::nullopt; });
}

BOOST_AUTO_TEST_CASE(a_lockout_does_not_pass_for_a_loss) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Bytes sealed = seal(*backend);
  proxy.inject(TPM2_CC_Unseal, {.kind = kRefuse, .code = TPM2_RC_LOCKOUT});
  BOOST_TEST((unseal_error(*backend, sealed) == kDeviceLockout));
  BOOST_TEST((unseal_error(*backend, sealed) == std::nullopt));
}

}  // namespace chancery::hsm
