#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <chancery/credential.hpp>
#include <chancery/result.hpp>

#include "sdk/client/endpoint.hpp"

namespace chancery::client {

/// The largest answer that is taken, unless a request says otherwise.
inline constexpr std::size_t kMaxAnswer = 4 * 1024 * 1024;

using Deadline = std::chrono::steady_clock::time_point;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What comes of a request that whoever sent it gave up.
inline constexpr Error kGivenUp{ErrorCode::kTimeout, "the call was given up before there was an answer"};

struct HttpRequest {
  std::string method;
  std::string target;  ///< path and query
  std::string body;    ///< JSON; empty: none
  std::string accept = "application/json";
  Headers headers{};  ///< beyond those that the transport sets
  /// Gives the exchange up: it ends in kGivenUp, whatever the other side has done by then, unless the answer is there already.
  std::stop_token stop{};
  /// Something is done by it, once: an exchange that broke when the other side had read all of it is told as kBadResponse,
  /// because nobody knows whether it was done, and kConnectFailed says that it was not.
  bool is_deed = false;
  std::size_t max_answer = kMaxAnswer;  ///< in octets
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string dpop_nonce{};  ///< `DPoP-Nonce` (RFC 9449 section 8); empty: none
};

/// One HTTP exchange with the daemon, whatever carries it. Thread-safe. Never follows a redirect.
class Transport {
 public:
  virtual ~Transport() = default;

  /// \return the answer, whatever its status, or kConnectFailed, kTlsFailed, kTimeout (by `deadline`),
  /// kBadResponse
  ///         (not HTTP, cut short, larger than the request takes)
  [[nodiscard]] virtual Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const = 0;
};

/// Over a Unix socket. The daemon reads the peer's credentials when it accepts: a process that may become another one
/// keeps no connection.
/// \param most_kept  connections that wait for the next call; 0: each call has one of its own
[[nodiscard]] std::unique_ptr<Transport> make_unix_transport(std::string socket_path,
                                                             std::size_t most_kept = 0);

/// Over HTTPS; connections are kept and used again.
/// \param timeout  for each read and write
/// \return the transport, or kFileUnreadable, kTlsFailed (no certificate in the CA file), kInvalidArgument
[[nodiscard]] Result<std::unique_ptr<Transport>> make_https_transport(const HttpsEndpoint& endpoint,
                                                                      std::chrono::milliseconds timeout);

/// The same transport, with each request marked for the daemon's logs. Empty marks are left out.
/// \return the transport, or kInvalidArgument
[[nodiscard]] Result<std::unique_ptr<Transport>> make_marked_transport(std::unique_ptr<Transport> carrier,
                                                                       const std::string& task,
                                                                       const std::string& traceparent);

/// How a chain and its proof stand in a request: docs/protocol/control-plane.md.
[[nodiscard]] Headers authorization_headers(const Presented& presented);

/// The same transport, with each request authorized by a credential: a chain, and a proof with the nonce that the daemon
/// wants, which the first answer tells.
/// \param address  `https://HOST[:PORT]`, as `carrier` calls it
[[nodiscard]] std::unique_ptr<Transport> make_authorized_transport(
    std::unique_ptr<Transport> carrier, std::string address, std::shared_ptr<const Credential> credential);

}  // namespace chancery::client
