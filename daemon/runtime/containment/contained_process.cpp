#include "daemon/runtime/containment/contained_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/runtime/containment/contained_child.hpp"

namespace chancery::runtime {
namespace {

constexpr std::chrono::seconds kStartPatience{10};
constexpr std::chrono::seconds kEndPatience{5};
constexpr std::string_view kNotInText("\n\r\0", 3);

Error process_failed(const char* what, int error) {
  return {ErrorCode::kProcessFailed, what, static_cast<std::uint64_t>(error)};
}

bool is_variable_name(std::string_view name) {
  const auto is_fit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, is_fit);
}

Status check_command(const ToolCommand& command) {
  if (command.arguments.empty() || command.arguments.front().empty())
    return Error{ErrorCode::kInvalidArgument, "a tool's command names no program"};
  for (const std::string& argument : command.arguments) {
    if (argument.find_first_of(kNotInText) != argument.npos)
      return Error{ErrorCode::kInvalidArgument, "an argument of a tool's command has CR, LF or NUL in it"};
  }
  for (const std::string& variable : command.environment) {
    const std::size_t end = variable.find('=');
    if (end == variable.npos || !is_variable_name(variable.substr(0, end)) ||
        variable.find('\0') != variable.npos)
      return Error{ErrorCode::kInvalidArgument,
                   "a variable of a tool's environment is not NAME=VALUE without NUL"};
  }
  for (const SecretVariable& secret : command.secrets) {
    if (!is_variable_name(secret.name) || as_text(secret.value.view()).find('\0') != std::string_view::npos)
      return Error{ErrorCode::kInvalidArgument, "a secret of a tool's environment has no name, or NUL in it"};
  }
  return {};
}

Result<std::string> find_program(const std::string& name) {
  const auto is_program = [](const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  constexpr Error kNone{ErrorCode::kProcessFailed,
                        "the tool's program is not there, or cannot be run: install it"};
  if (name.starts_with('/')) return is_program(name) ? Result<std::string>(name) : kNone;
  if (name.find('/') != name.npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "a tool's program is given by a relative path: give an absolute one, or its name alone"};
  }
  for (std::string_view rest = kToolPath; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string path = std::string(rest.substr(0, end)) + '/' + name;
    if (is_program(path)) return path;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return kNone;
}

Result<std::filesystem::path> make_folder() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "chancery-tool-XXXXXX").string();
  if (failure || ::mkdtemp(name.data()) == nullptr) {
    return Error{ErrorCode::kFileUnwritable, "a tool's empty folder could not be made: check $TMPDIR",
                 static_cast<std::uint64_t>(failure ? failure.value() : errno)};
  }
  return std::filesystem::path(name);
}

/// Texts as execve(2) wants them. Secrets are in SecretBytes here, too.
class Texts {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  void add(const SecretVariable& secret) {
    SecretBytes text(secret.name.size() + secret.value.size() + 2);
    const std::span<std::uint8_t> out = text.writable();
    std::ranges::copy(secret.name, out.begin());
    out[secret.name.size()] = '=';
    std::ranges::copy(secret.value.view(), out.begin() + static_cast<std::ptrdiff_t>(secret.name.size() + 1));
    secrets_.push_back(std::move(text));
  }
  [[nodiscard]] std::vector<char*> pointers() {
    std::vector<char*> all;
    for (std::string& text : texts_) all.push_back(text.data());
    for (SecretBytes& secret : secrets_) all.push_back(reinterpret_cast<char*>(secret.writable().data()));
    all.push_back(nullptr);
    return all;
  }

 private:
  std::vector<std::string> texts_;
  std::vector<SecretBytes> secrets_;
};

Texts environment_of(const ToolCommand& command) {
  Texts texts;
  const auto is_declared = [&command](std::string_view name_and_sign) {
    return std::ranges::any_of(command.environment, [&](const std::string& variable) {
      return variable.starts_with(name_and_sign);
    });
  };
  if (!is_declared("PATH=")) texts.add("PATH=" + std::string(kToolPath));
  if (!is_declared("LANG=")) texts.add("LANG=C.UTF-8");
  for (const std::string& variable : command.environment) texts.add(variable);
  for (const SecretVariable& secret : command.secrets) texts.add(secret);
  return texts;
}

// Never above the runtime's own, which could not be set.
ResourceLimit limit(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
  rlimit own{};
  if (::getrlimit(resource, &own) != 0) own = {RLIM_INFINITY, RLIM_INFINITY};
  const rlim_t most = std::min<rlim_t>(hard, own.rlim_max);
  return {resource, {std::min<rlim_t>(soft, most), most}};
}

