#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace chancery::tests {

/// What an HTTP server answered; a status of 0: nothing.
struct HttpReply {
  int status = 0;
  std::string body;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;
  std::string path;
  HttpHeaders headers{};
  std::string body{};  ///< JSON; empty: none
};

[[nodiscard]] inline boost::beast::http::request<boost::beast::http::string_body> message_of(
    const HttpRequest& asked, const std::string& host) {
  namespace http = boost::beast::http;
  http::request<http::string_body> request(http::string_to_verb(asked.method), asked.path, 11);
  request.set(http::field::host, host);
  for (const auto& [name, value] : asked.headers) request.set(name, value);
  if (!asked.body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = asked.body;
  return request;
}

/// Sends a request to a connected peer. \return its answer
template <typename Stream>
[[nodiscard]] HttpReply exchange_with(Stream& peer,
                                      boost::beast::http::request<boost::beast::http::string_body> request) {
  namespace http = boost::beast::http;
  request.prepare_payload();
  boost::system::error_code failed;
  http::write(peer, request, failed);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(peer, buffer, response, failed);
  if (failed) return {};
  return {static_cast<int>(response.result_int()), response.body()};
}

/// One request to a server on a Unix socket, and its answer.
inline HttpReply send_over_unix(const std::filesystem::path& socket, const HttpRequest& asked) {
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket peer(io);
  boost::system::error_code failed;
  peer.connect(boost::asio::local::stream_protocol::endpoint(socket.string()), failed);
  if (failed) return {};
  auto request = message_of(asked, "tools");
  request.keep_alive(false);
  return exchange_with(peer, std::move(request));
}

/// The headers with which an agent shows its chain and a proof.
inline HttpHeaders shown_by(const std::vector<std::string>& chain, const std::string& proof) {
  std::string parents;
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) parents += (i == 0 ? "" : "~") + chain[i];
  HttpHeaders headers{{"authorization", "DPoP " + chain.back()}, {"dpop", proof}};
  if (!parents.empty()) headers.emplace_back("delegation-chain", parents);
  return headers;
}

}  // namespace chancery::tests
