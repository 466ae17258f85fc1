#include "tests/integration/mcp/loopback_server.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include "sdk/crypto/hash.hpp"
#include "sdk/mcp/sse.hpp"

namespace chancery::tests {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Request = http::request<http::string_body>;

mcp::HttpOptions options_for(std::uint16_t port, std::size_t page_size) {
  mcp::HttpOptions options;
  options.rules.port = port;
  options.server.version = "1";
  options.server.page_size = page_size;
  options.server.logging = true;
  return options;
}

void write_all(tcp::socket& socket, const std::string& octets) {
  boost::system::error_code ignored;  // who has gone is noticed elsewhere
  asio::write(socket, asio::buffer(octets), ignored);
}

// Events of one answer, from the first notification on.
class EventStream final : public mcp::Outlet {
 public:
  explicit EventStream(tcp::socket& socket) : socket_(socket) {}

  void send(std::string message) override {
    if (!begun_) {
      write_all(socket_,
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    begun_ = true;
    write_chunk(mcp::sse_event(message));
  }
  // The answer itself, or nothing when the call was cancelled.
  void finish(const std::string& message) {
    if (!message.empty()) send(message);
    write_all(socket_, "0\r\n\r\n");
  }
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  void write_chunk(const std::string& octets) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", octets.size());
    write_all(socket_, size + octets + "\r\n");
  }

  tcp::socket& socket_;
  bool begun_ = false;
};

// Looks whether the peer has gone while a call runs.
class Watch {
 public:
  explicit Watch(int socket) : thread_([this, socket](const std::stop_token& over) { look(over, socket); }) {}
  [[nodiscard]] std::stop_token gone() const { return gone_.get_token(); }

 private:
  void look(const std::stop_token& over, int socket) {
    char octet = 0;
    while (!over.stop_requested()) {
      if (::recv(socket, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0) gone_.request_stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  std::stop_source gone_;
  std::jthread thread_;  // last: it uses what is above
};

std::string answer_text(const mcp::HttpAnswer& answer) {
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " " +
                    std::string(http::obsolete_reason(http::int_to_status(answer.status))) + "\r\n";
  for (const auto& [name, value] : answer.headers) out += name + ": " + value + "\r\n";
  if (answer.status != 204) out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  return out + "\r\n" + answer.body;
}

mcp::Headers headers_of(const Request& request) {
  mcp::Headers out;
  for (const auto& field : request)
    out.emplace_back(std::string(field.name_string()), std::string(field.value()));
  return out;
}

}  // namespace

LoopbackServer::LoopbackServer(mcp::ToolHost& host, std::size_t page_size)
    : host_(host),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      endpoint_(options_for(acceptor_.local_endpoint().port(), page_size), random_bytes) {
  accept();
  thread_ = std::thread([this] { context_.run(); });
}

LoopbackServer::~LoopbackServer() {
  context_.stop();
  thread_.join();
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) {
    ::shutdown(connection.socket.native_handle(), SHUT_RDWR);
    connection.thread.join();
  }
}

std::string LoopbackServer::url() const {
  return "http://localhost:" + std::to_string(acceptor_.local_endpoint().port()) + "/mcp";
}

void LoopbackServer::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
    if (error) return;
    {
      const std::lock_guard lock(mutex_);
      Connection& connection = connections_.emplace_back(std::move(socket));
      connection.thread = std::thread([this, &connection] { serve(connection.socket); });
    }
    accept();
  });
}

void LoopbackServer::serve(Socket& socket) {
  const mcp::Caller caller{"agent"};
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  while (true) {
    Request request;
    http::read(socket, buffer, request, error);
    if (error) break;
    const mcp::Headers headers = headers_of(request);
    const std::string method(request.method_string());
    EventStream events(socket);
    const Watch watch(socket.native_handle());
    if (request.target() != "/mcp") {
      write_all(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      continue;
    }
    const mcp::HttpAnswer answer =
        endpoint_.handle({method, headers, request.body()}, {caller, host_, events, watch.gone()},
                         std::chrono::steady_clock::now());
    if (events.begun()) {
      events.finish(answer.body);
    } else {
      write_all(socket, answer_text(answer));
    }
  }
  socket.shutdown(tcp::socket::shutdown_both, error);
}

}  // namespace chancery::tests