std::array<ResourceLimit, 7> limits_of(const ToolLimits& limits) {
  // One second after the signal that a program may take comes the one that none can.
  return {limit(RLIMIT_CORE, 0, 0),
          limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
          limit(RLIMIT_DATA, limits.memory, limits.memory),
          limit(RLIMIT_AS, limits.address_space, limits.address_space),
          limit(RLIMIT_FSIZE, limits.file_size, limits.file_size),
          limit(RLIMIT_NOFILE, limits.files, limits.files),
          limit(RLIMIT_NPROC, limits.processes, limits.processes)};
}

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

bool make(Pipe& pipe) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe.reading = Descriptor(ends[0]);
  pipe.writing = Descriptor(ends[1]);
  return true;
}

struct Pipes {
  Pipe input, output, errors, control, report;
};

Result<Pipes> make_pipes() {
  Pipes pipes;
  for (Pipe* pipe : {&pipes.input, &pipes.output, &pipes.errors, &pipes.control, &pipes.report}) {
    if (!make(*pipe)) return process_failed("no pipes for a tool: too many files are open", errno);
  }
  return pipes;
}

Error describe(const ChildReport& report) {
  switch (report.step) {
    case ChildStep::kDescriptors:
      return process_failed("a tool's descriptors could not be closed: nothing was run", report.error);
    case ChildStep::kNamespaces:
      return process_failed("a tool's processes could not be kept together: nothing was run", report.error);
    case ChildStep::kFork:
      return process_failed("a tool's process could not be made: too many of them, or too little memory",
                            report.error);
    case ChildStep::kFolder:
      return process_failed("a tool's folder could not be entered", report.error);
    case ChildStep::kLimits:
      return process_failed("a tool's limits could not be set: are the runtime's own lower?", report.error);
    case ChildStep::kPrivileges:
      return process_failed("a tool's privileges could not be given up: nothing was run", report.error);
    case ChildStep::kFilter:
      return process_failed("the filter of system calls could not be applied: nothing was run", report.error);
    case ChildStep::kExec:
      return process_failed("the tool's program could not be executed", report.error);
  }
  return process_failed("a tool could not be started", report.error);
}

bool wait_readable(int descriptor, ContainedProcess::Instant deadline) {
  constexpr std::chrono::milliseconds kMost{60'000};
  pollfd waited{descriptor, POLLIN, 0};
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(deadline - now),
                                 std::chrono::milliseconds{0}, kMost);
    const int ready = ::poll(&waited, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (ready == 0 && now >= deadline) return false;
  }
}

/// Nothing once the program runs, or what kept it from that.
std::optional<ChildReport> wait_for_exec(const Descriptor& report) {
  ChildReport found;
  if (!wait_readable(report.get(), std::chrono::steady_clock::now() + kStartPatience))
    return ChildReport{ChildStep::kFork, ETIMEDOUT};
  ssize_t got = 0;
  while ((got = ::read(report.get(), &found, sizeof found)) < 0 && errno == EINTR) {
  }
  if (got == 0) return std::nullopt;
  return got == sizeof found ? found : ChildReport{ChildStep::kFork, EIO};
}

std::string own_map(unsigned id) { return std::to_string(id) + ' ' + std::to_string(id) + " 1"; }

/// A fork with all signals blocked, so that no handler of this process runs in the child.
pid_t fork_keeper(const ChildPlan& plan) {
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &former);
  const pid_t pid = ::fork();
  if (pid == 0) keep_contained(plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  errno = error;
  return pid;
}

