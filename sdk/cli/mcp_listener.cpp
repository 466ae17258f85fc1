#include "sdk/cli/mcp_listener.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/cli/loopback_peer.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/mcp/sse.hpp"

namespace chancery::cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMostDrained = std::size_t{4} << 20;
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::size_t kMostStrangers = 16;  // that are told at a time why they are not served
constexpr const char* kPath = "/mcp";

constexpr Error kNotLoopback{ErrorCode::kInvalidArgument,
                             "the bridge listens on loopback alone: give 127.0.0.1:PORT or [::1]:PORT"};

Result<tcp::endpoint> endpoint_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return kNotLoopback;
  const std::string_view host = text.substr(0, colon), digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return kNotLoopback;
  if (host == "127.0.0.1" || host == "localhost")
    return tcp::endpoint(asio::ip::address_v4::loopback(), port);
  if (host == "[::1]") return tcp::endpoint(asio::ip::address_v6::loopback(), port);
  return kNotLoopback;
}

std::string answer_text(const mcp::HttpAnswer& answer, bool keep_alive) {
  const auto reason = http::obsolete_reason(http::int_to_status(answer.status));
  std::string out =
      "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(reason.data(), reason.size()) + "\r\n";
  for (const auto& [name, value] : answer.headers) out += name + ": " + value + "\r\n";
  out += "Cache-Control: no-store\r\n";
  if (answer.status != 204) out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  if (!keep_alive) out += "Connection: close\r\n";
  return out + "\r\n" + answer.body;
}

constexpr const char* kEventsBegin =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
constexpr const char* kEventsEnd = "0\r\n\r\n";

std::string chunk(const std::string& octets) {
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", octets.size());
  return size.data() + octets + "\r\n";
}

LoopbackEnd end_of(const tcp::endpoint& endpoint) {
  const asio::ip::address address = endpoint.address();
  const auto octets =
      address.is_v6() ? address.to_v6() : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
  return {octets.to_bytes(), endpoint.port()};
}

// Of a connection that was accepted the other end is in the kernel's table: it was before it could be.
bool is_of_this_user(const tcp::socket& socket) {
  error_code failed;
  const tcp::endpoint own = socket.local_endpoint(failed);
  if (failed) return false;
  const tcp::endpoint other = socket.remote_endpoint(failed);
  if (failed || !other.address().is_loopback()) return false;
  const auto user = user_of(end_of(other), end_of(own));
  return user && (*user == ::geteuid() || *user == 0);
}

class Connection;

/// What all connections share. One thread does what is done with sockets; calls have the others.
struct Shared {
  Shared(ListenerOptions given, mcp::ToolHost& behind)
      : options(std::move(given)), host(behind), calls(options.connections) {}

  const ListenerOptions options;
  const mcp::Caller caller{"agent"};
  mcp::ToolHost& host;
  std::optional<mcp::HttpEndpoint> endpoint{};  // there before anything is accepted
  std::set<Connection*> open{};                 // the io thread's, as what follows
  std::size_t strangers = 0;  // of them: other users' connections, which take nobody's place
  std::function<void()> when_closed{};
  asio::io_context io{1};  // behind what its last handlers use
  asio::thread_pool calls;
};

/// One agent's connection: a request after the other. The io thread's, but for what runs in `calls`.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, tcp::socket socket, bool is_stranger)
      : shared_(shared), stream_(std::move(socket)), is_stranger_(is_stranger) {
    shared_.open.insert(this);
    if (is_stranger_) ++shared_.strangers;
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true),
                                ignored);  // events are small, and not to wait for one another
  }
  ~Connection() {
    shared_.open.erase(this);
    if (is_stranger_) --shared_.strangers;
    if (shared_.when_closed) shared_.when_closed();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void begin();
  void end() {
    gone_.request_stop();
    stream_.close();
  }

 private:
  class Events;

  void read();
  void read_body();
  void refuse(const error_code& error);
  void answer();
  [[nodiscard]] static mcp::HttpAnswer call(const std::shared_ptr<Connection>& self);
  void watch();
  void event(const std::string& message);
  void finish(const mcp::HttpAnswer& answer);
  void put(std::string octets);
  void write();
  void drain(std::size_t taken);

  Shared& shared_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  mcp::Headers headers_;
  std::stop_source gone_;
  std::deque<std::string> out_;  // the first of them is being written, when is_writing_
  const bool is_stranger_;       // another user's
  bool is_answering_ = false;
  std::uint64_t serial_ = 0;  // of the request
  bool is_stream_ = false;    // the answer has begun as one of events
  bool is_writing_ = false;
  bool is_finished_ = false;  // nothing is added to `out_` for this request
  bool keep_alive_ = false;
};

