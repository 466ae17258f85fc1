#include <atomic>
#include <cstdint>
#include <exception>
#include <fstream>
#include <future>
#include <string_view>
#include <utility>
#include <vector>

#include <cpprest/containerstream.h>
#include <cpprest/http_client.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "sdk/client/transport.hpp"

namespace chancery::client {
namespace {

namespace streams = concurrency::streams;
namespace http = web::http;

using CertificateStore = std::shared_ptr<X509_STORE>;

using ResponseBuffer = streams::container_buffer<std::vector<std::uint8_t>>;

constexpr std::chrono::seconds kRest{5};

/// What came of one exchange. `broken`: the connection ended before there was an answer.
struct Attempt {
  Result<HttpAnswer> answer;
  bool broken = false;
};

/// What a call and cpprestsdk's threads share: it outlives a caller that gave up waiting.
struct Exchange {
  std::promise<Attempt> attempt;
  ResponseBuffer body;
  pplx::cancellation_token_source cancel;
};

/// Thrown inside cpprestsdk, where there is no other way to end an exchange; caught in finish().
struct AnswerTooLarge : std::exception {};

Error timed_out() {
  return {ErrorCode::kTimeout, "the daemon did not answer in time: see its log, or allow more time"};
}

Result<CertificateStore> load_certificates(const std::string& path) {
  if (!std::ifstream(path).good()) {
    return Error{ErrorCode::kFileUnreadable, "the CA file cannot be read: see CHANCERY_CACERT or --cacert"};
  }
  CertificateStore store(X509_STORE_new(), X509_STORE_free);
  if (!store || X509_STORE_load_file(store.get(), path.c_str()) != 1) {
    return Error{ErrorCode::kTlsFailed,
                 "the CA file holds no PEM certificate: give the one that issued the daemon's"};
  }
  return store;
}

http::client::http_client_config configuration(CertificateStore store, std::chrono::milliseconds timeout) {
  http::client::http_client_config config;
  config.set_timeout(timeout);  // for each read and write; send() keeps the deadline of the whole
  config.set_max_redirects(0);
  config.set_validate_certificates(true);
  config.set_proxy(web::web_proxy(web::web_proxy::disabled));
  config.set_ssl_context_callback([store = std::move(store)](boost::asio::ssl::context& context) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    // The given certificates replace the system's: whoever names a CA means that one.
    if (store) SSL_CTX_set1_cert_store(context.native_handle(), store.get());
  });
  return config;
}

http::http_request encode(const HttpRequest& request, const ResponseBuffer& answer) {
  http::http_request out(request.method);
  out.set_request_uri(request.target);
  out.headers().add("Accept", request.accept);
  out.headers().add("User-Agent", "chancery");
  for (const auto& [name, value] : request.headers) out.headers().add(name, value);
  if (!request.body.empty()) out.set_body(request.body, "application/json");
  out.set_response_stream(streams::ostream(answer));
  // cpprestsdk has no limit of its own.
  const std::size_t most = request.max_answer;
  out.set_progress_handler([most](http::message_direction::direction direction, utility::size64_t size) {
    if (direction == http::message_direction::download && size > most) throw AnswerTooLarge();
  });
  return out;
}

// cpprestsdk 2.10 puts asio's and OpenSSL's codes into the generic category, and has no code of its own for
// what it was doing: an OpenSSL code is told by its library number, an address that does not resolve by its
// text alone.
Attempt failed(const http::http_exception& failure) {
  const auto native = static_cast<std::uint64_t>(static_cast<std::uint32_t>(failure.error_code().value()));
  if (failure.error_code() == std::errc::timed_out) return {timed_out()};
  // A peer that goes away without TLS's own good-bye is no matter of certificates.
  const bool cut = ERR_GET_REASON(native) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (ERR_GET_LIB(native) != 0 && !cut) {
    return {Error{ErrorCode::kTlsFailed,
                  "the daemon's certificate is not trusted, or for another name: give its CA with "
                  "CHANCERY_CACERT or --cacert",
                  native}};
  }
  const bool unresolved = std::string_view(failure.what()).starts_with("Error resolving");
  if (unresolved || failure.error_code() == std::errc::host_unreachable) {
    return {Error{ErrorCode::kConnectFailed,
                  "nobody answers at the daemon's address: start chanceryd, or correct CHANCERY_ADDR"}};
  }
  return {Error{ErrorCode::kBadResponse,
                "the answer was cut short or is not HTTP: is this address really chanceryd's?", native},
          true};
}

Attempt finish(const pplx::task<http::http_response>& task, const Exchange& exchange) {
  try {
    const http::http_response response = task.get();
    const auto& octets = exchange.body.collection();
    HttpAnswer answer{
        response.status_code(), response.headers().content_type(), {octets.begin(), octets.end()}};
    response.headers().match("DPoP-Nonce", answer.dpop_nonce);
    return {std::move(answer)};
  } catch (const http::http_exception& failure) {
    return failed(failure);
  } catch (const AnswerTooLarge&) {
    return {Error{ErrorCode::kBadResponse,
                  "the answer is larger than any of the daemon's: is this address really chanceryd's?"}};
  } catch (const std::exception&) {
    return {Error{ErrorCode::kInternal, "the HTTP client failed: try again, and report it if it stays so"}};
  }
}

Attempt exchange_over(http::client::http_client client, const HttpRequest& request, Deadline deadline) {
  const auto exchange = std::make_shared<Exchange>();
  auto attempt = exchange->attempt.get_future();
  client.request(encode(request, exchange->body), exchange->cancel.get_token())
      .then([](const http::http_response& response) { return response.content_ready(); })
      .then([exchange](const pplx::task<http::http_response>& task) {
        exchange->attempt.set_value(finish(task, *exchange));
      });
  const std::stop_callback on_stop(request.stop, [&] { exchange->cancel.cancel(); });
  if (attempt.wait_until(deadline) == std::future_status::ready) {
    Attempt made = attempt.get();
    if (!made.answer && request.stop.stop_requested()) return {kGivenUp};
    return made;
  }
  exchange->cancel.cancel();
  return {timed_out()};
}

class HttpsTransport final : public Transport {
 public:
  HttpsTransport(const std::string& address, const http::client::http_client_config& config)
      : address_(address), config_(config), kept_(address_, config_) {}

