#pragma once

#include <cstddef>
#include <cstdint>

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

namespace chancery::runtime {

/// A limit that the tool gets, soft and hard.
struct ResourceLimit {
  __rlimit_resource resource{};
  rlimit limit{};
};

/// All that is needed between fork and exec, made before: nothing is allocated there. Borrows everything.
struct ChildPlan {
  const char* program = nullptr;  ///< path
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* folder = nullptr;  ///< where it runs
  sock_fprog filter{};
  const ResourceLimit* limits = nullptr;
  std::size_t limit_count = 0;
  int namespaces = 0;  ///< CLONE_NEW… flags; with CLONE_NEWUSER the maps below are for it
  const char* user_map = nullptr;
  const char* group_map = nullptr;
  int input = -1;    ///< descriptors of this process: to become 0,
  int output = -1;   ///< 1
  int errors = -1;   ///< and 2,
  int control = -1;  ///< of a pipe whose other end closes when all shall end,
  int report = -1;   ///< and of one that takes a Report for what fails, and closes with exec
};

/// At which step a child failed.
enum class ChildStep : std::uint32_t {
  kDescriptors,
  kNamespaces,
  kFork,
  kFolder,
  kLimits,
  kPrivileges,
  kFilter,
  kExec,
};

struct ChildReport {
  ChildStep step{};
  int error = 0;  ///< errno
};

/// What the child of a fork does, in the process of a keeper: enters the namespaces, starts the tool, and waits until the
/// tool ends or `control` closes. Then it kills whatever is left of what the tool started, also what left its session or lost
/// its parents, waits until that is gone, and ends with the tool's status (128 and the number for a signal).
///
/// Makes async-signal-safe calls only, so that the process that forked may have threads. All signals are blocked.
[[noreturn]] void keep_contained(const ChildPlan& plan) noexcept;

/// pidfd_open(2), which glibc 2.36 declares for C alone. Async-signal-safe. \return a descriptor, or -1
int open_process(pid_t pid) noexcept;

}  // namespace chancery::runtime
