#include "daemon/edge/listening_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace chancery::edge {
namespace {

constexpr int kBacklog = SOMAXCONN;

Error error_with_errno(ErrorCode code, const char* what) {
  return {code, what, static_cast<std::uint64_t>(errno)};
}

Result<Descriptor> new_socket(int family) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return error_with_errno(
        ErrorCode::kConfigInvalid,
        "cannot open a socket: raise the limit of open files, or listen on an address family that exists");
  }
  return socket;
}

Result<sockaddr_un> unix_name(const std::filesystem::path& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (!path.is_absolute() || path.native().size() >= sizeof name.sun_path) {
    return Error{ErrorCode::kConfigInvalid, "the Unix socket needs an absolute path of at most 107 octets"};
  }
  std::memcpy(name.sun_path, path.c_str(), path.native().size() + 1);
  return name;
}

const sockaddr* address_of(const sockaddr_un& name) { return reinterpret_cast<const sockaddr*>(&name); }

// A file at the path: removed when it is a socket that nobody answers on; an error otherwise.
Status clear_path(const std::filesystem::path& path, const sockaddr_un& name) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return error_with_errno(ErrorCode::kFilePermissions,
                            "cannot reach the Unix socket's folder: let the daemon's user enter it");
  }
  if (!S_ISSOCK(there.st_mode)) {
    return Error{ErrorCode::kConflict,
                 "a file that is no socket has the Unix socket's path: remove it, or choose another path"};
  }
  CHANCERY_ASSIGN(const Descriptor probe, new_socket(AF_UNIX));
  if (::connect(probe.get(), address_of(name), sizeof name) == 0 || errno != ECONNREFUSED) {
    return error_with_errno(ErrorCode::kConflict,
                            "another process answers on the Unix socket: stop it, or choose another path");
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return error_with_errno(
        ErrorCode::kFilePermissions,
        "cannot replace the stale Unix socket: let the daemon's user write to its folder");
  }
  return {};
}

Result<gid_t> group_id(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  group entry{};
  group* found = nullptr;
  int failure = 0;
  while ((failure = ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(buffer.size() * 2);
  }
  if (found) return entry.gr_gid;
  return Error{ErrorCode::kConfigInvalid,
               "the Unix socket's group does not exist: create it, or name another",
               static_cast<std::uint64_t>(failure)};
}

Status set_owner_and_mode(const UnixAddress& address) {
  if (!address.group.empty()) {
    CHANCERY_ASSIGN(const gid_t group, group_id(address.group));
    if (::chown(address.path.c_str(), static_cast<uid_t>(-1), group) != 0) {
      return error_with_errno(
          ErrorCode::kFilePermissions,
          "cannot give the Unix socket to its group: make the daemon's user a member of the group");
    }
  }
  if (::chmod(address.path.c_str(), address.mode) != 0) {
    return error_with_errno(ErrorCode::kFilePermissions, "cannot set the Unix socket's mode");
  }
  return {};
}

Error bind_unix_error() {
  if (errno == EACCES || errno == EPERM) {
    return error_with_errno(ErrorCode::kFilePermissions,
                            "cannot create the Unix socket: let the daemon's user write to its folder");
  }
  if (errno == EADDRINUSE) {
    return error_with_errno(ErrorCode::kConflict,
                            "another process took the Unix socket's path just now: stop it");
  }
  return error_with_errno(
      ErrorCode::kFileUnwritable,
      "cannot create the Unix socket: create its folder, on a file system that is not full");
}

Error bind_tcp_error() {
  if (errno == EADDRINUSE) {
    return error_with_errno(
        ErrorCode::kConflict,
        "the TCP address is in use: stop the process that has it, or choose another port");
  }
  if (errno == EACCES) {
    return error_with_errno(ErrorCode::kFilePermissions, "the TCP port is privileged: choose one above 1023");
  }
  return error_with_errno(ErrorCode::kConfigInvalid, "the TCP address is none of this machine's");
}

int number_option(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool listens(int socket, std::initializer_list<int> families) {
  const int family = number_option(socket, SO_DOMAIN);
  return number_option(socket, SO_ACCEPTCONN) == 1 && number_option(socket, SO_TYPE) == SOCK_STREAM &&
         std::ranges::find(families, family) != families.end();
}

Status stop_blocking(int socket) {
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags >= 0 && ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0) return {};
  return error_with_errno(ErrorCode::kConfigInvalid,
                          "a socket that was given cannot be used: restart its unit");
}

// Answers are written whole. On Linux, accepted sockets inherit this.
void write_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::uint16_t port_of(int socket) {
  boost::asio::ip::tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  return ::getsockname(socket, endpoint.data(), &size) == 0 ? endpoint.port() : std::uint16_t{0};
}

}  // namespace

