#include "daemon/store/state_space.hpp"

#include <cerrno>

#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/store/sqlite.hpp"

namespace chancery::store {

Result<StateSpace> space_at(const std::filesystem::path& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) {
    return Error{ErrorCode::kStoreUnavailable, "the state folder cannot be reached: check its disk and mount",
                 static_cast<std::uint64_t>(errno)};
  }
  // Some file systems keep a part for root.
  const auto free_blocks = ::geteuid() == 0 ? status.f_bfree : status.f_bavail;
  return StateSpace{std::uint64_t{free_blocks} * status.f_frsize,
                    std::uint64_t{status.f_blocks} * status.f_frsize, (status.f_flag & ST_RDONLY) != 0};
}

Status check_space(const StateSpace& space) {
  if (space.is_read_only) return Error{ErrorCode::kStoreUnavailable, kReadOnlyDisk, EROFS};
  if (space.all_octets > 0 && space.free_octets < kLeastFreeOctets)
    return Error{ErrorCode::kStoreUnavailable, kFullDisk, ENOSPC};
  return {};
}

}  // namespace chancery::store
