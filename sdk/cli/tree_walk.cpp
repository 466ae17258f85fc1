#include "sdk/cli/tree_walk.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::cli {
namespace {

namespace fs = std::filesystem;

bool matches(const std::vector<std::string>& patterns, const fs::path& path) {
  const std::string name = path.filename().string();
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
           ::fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
  });
}

bool read_all(int number, std::string& text) {
  for (std::size_t filled = 0;;) {
    if (filled == text.size()) text.resize(filled + 64 * 1024);
    const ssize_t got = ::read(number, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      text.resize(filled);
      return got == 0;
    }
    filled += static_cast<std::size_t>(got);
  }
}

/// One walk.
class Walk {
 public:
  Walk(const fs::path& root, const TreeWalkOptions& options, const TreeVisitor& visitor)
      : root_(root), options_(options), visitor_(visitor) {}

  void run();

 private:
  void read_file(const fs::path& path, int flags);
  void open_folder(const fs::path& folder);
  [[nodiscard]] bool is_left_out(const fs::path& path) const;

  const fs::path& root_;
  const TreeWalkOptions& options_;
  const TreeVisitor& visitor_;
  std::vector<fs::path> waiting_;  // the next one at the end
};

void Walk::run() {
  std::error_code error;
  const fs::file_status status = fs::status(root_, error);
  if (error || status.type() == fs::file_type::not_found) {
    visitor_.unreadable(root_, error ? error.value() : ENOENT);
    return;
  }
  if (!fs::is_directory(status)) {
    read_file(root_, 0);
    return;
  }
  open_folder(root_);
  while (!waiting_.empty()) {
    const fs::path path = std::move(waiting_.back());
    waiting_.pop_back();
    const fs::file_status entry = fs::symlink_status(path, error);
    if (error) {
      visitor_.unreadable(path, error.value());
    } else if (fs::is_directory(entry)) {
      open_folder(path);
    } else if (fs::is_regular_file(entry)) {
      read_file(path, O_NOFOLLOW);
    }
  }
}

bool Walk::is_left_out(const fs::path& path) const {
  if (!options_.git_dir && path.filename() == ".git") return true;
  return matches(options_.exclude, path.lexically_relative(root_));
}

void Walk::open_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error))
    entries.push_back(entry->path());
  if (error) visitor_.unreadable(folder, error.value());
  std::ranges::sort(entries, std::greater<>());
  for (fs::path& path : entries) {
    if (!is_left_out(path)) waiting_.push_back(std::move(path));
  }
}

// Without waiting: what was a file when the folder was read may be a pipe by now.
void Walk::read_file(const fs::path& path, int flags) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return visitor_.unreadable(path, errno);
  if (!S_ISREG(status.st_mode)) return;
  if (static_cast<std::uintmax_t>(status.st_size) > options_.max_size) return visitor_.too_large(path);
  std::string text(static_cast<std::size_t>(status.st_size) + 1, '\0');
  if (!read_all(file.get(), text)) return visitor_.unreadable(path, errno);
  visitor_.file(path, text);
}

}  // namespace

void walk_tree(const fs::path& root, const TreeWalkOptions& options, const TreeVisitor& visitor) {
  Walk(root, options, visitor).run();
}

}  // namespace chancery::cli
