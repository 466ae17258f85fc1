#include "tests/integration/daemon/small_disk.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::tests {
namespace {

void write_line(const char* file, const std::string& line) {
  const Descriptor opened(::open(file, O_WRONLY | O_CLOEXEC));
  BOOST_REQUIRE_MESSAGE(
      opened && ::write(opened.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()),
      file << ": " << std::strerror(errno));
}

// Root needs nothing for it; anybody else becomes root over his own.
void leave_the_others_mounts() {
  if (::unshare(CLONE_NEWNS) == 0) return;
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  BOOST_REQUIRE_MESSAGE(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0,
                        "needs root, or user namespaces: " << std::strerror(errno));
  write_line("/proc/self/setgroups", "deny");
  write_line("/proc/self/uid_map", user);
  write_line("/proc/self/gid_map", group);
}

}  // namespace

void have_own_mounts() {
  leave_the_others_mounts();
  BOOST_REQUIRE(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

SmallDisk::SmallDisk(std::filesystem::path folder, std::uint64_t octets) : folder_(std::move(folder)) {
  std::filesystem::create_directory(folder_);
  const std::string options = "mode=0700,size=" + std::to_string(octets);
  BOOST_REQUIRE_MESSAGE(
      ::mount("tmpfs", folder_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0,
      std::strerror(errno));
}

SmallDisk::~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const {
  const Descriptor file(::open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  BOOST_REQUIRE(file);
  const std::vector<char> block(4096);
  while (::write(file.get(), block.data(), block.size()) > 0) {
  }
  BOOST_REQUIRE(errno == ENOSPC);
}

void SmallDisk::free() const { BOOST_REQUIRE(std::filesystem::remove(ballast())); }

}  // namespace chancery::tests
