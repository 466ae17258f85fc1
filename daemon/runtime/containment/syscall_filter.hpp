#pragma once

#include <utility>
#include <vector>

#include <linux/filter.h>

#include <chancery/result.hpp>

namespace chancery::runtime {

/// Which system calls a contained process may make, as the kernel takes it (seccomp(2)): made before a process is started, so
/// that nothing needs to be allocated between fork and exec. A value.
///
/// All calls are allowed but those by which a process looks into others, changes what the kernel shows it or others, loads code
/// into the kernel, or has the kernel work for it unseen (io_uring): EPERM, or ENOSYS where programs know another way. So that
/// the filter holds for all that it does, calls of another architecture's table end the process.
///
/// Without network there are no sockets but connected pairs (socketpair(2) for AF_UNIX streams), which lead to nobody else. With
/// it there are those of IPv4 and IPv6: never of AF_UNIX, by which a tool would reach the daemon in the runtime's name.
class SyscallFilter {
 public:
  /// \return kProcessFailed; `native` is the errno
  [[nodiscard]] static Result<SyscallFilter> make(bool network);
  /// \param program  as the kernel takes it. For tests.
  explicit SyscallFilter(std::vector<sock_filter> program) : program_(std::move(program)) {}

  [[nodiscard]] const std::vector<sock_filter>& program() const noexcept { return program_; }

 private:
  std::vector<sock_filter> program_;
};

}  // namespace chancery::runtime
