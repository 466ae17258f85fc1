#include "simulators/swtpm/swtpm.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::simulators {
namespace {

using std::filesystem::path;
using namespace std::chrono_literals;

constexpr int kNotFound = 127;  // as a shell has it

// What a started swtpm needs is some 10 ms; on a machine that is busy with compiling, much more.
constexpr auto kStartTime = 10s;
// SIGTERM ends it in a millisecond, if it listens at all.
constexpr auto kStopTime = 2s;
constexpr auto kPollPause = 1ms;

Error process_failed(const char* what, int native) {
  return Error{ErrorCode::kProcessFailed, what, static_cast<std::uint64_t>(native)};
}

// Runs in the forked child of a process that may have threads: async-signal-safe calls only.
[[noreturn]] void become(pid_t parent, char* const* argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotFound);  // died before the line above
  setsid();
  // A daemon that waits for its signals has blocked them; what it starts must take SIGTERM all the same.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  close_range(3, ~0U, 0);
  umask(077);
  execvp(argv[0], argv);
  _exit(kNotFound);
}

Result<pid_t> spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(parent, argv.data());
  if (pid < 0)
    return process_failed("no process could be started: too many of them, or too little memory", errno);
  return pid;
}

// The exit status, once there is one.
int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Error explain_end(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound) {
    return process_failed("swtpm is not installed: install the Debian packages swtpm and swtpm-tools",
                          status);
  }
  return process_failed("swtpm ended at once: is another one using this folder, and is there space?", status);
}

int connect_to(const path& socket_path, const Descriptor& descriptor) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  return connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool accepts_connections(const path& socket_path) {
  const Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // EAGAIN: somebody listens, and others wait already.
  return descriptor && (connect_to(socket_path, descriptor) == 0 || errno == EAGAIN);
}

// TPM2_Clear by the lockout hierarchy, whose authorization is empty in a TPM that is new (Part 3, 24.6).
constexpr std::array<std::uint8_t, 27> kClear{0x80, 0x02, 0, 0, 0,    27, 0, 0, 1, 0x26, 0x40, 0, 0, 0x0A,
                                              0,    0,    0, 9, 0x40, 0,  0, 9, 0, 0,    0,    0, 0};

bool send_clear(const path& socket_path) {
  const Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor || connect_to(socket_path, descriptor) != 0) return false;
  if (::send(descriptor.get(), kClear.data(), kClear.size(), MSG_NOSIGNAL) != std::ssize(kClear))
    return false;
  std::array<std::uint8_t, 10> head{};  // tag, size, response code
  const bool whole = ::recv(descriptor.get(), head.data(), head.size(), MSG_WAITALL) == std::ssize(head);
  return whole && std::all_of(head.begin() + 6, head.end(), [](std::uint8_t octet) { return octet == 0; });
}

bool write_text(const path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

Error unwritable(int error) {
  return Error{ErrorCode::kFileUnwritable,
               "the simulator's folder could not be made: check its place, or $TMPDIR",
               static_cast<std::uint64_t>(error)};
}

Result<path> make_temporary_folder() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "swtpm-XXXXXX").string();
  if (failure) return unwritable(failure.value());
  if (mkdtemp(name.data()) == nullptr) return unwritable(errno);
  return path(name);
}

// Keys of a simulator lie in its folder in clear.
Status check_private(const path& folder) {
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0) return unwritable(errno);
  if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 077) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "the simulator's folder must be your own and closed to others (0700)"};
  }
  return {};
}

Status make_folder(const path& folder) {
  return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? Status{} : Status{unwritable(errno)};
}

