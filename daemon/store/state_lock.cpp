#include "daemon/store/state_lock.hpp"

#include <cerrno>
#include <charconv>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace chancery::store {
namespace {

std::uint64_t holder_of(int descriptor) {
  char text[24];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  std::uint64_t pid = 0;
  if (size > 0) std::from_chars(text, text + size, pid);
  return pid;
}

bool write_holder(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<StateLock> StateLock::acquire(const std::filesystem::path& state_folder) {
  const std::filesystem::path path = state_folder / "chanceryd.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return Error{ErrorCode::kStoreUnavailable,
                 "cannot open chanceryd.lock in the state folder: make the folder writable for the daemon",
                 static_cast<std::uint64_t>(errno)};
  }
  StateLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::kStoreLocked,
                   "another daemon uses this state folder: stop it, or give this one a folder of its own",
                   holder_of(descriptor)};
    }
    return Error{ErrorCode::kStoreUnavailable,
                 "cannot lock the state folder: use a local file system that supports flock",
                 static_cast<std::uint64_t>(errno)};
  }
  if (!write_holder(descriptor)) {
    return Error{ErrorCode::kStoreUnavailable,
                 "cannot write chanceryd.lock: free some space in the state folder's file system",
                 static_cast<std::uint64_t>(errno)};
  }
  return lock;
}

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace chancery::store
