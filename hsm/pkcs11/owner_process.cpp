#include "hsm/pkcs11/owner_process.hpp"

#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

namespace chancery::hsm {
namespace {

constexpr const char* kArgument = "--pkcs11-owner";
constexpr int kDescriptor = 3;

/// What posix_spawn is to do between fork and exec.
class SpawnPlan {
 public:
  explicit SpawnPlan(int socket) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, kDescriptor);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, kDescriptor + 1);
    // A terminal or a service manager tells both processes to stop. This one has to serve the requests that
    // the other one finishes first, and ends when the socket does.
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&blocked, signal);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &blocked);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<OwnerProcess> OwnerProcess::start(const std::filesystem::path& program,
                                         const std::vector<std::string>& environment) {
  CHANCERY_ASSIGN(auto ends, PacketSocket::make_pair());
  const SpawnPlan plan(ends.second.get());
  std::vector<std::string> arguments{program.string(), kArgument, std::to_string(kDescriptor)};
  std::vector<std::string> variables = environment;
  pid_t pid = -1;
  const int failure = ::posix_spawn(&pid, program.c_str(), plan.actions(), plan.attributes(),
                                    pointers_to(arguments).data(), pointers_to(variables).data());
  if (failure != 0) {
    return Error{ErrorCode::kProcessFailed, "the process that holds the PKCS#11 module could not be started",
                 static_cast<std::uint64_t>(failure)};
  }
  return OwnerProcess(pid, std::move(ends.first));
}

void OwnerProcess::end(std::chrono::milliseconds patience) noexcept {
  socket_.shut_down();
  const auto give_up = std::chrono::steady_clock::now() + patience;
  pollfd hang_up{socket_.get(), 0, 0};
  while (std::chrono::steady_clock::now() < give_up) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    if (::poll(&hang_up, 1, static_cast<int>(left.count())) > 0 && (hang_up.revents & POLLHUP) != 0) break;
  }
  kill();
}

void OwnerProcess::kill() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::optional<int> owner_process_argument(std::span<char* const> arguments) {
  const bool is_meant = arguments.size() == 3 && std::string_view(arguments[1]) == kArgument &&
                        std::string_view(arguments[2]) == std::to_string(kDescriptor);
  return is_meant ? std::optional(kDescriptor) : std::nullopt;
}

}  // namespace chancery::hsm
