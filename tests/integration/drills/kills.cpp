#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <unistd.h>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/drills/size.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// The TPM dies again and again while several threads sign.

namespace chancery::drills {
namespace {

using namespace std::chrono_literals;
using hsm::StoredKey;

constexpr int kThreads = 4;
constexpr auto kPatience = 10s;  // of each request

// Requests wait half a second for a TPM that is away. On a machine that is busy with other things its start
// may take longer; then they may be refused as unavailable, and nothing worse.
constexpr auto kSoon = 400ms;
constexpr auto kInterval = 150ms;  // 40 kills in 6 s

/// Threads that sign with several agents' keys in turn, and what came of it.
class Signers {
 public:
  Signers(hsm::TpmBackend& backend, const std::vector<StoredKey>& keys) : backend_(backend), keys_(keys) {
    for (std::size_t i = 0; i < kThreads; ++i)
      threads_.emplace_back([this, i](const std::stop_token& stop) { sign_until(stop, i); });
  }

  void stop() {
    for (std::jthread& thread : threads_) thread.request_stop();
    threads_.clear();
  }

  std::atomic<int> good = 0;     ///< under the right key
  std::atomic<int> wrong = 0;    ///< under any other
  std::atomic<int> refused = 0;  ///< as unavailable
  std::atomic<int> other = 0;    ///< with any other error
  std::atomic<int> late = 0;     ///< beyond the deadline

 private:
  void sign_until(const std::stop_token& stop, std::size_t begin) {
    for (std::size_t i = begin; !stop.stop_requested(); ++i) sign_once(keys_[i % keys_.size()]);
  }

  void sign_once(const StoredKey& key) {
    const ByteView message = as_bytes("message");
    const hsm::Deadline deadline = hsm::in(kPatience);
    const auto signature = backend_.sign(key, message, deadline);
    if (std::chrono::steady_clock::now() > deadline + 1s) ++late;
    if (!signature) {
      ++(signature.error().code == ErrorCode::kDeviceUnavailable ? refused : other);
    } else {
      ++(verify_signature(key.public_key, sha256(message), message, *signature) ? good : wrong);
    }
  }

  hsm::TpmBackend& backend_;
  const std::vector<StoredKey>& keys_;
  std::vector<std::jthread> threads_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_tpm_that_is_killed_under_load_costs_no_request_and_leaves_nothing) {
  simulators::Swtpm tpm = hsm::start_swtpm();
  const auto backend = hsm::open_backend(hsm::options_for(tpm.tcti()));
  std::vector<StoredKey> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(hsm::create_key(*backend, "agent-" + std::to_string(i)));

  const std::size_t kills = size(8, 40);
  std::size_t soon_back = 0;
  Signers signers(*backend, keys);
  for (std::size_t kill = 0; kill < kills; ++kill) {
    const auto killed_at = std::chrono::steady_clock::now();
    const int good_before = signers.good, refused_before = signers.refused;
    tpm.kill();
    BOOST_REQUIRE(tpm.restart());
    hsm::eventually([&] { return signers.good > good_before + kThreads; });
    const bool was_soon_back = std::chrono::steady_clock::now() < killed_at + kSoon;
    BOOST_TEST((!was_soon_back || signers.refused == refused_before));
    soon_back += was_soon_back;
    std::this_thread::sleep_until(killed_at + kInterval);  // the interval is the drill
  }
  signers.stop();

  BOOST_TEST_MESSAGE(kills << " kills, soon back after " << soon_back << ", " << signers.good
                           << " signatures, " << signers.refused << " refused");
  BOOST_TEST(signers.wrong == 0);
  BOOST_TEST(signers.other == 0);
  BOOST_TEST(signers.late == 0);
  BOOST_TEST((hsm::check_error(*backend) == std::nullopt));
  const hsm::BackendLoad load = backend->load();
  BOOST_TEST(load.recoveries >= kills);
  BOOST_TEST(load.queued == 0u);
  BOOST_TEST(load.live_objects <= 1u);
  BOOST_TEST(load.live_sessions == 1u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_TRANSIENT_FIRST) == load.live_objects);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_ACTIVE_SESSION_FIRST) == 0u);
}

// The same through the daemon: its metrics say what it holds, and the TPM has nothing else.
BOOST_AUTO_TEST_CASE(a_daemon_whose_tpm_is_killed_holds_nothing_more_at_rest) {
  simulators::Swtpm tpm = hsm::start_swtpm();
  tests::DaemonProcess daemon({.tcti = tpm.tcti(), .sessions = "encrypted", .backend_timeout = "10s"});
  daemon.start();
  BOOST_REQUIRE(daemon.client().create_agent(tests::agent_of("orchestrator", ::geteuid())));
  const auto granted = daemon.client().grant(tests::grant_to("orchestrator"));
  BOOST_REQUIRE(granted);

  const std::size_t kills = size(5, 40);
  std::atomic<std::size_t> good = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kThreads; ++i) {
      callers.emplace_back([&](const std::stop_token& stop) {
        const Client client = daemon.client();
        const auto request = tests::delegation_of(granted->chain, "orchestrator");
        while (!stop.stop_requested()) good += client.delegate(request) ? 1 : 0;
      });
    }
    for (std::size_t kill = 0; kill < kills; ++kill) {
      const std::size_t good_before = good;
      tpm.kill();
      BOOST_REQUIRE(tpm.restart());
      hsm::eventually([&] { return good > good_before + kThreads; });
    }
  }

  const auto gauge = [&](const std::string& name) {
    return tests::metric(tests::scrape(daemon), "chancery_backend_" + name + "{backend=\"tpm\"}").value();
  };
  BOOST_TEST(gauge("up") == 1);
  BOOST_TEST(gauge("queued") == 0);
  BOOST_TEST(gauge("live_objects") <= 1);  // a simulator keeps the key that was used last
  BOOST_TEST(gauge("live_sessions") == 1);
  BOOST_TEST(gauge("recoveries_total") >= static_cast<double>(kills));
  BOOST_TEST(daemon.stop() == 0);
  const auto backend = hsm::open_backend(hsm::options_for(tpm.tcti()));
  BOOST_TEST(hsm::count_handles(*backend, TPM2_TRANSIENT_FIRST) == 0u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);  // the backend's own
}

}  // namespace chancery::drills
