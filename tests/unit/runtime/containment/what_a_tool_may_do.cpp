#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <grp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/runtime/containment/scripted_tool.hpp"

// What a contained tool has and may do, as real processes find it, with namespaces and without.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

constexpr std::array kBoth{true, false};

using Lines = std::vector<std::string>;

Lines run(ToolCommand command, bool namespaces) {
  command.namespaces = namespaces;
  auto process = start(command);
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  return all_lines(*process);
}

ToolCommand program(std::vector<std::string> arguments) {
  ToolCommand command;
  command.arguments = std::move(arguments);
  return command;
}

// 1 when a tool ran at all, and a bit for each namespace.
int applied() {
  const auto process = start(program({"cat"}));
  if (!process) return 0;
  const Containment applied = process->containment();
  return (applied.seccomp ? 1 : 0) + (applied.user_namespace ? 2 : 0) + (applied.network_namespace ? 4 : 0) +
         (applied.pid_namespace ? 8 : 0);
}

// The same, in a process that is not root's.
int applied_for_nobody(bool dumpable) {
  constexpr unsigned kNobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
                             ::setresuid(kNobody, kNobody, kNobody) != 0))
      ::_exit(0);
    ::prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0);
    ::_exit(applied());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool has(const Lines& lines, const std::string& wanted) {
  return std::ranges::find(lines, wanted) != lines.end();
}