// swtpm_localca plays the vendor: a private CA signs the endorsement key's certificate.
bool write_vendor_files(const path& ca) {
  const std::string at = ca.string();
  return write_text(ca / "swtpm-localca.conf", "statedir = " + at + "\nsigningkey = " + at +
                                                   "/signkey.pem\nissuercert = " + at +
                                                   "/issuercert.pem\ncertserial = " + at + "/certserial\n") &&
         write_text(
             ca / "swtpm-localca.options",
             "--platform-manufacturer Chancery\n--platform-version 2.1\n--platform-model Simulator\n") &&
         write_text(ca / "swtpm_setup.conf",
                    "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " + at +
                        "/swtpm-localca.conf\ncreate_certs_tool_options = " + at +
                        "/swtpm-localca.options\nactive_pcr_banks = sha256\n");
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
  if (options.folder.empty()) {
    CHANCERY_ASSIGN(folder_, make_temporary_folder());
    owns_folder_ = true;
  } else {
    folder_ = options.folder;
    owns_folder_ = ::mkdir(folder_.c_str(), 0700) == 0;
    CHANCERY_TRY(check_private(folder_));
  }
  if (socket().string().size() + sizeof(".ctrl") > sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the folder's path is too long for a Unix socket: choose a shorter one"};
  }
  return make_folder(folder_ / "state");
}

Status Swtpm::manufacture() const {
  const path ca = folder_ / "ca";
  CHANCERY_TRY(make_folder(ca));
  CHANCERY_TRY(make_folder(certificates()));
  if (!write_vendor_files(ca)) return unwritable(errno);
  CHANCERY_ASSIGN(const pid_t setup, spawn({"swtpm_setup",
                                            "--tpm2",
                                            "--tpmstate",
                                            (folder_ / "state").string(),
                                            "--config",
                                            (ca / "swtpm_setup.conf").string(),
                                            "--create-ek-cert",
                                            "--create-platform-cert",
                                            "--lock-nvram",
                                            "--ecc",
                                            "--create-spk",
                                            "--pcr-banks",
                                            "sha256",
                                            "--vmid",
                                            "chancery",
                                            "--write-ek-cert-files",
                                            certificates().string(),
                                            "--logfile",
                                            (folder_ / "setup.log").string(),
                                            "--not-overwrite"}));
  const int status = wait_for(setup);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound) return explain_end(status);
  return process_failed("swtpm_setup failed: its folder's setup.log says why", status);
}

Status Swtpm::restart() {
  end(SIGKILL);
  return serve_at(socket());
}

Status Swtpm::serve_at(const path& socket) {
  // A second swtpm on one socket path steals it silently.
  if (accepts_connections(socket)) {
    return process_failed("another swtpm serves in this folder: end it, or choose another folder", 0);
  }
  std::error_code ignored;
  std::filesystem::remove(socket, ignored);
  const std::string data_socket = socket.string();
  CHANCERY_ASSIGN(pid_, spawn({"swtpm", "socket", "--tpm2", "--tpmstate",
                               "dir=" + (folder_ / "state").string() + ",mode=0600", "--server",
                               "type=unixio,path=" + data_socket + ",mode=0600", "--ctrl",
                               "type=unixio,path=" + data_socket + ".ctrl,mode=0600", "--flags",
                               "not-need-init,startup-clear"}));
  return wait_until_ready(socket);
}

Status Swtpm::wait_until_ready(const path& socket) {
  const auto give_up = std::chrono::steady_clock::now() + kStartTime;
  while (!accepts_connections(socket)) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return explain_end(status);
    }
    if (std::chrono::steady_clock::now() > give_up) {
      end(SIGKILL);
      return process_failed("swtpm was started but does not answer: the machine is overloaded", 0);
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return {};
}

void Swtpm::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  ::kill(pid_, SIGCONT);  // a paused process takes SIGTERM only then
  const auto give_up = std::chrono::steady_clock::now() + kStopTime;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > give_up) {
      ::kill(pid_, SIGKILL);
      wait_for(pid_);
      break;
    }
    std::this_thread::sleep_for(kPollPause);
  }
  pid_ = -1;
}

Status Swtpm::reset() const {
  CHANCERY_ASSIGN(const pid_t control, spawn({"swtpm_ioctl", "--unix", socket().string() + ".ctrl", "-i"}));
  const int status = wait_for(control);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return process_failed("swtpm_ioctl could not reset the TPM: install the Debian package swtpm-tools",
                        status);
}

Status Swtpm::clear() {
  end(SIGTERM);
  // Away from its socket, where whoever waits for it would be first.
  const path aside = folder_ / "c";
  CHANCERY_TRY(serve_at(aside));
  const bool cleared = send_clear(aside);
  end(SIGTERM);
  if (!cleared) return process_failed("the TPM did not take TPM2_Clear", 0);
  return restart();
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
