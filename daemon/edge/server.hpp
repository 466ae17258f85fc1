#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <chancery/result.hpp>

#include "daemon/edge/limits.hpp"
#include "daemon/rest/http.hpp"
#include "daemon/telemetry/edge_refusals.hpp"
#include "daemon/telemetry/log.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::edge {

struct UnixAddress {
  std::filesystem::path path;
  std::uint32_t mode = 0660;
  std::string group;  ///< owner of the socket file; empty leaves the process's own
};

struct TcpAddress {
  std::string host;        ///< IPv4 or IPv6 literal
  std::uint16_t port = 0;  ///< 0: any free one, see Server::plain_port() and tls_port()
};

struct TlsAddress {
  TcpAddress address;
  std::filesystem::path certificate;  ///< PEM: the server's certificate, then those of its issuers
  std::filesystem::path key;          ///< PEM, unencrypted, mode 0600 or 0640
};

struct ServerOptions {
  std::optional<UnixAddress> unix_socket;
  std::optional<TlsAddress> tls;
  std::optional<TcpAddress> plain;  ///< HTTP without TLS; loopback only
  Limits limits;
  std::size_t threads = 2;  ///< that are left for connections and handlers that do not block
  /// As many more, so that so many requests can be under way of which Application::may_block() says yes.
  std::size_t blocking_threads = 8;
  /// Requests that wait for their turn among those, half of them one user's; further ones are answered 503, or 429.
  std::size_t blocking_queue = 256;
  /// Whether handlers are told the unit and the executable of who is at the other end of the Unix socket.
  bool looks_at_programs = true;
  const telemetry::Log* log = nullptr;          ///< borrowed; outlives the server
  telemetry::EdgeRefusals* refusals = nullptr;  ///< where they are counted; borrowed; outlives the server
};

/// Sockets on which somebody listens already in the daemon's stead (systemd.socket(5)): owner, mode and address are as
/// they were made.
struct GivenSockets {
  Descriptor unix_socket{};  ///< in place of ServerOptions::unix_socket
  Descriptor tls{};          ///< in place of the address in ServerOptions::tls, whose files are used
};

/// The daemon's sockets: accepts, parses, limits and times out; hands whole requests to the application and
/// returns its answers. Malformed requests are answered here, as RFC 9457 problems, and their connections
/// closed.
class Server {
 public:
  /// Listens on every address that is given, and serves at once.
  /// \param application  borrowed; outlives the server
  /// \return the server; kConfigInvalid (addresses, non-loopback without TLS, certificate and key that do
  ///         not fit, a given socket that is none), kConflict (address in use, socket that another process answers on), kFileUnreadable,
  ///         kFilePermissions, kFileUnwritable; `native` is errno or OpenSSL's code
  static Result<Server> start(const ServerOptions& options, rest::Application& application,
                              GivenSockets given = {});

  /// drain() without patience, then waits for the handlers that still run.
  ~Server();
  Server(Server&&) noexcept;
  Server& operator=(Server&&) = delete;

  /// The ports that are listened on; 0 without such a listener.
  [[nodiscard]] std::uint16_t tls_port() const noexcept;
  [[nodiscard]] std::uint16_t plain_port() const noexcept;

  [[nodiscard]] std::size_t open_connections() const;
  /// Octets of request bodies that are held, of all connections.
  [[nodiscard]] std::size_t held_body_bytes() const;

  /// For connections that are made from now on; those that are open keep what they have. Thread-safe.
  void use(const Limits& limits);
  /// The same; without a TLS listener it does nothing.
  void use(boost::asio::ssl::context tls);

  /// Whether each listener gets a thread within `patience`, and no request has held all threads for blocking work
  /// for longer than any may take. False is a daemon that a restart may help. Thread-safe.
  [[nodiscard]] bool works(std::chrono::milliseconds patience) const;

  /// Accepts no more, lets requests that have begun to arrive finish and answers them, closes idle
  /// connections; cuts what is left after `patience`. Thread-safe; again is harmless.
  /// \return how many connections had to be cut
  std::size_t drain(std::chrono::milliseconds patience);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace chancery::edge