struct Refused {
  const char* name;
  const char* call;  // as Python has it: what libc.syscall() is given
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

// Of x86-64. Without the filter most of them would succeed, or fail otherwise.
const std::array kRefusedCalls{
    Refused{"ptrace", "101, 0, 0, 0, 0", "EPERM"},
    Refused{"unshare of a user namespace", "272, 0x10000000", "EPERM"},
    Refused{"clone with a user namespace", "56, 0x10000011, 0, 0, 0, 0", "EPERM"},
    Refused{"clone with a network namespace", "56, 0x40000011, 0, 0, 0, 0", "EPERM"},
    Refused{"clone3", "435, 0, 0", "ENOSYS"},
    Refused{"setns", "308, -1, 0", "EPERM"},
    Refused{"mount", "165, 0, 0, 0, 0, 0", "EPERM"},
    Refused{"pivot_root", "155, 0, 0", "EPERM"},
    Refused{"chroot", "161, b'/'", "EPERM"},
    Refused{"open_tree", "428, -100, b'/', 0", "EPERM"},
    Refused{"fsopen", "430, 0, 0", "EPERM"},
    Refused{"mount_setattr", "442, -1, 0, 0, 0, 0", "EPERM"},
    Refused{"bpf", "321, 0, 0, 0", "EPERM"},
    Refused{"perf_event_open", "298, 0, 0, 0, 0, 0", "EPERM"},
    Refused{"userfaultfd", "323, 1", "ENOSYS"},
    Refused{"io_uring_setup", "425, 1, 0", "ENOSYS"},
    Refused{"io_uring_enter", "426, -1, 0, 0, 0, 0, 0", "ENOSYS"},
    Refused{"io_uring_register", "427, -1, 0, 0, 0", "ENOSYS"},
    Refused{"keyctl", "250, 0, -3, 0", "EPERM"},
    Refused{"add_key", "248, 0, 0, 0, 0, 0", "EPERM"},
    Refused{"request_key", "249, 0, 0, 0, 0", "EPERM"},
    Refused{"process_vm_readv of itself", "310, os.getpid(), 0, 0, 0, 0, 0", "EPERM"},
    Refused{"process_vm_writev of itself", "311, os.getpid(), 0, 0, 0, 0, 0", "EPERM"},
    Refused{"pidfd_getfd", "438, -1, 0, 0", "EPERM"},
    Refused{"process_madvise", "440, -1, 0, 0, 0, 0", "EPERM"},
    Refused{"kcmp of itself", "312, os.getpid(), os.getpid(), 0, 0, 0", "EPERM"},
    Refused{"name_to_handle_at", "303, -1, 0, 0, 0, 0", "EPERM"},
    Refused{"open_by_handle_at", "304, -1, 0, 0", "EPERM"},
    Refused{"init_module", "175, 0, 0, 0", "EPERM"},
    Refused{"finit_module", "313, -1, 0, 0", "EPERM"},
    Refused{"delete_module", "176, 0, 0", "EPERM"},
    Refused{"kexec_load", "246, 0, 0, 0, 0", "EPERM"},
    Refused{"to outlive its keeper", "157, 1, 0, 0, 0, 0", "EPERM"},
    Refused{"to type for a terminal", "16, 0, 0x5412, 0", "EPERM"},
    Refused{"to outlive its keeper, with bits that the kernel drops",
            "157, ctypes.c_ulong(0x100000001), 0, 0, 0, 0", "EPERM"},
    Refused{"to type for a terminal, with bits that the kernel drops",
            "16, 0, ctypes.c_ulong(0x100005412), 0", "EPERM"},
    Refused{"a socket, with bits that the kernel drops", "41, ctypes.c_ulong(0x100000002), 1, 0", "EPERM"},
    Refused{"a pair of datagram sockets, with bits that the kernel drops",
            "53, 1, ctypes.c_ulong(0x100000002), 0, ctypes.create_string_buffer(8)", "EPERM"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(what_a_tool_may_do)

#if defined(__x86_64__)
BOOST_DATA_TEST_CASE(a_refused_call_fails, data::make(kRefusedCalls), row) {
  const ScriptedTool tool("import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nresult = libc.syscall(" +
                          std::string(row.call) +
                          ")\nsay(result, errno.errorcode.get(ctypes.get_errno()))\n");
  BOOST_TEST((run(tool.command(), true) == Lines{"-1 " + std::string(row.error)}));
}
#endif

BOOST_DATA_TEST_CASE(its_environment_is_what_was_declared, data::make(kBoth), namespaces) {
  ::setenv("CHANCERY_TEST_SECRET", "of the runtime", 1);
  ToolCommand command = program({"env"});
  command.environment = {"REGION=eu", "EMPTY="};
  command.secrets.push_back({"API_KEY", SecretBytes(as_bytes("of the vault"))});
  const Lines lines = run(std::move(command), namespaces);
  ::unsetenv("CHANCERY_TEST_SECRET");
  BOOST_TEST((std::set(lines.begin(), lines.end()) ==
              std::set<std::string>{"PATH=" + std::string(kToolPath), "LANG=C.UTF-8", "REGION=eu",
                                    "EMPTY=", "API_KEY=of the vault"}));
}

BOOST_AUTO_TEST_CASE(a_declared_path_stands_in_place_of_the_usual_one) {
  ToolCommand command = program({"env"});
  command.environment = {"PATH=/opt/tool/bin", "LANG=C"};
  const Lines lines = run(std::move(command), true);
  BOOST_TEST((std::set(lines.begin(), lines.end()) == std::set<std::string>{"PATH=/opt/tool/bin", "LANG=C"}));
}

BOOST_AUTO_TEST_CASE(the_runtimes_environment_and_memory_are_out_of_reach) {
  const ScriptedTool tool(R"(
for name in ('environ', 'mem', 'maps', 'cwd/.', 'fd/0'):
    try:
        with open('/proc/%s/%s' % (sys.argv[1], name), 'rb') as file: file.read(1)
        say(name, 'read')
    except OSError as error: say(name, errno.errorcode[error.errno])
)");
  auto process = start(tool.command({std::to_string(::getpid())}));
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  if (!process->containment().user_namespace) {
    BOOST_TEST_MESSAGE(
        "skipped: this kernel gives no user namespace, and the test's memory may be read by its user");
    return;
  }
  BOOST_TEST((all_lines(*process) ==
              Lines{"environ EACCES", "mem EACCES", "maps EACCES", "cwd/. EACCES", "fd/0 EACCES"}));
}

BOOST_DATA_TEST_CASE(it_inherits_no_descriptor, data::make(kBoth), namespaces) {
  const ScriptedTool tool(R"(
found = []
for descriptor in range(4096):
    try:
        os.fstat(descriptor)
        found.append(descriptor)
    except OSError: pass
say(*found)
)");
  std::vector<Descriptor> open;  // not to be closed by exec
  for (int i = 0; i < 8; ++i) open.emplace_back(::open("/etc/passwd", O_RDONLY));
  open.emplace_back(::fcntl(open.front().get(), F_DUPFD, 900));
  BOOST_REQUIRE(open.back());
  BOOST_TEST((run(tool.command(), namespaces) == Lines{"0 1 2"}));
}

BOOST_DATA_TEST_CASE(it_has_no_privilege_and_no_signal_blocked, data::make(kBoth), namespaces) {
  sigset_t blocked;
  sigset_t former;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &former);
  const auto handler = std::signal(SIGUSR1, SIG_IGN);
  const Lines lines = run(program({"cat", "/proc/self/status"}), namespaces);
  std::signal(SIGUSR1, handler);
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  const std::string none = "\t0000000000000000";
  for (const char* name : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "SigBlk:", "SigIgn:"})
    BOOST_TEST(has(lines, name + none), name);
  if (::geteuid() == 0) BOOST_TEST(has(lines, "CapBnd:" + none));
  BOOST_TEST(has(lines, "NoNewPrivs:\t1"));
  BOOST_TEST(has(lines, "Seccomp:\t2"));
}

BOOST_DATA_TEST_CASE(it_runs_in_an_empty_folder_that_goes_with_it, data::make(kBoth), namespaces) {
  const ScriptedTool tool(R"(
say(os.getcwd(), os.listdir('.'), oct(os.umask(0)), oct(os.stat('.').st_mode))
os.makedirs('deep/er'); open('deep/er/file', 'w').write('a')
say('written'); sys.stdin.readline()
)");
  ToolCommand command = tool.command();
  command.namespaces = namespaces;
  auto process = start(command);
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  const std::string said = one_line(*process);
  const std::string folder = said.substr(0, said.find(' '));
  BOOST_TEST(said == folder + " [] 0o77 0o40700");
  BOOST_TEST(one_line(*process) == "written");
  BOOST_TEST(std::filesystem::exists(folder + "/deep/er/file"));
  process->end();
  BOOST_TEST(!std::filesystem::exists(folder));
}

BOOST_DATA_TEST_CASE(it_leads_a_session_of_its_own, data::make(kBoth), namespaces) {
  const ScriptedTool tool("say(os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid())\n");
  BOOST_TEST((run(tool.command(), namespaces) == Lines{"True True"}));
}

BOOST_DATA_TEST_CASE(it_has_its_limits, data::make(kBoth), namespaces) {
  const ScriptedTool tool(R"(
for name in ('CORE', 'CPU', 'DATA', 'AS', 'FSIZE', 'NOFILE', 'NPROC'):
    say(name, *resource.getrlimit(getattr(resource, 'RLIMIT_' + name)))
try: bytearray(1 << 30)
except MemoryError: say('no memory')
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try: open('large', 'wb', buffering=0).write(bytes(4097)); say('small' if os.stat('large').st_size == 4096 else 'large')
except OSError as error: say(errno.errorcode[error.errno])
)");
  ToolCommand command = tool.command();
  command.limits = {.cpu_seconds = 30,
                    .memory = 512u << 20,
                    .address_space = 8ull << 30,
                    .file_size = 4096,
                    .files = 20,
                    .processes = 10};
  const Lines want{"CORE 0 0",
                   "CPU 30 31",
                   "DATA 536870912 536870912",
                   "AS 8589934592 8589934592",
                   "FSIZE 4096 4096",
                   "NOFILE 20 20",
                   "NPROC 10 10",
                   "no memory",
                   "small"};
  BOOST_TEST((run(std::move(command), namespaces) == want));
}

BOOST_AUTO_TEST_CASE(it_is_ended_when_it_has_used_up_its_time_on_the_processor) {
  const ScriptedTool tool("while True: pass\n");
  ToolCommand command = tool.command();
  command.limits.cpu_seconds = 1;
  auto process = start(command);
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  BOOST_TEST(all_lines(*process).empty());
  BOOST_TEST(process->wait(in_a_minute()).value() == 128 + SIGXCPU);
}

BOOST_DATA_TEST_CASE(without_network_it_gets_no_socket, data::make(kBoth), namespaces) {
  const ScriptedTool tool(R"(
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 40, 38):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try: socket.socket(family, kind); say('socket', family, kind)
        except OSError as error: assert error.errno == errno.EPERM, error
for kind in (socket.SOCK_DGRAM, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, socket.SOCK_RAW):
    try: socket.socketpair(socket.AF_UNIX, kind); say('pair', kind)
    except OSError as error: assert error.errno == errno.EPERM, error
a, b = socket.socketpair()
a.send(b'x'); say(b.recv(1).decode())
try: a.connect(sys.argv[1]); say('connected')
except OSError as error: say(errno.errorcode[error.errno])
try: socket.create_connection(('127.0.0.1', int(sys.argv[2])), 5); say('connected')
except OSError as error: say(errno.errorcode[error.errno])
)");
  // Somebody listens, as chanceryd does: it is the kind of socket that keeps the tool from there.
  const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tool.file("daemon.sock").copy(address.sun_path, sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  BOOST_REQUIRE(::listen(listener.get(), 4) == 0);
  const Lines lines = run(tool.command({address.sun_path, "1"}), namespaces);
  BOOST_TEST((lines == Lines{"x", "EISCONN", "EPERM"}));
}

BOOST_DATA_TEST_CASE(with_network_it_reaches_servers_and_no_unix_socket, data::make(kBoth), namespaces) {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  BOOST_REQUIRE(::listen(listener.get(), 4) == 0);
  BOOST_REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const ScriptedTool tool(R"(
socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30); say('connected')
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); say('six')
for family in (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 40, 3, 9):
    try: socket.socket(family, socket.SOCK_STREAM); say('socket', family)
    except OSError as error: assert error.errno == errno.EAFNOSUPPORT, error
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for family in (1, 16, 17): say(libc.syscall(41, ctypes.c_ulong((1 << 32) + family), 1, 0))
)");
  ToolCommand command = tool.command({std::to_string(ntohs(address.sin_port))});
  command.network = true;
  BOOST_TEST((run(std::move(command), namespaces) == Lines{"connected", "six", "-1", "-1", "-1"}));
}

