#include "tests/integration/edge/raw_client.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace chancery::testing {
namespace {

void set_patience(int socket) {
  const timeval patience{RawClient::kPatience.count(), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

std::optional<std::string> Answer::field(std::string_view name) const {
  const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Descriptor connect_tcp(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    BOOST_FAIL("cannot connect: " << std::strerror(errno));
  }
  set_patience(socket.get());
  return socket;
}

RawClient RawClient::to_unix(const std::filesystem::path& path) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    BOOST_FAIL("cannot connect: " << std::strerror(errno));
  }
  set_patience(socket.get());
  return RawClient(std::move(socket));
}

RawClient RawClient::to_plain(std::uint16_t port) { return RawClient(connect_tcp(port)); }

RawClient RawClient::to_tls(std::uint16_t port, const std::filesystem::path& authority) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  RawClient client(connect_tcp(port));
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  BOOST_REQUIRE(SSL_CTX_load_verify_locations(context.get(), authority.c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  client.tls_.reset(SSL_new(context.get()), SSL_free);
  BOOST_REQUIRE(SSL_set1_host(client.tls_.get(), "localhost") == 1);
  BOOST_REQUIRE(SSL_set_fd(client.tls_.get(), client.socket_.get()) == 1);
  BOOST_REQUIRE(SSL_connect(client.tls_.get()) == 1);
  return client;
}

bool RawClient::send(std::string_view octets) {
  while (!octets.empty()) {
    const int part = static_cast<int>(std::min<std::size_t>(octets.size(), 1 << 20));
    const ssize_t sent = tls_ ? SSL_write(tls_.get(), octets.data(), part)
                              : ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill() {
  char buffer[16 * 1024];
  errno = 0;  // OpenSSL leaves it alone at an end that the peer has announced
  const ssize_t size =
      tls_ ? SSL_read(tls_.get(), buffer, sizeof buffer) : ::recv(socket_.get(), buffer, sizeof buffer, 0);
  timed_out_ = timed_out_ || (size < 0 && errno == EAGAIN);
  if (size <= 0) return false;
  unread_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

std::optional<Answer> RawClient::receive(bool to_head) {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  Answer answer;
  answer.head = unread_.substr(0, end + 2);
  unread_.erase(0, end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  const std::size_t size = to_head ? 0 : std::stoul(answer.field("Content-Length").value_or("0"));
  answer.body = receive_octets(size);
  if (answer.body.size() < size) return std::nullopt;
  return answer;
}

std::string RawClient::receive_octets(std::size_t size) {
  while (unread_.size() < size && fill()) {
  }
  std::string octets = unread_.substr(0, size);
  unread_.erase(0, octets.size());
  return octets;
}

bool RawClient::is_closed_by_server() { return unread_.empty() && !fill() && !timed_out_; }

void RawClient::shutdown_send() { ::shutdown(socket_.get(), SHUT_WR); }

}  // namespace chancery::testing
