#include "daemon/runtime/containment/contained_process.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ostream>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/wait.h>

#include "tests/unit/runtime/containment/scripted_tool.hpp"

// What a tool is told and says, and how it and all that it started ends.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

constexpr std::array kBoth{true, false};

ContainedProcess started(ToolCommand command, bool namespaces = true) {
  command.namespaces = namespaces;
  auto process = start(command);
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  return *std::move(process);
}

ToolCommand program(std::vector<std::string> arguments) {
  ToolCommand command;
  command.arguments = std::move(arguments);
  return command;
}

// Leaves processes behind by all the ways there are, each of which holds a lock on a file.
constexpr const char* kLeavesOthers = R"(
def hold(name):
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    file = open(os.path.join(sys.argv[1], name), 'w')
    fcntl.flock(file, fcntl.LOCK_EX)
    say(name)
    if sys.argv[2] == 'quiet': os.close(1)
    while True: time.sleep(1000)
if os.fork() == 0: hold('child')
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: hold('daemon')
    os._exit(0)
if os.fork() == 0:
    if os.fork() == 0:
        if os.fork() == 0: hold('third')
        time.sleep(1000)
    time.sleep(1000)
)";
constexpr std::array kLeft{"child", "daemon", "third"};

bool is_any_locked(const ScriptedTool& tool) {
  return std::ranges::any_of(kLeft, [&](const char* name) { return tool.is_locked(name); });
}

// Until all of them hold their locks.
void wait_for_all(ContainedProcess& process) {
  std::vector<std::string> said;
  for (std::size_t i = 0; i < kLeft.size(); ++i) said.push_back(one_line(process));
  std::ranges::sort(said);
  BOOST_REQUIRE(std::ranges::equal(said, kLeft));
}

struct Wrong {
  const char* name;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  ErrorCode error;
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }

