#pragma once

#include <cstdint>
#include <filesystem>

#include <chancery/result.hpp>

namespace chancery::store {

/// What the file system of a state folder says of itself.
struct StateSpace {
  std::uint64_t free_octets = 0;  ///< that this process may still take
  std::uint64_t all_octets = 0;   ///< 0: it does not tell
  bool is_read_only = false;
};

/// With less than this the folder counts as full: a handful of requests would fill the rest.
inline constexpr std::uint64_t kLeastFreeOctets = std::uint64_t{1} << 20;

/// Asks the kernel and not the disk. kStoreUnavailable when the folder cannot be reached.
[[nodiscard]] Result<StateSpace> space_at(const std::filesystem::path& folder);

/// Whether there is room to write at all. \return kStoreUnavailable, with what to do
[[nodiscard]] Status check_space(const StateSpace& space);

}  // namespace chancery::store
