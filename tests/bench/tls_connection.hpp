#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "tests/bench/http_connection.hpp"

namespace chancery::bench {

/// A connection by TLS that stays open, as a browser's.
class TlsConnection {
 public:
  /// \param authority  PEM file of whoever vouches for the server
  TlsConnection(std::uint16_t port, const std::filesystem::path& authority)
      : context_(trusting(authority)), stream_(io_, context_) {
    stream_.set_verify_callback(boost::asio::ssl::host_name_verification("localhost"));
    const boost::asio::ip::tcp::endpoint server(boost::asio::ip::address_v4::loopback(), port);
    stream_.next_layer().connect(server);
    stream_.next_layer().set_option(boost::asio::ip::tcp::no_delay(true));
    stream_.handshake(boost::asio::ssl::stream_base::client);
  }
  HttpAnswer send(const HttpRequest& request) { return exchange(stream_, buffer_, request); }

 private:
  static boost::asio::ssl::context trusting(const std::filesystem::path& authority) {
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
    context.set_verify_mode(boost::asio::ssl::verify_peer);
    context.load_verify_file(authority.string());
    return context;
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace chancery::bench
