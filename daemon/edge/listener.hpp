#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/edge/connection.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::edge {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Accepts on one listening socket and starts a Connection each, up to Limits::connections at once; further
/// ones are told 503, where that needs no handshake, and closed.
class Listener {
 public:
  /// \param family  AF_UNIX, AF_INET or AF_INET6, as `socket` has it
  /// \param tls  with Transport::kTls
  /// \param surroundings  outlives the listener
  Listener(boost::asio::io_context& io, Descriptor socket, int family, rest::Transport transport,
           TlsContext tls, const Limits& limits, const Surroundings& surroundings);

  void start() { accept(); }

  [[nodiscard]] rest::Transport transport() const noexcept { return transport_; }
  [[nodiscard]] std::size_t held_body_bytes() const noexcept { return bodies_.held(); }

  /// For the connections that are made from now on; those that are open keep what they have, and bodies their memory.
  /// Thread-safe, as the next two.
  void use(const Limits& limits);
  void use(TlsContext tls);

  /// Ready once a thread has come by.
  [[nodiscard]] std::future<void> pulse();

  /// Stops accepting. Thread-safe. The listener must live until its io_context has run out of its work.
  void close();

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol, Executor>;

  void accept();
  void on_accept(const boost::system::error_code& ec, Socket socket);
  void take(Socket socket);
  void admit(Socket socket);
  void turn_away(Socket socket);
  void pause();

  boost::asio::io_context& io_;
  Acceptor acceptor_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
      pause_;
  const rest::Transport transport_;
  TlsContext tls_;  // this and the next: on the acceptor's strand only
  Limits limits_;
  const Surroundings& surroundings_;
  std::atomic<std::size_t> open_ = 0;
  BodyBudget bodies_;
};

}  // namespace chancery::edge