// Notifications of a call, from its thread.
class Connection::Events final : public mcp::Outlet {
 public:
  explicit Events(std::shared_ptr<Connection> to) : to_(std::move(to)) {}
  void send(std::string message) override {
    asio::post(to_->shared_.io, [to = to_, text = std::move(message)] { to->event(text); });
  }

 private:
  const std::shared_ptr<Connection> to_;
};

// Nothing is read of what another user sends.
void Connection::begin() {
  if (!is_stranger_) return read();
  finish({403, {{"Content-Type", "text/plain"}}, "this bridge serves the user who started it\n"});
}

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(kMaxHeader);
  parser_->body_limit(shared_.options.http.server.limits.max_octets);
  gone_ = std::stop_source();
  is_stream_ = is_finished_ = false;
  stream_.expires_after(shared_.options.patience);
  // In two steps: Beast 1.74 loses the body limit's error when head and body arrive together in one read.
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            if (error) return self->refuse(error);
                            self->read_body();
                          });
}

void Connection::read_body() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const error_code& error, std::size_t) {
                     if (error) return self->refuse(error);
                     self->answer();
                   });
}

// What is no request is answered where that can be of use, and is the last on its connection.
void Connection::refuse(const error_code& error) {
  keep_alive_ = false;
  if (error == http::error::body_limit) return finish({413, {}, {}});
  if (error == http::error::header_limit) return finish({431, {}, {}});
  const bool is_http = error.category() == make_error_code(http::error::bad_version).category();
  if (is_http && error != http::error::end_of_stream && error != http::error::partial_message)
    return finish({400, {}, {}});
  stream_.close();
}

void Connection::answer() {
  const auto& request = parser_->get();
  keep_alive_ = request.keep_alive();
  if (request.version() != 11) {
    keep_alive_ = false;
    return finish({505, {}, {}});
  }
  if (request.target() != kPath) return finish({404, {}, {}});
  headers_.clear();
  for (const auto& field : request)
    headers_.emplace_back(std::string(field.name_string()), std::string(field.value()));
  is_answering_ = true;
  ++serial_;
  stream_.expires_never();
  watch();
  // The connection is given back to the io thread, which alone may be the last to let it go.
  asio::post(shared_.calls, [self = shared_from_this()]() mutable {
    asio::io_context& io = self->shared_.io;
    mcp::HttpAnswer answer = call(self);
    asio::post(io, [self = std::move(self), answer = std::move(answer)] {
      self->is_answering_ = false;
      self->finish(answer);
    });
  });
}

// On a thread for calls.
mcp::HttpAnswer Connection::call(const std::shared_ptr<Connection>& self) {
  const auto& message = self->parser_->get();
  const std::string method(message.method_string());
  Events events(self);
  Shared& shared = self->shared_;
  return shared.endpoint->handle({method, self->headers_, message.body()},
                                 {shared.caller, shared.host, events, self->gone_.get_token()},
                                 std::chrono::steady_clock::now());
}

// Looks whether the agent has gone while its call runs. Octets that come instead are its next request.
void Connection::watch() {
  const auto look = [self = shared_from_this(), serial = serial_](const error_code& error) {
    if (error || !self->is_answering_ || self->serial_ != serial) return;
    char octet = 0;
    const ssize_t size = ::recv(self->stream_.socket().native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) self->gone_.request_stop();
    if (size < 0 && errno == EAGAIN) self->watch();
  };
  stream_.socket().async_wait(tcp::socket::wait_read, look);
}

void Connection::event(const std::string& message) {
  if (!is_stream_) put(kEventsBegin);
  is_stream_ = true;
  put(chunk(mcp::sse_event(message)));
}

void Connection::finish(const mcp::HttpAnswer& answer) {
  if (is_stream_) {
    if (!answer.body.empty()) event(answer.body);
    is_finished_ = true;
    return put(kEventsEnd);
  }
  is_finished_ = true;
  put(answer_text(answer, keep_alive_));
}

