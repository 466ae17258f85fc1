#pragma once

#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::edge {

/// The process at the other end of a Unix socket. Holds its folder in /proc open: that folder belongs to this
/// process and to no later one with the same number, so a reused pid is never taken for the peer.
class PeerProcess {
 public:
  /// Asks the kernel who connected (SO_PEERCRED, SO_PEERGROUPS); start time from /proc, the rest empty.
  /// \param socket  a connected Unix socket; borrowed
  static Result<PeerProcess> of(int socket);

  /// What the kernel said when the peer connected; unit and executable are empty.
  [[nodiscard]] const rest::PeerCredentials& credentials() const noexcept { return credentials_; }

  /// The same with unit and executable as they are now: both may change while a connection lasts. What cannot
  /// be read (the process has ended, or /proc hides it) is empty and matches no selector. Costs some 12 µs.
  [[nodiscard]] rest::PeerCredentials look() const;

 private:
  PeerProcess(rest::PeerCredentials credentials, Descriptor folder)
      : credentials_(std::move(credentials)), folder_(std::move(folder)) {}

  rest::PeerCredentials credentials_;
  Descriptor folder_;
};

/// The systemd unit in the text of /proc/PID/cgroup, by systemd's rule: the first part of the path that is no
/// slice. What stands below it is the unit's own business, and a user's services all are their
/// `user@UID.service`: nobody but systemd can place a process so that this names another unit. Empty when
/// that part is no service or scope.
[[nodiscard]] std::string systemd_unit(std::string_view cgroup);

}  // namespace chancery::edge
