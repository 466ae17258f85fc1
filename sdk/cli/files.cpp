#include "sdk/cli/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::cli {
namespace {

Failure unreadable(const std::string& path) {
  return failure({ErrorCode::kFileUnreadable, "cannot be read", static_cast<std::uint64_t>(errno)}, path);
}

Failure unwritable(const std::filesystem::path& path) {
  return failure({ErrorCode::kFileUnwritable, "cannot be written", static_cast<std::uint64_t>(errno)},
                 path.string());
}

Checked<std::string> read_all(int number, const std::string& name, std::size_t limit) {
  std::string text;
  constexpr std::size_t kStep = 256 * 1024;
  for (;;) {
    const std::size_t filled = text.size();
    text.resize(filled + kStep);
    const ssize_t got = ::read(number, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) {
      text.resize(filled);
      continue;
    }
    if (got < 0) return unreadable(name);
    text.resize(filled + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > limit)
      return failure({ErrorCode::kTooLarge, "is too large for what it should hold"}, name);
  }
}

Checked<std::string> read_standard_input(std::size_t limit) {
  // What it holds was said once: a second reader would be given nothing, and take that for the answer.
  static bool taken = false;
  if (std::exchange(taken, true))
    return misuse("only one argument may be -: standard input can be read once");
  return read_all(STDIN_FILENO, "standard input", limit);
}

// What others than its owner may read is no secret.
Checked<Descriptor> open_secret(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return unreadable(path);
  if ((status.st_mode & 077) == 0) return file;
  return failure({ErrorCode::kFilePermissions,
                  "others may read it: give it mode 0600, and have a new one made if they may have"},
                 path);
}

// The mode less what the user's mask forbids.
mode_t masked(unsigned mode) {
  const mode_t mask = ::umask(077);
  ::umask(mask);
  return static_cast<mode_t>(mode) & ~mask;
}

bool write_all(int number, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(number, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// The text, on disk in a new file beside `path`, whose name is returned.
Checked<std::string> write_beside(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return unwritable(path);
  const bool written =
      ::fchmod(file.get(), masked(mode)) == 0 && write_all(file.get(), text) && ::fsync(file.get()) == 0;
  if (written) return temporary;
  const Failure why = unwritable(path);
  ::unlink(temporary.c_str());
  return why;
}

// An unset variable and an empty one mean the same (XDG Base Directory Specification); so does a relative
// path.
std::string absolute_path(const client::Environment& environment, const char* name) {
  const char* value = environment(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

std::string home_folder(const client::Environment& environment) {
  if (std::string home = absolute_path(environment, "HOME"); !home.empty()) return home;
  const passwd* user = ::getpwuid(::geteuid());
  return user == nullptr || user->pw_dir == nullptr ? "" : user->pw_dir;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Checked<std::string> read_input(const std::string& path, std::size_t limit) {
  if (path == "-") return read_standard_input(limit);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return unreadable(path);
  return read_all(file.get(), path, limit);
}

Checked<std::string> read_secret(const std::string& path, std::size_t limit) {
  if (path == "-") {
    CHANCERY_ASSIGN(const std::string text, read_standard_input(limit));
    return std::string(trimmed(text));
  }
  CHANCERY_ASSIGN(const Descriptor file, open_secret(path));
  CHANCERY_ASSIGN(const std::string text, read_all(file.get(), path, limit));
  return std::string(trimmed(text));
}

Checked<SecretBytes> read_key_file(const std::string& path, std::size_t limit) {
  CHANCERY_ASSIGN(const Descriptor file, open_secret(path));
  SecretBytes text(limit + 1);
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(file.get(), text.writable().data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path);
    if (got == 0) return SecretBytes(text.view().first(filled));
    filled += static_cast<std::size_t>(got);
  }
  return failure({ErrorCode::kTooLarge, "is too large for what it should hold"}, path);
}

bool is_input(const std::string& path) { return path == "-" || ::access(path.c_str(), F_OK) == 0; }

Checked<std::filesystem::path> config_folder(const client::Environment& environment) {
  std::filesystem::path base = absolute_path(environment, "XDG_CONFIG_HOME");
  if (base.empty()) {
    const std::string home = home_folder(environment);
    if (home.empty()) return misuse("no home folder: set XDG_CONFIG_HOME or HOME");
    base = std::filesystem::path(home) / ".config";
  }
  return base / "chancery";
}

Checked<void> make_private_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder.parent_path(), code);
  const bool made = !code && std::filesystem::create_directory(folder, code);
  if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, code);
  if (!code) return {};
  return failure(
      {ErrorCode::kFileUnwritable, "the folder cannot be made", static_cast<std::uint64_t>(code.value())},
      folder.string());
}

Checked<void> replace_file(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  CHANCERY_ASSIGN(const std::string temporary, write_beside(path, text, mode));
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const Failure why = unwritable(path);
  ::unlink(temporary.c_str());
  return why;
}

// By a link, which never takes the place of a file, as a rename does.
Checked<void> create_file(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  CHANCERY_ASSIGN(const std::string temporary, write_beside(path, text, mode));
  const int fault = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (fault == 0) return {};
  if (fault == EEXIST)
    return failure({ErrorCode::kConflict, "there is such a file already: use it, or name another"},
                   path.string());
  errno = fault;
  return unwritable(path);
}

}  // namespace chancery::cli
