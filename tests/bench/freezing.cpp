// The kill switch: what its condition costs a signature, beside a key without it; how long it takes to freeze all keys by the one
// write in the TPM, and by the daemon's whole answer, which also is in the audit log then; and to lift that again.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <chancery/freeze_client.hpp>

#include "hsm/kill_switch.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/runtime_scene.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 21;
constexpr int kSignatures = 20;
constexpr int kFreezes = 100;
constexpr std::string_view kMessage = "eyJhbGciOiJFUzI1NiJ9.e30";

template <typename Work>
double milliseconds(Work work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void expect(const Status& done) {
  if (!done) fail(done.error().what);
}

void add(Report& report, const std::string& what, const std::vector<double>& times) {
  report.add(what + "_p50_ms", percentile(times, 50));
  report.add(what + "_p99_ms", percentile(times, 99));
}

// --- the device

/// A TPM with a kill switch that is armed, and whose key lifts what is frozen.
class ArmedDevice {
 public:
  ArmedDevice() : operator_(required(SigningKey::generate(Algorithm::kES256))) {
    hsm::TpmOptions options;
    options.name = "bench";
    options.tcti = tpm_.tcti();
    options.allow_simulator = true;
    options.master = SecretBytes(Bytes(32, 1));
    options.kill_switch = hsm::KillSwitchOptions{operator_.public_key(), 1};
    backend_ = required(hsm::TpmBackend::open(std::move(options)));
    if (backend_->kill_switch() == nullptr) fail("the TPM has no kill switch");
    clear();
  }

  [[nodiscard]] hsm::TpmBackend& backend() const { return *backend_; }
  [[nodiscard]] hsm::KillSwitch& kill_switch() const { return *backend_->kill_switch(); }
  /// Arms the bank, or lifts what is frozen in it.
  void clear() const {
    const attest::BankSetting asked = required(kill_switch().ask(0, 0, far_away()));
    const Bytes message = required(attest::setting_message(asked, operator_.public_key()));
    expect(kill_switch().set(asked, required(operator_.sign(message)), far_away()));
  }

 private:
  simulators::Swtpm tpm_ = required(simulators::Swtpm::start());
  SigningKey operator_;
  std::unique_ptr<hsm::TpmBackend> backend_;
};

/// Milliseconds for one signature.
double time_of_one(hsm::TpmBackend& backend, const hsm::StoredKey& key) {
  return milliseconds([&] {
           for (int i = 0; i < kSignatures; ++i)
             static_cast<void>(required(backend.sign(key, as_bytes(kMessage), far_away())));
         }) /
         kSignatures;
}

void add_signing(Report& report, const ArmedDevice& device) {
  const hsm::StoredKey plain =
      required(device.backend().create({"plain", "k"}, Algorithm::kES256, far_away()));
  const hsm::StoredKey switched = required(device.kill_switch().create({"switched", "k"}, 1, far_away()));
  const SideBySide figures = median_ratio([&] { return time_of_one(device.backend(), switched); },
                                          [&] { return time_of_one(device.backend(), plain); }, kRounds);
  report.add("switched_sign_ms", figures.a);
  report.add("switched_plain_sign_ms", figures.b);
  report.add("switched_sign_ratio", figures.ratio);
}

void add_writes(Report& report, const ArmedDevice& device) {
  const hsm::StoredKey key = required(device.kill_switch().create({"frozen", "k"}, 2, far_away()));
  std::vector<double> freezes;
  std::vector<double> lifts;
  for (int i = 0; i < kFreezes; ++i) {
    freezes.push_back(
        milliseconds([&] { expect(device.kill_switch().freeze(hsm::KillSwitch::kAll, far_away())); }));
    if (device.backend().sign(key, as_bytes(kMessage), far_away())) fail("a frozen key signed");
    lifts.push_back(milliseconds([&] { device.clear(); }));
  }
  static_cast<void>(required(device.backend().sign(key, as_bytes(kMessage), far_away())));
  add(report, "freeze_write", freezes);
  add(report, "freeze_lift_write", lifts);
}

// --- the daemon

/// The operator's key, whose public half the daemon gets in a file.
struct Operator {
  Operator() { std::ofstream(file()) << key.public_key().jwk() << '\n'; }
  [[nodiscard]] std::string file() const { return (folder.path() / "operator.jwk").string(); }
  [[nodiscard]] std::string section() const { return "[freeze]\noperator_key = \"" + file() + "\"\n"; }
  [[nodiscard]] api::SignedSettings sign(const std::vector<api::SwitchSetting>& asked) const {
    api::SignedSettings out;
    for (const api::SwitchSetting& setting : asked) {
      const Bytes message =
          required(attest::setting_message({setting.index, setting.frozen, setting.nonce}, key.public_key()));
      const Signature signature = required(key.sign(message));
      out.settings.push_back({setting, Bytes(signature.begin(), signature.end())});
    }
    return out;
  }

  testing::TemporaryFolder folder;
  SigningKey key = required(SigningKey::generate(Algorithm::kES256));
};

void add_daemon(Report& report) {
  const Operator person;
  const RuntimeScene scene(person.section());
  const Client daemon = scene.daemon();
  const FreezeClient freezer(daemon);
  const auto asked = answered(freezer.arm());
  if (!answered(freezer.arm(person.sign(asked.to_sign))).is_armed) fail("the kill switch is not armed");
  std::vector<double> freezes;
  for (int i = 0; i < kFreezes; ++i) {
    freezes.push_back(milliseconds([&] {
      if (!answered(freezer.freeze_all({})).is_frozen) fail("nothing was frozen");
    }));
    const auto to_lift = answered(freezer.lift());
    if (answered(freezer.lift(person.sign(to_lift.to_sign))).is_frozen) fail("a freeze was not lifted");
  }
  add(report, "freeze_all", freezes);
}

}  // namespace

void bench_freezing(Report& report) {
  const ArmedDevice device;
  add_signing(report, device);
  add_writes(report, device);
  add_daemon(report);
}

}  // namespace chancery::bench
