#pragma once

#include <filesystem>

#include <chancery/result.hpp>

namespace chancery::store {

/// A file in the state folder by which whoever restores a backup tells the daemon so, since a counter may not: there may be
/// none, or it was restored with the rest. It is removed once the operator has accepted the copy.
class RestoredMark {
 public:
  explicit RestoredMark(const std::filesystem::path& state_folder) : file_(state_folder / "restored") {}

  /// Whether it is there; also when that cannot be told.
  [[nodiscard]] bool is_set() const noexcept;

  /// Removes it for good. \return kStoreUnavailable
  [[nodiscard]] Status remove() const;

 private:
  std::filesystem::path file_;
};

}  // namespace chancery::store
