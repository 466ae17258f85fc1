// What changes under a server that serves, sockets that were opened in its stead, and how a stalled one shows.
#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/edge/dev_certificate.hpp"
#include "daemon/edge/listening_socket.hpp"
#include "daemon/edge/tls.hpp"
#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

edge::DevCertificateFiles make_certificate(const std::filesystem::path& folder) {
  edge::DevCertificateFiles files{folder / "ca.pem", folder / "server.pem", folder / "server.key"};
  BOOST_REQUIRE(edge::make_dev_certificate(files, now()));
  return files;
}

BOOST_AUTO_TEST_CASE(another_certificate_is_served_to_connections_that_come_after_it) {
  Scene scene;
  RawClient before = scene.connect(Wire::kTls);
  TemporaryFolder folder;
  const auto files = make_certificate(folder.path());
  auto context = edge::server_tls(files.certificate, files.key);
  BOOST_REQUIRE(context);
  scene.server().use(*std::move(context));
  BOOST_TEST(before.send(post("/echo", "still here")));
  BOOST_REQUIRE(before.receive());
  RawClient after = RawClient::to_tls(scene.server().tls_port(), files.authority);
  BOOST_TEST(after.send(post("/echo", "good")));
  BOOST_REQUIRE(after.receive());
}

BOOST_AUTO_TEST_CASE(other_limits_hold_for_connections_that_come_after_them) {
  Scene scene;
  RawClient before = scene.connect(Wire::kUnix);
  scene.await_connections(1);
  scene.server().use(edge::Limits{.body_bytes = 4});
  BOOST_TEST(before.send(post("/echo", "longer")));
  const auto kept = before.receive();
  BOOST_REQUIRE(kept);
  BOOST_TEST(kept->status == 200);
  RawClient after = scene.connect(Wire::kUnix);
  BOOST_TEST(after.send(post("/echo", "longer")));
  check_refused(after, 413, "longer than this server reads");
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + RawClient::kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

BOOST_AUTO_TEST_CASE(server_whose_blocking_threads_are_all_stuck_does_not_work) {
  edge::ServerOptions options;
  options.blocking_threads = 2;
  options.limits.handler_time = 10ms;
  Scene scene(options);
  BOOST_TEST(scene.server().works(RawClient::kPatience));
  RawClient first = scene.connect(Wire::kUnix), second = scene.connect(Wire::kUnix);
  BOOST_TEST(first.send(get("/wait")));
  scene.application().await_waiting(1);
  BOOST_TEST(scene.server().works(RawClient::kPatience));  // one thread is left
  BOOST_TEST(second.send(get("/wait")));
  scene.application().await_waiting(2);
  BOOST_TEST(eventually([&] { return !scene.server().works(RawClient::kPatience); }));
  scene.application().open_gate();
  BOOST_TEST(eventually([&] { return scene.server().works(RawClient::kPatience); }));
}

BOOST_AUTO_TEST_CASE(server_whose_threads_are_all_stuck_at_what_should_not_wait_does_not_work) {
  edge::ServerOptions options;
  options.threads = 1;
  options.blocking_threads = 1;
  Scene scene(options);
  RawClient first = scene.connect(Wire::kUnix), second = scene.connect(Wire::kUnix);
  BOOST_TEST(first.send(get("/hold")));
  scene.application().await_waiting(1);
  BOOST_TEST(scene.server().works(RawClient::kPatience));  // one thread is left
  BOOST_TEST(second.send(get("/hold")));
  scene.application().await_waiting(2);
  BOOST_TEST(!scene.server().works(20ms));
  scene.application().open_gate();
  BOOST_TEST(scene.server().works(RawClient::kPatience));
}

struct Given {
  TemporaryFolder folder;
  TestApplication application;
  edge::DevCertificateFiles files = make_certificate(folder.path());
  std::filesystem::path path = folder.path() / "given.sock";

  edge::UnixListening unix_socket() const {
    auto listening = edge::listen_unix({.path = path, .mode = 0600, .group = ""});
    BOOST_REQUIRE(listening);
    return *std::move(listening);
  }
};

BOOST_FIXTURE_TEST_CASE(given_sockets_serve_in_place_of_those_configured, Given) {
  auto local = unix_socket();
  auto tcp = edge::listen_tcp({"127.0.0.1", 0}, true);
  BOOST_REQUIRE(tcp);
  const std::uint16_t port = tcp->port;
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{.path = "/nonexistent/never.sock", .group = ""};
  options.tls = edge::TlsAddress{{.host = "192.0.2.1"}, files.certificate, files.key};
  auto server = edge::Server::start(options, application, {std::move(local.socket), std::move(tcp->socket)});
  BOOST_REQUIRE_MESSAGE(server, (server ? "" : server.error().what));
  BOOST_TEST(server->tls_port() == port);
  RawClient over_unix = RawClient::to_unix(path), over_tls = RawClient::to_tls(port, files.authority);
  for (RawClient* client : {&over_unix, &over_tls}) {
    BOOST_TEST(client->send(post("/echo", "good")));
    const auto answer = client->receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == "good");
  }
}

struct BadGift {
  const char* name;
  edge::GivenSockets (*make)(const Given& given);
  const char* complaint;
};
std::ostream& operator<<(std::ostream& out, const BadGift& row) { return out << row.name; }

Descriptor idle_socket(int family) { return Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

const std::array kBadGifts{
    BadGift{"Unix socket that does not listen",
            [](const Given&) {
              return edge::GivenSockets{idle_socket(AF_UNIX), {}};
            },
            "no Unix socket"},
    BadGift{"TCP socket as the Unix one",
            [](const Given&) {
              return edge::GivenSockets{std::move(edge::listen_tcp({"127.0.0.1", 0}, true)->socket), {}};
            },
            "no Unix socket"},
    BadGift{"TCP socket that does not listen",
            [](const Given&) {
              return edge::GivenSockets{{}, idle_socket(AF_INET)};
            },
            "no TCP socket"},
    BadGift{"Unix socket as the TLS one",
            [](const Given& given) {
              return edge::GivenSockets{{}, std::move(given.unix_socket().socket)};
            },
            "no TCP socket"},
};

BOOST_DATA_TEST_CASE(given_socket_of_the_wrong_kind_is_refused, boost::unit_test::data::make(kBadGifts),
                     row) {
  Given given;
  edge::ServerOptions options;
  options.tls = edge::TlsAddress{{.host = "127.0.0.1"}, given.files.certificate, given.files.key};
  const auto server = edge::Server::start(options, given.application, row.make(given));
  BOOST_REQUIRE(!server);
  BOOST_TEST((server.error().code == ErrorCode::kConfigInvalid));
  BOOST_TEST(std::string(server.error().what).find(row.complaint) != std::string::npos, server.error().what);
}

BOOST_FIXTURE_TEST_CASE(given_tls_socket_without_a_certificate_is_refused, Given) {
  auto tcp = edge::listen_tcp({"127.0.0.1", 0}, true);
  BOOST_REQUIRE(tcp);
  const auto server = edge::Server::start({}, application, {{}, std::move(tcp->socket)});
  BOOST_REQUIRE(!server);
  BOOST_TEST(std::string(server.error().what).find("tls_listen is empty") != std::string::npos);
}

}  // namespace
}  // namespace chancery::testing
