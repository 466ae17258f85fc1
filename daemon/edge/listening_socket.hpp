#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

#include <chancery/result.hpp>

#include "daemon/edge/server.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::edge {

/// Removes a Unix socket's file, unless another has taken its place meanwhile.
class SocketFile {
 public:
  SocketFile() = default;
  SocketFile(std::filesystem::path path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}
  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;

 private:
  std::filesystem::path path_;  // empty: owns nothing
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct UnixListening {
  Descriptor socket;
  SocketFile file;
};

/// Binds and listens. The file gets its owner and mode before anybody can connect. One that is there already
/// is replaced if nobody answers on it.
/// \return kConflict when somebody does, or the path is no socket; kConfigInvalid (length, group);
///         kFilePermissions, kFileUnwritable
Result<UnixListening> listen_unix(const UnixAddress& address);

struct TcpListening {
  Descriptor socket;
  std::uint16_t port = 0;
};

/// A socket on which somebody listens already, made ready for the edge.
/// \return kConfigInvalid when it is no listening Unix stream socket
Status take_unix(const Descriptor& socket);

/// Binds and listens.
/// \param has_tls  without it, only loopback addresses are accepted
/// \return kConfigInvalid (no literal, not loopback, not an address of this machine), kConflict (in use),
///         kFilePermissions (privileged port)
Result<TcpListening> listen_tcp(const TcpAddress& address, bool has_tls);

/// The same with one on which somebody listens already. \return kConfigInvalid when it is no listening TCP socket
Result<TcpListening> take_tcp(Descriptor socket);

}  // namespace chancery::edge
