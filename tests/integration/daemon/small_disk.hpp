#pragma once

#include <cstdint>
#include <filesystem>

namespace chancery::tests {

/// Gives this process mounts of its own, so that nobody else sees what it mounts and all of it goes with the process: as
/// root, or as anybody else in a user namespace in which he is root. A Boost requirement. Before the first thread is made.
void have_own_mounts();

/// A file system of a given size in memory, mounted at a folder of ours. Needs have_own_mounts().
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, std::uint64_t octets);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Takes all that is left, and what somebody else has given back meanwhile.
  void fill() const;
  /// Gives that back.
  void free() const;

 private:
  [[nodiscard]] std::filesystem::path ballast() const { return folder_ / "ballast"; }
  std::filesystem::path folder_;
};

}  // namespace chancery::tests
