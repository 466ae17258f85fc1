// Signing behind a gate beside signing with an agent's key: the same backend and swtpm, encrypted sessions, in turns within one
// run. Approvers sign beforehand: what is measured is what the TPM and the daemon do with their signatures.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "hsm/gated_keys.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 21;
constexpr int kSignatures = 20;
constexpr std::string_view kMessage = "eyJhbGciOiJFUzI1NiJ9.e30";

std::unique_ptr<hsm::TpmBackend> open_on(const simulators::Swtpm& tpm) {
  hsm::TpmOptions options;
  options.name = "bench";
  options.tcti = tpm.tcti();
  options.allow_simulator = true;
  options.master = SecretBytes(Bytes(32, 1));
  return required(hsm::TpmBackend::open(std::move(options)));
}

/// A key behind a gate, and signatures that open it for kMessage.
struct GatedKeyInUse {
  GatedKeyInUse(hsm::TpmBackend& backend, std::size_t approvers, std::uint32_t quorum)
      : policy{{}, quorum, "bench"} {
    std::vector<SigningKey> keys;
    for (std::size_t i = 0; i < approvers; ++i) {
      keys.push_back(required(SigningKey::generate(Algorithm::kES256)));
      policy.approvers.push_back(keys.back().public_key());
    }
    hsm::GatedKeys& gated = *backend.gated_keys();
    key = required(gated.create({"daemon", policy.gate}, policy, far_away()));
    const auto judged = attest::judge_gated_key(required(gated.public_area(key)), policy);
    if (!judged) fail(judged.error().what);
    const Bytes input = attest::policy_signature_input(judged->name, as_bytes(kMessage), policy.gate);
    for (std::size_t i = 0; i < quorum; ++i)
      signatures.push_back({keys[i].public_key(), required(keys[i].sign(input))});
  }

  attest::GatePolicy policy;
  hsm::StoredKey key;
  std::vector<hsm::PolicySignature> signatures;
};

/// Milliseconds for one of them.
template <typename Sign>
double time_of_one(Sign sign) {
  const auto start = Clock::now();
  for (int i = 0; i < kSignatures; ++i) static_cast<void>(required(sign()));
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count() / kSignatures;
}

void measure(Report& report, hsm::TpmBackend& backend, const hsm::StoredKey& plain,
             const GatedKeyInUse& gated) {
  const auto behind_gate = [&] {
    return time_of_one([&] {
      return backend.gated_keys()->sign(gated.key, gated.policy, as_bytes(kMessage), gated.signatures,
                                        far_away());
    });
  };
  const auto beside = [&] {
    return time_of_one([&] { return backend.sign(plain, as_bytes(kMessage), far_away()); });
  };
  const SideBySide figures = median_ratio(behind_gate, beside, kRounds);
  const std::string rule =
      std::to_string(gated.policy.quorum) + "_of_" + std::to_string(gated.policy.approvers.size());
  report.add("gated_sign_ms_" + rule, figures.a);
  report.add("gated_plain_sign_ms_" + rule, figures.b);
  report.add("gated_sign_ratio_" + rule, figures.ratio);
}

}  // namespace

void bench_gated(Report& report) {
  const simulators::Swtpm tpm = required(simulators::Swtpm::start());
  const auto backend = open_on(tpm);
  const hsm::StoredKey plain = required(backend->create({"agent", "k"}, Algorithm::kES256, far_away()));
  const GatedKeyInUse one(*backend, 1, 1);
  const GatedKeyInUse both(*backend, 2, 2);
  const GatedKeyInUse two_of_three(*backend, 3, 2);
  for (const GatedKeyInUse* gated : {&one, &both, &two_of_three}) measure(report, *backend, plain, *gated);
}

}  // namespace chancery::bench
