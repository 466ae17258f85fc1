#include "daemon/service/process.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/proc_stat.hpp"
#include "sdk/base/secret_memory.hpp"

namespace chancery::service {
namespace {

using hsm::Fact;
using enum Fact::Severity;

std::string mode_text(mode_t mode) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777);
  return text.data();
}

std::string size_text(std::uint64_t octets) { return std::to_string(octets / 1024) + " KiB"; }

// A folder may be reached through a link, as systemd makes one for DynamicUser; a secret that is a link is one
// that its owner can exchange.
bool look_at(const std::string& path, struct stat& status) {
  if (::lstat(path.c_str(), &status) != 0) return false;
  struct stat target {};
  const bool leads_to_folder =
      S_ISLNK(status.st_mode) && ::stat(path.c_str(), &target) == 0 && S_ISDIR(target.st_mode);
  if (leads_to_folder) status = target;
  return true;
}

Fact file_fact(const WatchedFile& file) {
  const std::string path = file.path.string();
  struct stat status {};
  if (!look_at(path, status)) {
    const bool is_fine = errno == ENOENT && file.may_be_missing;
    if (is_fine) return {file.name, path + " is not there: given as a credential"};
    return {file.name, path + ": " + std::strerror(errno), kBad,
            "give the daemon's user access to it, and look at the configuration"};
  }
  const std::string value =
      path + " has mode " + mode_text(status.st_mode) + ", owner " + std::to_string(status.st_uid);
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return {file.name, value, kBad, "give it to the daemon's user: its owner can change it at will"};
  }
  if ((status.st_mode & file.forbidden) == 0) return {file.name, value};
  return {file.name, value, file.severity, file.advice};
}

Fact memory_fact() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string allowed =
      limit.rlim_cur == RLIM_INFINITY ? "no limit" : "limit " + size_text(limit.rlim_cur);
  const SecretMemory::State state = secret_memory().state();
  const std::string value = size_text(state.size - state.unlocked) + " of " + size_text(state.size) +
                            " for secrets locked, " + allowed;
  if (state.unlocked == 0) return {"memory locking", value};
  return {"memory locking", value, kWarn,
          "secrets may reach the swap device: set LimitMEMLOCK=8M in the unit, or give CAP_IPC_LOCK"};
}

Fact core_dump_fact() {
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  const bool is_dumpable = ::prctl(PR_GET_DUMPABLE) == 1;
  if (limit.rlim_cur == 0 && !is_dumpable) return {"core dumps", "off, no debugger of the same user"};
  return {
      "core dumps", is_dumpable ? "the process may be dumped and debugged" : "a size limit is left", kBad,
      "set LimitCORE=0 in the unit and restart: the daemon turns them off itself unless it is kept from it"};
}

// Since the kernel's start in ticks, as /proc has it.
Fact uptime_fact() {
  std::ifstream in("/proc/self/stat");
  const std::string stat(std::istreambuf_iterator<char>(in), {});
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto began = static_cast<std::int64_t>(start_time_of(stat)) / ::sysconf(_SC_CLK_TCK);
  return {"uptime", std::to_string(now.tv_sec - began) + " s"};
}

}  // namespace

std::vector<Fact> process_facts(const std::vector<WatchedFile>& files) {
  std::vector<Fact> facts{uptime_fact()};
  for (const WatchedFile& file : files) facts.push_back(file_fact(file));
  facts.push_back(memory_fact());
  facts.push_back(core_dump_fact());
  return facts;
}

}  // namespace chancery::service
