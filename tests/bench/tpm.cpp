// Signing through the backend beside a bare ESYS loop of ContextLoad, Sign, Flush: on the same swtpm, over
// the same connection, with the same kind of session, in turns within one run. One caller: the backend gains
// nothing from requests that overlap.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <tss2/tss2_esys.h>

#include "hsm/tpm/backend.hpp"
#include "sdk/crypto/hash.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kAgents = 1000;
constexpr int kRounds = 21;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Keys that the bare loop uses: loaded once, kept as saved contexts.
struct BareKeys {
  std::vector<TPMS_CONTEXT> contexts;
  TPM2B_AUTH auth{};
};

Status add_bare_key(hsm::OpenTpm& tpm, BareKeys& bare) {
  ESYS_CONTEXT* esys = tpm.connection->esys();
  const SecretBytes auth(ByteView(bare.auth.buffer, bare.auth.size));
  CHANCERY_ASSIGN(const hsm::KeyParts parts, tpm.keys.create(auth));
  CHANCERY_ASSIGN(const hsm::TransientHandle parent, tpm.connection->load_storage_key());
  ESYS_TR handle = ESYS_TR_NONE;
  TPMS_CONTEXT* context = nullptr;
  if (Esys_Load(esys, parent.get(), tpm.connection->session(), ESYS_TR_NONE, ESYS_TR_NONE,
                &parts.private_area, &parts.public_area, &handle) != TSS2_RC_SUCCESS ||
      Esys_ContextSave(esys, handle, &context) != TSS2_RC_SUCCESS ||
      Esys_FlushContext(esys, handle) != TSS2_RC_SUCCESS) {
    fail("the bare loop's keys could not be loaded");
  }
  bare.contexts.push_back(*context);
  Esys_Free(context);
  return {};
}

void bare_sign(hsm::OpenTpm& tpm, const TPMS_CONTEXT& context, const TPM2B_AUTH& auth) {
  ESYS_CONTEXT* esys = tpm.connection->esys();
  TPM2B_DIGEST digest{};
  digest.size = 32;
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
  const TPMT_TK_HASHCHECK ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  ESYS_TR handle = ESYS_TR_NONE;
  TPMT_SIGNATURE* signature = nullptr;
  if (Esys_ContextLoad(esys, &context, &handle) != TSS2_RC_SUCCESS ||
      Esys_TR_SetAuth(esys, handle, &auth) != TSS2_RC_SUCCESS ||
      Esys_Sign(esys, handle, tpm.connection->session(), ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                &ticket, &signature) != TSS2_RC_SUCCESS ||
      Esys_FlushContext(esys, handle) != TSS2_RC_SUCCESS) {
    fail("the bare loop could not sign");
  }
  Esys_Free(signature);
}

class Comparison {
 public:
  explicit Comparison(hsm::SessionKind sessions) : tpm_(start()), backend_(open(tpm_, sessions)) {
    bare_->auth.size = 32;
    for (std::size_t i = 0; i < kAgents; ++i) {
      auto key = backend_->create({"agent-" + std::to_string(i), "k"}, Algorithm::kES256, far_away());
      if (!key) fail(key.error().what);
      keys_.push_back(*std::move(key));
    }
    on_device([bare = bare_](hsm::OpenTpm& tpm) -> Status {
      for (std::size_t i = 0; i < kAgents; ++i) CHANCERY_TRY(add_bare_key(tpm, *bare));
      return {};
    });
    static_cast<void>(sign_many(kAgents, kAgents));  // contexts into the cache, as after a while of service
  }

  /// Signatures a second of both, in turns, over `agents` keys; and the median of their ratios.
  void measure(Report& report, const std::string& name, std::size_t agents, std::size_t count) {
    std::vector<double> rates, bare_rates, ratios;
    for (int round = 0; round < kRounds; ++round) {
      bare_rates.push_back(bare_many(agents, count));
      rates.push_back(sign_many(agents, count));
      ratios.push_back(rates.back() / bare_rates.back());
    }
    const std::string suffix = "_" + std::to_string(agents);
    report.add(name + "_bare_per_s" + suffix, median(bare_rates));
    report.add(name + "_per_s" + suffix, median(rates));
    report.add(name + "_ratio" + suffix, median(ratios));
  }

 private:
  static simulators::Swtpm start() {
    auto tpm = simulators::Swtpm::start();
    if (!tpm) fail(tpm.error().what);
    return *std::move(tpm);
  }

  static std::unique_ptr<hsm::TpmBackend> open(const simulators::Swtpm& tpm, hsm::SessionKind sessions) {
    hsm::TpmOptions options;
    options.name = "bench";
    options.tcti = tpm.tcti();
    options.allow_simulator = true;
    options.sessions = sessions;
    options.master = SecretBytes(Bytes(32, 1));
    auto backend = hsm::TpmBackend::open(std::move(options));
    if (!backend) fail(backend.error().what);
    return *std::move(backend);
  }

  void on_device(std::function<Status(hsm::OpenTpm&)> work) {
    if (const Status done = backend_->device().run("bench", far_away(), std::move(work)); !done)
      fail(done.error().what);
  }

  double sign_many(std::size_t agents, std::size_t count) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      if (!backend_->sign(keys_[next_++ % agents], as_bytes("bench"), far_away()))
        fail("the backend could not sign");
    }
    return static_cast<double>(count) / seconds_since(start);
  }

  double bare_many(std::size_t agents, std::size_t count) {
    const auto start = Clock::now();
    on_device([bare = bare_, first = bare_next_, agents, count](hsm::OpenTpm& tpm) -> Status {
      for (std::size_t i = 0; i < count; ++i)
        bare_sign(tpm, bare->contexts[(first + i) % agents], bare->auth);
      return {};
    });
    bare_next_ += count;
    return static_cast<double>(count) / seconds_since(start);
  }

  simulators::Swtpm tpm_;
  std::unique_ptr<hsm::TpmBackend> backend_;
  std::vector<hsm::StoredKey> keys_;
  std::shared_ptr<BareKeys> bare_ = std::make_shared<BareKeys>();
  std::size_t next_ = 0;
  std::size_t bare_next_ = 0;
};

}  // namespace

void bench_tpm(Report& report) {
  {
    Comparison encrypted(hsm::SessionKind::kEncrypted);
    encrypted.measure(report, "tpm_sign", 1, 40);
    encrypted.measure(report, "tpm_sign", 1000, 50);
  }
  Comparison plain(hsm::SessionKind::kPlain);
  plain.measure(report, "tpm_sign_plain", 1, 200);
  plain.measure(report, "tpm_sign_plain", 1000, 250);
}

}  // namespace chancery::bench
