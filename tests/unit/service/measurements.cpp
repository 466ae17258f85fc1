// What is measured into a TPM before a key is used, and the log of it.

#include "daemon/service/measurements.hpp"

#include <optional>

#include <boost/test/unit_test.hpp>

#include "attest/verify/measurements.hpp"
#include "daemon/service/attestation.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

const Bytes kNonce(32, 0x21);
const std::string kProgram(64, 'a');
const std::string kOtherProgram(64, 'b');

/// A daemon with a TPM of its own, which is enrolled.
struct Measured {
  Measured() : swtpm(hsm::start_swtpm()) {
    auto backend = hsm::open_backend(hsm::options_for(swtpm.tcti()));
    office.emplace(OfficeFixture::Extension{std::move(backend), {}});
    office->create_agent("support", kSupportUid);
    const auto made = office->call(
        "POST", "/v1/agents", R"({"name":"builder","backend":"tpm","selectors":{"uid":2002}})", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    agent = must(office->store().agent_by_name("builder"));
    must(service::attest_own_key(office->office(), agent.key, now()));
  }

  [[nodiscard]] static service::Occasion now() { return {kNow, hsm::far_away(), nullptr}; }

  hsm::Attester& attester() { return *must(service::find_attester(office->office(), "tpm")); }
  store::HostBook& book() { return office->office().attestation.hosts; }

  Status measure(service::Measurements& measurements, const std::string& program) {
    api::Selectors selectors;
    selectors.executable_sha256 = program;
    return measurements.measure(agent, selectors, attester(), now());
  }

  // As a verifier finds it that enrolled this TPM.
  attest::Judged<attest::AttestedMeasurements> judged(service::Measurements& measurements) {
    const api::Measurements said = must(measurements.show("tpm", attester(), kNonce, now()));
    const store::Host host = must(book().host_of_backend("tpm"));
    const attest::MeasurementEvidence evidence{service::octets_of(said.statement), said.index_public,
                                               must(book().measurements("tpm"))};
    BOOST_TEST(said.log.size() == evidence.log.size());
    return attest::check_measurements(evidence, must(service::enrolled(host, {})), kNonce);
  }

  std::size_t entries() { return must(book().measurements("tpm")).size(); }

  simulators::Swtpm swtpm;
  std::optional<OfficeFixture> office;
  store::Agent agent;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(measurements)

BOOST_FIXTURE_TEST_CASE(a_program_is_measured_when_it_is_another_than_before, Measured) {
  service::Measurements measurements(book());
  BOOST_REQUIRE(measure(measurements, kProgram));
  BOOST_REQUIRE(measure(measurements, kProgram));
  BOOST_TEST(entries() == 1U);
  BOOST_REQUIRE(measure(measurements, kOtherProgram));
  BOOST_REQUIRE(measure(measurements, kProgram));
  BOOST_TEST(entries() == 3U);
  BOOST_TEST(judged(measurements).has_value());
}

BOOST_FIXTURE_TEST_CASE(an_agent_that_is_registered_otherwise_is_measured_anew, Measured) {
  service::Measurements measurements(book());
  BOOST_REQUIRE(measure(measurements, kProgram));
  agent.selectors = R"({"uid":2002,"unit":"builder.service"})";
  BOOST_REQUIRE(measure(measurements, kProgram));
  const auto log = must(book().measurements("tpm"));
  BOOST_REQUIRE(log.size() == 2U);
  BOOST_TEST((log[0].executable == log[1].executable));
  BOOST_TEST((log[0].manifest != log[1].manifest));
}

BOOST_FIXTURE_TEST_CASE(an_agent_whose_program_nobody_looked_at_is_not_measured, Measured) {
  service::Measurements measurements(book());
  BOOST_REQUIRE(measurements.measure(agent, {}, attester(), now()));
  BOOST_TEST(entries() == 0U);
  BOOST_TEST((measurements.show("tpm", attester(), kNonce, now()).error().code == ErrorCode::kNotFound));
}

BOOST_FIXTURE_TEST_CASE(what_was_measured_before_a_restart_goes_on, Measured) {
  {
    service::Measurements before(book());
    BOOST_REQUIRE(measure(before, kProgram));
  }
  service::Measurements after(book());
  BOOST_REQUIRE(measure(after, kProgram));
  BOOST_TEST(entries() == 1U);
  BOOST_REQUIRE(measure(after, kOtherProgram));
  BOOST_TEST(judged(after).has_value());
}

// Killed between the log's entry and the device's: the next start makes up for it, the first entry's too.
BOOST_FIXTURE_TEST_CASE(an_entry_that_did_not_reach_the_device_is_made_up_for, Measured) {
  for (std::uint64_t seq = 1; seq <= 2; ++seq) {
    attest::AgentMeasurement cut_off;
    cut_off.seq = seq;
    cut_off.at = kNow;
    cut_off.agent = agent.id;
    cut_off.executable.fill(static_cast<std::uint8_t>(seq));
    must(book().add_measurement("tpm", cut_off, service::audit_entry("measurement", now(), {})));
    service::Measurements after(book());
    BOOST_TEST(judged(after).has_value());
    BOOST_TEST(entries() == seq);
  }
}

BOOST_FIXTURE_TEST_CASE(a_log_that_was_changed_leads_elsewhere_and_says_so, Measured) {
  {
    service::Measurements before(book());
    BOOST_REQUIRE(measure(before, kProgram));
    BOOST_REQUIRE(measure(before, kOtherProgram));
  }
  auto log = must(book().measurements("tpm"));
  must(book().forget_measurements("tpm", service::audit_entry("measurement", now(), {})));
  log.front().executable.fill(9);
  for (const auto& entry : log)
    must(book().add_measurement("tpm", entry, service::audit_entry("measurement", now(), {})));
  service::Measurements after(book());
  const auto found = judged(after);
  BOOST_REQUIRE(!found);
  BOOST_TEST((found.error().check == attest::Check::kLogReplay));
}

BOOST_FIXTURE_TEST_CASE(a_verifier_remembers_what_was_measured_and_takes_no_other_log, Measured) {
  service::Office& desk = office->office();
  const auto evidence_with = [&](const api::Measurements& measurements, const std::string& challenge,
                                 const api::KeyEvidence& key) {
    service::CallContext context;
    context.caller.process = service::Process{};
    context.caller.process->uid = kOperatorUid;
    context.now = kNow;
    context.deadline = hsm::far_away();
    return service::take_evidence(desk, context, {challenge, std::nullopt, key, measurements, {}});
  };
  const auto send = [&](const std::function<void(api::Measurements&)>& change) {
    const auto host = must(desk.attestation.hosts.host_of_backend("tpm"));
    const auto challenge = must(service::challenge_host(desk, host, kNow));
    const auto key = must(service::make_evidence(desk, agent.key, challenge.nonce, {}, hsm::far_away()));
    api::Measurements said =
        must(desk.attestation.measurements.show("tpm", attester(), challenge.nonce, now()));
    change(said);
    return evidence_with(said, challenge.id, key);
  };
  BOOST_REQUIRE(measure(desk.attestation.measurements, kProgram));
  BOOST_REQUIRE(measure(desk.attestation.measurements, kOtherProgram));
  BOOST_TEST(must(send([](api::Measurements&) {})).host.measurements == 2);
  // Another index that this log leads to, as one is that was made anew.
  BOOST_REQUIRE(desk.attestation.hosts.saw_measurements("local.tpm", 2, std::string(64, 'f')));
  const auto other = send([](api::Measurements&) {});
  BOOST_REQUIRE(!other);
  BOOST_TEST(service::refused_check(other.error()) == "log_replay");
  const auto cut = send([](api::Measurements& said) { said.log.pop_back(); });
  BOOST_REQUIRE(!cut);
  BOOST_TEST(service::refused_check(cut.error()) == "log_replay");
  const auto garbled = send([](api::Measurements& said) { said.log.front().executable_sha256 = "zz"; });
  BOOST_REQUIRE(!garbled);
  BOOST_TEST(service::refused_check(garbled.error()) == "log_parse");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
