// The daemon's REST verification beside a bare Beast echo of the same bodies, and the daemon with 10,000
// agents.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <chancery/client.hpp>

#include "sdk/wire/messages.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/http_load.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::filesystem::path;

constexpr std::size_t kChains = 512;
constexpr std::size_t kAgents = 10000;

// --- the daemon

path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail("no temporary folder");
  return name;
}

void write_file(const path& file, const std::string& text) {
  std::ofstream(file) << text;
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void write_config(const path& folder, const std::string& tcti, const std::string& anchors) {
  const std::string at = folder.string();
  write_file(folder / "trust.json", anchors);
  write_file(folder / "chancery.toml",
             "allow_root = true\n[server]\nsocket = \"" + at +
                 "/s\"\nsocket_mode = \"0600\"\nsocket_group = \"\"\ntls_listen = \"\"\n"
                 "threads = 1\n[log]\nlevel = \"warning\"\n[issuer]\ntrust_domain = \"bench.example\"\nurl = "
                 "\"https://bench.example\"\nbackend = \"tpm\"\n"
                 "[state]\npath = \"" +
                 at + "/state\"\n[verify]\ntrust_anchors = \"" + at +
                 "/trust.json\"\n"
                 "[[backend]]\nname = \"tpm\"\ntype = \"tpm\"\ntcti = \"" +
                 tcti + "\"\nallow_simulator = true\nsessions = \"plain\"\n");
}

std::function<void()> daemon_program(const path& folder) {
  return [folder] {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::execl(CHANCERY_BINARY_DIR "/chanceryd", "chanceryd", "--config", (folder / "chancery.toml").c_str(),
            nullptr);
  };
}

std::string http_request(const std::string& body) {
  return "POST /v1/chains/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Two tokens that are valid while the bench runs.
tests::IssuedChain issue_parents() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto holder = SigningKey::generate(Algorithm::kES256);
  if (!holder) fail(holder.error().what);
  Claims root = tests::root_claims(holder->public_key());
  root.exp = static_cast<double>(std::chrono::floor<std::chrono::seconds>(now + 1h).count());
  tests::IssuedChain chain = tests::issue_root(root);
  const Claims child = tests::child_claims(chain.leaf(), holder->public_key());
  chain.extend(child, *std::move(holder));
  return chain;
}

// Chains of three under one root, each with a leaf of its own, valid when the bench runs.
std::vector<std::string> verify_requests(const tests::IssuedChain& parents, std::size_t count) {
  std::vector<std::string> requests;
  Claims claims = tests::child_claims(parents.leaf(), parents.leaf_key().public_key());
  for (std::size_t i = 0; i < count; ++i) {
    claims.jti = "leaf-" + std::to_string(i);
    api::VerifyChain message;
    message.chain = parents.tokens;
    message.chain.push_back(tests::sign_token(claims, parents.leaf_key(), true));
    requests.push_back(http_request(wire::write(message)));
  }
  return requests;
}

double megabytes_resident(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  fail("no memory figure");
}

void register_agents(const path& socket_path, std::size_t count) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      const auto client = Client::connect({.socket = socket_path.string()});
      for (std::size_t n = next++; n < count; n = next++) {
        api::CreateAgent request;
        request.name = "agent-" + std::to_string(n);
        request.selectors.uid = ::geteuid();
        if (!client || !client->create_agent(request)) fail("an agent could not be registered");
      }
    });
  }
}

void bench_load(Report& report, const path& folder, const tests::IssuedChain& parents) {
  constexpr std::size_t kRequests = 20000;
  constexpr int kRounds = 5;
  const std::vector<std::string> seen = verify_requests(parents, kChains);
  const std::vector<std::string> fresh = verify_requests(parents, kRequests);
  const ServerProcess echo([&] { serve_bare(folder / "echo", [](std::string body) { return body; }); });
  const ServerProcess daemon(daemon_program(folder));
  await(folder / "echo");
  await(folder / "s");
  pin_to_client_core();
  constexpr std::string_view kValid = "\"outcome\":\"valid\"";
  static_cast<void>(run_load(folder / "s", seen, kChains * 2, {200, kValid}));
  std::vector<double> ratios, rates, echo_rates, p50s, p99s;
  for (int round = 0; round < kRounds; ++round) {
    const LoadResult bare = run_load(folder / "echo", seen, kRequests, {200, "\"chain\""});
    const LoadResult verified = run_load(folder / "s", seen, kRequests, {200, kValid});
    ratios.push_back(verified.requests_per_second / bare.requests_per_second);
    rates.push_back(verified.requests_per_second);
    echo_rates.push_back(bare.requests_per_second);
    p50s.push_back(verified.p50_us);
    p99s.push_back(verified.p99_us);
  }
  report.add("rest_echo_rps", median(echo_rates));
  report.add("rest_verify_rps", median(rates));
  report.add("rest_verify_ratio", median(ratios));
  report.add("rest_verify_p50_us", median(p50s));
  report.add("rest_verify_p99_us", median(p99s));
  // Leaves that nobody has seen: one ECDSA verification a request.
  report.add("rest_verify_fresh_rps",
             run_load(folder / "s", fresh, kRequests - kConnections, {200, kValid}).requests_per_second);
}

void bench_many_agents(Report& report, const path& folder) {
  {
    ServerProcess daemon(daemon_program(folder));
    await(folder / "s");
    register_agents(folder / "s", kAgents);
    report.add("agents_10000_registered_rss_mib", megabytes_resident(daemon.pid()));
  }
  const auto start = Clock::now();
  const ServerProcess daemon(daemon_program(folder));
  await(folder / "s");
  report.add("agents_10000_start_ms",
             std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  const auto client = Client::connect({.socket = (folder / "s").string()});
  if (!client || !client->agent("agent-9999")) fail("an agent was lost");
  report.add("agents_10000_rss_mib", megabytes_resident(daemon.pid()));
}

}  // namespace

void bench_rest(Report& report) {
  const path folder = make_folder();
  auto tpm = simulators::Swtpm::start();
  if (!tpm) fail(tpm.error().what);
  const tests::IssuedChain parents = issue_parents();
  write_config(folder, tpm->tcti(),
               R"({"anchors":[{"keys":[)" + parents.keys.front().public_key().jwk() + "]}]}");
  bench_load(report, folder, parents);
  bench_many_agents(report, folder);
  std::filesystem::remove_all(folder);
}

}  // namespace chancery::bench
