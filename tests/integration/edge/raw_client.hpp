#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/base/descriptor.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace chancery::testing {

/// What came back, taken apart. Fields keep their order and case.
struct Answer {
  int status = 0;
  std::string head;
  std::string body;

  /// The value of a field; nullopt when it is absent.
  [[nodiscard]] std::optional<std::string> field(std::string_view name) const;
};

/// A client that sends exactly the octets that it is told to, over any of the three transports. Every wait
/// has an end.
class RawClient {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  /// All abort the test when nobody listens.
  static RawClient to_unix(const std::filesystem::path& path);
  static RawClient to_plain(std::uint16_t port);
  /// \param authority  PEM file; the handshake fails unless it vouches for `localhost`
  static RawClient to_tls(std::uint16_t port, const std::filesystem::path& authority);

  /// \return whether everything was taken; false when the server has closed
  bool send(std::string_view octets);

  /// Reads one answer.
  /// \param to_head  it has no body, whatever its Content-Length
  /// \return nullopt when the connection ends before it is whole
  std::optional<Answer> receive(bool to_head = false);

  /// Reads exactly that much, or what there is until the end.
  std::string receive_octets(std::size_t size);

  /// Reads until the server closes.
  /// \return whether it did, without sending anything more
  bool is_closed_by_server();

  /// Says that nothing more comes, as `nc -N` does.
  void shutdown_send();

  void close() { socket_ = {}; }

 private:
  explicit RawClient(Descriptor socket) : socket_(std::move(socket)) {}
  bool fill();

  Descriptor socket_;
  std::shared_ptr<ssl_st> tls_;
  std::string unread_;
  bool timed_out_ = false;
};

/// A TCP connection to 127.0.0.1.
Descriptor connect_tcp(std::uint16_t port);

}  // namespace chancery::testing
