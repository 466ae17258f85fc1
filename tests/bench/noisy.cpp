// What an agent that asks without end costs the others: the slowest of their signatures alone and beside it, in
// turns within one run. A TPM does one thing at a time and nothing is taken away from it, so that whoever comes
// while it signs for another waits for that signature.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hsm/tpm/backend.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr std::size_t kQuietAgents = 4;
constexpr auto kNoisyInterval = 100us;     // 10,000 a second
constexpr std::size_t kQueue = 16;         // half of it may be one agent's
constexpr std::size_t kNoisyThreads = 10;  // one is served, eight wait, one is refused

/// A TPM backend with a key for each quiet agent and one for the noisy one.
class Scene {
 public:
  Scene() {
    hsm::TpmOptions options;
    options.name = "bench";
    options.tcti = tpm_.tcti();
    options.allow_simulator = true;
    options.sessions = hsm::SessionKind::kPlain;
    options.queue = kQueue;
    options.master = SecretBytes(Bytes(32, 1));
    backend_ = required(hsm::TpmBackend::open(std::move(options)));
    for (std::size_t i = 0; i < kQuietAgents; ++i) keys_.push_back(make_key("quiet-" + std::to_string(i)));
    noisy_key_.push_back(make_key("noisy"));
  }

  /// The 99th percentile of the time that a signature of the quiet agents takes, in µs.
  /// \param agents  how many of them ask
  /// \param pause   of each between an answer and its next request
  double p99_alone(std::size_t agents, std::size_t count, std::chrono::microseconds pause) {
    std::mutex mutex;
    std::vector<double> latencies;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < agents; ++i) {
      threads.emplace_back([&, i] {
        std::vector<double> mine;
        for (std::size_t n = 0; n < count; ++n) {
          mine.push_back(time_one(keys_[i]));
          if (pause > 0us) std::this_thread::sleep_for(pause);
        }
        const std::lock_guard lock(mutex);
        latencies.insert(latencies.end(), mine.begin(), mine.end());
      });
    }
    threads.clear();
    std::ranges::sort(latencies);
    return latencies[latencies.size() * 99 / 100];
  }

  /// The same while another agent asks 10,000 times a second.
  double p99_beside(std::size_t agents, std::size_t count, std::chrono::microseconds pause) {
    const auto start = Clock::now();
    const std::uint64_t asked_before = asked_;
    std::vector<std::jthread> noisy;
    std::atomic<std::int64_t> next = 0;
    for (std::size_t i = 0; i < kNoisyThreads; ++i) {
      noisy.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          std::this_thread::sleep_until(start + kNoisyInterval * next++);
          ask_noisily();
        }
      });
    }
    const std::uint64_t refused_before = refused_;
    while (refused_ == refused_before) std::this_thread::sleep_for(1ms);  // its queue is full
    const double p99 = p99_alone(agents, count, pause);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    rates_.push_back(static_cast<double>(asked_ - asked_before) / seconds);
    return p99;
  }

  /// How often the noisy agent really asked, a second.
  [[nodiscard]] double asked_per_second() const { return median(rates_); }

 private:
  hsm::StoredKey make_key(const std::string& agent) {
    return required(backend_->create({agent, "k"}, Algorithm::kES256, far_away()));
  }

  double time_one(const hsm::StoredKey& key) {
    const auto start = Clock::now();
    if (!backend_->sign(key, as_bytes("bench"), far_away())) fail("a quiet agent was refused");
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }

  void ask_noisily() {
    ++asked_;
    const auto signature = backend_->sign(noisy_key_.front(), as_bytes("bench"), far_away());
    if (signature) return;
    if (signature.error().code != ErrorCode::kDeviceBusy) fail("the noisy agent met another error than busy");
    ++refused_;
  }

  simulators::Swtpm tpm_ = required(simulators::Swtpm::start());
  std::unique_ptr<hsm::TpmBackend> backend_;
  std::vector<hsm::StoredKey> keys_;
  std::vector<hsm::StoredKey> noisy_key_;
  std::atomic<std::uint64_t> asked_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::vector<double> rates_;
};

void measure(Report& report, Scene& scene, const std::string& name, std::size_t agents,
             std::chrono::microseconds pause) {
  constexpr std::size_t kCount = 400;
  const SideBySide measured = median_ratio([&] { return scene.p99_beside(agents, kCount, pause); },
                                           [&] { return scene.p99_alone(agents, kCount, pause); }, kRounds);
  report.add(name + "_alone_p99_us", measured.b);
  report.add(name + "_beside_p99_us", measured.a);
  report.add(name + "_p99_ratio", measured.ratio);
}

}  // namespace

void bench_noisy(Report& report) {
  Scene scene;
  static_cast<void>(scene.p99_alone(kQuietAgents, 100, 0us));  // contexts into the cache
  measure(report, scene, "noisy", kQuietAgents, 0us);
  measure(report, scene, "noisy_sparse", 1, 2ms);
  report.add("noisy_asked_per_s", scene.asked_per_second());
}

}  // namespace chancery::bench
