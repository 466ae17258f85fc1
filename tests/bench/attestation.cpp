// What attestation costs: to enrol a host, to judge one certification, and to have every key of many agents attested.
// The TPM is a simulator: a chip takes longer for what it signs.

#include "daemon/service/attestation.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "attest/verify/key_evidence.hpp"
#include "daemon/service/premises.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/base/base64url.hpp"
#include "simulators/memory/memory_counter.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 21;
constexpr int kJudgementsARound = 500;
constexpr int kAgents = 1000;
constexpr const char* kBackend = "tpm";
constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// A daemon with one swtpm, which is host and verifier in one; its operator is uid 0.
struct Scene {
  Scene()
      : premises(store::make_sqlite_books(required(store::Journal::open(folder.path() / "state"))),
                 devices(tpm), required(service::Nonces::create()), options(counter)) {}

  static service::Backends devices(const simulators::Swtpm& tpm) {
    hsm::TpmOptions options;
    options.name = kBackend;
    options.tcti = tpm.tcti();
    options.allow_simulator = true;
    options.master = SecretBytes(Bytes(32, 1));
    service::Backends backends;
    backends.add(kBackend, required(hsm::TpmBackend::open(std::move(options))));
    return backends;
  }

  static service::PremisesOptions options(simulators::MemoryCounter& counter) {
    service::PremisesOptions options;
    options.policy.issuer_url = "https://as.example.net";
    options.policy.trust_domain = "example.net";
    options.policy.operators.uids = {0};
    options.issuer = {store::kIssuer, kBackend, 8h, 32h};
    options.status_keys = {store::kStatusLists, kBackend, 8h, 32h};
    options.attestation_keys = {store::kAttestation, kBackend, 8h, 32h};
    options.audit_keys = {store::kAudit, kBackend, 8h, 32h};
    options.attestation.endorsers.first_use = true;
    options.attestation.policy.id = "bench";
    options.spending = {.counter = &counter};
    options.complain = [](const char* what, const Error&) { fail(what); };
    return options;
  }

  [[nodiscard]] service::CallContext by_operator() const {
    service::CallContext context;
    context.caller.process = service::Process{};
    context.now = kNow;
    context.deadline = far_away();
    context.request_id = "bench";
    return context;
  }
  [[nodiscard]] service::Office& office() { return premises.office; }

  /// An agent and a result about its key. \return the key's thumbprint
  std::string enrol_agent(int number) {
    api::CreateAgent message;
    message.name = "agent-" + std::to_string(number);
    message.backend = kBackend;
    message.selectors.uid = 1000U + static_cast<std::uint32_t>(number);
    const api::Agent agent = required(service::create_agent(office(), by_operator(), message));
    if (required(service::show_results(office(), by_operator(), agent.jkt)).results.size() != 1)
      fail("a key has one result");
    return agent.jkt;
  }

  chancery::testing::TemporaryFolder folder;
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  simulators::MemoryCounter counter;
  service::Premises premises;
};

// begin_enrolment, TPM2_ActivateCredential with a quote, complete_enrolment.
double activation_ms(Scene& scene) {
  const service::CallContext context = scene.by_operator();
  const auto identity = required(service::show_identity(scene.office(), context, kBackend));
  const auto start = Clock::now();
  const auto challenge = required(service::enroll_host(scene.office(), context, {"build-7", identity}));
  auto activation = required(service::activate_credential(scene.office(), context, kBackend, challenge));
  required(service::take_evidence(scene.office(), context,
                                  {challenge.id, std::move(activation), std::nullopt, {}, {}}));
  const double taken = milliseconds_since(start);
  required(service::remove_host(scene.office(), context, "build-7"));
  return taken;
}

void bench_activation(Scene& scene, Report& report) {
  activation_ms(scene);  // makes the attestation key
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) times.push_back(activation_ms(scene));
  report.add("attest_activation_ms", median(times));
}

// Pure judgement: evidence as it came, of the host as it is known.
void bench_judgement(Scene& scene, const std::string& jkt, Report& report) {
  const Bytes nonce(32, 7);
  const api::KeyEvidence told =
      required(service::certify_key(scene.office(), scene.by_operator(), jkt, {nonce, {}, {}}));
  const attest::KeyEvidence evidence{
      told.key_public, service::octets_of(told.certification), {}, std::nullopt};
  const auto host = required(scene.office().attestation.hosts.host_of_backend(kBackend));
  const attest::EnrolledHost known = required(service::enrolled(host, host.last_seen));
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < kJudgementsARound; ++i) {
      if (!attest::verify_evidence(evidence, known, scene.office().attestation.options->policy, nonce))
        fail("good evidence was refused");
    }
    times.push_back(milliseconds_since(start) * 1000 / kJudgementsARound);
  }
  report.add("attest_verify_us", median(times));
}

void bench_agents(Scene& scene, Report& report) {
  const auto start = Clock::now();
  for (int agent = 1; agent <= kAgents; ++agent) scene.enrol_agent(agent);
  const double taken = milliseconds_since(start);
  report.add("attest_agents_1000_s", taken / 1000);
  report.add("attest_agent_ms", taken / kAgents);
}

}  // namespace

void bench_attestation(Report& report) {
  Scene scene;
  bench_activation(scene, report);
  const std::string jkt = scene.enrol_agent(0);
  bench_judgement(scene, jkt, report);
  bench_agents(scene, report);
}

}  // namespace chancery::bench
