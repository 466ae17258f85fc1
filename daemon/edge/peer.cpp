#include "daemon/edge/peer.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/base/proc_stat.hpp"

namespace chancery::edge {
namespace {

constexpr std::size_t kMaxGroups = 65536;  // NGROUPS_MAX of Linux

Result<std::vector<std::uint32_t>> peer_groups(int socket) {
  std::vector<std::uint32_t> groups(32);
  for (;;) {
    socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    static_assert(sizeof(gid_t) == sizeof(std::uint32_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE || size / sizeof(gid_t) > kMaxGroups) {
      return Error{ErrorCode::kUnauthenticated, "the kernel does not tell the peer's groups",
                   static_cast<std::uint64_t>(errno)};
    }
    groups.resize(size / sizeof(gid_t));
  }
}

// A small file of /proc in one read; empty when it cannot be read. Longer ones lose their end.
std::string read_file(int folder, const char* name) {
  const Descriptor file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> text;
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string read_link(int folder, const char* name) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(folder, name, text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

Result<PeerProcess> PeerProcess::of(int socket) {
  ucred kernel{};
  socklen_t size = sizeof kernel;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &kernel, &size) != 0) {
    return Error{ErrorCode::kUnauthenticated, "the kernel does not tell who the peer is",
                 static_cast<std::uint64_t>(errno)};
  }
  rest::PeerCredentials credentials;
  credentials.uid = kernel.uid;
  credentials.gid = kernel.gid;
  credentials.pid = kernel.pid;
  CHANCERY_ASSIGN(credentials.groups, peer_groups(socket));

  const std::string path = "/proc/" + std::to_string(kernel.pid);
  Descriptor folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder) credentials.start_time = start_time_of(read_file(folder.get(), "stat"));
  return PeerProcess(std::move(credentials), std::move(folder));
}

rest::PeerCredentials PeerProcess::look() const {
  rest::PeerCredentials seen = credentials_;
  seen.unit = systemd_unit(read_file(folder_.get(), "cgroup"));
  seen.executable = read_link(folder_.get(), "exe");
  return seen;
}

std::string systemd_unit(std::string_view cgroup) {
  std::string_view path;
  while (!cgroup.empty()) {
    const std::string_view line = cgroup.substr(0, cgroup.find('\n'));
    cgroup.remove_prefix(std::min(line.size() + 1, cgroup.size()));
    constexpr std::string_view kLegacy = ":name=systemd:";
    constexpr std::string_view kUnified = "0::";
    if (const std::size_t at = line.find(kLegacy); at != std::string_view::npos && line.find(':') == at) {
      path = line.substr(at + kLegacy.size());  // where it exists, systemd keeps its own hierarchy there
      break;
    }
    if (line.starts_with(kUnified)) path = line.substr(kUnified.size());
  }
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part.ends_with(".slice")) continue;
    if (part.starts_with('_'))
      part.remove_prefix(1);  // systemd's escape of names that the kernel could claim
    return part.ends_with(".service") || part.ends_with(".scope") ? std::string(part) : std::string();
  }
  return {};
}

}  // namespace chancery::edge
