#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/runtime/outbound/outbound_request.hpp"
#include "daemon/runtime/outbound/resolver.hpp"
#include "daemon/runtime/outbound/target.hpp"

namespace chancery::runtime {

class HandlePool;
struct Exchanged;

/// Calls upstreams over HTTP/1.1 so that neither an argument, a name server, an answer nor the environment leads a call to
/// anywhere else than was declared.
///
/// The steps: check the request (check_request) and its URL (parse_target); resolve the host's name once; check every address by
/// the AddressRule, and refuse all when one does not pass; connect to these alone. When the socket is opened, and once
/// more before the request is written, the address of the very connection is checked, a kept one included. No proxy, netrc,
/// cookie, HSTS or alt-svc is used; TLS 1.2 at least, with the certificate verified for the host. A request that changes
/// something is sent once: where a kept connection ends before an answer, it is an error.
///
/// Connections are kept for calls to the same origin, and a name's addresses for 30 seconds. Thread-safe; a call works on
/// the thread of its caller.
///
/// Credentials are in the memory of libcurl while a call lasts, and cleansed when it frees them. What OpenSSL has of them is
/// encrypted in place; the kernel's socket buffers have it encrypted, or plain without TLS. No error's text has any of them.
class OutboundCaller {
 public:
  explicit OutboundCaller(Resolver resolver = resolve_by_system);
  ~OutboundCaller();
  OutboundCaller(const OutboundCaller&) = delete;
  OutboundCaller& operator=(const OutboundCaller&) = delete;

  /// \param stop  ends a call that is under way, within about a second
  /// \return the answer, whatever its status, or what refused the call: kInvalidArgument (the request), kForbidden (an
  ///         address), kConnectFailed, kTlsFailed, kTimeout, kTooLarge, kBadResponse (no HTTP, a redirect), kOverloaded,
  ///         kShuttingDown; `native` is libcurl's code, the address's class or the HTTP status. Of an answer that is an
  ///         error nothing is passed.
  [[nodiscard]] Result<OutboundResponse> call(const OutboundRequest& request,
                                              const std::stop_token& stop = {});

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Pin {
    std::vector<Address> addresses;
    Instant until;
  };

  [[nodiscard]] Result<std::vector<Address>> addresses_of(const Target& target,
                                                          const OutboundRequest& request, Instant deadline);
  [[nodiscard]] Result<Exchanged> exchange_with(const Target& target, const OutboundRequest& request,
                                                Instant deadline, const std::stop_token& stop);
  void forget(const std::string& host);

  const Resolver resolver_;
  const std::unique_ptr<HandlePool> handles_;
  std::mutex mutex_;
  std::map<std::string, Pin, std::less<>> pins_;  // by host
};

}  // namespace chancery::runtime
