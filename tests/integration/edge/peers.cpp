// Who asks: what the kernel says of the process at the other end of the Unix socket.
#include <csignal>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

std::string line_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return "(no such line)";
}

std::string ask(RawClient& client, std::string_view path) {
  client.send(get(path));
  const auto answer = client.receive();
  return answer ? answer->body : std::string();
}

std::string own_executable() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
  groups.resize(static_cast<std::size_t>(::getgroups(static_cast<int>(groups.size()), groups.data())));
  std::string text;
  for (const gid_t group : groups) text += std::to_string(group) + " ";
  return text;
}

BOOST_AUTO_TEST_CASE(unix_peer_is_known_by_the_kernels_word) {
  Scene scene;
  RawClient client = scene.connect(Wire::kUnix);
  const std::string peer = ask(client, "/peer");
  BOOST_TEST(line_of(peer, "uid") == std::to_string(::geteuid()));
  BOOST_TEST(line_of(peer, "gid") == std::to_string(::getegid()));
  BOOST_TEST(line_of(peer, "pid") == std::to_string(::getpid()));
  BOOST_TEST(line_of(peer, "groups") == own_groups());
  BOOST_TEST(line_of(peer, "executable") == own_executable());
  BOOST_TEST(line_of(peer, "start") != "0");
}

// What may not block concerns no agent; there the narrowing parts are not read, and match nothing.
BOOST_AUTO_TEST_CASE(requests_that_do_not_block_know_ids_only) {
  Scene scene;
  RawClient client = scene.connect(Wire::kUnix);
  ask(client, "/peer");
  const std::string peer = ask(client, "/peer-of-fast");
  BOOST_TEST(line_of(peer, "uid") == std::to_string(::geteuid()));
  BOOST_TEST(line_of(peer, "executable").empty());
}

BOOST_AUTO_TEST_CASE(tcp_peers_have_no_credentials) {
  Scene scene;
  for (const Wire wire : {Wire::kPlain, Wire::kTls}) {
    RawClient client = scene.connect(wire);
    BOOST_TEST(ask(client, "/peer") == (wire == Wire::kTls ? "transport=1\n" : "transport=2\n"));
  }
}

/// A process of its own, forked before the server has threads, that reports what it sees.
class Child {
 public:
  /// \param act  runs in the child, once go() was called; what it returns is what report() gives
  template <typename Act>
  explicit Child(Act act) {
    BOOST_REQUIRE(::pipe(go_) == 0);
    BOOST_REQUIRE(::pipe(report_) == 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    char octet = 0;
    if (::read(go_[0], &octet, 1) == 1) {
      const std::string text = act();
      (void)!::write(report_[1], text.data(), text.size());
    }
    ::_exit(0);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    for (const int descriptor : {go_[0], go_[1], report_[0], report_[1]}) ::close(descriptor);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void go() { BOOST_REQUIRE(::write(go_[1], "g", 1) == 1); }

  /// Ends with the line "end".
  std::string report() {
    std::string text;
    char octet = 0;
    while (!text.ends_with("end\n") && ::read(report_[0], &octet, 1) == 1) text += octet;
    return text;
  }

 private:
  int go_[2] = {-1, -1};
  int report_[2] = {-1, -1};
  pid_t pid_ = -1;
};

BOOST_AUTO_TEST_CASE(other_process_is_told_apart) {
  TemporaryFolder folder;
  std::filesystem::path socket = folder.path() / "link.sock";
  Child child([&] {
    RawClient client = RawClient::to_unix(socket);
    return ask(client, "/peer") + "\nend\n";
  });
  Scene scene;
  std::filesystem::create_symlink(scene.socket(), socket);
  child.go();
  const std::string peer = child.report();
  BOOST_TEST(line_of(peer, "pid") == std::to_string(child.pid()));
  BOOST_TEST(line_of(peer, "executable") == own_executable());
}

BOOST_AUTO_TEST_CASE(other_user_is_told_apart,
                     *boost::unit_test::precondition([](auto) { return ::geteuid() == 0; })) {
  constexpr uid_t kUser = 54321;
  constexpr gid_t kGroup = 54322;
  constexpr gid_t kExtraGroup = 54323;
  TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  const std::filesystem::path socket = folder.path() / "other-user.sock";
  Child child([&] {
    const gid_t groups[] = {kExtraGroup};
    if (::setgroups(1, groups) != 0 || ::setresgid(kGroup, kGroup, kGroup) != 0 ||
        ::setresuid(kUser, kUser, kUser) != 0) {
      return std::string("no\nend\n");
    }
    RawClient client = RawClient::to_unix(socket);
    return ask(client, "/peer") + "\nend\n";
  });
  TestApplication application;
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{socket, 0666, ""};
  auto server = edge::Server::start(options, application);
  BOOST_REQUIRE(server);
  child.go();
  const std::string peer = child.report();
  BOOST_TEST(line_of(peer, "uid") == std::to_string(kUser));
  BOOST_TEST(line_of(peer, "gid") == std::to_string(kGroup));
  BOOST_TEST(line_of(peer, "groups") == std::to_string(kExtraGroup) + " ");
  BOOST_TEST(line_of(peer, "executable") == own_executable());
}

// Connect, fork, keep the descriptor in the child, and let the parent become the trusted program: the kernel
// still names the parent. So an executable only narrows (docs/security/threat-model.md); uid and pid are
// those of the parent throughout, and nothing is known any more once it has ended.
BOOST_AUTO_TEST_CASE(executable_is_that_of_the_process_that_connected_whoever_asks) {
  TemporaryFolder folder;
  const std::filesystem::path socket = folder.path() / "link.sock";
  Child parent([&]() -> std::string {
    RawClient client = RawClient::to_unix(socket);
    std::string seen = ask(client, "/peer");
    const pid_t connected = ::getpid();
    if (::fork() != 0) {
      ::execl("/bin/sleep", "sleep", "60", nullptr);
      ::_exit(1);
    }
    const std::string link = "/proc/" + std::to_string(connected) + "/exe";
    std::error_code ec;
    while (std::filesystem::read_symlink(link, ec).filename() ==
           std::filesystem::path(own_executable()).filename()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    seen += "--\n" + ask(client, "/peer");
    ::kill(connected, SIGKILL);
    while (std::filesystem::read_symlink(link, ec) != std::filesystem::path()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return seen + "--\n" + ask(client, "/peer") + "\nend\n";
  });
  Scene scene;
  std::filesystem::create_symlink(scene.socket(), socket);
  parent.go();
  const std::string seen = parent.report();
  const std::size_t second = seen.find("--\n");
  const std::size_t third = seen.find("--\n", second + 1);
  BOOST_REQUIRE(third != std::string::npos);
  const std::string before = seen.substr(0, second);
  const std::string after_exec = seen.substr(second, third - second);
  const std::string after_end = seen.substr(third);
  BOOST_TEST(line_of(before, "executable") == own_executable());
  BOOST_TEST(line_of(after_exec, "executable") == std::filesystem::canonical("/bin/sleep").string());
  BOOST_TEST(line_of(after_exec, "pid") == std::to_string(parent.pid()));
  BOOST_TEST(line_of(after_end, "executable").empty());
  BOOST_TEST(line_of(after_end, "uid") == std::to_string(::geteuid()));
}

}  // namespace
}  // namespace chancery::testing
