#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::client {

struct FetchLimits {
  std::size_t max_bytes = 1u << 20;         ///< of the body
  std::chrono::milliseconds timeout{5000};  ///< for the whole exchange
};

/// What is posted with secrets in it.
struct SecretRequest {
  std::string uri;
  std::string media_type;   ///< of the document
  std::string answer_type;  ///< what is accepted; the server may answer with another
  SecretBytes document{};
  SecretBytes user_and_password{};  ///< `user:password` for HTTP Basic (RFC 7617); empty: none
};

/// What was answered, whatever its status.
struct SecretAnswer {
  int status = 0;
  std::string media_type;  ///< without parameters; empty when none is named
  SecretBytes body;
};

/// Talks to servers that are not ours to trust, over https with the certificate verified: no redirect is followed, and
/// what they send is bounded in size and time. A proxy is used where the environment names one (https_proxy).
/// Thread-safe; each call opens a connection of its own.
class HttpsFetch {
 public:
  /// \param ca_file  PEM of the authorities to accept; empty: the system's
  HttpsFetch(std::string ca_file, const FetchLimits& limits)
      : ca_file_(std::move(ca_file)), limits_(limits) {}

  /// Fetches a document, which must be answered with status 200.
  /// \param media_types  of which the answer must be one, without parameters
  /// \param stop  ends a call that is under way, within about a second
  /// \return the body, or kInvalidArgument (not https), kConnectFailed, kTlsFailed, kTimeout, kTooLarge, kBadResponse;
  ///         `native` is libcurl's code, or the HTTP status
  [[nodiscard]] Result<std::string> get(const std::string& uri, const std::vector<std::string>& media_types,
                                        const std::stop_token& stop = {}) const;

  /// Posts a document. Of the answer only the status is looked at: a body is not read.
  /// \return the status, whatever it is, or the errors of get() that stand before one
  [[nodiscard]] Result<int> post(const std::string& uri, const std::string& media_type,
                                 const std::string& document, const std::stop_token& stop = {}) const;

  /// Posts a document with secrets in it and takes an answer that has some. Both are cleansed when their owners end; libcurl has copies
  /// meanwhile, which are cleansed only where the program says so (curl_global_init_mem).
  /// \return the answer, whatever its status, or the errors of get() that stand before one
  [[nodiscard]] Result<SecretAnswer> exchange(const SecretRequest& request,
                                              const std::stop_token& stop = {}) const;

 private:
  std::string ca_file_;
  FetchLimits limits_;
};

/// `https://HOST[:PORT]` of a URI in normal form, else empty.
[[nodiscard]] std::string origin_of(std::string_view uri);

/// Whether a text is `https://HOST` or `https://HOST:PORT` in normal form, and no more.
[[nodiscard]] bool is_origin(const std::string& text);

}  // namespace chancery::client
