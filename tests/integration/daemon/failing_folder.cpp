#include "tests/integration/daemon/failing_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chancery/result.hpp>

namespace chancery::tests {
namespace {

constexpr std::uint32_t kMostWritten = 1U << 17;

template <typename T>
std::string octets_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// An answer: an errno, or octets.
struct Answer {
  int error = 0;
  std::string body{};
  bool is_none = false;  ///< nothing is sent
};

Answer of_call(bool succeeded) { return {succeeded ? 0 : errno}; }

template <typename T>
Answer of_value(const T& value) {
  return {0, octets_of(value)};
}

/// A request of the kernel's. What it holds is read in order.
struct Request {
  fuse_in_header head{};
  std::string_view body;

  template <typename T>
  T take() {
    T value{};
    std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
    body.remove_prefix(std::min(sizeof value, body.size()));
    return value;
  }
  std::string take_name() {
    std::string name(body.substr(0, body.find('\0')));
    body.remove_prefix(std::min(name.size() + 1, body.size()));
    return name;
  }
};

fuse_attr attributes(const struct stat& status) {
  fuse_attr out{};
  out.ino = status.st_ino;
  out.size = static_cast<std::uint64_t>(status.st_size);
  out.blocks = static_cast<std::uint64_t>(status.st_blocks);
  out.atime = static_cast<std::uint64_t>(status.st_atim.tv_sec);
  out.mtime = static_cast<std::uint64_t>(status.st_mtim.tv_sec);
  out.ctime = static_cast<std::uint64_t>(status.st_ctim.tv_sec);
  out.mode = status.st_mode;
  out.nlink = static_cast<std::uint32_t>(status.st_nlink);
  out.uid = status.st_uid;
  out.gid = status.st_gid;
  out.blksize = static_cast<std::uint32_t>(status.st_blksize);
  return out;
}

/// The files of one folder, as FUSE asks for them. Nothing is remembered by the kernel (times of zero), so that each look
/// comes here.
class Files {
 public:
  Files(std::string root, const std::atomic<FolderFault>& fault) : fault_(fault) {
    paths_[FUSE_ROOT_ID] = std::move(root);
  }

  Answer answer(Request& request) {
    if (changes(request) && fault_ == FolderFault::kReadOnly) return {EROFS};
    switch (request.head.opcode) {
      case FUSE_INIT:
        return init();
      case FUSE_LOOKUP:
        return entry(below(request.head.nodeid, request.take_name()));
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return {.is_none = true};
      case FUSE_GETATTR:
        return status_of(paths_[request.head.nodeid]);
      case FUSE_SETATTR:
        return change(paths_[request.head.nodeid], request.take<fuse_setattr_in>());
      case FUSE_OPEN:
        return open(paths_[request.head.nodeid], request.take<fuse_open_in>().flags);
      case FUSE_CREATE:
        return create(request);
      case FUSE_READ:
        return read(request.take<fuse_read_in>());
      case FUSE_WRITE:
        return write(request);
      case FUSE_FSYNC:
        return sync(request.take<fuse_fsync_in>());
      case FUSE_RELEASE:
        return of_call(::close(static_cast<int>(request.take<fuse_release_in>().fh)) == 0);
      case FUSE_MKDIR:
        return make_folder(request);
      case FUSE_UNLINK:
      case FUSE_RMDIR:
        return remove(below(request.head.nodeid, request.take_name()));
      case FUSE_RENAME2: {
        const auto to = request.take<fuse_rename2_in>();
        return rename(request, to.newdir);
      }
      case FUSE_RENAME:
        return rename(request, request.take<fuse_rename_in>().newdir);
      case FUSE_READDIR:
        return list(paths_[request.head.nodeid], request.take<fuse_read_in>());
      case FUSE_STATFS:
        return statfs();
      case FUSE_FLUSH:
      case FUSE_OPENDIR:
      case FUSE_RELEASEDIR:
      case FUSE_FSYNCDIR:
        return request.head.opcode == FUSE_OPENDIR ? of_value(fuse_open_out{}) : Answer{};
      default:
        return {ENOSYS};
    }
  }

