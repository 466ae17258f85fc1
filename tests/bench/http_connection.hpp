#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace chancery::bench {

struct HttpRequest {
  std::string method = "GET";
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};  ///< JSON; empty: none
  std::string host = "127.0.0.1";
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  std::string cookie;  ///< the value of Set-Cookie; empty: none
};

/// Sends a request and reads its answer, which leaves the stream open. Throws what the stream's errors are.
/// \param buffer  of the stream, the same one each time
template <typename Stream>
HttpAnswer exchange(Stream& stream, boost::beast::flat_buffer& buffer, const HttpRequest& sent) {
  namespace http = boost::beast::http;
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(sent.method);
  request.target(sent.target);
  request.set(http::field::host, sent.host);
  if (!sent.body.empty()) request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : sent.headers) request.set(name, value);
  request.body() = sent.body;
  request.prepare_payload();
  http::write(stream, request);
  http::response<http::string_body> response;
  http::read(stream, buffer, response);
  const auto cookie = response.find(http::field::set_cookie);
  return {response.result_int(), std::move(response.body()),
          cookie == response.end() ? std::string() : std::string(cookie->value())};
}

/// A connection that stays open.
template <typename Protocol>
class HttpConnection {
 public:
  explicit HttpConnection(const typename Protocol::endpoint& endpoint) : socket_(io_) {
    socket_.connect(endpoint);
  }
  HttpAnswer send(const HttpRequest& request) { return exchange(socket_, buffer_, request); }

 private:
  boost::asio::io_context io_;
  typename Protocol::socket socket_;
  boost::beast::flat_buffer buffer_;
};

using TcpConnection = HttpConnection<boost::asio::ip::tcp>;
using LocalConnection = HttpConnection<boost::asio::local::stream_protocol>;

}  // namespace chancery::bench
