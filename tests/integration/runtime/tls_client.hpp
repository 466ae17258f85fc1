#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <openssl/ssl.h>

#include "tests/integration/runtime/runtime_process.hpp"

namespace chancery::tests {

/// A connection to a TLS port of this machine, as an agent elsewhere has one.
class TlsClient {
 public:
  /// \param authority  PEM: who must have issued the certificate, for `localhost`
  /// \param version    the one version that is offered, TLS1_2_VERSION; 0: whatever is newest
  TlsClient(std::uint16_t port, const std::filesystem::path& authority, int version = 0)
      : context_(boost::asio::ssl::context::tls_client) {
    context_.load_verify_file(authority.string());
    context_.set_verify_mode(boost::asio::ssl::verify_peer);
    if (version != 0) {
      SSL_CTX_set_security_level(context_.native_handle(), 0);  // so that the server is the one who refuses
      SSL_CTX_set_min_proto_version(context_.native_handle(), version);
      SSL_CTX_set_max_proto_version(context_.native_handle(), version);
    }
    stream_ = std::make_unique<Stream>(io_, context_);
    SSL_set1_host(stream_->native_handle(), "localhost");
    boost::system::error_code failed;
    stream_->next_layer().connect({boost::asio::ip::make_address("127.0.0.1"), port}, failed);
    if (!failed) stream_->handshake(boost::asio::ssl::stream_base::client, failed);
    is_open_ = !failed;
  }

  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

  /// \return status 0 when nothing came
  [[nodiscard]] HttpReply send(const std::string& method, const std::string& path,
                               const std::vector<std::pair<std::string, std::string>>& headers = {},
                               const std::string& body = {}) {
    if (!is_open_) return {};
    return exchange_with(*stream_, message_of({method, path, headers, body}, "localhost"));
  }

 private:
  using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  std::unique_ptr<Stream> stream_;
  bool is_open_ = false;
};

}  // namespace chancery::tests