 private:
  // What is mapped is written when the kernel wants to, and to nobody's knowledge.
  static bool changes(const Request& request) {
    Request copy = request;
    switch (request.head.opcode) {
      case FUSE_WRITE:
        return (copy.take<fuse_write_in>().write_flags & FUSE_WRITE_CACHE) == 0;
      case FUSE_OPEN:
        return (copy.take<fuse_open_in>().flags & O_ACCMODE) != O_RDONLY;
      case FUSE_SETATTR:
      case FUSE_CREATE:
      case FUSE_MKDIR:
      case FUSE_UNLINK:
      case FUSE_RMDIR:
      case FUSE_RENAME:
      case FUSE_RENAME2:
        return true;
      default:
        return false;
    }
  }

  std::string below(std::uint64_t folder, const std::string& name) { return paths_[folder] + "/" + name; }

  static Answer init() {
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.flags = FUSE_BIG_WRITES;
    out.max_write = kMostWritten;
    out.max_background = 16;
    out.congestion_threshold = 12;
    out.time_gran = 1;
    return of_value(out);
  }

  std::uint64_t node_of(const std::string& path) {
    const auto known = nodes_.find(path);
    if (known != nodes_.end()) return known->second;
    paths_[++last_node_] = path;
    return nodes_[path] = last_node_;
  }

  Result<fuse_entry_out, int> entry_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return errno;
    fuse_entry_out out{};
    out.nodeid = node_of(path);
    out.attr = attributes(status);
    return out;
  }
  Answer entry(const std::string& path) {
    const auto found = entry_of(path);
    return found ? of_value(*found) : Answer{found.error()};
  }

  static Answer status_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return {errno};
    fuse_attr_out out{};
    out.attr = attributes(status);
    return of_value(out);
  }

  static Answer change(const std::string& path, const fuse_setattr_in& wanted) {
    if ((wanted.valid & FATTR_SIZE) != 0 && ::truncate(path.c_str(), static_cast<off_t>(wanted.size)) != 0)
      return {errno};
    if ((wanted.valid & FATTR_MODE) != 0 && ::chmod(path.c_str(), wanted.mode & 07777) != 0) return {errno};
    return status_of(path);
  }

  static Answer open(const std::string& path, std::uint32_t flags) {
    const int file = ::open(path.c_str(), (static_cast<int>(flags) & O_ACCMODE) | O_CLOEXEC);
    if (file < 0) return {errno};
    fuse_open_out out{};
    out.fh = static_cast<std::uint64_t>(file);
    return of_value(out);
  }

