#pragma once

#include <chrono>
#include <cstddef>

namespace chancery::edge {

/// What one connection may cost, whoever sends. A connection that exceeds a limit is answered with a problem
/// where HTTP still allows an answer, and closed. Memory of a connection is bounded by header, twice the
/// body, and the answer; that of a listener's bodies together by `bodies_bytes`.
struct Limits {
  std::size_t header_bytes = 16 * 1024;         ///< request line and fields, with their line ends
  std::size_t body_bytes = 1024 * 1024;         ///< after removal of the chunked coding
  std::size_t bodies_bytes = 64 * 1024 * 1024;  ///< held at once, a listener; further ones are answered 503
  std::size_t connections = 1024;  ///< open at once, a listener: TCP cannot crowd out the Unix socket

  std::chrono::milliseconds handshake_time{10'000};  ///< TLS, from accept
  std::chrono::milliseconds header_time{10'000};     ///< the whole head, from accept or its first octet
  std::chrono::milliseconds body_time{30'000};       ///< the whole body
  std::chrono::milliseconds idle_time{60'000};       ///< between requests of a connection
  std::chrono::milliseconds handler_time{30'000};    ///< until a handler that may block is given up
  std::chrono::milliseconds write_time{30'000};      ///< for a response to be taken
  std::chrono::milliseconds linger_time{2'000};      ///< for the peer to read the last response and close
};

}  // namespace chancery::edge