void Connection::put(std::string octets) {
  out_.push_back(std::move(octets));
  if (!is_writing_) write();
}

void Connection::write() {
  is_writing_ = true;
  stream_.expires_after(shared_.options.patience);
  asio::async_write(stream_, asio::buffer(out_.front()),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->is_writing_ = false;
                      if (error) return self->end();
                      self->out_.pop_front();
                      if (!self->out_.empty()) return self->write();
                      if (!self->is_finished_) return self->stream_.expires_never();
                      if (self->keep_alive_) return self->read();
                      error_code ignored;
                      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      self->stream_.expires_after(kDrainTime);
                      self->drain(0);
                    });
}

// Whoever still sends when it is refused would lose the answer with a socket that is closed.
void Connection::drain(std::size_t taken) {
  if (taken > kMostDrained) return;
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kMaxHeader),
                          [self = shared_from_this(), taken](const error_code& error, std::size_t size) {
                            if (!error) self->drain(taken + size);
                          });
}

}  // namespace

struct McpListener::Impl {
  Impl(ListenerOptions options, mcp::ToolHost& host) : shared(std::move(options), host), acceptor(shared.io) {
    shared.when_closed = [this] { accept(); };
  }
  ~Impl() {
    if (thread.joinable()) stop();
    shared.when_closed = nullptr;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Status listen(const tcp::endpoint& where);
  void accept();
  void take(tcp::socket socket);
  void stop();

  Shared shared;
  tcp::acceptor acceptor;  // the io thread's from the start on, as what follows
  bool is_accepting = false;
  bool is_stopping = false;
  std::thread thread;
};

Status McpListener::Impl::listen(const tcp::endpoint& where) {
  error_code failed;
  acceptor.open(where.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(where, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) return {};
  return Error{ErrorCode::kConnectFailed,
               "the bridge cannot listen there: is the port taken? Port 0 finds a free one",
               static_cast<std::uint64_t>(failed.value())};
}

// One at a time; none while there are as many connections of this user's as there may be. Others' are looked through before
// they count, so that nobody can take all places.
void McpListener::Impl::accept() {
  const std::size_t served = shared.open.size() - shared.strangers;
  if (is_stopping || is_accepting || served >= shared.options.connections) return;
  is_accepting = true;
  acceptor.async_accept([this](const error_code& error, tcp::socket socket) {
    is_accepting = false;
    if (!error) take(std::move(socket));
    accept();
  });
}

void McpListener::Impl::take(tcp::socket socket) {
  const bool is_stranger = !is_of_this_user(socket);
  if (is_stranger && shared.strangers >= kMostStrangers) return;
  std::make_shared<Connection>(shared, std::move(socket), is_stranger)->begin();
}

void McpListener::Impl::stop() {
  asio::post(shared.io, [this] {
    is_stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (Connection* connection : shared.open) connection->end();
    shared.endpoint->cancel_all();
  });
  shared.calls.join();
  shared.io.stop();
  thread.join();
}

McpListener::McpListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
McpListener::~McpListener() = default;
McpListener::McpListener(McpListener&&) noexcept = default;
McpListener& McpListener::operator=(McpListener&&) noexcept = default;

Result<McpListener> McpListener::start(ListenerOptions options, mcp::ToolHost& host) {
  CHANCERY_ASSIGN(const tcp::endpoint where, endpoint_of(options.address));
  mcp::HttpOptions http = options.http;
  auto impl = std::make_unique<Impl>(std::move(options), host);
  CHANCERY_TRY(impl->listen(where));
  http.rules.port = impl->acceptor.local_endpoint().port();
  impl->shared.endpoint.emplace(std::move(http), random_bytes);
  impl->accept();
  impl->thread = std::thread([shared = &impl->shared] {
    const auto work = asio::make_work_guard(shared->io);
    shared->io.run();
  });
  return McpListener(std::move(impl));
}

std::string McpListener::url() const {
  const tcp::endpoint where = impl_->acceptor.local_endpoint();
  const std::string host = where.address().is_v6() ? "[::1]" : "127.0.0.1";
  return "http://" + host + ":" + std::to_string(where.port()) + kPath;
}

}  // namespace chancery::cli