SocketFile::~SocketFile() {
  struct stat there {};
  if (path_.empty() || ::lstat(path_.c_str(), &there) != 0) return;
  if (there.st_dev == device_ && there.st_ino == inode_) ::unlink(path_.c_str());
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  path_.swap(other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

Result<UnixListening> listen_unix(const UnixAddress& address) {
  CHANCERY_ASSIGN(const sockaddr_un name, unix_name(address.path));
  CHANCERY_TRY(clear_path(address.path, name));
  CHANCERY_ASSIGN(Descriptor socket, new_socket(AF_UNIX));
  if (::bind(socket.get(), address_of(name), sizeof name) != 0) return bind_unix_error();

  struct stat made {};
  if (::lstat(address.path.c_str(), &made) != 0) {
    return error_with_errno(ErrorCode::kConflict,
                            "another process removed the Unix socket just now: stop it");
  }
  SocketFile file(address.path, made.st_dev, made.st_ino);
  CHANCERY_TRY(set_owner_and_mode(address));  // nobody can connect before listen()
  if (::listen(socket.get(), kBacklog) != 0) {
    return error_with_errno(ErrorCode::kConflict, "cannot listen on the Unix socket");
  }
  return UnixListening{std::move(socket), std::move(file)};
}

Result<TcpListening> listen_tcp(const TcpAddress& address, bool has_tls) {
  boost::system::error_code ec;
  const auto host = boost::asio::ip::make_address(address.host, ec);
  if (ec) return Error{ErrorCode::kConfigInvalid, "the TCP address is no IPv4 or IPv6 literal"};
  if (!has_tls && !host.is_loopback()) {
    return Error{ErrorCode::kConfigInvalid,
                 "HTTP without TLS is for loopback only: listen on 127.0.0.1 or ::1, or use TLS"};
  }
  const boost::asio::ip::tcp::endpoint endpoint(host, address.port);
  CHANCERY_ASSIGN(Descriptor socket, new_socket(endpoint.data()->sa_family));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  write_at_once(socket.get());
  if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0)
    return bind_tcp_error();
  if (::listen(socket.get(), kBacklog) != 0) return bind_tcp_error();
  const std::uint16_t port = port_of(socket.get());
  return TcpListening{std::move(socket), port};
}

Status take_unix(const Descriptor& socket) {
  if (!listens(socket.get(), {AF_UNIX}))
    return Error{ErrorCode::kConfigInvalid,
                 "the socket that was given as `chancery.sock` is no Unix socket that listens: see its unit"};
  return stop_blocking(socket.get());
}

Result<TcpListening> take_tcp(Descriptor socket) {
  if (!listens(socket.get(), {AF_INET, AF_INET6}))
    return Error{ErrorCode::kConfigInvalid,
                 "the socket that was given as `chancery.tls` is no TCP socket that listens: see its unit"};
  CHANCERY_TRY(stop_blocking(socket.get()));
  write_at_once(socket.get());
  const std::uint16_t port = port_of(socket.get());
  return TcpListening{std::move(socket), port};
}

}  // namespace chancery::edge
