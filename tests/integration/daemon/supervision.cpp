// What a service manager is told, and what it hands over.
#include <cstdlib>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/edge/listening_socket.hpp"
#include "daemon/systemd/watchdog.hpp"
#include "sdk/base/descriptor.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;

// Where systemd listens for what its services say of themselves.
class Listener {
 public:
  explicit Listener(const std::filesystem::path& path)
      : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    BOOST_REQUIRE(path.native().size() < sizeof name.sun_path);
    path.native().copy(name.sun_path, sizeof name.sun_path - 1);
    BOOST_REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  }

  std::string variable() const { return "NOTIFY_SOCKET=" + path_.string(); }

  // What was said so far, each message behind a line end.
  std::string heard() {
    char buffer[4096];
    for (;;) {
      const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (size < 0) return heard_;
      heard_ += "\n" + std::string(buffer, static_cast<std::size_t>(size));
    }
  }
  bool hears(std::string_view what) {
    return eventually([&] { return heard().find(what) != std::string::npos; });
  }
  void forget() {
    (void)heard();
    heard_.clear();
  }

 private:
  std::filesystem::path path_;
  Descriptor socket_;
  std::string heard_;
};

struct Managed {
  TemporaryFolder folder;
  simulators::Swtpm tpm = [this] {
    auto started = simulators::Swtpm::start({.folder = folder.path() / "tpm"});
    BOOST_REQUIRE(started);
    return *std::move(started);
  }();
  Listener manager{folder.path() / "notify"};
  DaemonProcess daemon{DaemonSettings{.tcti = tpm.tcti()}};
};

BOOST_FIXTURE_TEST_CASE(manager_hears_of_readiness_once_sockets_serve_and_of_the_end, Managed) {
  daemon.start_by({"/usr/bin/env", manager.variable()});
  BOOST_TEST(manager.hears("\nREADY=1"));
  BOOST_TEST(manager.heard().find("WATCHDOG=1") == std::string::npos);
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(manager.hears("\nSTOPPING=1"));
}

BOOST_FIXTURE_TEST_CASE(daemon_that_cannot_serve_is_never_ready, Managed) {
  const auto taken = edge::listen_tcp({"127.0.0.1", 0}, true);
  BOOST_REQUIRE(taken);
  DaemonProcess other{DaemonSettings{.tcti = tpm.tcti(), .tls_port = taken->port}};
  ::setenv("NOTIFY_SOCKET", (folder.path() / "notify").c_str(), 1);
  const auto ending = other.start_and_fail();
  ::unsetenv("NOTIFY_SOCKET");
  BOOST_TEST(ending.exit_status != 0);
  BOOST_TEST(manager.heard().find("READY=1") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(watchdog_is_fed_again_and_again, Managed) {
  daemon.start_by({"/usr/bin/env", manager.variable(), "WATCHDOG_USEC=200000"});
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(manager.hears("\nWATCHDOG=1"));
    manager.forget();
  }
  BOOST_TEST(daemon.stop() == 0);
}

BOOST_AUTO_TEST_CASE(watchdog_is_not_fed_while_a_part_is_stalled) {
  bool first_works = true, second_works = true;
  int fed = 0;
  std::string stalled;
  const systemd::Watchdog watchdog(
      {{"first", [&] { return first_works; }}, {"second", [&] { return second_works; }}}, [&] { ++fed; },
      [&](const char* part) { stalled = part; });
  watchdog.round();
  BOOST_TEST(fed == 1);
  second_works = false;
  watchdog.round();
  BOOST_TEST(fed == 1);
  BOOST_TEST(stalled == "second");
  first_works = false;
  watchdog.round();
  BOOST_TEST(fed == 1);
  BOOST_TEST(stalled == "first");
  first_works = second_works = true;
  watchdog.round();
  BOOST_TEST(fed == 2);
}

// A daemon that gets sockets as systemd hands them over: from descriptor 3 on, by name.
std::vector<std::string> activation(const std::vector<std::pair<int, std::string>>& sockets) {
  std::string names, moves;
  int place = 3;
  for (const auto& [descriptor, name] : sockets) {
    names += (names.empty() ? "" : ":") + name;
    moves += "exec " + std::to_string(place++) + "<&" + std::to_string(descriptor) + "; ";
  }
  return {"/bin/bash", "-c",
          moves + "export LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(sockets.size()) +
              " LISTEN_FDNAMES=" + names + "; exec \"$@\"",
          "launcher"};
}

// Free of close-on-exec, and out of the way of the places that the launcher fills.
int inheritable(const Descriptor& socket) { return ::fcntl(socket.get(), F_DUPFD, 100); }

BOOST_FIXTURE_TEST_CASE(sockets_of_units_serve_and_stay_when_the_daemon_ends, Managed) {
  const auto path = daemon.socket();
  auto local = edge::listen_unix({.path = path, .mode = 0666, .group = ""});
  auto tls = edge::listen_tcp({"127.0.0.1", 0}, true);
  BOOST_REQUIRE(local);
  BOOST_REQUIRE(tls);
  const int given_local = inheritable(local->socket), given_tls = inheritable(tls->socket);
  daemon.start_by(activation({{given_local, "chancery.sock"}, {given_tls, "chancery.tls"}}));
  auto over_tls = Client::connect({.address = "https://localhost:" + std::to_string(tls->port),
                                   .ca_file = (daemon.folder() / "ca.pem").string(),
                                   .timeout = 20s});
  BOOST_REQUIRE(over_tls);
  BOOST_TEST(over_tls->metadata().has_value());
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(std::filesystem::is_socket(path));
  ::close(given_local);
  ::close(given_tls);
}

BOOST_FIXTURE_TEST_CASE(socket_of_an_unknown_name_is_refused, Managed) {
  auto local = edge::listen_unix({.path = folder.path() / "other.sock", .mode = 0600, .group = ""});
  BOOST_REQUIRE(local);
  const int given = inheritable(local->socket);
  std::vector<std::string> command = activation({{given, "unknown"}});
  for (const std::string& word : {std::string(CHANCERY_BINARY_DIR "/chanceryd"), std::string("--config"),
                                  (daemon.folder() / "chancery.toml").string()}) {
    command.push_back(word);
  }
  const ProgramResult result = run_program(command);
  BOOST_TEST(result.exit_status == 1);
  BOOST_TEST(result.output.find("FileDescriptorName=chancery.sock") != std::string::npos, result.output);
  ::close(given);
}

}  // namespace
}  // namespace chancery::tests
