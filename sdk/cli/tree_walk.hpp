#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace chancery::cli {

/// What of a tree is walked through.
struct TreeWalkOptions {
  std::vector<std::string>
      exclude{};                ///< patterns of shells, for a name or for a path from the tree's root on
  bool git_dir = false;         ///< folders `.git` too
  std::uintmax_t max_size = 0;  ///< octets of a file
};

/// A file on the way, or what became of it instead.
struct TreeVisitor {
  std::function<void(const std::filesystem::path& path, const std::string& text)> file;
  std::function<void(const std::filesystem::path& path)> too_large;
  std::function<void(const std::filesystem::path& path, int error)> unreadable;  ///< errno
};

/// Reads every regular file at or below `root`, in the order of names. Symbolic links are not followed, but for `root`
/// itself; sockets, pipes and devices are passed over.
void walk_tree(const std::filesystem::path& root, const TreeWalkOptions& options, const TreeVisitor& visitor);

}  // namespace chancery::cli
