#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include "sdk/client/transport.hpp"

namespace chancery::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

constexpr std::uint32_t kMaxHeader = 64 * 1024;

// The daemon keeps an idle connection for a minute: what we keep for less it does not close while we write.
constexpr std::chrono::seconds kLongestIdle{5};

http::request<http::string_body> encode(const HttpRequest& request, bool keep_alive) {
  http::request<http::string_body> out(http::string_to_verb(request.method), request.target, 11);
  out.set(http::field::host, "localhost");
  out.set(http::field::user_agent, "chancery");
  out.set(http::field::accept, request.accept);
  for (const auto& [name, value] : request.headers) out.set(name, value);
  out.keep_alive(keep_alive);
  if (!request.body.empty()) {
    out.set(http::field::content_type, "application/json");
    out.body() = request.body;
  }
  out.prepare_payload();
  return out;
}

Error connect_error(const error_code& code) {
  const auto native = static_cast<std::uint64_t>(code.value());
  if (code == beast::error::timeout)
    return {ErrorCode::kTimeout, "the daemon does not accept connections: is it stopped?"};
  if (code == asio::error::access_denied) {
    return {ErrorCode::kConnectFailed,
            "this user may not open the daemon's socket: join its group (chancery), or run as a user in it",
            native};
  }
  if (code == boost::system::errc::no_such_file_or_directory) {
    return {ErrorCode::kConnectFailed,
            "there is no daemon at this socket: start chanceryd, or set CHANCERY_SOCKET to where it listens",
            native};
  }
  return {ErrorCode::kConnectFailed, "nobody listens on the daemon's socket: start chanceryd", native};
}

Error read_error(const error_code& code) {
  const auto native = static_cast<std::uint64_t>(code.value());
  if (code == beast::error::timeout)
    return {ErrorCode::kTimeout, "the daemon did not answer in time: see its log, or allow more time"};
  if (code == http::error::body_limit || code == http::error::header_limit) {
    return {ErrorCode::kBadResponse,
            "the answer is larger than any of the daemon's: is this socket really chanceryd's?"};
  }
  if (code == http::error::end_of_stream) {
    return {ErrorCode::kConnectFailed, "the daemon closed the connection without an answer: see its log",
            native};
  }
  if (code == http::error::partial_message) {
    return {ErrorCode::kBadResponse,
            "the answer was cut short: try again, and see the daemon's log if it stays so"};
  }
  if (code.category() == make_error_code(http::error::bad_version).category()) {
    return {ErrorCode::kBadResponse, "the answer is not HTTP: is this socket really chanceryd's?"};
  }
  return {ErrorCode::kConnectFailed, "the connection to the daemon broke: try again, and see its log",
          native};
}

constexpr Error kNobodyKnows{
    ErrorCode::kBadResponse,
    "the connection broke before there was an answer: nobody knows whether it was done, see the log of who was asked"};

/// One connection, with one request at a time. Asynchronous inside, because only so do Beast's time-outs work.
class Exchange {
 public:
  Exchange() : stream_(io_) {}

  Status open(const std::string& path, Deadline deadline, const std::stop_token& stop) {
    stream_.expires_at(deadline);
    return until(stop, [&]() -> Status {
      if (const error_code failed = connect(path)) return connect_error(failed);
      // Nobody who is started from here speaks in our name.
      ::fcntl(stream_.socket().native_handle(), F_SETFD, FD_CLOEXEC);
      return {};
    });
  }

  Result<HttpAnswer> run(const HttpRequest& request, Deadline deadline, bool keep_alive) {
    stream_.expires_at(deadline);
    return until(request.stop, [&] { return exchange(request, keep_alive); });
  }

  /// Whether the daemon may have read the last request to its end, or answered it. When it did not, nothing was done.
  [[nodiscard]] bool was_read() const noexcept { return was_read_; }

