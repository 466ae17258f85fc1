#include "daemon/store/master_key.hpp"

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

constexpr std::size_t kSize = 32;

// What nobody but the owner may have of STATE/master.key, which is ours alone to write.
constexpr mode_t kForeignToFile = 077;
// systemd owns a credential and lets the service read it through an access control list, whose mask stands
// where the group's bits were: such a file shows as 0440. So the group may read, and only that.
constexpr mode_t kForeignToCredential = 037;

Error failure(ErrorCode code, const char* what) {
  return Error{code, what, static_cast<std::uint64_t>(errno)};
}

Descriptor open_file(const std::filesystem::path& path, int flags) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

Result<SecretBytes> read_secret(const Descriptor& file, mode_t foreign) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    return failure(ErrorCode::kFileUnreadable, "the master secret cannot be examined");
  if ((status.st_mode & foreign) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "the master secret is open to others: set the mode of master.key to 0600, of the credential "
                 "chancery.master to 0440 or less"};
  }
  SecretBytes secret(kSize);
  std::uint8_t beyond = 0;
  if (::read(file.get(), secret.writable().data(), kSize) != static_cast<ssize_t>(kSize) ||
      ::read(file.get(), &beyond, 1) != 0) {
    return Error{ErrorCode::kFileUnreadable,
                 "the master secret must have exactly 32 octets: restore it from a backup"};
  }
  return secret;
}

// Written whole under another name and then renamed, so that a crash leaves either nothing or all of it.
Result<SecretBytes> create_secret(const std::filesystem::path& path) {
  constexpr const char* kWhat = "the master secret cannot be written to the state folder";
  SecretBytes secret(kSize);
  CHANCERY_TRY(random_bytes(secret.writable()));
  const std::filesystem::path draft = path.string() + ".new";
  ::unlink(draft.c_str());
  {
    const Descriptor file = open_file(draft, O_WRONLY | O_CREAT | O_EXCL);
    if (!file || ::write(file.get(), secret.view().data(), kSize) != static_cast<ssize_t>(kSize) ||
        ::fsync(file.get()) != 0) {
      return failure(ErrorCode::kFileUnwritable, kWhat);
    }
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failure(ErrorCode::kFileUnwritable, kWhat);
  const Descriptor folder = open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (!folder || ::fsync(folder.get()) != 0) return failure(ErrorCode::kFileUnwritable, kWhat);
  return secret;
}

// A place that has no such file leaves the choice to the next one. Whatever else keeps a file from being read
// is an error: another secret in its place would lock the daemon out of every key.
Result<std::optional<SecretBytes>> find_secret(const std::filesystem::path& path, mode_t foreign) {
  const Descriptor file = open_file(path, O_RDONLY);
  if (file) {
    CHANCERY_ASSIGN(SecretBytes secret, read_secret(file, foreign));
    return std::optional<SecretBytes>(std::move(secret));
  }
  if (errno == ENOENT) return std::optional<SecretBytes>();
  return failure(ErrorCode::kFileUnreadable,
                 "the master secret cannot be read: look at chancery.master among the credentials, and at "
                 "master.key in the state folder");
}

}  // namespace

Result<SecretBytes> load_master_key(const std::filesystem::path& state_folder, bool may_create) {
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
    const std::filesystem::path path = std::filesystem::path(credentials) / "chancery.master";
    CHANCERY_ASSIGN(std::optional<SecretBytes> credential, find_secret(path, kForeignToCredential));
    if (credential) return *std::move(credential);
  }
  const std::filesystem::path path = state_folder / "master.key";
  CHANCERY_ASSIGN(std::optional<SecretBytes> kept, find_secret(path, kForeignToFile));
  if (kept) return *std::move(kept);
  if (may_create) return create_secret(path);
  return Error{ErrorCode::kFileUnreadable,
               "the master secret is missing, and keys depend on it: restore master.key from a backup"};
}

}  // namespace chancery::store
