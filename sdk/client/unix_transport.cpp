#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "sdk/client/transport.hpp"

namespace chancery::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

constexpr std::uint32_t kMaxHeader = 64 * 1024;

http::request<http::string_body> encode(const HttpRequest& request) {
  http::request<http::string_body> out(http::string_to_verb(request.method), request.target, 11);
  out.set(http::field::host, "localhost");
  out.set(http::field::user_agent, "chancery");
  out.set(http::field::accept, request.accept);
  for (const auto& [name, value] : request.headers) out.set(name, value);
  out.keep_alive(false);
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

/// One connection, one request. Asynchronous inside, because only so do Beast's time-outs work.
class Exchange {
 public:
  explicit Exchange(Deadline deadline) : stream_(io_) { stream_.expires_at(deadline); }

  Result<HttpAnswer> run(const std::string& path, const HttpRequest& request) {
    // On the thread that drives: a socket is not to be closed while another uses it.
    const std::stop_callback on_stop(request.stop, [this] { asio::post(io_, [this] { stream_.close(); }); });
    auto answer = exchange(path, request);
    if (!answer && request.stop.stop_requested()) return kGivenUp;
    return answer;
  }

 private:
  Result<HttpAnswer> exchange(const std::string& path, const HttpRequest& request) {
    if (const error_code failed = connect(path)) return connect_error(failed);
    const auto message = encode(request);
    const error_code write_failed = write(message);
    if (write_failed == beast::error::timeout) return read_error(write_failed);
    // A daemon that refuses a request before it has read all of it closes while we still write: its answer is
    // there.
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswer);
    parser.header_limit(kMaxHeader);
    if (const error_code failed = read(parser)) return read_error(failed);
    auto answer = parser.release();
    return HttpAnswer{static_cast<int>(answer.result_int()), std::string(answer[http::field::content_type]),
                      std::move(answer.body())};
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
};

class UnixTransport final : public Transport {
 public:
  explicit UnixTransport(std::string path) : path_(std::move(path)) {}

  Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const override {
    return Exchange(deadline).run(path_, request);
  }

 private:
  std::string path_;
};

}  // namespace

std::unique_ptr<Transport> make_unix_transport(std::string socket_path) {
  return std::make_unique<UnixTransport>(std::move(socket_path));
}

}  // namespace chancery::client