BOOST_AUTO_TEST_CASE(what_was_applied_is_told_and_true) {
  const ScriptedTool tool(R"(
devices = [line.split(':')[0].strip() for line in open('/proc/self/net/dev') if ':' in line]
say(os.getppid() == 1, os.readlink('/proc/self/ns/user'), os.readlink('/proc/self/ns/net'), *devices)
)");
  const std::string own_user = std::filesystem::read_symlink("/proc/self/ns/user").string();
  const std::string own_net = std::filesystem::read_symlink("/proc/self/ns/net").string();
  for (const bool network : {false, true}) {
    for (const bool namespaces : {false, true}) {
      ToolCommand command = tool.command();
      command.network = network;
      command.namespaces = namespaces;
      auto process = start(command);
      BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
      const Containment applied = process->containment();
      const std::string said = one_line(*process);
      BOOST_TEST(applied.seccomp);
      BOOST_TEST(said.starts_with("True") == applied.pid_namespace);
      BOOST_TEST((said.find(own_user) == said.npos) == applied.user_namespace);
      BOOST_TEST((said.find(own_net) == said.npos) == applied.network_namespace);
      if (applied.network_namespace) BOOST_TEST(said.ends_with(" lo"));
      BOOST_TEST(
          (namespaces || !(applied.pid_namespace || applied.user_namespace || applied.network_namespace)));
      BOOST_TEST(!(network && applied.network_namespace));
      if (namespaces && !applied.pid_namespace)
        BOOST_TEST_MESSAGE("this kernel gives no namespaces: what they add is not tried here");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_user_who_is_not_root_has_as_much_whether_its_memory_may_be_dumped_or_not) {
  const int dumpable = applied_for_nobody(true);
  BOOST_TEST((dumpable & 1) == 1);
  BOOST_TEST(applied_for_nobody(false) == dumpable);
}

BOOST_AUTO_TEST_CASE(nothing_runs_without_a_filter) {
  const ScriptedTool tool("open(sys.argv[1], 'w')\n");
  const std::array kBroken{SyscallFilter({}), SyscallFilter({sock_filter{0xffff, 0, 0, 0}}),
                           SyscallFilter({sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}})};
  for (const SyscallFilter& filter : kBroken) {
    const auto process = ContainedProcess::start(tool.command({tool.file("ran")}), filter);
    BOOST_REQUIRE(!process.has_value());
    BOOST_TEST((process.error().code == ErrorCode::kProcessFailed));
    BOOST_TEST((std::string_view(process.error().what).find("filter") != std::string_view::npos));
    BOOST_TEST(!std::filesystem::exists(tool.file("ran")));
  }
}

BOOST_AUTO_TEST_SUITE_END()
