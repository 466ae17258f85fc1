#include "tests/integration/daemon/process_memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

namespace chancery::tests {

ProcessMemory::ProcessMemory(pid_t pid)
    : pid_(pid), memory_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) {}

ProcessMemory::~ProcessMemory() {
  if (memory_ >= 0) ::close(memory_);
}

bool ProcessMemory::is_readable() const { return memory_ >= 0 && !mappings().empty(); }

// A mapping's first line is "begin-end rwxp offset device inode name", its last "VmFlags: …".
std::vector<Mapping> ProcessMemory::mappings() const {
  std::ifstream smaps("/proc/" + std::to_string(pid_) + "/smaps");
  std::vector<Mapping> out;
  for (std::string line; std::getline(smaps, line);) {
    if (line.starts_with("VmFlags:")) {
      out.back().flags = line.substr(8) + " ";
      continue;
    }
    Mapping mapping;
    char dash = 0;
    std::string permissions, offset, device, inode;
    std::istringstream fields(line);
    if (!(fields >> std::hex >> mapping.begin >> dash >> mapping.end) || dash != '-') continue;
    fields >> permissions >> offset >> device >> inode >> mapping.name;
    out.push_back(std::move(mapping));
  }
  // The kernel's own pages cannot be read through /proc.
  std::erase_if(out, [](const Mapping& mapping) { return mapping.name.starts_with("[v"); });
  return out;
}

Bytes ProcessMemory::read(const Mapping& mapping) const {
  Bytes octets(mapping.end - mapping.begin);
  const ssize_t got = ::pread(memory_, octets.data(), octets.size(), static_cast<off_t>(mapping.begin));
  octets.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return octets;
}

std::vector<pid_t> with_descendants(pid_t pid) {
  std::vector<pid_t> out{pid};
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) {
      const std::vector<pid_t> family = with_descendants(child);
      out.insert(out.end(), family.begin(), family.end());
    }
  }
  return out;
}

std::vector<Occurrence> ProcessMemory::find(ByteView wanted) const {
  const std::boyer_moore_horspool_searcher searcher(wanted.begin(), wanted.end());
  std::vector<Occurrence> found;
  for (const Mapping& mapping : mappings()) {
    const bool is_readable = mapping.flags.find(" rd ") != std::string::npos;
    if (!is_readable) continue;
    const Bytes octets = read(mapping);
    for (auto at = octets.begin();; ++at) {
      at = std::search(at, octets.end(), searcher);
      if (at == octets.end()) break;
      found.push_back({mapping, mapping.begin + static_cast<std::uintptr_t>(at - octets.begin())});
    }
  }
  return found;
}

}  // namespace chancery::tests
