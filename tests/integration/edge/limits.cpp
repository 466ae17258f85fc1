// Every limit on size, number and time: what exceeds it is answered or closed, and the next request is
// served.
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

constexpr std::size_t kMiB = 1024 * 1024;

// Every time limit but the one under test is too long to matter.
edge::Limits patient() {
  edge::Limits limits;
  limits.handshake_time = limits.header_time = limits.body_time = limits.idle_time = limits.write_time = 60s;
  return limits;
}

std::string head_of(std::size_t size) {
  const std::string begin = "POST /echo HTTP/1.1\r\nHost: localhost\r\nA: ";
  return begin + std::string(size - begin.size() - 4, 'a') + "\r\n\r\n";
}

BOOST_DATA_TEST_CASE(head_of_the_limit_is_read_and_one_octet_more_refused, data::make(kWires), wire) {
  edge::Limits limits;
  limits.header_bytes = 1000;
  Scene scene(limits);
  RawClient good = scene.connect(wire);
  good.send(head_of(1000));
  const auto answer = good.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);

  RawClient bad = scene.connect(wire);
  bad.send(head_of(1001));
  check_refused(bad, 431, "longer than this server reads");
  scene.check_serves(wire);
}

BOOST_DATA_TEST_CASE(head_of_256_mebioctets_is_refused_early_and_costs_no_memory, data::make(kWires), wire) {
  Scene scene;
  scene.check_serves(wire);
  const std::size_t before = resident_bytes();
  RawClient client = scene.connect(wire);
  client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nA: ");
  const std::string part(64 * 1024, 'a');
  std::size_t sent = 0;
  while (sent < 256 * kMiB && client.send(part)) sent += part.size();
  BOOST_TEST(sent < 256 * kMiB);
  check_memory_since(before);
  const auto answer = client.receive();
  if (wire != Wire::kTls) {  // whose client library drops what it has received once its own writing fails
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 431);
  }
  scene.check_serves(wire);
}

BOOST_DATA_TEST_CASE(body_of_the_limit_is_read_and_one_octet_more_refused, data::make(kWires), wire) {
  edge::Limits limits;
  limits.body_bytes = 100'000;
  Scene scene(limits);
  const std::string most(100'000, 'b');
  RawClient good = scene.connect(wire);
  good.send(post("/echo", most));
  const auto answer = good.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST((answer->body == most));

  RawClient bad = scene.connect(wire);
  bad.send(post("/echo", most + "b"));
  check_refused(bad, 413, "longer than this server reads");
  scene.check_serves(wire);
}

BOOST_AUTO_TEST_CASE(chunks_count_together_against_the_limit_of_the_body) {
  edge::Limits limits;
  limits.body_bytes = 10;
  Scene scene(limits);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient good = scene.connect(Wire::kPlain);
  good.send(head + "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
  const auto answer = good.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body == "helloworld");

  RawClient bad = scene.connect(Wire::kPlain);
  bad.send(head + "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n");
  check_refused(bad, 413, "longer than this server reads");
}

BOOST_AUTO_TEST_CASE(announced_body_takes_no_memory_before_it_arrives) {
  edge::Limits limits = patient();
  limits.body_bytes = 1024 * kMiB;
  Scene scene(limits);
  scene.check_serves(Wire::kPlain);
  const std::size_t before = resident_bytes();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(scene.connect(Wire::kPlain));
    clients.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nbegin");
  }
  scene.check_serves(Wire::kPlain);
  check_memory_since(before);
}