  // cpprestsdk keeps connections, which saves some 25 ms a call (it reads the system's certificates for each
  // new one), but a call fails that takes up one which the daemon has closed meanwhile. A question may then be
  // asked again: once, over a connection that is certainly new. What changes something may have been done: for
  // that, no connection is taken up that has rested.
  Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const override {
    const bool is_question = request.headers.empty() || request.method == "GET";
    Attempt attempt = exchange_over(is_question || !has_rested() ? kept() : anew(), request, deadline);
    if (attempt.broken && is_question) attempt = exchange_over(anew(), request, deadline);
    return std::move(attempt.answer);
  }

 private:
  [[nodiscard]] http::client::http_client anew() const { return {address_, config_}; }

  [[nodiscard]] http::client::http_client kept() const {
    last_use_ = ticks();
    return kept_;
  }

  // The daemon closes a connection after a minute without a request, unless it is configured otherwise.
  [[nodiscard]] bool has_rested() const {
    return ticks() - last_use_ > std::chrono::steady_clock::duration(kRest).count();
  }

  static std::chrono::steady_clock::rep ticks() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
  }

  web::uri address_;
  http::client::http_client_config config_;
  http::client::http_client kept_;  // a handle; copies share its connections
  mutable std::atomic<std::chrono::steady_clock::rep> last_use_ = 0;  // of `kept_`
};

}  // namespace

Result<std::unique_ptr<Transport>> make_https_transport(const HttpsEndpoint& endpoint,
                                                        std::chrono::milliseconds timeout) {
  CertificateStore store;
  if (!endpoint.ca_file.empty()) {
    CHANCERY_ASSIGN(store, load_certificates(endpoint.ca_file));
  }
  try {
    return std::unique_ptr<Transport>(
        std::make_unique<HttpsTransport>(endpoint.address, configuration(std::move(store), timeout)));
  } catch (const std::exception&) {
    return Error{ErrorCode::kInvalidArgument,
                 "the daemon's address must be https://HOST or https://HOST:PORT"};
  }
}

}  // namespace chancery::client