// Waits for a keeper that knows that it shall end; kills it when it does not. \return its status
int reap(pid_t keeper, const Descriptor& process) noexcept {
  if (process && !wait_readable(process.get(), std::chrono::steady_clock::now() + kEndPatience))
    ::kill(keeper, SIGKILL);
  int status = 0;
  while (::waitpid(keeper, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + SIGKILL;
}

}  // namespace

/// One start, with all that has to outlive the fork.
class ProcessStart {
 public:
  ProcessStart(const ToolCommand& command, const SyscallFilter& filter, std::string program)
      : command_(command),
        program_(std::move(program)),
        program_code_(filter.program()),
        environment_(environment_of(command)),
        limits_(limits_of(command.limits)) {
    for (const std::string& argument : command.arguments) arguments_.add(argument);
  }

  /// \param namespaces  flags of unshare(2)
  /// \return kProcessFailed, where is_namespace_missing() tells whether it may do with fewer; kFileUnwritable
  [[nodiscard]] Result<ContainedProcess> run(int namespaces) {
    CHANCERY_ASSIGN(Pipes pipes, make_pipes());
    CHANCERY_ASSIGN(auto folder, make_folder());
    const std::vector<char*> arguments = arguments_.pointers();
    const std::vector<char*> environment = environment_.pointers();
    const std::string folder_text = folder.string();
    const ChildPlan plan =
        plan_for(pipes, namespaces, arguments.data(), environment.data(), folder_text.c_str());
    const pid_t keeper = fork_keeper(plan);
    const int error = errno;
    // From here on it is the process's own end that cleans up.
    ContainedProcess process(keeper, std::move(pipes.control.writing),
                             LineChannel(std::move(pipes.input.writing), std::move(pipes.output.reading),
                                         std::move(pipes.errors.reading), command_.lines),
                             std::move(folder));
    const Descriptor report = std::move(pipes.report.reading);
    pipes = Pipes();  // the child's ends
    if (keeper < 0 || !process.keeper_process_) return describe({ChildStep::kFork, error});
    if (const auto failure = wait_for_exec(report)) {
      is_namespace_missing_ = failure->step == ChildStep::kNamespaces;
      return describe(*failure);
    }
    process.containment_ = {.seccomp = true,
                            .user_namespace = (namespaces & CLONE_NEWUSER) != 0,
                            .network_namespace = (namespaces & CLONE_NEWNET) != 0,
                            .pid_namespace = (namespaces & CLONE_NEWPID) != 0};
    return process;
  }

  [[nodiscard]] bool is_namespace_missing() const noexcept { return is_namespace_missing_; }

 private:
  [[nodiscard]] ChildPlan plan_for(const Pipes& pipes, int namespaces, char* const* arguments,
                                   char* const* environment, const char* folder) {
    ChildPlan plan;
    plan.program = program_.c_str();
    plan.arguments = arguments;
    plan.environment = environment;
    plan.folder = folder;
    plan.filter = {static_cast<unsigned short>(program_code_.size()), program_code_.data()};
    plan.limits = limits_.data();
    plan.limit_count = limits_.size();
    plan.namespaces = namespaces;
    plan.user_map = user_map_.c_str();
    plan.group_map = group_map_.c_str();
    plan.input = pipes.input.reading.get();
    plan.output = pipes.output.writing.get();
    plan.errors = pipes.errors.writing.get();
    plan.control = pipes.control.reading.get();
    plan.report = pipes.report.writing.get();
    return plan;
  }

  const ToolCommand& command_;
  std::string program_;
  std::vector<sock_filter> program_code_;  // a copy: the kernel takes a pointer to what it could change
  Texts arguments_;
  Texts environment_;
  std::array<ResourceLimit, 7> limits_;
  std::string user_map_ = own_map(::geteuid());
  std::string group_map_ = own_map(::getegid());
  bool is_namespace_missing_ = false;
};

constexpr Error kNotApart{
    ErrorCode::kProcessFailed,
    "a tool that gets a credential runs in a user namespace of its own alone, and there is none to be had: allow them "
    "(kernel.unprivileged_userns_clone, user.max_user_namespaces, the unit's RestrictNamespaces)"};

Result<ContainedProcess> ContainedProcess::start(const ToolCommand& command, const SyscallFilter& filter) {
  CHANCERY_TRY(check_command(command));
  CHANCERY_ASSIGN(std::string program, find_program(command.arguments.front()));
  ProcessStart start(command, filter, std::move(program));
  if (command.namespaces) {
    const int wanted = CLONE_NEWPID | (command.network ? 0 : CLONE_NEWNET);
    // Without the second, whoever has the capability could have none: where user namespaces are switched off.
    for (const int namespaces : {CLONE_NEWUSER | wanted, wanted}) {
      auto process = start.run(namespaces);
      if (process || !start.is_namespace_missing()) return process;
      if (command.only_apart) return kNotApart;
    }
  }
  if (command.only_apart) return kNotApart;
  return start.run(0);
}

ContainedProcess::ContainedProcess(pid_t keeper, Descriptor control, LineChannel lines,
                                   std::filesystem::path folder)
    : keeper_(keeper),
      keeper_process_(keeper > 0 ? open_process(keeper) : -1),
      control_(std::move(control)),
      lines_(std::move(lines)),
      folder_(std::move(folder)) {}

ContainedProcess::ContainedProcess(ContainedProcess&& other) noexcept
    : keeper_(std::exchange(other.keeper_, -1)),
      keeper_process_(std::move(other.keeper_process_)),
      control_(std::move(other.control_)),
      lines_(std::move(other.lines_)),
      folder_(std::exchange(other.folder_, {})),
      containment_(other.containment_),
      status_(other.status_) {}

Result<int> ContainedProcess::wait(Instant deadline) {
  if (keeper_ > 0 && !wait_readable(keeper_process_.get(), deadline))
    return Error{ErrorCode::kTimeout, "the tool did not end in time"};
  return end();
}

int ContainedProcess::end() noexcept {
  {
    const Descriptor closed = std::move(control_);  // which the keeper sees
  }
  if (keeper_ > 0) status_ = reap(std::exchange(keeper_, -1), keeper_process_);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  folder_.clear();
  return status_;
}

}  // namespace chancery::runtime
