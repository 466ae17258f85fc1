#include "daemon/runtime/containment/syscall_filter.hpp"

#include <array>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::runtime {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

struct Refused {
  const char* name;
  int error = EPERM;
};

// A call that libseccomp does not know by name on this architecture is one that it does not have, or too new for
// libseccomp: those that matter stand in kNewer by their numbers.
constexpr std::array kRefused{
    // looking into other processes
    Refused{"ptrace"},
    Refused{"process_vm_readv"},
    Refused{"process_vm_writev"},
    Refused{"process_madvise"},
    Refused{"pidfd_getfd"},
    Refused{"kcmp"},
    Refused{"perf_event_open"},
    Refused{"move_pages"},
    Refused{"migrate_pages"},
    // files by other ways than paths
    Refused{"open_by_handle_at"},
    Refused{"name_to_handle_at"},
    Refused{"fanotify_init"},
    // namespaces and mounts
    Refused{"unshare"},
    Refused{"setns"},
    Refused{"mount"},
    Refused{"umount2"},
    Refused{"pivot_root"},
    Refused{"chroot"},
    Refused{"fsopen"},
    Refused{"fsconfig"},
    Refused{"fsmount"},
    Refused{"fspick"},
    Refused{"move_mount"},
    Refused{"open_tree"},
    Refused{"mount_setattr"},
    Refused{"clone3",
            ENOSYS},  // its flags are in memory, where no filter looks; the C library takes clone then
    // the kernel and the machine
    Refused{"bpf"},
    Refused{"kexec_load"},
    Refused{"kexec_file_load"},
    Refused{"init_module"},
    Refused{"finit_module"},
    Refused{"delete_module"},
    Refused{"create_module"},
    Refused{"iopl"},
    Refused{"ioperm"},
    Refused{"reboot"},
    Refused{"swapon"},
    Refused{"swapoff"},
    Refused{"acct"},
    Refused{"syslog"},
    Refused{"quotactl"},
    Refused{"quotactl_fd"},
    Refused{"settimeofday"},
    Refused{"clock_settime"},
    Refused{"clock_adjtime"},
    Refused{"adjtimex"},
    Refused{"sethostname"},
    Refused{"setdomainname"},
    Refused{"vhangup"},
    Refused{"lookup_dcookie"},
    Refused{"uselib"},
    Refused{"modify_ldt"},
    // what much of the kernel's own trouble came from, and keys of others
    Refused{"userfaultfd", ENOSYS},
    Refused{"io_uring_setup", ENOSYS},
    Refused{"io_uring_enter", ENOSYS},
    Refused{"io_uring_register", ENOSYS},
    Refused{"keyctl"},
    Refused{"add_key"},
    Refused{"request_key"},
};

// Of the tables of all architectures alike, since they came after 2019.
constexpr std::array kNewer{
    425,  // io_uring_setup
    426,  // io_uring_enter
    427,  // io_uring_register
    428,  // open_tree
    429,  // move_mount
    430,  // fsopen
    431,  // fsconfig
    432,  // fsmount
    433,  // fspick
    438,  // pidfd_getfd
    440,  // process_madvise
    442,  // mount_setattr
    443,  // quotactl_fd
};

// Not that of time, whose bit is among clone's signal: clone takes it for none.
constexpr std::array kNamespaces{CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                 CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

// The macros of libseccomp for this are C.
constexpr scmp_arg_cmp argument(unsigned number, scmp_compare how, scmp_datum_t with,
                                scmp_datum_t and_with = 0) {
  return {number, how, with, and_with};
}

// Of an argument that the kernel takes 32 bits of. Others may stand above them, which a comparison for equality would see.
constexpr scmp_arg_cmp low_half_is(unsigned number, scmp_datum_t value) {
  return argument(number, SCMP_CMP_MASKED_EQ, 0xffffffff, value);
}

constexpr std::uint32_t refuse(int error) { return SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)); }

/// Adds rules, and remembers the first that failed.
class Rules {
 public:
  explicit Rules(void* context) : context_(context) {}

  template <typename... Comparisons>
  void add(std::uint32_t action, int call, const Comparisons&... comparisons) {
    if (failure_ != 0) return;
    const std::array<scmp_arg_cmp, sizeof...(comparisons)> all{comparisons...};
    const int result = seccomp_rule_add_array(context_, action, call, all.size(), all.data());
    // -EEXIST: by name and by number.
    if (result < 0 && result != -EEXIST) failure_ = -result;
  }

