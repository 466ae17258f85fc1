#pragma once

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/runtime/containment/contained_process.hpp"
#include "sdk/base/descriptor.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::testing {

/// Far enough away for machines that are busy.
[[nodiscard]] inline std::chrono::steady_clock::time_point in_a_minute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes{1};
}

/// A tool that is a Python script of the test's, with a folder of the test's beside it.
class ScriptedTool {
 public:
  explicit ScriptedTool(const std::string& source) {
    std::ofstream(script()) << "import errno, fcntl, os, resource, signal, socket, sys, time\n"
                               "def say(*words): print(*words, flush=True)\n"
                            << source;
  }

  [[nodiscard]] std::string script() const { return (folder_.path() / "tool.py").string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  /// \param words  what the script has as sys.argv[1] and on
  [[nodiscard]] runtime::ToolCommand command(const std::vector<std::string>& words = {}) const {
    runtime::ToolCommand command;
    command.arguments = {"/usr/bin/python3", "-I", script()};
    command.arguments.insert(command.arguments.end(), words.begin(), words.end());
    return command;
  }

  /// Whether some process holds the lock on a file of the folder.
  [[nodiscard]] bool is_locked(const std::string& name) const {
    const Descriptor held(::open(file(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return ::flock(held.get(), LOCK_EX | LOCK_NB) != 0;
  }

 private:
  TemporaryFolder folder_;
};

/// With the filter that belongs to the command.
[[nodiscard]] inline Result<runtime::ContainedProcess> start(const runtime::ToolCommand& command) {
  CHANCERY_ASSIGN(const auto filter, runtime::SyscallFilter::make(command.network));
  return runtime::ContainedProcess::start(command, filter);
}

/// Why nothing was started; empty when something was.
[[nodiscard]] inline const char* why_not(const Result<runtime::ContainedProcess>& process) {
  return process ? "" : process.error().what;
}

/// All lines that a tool says until it ends.
[[nodiscard]] inline std::vector<std::string> all_lines(runtime::ContainedProcess& process) {
  std::vector<std::string> lines;
  for (;;) {
    auto line = process.lines().read_line(in_a_minute());
    if (!line) return lines;
    lines.push_back(*std::move(line));
  }
}

/// What a tool says in one line, or nothing.
[[nodiscard]] inline std::string one_line(runtime::ContainedProcess& process) {
  return process.lines().read_line(in_a_minute()).value_or("");
}

}  // namespace chancery::testing
