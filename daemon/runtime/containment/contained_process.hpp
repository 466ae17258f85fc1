#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/containment/line_channel.hpp"
#include "daemon/runtime/containment/syscall_filter.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::runtime {

/// What a tool's processes may use. Of each process, but for `processes`.
struct ToolLimits {
  std::uint64_t cpu_seconds = 60;
  std::uint64_t memory = 2ull << 30;          ///< octets that are its own to write (RLIMIT_DATA)
  std::uint64_t address_space = 64ull << 30;  ///< octets, unused ones included (RLIMIT_AS)
  std::uint64_t file_size = 64ull << 20;      ///< octets of a file that it writes
  std::uint64_t files = 256;                  ///< open at a time
  std::uint64_t processes = 128;  ///< and threads; without a user namespace all of the runtime's user count
};

/// A variable of a tool's environment that is a secret.
struct SecretVariable {
  std::string name;
  SecretBytes value;
};

/// How a tool is started, as it is declared. No shell reads any of it.
struct ToolCommand {
  std::vector<std::string>
      arguments;  ///< the program first: absolute, or a name that is looked for in kToolPath
  std::vector<std::string> environment{};  ///< `NAME=VALUE`, besides PATH and LANG
  std::vector<SecretVariable> secrets{};   ///< its environment, too
  bool network = false;
  bool namespaces = true;   ///< false: none are tried, and the filter has to do
  bool only_apart = false;  ///< kProcessFailed where there is no user namespace to have others kept out
  ToolLimits limits{};
  LineLimits lines{};
};

/// What keeps a tool apart, as it was applied.
struct Containment {
  bool seccomp = false;            ///< always, or it does not run
  bool user_namespace = false;     ///< other processes of the runtime's user are out of its reach
  bool network_namespace = false;  ///< there is not even a network; never with `network`
  bool pid_namespace = false;      ///< the kernel ends all its processes with it; else its keeper does
};

constexpr std::string_view kToolPath = "/usr/local/bin:/usr/bin:/bin";

/// A tool's process, for one call or one session of calls: it dies with this value, and so does all that it started.
///
/// It runs in a session of its own, in an empty folder (0700) that is removed after it, with no environment but PATH, LANG and
/// what is declared, no descriptors but three pipes, without capabilities and the right to gain any, and under a SyscallFilter
/// that it cannot take off; with namespaces of its own where the kernel grants them, which containment() tells. What the
/// runtime's user may read in the file system, it may read.
///
/// A keeper stands between it and this process: a fork that outlives neither of them and ends what the tool leaves behind, also
/// when this process is killed. (A program of its own instead of a fork would have to be installed and found; the
/// fork is made ready before, and makes async-signal-safe calls only.) Not thread-safe, but may be used by any thread.
class ContainedProcess {
 public:
  using Instant = LineChannel::Instant;

  /// \param filter  for `command.network`
  /// \return kInvalidArgument (arguments or variables with NUL, CR, LF), kProcessFailed with the step that failed (`native` is the
  ///         errno), kFileUnwritable (the folder). Where the filter cannot be applied, nothing runs.
  [[nodiscard]] static Result<ContainedProcess> start(const ToolCommand& command,
                                                      const SyscallFilter& filter);

  ~ContainedProcess() { static_cast<void>(end()); }
  ContainedProcess(ContainedProcess&& other) noexcept;
  ContainedProcess& operator=(ContainedProcess&&) = delete;

  [[nodiscard]] const Containment& containment() const noexcept { return containment_; }
  /// For what the tool is told and says.
  [[nodiscard]] LineChannel& lines() noexcept { return lines_; }

  /// Waits until the tool has ended by itself, and all that it left behind is gone. Its output is not read meanwhile.
  /// \return its status, or 128 and the number of the signal that ended it; kTimeout
  [[nodiscard]] Result<int> wait(Instant deadline);

  /// Kills the tool and all that it started, and returns when they are gone: at once, but for processes that hang in the kernel,
  /// for which it waits five seconds. \return as wait(), mostly 137
  int end() noexcept;

 private:
  ContainedProcess(pid_t keeper, Descriptor control, LineChannel lines, std::filesystem::path folder);

  friend class ProcessStart;

  pid_t keeper_ = -1;
  Descriptor keeper_process_;  // pidfd_open(2)
  Descriptor control_;
  LineChannel lines_;
  std::filesystem::path folder_;
  Containment containment_{};
  int status_ = 0;
};

}  // namespace chancery::runtime