  Answer create(Request& request) {
    const auto wanted = request.take<fuse_create_in>();
    const std::string path = below(request.head.nodeid, request.take_name());
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, wanted.mode & 07777);
    if (file < 0) return {errno};
    const auto made = entry_of(path);
    if (!made) return {made.error()};
    fuse_open_out opened{};
    opened.fh = static_cast<std::uint64_t>(file);
    return {0, octets_of(*made) + octets_of(opened)};
  }

  static Answer read(const fuse_read_in& wanted) {
    std::string octets(wanted.size, '\0');
    const ssize_t size =
        ::pread(static_cast<int>(wanted.fh), octets.data(), octets.size(), static_cast<off_t>(wanted.offset));
    if (size < 0) return {errno};
    octets.resize(static_cast<std::size_t>(size));
    return {0, std::move(octets)};
  }

  static Answer write(Request& request) {
    const auto wanted = request.take<fuse_write_in>();
    const ssize_t size = ::pwrite(static_cast<int>(wanted.fh), request.body.data(), wanted.size,
                                  static_cast<off_t>(wanted.offset));
    if (size < 0) return {errno};
    fuse_write_out out{};
    out.size = static_cast<std::uint32_t>(size);
    return of_value(out);
  }

  Answer sync(const fuse_fsync_in& wanted) const {
    if (fault_ == FolderFault::kSyncFails) return {EIO};
    return of_call(::fsync(static_cast<int>(wanted.fh)) == 0);
  }

  Answer make_folder(Request& request) {
    const auto wanted = request.take<fuse_mkdir_in>();
    const std::string path = below(request.head.nodeid, request.take_name());
    if (::mkdir(path.c_str(), wanted.mode & 07777) != 0) return {errno};
    return entry(path);
  }

  // Another file under the name is another node: the kernel may still have the former one open.
  Answer remove(const std::string& path) {
    if (::remove(path.c_str()) != 0) return {errno};
    nodes_.erase(path);
    return {};
  }

  Answer rename(Request& request, std::uint64_t new_folder) {
    const std::string from = below(request.head.nodeid, request.take_name());
    const std::string to = below(new_folder, request.take_name());
    if (::rename(from.c_str(), to.c_str()) != 0) return {errno};
    const std::uint64_t node = node_of(from);
    nodes_.erase(from);
    nodes_[to] = node;
    paths_[node] = to;
    return {};
  }

  static Answer list(const std::string& path, const fuse_read_in& wanted) {
    std::string out;
    std::uint64_t place = 0;
    std::error_code failure;
    for (const auto& found : std::filesystem::directory_iterator(path, failure)) {
      if (++place <= wanted.offset) continue;
      const std::string name = found.path().filename().string();
      fuse_dirent entry{};
      entry.ino = place;
      entry.off = place;
      entry.namelen = static_cast<std::uint32_t>(name.size());
      std::string octets(reinterpret_cast<const char*>(&entry), FUSE_NAME_OFFSET);
      octets += name;
      octets.resize(FUSE_DIRENT_ALIGN(octets.size()));
      if (out.size() + octets.size() > wanted.size) break;
      out += octets;
    }
    return failure ? Answer{failure.value()} : Answer{0, std::move(out)};
  }

  Answer statfs() {
    struct statvfs status {};
    if (::statvfs(paths_[FUSE_ROOT_ID].c_str(), &status) != 0) return {errno};
    fuse_statfs_out out{};
    out.st.blocks = status.f_blocks;
    out.st.bfree = status.f_bfree;
    out.st.bavail = status.f_bavail;
    out.st.bsize = static_cast<std::uint32_t>(status.f_bsize);
    out.st.frsize = static_cast<std::uint32_t>(status.f_frsize);
    out.st.namelen = 255;
    return of_value(out);
  }

  const std::atomic<FolderFault>& fault_;
  std::map<std::uint64_t, std::string> paths_;
  std::map<std::string, std::uint64_t> nodes_;
  std::uint64_t last_node_ = FUSE_ROOT_ID;
};

void send(int device, const Request& request, const Answer& answer) {
  if (answer.is_none) return;
  fuse_out_header head{};
  head.unique = request.head.unique;
  head.error = -answer.error;
  const std::string body = answer.error == 0 ? answer.body : std::string();
  head.len = static_cast<std::uint32_t>(sizeof head + body.size());
  const std::string octets = octets_of(head) + body;
  // Of a request that was given up nobody wants the answer.
  (void)!::write(device, octets.data(), octets.size());
}

}  // namespace

FailingFolder::FailingFolder(const std::filesystem::path& folder, const std::filesystem::path& backing)
    : folder_(folder), device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  BOOST_REQUIRE_MESSAGE(device_, "/dev/fuse: " << std::strerror(errno));
  BOOST_REQUIRE(stop_);
  for (const auto& made : {folder_, backing}) {
    std::filesystem::create_directory(made);
    std::filesystem::permissions(made, std::filesystem::perms::owner_all);
  }
  const std::string options = "fd=" + std::to_string(device_.get()) +
                              ",rootmode=40700,user_id=" + std::to_string(::geteuid()) +
                              ",group_id=" + std::to_string(::getegid()) + ",default_permissions";
  BOOST_REQUIRE_MESSAGE(
      ::mount("failing", folder_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0,
      std::strerror(errno));
  server_ = std::thread([this, backing] { serve(backing); });
}

FailingFolder::~FailingFolder() {
  ::umount2(folder_.c_str(), MNT_DETACH);
  ::eventfd_write(stop_.get(), 1);
  server_.join();
}

void FailingFolder::serve(const std::filesystem::path& backing) {
  Files files(backing.string(), fault_);
  std::vector<char> buffer(kMostWritten + (1U << 13));
  for (;;) {
    std::array<pollfd, 2> waited{pollfd{device_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno == EINTR) continue;
    if (waited[1].revents != 0) return;
    const ssize_t size = ::read(device_.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
    if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
    Request request;
    request.body = {buffer.data(), static_cast<std::size_t>(size)};
    request.head = request.take<fuse_in_header>();
    send(device_.get(), request, files.answer(request));
  }
}

}  // namespace chancery::tests
