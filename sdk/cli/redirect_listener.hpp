#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <chancery/bytes.hpp>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// Waits on loopback for the browser that an authorization server sends back (RFC 8252 section 7.3): one request, whose query is what
/// it brings. Owns its sockets; move-only.
class RedirectListener {
 public:
  /// Listens on a port that is free, on 127.0.0.1 and, where there is IPv6, on ::1 too. \return kConnectFailed
  [[nodiscard]] static Checked<RedirectListener> open();

  ~RedirectListener();
  RedirectListener(RedirectListener&& other) noexcept;
  RedirectListener& operator=(RedirectListener&&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// The query of the first request that has a `state`, without its `?`; the browser is told to look at the terminal. Whatever else
  /// browsers ask for is not found.
  /// \return kTimeout
  [[nodiscard]] Checked<SecretBytes> wait(std::chrono::seconds patience);

 private:
  RedirectListener() = default;

  std::vector<int> sockets_;
  std::uint16_t port_ = 0;
};

}  // namespace chancery::cli