  [[nodiscard]] int failure() const noexcept { return failure_; }

 private:
  void* context_;
  int failure_ = 0;
};

void refuse_whole_calls(Rules& rules) {
  for (const Refused& refused : kRefused) {
    const int call = seccomp_syscall_resolve_name(refused.name);
    if (call >= 0) rules.add(refuse(refused.error), call);
  }
  for (const int call : kNewer) {
    const bool is_io_uring = call <= 427;
    rules.add(refuse(is_io_uring ? ENOSYS : EPERM), call);
  }
}

void refuse_by_arguments(Rules& rules) {
  for (const int flag : kNamespaces) {
    const auto bit = static_cast<scmp_datum_t>(static_cast<unsigned>(flag));
    rules.add(refuse(EPERM), SCMP_SYS(clone), argument(0, SCMP_CMP_MASKED_EQ, bit, bit));
  }
  // A terminal's input would be typed for somebody else.
  rules.add(refuse(EPERM), SCMP_SYS(ioctl), low_half_is(1, TIOCSTI));
  rules.add(refuse(EPERM), SCMP_SYS(ioctl), low_half_is(1, TIOCLINUX));
  // It dies with whoever keeps it.
  rules.add(refuse(EPERM), SCMP_SYS(prctl), low_half_is(0, PR_SET_PDEATHSIG));
}

void refuse_sockets(Rules& rules, bool network) {
  if (network) {
    // All but two, by ranges: a rule has one comparison for an argument. What has bits above is out of range.
    static_assert(AF_INET == 2 && AF_INET6 == 10);
    rules.add(refuse(EAFNOSUPPORT), SCMP_SYS(socket), argument(0, SCMP_CMP_LT, AF_INET));
    rules.add(refuse(EAFNOSUPPORT), SCMP_SYS(socket), argument(0, SCMP_CMP_GT, AF_INET6));
    for (scmp_datum_t family = AF_INET + 1; family < AF_INET6; ++family)
      rules.add(refuse(EAFNOSUPPORT), SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, family));
  } else {
    rules.add(refuse(EPERM), SCMP_SYS(socket));
  }
  // A pair of datagram sockets could send to others than to each other. What stands beside the type are flags.
  rules.add(refuse(EPERM), SCMP_SYS(socketpair), argument(0, SCMP_CMP_NE, AF_UNIX));
  for (const int type : {SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_DCCP, SOCK_PACKET}) {
    rules.add(refuse(EPERM), SCMP_SYS(socketpair),
              argument(1, SCMP_CMP_MASKED_EQ, 0xf, static_cast<scmp_datum_t>(type)));
  }
}

Error failed(int error) {
  return {ErrorCode::kProcessFailed,
          "the filter of system calls could not be made, and without it no tool runs",
          static_cast<std::uint64_t>(error)};
}

// libseccomp writes programs to files alone.
Result<std::vector<sock_filter>> exported(void* context) {
  const Descriptor file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file) return failed(errno);
  const int result = seccomp_export_bpf(context, file.get());
  if (result < 0) return failed(-result);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0 || found.st_size <= 0) return failed(errno);
  const auto size = static_cast<std::size_t>(found.st_size);
  std::vector<sock_filter> program(size / sizeof(sock_filter));
  const bool is_whole = size % sizeof(sock_filter) == 0 && program.size() <= BPF_MAXINSNS;
  if (!is_whole || ::pread(file.get(), program.data(), size, 0) != found.st_size) return failed(EIO);
  return program;
}

}  // namespace

Result<SyscallFilter> SyscallFilter::make(bool network) {
  const Context context(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (context == nullptr) return failed(ENOMEM);
  // Another architecture's table has other numbers: by those nothing would be refused.
  int result = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (result < 0) return failed(-result);
  Rules rules(context.get());
  refuse_whole_calls(rules);
  refuse_by_arguments(rules);
  refuse_sockets(rules, network);
  if (rules.failure() != 0) return failed(rules.failure());
  CHANCERY_ASSIGN(auto program, exported(context.get()));
  return SyscallFilter(std::move(program));
}

}  // namespace chancery::runtime
