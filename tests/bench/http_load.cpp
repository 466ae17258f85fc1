#include "tests/bench/http_load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::filesystem::path;

constexpr int kServerCore = 0;
constexpr int kClientCore = 1;
constexpr int kNotModified = 304;  // which has no body

void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core % static_cast<int>(std::thread::hardware_concurrency()), &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

int connect_to(const path& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

// --- the bare server

namespace http = boost::beast::http;
using Local = boost::asio::local::stream_protocol;

class BareConnection : public std::enable_shared_from_this<BareConnection> {
 public:
  BareConnection(Local::socket socket, const BareAnswer& answer)
      : stream_(std::move(socket)), answer_(answer) {}

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
    response_.body() = answer_(std::move(request_.body()));
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](boost::system::error_code failure, std::size_t) {
                        if (!failure) self->read();
                      });
  }

  Local::socket stream_;
  const BareAnswer& answer_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

// --- the load

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
  double receive(int status) {
    char piece[16384];
    const ssize_t got = ::read(fd_, piece, sizeof piece);
    if (got <= 0) fail("a server closed its connection");
    received_.append(piece, static_cast<std::size_t>(got));
    const std::size_t head = received_.find("\r\n\r\n");
    if (head == std::string::npos) return -1;
    if (!received_.starts_with("HTTP/1.1 " + std::to_string(status)))
      fail("a request was answered otherwise");
    const std::size_t body = status == kNotModified ? 0 : content_length(head);
    if (received_.size() < head + 4 + body) return -1;
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

}  // namespace

ServerProcess::ServerProcess(const std::function<void()>& body) : pid_(::fork()) {
  if (pid_ < 0) fail("no process could be started");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin_to(kServerCore);
  body();
  ::_exit(0);
}

void ServerProcess::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

void pin_to_client_core() { pin_to(kClientCore); }

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

void serve_bare(const path& socket_path, const BareAnswer& answer) {
  boost::asio::io_context context(1);
  Local::acceptor acceptor(context, Local::endpoint(socket_path.string()));
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](boost::system::error_code failure, Local::socket socket) {
      if (!failure) std::make_shared<BareConnection>(std::move(socket), answer)->read();
      accept();
    });
  };
  accept();
  context.run();
}

LoadResult run_load(const path& socket_path, const std::vector<std::string>& requests, std::size_t count,
                    const Expected& expected) {
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
      const double latency = connection.receive(expected.status);
      if (latency < 0) continue;
      if (connection.answer().find(expected.text) == std::string::npos) fail("an answer is wrong");
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

std::string fetch(const path& socket_path, const std::string& request) {
  LoadConnection connection(socket_path);
  connection.send(request);
  while (connection.receive(200) < 0) {
  }
  return connection.answer();
}

}  // namespace chancery::bench
