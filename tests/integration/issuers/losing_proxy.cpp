#include "tests/integration/issuers/losing_proxy.hpp"

#include <array>

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::tests {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool write_all(int to, const char* octets, ssize_t size) {
  while (size > 0) {
    const ssize_t put = ::send(to, octets, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (put <= 0) return false;
    octets += put;
    size -= put;
  }
  return true;
}

}  // namespace

LosingProxy::LosingProxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  BOOST_REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  BOOST_REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  BOOST_REQUIRE(::listen(listener_, 64) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LosingProxy::~LosingProxy() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

void LosingProxy::lose_once(std::function<bool()> has_acted) {
  const std::lock_guard lock(mutex_);
  has_acted_ = std::move(has_acted);
}

bool LosingProxy::is_to_lose() {
  const std::lock_guard lock(mutex_);
  if (!has_acted_ || !has_acted_()) return false;
  has_acted_ = nullptr;
  ++lost_;
  return true;
}

void LosingProxy::accept_all() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    threads_.emplace_back([this, client] { pass(client); });
  }
}

void LosingProxy::pass(int client) {
  const Descriptor from(client);
  const Descriptor to(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(server_port_);
  if (::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  std::array<pollfd, 2> both{pollfd{from.get(), POLLIN, 0}, pollfd{to.get(), POLLIN, 0}};
  std::array<char, 16384> octets{};
  while (!stopping_) {
    if (::poll(both.data(), both.size(), 100) < 0) return;
    for (const pollfd& side : both) {
      if (side.revents == 0) continue;
      const ssize_t got = ::recv(side.fd, octets.data(), octets.size(), 0);
      const bool is_answer = side.fd == to.get();
      if (got <= 0 || (is_answer && is_to_lose())) return;
      if (!write_all(is_answer ? from.get() : to.get(), octets.data(), got)) return;
    }
  }
}

}  // namespace chancery::tests
