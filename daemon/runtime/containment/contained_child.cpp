#include "daemon/runtime/containment/contained_child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Everything here runs in a copy of a process that may have had threads, one of which may have held any lock: async-signal-safe
// calls only (signal-safety(7)), no allocation, no exception.

namespace chancery::runtime {
namespace {

constexpr int kFailed = 127;
constexpr int kControl = 3;
constexpr int kReport = 4;
constexpr int kFirstFree = 16;   // above all that have their places
constexpr int kReapPause = 500;  // ms
constexpr int kKillPause = 1;    // ms

[[noreturn]] void fail(ChildStep step) noexcept {
  const ChildReport report{step, errno};
  // Nobody to tell is no worse than having failed.
  static_cast<void>(!::write(kReport, &report, sizeof report));
  ::_exit(kFailed);
}

void require(bool done, ChildStep step) noexcept {
  if (!done) fail(step);
}

// Puts them into their places; they may stand in one another's.
void place_descriptors(const ChildPlan& plan) noexcept {
  int moved[5];
  const int given[5] = {plan.input, plan.output, plan.errors, plan.control, plan.report};
  for (int i = 0; i < 5; ++i) moved[i] = ::fcntl(given[i], F_DUPFD, kFirstFree);
  bool done = ::dup2(moved[4], kReport) == kReport;  // first, so that it can tell
  for (int i = 0; i < 4; ++i) done = ::dup2(moved[i], i) == i && done;
  done = ::close_range(kReport + 1, ~0U, 0) == 0 && done;
  done = ::fcntl(kControl, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(kReport, F_SETFD, FD_CLOEXEC) == 0 && done;
  require(done, ChildStep::kDescriptors);
}

bool write_file(const char* path, const char* text) noexcept {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const std::size_t size = std::strlen(text);
  const bool done = ::write(file, text, size) == static_cast<ssize_t>(size);
  ::close(file);
  return done;
}

void enter_namespaces(const ChildPlan& plan) noexcept {
  if (plan.namespaces == 0) return;
  require(::unshare(plan.namespaces) == 0, ChildStep::kNamespaces);
  if ((plan.namespaces & CLONE_NEWUSER) == 0) return;
  // The files of a process that may not be dumped are root's.
  ::prctl(PR_SET_DUMPABLE, 1);
  const bool done = write_file("/proc/self/setgroups", "deny") &&
                    write_file("/proc/self/uid_map", plan.user_map) &&
                    write_file("/proc/self/gid_map", plan.group_map);
  require(done, ChildStep::kNamespaces);
}

void reset_signals() noexcept {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In a namespace of its own, as root of it, and as root of the machine alike.
bool drop_capabilities() noexcept {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability);  // refused to those who have none to lose
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

[[noreturn]] void become_tool(const ChildPlan& plan) noexcept {
  require(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::setsid() >= 0, ChildStep::kPrivileges);
  ::umask(077);
  require(::chdir(plan.folder) == 0, ChildStep::kFolder);
  for (std::size_t i = 0; i < plan.limit_count; ++i)
    require(::setrlimit(plan.limits[i].resource, &plan.limits[i].limit) == 0, ChildStep::kLimits);
  require(drop_capabilities() && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, ChildStep::kPrivileges);
  reset_signals();
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &plan.filter, 0, 0) == 0, ChildStep::kFilter);
  ::execve(plan.program, plan.arguments, plan.environment);
  fail(ChildStep::kExec);
}

int code_of(int status) noexcept { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

void close_all_but_control() noexcept {
  for (const int descriptor : {0, 1, 2, kReport}) ::close(descriptor);
}

// The first process of a namespace gets those who lost their parents, and signals otherwise than others do: no place for a tool.
[[noreturn]] void become_init(const ChildPlan& plan) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t tool = ::_Fork();
  require(tool >= 0, ChildStep::kFork);
  if (tool == 0) become_tool(plan);
  close_all_but_control();
  ::close(kControl);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == tool) ::_exit(code_of(status));  // and the kernel ends all others
    if (ended < 0 && errno != EINTR) ::_exit(kFailed);
  }
}

// Of those who lost their parents, which come to the keeper when there is no namespace. Not the tool.
void reap_orphans(pid_t tool) noexcept {
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (ended.si_pid == 0 || ended.si_pid == tool) return;
    ::waitpid(ended.si_pid, nullptr, WNOHANG);
  }
}

void wait_for_end(pid_t tool, int tool_descriptor) noexcept {
  pollfd waited[2] = {{kControl, POLLIN, 0}, {tool_descriptor, POLLIN, 0}};
  while (::poll(waited, 2, kReapPause) <= 0) reap_orphans(tool);
}

// Kills each process that this one is the parent of: the list is decimal numbers, each with a space behind it.
void kill_children() noexcept {
  const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  char text[4096];
  pid_t pid = 0;
  for (ssize_t got = 0; (got = ::read(file, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) {
      const bool is_digit = text[i] >= '0' && text[i] <= '9';
      if (is_digit) {
        pid = pid * 10 + (text[i] - '0');
      } else {
        if (pid > 1) ::kill(pid, SIGKILL);
        pid = 0;
      }
    }
  }
  ::close(file);
}

// Whose parent is killed comes to this process, as their next parent, and is killed in the next round.
void kill_the_rest() noexcept {
  for (;;) {
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (ended < 0 && errno == ECHILD) return;
    kill_children();
    ::poll(nullptr, 0, kKillPause);
  }
}

}  // namespace

int open_process(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

void keep_contained(const ChildPlan& plan) noexcept {
  place_descriptors(plan);
  ::setsid();
  enter_namespaces(plan);
  // A tool of the same user could look into this process, which is a copy of the runtime's memory.
  require(::prctl(PR_SET_DUMPABLE, 0) == 0 && ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0,
          ChildStep::kPrivileges);
  const bool has_init = (plan.namespaces & CLONE_NEWPID) != 0;
  require(has_init || ::access("/proc/thread-self/children", R_OK) == 0, ChildStep::kNamespaces);
  const pid_t child = ::_Fork();
  require(child >= 0, ChildStep::kFork);
  if (child == 0) has_init ? become_init(plan) : become_tool(plan);
  const int descriptor = open_process(child);
  require(descriptor >= 0, ChildStep::kFork);
  close_all_but_control();
  wait_for_end(child, descriptor);
  ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  kill_the_rest();
  ::rmdir(plan.folder);  // for a runtime that was killed: when the tool left nothing in it
  ::_exit(code_of(status));
}

}  // namespace chancery::runtime
