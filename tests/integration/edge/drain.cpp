// The end of a server: no answer of a request that was begun is lost, nobody waits for ever, nothing crashes.
#include <future>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

/// A client that asks without pause on one connection until the server ends it.
class BusyClient {
 public:
  BusyClient(const Scene& scene, Wire wire, int number) : client_(scene.connect(wire)), number_(number) {
    thread_ = std::thread([this] {
      ask_until_refused();
      client_.close();
    });
  }

  /// The bodies that were answered, after the connection's end.
  std::set<std::string> join() {
    thread_.join();
    return std::move(answered_);
  }

  [[nodiscard]] std::size_t count() const { return count_.load(); }

 private:
  void ask_until_refused() {
    for (int i = 0;; ++i) {
      const std::string body = std::to_string(number_) + "/" + std::to_string(i);
      if (!client_.send(post(i % 2 == 0 ? "/echo" : "/device", body))) return;
      const auto answer = client_.receive();
      if (!answer) return;
      if (answer->status == 200 && answer->body == body) {
        answered_.insert(body);
        ++count_;
      }
      if (answer->field("Connection") == "close") return;
    }
  }

  RawClient client_;
  int number_;
  std::set<std::string> answered_;
  std::atomic<std::size_t> count_ = 0;
  std::thread thread_;
};

std::vector<std::unique_ptr<BusyClient>> busy_clients(const Scene& scene) {
  std::vector<std::unique_ptr<BusyClient>> clients;
  for (int i = 0; i < 8; ++i)
    clients.push_back(std::make_unique<BusyClient>(scene, kWires[i % kWires.size()], i));
  for (const auto& client : clients) {
    while (client->count() < 5) std::this_thread::sleep_for(1ms);
  }
  return clients;
}

BOOST_DATA_TEST_CASE(drain_under_load_loses_no_answer, data::xrange(20), round) {
  Scene scene;
  const auto clients = busy_clients(scene);
  std::this_thread::sleep_for(std::chrono::milliseconds(round));  // meet them at another point each time
  BOOST_TEST(scene.server().drain(20s) == 0U);
  std::set<std::string> answered;
  for (const auto& client : clients) answered.merge(client->join());
  BOOST_TEST((scene.application().begun() == answered));
  BOOST_TEST(scene.server().open_connections() == 0U);
}

BOOST_DATA_TEST_CASE(stop_under_load_ends_every_connection, data::xrange(10), round) {
  Scene scene;
  const auto clients = busy_clients(scene);
  std::this_thread::sleep_for(std::chrono::milliseconds(round));
  scene.stop();
  const std::set<std::string> begun = scene.application().begun();
  for (const auto& client : clients) {
    const std::set<std::string> answered = client->join();
    BOOST_TEST(!answered.empty());
    for (const std::string& body : answered) BOOST_TEST(begun.contains(body));
  }
}

BOOST_DATA_TEST_CASE(drain_finishes_what_has_begun_and_closes_what_has_not, data::make(kWires), wire) {
  Scene scene;
  RawClient fresh = scene.connect(wire);
  RawClient idle = scene.connect(wire);
  idle.send(post("/echo", "one"));
  BOOST_TEST(idle.receive().has_value());
  RawClient half = scene.connect(wire);
  half.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(half.receive_octets(25) == "HTTP/1.1 100 Continue\r\n\r\n");  // so its head has been read
  half.send("hel");
  RawClient waiting = scene.connect(wire);
  waiting.send(get("/wait") + post("/echo", "behind it"));
  scene.application().await_waiting(1);

  auto cut = std::async(std::launch::async, [&] { return scene.server().drain(20s); });
  BOOST_TEST(fresh.is_closed_by_server());
  BOOST_TEST(idle.is_closed_by_server());
  half.send("lo");
  const auto of_half = half.receive();
  scene.application().open_gate();
  const auto of_waiting = waiting.receive();
  BOOST_TEST(waiting.is_closed_by_server());
  BOOST_TEST(cut.get() == 0U);

  BOOST_REQUIRE(of_half);
  BOOST_TEST(of_half->body == "hello");
  BOOST_TEST(of_half->field("Connection").value_or("") == "close");
  BOOST_REQUIRE(of_waiting);
  BOOST_TEST(of_waiting->body == "waited");
  BOOST_TEST(of_waiting->field("Connection").value_or("") == "close");
  BOOST_TEST(!scene.application().begun().contains("behind it"));
}

// The answer under way has promised to keep the connection; a client that then stays silent must not hold the
// drain up.
BOOST_DATA_TEST_CASE(drain_ends_a_connection_that_was_being_written_to, data::make(kWires), wire) {
  Scene scene;
  RawClient idle = scene.connect(wire);
  idle.send(post("/echo", "one"));
  BOOST_TEST(idle.receive().has_value());
  RawClient slow = scene.connect(wire);
  slow.send(get("/large"));
  BOOST_TEST(slow.receive_octets(1) == "H");
  auto cut = std::async(std::launch::async, [&] { return scene.server().drain(10s); });
  BOOST_TEST(idle.is_closed_by_server());  // it has begun
  BOOST_TEST(slow.receive_octets(64 * 1024 * 1024).size() > 32U * 1024 * 1024);
  BOOST_TEST(cut.get() == 0U);
}

BOOST_AUTO_TEST_CASE(drain_cuts_what_does_not_end) {
  Scene scene;
  RawClient half = scene.connect(Wire::kPlain);
  half.send("POST /echo HTTP/1.1\r\n");
  RawClient waiting = scene.connect(Wire::kUnix);
  waiting.send(get("/wait"));
  scene.application().await_waiting(1);
  const std::size_t cut = scene.server().drain(200ms);
  BOOST_TEST(cut >= 1U);  // 2, unless the half request was still unread
  BOOST_TEST(scene.server().open_connections() == 0U);
  BOOST_TEST(half.is_closed_by_server());
  BOOST_TEST(waiting.is_closed_by_server());
  BOOST_TEST(scene.server().drain(200ms) == 0U);
  scene.application().open_gate();
  scene.stop();
}

BOOST_AUTO_TEST_CASE(drain_twice_at_once_is_harmless) {
  Scene scene;
  const auto clients = busy_clients(scene);
  std::thread other([&] { scene.server().drain(20s); });
  scene.server().drain(20s);
  other.join();
  for (const auto& client : clients) client->join();
  BOOST_TEST(scene.server().open_connections() == 0U);
}

}  // namespace
}  // namespace chancery::testing
