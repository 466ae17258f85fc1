#include "sdk/cli/redirect_listener.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sdk/base/cleanse.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestRequest = 16 * 1024;
constexpr int kSecondsForRequest = 5;  // of a browser that has connected

constexpr std::string_view kSeen =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nReferrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    "The answer has arrived. Close this window, and look at the terminal for what came of it.\n";
constexpr std::string_view kNothingHere =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

template <typename Address>
int listen_on(Address address, socklen_t size) {
  const int made = ::socket(reinterpret_cast<sockaddr*>(&address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return -1;
  const int on = 1;
  if constexpr (std::is_same_v<Address, sockaddr_in6>)
    ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(made, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(made, 8) == 0) return made;
  ::close(made);
  return -1;
}

sockaddr_in loopback_v4() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_in6 loopback_v6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(port);
  return address;
}

// The first line of a request: the rest is not needed, and is read so that the browser sees an answer.
std::string request_of(int connection) {
  const timeval patience{kSecondsForRequest, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string text;
  std::string part(2048, '\0');
  while (text.size() < kLongestRequest && text.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(connection, part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(part, 0, static_cast<std::size_t>(got));
  }
  cleanse(part);
  return text;
}

// `GET /callback?state=… HTTP/1.1`
std::optional<SecretBytes> query_of(std::string_view request) {
  const std::string_view line = request.substr(0, std::min(request.find("\r\n"), request.size()));
  if (!line.starts_with("GET /")) return std::nullopt;
  const std::string_view target = line.substr(4, std::min(line.find(' ', 4), line.size()) - 4);
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view query = target.substr(mark + 1);
  if (!query.starts_with("state=") && query.find("&state=") == std::string_view::npos) return std::nullopt;
  return SecretBytes(as_bytes(query));
}

void send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<SecretBytes> serve(int listener) {
  const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return std::nullopt;
  std::string request = request_of(connection);
  std::optional<SecretBytes> query = query_of(request);
  cleanse(request);
  send_all(connection, query ? kSeen : kNothingHere);
  ::shutdown(connection, SHUT_WR);
  ::close(connection);
  return query;
}

}  // namespace

Checked<RedirectListener> RedirectListener::open() {
  RedirectListener out;
  const int made = listen_on(loopback_v4(), sizeof(sockaddr_in));
  if (made < 0)
    return failure(Error{ErrorCode::kConnectFailed, "no port of 127.0.0.1 can be listened on: use --paste"});
  out.sockets_.push_back(made);
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(made, reinterpret_cast<sockaddr*>(&bound), &size) == 0) out.port_ = ntohs(bound.sin_port);
  // The redirect is to one of the two, as the daemon's configuration says; without IPv6 it is the other.
  const int second = listen_on(loopback_v6(out.port_), sizeof(sockaddr_in6));
  if (second >= 0) out.sockets_.push_back(second);
  return out;
}

RedirectListener::~RedirectListener() {
  for (const int one : sockets_) ::close(one);
}

RedirectListener::RedirectListener(RedirectListener&& other) noexcept
    : sockets_(std::exchange(other.sockets_, {})), port_(other.port_) {}

Checked<SecretBytes> RedirectListener::wait(std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<pollfd> watched;
  for (const int one : sockets_) watched.push_back({one, POLLIN, 0});
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready =
        left.count() <= 0 ? 0 : ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      return failure(
          Error{ErrorCode::kTimeout, "nobody came back from the authorization server: begin again"});
    for (const pollfd& one : watched) {
      if ((one.revents & POLLIN) == 0) continue;
      if (auto query = serve(one.fd)) return *std::move(query);
    }
  }
}

}  // namespace chancery::cli
