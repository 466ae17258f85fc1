#include "daemon/store/restored_mark.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::store {

bool RestoredMark::is_set() const noexcept {
  struct stat status {};
  return ::lstat(file_.c_str(), &status) == 0 || errno != ENOENT;
}

Status RestoredMark::remove() const {
  const Descriptor folder(::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool is_gone = ::unlink(file_.c_str()) == 0 || errno == ENOENT;
  if (is_gone && folder && ::fsync(folder.get()) == 0) return {};
  return Error{
      ErrorCode::kStoreUnavailable,
      "cannot remove the file `restored` from the state folder: make the folder writable for the daemon, "
      "and accept again",
      static_cast<std::uint64_t>(errno)};
}

}  // namespace chancery::store