BOOST_DATA_TEST_CASE(bodies_of_all_connections_together_are_bounded, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.body_bytes = 300'000;
  limits.bodies_bytes = 400'000;
  Scene scene(limits);
  const std::string most(300'000, 'b');
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n";
  RawClient holder = scene.connect(wire);
  holder.send(head + "\r\n" + most.substr(1));
  while (scene.server().held_body_bytes() < 299'999) std::this_thread::sleep_for(1ms);
  RawClient second = scene.connect(wire);
  second.send(head + "\r\n" + most);
  check_refused(second, 503, "too many request bodies");
  holder.send("b");
  const auto answer = holder.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST((answer->body == most));
  // The body is let go once the answer is written, which may be a moment after we have read it.
  while (scene.server().held_body_bytes() > 0) std::this_thread::sleep_for(1ms);
  RawClient next = scene.connect(wire);
  next.send(post("/echo", most));
  BOOST_TEST(next.receive().value().status == 200);
  while (scene.server().held_body_bytes() > 0) std::this_thread::sleep_for(1ms);
}

BOOST_AUTO_TEST_CASE(bodies_of_one_listener_leave_the_others_room) {
  edge::Limits limits = patient();
  limits.body_bytes = limits.bodies_bytes = 100'000;
  Scene scene(limits);
  RawClient stranger = scene.connect(Wire::kTls);
  stranger.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
                std::string(99'999, 'b'));
  while (scene.server().held_body_bytes() < 99'999) std::this_thread::sleep_for(1ms);
  RawClient local = scene.connect(Wire::kUnix);
  local.send(post("/echo", std::string(100'000, 'c')));
  const auto answer = local.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
}

BOOST_AUTO_TEST_CASE(large_bodies_leave_no_memory_with_a_kept_connection) {
  Scene scene(patient());
  scene.check_serves(Wire::kPlain);
  const std::size_t before = resident_bytes();
  const std::string large(kMiB, 'b');
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(scene.connect(Wire::kPlain));
    clients.back().send(post("/nowhere", large));
    const auto answer = clients.back().receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 404);
  }
  while (scene.server().held_body_bytes() > 0) std::this_thread::sleep_for(1ms);
  BOOST_TEST(scene.server().open_connections() == clients.size());
  check_memory_since(before);
}

BOOST_DATA_TEST_CASE(connection_that_sends_nothing_is_closed, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.header_time = 3s;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  BOOST_TEST(client.is_closed_by_server());
  scene.check_serves(wire);
}

BOOST_DATA_TEST_CASE(half_sent_head_is_answered_408, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.header_time = 3s;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  client.send("POST /echo HTTP/1.1\r\nHost: local");
  check_refused(client, 408, "head did not arrive in time");
  scene.check_serves(wire);
}

// One octet now and then does not buy more time.
BOOST_AUTO_TEST_CASE(trickling_head_is_answered_408) {
  edge::Limits limits = patient();
  limits.header_time = 3s;
  Scene scene(limits);
  RawClient client = scene.connect(Wire::kPlain);
  client.send("GET /echo HTTP/1.1\r\n");
  std::size_t sent = 0;
  while (sent < 100'000 && client.send("a")) {
    ++sent;
    std::this_thread::sleep_for(5ms);
  }
  BOOST_TEST(sent < 100'000U);  // 500 seconds
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 408);
}

BOOST_AUTO_TEST_CASE(half_sent_head_of_a_later_request_is_answered_408) {
  edge::Limits limits = patient();
  limits.header_time = 3s;
  Scene scene(limits);
  RawClient client = scene.connect(Wire::kPlain);
  client.send(post("/echo", "one"));
  BOOST_TEST(client.receive().has_value());
  client.send("POST /echo");
  check_refused(client, 408, "head did not arrive in time");
}

BOOST_DATA_TEST_CASE(half_sent_body_is_answered_408,
                     data::make(kWires) *
                         data::make({"Content-Length: 10\r\n\r\nhello",
                                     "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
                                     "Content-Length: 10\r\nExpect: 100-continue\r\n\r\nhello"}),
                     wire, framing) {
  edge::Limits limits = patient();
  limits.body_time = 2s;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\n" + std::string(framing));
  if (std::string_view(framing).find("Expect") != std::string_view::npos) {
    BOOST_TEST(client.receive_octets(25) == "HTTP/1.1 100 Continue\r\n\r\n");
  }
  check_refused(client, 408, "body did not arrive in time");
  scene.check_serves(wire);
}

BOOST_DATA_TEST_CASE(kept_connection_is_closed_when_idle, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.idle_time = 1s;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  client.send(post("/echo", "one"));
  BOOST_TEST(client.receive().has_value());
  BOOST_TEST(client.is_closed_by_server());
  scene.check_serves(wire);
}

BOOST_AUTO_TEST_CASE(stalled_tls_handshake_is_closed) {
  edge::Limits limits = patient();
  limits.handshake_time = 3s;
  Scene scene(limits);
  for (const std::string_view begin :
       {std::string_view(""), std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7)}) {
    RawClient client = RawClient::to_plain(scene.server().tls_port());
    client.send(begin);
    BOOST_TEST(client.is_closed_by_server());
  }
  scene.check_serves(Wire::kTls);
}

BOOST_AUTO_TEST_CASE(garbage_instead_of_tls_is_closed) {
  Scene scene(patient());
  RawClient client = RawClient::to_plain(scene.server().tls_port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.receive_octets(1000);  // an alert, perhaps; then the end
  BOOST_TEST(client.is_closed_by_server());
  scene.check_serves(Wire::kTls);
}

BOOST_DATA_TEST_CASE(client_that_takes_no_answer_is_cut, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.write_time = 200ms;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  client.send(get("/large"));
  scene.await_connections(1);
  scene.await_connections(0);
  scene.check_serves(wire);
}

BOOST_DATA_TEST_CASE(client_that_never_closes_is_cut_after_its_last_answer, data::make(kWires), wire) {
  edge::Limits limits = patient();
  limits.linger_time = 100ms;
  Scene scene(limits);
  RawClient client = scene.connect(wire);
  client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  BOOST_TEST(client.receive().has_value());
  scene.await_connections(0);
}

BOOST_DATA_TEST_CASE(connections_beyond_the_limit_are_told_so, data::make({Wire::kUnix, Wire::kPlain}),
                     wire) {
  edge::Limits limits;
  limits.connections = 2;
  Scene scene(limits);
  {
    RawClient first = scene.connect(wire);
    RawClient second = scene.connect(wire);
    scene.await_connections(2);
    RawClient third = scene.connect(wire);
    check_refused(third, 503, "too many connections");
    scene.check_serves(wire == Wire::kUnix ? Wire::kPlain
                                           : Wire::kUnix);  // each listener has a limit of its own
    first.send(post("/echo", "one"));
    BOOST_TEST(first.receive().has_value());
  }
  scene.await_connections(0);
  scene.check_serves(wire);
}

BOOST_AUTO_TEST_CASE(tls_connections_beyond_the_limit_are_closed) {
  edge::Limits limits = patient();
  limits.connections = 1;
  Scene scene(limits);
  RawClient first = scene.connect(Wire::kTls);
  RawClient second = RawClient::to_plain(scene.server().tls_port());
  BOOST_TEST(second.is_closed_by_server());
}

BOOST_AUTO_TEST_CASE(five_hundred_idle_connections_cost_little_and_keep_nobody_out) {
  edge::Limits limits = patient();
  limits.header_time = 60s;  // time enough to open them all
  Scene scene(limits);
  for (const Wire wire : kWires) scene.check_serves(wire);
  const std::size_t before = resident_bytes();
  std::vector<RawClient> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(scene.connect(i % 2 == 0 ? Wire::kUnix : Wire::kPlain));
    if (i % 4 < 2) clients.back().send("POST /echo HTTP/1.1\r\nHost: lo");  // half of them stop amid a head
  }
  for (const Wire wire : kWires) scene.check_serves(wire);
  BOOST_TEST(scene.server().open_connections() >= 500U);
  check_memory_since(before);
  clients.clear();
  scene.await_connections(0);
}

BOOST_AUTO_TEST_CASE(five_hundred_idle_connections_are_closed_within_their_limit) {
  edge::Limits limits = patient();
  limits.header_time = 3s;
  Scene scene(limits);
  std::vector<RawClient> clients;
  for (int i = 0; i < 500; ++i) clients.push_back(scene.connect(i % 2 == 0 ? Wire::kUnix : Wire::kPlain));
  for (RawClient& client : clients) BOOST_TEST(client.is_closed_by_server());
  scene.await_connections(0);
  for (const Wire wire : kWires) scene.check_serves(wire);
}

}  // namespace
}  // namespace chancery::testing
