#include "hsm/pkcs11/pin.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kLongest = 255;

Error unreadable(const char* what, int native = 0) {
  return Error{ErrorCode::kFileUnreadable, what, static_cast<std::uint64_t>(native)};
}

Result<SecretBytes> read_pin(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return unreadable("the PIN must be in a regular file", errno);
  }
  if ((status.st_mode & 077) != 0) {
    return Error{ErrorCode::kFilePermissions, "the PIN may be read by others: set its file's mode to 0600"};
  }
  SecretBytes read(kLongest + 2);  // a newline, and one octet that shows that there is more
  const ssize_t size = ::read(fd, read.writable().data(), read.size());
  if (size < 0) return unreadable("the PIN cannot be read", errno);
  ByteView pin = read.view().first(static_cast<std::size_t>(size));
  if (!pin.empty() && pin.back() == '\n') pin = pin.first(pin.size() - 1);
  if (pin.empty() || pin.size() > kLongest || std::ranges::find(pin, 0) != pin.end()) {
    return unreadable("the PIN must have 1 to 255 octets, none of them zero");
  }
  return SecretBytes(pin);
}

Result<SecretBytes> read_pin_file(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!opened) return unreadable("the PIN cannot be read: name its file with pin_file", errno);
  return read_pin(opened.get());
}

}  // namespace

Result<SecretBytes> load_pin(std::string_view backend_name, const std::filesystem::path& file) {
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
    const auto credential =
        std::filesystem::path(credentials) / ("chancery.pin." + std::string(backend_name));
    auto pin = read_pin_file(credential);
    const bool is_missing =
        !pin && pin.error().code == ErrorCode::kFileUnreadable && pin.error().native == ENOENT;
    if (!is_missing) return pin;
  }
  return read_pin_file(file);
}

}  // namespace chancery::hsm