const std::array kWrong{
    Wrong{"no program", {}, {}, ErrorCode::kInvalidArgument},
    Wrong{"an empty program", {""}, {}, ErrorCode::kInvalidArgument},
    Wrong{"a relative path", {"bin/tool"}, {}, ErrorCode::kInvalidArgument},
    Wrong{"a name that is nowhere", {"chancery-no-such-tool"}, {}, ErrorCode::kProcessFailed},
    Wrong{"a path that is nowhere", {"/nonexistent/tool"}, {}, ErrorCode::kProcessFailed},
    Wrong{"a folder", {"/usr/bin"}, {}, ErrorCode::kProcessFailed},
    Wrong{"a file that is no program", {"/etc/passwd"}, {}, ErrorCode::kProcessFailed},
    Wrong{"LF in an argument", {"echo", "a\nb"}, {}, ErrorCode::kInvalidArgument},
    Wrong{"CR in an argument", {"echo", "a\rb"}, {}, ErrorCode::kInvalidArgument},
    Wrong{"NUL in an argument", {"echo", std::string("a\0b", 3)}, {}, ErrorCode::kInvalidArgument},
    Wrong{"a variable without a value", {"env"}, {"NAME"}, ErrorCode::kInvalidArgument},
    Wrong{"a variable without a name", {"env"}, {"=a"}, ErrorCode::kInvalidArgument},
    Wrong{"a variable whose name is none", {"env"}, {"A B=a"}, ErrorCode::kInvalidArgument},
    Wrong{"NUL in a variable", {"env"}, {std::string("A=a\0b", 5)}, ErrorCode::kInvalidArgument},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(contained_process)

BOOST_DATA_TEST_CASE(a_command_that_is_wrong_is_named_and_not_run, data::make(kWrong), row) {
  ToolCommand command = program(row.arguments);
  command.environment = row.environment;
  const auto process = start(command);
  BOOST_REQUIRE(!process.has_value());
  BOOST_TEST((process.error().code == row.error), process.error().what);
}

BOOST_AUTO_TEST_CASE(no_shell_reads_an_argument) {
  auto process = started(program({"echo", "$HOME `id` ; | > x", "*"}));
  BOOST_TEST(one_line(process) == "$HOME `id` ; | > x *");
}

BOOST_DATA_TEST_CASE(lines_go_both_ways, data::make(kBoth), namespaces) {
  auto process = started(program({"cat"}), namespaces);
  for (const std::string line : {"{\"jsonrpc\": \"2.0\"}", "", "\xe4", "last"}) {
    BOOST_REQUIRE(process.lines().write_line(line, in_a_minute()).has_value());
    const auto echoed = process.lines().read_line(in_a_minute());
    BOOST_REQUIRE(echoed.has_value());
    BOOST_TEST(*echoed == line);
  }
  process.lines().close_input();
  BOOST_TEST((process.lines().read_line(in_a_minute()).error().code == ErrorCode::kProcessFailed));
  BOOST_TEST(process.wait(in_a_minute()).value() == 0);
}

BOOST_AUTO_TEST_CASE(a_line_is_one_line) {
  auto process = started(program({"cat"}));
  for (const std::string& line : {std::string("a\nb"), std::string("a\r"), std::string("a\0b", 3)})
    BOOST_TEST((process.lines().write_line(line, in_a_minute()).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_larger_than_any_pipe_goes_both_ways) {
  ToolCommand command = program({"cat"});
  command.lines.max_line = 3u << 20;
  auto process = started(std::move(command));
  const std::string line(3u << 20, 'a');
  BOOST_REQUIRE(process.lines().write_line(line, in_a_minute()).has_value());
  const auto echoed = process.lines().read_line(in_a_minute());
  BOOST_REQUIRE(echoed.has_value());
  BOOST_TEST((*echoed == line));
}

BOOST_AUTO_TEST_CASE(a_line_is_bounded_on_both_sides_of_the_edge) {
  for (const std::size_t size : {1000u, 1001u}) {
    const ScriptedTool tool("say('a' * int(sys.argv[1]))\n");
    ToolCommand command = tool.command({std::to_string(size)});
    command.lines.max_line = 1000;
    auto process = started(std::move(command));
    const auto line = process.lines().read_line(in_a_minute());
    BOOST_REQUIRE(line.has_value() == (size == 1000));
    if (!line) BOOST_TEST((line.error().code == ErrorCode::kTooLarge));
  }
}

BOOST_AUTO_TEST_CASE(a_flood_is_bounded) {
  struct Flood {
    const char* source;
    std::size_t most_lines;
  };
  for (const Flood flood : {Flood{"while True: sys.stdout.write('a' * 4096)\n", 0},
                            Flood{"while True: sys.stdout.write('a\\n' * 2048)\n", 50'000}}) {
    const ScriptedTool tool(flood.source);
    ToolCommand command = tool.command();
    command.lines = {.max_line = 10'000, .max_output = 100'000};
    auto process = started(std::move(command));
    std::size_t lines = 0;
    Result<std::string> line = process.lines().read_line(in_a_minute());
    for (; line; line = process.lines().read_line(in_a_minute())) ++lines;
    BOOST_TEST((line.error().code == ErrorCode::kTooLarge), line.error().what);
    BOOST_TEST(lines <= flood.most_lines);
  }
}

BOOST_AUTO_TEST_CASE(standard_error_is_kept_up_to_its_bound_and_holds_nothing_up) {
  const ScriptedTool tool("sys.stderr.write('first' + 'e' * 1000000); sys.stderr.flush(); say('done')\n");
  ToolCommand command = tool.command();
  command.lines.max_errors = 1000;
  auto process = started(std::move(command));
  BOOST_TEST(one_line(process) == "done");
  BOOST_TEST(process.lines().errors() == "first" + std::string(995, 'e'));
}

BOOST_AUTO_TEST_CASE(a_tool_that_ended_can_be_written_to_without_harm) {
  auto process = started(program({"true"}));
  BOOST_TEST((process.lines().read_line(in_a_minute()).error().code == ErrorCode::kProcessFailed));
  BOOST_TEST(process.wait(in_a_minute()).value() == 0);  // from here on nobody has its input open
  const Status status = process.lines().write_line("a", in_a_minute());
  BOOST_REQUIRE(!status.has_value());
  BOOST_TEST((status.error().code == ErrorCode::kProcessFailed));
}

BOOST_DATA_TEST_CASE(how_a_tool_ended_is_told, data::make(kBoth), namespaces) {
  const auto end_of = [namespaces](const char* source) {
    const ScriptedTool tool(source);
    auto process = started(tool.command(), namespaces);
    return process.wait(in_a_minute()).value();
  };
  BOOST_TEST(end_of("sys.exit(0)\n") == 0);
  BOOST_TEST(end_of("sys.exit(7)\n") == 7);
  BOOST_TEST(end_of("os.kill(os.getpid(), signal.SIGTERM)\n") == 128 + SIGTERM);
  BOOST_TEST(end_of("os.abort()\n") == 128 + SIGABRT);
}

BOOST_DATA_TEST_CASE(a_tool_that_hangs_is_ended_at_the_deadline, data::make(kBoth), namespaces) {
  const ScriptedTool tool(R"(
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); say('hanging')
while True: time.sleep(1000)
)");
  auto process = started(tool.command({tool.file("held")}), namespaces);
  BOOST_TEST(one_line(process) == "hanging");
  BOOST_TEST((process.wait(std::chrono::steady_clock::now() + 10ms).error().code == ErrorCode::kTimeout));
  const auto line = process.lines().read_line(std::chrono::steady_clock::now() + 50ms);
  BOOST_REQUIRE(!line.has_value());
  BOOST_TEST((line.error().code == ErrorCode::kTimeout));
  BOOST_TEST(tool.is_locked("held"));
  BOOST_TEST(process.end() == 128 + SIGKILL);
  BOOST_TEST(!tool.is_locked("held"));
}

BOOST_DATA_TEST_CASE(whatever_a_tool_started_dies_with_the_call, data::make(kBoth), namespaces) {
  const ScriptedTool tool(std::string(kLeavesOthers) + "while True: time.sleep(1000)\n");
  auto process = started(tool.command({tool.file(""), "loud"}), namespaces);
  wait_for_all(process);
  for (const char* name : kLeft) BOOST_TEST(tool.is_locked(name), name);
  process.end();
  for (const char* name : kLeft) BOOST_TEST(!tool.is_locked(name), name);
}

BOOST_DATA_TEST_CASE(whatever_a_tool_leaves_behind_dies_when_it_ends, data::make(kBoth), namespaces) {
  const ScriptedTool tool(std::string(kLeavesOthers) + "sys.stdin.readline()\nsys.exit(3)\n");
  auto process = started(tool.command({tool.file(""), "quiet"}), namespaces);
  wait_for_all(process);
  for (const char* name : kLeft) BOOST_TEST(tool.is_locked(name), name);
  BOOST_REQUIRE(process.lines().write_line("end", in_a_minute()).has_value());
  BOOST_TEST(process.wait(in_a_minute()).value() == 3);
  for (const char* name : kLeft) BOOST_TEST(!tool.is_locked(name), name);
}

BOOST_DATA_TEST_CASE(all_of_it_dies_with_the_runtime, data::make(kBoth), namespaces) {
  const ScriptedTool tool(std::string(kLeavesOthers) + "while True: time.sleep(1000)\n");
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const pid_t runtime = ::fork();
  if (runtime == 0) {
    ToolCommand command = tool.command({tool.file(""), "loud"});
    command.namespaces = namespaces;
    auto process = start(command);
    for (std::size_t i = 0; process && i < kLeft.size(); ++i) static_cast<void>(one_line(*process));
    static_cast<void>(!::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  const Descriptor reading(ready[0]);
  ::close(ready[1]);
  char told = 0;
  BOOST_TEST(::read(reading.get(), &told, 1) == 1);
  for (const char* name : kLeft) BOOST_TEST(tool.is_locked(name), name);
  ::kill(runtime, SIGKILL);
  ::waitpid(runtime, nullptr, 0);
  const auto give_up = in_a_minute();
  while (is_any_locked(tool) && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(10ms);
  for (const char* name : kLeft) BOOST_TEST(!tool.is_locked(name), name);
}

BOOST_AUTO_TEST_CASE(many_threads_start_tools_at_a_time) {
  constexpr int kThreads = 6;
  std::atomic<int> echoed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&echoed, i] {
      for (int call = 0; call < 10; ++call) {
        auto process = start(program({"cat"}));
        const std::string line = std::to_string(i) + "/" + std::to_string(call);
        if (!process || !process->lines().write_line(line, in_a_minute())) continue;
        echoed += one_line(*process) == line ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(echoed == kThreads * 10);
}

BOOST_AUTO_TEST_CASE(a_tool_is_unaware_of_the_thread_that_started_it) {
  std::optional<ContainedProcess> process;
  std::thread([&] { process.emplace(*start(program({"cat"}))); }).join();
  BOOST_REQUIRE(process.has_value());
  // That thread has ended, which is what PR_SET_PDEATHSIG would be about.
  BOOST_REQUIRE(process->lines().write_line("a", in_a_minute()).has_value());
  BOOST_TEST(one_line(*process) == "a");
}

BOOST_AUTO_TEST_CASE(what_must_be_apart_is_not_started_without_a_user_namespace) {
  ToolCommand command = program({"/bin/true"});
  command.only_apart = true;
  command.namespaces = false;
  const auto process = start(command);
  BOOST_REQUIRE(!process.has_value());
  BOOST_TEST((process.error().code == ErrorCode::kProcessFailed));
  BOOST_TEST(std::string(process.error().what).find("user namespace") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
