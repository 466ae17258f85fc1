// What well-formed requests get: HTTP/1.1 and 1.0, connections that stay open, pipelines, fields of answers.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

BOOST_DATA_TEST_CASE(connection_serves_many_requests, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  for (int i = 0; i < 20; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 5000, 'x');
    client.send(post("/echo", body));
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST((answer->body == body));
  }
}

BOOST_DATA_TEST_CASE(pipelined_requests_are_answered_in_order, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  std::string requests;
  // Those that may block among others that do not: the later ones must wait.
  for (int i = 0; i < 200; ++i) requests += post(i % 3 == 0 ? "/device" : "/echo", std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == std::to_string(i));
  }
}

BOOST_DATA_TEST_CASE(answers_have_the_fields_of_every_answer, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  client.send(post("/echo", "body") + post("/echo", "body"));
  const auto first = client.receive();
  const auto second = client.receive();
  BOOST_REQUIRE(first);
  BOOST_REQUIRE(second);
  BOOST_TEST(first->head.starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(first->field("Content-Length").value_or("") == "4");
  BOOST_TEST(first->field("Content-Type").value_or("") == "text/plain");
  BOOST_TEST(first->field("Cache-Control").value_or("") == "no-store");
  BOOST_TEST(first->field("X-Content-Type-Options").value_or("") == "nosniff");
  BOOST_TEST(first->field("Date").value_or("").ends_with(" GMT"));
  BOOST_TEST(first->field("Request-Id").value_or("").size() == 32U);
  BOOST_TEST((first->field("Request-Id") != second->field("Request-Id")));
  BOOST_TEST(!first->field("Server").has_value());
  BOOST_TEST(!first->field("Connection").has_value());
}

BOOST_AUTO_TEST_CASE(handler_may_allow_caching) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(get("/cached"));
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->field("Cache-Control").value_or("") == "public, max-age=60");
  BOOST_TEST(answer->head.find("no-store") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(request_reaches_the_handler_as_it_was_sent) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(
      "GET /request?a=1&b=%20? HTTP/1.1\r\nHOST: localhost:8443\r\nX-Mixed-Case:\t Value \r\nX-Obs: "
      "\xc3\xa9\r\n\r\n");
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body ==
             "GET /request ? a=1&b=%20?\nhost: localhost:8443\nx-mixed-case: Value\nx-obs: \xc3\xa9\n");
}

struct AbsoluteForm {
  const char* target;
  const char* want;
};
std::ostream& operator<<(std::ostream& out, const AbsoluteForm& row) { return out << row.target; }

constexpr std::array kAbsoluteForms{
    AbsoluteForm{"http://other.example/request?q", "GET /request ? q\nhost: other.example\n"},
    AbsoluteForm{"HTTPS://other.example:8443/request", "GET /request ? \nhost: other.example:8443\n"},
    AbsoluteForm{"http://[::1]:80/request?", "GET /request ? \nhost: [::1]:80\n"},
};

BOOST_DATA_TEST_CASE(absolute_form_gives_path_and_host, data::make(kAbsoluteForms), row) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send("GET " + std::string(row.target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body == row.want);
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_forgiven) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send("\r\n" + post("/echo", "one") + "\r\n" + post("/echo", "two"));
  for (const char* want : {"one", "two"}) {
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == want);
  }
}

BOOST_DATA_TEST_CASE(chunked_body_is_put_together, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;name=value\r\nabc\r\n00A\r\n0123456789\r\n0\r\nHost: elsewhere\r\n\r\n";
  for (int i = 0; i < 2; ++i) {  // the second finds the end of the first where it should be
    client.send(request);
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == "abc0123456789");
  }
}

BOOST_DATA_TEST_CASE(body_is_called_for_when_the_client_waits, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
  BOOST_TEST(client.receive_octets(25) == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello" + post("/echo", "next"));
  for (const char* want : {"hello", "next"}) {
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->body == want);
  }
}

BOOST_AUTO_TEST_CASE(body_over_the_limit_is_not_called_for) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
  check_refused(client, 413, "longer than this server reads");
}

BOOST_AUTO_TEST_CASE(head_is_answered_as_get_without_the_body) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send("HEAD /request HTTP/1.1\r\nHost: localhost\r\n\r\n" + post("/echo", "next"));
  const auto answer = client.receive(true);
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(answer->field("Content-Length").value_or("") == "33");
  const auto next = client.receive();
  BOOST_REQUIRE(next);
  BOOST_TEST(next->body == "next");
}

BOOST_AUTO_TEST_CASE(no_content_has_no_length) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(get("/empty") + post("/echo", "next"));
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 204);
  BOOST_TEST(!answer->field("Content-Length").has_value());
  const auto next = client.receive();
  BOOST_REQUIRE(next);
  BOOST_TEST(next->body == "next");
}

struct Persistence {
  const char* request;
  bool kept;
};
std::ostream& operator<<(std::ostream& out, const Persistence& row) { return out << row.request; }

