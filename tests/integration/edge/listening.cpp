// Where a server listens, and what it refuses to listen on.
#include <fstream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/edge/listening_socket.hpp"
#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

namespace data = boost::unit_test::data;

template <typename T>
void check_error(const Result<T>& result, ErrorCode code, std::string_view what) {
  BOOST_REQUIRE(!result);
  BOOST_TEST((result.error().code == code));
  BOOST_TEST(std::string(result.error().what).find(what) != std::string::npos, result.error().what);
}

edge::UnixAddress unix_at(const std::filesystem::path& path) {
  return {.path = path, .mode = 0600, .group = ""};
}

BOOST_AUTO_TEST_CASE(socket_has_its_mode_and_goes_with_its_server) {
  TemporaryFolder folder;
  const auto path = folder.path() / "edge.sock";
  {
    const auto listening = edge::listen_unix({.path = path, .mode = 0620, .group = ""});
    BOOST_REQUIRE(listening);
    struct stat status {};
    BOOST_REQUIRE(::lstat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0620U);
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(stale_socket_is_replaced) {
  TemporaryFolder folder;
  const auto path = folder.path() / "edge.sock";
  {
    auto dead = edge::listen_unix(unix_at(path));
    BOOST_REQUIRE(dead);
    std::filesystem::rename(path,
                            folder.path() / "kept.sock");  // so that it survives its server, as after a crash
  }
  std::filesystem::rename(folder.path() / "kept.sock", path);
  BOOST_REQUIRE(std::filesystem::is_socket(path));
  BOOST_TEST(edge::listen_unix(unix_at(path)).has_value());
}

BOOST_AUTO_TEST_CASE(socket_that_somebody_answers_on_is_left_alone) {
  Scene scene;
  check_error(edge::listen_unix(unix_at(scene.socket())), ErrorCode::kConflict, "another process answers");
  scene.check_serves(Wire::kUnix);
}

BOOST_AUTO_TEST_CASE(file_that_is_no_socket_is_left_alone) {
  TemporaryFolder folder;
  const auto path = folder.path() / "precious";
  std::ofstream(path) << "text";
  check_error(edge::listen_unix(unix_at(path)), ErrorCode::kConflict, "no socket");
  BOOST_TEST(std::filesystem::file_size(path) == 4U);
}

BOOST_AUTO_TEST_CASE(file_that_took_the_sockets_place_is_left_alone) {
  TemporaryFolder folder;
  const auto path = folder.path() / "edge.sock";
  {
    const auto listening = edge::listen_unix(unix_at(path));
    BOOST_REQUIRE(listening);
    std::filesystem::remove(path);
    std::ofstream(path) << "text";
  }
  BOOST_TEST(std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(paths_and_groups_that_cannot_be_are_refused) {
  TemporaryFolder folder;
  check_error(edge::listen_unix(unix_at("relative.sock")), ErrorCode::kConfigInvalid, "absolute path");
  check_error(edge::listen_unix(unix_at("/" + std::string(107, 'a'))), ErrorCode::kConfigInvalid,
              "at most 107");
  check_error(edge::listen_unix(unix_at(folder.path() / "none" / "edge.sock")), ErrorCode::kFileUnwritable,
              "create its folder");
  const auto path = folder.path() / "edge.sock";
  check_error(edge::listen_unix({.path = path, .mode = 0660, .group = "no-such-group-here"}),
              ErrorCode::kConfigInvalid, "group does not exist");
  BOOST_TEST(!std::filesystem::exists(path));
}

struct TcpCase {
  const char* host;
  bool has_tls;
  const char* complaint;  ///< nullptr: accepted
};
std::ostream& operator<<(std::ostream& out, const TcpCase& row) {
  return out << row.host << (row.has_tls ? " with TLS" : "");
}

constexpr std::array kTcp{
    TcpCase{"127.0.0.1", false, nullptr},
    TcpCase{"127.8.9.10", false, nullptr},
    TcpCase{"0.0.0.0", false, "loopback only"},
    TcpCase{"192.0.2.1", false, "loopback only"},
    TcpCase{"::", false, "loopback only"},
    TcpCase{"::ffff:127.0.0.1", false, "loopback only"},
    TcpCase{"0.0.0.0", true, nullptr},
    TcpCase{"192.0.2.1", true, "none of this machine's"},
    TcpCase{"localhost", true, "no IPv4 or IPv6 literal"},
    TcpCase{"", true, "no IPv4 or IPv6 literal"},
    TcpCase{"127.0.0.1:80", true, "no IPv4 or IPv6 literal"},
};

BOOST_DATA_TEST_CASE(tcp_without_tls_is_for_loopback, data::make(kTcp), row) {
  const auto listening = edge::listen_tcp({row.host, 0}, row.has_tls);
  if (row.complaint) return check_error(listening, ErrorCode::kConfigInvalid, row.complaint);
  BOOST_REQUIRE(listening);
  BOOST_TEST(listening->port != 0);
}

BOOST_AUTO_TEST_CASE(address_in_use_is_refused) {
  Scene scene;
  check_error(edge::listen_tcp({"127.0.0.1", scene.server().plain_port()}, false), ErrorCode::kConflict,
              "in use");
}

BOOST_AUTO_TEST_CASE(server_that_cannot_open_all_opens_nothing) {
  TemporaryFolder folder;
  TestApplication application;
  edge::ServerOptions options;
  options.unix_socket = unix_at(folder.path() / "edge.sock");
  options.plain = edge::TcpAddress{"0.0.0.0", 0};
  check_error(edge::Server::start(options, application), ErrorCode::kConfigInvalid, "loopback only");
  BOOST_TEST(!std::filesystem::exists(folder.path() / "edge.sock"));
}

}  // namespace
}  // namespace chancery::testing
