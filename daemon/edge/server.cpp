#include "daemon/edge/server.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/edge/listener.hpp"
#include "daemon/edge/listening_socket.hpp"
#include "daemon/edge/tls.hpp"

namespace chancery::edge {
namespace {

namespace asio = boost::asio;

/// How long drain() waits for connections that it has cut. They need no peer for that, only a thread of ours.
constexpr std::chrono::seconds kCutTime{1};

// A connection is a descriptor; one from the Unix socket holds its peer's folder in /proc as well. Systems
// start processes with room for 1,024, and leave it to them to ask for more.
void make_room_for_descriptors(std::size_t connections) {
  constexpr rlim_t kListeners = 3, kOthers = 256;
  const rlim_t wanted = connections * (kListeners + 1) + kOthers;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // refused: connections beyond wait in the backlog
}

// The C library leaves memory with the thread that asked for it: of many threads each would keep what its largest body took. From this
// size on memory is the kernel's again when it is not needed any more.
void give_large_memory_back() {
  constexpr int kLarge = 256 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
}

std::size_t threads_for(const ServerOptions& options) {
  return std::max<std::size_t>(options.threads, 1) + std::max<std::size_t>(options.blocking_threads, 1);
}

}  // namespace

// In the order of construction. Connections borrow most of it; none outlives stop().
struct Server::Parts {
  Parts(const ServerOptions& given, rest::Application& application)
      : options(given),
        io(static_cast<int>(threads_for(given))),
        pool(io, std::max<std::size_t>(given.blocking_threads, 1),
             std::max<std::size_t>(given.blocking_queue, 1)),
        surroundings{
            application, pool, connections, options.log, options.refusals, options.looks_at_programs},
        handler_time(options.limits.handler_time),
        work(io.get_executor()) {}

  Status open_unix(Descriptor given);
  Status open_tls(Descriptor given);
  Status open_plain();
  void add_listener(Descriptor socket, int family, rest::Transport transport, TlsContext tls);
  void run();
  void serve();
  std::size_t drain(std::chrono::milliseconds patience);
  void stop();

  const ServerOptions options;
  asio::io_context io;
  ConnectionSet connections;
  BlockingPool pool;
  const Surroundings surroundings;
  std::atomic<std::chrono::milliseconds> handler_time;
  SocketFile socket_file;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::uint16_t tls_port = 0;
  std::uint16_t plain_port = 0;
  std::mutex draining;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::thread> threads;
};

Status Server::Parts::open_unix(Descriptor given) {
  if (given) {
    CHANCERY_TRY(take_unix(given));
    add_listener(std::move(given), AF_UNIX, rest::Transport::kUnix, nullptr);
    return {};
  }
  if (!options.unix_socket) return {};
  CHANCERY_ASSIGN(UnixListening listening, listen_unix(*options.unix_socket));
  socket_file = std::move(listening.file);
  add_listener(std::move(listening.socket), AF_UNIX, rest::Transport::kUnix, nullptr);
  return {};
}

Status Server::Parts::open_tls(Descriptor given) {
  if (!options.tls) {
    if (!given) return {};
    return Error{
        ErrorCode::kConfigInvalid,
        "a TLS socket was given and [server] tls_listen is empty: stop the socket unit, or configure TLS"};
  }
  CHANCERY_ASSIGN(asio::ssl::context context, server_tls(options.tls->certificate, options.tls->key));
  CHANCERY_ASSIGN(TcpListening listening,
                  given ? take_tcp(std::move(given)) : listen_tcp(options.tls->address, true));
  tls_port = listening.port;
  add_listener(std::move(listening.socket), AF_INET, rest::Transport::kTls,
               std::make_shared<asio::ssl::context>(std::move(context)));
  return {};
}

Status Server::Parts::open_plain() {
  if (!options.plain) return {};
  CHANCERY_ASSIGN(TcpListening listening, listen_tcp(*options.plain, false));
  plain_port = listening.port;
  add_listener(std::move(listening.socket), AF_INET, rest::Transport::kPlain, nullptr);
  return {};
}

void Server::Parts::add_listener(Descriptor socket, int family, rest::Transport transport, TlsContext tls) {
  listeners.push_back(std::make_unique<Listener>(io, std::move(socket), family, transport, std::move(tls),
                                                 options.limits, surroundings));
}

void Server::Parts::run() {
  make_room_for_descriptors(options.limits.connections);
  give_large_memory_back();
  for (const auto& listener : listeners) listener->start();
  for (std::size_t i = 0; i < threads_for(options); ++i) {
    threads.emplace_back([this] { serve(); });
  }
}

// An exception here is exhausted memory: the connection that met it ends with its last callback, the others
// go on.
void Server::Parts::serve() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& exception) {
      if (options.log) options.log->error("a connection failed", {{"exception", exception.what()}});
    }
  }
}

std::size_t Server::Parts::drain(std::chrono::milliseconds patience) {
  const std::lock_guard lock(draining);
  for (const auto& listener : listeners) listener->close();
  connections.drain();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  if (connections.wait_until_empty(deadline)) return 0;
  const std::size_t cut = connections.cut();
  (void)connections.wait_until_empty(std::chrono::steady_clock::now() + kCutTime);
  return cut;
}

// The threads do what is still under way, though nobody waits for its answers: so they end last.
void Server::Parts::stop() {
  drain(std::chrono::milliseconds(0));
  pool.stop();
  work.reset();
  for (std::thread& thread : threads) thread.join();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::Server(Server&&) noexcept = default;

Server::~Server() {
  if (parts_) parts_->stop();
}

Result<Server> Server::start(const ServerOptions& options, rest::Application& application,
                             GivenSockets given) {
  auto parts = std::make_unique<Parts>(options, application);
  CHANCERY_TRY(parts->open_unix(std::move(given.unix_socket)));
  CHANCERY_TRY(parts->open_tls(std::move(given.tls)));
  CHANCERY_TRY(parts->open_plain());
  parts->run();
  return Server(std::move(parts));
}

std::uint16_t Server::tls_port() const noexcept { return parts_->tls_port; }

std::uint16_t Server::plain_port() const noexcept { return parts_->plain_port; }

void Server::use(const Limits& limits) {
  make_room_for_descriptors(limits.connections);
  parts_->handler_time = limits.handler_time;
  for (const auto& listener : parts_->listeners) listener->use(limits);
}

void Server::use(asio::ssl::context tls) {
  const auto shared = std::make_shared<asio::ssl::context>(std::move(tls));
  for (const auto& listener : parts_->listeners) {
    if (listener->transport() == rest::Transport::kTls) listener->use(shared);
  }
}

bool Server::works(std::chrono::milliseconds patience) const {
  if (parts_->pool.all_busy_for() > 2 * parts_->handler_time.load()) return false;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::future<void>> pulses;
  for (const auto& listener : parts_->listeners) pulses.push_back(listener->pulse());
  return std::ranges::all_of(
      pulses, [&](const auto& pulse) { return pulse.wait_until(deadline) == std::future_status::ready; });
}

std::size_t Server::open_connections() const { return parts_->connections.size(); }

std::size_t Server::held_body_bytes() const {
  std::size_t held = 0;
  for (const auto& listener : parts_->listeners) held += listener->held_body_bytes();
  return held;
}

std::size_t Server::drain(std::chrono::milliseconds patience) { return parts_->drain(patience); }

}  // namespace chancery::edge