  /// Whether another request may follow: the other side has neither closed nor said anything that nobody asked for.
  [[nodiscard]] bool is_usable() {
    char octet = 0;
    return is_kept_ && std::chrono::steady_clock::now() - used_at_ < kLongestIdle &&
           ::recv(stream_.socket().native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           errno == EAGAIN;
  }

 private:
  // Ends early what is asked to stop.
  template <typename Work>
  std::invoke_result_t<Work> until(const std::stop_token& stop, Work work) {
    auto done = [&] {
      // On the thread that drives: a socket is not to be closed while another uses it.
      const std::stop_callback on_stop(stop, [this] { asio::post(io_, [this] { stream_.close(); }); });
      return work();
    }();
    if (!stop.stop_requested()) return done;
    is_kept_ = false;  // its end may wait to be driven yet
    if (done) return done;
    return kGivenUp;
  }

  Result<HttpAnswer> exchange(const HttpRequest& request, bool keep_alive) {
    is_kept_ = false;
    was_read_ = true;
    const auto message = encode(request, keep_alive);
    const error_code write_failed = write(message);
    if (write_failed == beast::error::timeout) return read_error(write_failed);
    // A daemon that refuses a request before it has read all of it closes while we still write: its answer is
    // there.
    http::response_parser<http::string_body> parser;
    parser.body_limit(request.max_answer);
    parser.header_limit(kMaxHeader);
    if (const error_code failed = read(parser)) {
      was_read_ = parser.got_some() || (!is_unread(write_failed) && !is_unread(failed));
      const Error error = read_error(failed);
      const bool is_unknown = request.is_deed && was_read_ && error.code == ErrorCode::kConnectFailed;
      return is_unknown ? kNobodyKnows : error;
    }
    is_kept_ = keep_alive && !write_failed && parser.keep_alive() && buffer_.size() == 0;
    used_at_ = std::chrono::steady_clock::now();
    buffer_.shrink_to_fit();  // answers with credentials in them stay in no memory that waits
    auto answer = parser.release();
    return HttpAnswer{static_cast<int>(answer.result_int()), std::string(answer[http::field::content_type]),
                      std::move(answer.body())};
  }

  // Unix sockets say so when the other side has gone away with something unread.
  static bool is_unread(const error_code& code) {
    return code == asio::error::broken_pipe || code == asio::error::connection_reset;
  }

  error_code connect(const std::string& path) {
    error_code result;
    stream_.async_connect(Local::endpoint(path), [&](error_code code) { result = code; });
    drive();
    return result;
  }

  error_code write(const http::request<http::string_body>& message) {
    error_code result;
    http::async_write(stream_, message, [&](error_code code, std::size_t) { result = code; });
    drive();
    return result;
  }

  // In two steps, because Beast 1.74 loses the body limit's error when head and body arrive together in one
  // read.
  error_code read(http::response_parser<http::string_body>& parser) {
    error_code result;
    const auto done = [&](error_code code, std::size_t) { result = code; };
    http::async_read_header(stream_, buffer_, parser, done);
    drive();
    if (result) return result;
    http::async_read(stream_, buffer_, parser, done);
    drive();
    return result;
  }

  void drive() {
    io_.run();
    io_.restart();
  }

  asio::io_context io_{1};
  beast::basic_stream<Local> stream_;
  beast::flat_buffer buffer_;
  bool is_kept_ = false;
  bool was_read_ = false;
  Deadline used_at_{};
};

class UnixTransport final : public Transport {
 public:
  UnixTransport(std::string path, std::size_t most_kept) : path_(std::move(path)), most_kept_(most_kept) {}

  Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const override {
    if (const auto kept = take()) {
      auto answer = run(kept, request, deadline);
      if (kept->was_read() || request.stop.stop_requested()) return answer;
    }
    const auto fresh = std::make_shared<Exchange>();
    CHANCERY_TRY(fresh->open(path_, deadline, request.stop));
    return run(fresh, request, deadline);
  }

 private:
  Result<HttpAnswer> run(const std::shared_ptr<Exchange>& exchange, const HttpRequest& request,
                         Deadline deadline) const {
    auto answer = exchange->run(request, deadline, most_kept_ > 0);
    const std::lock_guard lock(mutex_);
    if (exchange->is_usable() && idle_.size() < most_kept_) idle_.push_back(exchange);
    return answer;
  }

  // The one that was used last. Those that cannot be used are ended without the lock.
  [[nodiscard]] std::shared_ptr<Exchange> take() const {
    for (;;) {
      std::shared_ptr<Exchange> exchange;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        exchange = std::move(idle_.back());
        idle_.pop_back();
      }
      if (exchange->is_usable()) return exchange;
    }
  }

  const std::string path_;
  const std::size_t most_kept_;
  mutable std::mutex mutex_;  // of the next
  mutable std::vector<std::shared_ptr<Exchange>> idle_;
};

}  // namespace

std::unique_ptr<Transport> make_unix_transport(std::string socket_path, std::size_t most_kept) {
  return std::make_unique<UnixTransport>(std::move(socket_path), most_kept);
}

}  // namespace chancery::client
