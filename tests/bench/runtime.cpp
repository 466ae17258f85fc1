// A tool's call through the runtime, with everything that makes it safe, beside the same call made directly.

#include <chrono>
#include <cstdlib>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <chancery/runtime_client.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/bench/http_connection.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/runtime_scene.hpp"
#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Local = asio::local::stream_protocol;

constexpr int kWarmUp = 50;
constexpr int kCalls = 500;
constexpr int kParts = 200;
constexpr int kCallsACaller = 100;  // a holder may have a thousand unexpired proofs

/// Posts, which must be answered with 200.
template <typename Connection>
std::string post(Connection& connection, HttpRequest request) {
  request.method = "POST";
  HttpAnswer answer = connection.send(request);
  if (answer.status == 200) return std::move(answer.body);
  std::fprintf(stderr, "bench: %s\n", answer.body.c_str());
  fail("a call was not answered with 200");
}

asio::ip::tcp::endpoint upstream_of(const RuntimeScene& scene) {
  const std::string url = scene.upstream();
  const auto port = static_cast<unsigned short>(std::atoi(url.c_str() + url.rfind(':') + 1));
  return {asio::ip::make_address("127.0.0.1"), port};
}

/// As an agent would call the API that had the credential.
class DirectAgent {
 public:
  explicit DirectAgent(const RuntimeScene& scene) : api_(upstream_of(scene)) {}
  void call() {
    const std::string answer =
        post(api_, {.target = kUpstreamPath,
                    .headers = {{"Authorization", std::string("Bearer ") + kToolCredential}},
                    .body = kUpstreamBody});
    if (answer.find("succeeded") == std::string::npos) fail("the API answered otherwise");
  }

 private:
  TcpConnection api_;
};

/// As it calls the tool that has not.
class Agent {
 public:
  explicit Agent(const RuntimeScene& scene)
      : session_(scene.open_session()), runtime_(Local::endpoint(scene.runtime_socket().string())) {}

  void call() {
    const std::string answer = post(runtime_, tool_call(*session_));
    if (answer.find("succeeded") == std::string::npos) fail("the tool answered otherwise");
  }
  [[nodiscard]] const Session& session() const { return *session_; }

 private:
  std::shared_ptr<const Session> session_;
  LocalConnection runtime_;
};

/// What a commit waits for: some octets more in a file, and on the disk.
class SyncedFile {
 public:
  explicit SyncedFile(const std::filesystem::path& file)
      : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (fd_ < 0) fail("no file to sync");
  }
  ~SyncedFile() { ::close(fd_); }
  SyncedFile(const SyncedFile&) = delete;
  SyncedFile& operator=(const SyncedFile&) = delete;

  void append() const {
    static const std::string kPages(8192, 'x');
    if (::write(fd_, kPages.data(), kPages.size()) < 0 || ::fdatasync(fd_) != 0) fail("no sync");
  }

 private:
  int fd_;
};

template <typename Work>
double milliseconds(Work work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// In turns, so that a change of the machine's speed meets all alike.
void add_latency(Report& report, const RuntimeScene& scene) {
  DirectAgent direct(scene);
  Agent agent(scene);
  const SyncedFile file(scene.folder() / "synced");
  std::vector<double> directs, calls, syncs, added;
  for (int i = 0; i < kWarmUp + kCalls; ++i) {
    const double bare = milliseconds([&] { direct.call(); });
    const double call = milliseconds([&] { agent.call(); });
    const double sync = milliseconds([&] { file.append(); });
    if (i < kWarmUp) continue;
    directs.push_back(bare);
    calls.push_back(call);
    syncs.push_back(sync);
    added.push_back(call - bare);
  }
  for (const std::size_t percent : {50, 99}) {
    const std::string name = "_p" + std::to_string(percent) + "_ms";
    report.add("runtime_direct" + name, percentile(directs, percent));
    report.add("runtime_call" + name, percentile(calls, percent));
    report.add("runtime_added" + name, percentile(added, percent));
    report.add("runtime_sync" + name, percentile(syncs, percent));
  }
  report.add("runtime_added_syncs_ratio", percentile(added, 50) / (2 * percentile(syncs, 50)));
}

api::AskPermit permit_for(const Session& session) {
  api::AskPermit ask;
  ask.action = question_of(session);
  ask.action.ada_required = false;
  ask.action.reserve = std::chrono::seconds(90);
  ask.tool = "refund";
  ask.credential = "psp";
  ask.arguments_sha256 = hex_encode(sha256(as_bytes(kToolArguments)));
  ask.release = true;
  return ask;
}

// Where the time goes: the agent's proof, the daemon's permit, its record of the result, and anything that it is asked.
void add_parts(Report& report, const RuntimeScene& scene) {
  const Client client = scene.daemon();
  const RuntimeClient runtime(client);
  const auto session = scene.open_session();
  api::CallResult result;
  result.status = "done";
  result.result_sha256 = result.upstream_sha256 = hex_encode(sha256(as_bytes("{}")));
  std::vector<double> proofs, permits, results, bare;
  for (int i = 0; i < kParts; ++i) {
    api::AskPermit ask;
    proofs.push_back(milliseconds([&] { ask = permit_for(*session); }));
    std::string permit;
    permits.push_back(milliseconds([&] {
      auto given = runtime.ask_permit(ask);
      if (!given || !given->decision.permitted) fail("no permit was given");
      permit = given->id;
    }));
    results.push_back(milliseconds([&] {
      if (!runtime.report_result(permit, result)) fail("a result was not recorded");
    }));
    bare.push_back(milliseconds([&] {
      if (!client.metadata()) fail("the daemon does not answer");
    }));
  }
  report.add("runtime_proof_p50_ms", median(proofs));
  report.add("runtime_permit_p50_ms", median(permits));
  report.add("runtime_result_p50_ms", median(results));
  report.add("runtime_daemon_p50_ms", median(bare));
}

// Of the programs' time on the processors: on a machine with other work to do it says more than a clock.
void add_processor_time(Report& report, const RuntimeScene& scene) {
  const auto daemon = scene.daemon_program().processor_time();
  const auto runtime = scene.runtime_program().processor_time();
  Agent agent(scene);
  for (int i = 0; i < kCalls; ++i) agent.call();
  const auto per_call = [](std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / kCalls;
  };
  report.add("runtime_daemon_processor_ms", per_call(scene.daemon_program().processor_time() - daemon));
  report.add("runtime_processor_ms", per_call(scene.runtime_program().processor_time() - runtime));
}

double calls_per_second(const RuntimeScene& scene, int callers) {
  std::latch start(callers + 1);
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      Agent agent(scene);
      agent.call();
      start.arrive_and_wait();
      for (int i = 0; i < kCallsACaller; ++i) agent.call();
    });
  }
  start.arrive_and_wait();
  const double took = milliseconds([&] { threads.clear(); });
  return callers * kCallsACaller * 1000 / took;
}

}  // namespace

void bench_runtime(Report& report) {
  const RuntimeScene scene;
  add_latency(report, scene);
  add_parts(report, scene);
  add_processor_time(report, scene);
  for (const int callers : {1, 4, 16})
    report.add("runtime_calls_per_second_" + std::to_string(callers), calls_per_second(scene, callers));
}

}  // namespace chancery::bench
