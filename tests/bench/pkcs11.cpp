// Signing through the PKCS#11 backend beside a bare loop of C_SignInit and C_Sign: on the same token of
// SoftHSM, with as many sessions, in turns within one run. The backend has more callers than sessions, so
// that no session waits for a request.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hsm/pkcs11/backend.hpp"
#include "hsm/pkcs11/key_attributes.hpp"
#include "hsm/pkcs11/module.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "simulators/faults/pkcs11_faults.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 11;

/// Runs `work` on several threads until they have done `count` together; how many a second.
template <typename Work>
double rate(std::size_t threads, std::size_t count, Work work) {
  std::atomic<std::size_t> taken = 0;
  const auto start = Clock::now();
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        while (taken++ < count) work(i);
      });
    }
  }
  return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count();
}

/// What a bare program would have: a session for each thread, and a key of its own on the token.
class BareLoop {
 public:
  BareLoop(std::shared_ptr<hsm::Module> module, const std::string& serial, std::size_t sessions)
      : module_(std::move(module)), sessions_(sessions) {
    const hsm::FoundToken token = required(module_->find_token({{}, {}, {}, serial}));
    for (CK_SESSION_HANDLE& session : sessions_) {
      if (call().C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) !=
          CKR_OK) {
        fail("the bare loop has no session");
      }
    }
    const auto pair =
        required(hsm::generate_pair(call(), sessions_.front(), {serial, "bare", {1}}, Algorithm::kES256));
    key_ = pair.private_half;
    public_key_ =
        required(hsm::read_public_key({call(), sessions_.front(), pair.public_half}, Algorithm::kES256));
  }

  /// \param is_verified  whether each signature is checked in the same thread, as the backend does
  double measure(std::size_t count, bool is_verified) {
    return rate(sessions_.size(), count, [&](std::size_t thread) {
      Signature signature{};
      CK_ULONG size = signature.size();
      CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
      Sha256Digest digest = sha256(as_bytes("bench"));
      if (call().C_SignInit(sessions_[thread], &mechanism, key_) != CKR_OK ||
          call().C_Sign(sessions_[thread], digest.data(), digest.size(), signature.data(), &size) != CKR_OK ||
          (is_verified && !verify_signature(public_key_, digest, as_bytes("bench"), signature))) {
        fail("the bare loop could not sign");
      }
    });
  }

 private:
  [[nodiscard]] const CK_FUNCTION_LIST& call() const { return module_->functions(); }

  const std::shared_ptr<hsm::Module> module_;
  std::vector<CK_SESSION_HANDLE> sessions_;
  CK_OBJECT_HANDLE key_ = 0;
  PublicKey public_key_ = PublicKey::ed25519({});
};

class Comparison {
 public:
  explicit Comparison(std::size_t sessions)
      : callers_(2 * sessions + 2), suffix_("_" + std::to_string(sessions)) {
    store_.use_in_this_process();
    faults_.wrap_in_this_process(simulators::SoftHsm::module());
    backend_ = required(hsm::Pkcs11Backend::open(options(sessions)));
    for (std::size_t i = 0; i < callers_; ++i) {
      keys_.push_back(
          required(backend_->create({"agent-" + std::to_string(i), "k"}, Algorithm::kES256, far_away())));
    }
    hsm::Pkcs11Options isolated = options(sessions);
    isolated.isolate = true;
    isolated.owner_program = CHANCERY_BINARY_DIR "/chanceryd";
    isolated_ = required(hsm::Pkcs11Backend::open(std::move(isolated)));
    for (hsm::KeyBackend* const backend : {backend_.get(), isolated_.get()}) {
      static_cast<void>(sign_many(*backend, 10 * callers_));  // every session finds its keys
    }
    bare_ = std::make_unique<BareLoop>(required(hsm::Module::load(simulators::Pkcs11Faults::module())),
                                       token_.serial, sessions);
  }

  /// Every C_Sign takes that much longer from now on, without using a processor.
  void slow_down(std::chrono::milliseconds time) { faults_.delay(simulators::Pkcs11Call::kSign, time); }

  void measure(Report& report, const std::string& name, std::size_t count, bool is_verified) {
    const SideBySide measured = median_ratio([&] { return sign_many(*backend_, count); },
                                             [&] { return bare_->measure(count, is_verified); }, kRounds);
    report.add(name + "_bare_per_s" + suffix_, measured.b);
    report.add(name + "_per_s" + suffix_, measured.a);
    report.add(name + "_ratio" + suffix_, measured.ratio);
  }

  /// The same over a socket, with the module in a process of its own.
  void measure_isolated(Report& report, std::size_t count) {
    const SideBySide measured = median_ratio([&] { return sign_many(*isolated_, count); },
                                             [&] { return bare_->measure(count, false); }, kRounds);
    report.add("pkcs11_isolated_per_s" + suffix_, measured.a);
    report.add("pkcs11_isolated_ratio" + suffix_, measured.ratio);
  }

 private:
  [[nodiscard]] hsm::Pkcs11Options options(std::size_t sessions) const {
    hsm::Pkcs11Options options;
    options.name = "bench";
    options.module = simulators::Pkcs11Faults::module();
    options.serial = token_.serial;
    options.pin_file = token_.pin_file;
    options.allow_simulator = true;
    options.sessions = sessions;
    options.master = SecretBytes(Bytes(32, 1));
    return options;
  }

  double sign_many(hsm::KeyBackend& backend, std::size_t count) {
    return rate(callers_, count, [&](std::size_t caller) {
      if (!backend.sign(keys_[caller], as_bytes("bench"), far_away())) fail("the backend could not sign");
    });
  }

  const std::size_t callers_;
  const std::string suffix_;
  simulators::SoftHsm store_ = required(simulators::SoftHsm::create());
  simulators::SoftToken token_ = required(store_.add_token("bench"));
  simulators::Pkcs11Faults faults_ = required(simulators::Pkcs11Faults::create());
  std::unique_ptr<hsm::Pkcs11Backend> backend_, isolated_;
  std::vector<hsm::StoredKey> keys_;
  std::unique_ptr<BareLoop> bare_;
};

}  // namespace

void bench_pkcs11(Report& report) {
  for (const std::size_t sessions : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
    Comparison comparison(sessions);
    comparison.measure(report, "pkcs11_sign", 1000 * sessions, false);
    comparison.measure(report, "pkcs11_sign_verified", 1000 * sessions, true);
    comparison.measure_isolated(report, 1000 * sessions);
    comparison.slow_down(2ms);
    comparison.measure(report, "pkcs11_sign_2ms", 100 * sessions, false);
  }
}

}  // namespace chancery::bench
