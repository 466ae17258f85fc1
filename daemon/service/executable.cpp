#include "daemon/service/executable.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/proc_stat.hpp"
#include "sdk/crypto/sha256_stream.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

std::uint64_t start_time_in(const Descriptor& process) {
  const Descriptor file(::openat(process.get(), "stat", O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text;
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return size > 0 ? start_time_of({text.data(), static_cast<std::size_t>(size)}) : 0;
}

// A file may grow while it is read, so that its size is no bound.
std::optional<Sha256Digest> digest_of(const Descriptor& file, std::uint64_t max_size) {
  Sha256Stream stream;
  std::vector<std::uint8_t> piece(kPiece);
  for (std::uint64_t total = 0; total <= max_size;) {
    const ssize_t size = ::read(file.get(), piece.data(), piece.size());
    if (size == 0) return stream.finish();
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    stream.add(ByteView(piece.data(), static_cast<std::size_t>(size)));
    total += static_cast<std::uint64_t>(size);
  }
  return std::nullopt;
}

}  // namespace

std::string executable_digest(std::int32_t pid, std::uint64_t start_time, std::uint64_t max_size) {
  const std::string path = "/proc/" + std::to_string(pid);
  // This folder stays that of the process that had the number now, and is empty after its end.
  const Descriptor process(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process || start_time == 0 || start_time_in(process) != start_time) return {};
  const Descriptor file(::openat(process.get(), "exe", O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) > max_size)
    return {};
  const auto digest = digest_of(file, max_size);
  return digest ? hex_encode(*digest) : std::string();
}

}  // namespace chancery::service
