#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include <chancery/bytes.hpp>

namespace chancery::tests {

/// A part of a process's memory.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string name;   ///< file, or "[heap]", "[stack]"; empty for anonymous pages
  std::string flags;  ///< VmFlags of smaps, each between spaces

  /// Locked, and left out of core dumps: what SecretBytes lives in.
  [[nodiscard]] bool is_for_secrets() const {
    return flags.find(" lo ") != std::string::npos && flags.find(" dd ") != std::string::npos;
  }
};

/// Where some octets were found in the memory of a process.
struct Occurrence {
  Mapping mapping;
  std::uintptr_t address = 0;
};

/// Another process's memory as the kernel shows it to root.
class ProcessMemory {
 public:
  explicit ProcessMemory(pid_t pid);
  ~ProcessMemory();
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;

  /// Whether this process may look into that one: false under a strict ptrace scope, or for other users.
  [[nodiscard]] bool is_readable() const;
  /// Everywhere that `wanted` stands in memory that can be read.
  [[nodiscard]] std::vector<Occurrence> find(ByteView wanted) const;

 private:
  [[nodiscard]] std::vector<Mapping> mappings() const;
  [[nodiscard]] Bytes read(const Mapping& mapping) const;

  const pid_t pid_;
  const int memory_;
};

/// A process and all that it has started which still run, itself first.
[[nodiscard]] std::vector<pid_t> with_descendants(pid_t pid);

}  // namespace chancery::tests