constexpr std::array kPersistence{
    Persistence{"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
    Persistence{"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", false},
    Persistence{"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: x, Close\r\n\r\n", false},
    Persistence{"GET /echo HTTP/1.0\r\n\r\n", false},
    Persistence{"GET /echo HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
};

BOOST_DATA_TEST_CASE(connection_is_kept_as_the_client_asks, data::make(kPersistence), row) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(row.request);
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST((answer->field("Connection") != "close") == row.kept);
  client.send(post("/echo", "next"));
  BOOST_TEST(client.receive().has_value() == row.kept);
}

BOOST_DATA_TEST_CASE(client_that_says_no_more_is_still_answered, data::make({Wire::kUnix, Wire::kPlain}),
                     wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  client.send(post("/device", "last"));
  client.shutdown_send();
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body == "last");
  BOOST_TEST(client.is_closed_by_server());
}

BOOST_DATA_TEST_CASE(large_answer_arrives_whole, data::make(kWires), wire) {
  Scene scene;
  RawClient client = scene.connect(wire);
  client.send(get("/large") + post("/echo", "next"));
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->body.size() == 32U * 1024 * 1024);
  const auto next = client.receive();
  BOOST_REQUIRE(next);
  BOOST_TEST(next->body == "next");
}

BOOST_AUTO_TEST_CASE(handler_that_throws_is_answered_500_without_its_text) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(get("/throw") + post("/echo", "next"));
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 500);
  BOOST_TEST(answer->body.find("a bug") == std::string::npos);
  const auto next = client.receive();
  BOOST_REQUIRE(next);
  BOOST_TEST(next->body == "next");
}

// --- handlers that block

edge::ServerOptions one_thread_each() {
  edge::ServerOptions options;
  options.threads = 1;
  options.blocking_threads = 1;
  options.blocking_queue = 1;
  return options;
}

BOOST_AUTO_TEST_CASE(blocked_handlers_stall_nobody_else_and_their_queue_is_bounded) {
  Scene scene(one_thread_each());
  RawClient running = scene.connect(Wire::kUnix);
  running.send(get("/wait"));
  scene.application().await_waiting(1);
  RawClient queued = scene.connect(Wire::kPlain);
  queued.send(get("/wait"));
  scene.await_connections(2);
  for (const Wire wire : kWires) scene.check_serves(wire);

  RawClient refused = scene.connect(Wire::kPlain);
  refused.send(get("/wait") + post("/echo", "next"));
  const auto answer = refused.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 503);
  BOOST_TEST(answer->field("Retry-After").has_value());
  BOOST_TEST(refused.receive().has_value());

  scene.application().open_gate();
  for (RawClient* client : {&running, &queued}) {
    const auto late = client->receive();
    BOOST_REQUIRE(late);
    BOOST_TEST(late->body == "waited");
  }
}

// One user's requests fill half of the queue at most, and take turns with the others'.
BOOST_AUTO_TEST_CASE(a_busy_user_keeps_nobody_else_out) {
  edge::ServerOptions options = one_thread_each();
  options.blocking_queue = 4;
  Scene scene(options);
  RawClient running = scene.connect(Wire::kUnix);
  running.send(get("/wait"));
  scene.application().await_waiting(1);
  std::vector<RawClient> queued;
  for (const char* body : {"busy 1", "busy 2"}) {
    queued.push_back(scene.connect(Wire::kUnix));
    queued.back().send(post("/device", body));
    scene.check_serves(Wire::kPlain);  // by the one I/O thread, so what was sent before it is in the queue
  }
  RawClient refused = scene.connect(Wire::kUnix);
  refused.send(post("/device", "busy 3") + post("/echo", "next"));
  const auto answer = refused.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 429);
  BOOST_TEST(answer->field("Retry-After").has_value());
  BOOST_TEST(refused.receive().has_value());

  RawClient other = scene.connect(Wire::kPlain);
  other.send(post("/device", "other"));
  scene.check_serves(Wire::kPlain);
  scene.application().open_gate();
  for (RawClient* client : {&running, &queued[0], &other, &queued[1]}) {
    const auto late = client->receive();
    BOOST_REQUIRE(late);
    BOOST_TEST(late->status == 200);
  }
  BOOST_TEST(!scene.application().begun().contains("busy 3"));
}

BOOST_AUTO_TEST_CASE(a_handler_is_to_end_before_it_is_given_up) {
  for (const auto& [time, left] : {std::pair{1000ms, 900ms}, std::pair{30'000ms, 29'750ms}}) {
    edge::ServerOptions options = one_thread_each();
    options.limits.handler_time = time;
    Scene scene(options);
    RawClient client = scene.connect(Wire::kPlain);
    client.send(get("/deadline"));
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    BOOST_TEST(std::stoll(answer->body) <= left.count());
    BOOST_TEST(std::stoll(answer->body) > 0);
  }
}

BOOST_AUTO_TEST_CASE(handler_that_takes_too_long_is_given_up) {
  edge::ServerOptions options = one_thread_each();
  options.limits.handler_time = 3s;
  Scene scene(options);
  RawClient running = scene.connect(Wire::kPlain);
  running.send(get("/wait"));
  scene.application().await_waiting(1);
  RawClient queued = scene.connect(Wire::kPlain);
  queued.send(post("/device", "never begun"));
  check_refused(running, 504, "look whether it took effect");
  check_refused(queued, 503, "was not begun");
  for (const Wire wire : kWires) scene.check_serves(wire);
  scene.application().open_gate();
  RawClient next = scene.connect(Wire::kPlain);
  next.send(post("/device", "next"));
  const auto answer = next.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
  BOOST_TEST(!scene.application().begun().contains("never begun"));
}

}  // namespace
}  // namespace chancery::testing
