#include "simulators/swtpm/swtpm.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

namespace chancery::simulators {
namespace {

using std::filesystem::path;
using namespace std::chrono_literals;

constexpr Error kNotStarted{ErrorCode::kProcessFailed,
                            "swtpm did not start: install the Debian packages swtpm and swtpm-tools"};

// Starts a program with its output discarded. The child dies with this thread.
Result<pid_t> spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return Error{ErrorCode::kProcessFailed, "no process could be started", static_cast<std::uint64_t>(errno)};
  if (pid > 0) return pid;
  // Only async-signal-safe calls from here to exec.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  close_range(3, ~0U, 0);
  umask(077);
  execvp(argv.front(), argv.data());
  _exit(127);
}

Status run(const std::vector<std::string>& arguments) {
  CHANCERY_ASSIGN(const pid_t pid, spawn(arguments));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  Error error = kNotStarted;
  error.native = static_cast<std::uint64_t>(status);
  return error;
}

bool accepts_connections(const path& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

bool write_text(const path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

Result<path> make_temporary_folder() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "swtpm-XXXXXX").string();
  if (failure || mkdtemp(name.data()) == nullptr) {
    return Error{ErrorCode::kFileUnwritable, "no temporary folder could be made: check $TMPDIR", static_cast<std::uint64_t>(errno)};
  }
  return path(name);
}

}  // namespace

Result<Swtpm> Swtpm::start(const SwtpmOptions& options) {
  Swtpm tpm;
  CHANCERY_TRY(tpm.prepare(options));
  if (options.certificates) CHANCERY_TRY(tpm.manufacture());
  CHANCERY_TRY(tpm.restart());
  return tpm;
}

Status Swtpm::prepare(const SwtpmOptions& options) {
  std::error_code failure;
  if (options.folder.empty()) {
    CHANCERY_ASSIGN(folder_, make_temporary_folder());
    owns_folder_ = true;
  } else {
    folder_ = options.folder;
    owns_folder_ = !std::filesystem::exists(folder_, failure);
  }
  if (socket().string().size() + 6 > sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::kInvalidArgument, "the folder's path is too long for a Unix socket: choose a shorter one"};
  }
  std::filesystem::create_directories(folder_ / "state", failure);
  if (failure) return Error{ErrorCode::kFileUnwritable, "the simulator's folder cannot be made", static_cast<std::uint64_t>(failure.value())};
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, failure);
  return {};
}

// swtpm_localca plays the vendor: a private CA signs the endorsement key's certificate.
Status Swtpm::manufacture() const {
  const path ca = folder_ / "ca";
  const path certificates = folder_ / "certs";
  std::error_code failure;
  std::filesystem::create_directories(ca, failure);
  std::filesystem::create_directories(certificates, failure);
  const std::string at = ca.string();
  const bool written =
      write_text(ca / "swtpm-localca.conf", "statedir = " + at + "\nsigningkey = " + at + "/signkey.pem\nissuercert = " +
                                                at + "/issuercert.pem\ncertserial = " + at + "/certserial\n") &&
      write_text(ca / "swtpm-localca.options",
                 "--platform-manufacturer Chancery\n--platform-version 2.1\n--platform-model Simulator\n") &&
      write_text(ca / "swtpm_setup.conf", "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " + at +
                                              "/swtpm-localca.conf\ncreate_certs_tool_options = " + at +
                                              "/swtpm-localca.options\nactive_pcr_banks = sha256\n");
  if (!written) return Error{ErrorCode::kFileUnwritable, "the simulator's folder cannot be written"};
  return run({"swtpm_setup", "--tpm2", "--tpmstate", (folder_ / "state").string(), "--config", at + "/swtpm_setup.conf",
              "--create-ek-cert", "--create-platform-cert", "--lock-nvram", "--ecc", "--create-spk", "--pcr-banks",
              "sha256", "--vmid", "chancery", "--write-ek-cert-files", certificates.string(), "--logfile",
              (folder_ / "setup.log").string(), "--not-overwrite"});
}

Status Swtpm::restart() {
  end(SIGKILL);
  // A second swtpm on one socket path steals it silently; a stale file of our own is simply in the way.
  std::error_code ignored;
  std::filesystem::remove(socket(), ignored);
  const std::string socket_text = socket().string();
  CHANCERY_ASSIGN(pid_, spawn({"swtpm", "socket", "--tpm2", "--tpmstate",
                               "dir=" + (folder_ / "state").string() + ",mode=0600", "--server",
                               "type=unixio,path=" + socket_text + ",mode=0600", "--ctrl",
                               "type=unixio,path=" + socket_text + ".ctrl,mode=0600", "--flags",
                               "not-need-init,startup-clear"}));
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  while (!accepts_connections(socket())) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return kNotStarted;
    }
    if (std::chrono::steady_clock::now() > give_up) {
      end(SIGKILL);
      return kNotStarted;
    }
    std::this_thread::sleep_for(1ms);
  }
  return {};
}

void Swtpm::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  ::kill(pid_, SIGCONT);  // a paused process takes SIGTERM only then
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Swtpm::stop() { end(SIGTERM); }
void Swtpm::kill() { end(SIGKILL); }
void Swtpm::pause() {
  if (pid_ > 0) ::kill(pid_, SIGSTOP);
}
void Swtpm::resume() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}

void Swtpm::replace_state() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_ / "state", ignored);
  std::filesystem::create_directories(folder_ / "state", ignored);
}

void Swtpm::release() noexcept {
  end(SIGKILL);
  std::error_code ignored;
  if (owns_folder_) std::filesystem::remove_all(folder_, ignored);
  owns_folder_ = false;
}

Swtpm::~Swtpm() { release(); }

Swtpm::Swtpm(Swtpm&& other) noexcept
    : folder_(std::move(other.folder_)),
      owns_folder_(std::exchange(other.owns_folder_, false)),
      pid_(std::exchange(other.pid_, -1)) {}

Swtpm& Swtpm::operator=(Swtpm&& other) noexcept {
  if (this != &other) {
    release();
    folder_ = std::move(other.folder_);
    owns_folder_ = std::exchange(other.owns_folder_, false);
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

}  // namespace chancery::simulators
