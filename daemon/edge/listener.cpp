#include "daemon/edge/listener.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/edge/request_mark.hpp"
#include "daemon/edge/response_text.hpp"

namespace chancery::edge {

namespace asio = boost::asio;

Listener::Listener(asio::io_context& io, Descriptor socket, int family, rest::Transport transport,
                   TlsContext tls, const Limits& limits, const Surroundings& surroundings)
    : io_(io),
      acceptor_(asio::make_strand(io), asio::generic::stream_protocol(family, 0), socket.release()),
      pause_(acceptor_.get_executor()),
      transport_(transport),
      tls_(std::move(tls)),
      limits_(limits),
      surroundings_(surroundings),
      bodies_(limits.bodies_bytes) {}

void Listener::use(const Limits& limits) {
  asio::post(acceptor_.get_executor(), [this, limits] { limits_ = limits; });
}

void Listener::use(TlsContext tls) {
  asio::post(acceptor_.get_executor(), [this, tls = std::move(tls)]() mutable { tls_ = std::move(tls); });
}

std::future<void> Listener::pulse() {
  auto beaten = std::make_shared<std::promise<void>>();
  asio::post(acceptor_.get_executor(), [beaten] { beaten->set_value(); });
  return beaten->get_future();
}

void Listener::close() {
  asio::post(acceptor_.get_executor(), [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  });
}

void Listener::accept() {
  try {
    acceptor_.async_accept(
        asio::make_strand(io_),
        [this](const boost::system::error_code& ec, Socket socket) { on_accept(ec, std::move(socket)); });
  } catch (const std::exception&) {  // memory is exhausted, and may not be for long
    pause();
  }
}

void Listener::on_accept(const boost::system::error_code& ec, Socket socket) {
  if (!acceptor_.is_open()) return;
  if (ec && ec != asio::error::connection_aborted) return pause();
  if (!ec) take(std::move(socket));
  accept();
}

// Whatever becomes of this one, the next is accepted.
void Listener::take(Socket socket) {
  try {
    if (open_ < limits_.connections) {
      admit(std::move(socket));
    } else {
      turn_away(std::move(socket));
    }
  } catch (const std::exception& exception) {
    if (surroundings_.log) surroundings_.log->error("a connection failed", {{"exception", exception.what()}});
  }
}

void Listener::admit(Socket socket) {
  const auto connection = std::make_shared<Connection>(
      std::move(socket), Origin{transport_, tls_.get(), open_, bodies_, limits_}, surroundings_);
  if (surroundings_.connections.add(connection)) connection->start();
}

// In one try, without waiting for the request: whoever is over the limit costs nothing more.
void Listener::turn_away(Socket socket) {
  if (surroundings_.refusals) surroundings_.refusals->add(telemetry::EdgeRefusals::Reason::kConnections);
  if (tls_) return;
  std::string answer;
  append_response(answer,
                  rest::problem({ErrorCode::kOverloaded,
                                 "too many connections are open: close some, or try again shortly"}),
                  {.request_id = random_id(), .now = now_in_seconds()});
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(answer), ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

// Out of descriptors or memory: accepting again at once would only burn time.
void Listener::pause() {
  if (surroundings_.log) surroundings_.log->error("cannot accept connections: raise the limit of open files");
  pause_.expires_after(std::chrono::milliseconds(100));
  pause_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec && acceptor_.is_open()) accept();
  });
}

}  // namespace chancery::edge
