#include "tests/integration/edge/scene.hpp"

#include <fstream>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "daemon/edge/dev_certificate.hpp"

namespace chancery::testing {
namespace {

rest::Response text(std::string body) { return {200, "text/plain", std::move(body), {}}; }

std::string describe_peer(const rest::Peer& peer) {
  std::ostringstream out;
  out << "transport=" << static_cast<int>(peer.transport) << "\n";
  if (!peer.credentials) return out.str();
  const rest::PeerCredentials& who = *peer.credentials;
  out << "uid=" << who.uid << "\ngid=" << who.gid << "\npid=" << who.pid << "\nstart=" << who.start_time
      << "\nunit=" << who.unit << "\nexecutable=" << who.executable << "\ngroups=";
  for (const std::uint32_t group : who.groups) out << group << " ";
  return out.str();
}

std::string describe_request(const rest::Request& request) {
  std::string out = request.method + " " + request.path + " ? " + request.query + "\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\n";
  return out;
}

}  // namespace

bool TestApplication::may_block(std::string_view, std::string_view path) const {
  return path == "/wait" || path == "/device" || path == "/peer";
}

rest::Response TestApplication::handle(rest::Request& request) {
  if (request.path == "/wait" || request.path == "/hold") return wait_at_gate();
  if (request.path == "/peer" || request.path == "/peer-of-fast") return text(describe_peer(request.peer));
  if (request.path == "/request") return text(describe_request(request));
  if (request.path == "/large") return text(std::string(32 * 1024 * 1024, 'x'));
  if (request.path == "/deadline") {
    const auto left = request.deadline - std::chrono::steady_clock::now();
    return text(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()));
  }
  if (request.path == "/broken")
    return rest::problem(Error{ErrorCode::kDeviceError, "look after the device", 0x922});
  if (request.path == "/throw") throw std::runtime_error("a bug");
  if (request.path == "/empty") return {204, "", "", {}};
  if (request.path == "/cached") return {200, "text/plain", "", {{"Cache-Control", "public, max-age=60"}}};
  if (request.path != "/echo" && request.path != "/device")
    return rest::problem(404, ErrorCode::kRouteUnknown, "no such path");
  {
    const std::lock_guard lock(mutex_);
    begun_.insert(request.body);
  }
  return text(request.body);
}

rest::Response TestApplication::wait_at_gate() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return gate_open_; });
  --waiting_;
  return text("waited");
}

void TestApplication::open_gate() {
  const std::lock_guard lock(mutex_);
  gate_open_ = true;
  changed_.notify_all();
}

void TestApplication::await_waiting(std::size_t count) {
  std::unique_lock lock(mutex_);
  BOOST_REQUIRE(changed_.wait_for(lock, RawClient::kPatience, [&] { return waiting_ == count; }));
}

std::set<std::string> TestApplication::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

std::ostream& operator<<(std::ostream& out, Wire wire) {
  switch (wire) {
    case Wire::kUnix:
      return out << "Unix socket";
    case Wire::kPlain:
      return out << "plain TCP";
    case Wire::kTls:
      return out << "TLS";
  }
  return out;
}

Scene::Scene(const edge::Limits& limits)
    : Scene([&] {
        edge::ServerOptions options;
        options.limits = limits;
        return options;
      }()) {}

Scene::Scene(edge::ServerOptions options) {
  const std::filesystem::path certificate = folder_.path() / "server.pem";
  const std::filesystem::path key = folder_.path() / "server.key";
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  BOOST_REQUIRE(edge::make_dev_certificate({authority(), certificate, key}, now));
  options.unix_socket = edge::UnixAddress{.path = socket(), .mode = 0600, .group = ""};
  options.plain = edge::TcpAddress{.host = "127.0.0.1"};
  options.tls = edge::TlsAddress{{.host = "127.0.0.1"}, certificate, key};
  auto started = edge::Server::start(options, application_);
  BOOST_REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
  server_.emplace(*std::move(started));
}

Scene::~Scene() { application_.open_gate(); }

RawClient Scene::connect(Wire wire) const {
  switch (wire) {
    case Wire::kUnix:
      return RawClient::to_unix(socket());
    case Wire::kPlain:
      return RawClient::to_plain(server_->plain_port());
    case Wire::kTls:
      return RawClient::to_tls(server_->tls_port(), authority());
  }
  std::abort();
}

void Scene::check_serves(Wire wire) const {
  RawClient client = connect(wire);
  BOOST_TEST(client.send(post("/echo", "good")));
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->body == "good");
}

void Scene::await_connections(std::size_t count) const {
  const auto end = std::chrono::steady_clock::now() + RawClient::kPatience;
  while (server_->open_connections() != count && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  BOOST_TEST(server_->open_connections() == count);
}

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

void check_refused(RawClient& client, int status, std::string_view detail) {
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == status);
  BOOST_TEST(answer->field("Content-Type").value_or("") == "application/problem+json");
  BOOST_TEST(answer->field("Connection").value_or("") == "close");
  BOOST_TEST(answer->field("Request-Id").value_or("").size() == 32U);
  BOOST_TEST(answer->body.find("\"type\":\"urn:chancery:error:") != std::string::npos);
  BOOST_TEST(answer->body.find(detail) != std::string::npos, answer->body << " says nothing of: " << detail);
  BOOST_TEST(client.is_closed_by_server());
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void check_memory_since(std::size_t before) {
#ifdef CHANCERY_IS_SANITIZED
  constexpr std::size_t kAllowed = 96 * 1024 * 1024;
#else
  constexpr std::size_t kAllowed = 16 * 1024 * 1024;
#endif
  BOOST_TEST(resident_bytes() < before + kAllowed);
}

}  // namespace chancery::testing
