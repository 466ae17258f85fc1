#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/error.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/caller.hpp"

namespace chancery::rest {

/// What the kernel says of the process at the other end of a Unix socket, read by the edge at accept;
/// executable and unit are looked up at every request that may block, and empty in others, which concern no
/// agent.
struct PeerCredentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::uint64_t start_time = 0;       ///< field 22 of /proc/PID/stat: tells a reused pid; 0 if unreadable
  std::string unit;                   ///< systemd unit from the cgroup, empty when there is none
  std::string executable;             ///< resolved path, empty when unreadable
  std::vector<std::uint32_t> groups;  ///< supplementary groups (SO_PEERGROUPS)
};

enum class Transport : std::uint8_t { kUnix, kTls, kPlain };

/// Who sent a request: the transport always, credentials on the Unix socket only.
struct Peer {
  Transport transport = Transport::kPlain;
  std::optional<PeerCredentials> credentials;
};

/// One well-formed HTTP request, whole, within the edge's limits. Header names are lower case.
struct Request {
  std::string method;
  std::string path;   ///< the octets before '?', as sent
  std::string query;  ///< the octets after '?', as sent; empty when there are none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Peer peer;
  std::optional<VerifiedChain> chain{};  ///< who sends it over TLS, once the router has found that out
  std::optional<service::ConsoleVisitor> visitor{};  ///< the same of a request by the console's page
  service::Attempt* attempt = nullptr;  ///< what becomes of it, while the router answers it; borrowed
  std::string id;                       ///< random, also in the `Request-Id` response header
  std::string task{};      ///< `Chancery-Task`: what the caller says that it works on; see read_marks()
  std::string trace_id{};  ///< of `traceparent`: 32 hexadecimal digits, or empty
  std::chrono::sys_seconds received_at{};            ///< the one reading of the clock for this request
  std::chrono::steady_clock::time_point deadline{};  ///< when the edge gives up on the handler

  /// The value of the only header of that (lower-case) name; nullopt when absent or repeated.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beyond those that the edge sets
  /// For the log alone: why, when the fault is not the client's (status 500 and more).
  std::optional<Error> failure{};
  /// For the audit log alone: why a request was refused.
  std::optional<Error> refusal{};
  bool carries_secret = false;  ///< its body is overwritten once it is sent
};

/// An RFC 9457 problem document. `type` is `urn:chancery:error:NAME`, with the stable `code` beside it.
/// \param detail  what to do, for a person; never holds input octets or secrets
[[nodiscard]] Response problem(int status, ErrorCode code, std::string_view detail);

/// The HTTP status that an error code is answered with.
[[nodiscard]] int status_of(ErrorCode code) noexcept;

/// The problem document for an error; with a status of 500 and more the error stands in Response::failure
/// too.
[[nodiscard]] Response problem(int status, const Error& error);

/// The same, with the status that the error's code stands for.
[[nodiscard]] Response problem(const Error& error);

/// What the edge calls: the router and everything behind it.
class Application {
 public:
  virtual ~Application() = default;

  /// Whether this request may wait for a device or a disk, and so must not run on an I/O thread.
  [[nodiscard]] virtual bool may_block(std::string_view method, std::string_view path) const = 0;

  /// Answers; never throws. Called from several threads at once.
  /// \param request  whose `chain` or `visitor` may be filled in
  [[nodiscard]] virtual Response handle(Request& request) = 0;
};

}  // namespace chancery::rest
