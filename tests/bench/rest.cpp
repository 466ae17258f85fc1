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

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chancery/client.hpp>

#include "sdk/wire/messages.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::filesystem::path;

constexpr std::size_t kConnections = 16;
constexpr std::size_t kChains = 512;
constexpr std::size_t kAgents = 10000;
constexpr int kServerCore = 0;
constexpr int kClientCore = 1;

void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core % static_cast<int>(std::thread::hardware_concurrency()), &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

/// A server process on a core of its own; ended with the object.
class ServerProcess {
 public:
  explicit ServerProcess(const std::function<void()>& body) : pid_(::fork()) {
    if (pid_ < 0) fail("no process could be started");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin_to(kServerCore);
    body();
    ::_exit(0);
  }
  ~ServerProcess() { stop(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

int connect_to(const path& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void await(const path& socket_path) {
  const auto give_up = Clock::now() + 20s;
  for (;;) {
    const int fd = connect_to(socket_path);
    if (fd >= 0) {
      ::close(fd);
      return;
    }
    if (Clock::now() > give_up) fail("a server did not come up");
    std::this_thread::sleep_for(500us);
  }
}

// --- the bare echo: Boost.Beast, one thread, nothing else

namespace http = boost::beast::http;
using Local = boost::asio::local::stream_protocol;

class EchoConnection : public std::enable_shared_from_this<EchoConnection> {
 public:
  explicit EchoConnection(Local::socket socket) : stream_(std::move(socket)) {}

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code failure, std::size_t) {
                       if (!failure) self->write();
                     });
  }

 private:
  void write() {
    response_ = http::response<http::string_body>(http::status::ok, request_.version());
    response_.set(http::field::content_type, "application/json");
    response_.body() = std::move(request_.body());
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](boost::system::error_code failure, std::size_t) {
                        if (!failure) self->read();
                      });
  }

  Local::socket stream_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void serve_echo(const path& socket_path) {
  boost::asio::io_context context(1);
  Local::acceptor acceptor(context, Local::endpoint(socket_path.string()));
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](boost::system::error_code failure, Local::socket socket) {
      if (!failure) std::make_shared<EchoConnection>(std::move(socket))->read();
      accept();
    });
  };
  accept();
  context.run();
}

// --- the load: one thread, 16 keep-alive connections, each with one request under way

struct LoadResult {
  double requests_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

class LoadConnection {
 public:
  explicit LoadConnection(const path& socket_path) : fd_(connect_to(socket_path)) {
    if (fd_ < 0) fail("a connection was refused");
  }
  ~LoadConnection() { ::close(fd_); }
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

  void send(const std::string& request) {
    sent_at_ = Clock::now();
    received_.clear();
    for (std::size_t at = 0; at < request.size();) {
      const ssize_t sent = ::write(fd_, request.data() + at, request.size() - at);
      if (sent <= 0) fail("a request could not be sent");
      at += static_cast<std::size_t>(sent);
    }
  }

  /// Takes what has arrived; the latency in µs when that completes the answer, else a negative number.
  double receive() {
    char piece[16384];
    const ssize_t got = ::read(fd_, piece, sizeof piece);
    if (got <= 0) fail("a server closed its connection");
    received_.append(piece, static_cast<std::size_t>(got));
    const std::size_t head = received_.find("\r\n\r\n");
    if (head == std::string::npos || received_.size() < head + 4 + content_length(head)) return -1;
    if (!received_.starts_with("HTTP/1.1 200")) fail("a request was refused");
    return std::chrono::duration<double, std::micro>(Clock::now() - sent_at_).count();
  }
  [[nodiscard]] const std::string& answer() const { return received_; }

 private:
  [[nodiscard]] std::size_t content_length(std::size_t head) const {
    const std::string_view name = "Content-Length: ";
    const std::size_t at = received_.find(name);
    if (at > head) fail("an answer has no length");
    return static_cast<std::size_t>(std::strtoul(received_.c_str() + at + name.size(), nullptr, 10));
  }

  int fd_;
  std::string received_;
  Clock::time_point sent_at_{};
};

LoadResult run_load(const path& socket_path, const std::vector<std::string>& requests, std::size_t count,
                    std::string_view must_contain) {
  std::vector<std::unique_ptr<LoadConnection>> connections;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::size_t next = 0;
  for (std::size_t i = 0; i < kConnections; ++i) {
    connections.push_back(std::make_unique<LoadConnection>(socket_path));
    epoll_event event{EPOLLIN, {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, connections.back()->fd(), &event);
  }
  std::vector<double> latencies;
  latencies.reserve(count + kConnections);
  const auto start = Clock::now();
  for (auto& connection : connections) connection->send(requests[next++ % requests.size()]);
  while (latencies.size() < count) {
    epoll_event events[kConnections];
    const int ready = ::epoll_wait(epoll, events, kConnections, 10000);
    if (ready <= 0) fail("a server does not answer");
    for (int i = 0; i < ready; ++i) {
      LoadConnection& connection = *connections[events[i].data.u64];
      const double latency = connection.receive();
      if (latency < 0) continue;
      if (connection.answer().find(must_contain) == std::string::npos) fail("an answer is wrong");
      latencies.push_back(latency);
      connection.send(requests[next++ % requests.size()]);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ::close(epoll);
  std::ranges::sort(latencies);
  return {static_cast<double>(latencies.size()) / seconds, latencies[latencies.size() / 2],
          latencies[latencies.size() * 99 / 100]};
}

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
  const ServerProcess echo([&] { serve_echo(folder / "echo"); });
  const ServerProcess daemon(daemon_program(folder));
  await(folder / "echo");
  await(folder / "s");
  pin_to(kClientCore);
  constexpr std::string_view kValid = "\"outcome\":\"valid\"";
  static_cast<void>(run_load(folder / "s", seen, kChains * 2, kValid));
  std::vector<double> ratios, rates, echo_rates, p50s, p99s;
  for (int round = 0; round < kRounds; ++round) {
    const LoadResult bare = run_load(folder / "echo", seen, kRequests, "\"chain\"");
    const LoadResult verified = run_load(folder / "s", seen, kRequests, kValid);
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
             run_load(folder / "s", fresh, kRequests - kConnections, kValid).requests_per_second);
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
