// What is measured into a TPM: it only grows, outlasts restarts, and is certified by the host's attestation key.

#include "attest/verify/measurements.hpp"

#include <algorithm>

#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {
namespace {

using attest::AgentMeasurement;
using attest::Check;
using attest::MeasurementLog;
using attest::PublicArea;
using simulators::TctiFault;

const Bytes kNonce(32, 0x21);

AgentMeasurement entry(std::uint64_t seq) {
  return {seq, std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000)), "agent",
          sha256(as_bytes(std::to_string(seq))), sha256({})};
}

PublicArea area(const Bytes& octets) { return PublicArea::parse(octets, PublicArea::Form::kBare).value(); }

/// A host that keeps its attestation key and its log over restarts of everything.
struct Host {
  explicit Host(SessionKind sessions = SessionKind::kEncrypted) : swtpm(start_swtpm()), kind(sessions) {
    open();
  }

  void open(const std::string& tcti = {}) {
    backend.reset();
    TpmOptions options = options_for(tcti.empty() ? swtpm.tcti() : tcti);
    options.sessions = kind;
    options.attestation_key = {{}, blob, [this](ByteView kept) -> Status {
                                 blob.assign(kept.begin(), kept.end());
                                 return {};
                               }};
    backend = open_backend(std::move(options));
  }

  void measure() {
    log.push_back(entry(log.size() + 1));
    const Status done = backend->attester()->measure(digest_of(log.back()), far_away());
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  }

  [[nodiscard]] attest::Judged<attest::AttestedMeasurements> judged() const {
    Attester& attester = *backend->attester();
    const HostIdentity identity = attester.identity(far_away()).value();
    const auto said = attester.certify_measurements(kNonce, far_away());
    BOOST_REQUIRE_MESSAGE(said, (said ? "" : said.error().what));
    const attest::EnrolledHost host{area(identity.ek_public),
                                    area(identity.ak_public),
                                    area(identity.srk_public),
                                    Custody::kTpmCertifiedEmulated,
                                    {},
                                    {}};
    return attest::check_measurements(
        {{said->statement.attest, said->statement.signature}, said->index_public, log}, host, kNonce);
  }

  void require_attested() const {
    const auto attested = judged();
    BOOST_REQUIRE_MESSAGE(attested, (attested ? "" : attested.error().what));
  }

  simulators::Swtpm swtpm;
  SessionKind kind;
  Bytes blob;
  MeasurementLog log;
  std::unique_ptr<TpmBackend> backend;
};

std::optional<ErrorCode> certification_error(const Host& host) {
  const auto said = host.backend->attester()->certify_measurements(kNonce, far_away());
  return said ? std::nullopt : std::optional(said.error().code);
}

/// What a machine does to its TPM before it goes off in order.
void shut_down(TpmBackend& backend) {
  BOOST_REQUIRE(backend.device().run("test", far_away(), [](OpenTpm& tpm) {
    return tpm.connection->command("no shutdown", [&] {
      return Esys_Shutdown(tpm.connection->esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_SU_CLEAR);
    });
  }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tpm_measurements)

BOOST_AUTO_TEST_CASE(what_was_measured_is_certified_and_the_log_leads_to_it) {
  for (const SessionKind kind : {SessionKind::kEncrypted, SessionKind::kPlain}) {
    Host host(kind);
    for (int i = 0; i < 3; ++i) {
      host.measure();
      host.require_attested();
    }
    host.log[1].manifest[0] ^= 1;
    BOOST_TEST((host.judged().error().check == Check::kLogReplay));
  }
}

BOOST_AUTO_TEST_CASE(before_the_first_measurement_there_is_nothing_to_certify) {
  BOOST_TEST((certification_error(Host()) == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(what_was_measured_outlasts_restarts_in_order_and_power_cuts) {
  Host host;
  host.measure();
  for (const bool in_order : {true, false}) {
    if (in_order) shut_down(*host.backend);
    host.swtpm.kill();
    BOOST_REQUIRE(host.swtpm.restart());
    host.open();
    host.require_attested();
    host.measure();
    host.require_attested();
  }
}

BOOST_AUTO_TEST_CASE(a_measurement_whose_answer_is_lost_is_made_once) {
  for (const TPM2_CC command : {TPM2_CC_NV_DefineSpace, TPM2_CC_NV_Extend}) {
    Host host;
    simulators::TpmProxy proxy(host.swtpm.socket());
    host.open(proxy.tcti());
    for (int i = 0; i < 2; ++i) {
      if (i == 0 || command == TPM2_CC_NV_Extend) proxy.inject(command, {.kind = TctiFault::Kind::kCut});
      host.measure();
    }
    host.require_attested();
    host.open();
  }
}

BOOST_AUTO_TEST_CASE(a_cleared_tpm_has_forgotten_what_was_measured) {
  Host host;
  host.measure();
  BOOST_REQUIRE(host.swtpm.clear());
  host.blob.clear();
  host.open();
  BOOST_TEST((certification_error(host) == ErrorCode::kNotFound));
  const attest::SeenMeasurements seen{host.log.size(), replay(host.log)};
  host.log.clear();
  host.measure();
  host.require_attested();
  host.log[0].executable[0] ^= 1;
  BOOST_TEST((attest::check_continues(seen, host.log).error().check == Check::kLogReplay));
}

BOOST_AUTO_TEST_CASE(only_digests_are_measured_and_only_nonces_of_a_tpms_size_answered) {
  const Host host;
  BOOST_TEST(
      (host.backend->attester()->measure(Bytes(20), far_away()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((host.backend->attester()->certify_measurements(Bytes(65), far_away()).error().code ==
              ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(nothing_stays_in_the_tpm_or_in_its_sessions) {
  Host host;
  for (int i = 0; i < 8; ++i) {
    host.measure();
    host.require_attested();
  }
  const BackendLoad load = host.backend->load();
  BOOST_TEST(load.live_sessions == 1u);
  BOOST_TEST(load.live_objects <= 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm
