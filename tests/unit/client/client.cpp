// The client against a daemon that answers well, refuses, misbehaves or is silent, over both of its
// transports.
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <ostream>
#include <string>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/client.hpp>

#include "tests/unit/client/fake_daemon.hpp"

namespace {

using namespace chancery;
using namespace std::chrono_literals;
using chancery::testing::answers;
using chancery::testing::Connection;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;

enum class Carrier { kUnixSocket, kTls };
constexpr std::array kCarriers{Carrier::kUnixSocket, Carrier::kTls};

std::ostream& operator<<(std::ostream& out, Carrier carrier) {
  return out << (carrier == Carrier::kTls ? "TLS" : "Unix socket");
}

constexpr const char* kJson = "application/json";
constexpr const char* kProblem = "application/problem+json";
constexpr const char* kVerdict = R"({"hop":null,"not_performed":["action"],"outcome":"valid","step":null})";
constexpr const char* kRefusal =
    R"({"code":"not_holder","detail":"this process is not the agent support","status":403,"title":"Forbidden","type":"urn:chancery:error:not_holder"})";

struct Scene {
  std::unique_ptr<FakeDaemon> daemon;
  Client client;
};

Scene stage(Carrier carrier, FakeDaemon::Script script, std::chrono::milliseconds timeout = 20s) {
  ClientOptions options;
  options.timeout = timeout;
  std::unique_ptr<FakeDaemon> daemon;
  if (carrier == Carrier::kTls) {
    daemon = FakeDaemon::on_tls(std::move(script));
    options.address = daemon->address();
    options.ca_file = daemon->ca_file();
  } else {
    daemon = FakeDaemon::on_socket(std::move(script));
    options.socket = daemon->socket();
  }
  return {std::move(daemon), Client::connect(options).value()};
}

// A header that begins with `value`; the space after the colon is optional, and one of the transports has
// none.
bool has_header(const std::string& request, const std::string& name, const std::string& value) {
  return request.find("\r\n" + name + ":" + value) != std::string::npos ||
         request.find("\r\n" + name + ": " + value) != std::string::npos;
}

ClientOptions marked(const std::string& socket, const std::string& task, const std::string& traceparent) {
  ClientOptions options;
  options.socket = socket;
  options.task = task;
  options.traceparent = traceparent;
  return options;
}

api::VerifyChain some_chain() { return {{"DT_0", "DT_1"}, std::nullopt}; }

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(chancery::ErrorCode)

BOOST_AUTO_TEST_SUITE(client)

BOOST_DATA_TEST_CASE(a_good_answer_is_read, boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene = stage(carrier, answers(http_answer(200, kJson, kVerdict)));
  const auto verification = scene.client.verify(some_chain());
  BOOST_REQUIRE(verification);
  BOOST_TEST(verification->valid());
  BOOST_TEST(verification->json == kVerdict);
  BOOST_REQUIRE(verification->not_performed.size() == 1U);
  BOOST_TEST(verification->not_performed.front() == "action");
}

BOOST_AUTO_TEST_CASE(requests_carry_the_callers_task_and_trace) {
  const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  std::promise<std::string> seen;
  const auto daemon = FakeDaemon::on_socket([&](Connection& connection) {
    seen.set_value(connection.read_request());
    connection.write(http_answer(200, kJson, kVerdict));
  });
  const auto client = Client::connect(marked(daemon->socket(), "refund 17", parent));
  BOOST_REQUIRE(client);
  BOOST_REQUIRE(client->verify(some_chain()));
  const std::string request = seen.get_future().get();
  BOOST_TEST(has_header(request, "Chancery-Task", "refund 17"), request);
  BOOST_TEST(has_header(request, "traceparent", parent), request);
  for (const std::string& bad : {std::string(129, 'a'), std::string("a\r\nb")}) {
    BOOST_TEST((Client::connect(marked("/s", bad, {})).error().code == ErrorCode::kInvalidArgument));
    BOOST_TEST((Client::connect(marked("/s", {}, bad)).error().code == ErrorCode::kInvalidArgument));
  }
}

BOOST_DATA_TEST_CASE(a_request_is_sent_whole, boost::unit_test::data::make(kCarriers), carrier) {
  std::promise<std::string> seen;
  const Scene scene = stage(carrier, [&](Connection& connection) {
    seen.set_value(connection.read_request());
    connection.write(http_answer(200, kJson, kVerdict));
  });
  BOOST_REQUIRE(scene.client.verify(some_chain()));
  const std::string request = seen.get_future().get();
  BOOST_TEST(request.starts_with("POST /v1/chains/verify HTTP/1.1\r\n"), request);
  BOOST_TEST(has_header(request, "Content-Type", "application/json"), request);
  BOOST_TEST(has_header(request, "Accept", "application/json"), request);
  BOOST_TEST(has_header(request, "Host", "localhost"), request);
  BOOST_TEST(request.ends_with("\r\n\r\n{\"chain\":[\"DT_0\",\"DT_1\"]}"), request);
}

BOOST_DATA_TEST_CASE(a_chunked_answer_is_read, boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene =
      stage(carrier, answers("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n10\r\n{\"ready\":true,\"m\r\nb\r\nissing\":[]}\r\n0\r\n\r\n"));
  const auto readiness = scene.client.readiness();
  BOOST_REQUIRE(readiness);
  BOOST_TEST(readiness->ready);
}

BOOST_DATA_TEST_CASE(a_refusal_gives_code_detail_and_document, boost::unit_test::data::make(kCarriers),
                     carrier) {
  const Scene scene = stage(carrier, answers(http_answer(403, kProblem, kRefusal)));
  const auto refused = scene.client.verify(some_chain());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().refused());
  BOOST_TEST(refused.error().status == 403);
  BOOST_TEST(refused.error().code == "not_holder");
  BOOST_TEST((refused.error().error.code == ErrorCode::kNotHolder));
  BOOST_TEST(refused.error().detail == "this process is not the agent support");
  BOOST_TEST(refused.error().document == kRefusal);
}

BOOST_DATA_TEST_CASE(a_refusal_with_a_code_of_a_later_version_is_still_one,
                     boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene =
      stage(carrier, answers(http_answer(409, kProblem, R"({"code":"made_up_later","detail":"do this"})")));
  const auto refused = scene.client.verify(some_chain());
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().error.code == ErrorCode::kRequestRefused));
  BOOST_TEST(refused.error().code == "made_up_later");
}

struct BadAnswer {
  const char* what;
  std::string octets;
};
std::ostream& operator<<(std::ostream& out, const BadAnswer& bad) { return out << bad.what; }

const std::array kBadAnswers{
    BadAnswer{"a redirect", http_answer(302, kJson, "{}", "Location: https://elsewhere.invalid/\r\n")},
    BadAnswer{"a permanent redirect", http_answer(308, kJson, "{}", "Location: /healthz\r\n")},
    BadAnswer{"HTML", http_answer(200, "text/html", "<html>")},
    BadAnswer{"no content", "HTTP/1.1 204 No Content\r\n\r\n"},
    BadAnswer{"text that claims to be JSON", http_answer(200, kJson, "outcome: valid")},
    BadAnswer{"JSON with duplicate members",
              http_answer(200, kJson, R"({"outcome":"expired","outcome":"valid"})")},
    BadAnswer{"JSON of another shape", http_answer(200, kJson, "[]")},
    BadAnswer{"an HTML refusal", http_answer(502, "text/html", "<html>")},
    BadAnswer{"a JSON refusal that is no problem document", http_answer(403, kJson, kRefusal)},
    BadAnswer{"a problem document without a code", http_answer(403, kProblem, R"({"detail":"no"})")},
    BadAnswer{"a body that is cut short",
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"},
    BadAnswer{
        "chunks that are cut short",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}"},
    BadAnswer{"something that is not HTTP", "hello\r\n\r\n"},
    BadAnswer{"a body over the limit", http_answer(200, kJson, std::string(5 * 1024 * 1024, ' ') + kVerdict)},
};

BOOST_DATA_TEST_CASE(a_bad_answer_is_told_apart,
                     boost::unit_test::data::make(kCarriers) * boost::unit_test::data::make(kBadAnswers),
                     carrier, bad) {
  const Scene scene = stage(carrier, answers(bad.octets));
  const auto verification = scene.client.verify(some_chain());
  BOOST_REQUIRE(!verification);
  BOOST_TEST((verification.error().error.code == ErrorCode::kBadResponse), verification.error().error.what);
  BOOST_TEST(!verification.error().refused());
}

BOOST_DATA_TEST_CASE(an_endless_body_is_refused_as_it_comes, boost::unit_test::data::make(kCarriers),
                     carrier) {
  const Scene scene = stage(carrier, [](Connection& connection) {
    connection.read_request();
    connection.write(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    for (int i = 0; i < 1000; ++i) connection.write(chunk);
  });
  const auto verification = scene.client.verify(some_chain());
  BOOST_REQUIRE(!verification);
  BOOST_TEST((verification.error().error.code == ErrorCode::kBadResponse));
}

BOOST_DATA_TEST_CASE(a_connection_that_breaks_within_the_answer_is_no_matter_of_trust,
                     boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene = stage(carrier, [](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{");
    connection.hang_up();
  });
  const auto verification = scene.client.verify(some_chain());
  BOOST_REQUIRE(!verification);
  BOOST_TEST((verification.error().error.code == ErrorCode::kBadResponse), verification.error().error.what);
}

BOOST_DATA_TEST_CASE(a_connection_that_the_daemon_drops_between_calls_costs_none,
                     boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene = stage(carrier, [](Connection& connection) {
    connection.read_request();
    connection.write(http_answer(200, kJson, kVerdict));
    connection.hang_up();
  });
  for (int call = 0; call < 5; ++call) BOOST_TEST(scene.client.verify(some_chain()).has_value());
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_between_calls_over_tls) {
  std::atomic<int> connections = 0;
  const Scene scene = stage(Carrier::kTls, [&](Connection& connection) {
    ++connections;
    while (!connection.read_request().empty()) connection.write(http_answer(200, kJson, kVerdict));
  });
  for (int call = 0; call < 5; ++call) BOOST_TEST(scene.client.verify(some_chain()).has_value());
  BOOST_TEST(connections < 5);
}

namespace {

Client keeping_client(const FakeDaemon& daemon) {
  ClientOptions options;
  options.socket = daemon.socket();
  options.kept_connections = 2;
  return Client::connect(options).value();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_connection_to_a_socket_is_kept_where_that_is_wanted) {
  std::atomic<int> connections = 0;
  const auto daemon = FakeDaemon::on_socket([&](Connection& connection) {
    ++connections;
    while (!connection.read_request().empty()) connection.write(http_answer(200, kJson, kVerdict));
  });
  const Client client = keeping_client(*daemon);
  for (int call = 0; call < 5; ++call) BOOST_TEST(client.verify(some_chain()).has_value());
  BOOST_TEST(connections == 1);
  const Client other = Client::connect({.socket = daemon->socket()}).value();
  for (int call = 0; call < 5; ++call) BOOST_TEST(other.verify(some_chain()).has_value());
  BOOST_TEST(connections == 6);
}

struct Ended {
  const char* what;
  std::string more_headers;
  std::string behind;
};
std::ostream& operator<<(std::ostream& out, const Ended& ended) { return out << ended.what; }
const std::array kEnded{
    Ended{"the daemon closed it", "", ""},
    Ended{"the daemon says that it will", "Connection: close\r\n", ""},
    Ended{"something came that nobody asked for", "", "HTTP/1.1 200 OK\r\n"},
};

BOOST_DATA_TEST_CASE(a_connection_that_cannot_be_used_again_is_not, boost::unit_test::data::make(kEnded), c) {
  std::atomic<int> connections = 0;
  std::atomic<int> ended = 0;
  const auto daemon = FakeDaemon::on_socket([&](Connection& connection) {
    ++connections;
    connection.read_request();
    connection.write(http_answer(200, kJson, kVerdict, c.more_headers) + c.behind);
    if (c.behind.empty()) connection.hang_up();
    ++ended;
    if (!c.behind.empty()) connection.wait_for_peer();
  });
  const Client client = keeping_client(*daemon);
  for (int call = 1; call <= 5; ++call) {
    BOOST_TEST(client.verify(some_chain()).has_value());
    while (ended < call) std::this_thread::yield();
  }
  BOOST_TEST(connections == 5);
}

struct Silence {
  const char* what;
  std::string first;
};
std::ostream& operator<<(std::ostream& out, const Silence& silence) { return out << silence.what; }
const std::array kSilences{
    Silence{"before the answer", ""},
    Silence{"within the header", "HTTP/1.1 200 OK\r\nContent-"},
    Silence{"within the body",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"},
};

BOOST_DATA_TEST_CASE(a_daemon_that_falls_silent_times_out,
                     boost::unit_test::data::make(kCarriers) * boost::unit_test::data::make(kSilences),
                     carrier, silence) {
  const Scene scene = stage(
      carrier,
      [first = silence.first](Connection& connection) {
        connection.read_request();
        connection.write(first);
        connection.wait_for_peer();
      },
      300ms);
  const auto verification = scene.client.verify(some_chain());
  BOOST_REQUIRE(!verification);
  BOOST_TEST((verification.error().error.code == ErrorCode::kTimeout), verification.error().error.what);
}

BOOST_DATA_TEST_CASE(many_threads_share_one_client, boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene = stage(carrier, [](Connection& connection) {
    const std::string request = connection.read_request();
    // Each gets its own request back as its outcome.
    const std::size_t at = request.find("TOKEN");
    if (at == std::string::npos) return;
    connection.write(
        http_answer(200, kJson, R"({"outcome":")" + request.substr(at, 7) + R"(","not_performed":[]})"));
  });
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 10; i < 18; ++i) {
    threads.emplace_back([&, token = "TOKEN" + std::to_string(i)] {
      for (int round = 0; round < 5; ++round) {
        const auto verification = scene.client.verify({{token}, std::nullopt});
        if (verification && verification->outcome == token) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(right == 40);
}

BOOST_DATA_TEST_CASE(futures_give_what_calls_give, boost::unit_test::data::make(kCarriers), carrier) {
  const Scene scene = stage(carrier, answers(http_answer(403, kProblem, kRefusal)));
  auto verification = scene.client.verify_async(some_chain());
  auto agent = scene.client.agent_async("support");
  BOOST_TEST(verification.get().error().code == "not_holder");
  BOOST_TEST(agent.get().error().code == "not_holder");
}

BOOST_AUTO_TEST_CASE(futures_outlive_their_client) {
  const auto daemon = FakeDaemon::on_socket(answers(http_answer(200, kJson, kVerdict)));
  std::vector<std::future<ClientResult<api::Verification>>> futures;
  {
    ClientOptions options;
    options.socket = daemon->socket();
    Client first = Client::connect(options).value();
    for (int i = 0; i < 10; ++i) futures.push_back(first.verify_async(some_chain()));
    const Client moved = std::move(first);
    futures.push_back(moved.verify_async(some_chain()));
  }
  for (auto& future : futures) BOOST_TEST(future.get().value().valid());
}

BOOST_AUTO_TEST_CASE(readiness_is_an_answer_when_the_daemon_is_not_ready) {
  const Scene scene = stage(Carrier::kUnixSocket,
                            answers(http_answer(503, kJson, R"({"missing":["backend tpm"],"ready":false})")));
  const auto readiness = scene.client.readiness();
  BOOST_REQUIRE(readiness);
  BOOST_TEST(!readiness->ready);
  BOOST_REQUIRE(readiness->missing.size() == 1U);
  BOOST_TEST(readiness->missing.front() == "backend tpm");
}

BOOST_AUTO_TEST_CASE(an_overloaded_daemon_is_not_taken_for_one_that_is_not_ready) {
  const Scene scene = stage(Carrier::kUnixSocket,
                            answers(http_answer(503, kProblem, R"({"code":"overloaded","detail":"later"})")));
  const auto readiness = scene.client.readiness();
  BOOST_REQUIRE(!readiness);
  BOOST_TEST(readiness.error().code == "overloaded");
}

BOOST_AUTO_TEST_CASE(explanations_come_as_text_too) {
  const Scene scene = stage(Carrier::kUnixSocket, [](Connection& connection) {
    const bool text = has_header(connection.read_request(), "Accept", "text/plain");
    connection.write(text ? http_answer(200, "text/plain; charset=utf-8", "A chain\n")
                          : http_answer(200, kJson, kVerdict));
  });
  BOOST_TEST(scene.client.explain_text(some_chain()).value() == "A chain\n");
  BOOST_TEST(scene.client.explain(some_chain()).value().valid());
}

BOOST_AUTO_TEST_CASE(published_keys_are_read_as_keys) {
  constexpr const char* kKeys =
      R"({"keys":[{"alg":"Ed25519","crv":"Ed25519","kid":"k","kty":"OKP","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
  const Scene scene = stage(Carrier::kUnixSocket, answers(http_answer(200, kJson, kKeys)));
  const auto keys = scene.client.jwks();
  BOOST_REQUIRE(keys);
  BOOST_REQUIRE(keys->keys.size() == 1U);
  BOOST_TEST(keys->keys.front().thumbprint().text() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  BOOST_TEST(keys->json == kKeys);
}

BOOST_AUTO_TEST_CASE(a_key_set_with_a_bad_key_is_no_key_set) {
  const Scene scene =
      stage(Carrier::kUnixSocket,
            answers(http_answer(200, kJson, R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})")));
  BOOST_TEST((scene.client.jwks().error().error.code == ErrorCode::kBadResponse));
}

BOOST_AUTO_TEST_CASE(a_refusal_before_the_whole_request_was_read_is_heard) {
  // The body is larger than the socket's buffers: the client is still writing when it is refused.
  const Scene scene = stage(Carrier::kUnixSocket, [](Connection& connection) {
    connection.write(http_answer(413, kProblem, R"({"code":"too_large","detail":"at most 1 MiB"})"));
  });
  const auto refused = scene.client.verify({{std::string(8 * 1024 * 1024, 'A')}, std::nullopt});
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "too_large", refused.error().error.what);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_none_is_not_sent) {
  const Scene scene = stage(Carrier::kUnixSocket, answers(http_answer(200, kJson, "{}")));
  for (const char* name : {"", "..", "../grants", "a/b", "Support", "a?limit=1", "a b", "-x"}) {
    const auto agent = scene.client.agent(name);
    BOOST_REQUIRE(!agent);
    BOOST_TEST((agent.error().error.code == ErrorCode::kInvalidArgument), name);
    BOOST_TEST((scene.client.retire_agent(name).error().error.code == ErrorCode::kInvalidArgument), name);
  }
}

BOOST_AUTO_TEST_CASE(parameters_that_are_no_object_are_not_sent) {
  const Scene scene = stage(Carrier::kUnixSocket, answers(http_answer(200, kJson, kVerdict)));
  for (const char* params : {"", "[]", "7", R"({"a":1,"a":2})", "{"}) {
    const api::VerifyChain request{{"t"},
                                   api::Action{"https://rs.example", "crm.read", params, std::nullopt}};
    BOOST_TEST((scene.client.verify(request).error().error.code == ErrorCode::kInvalidArgument), params);
  }
}

BOOST_AUTO_TEST_CASE(a_page_is_asked_for_with_its_cursor_encoded) {
  std::promise<std::string> seen;
  const Scene scene = stage(Carrier::kUnixSocket, [&](Connection& connection) {
    seen.set_value(connection.read_request());
    connection.write(http_answer(200, kJson, R"({"agents":[]})"));
  });
  BOOST_TEST(scene.client.agents("a&b=c/d", 7).value().agents.empty());
  BOOST_TEST(seen.get_future().get().starts_with("GET /v1/agents?limit=7&after=a%26b%3Dc%2Fd HTTP/1.1\r\n"));
}

// --- connecting

BOOST_AUTO_TEST_CASE(an_absent_socket_and_a_file_that_is_none_fail_to_connect) {
  const chancery::testing::TemporaryFolder folder;
  ClientOptions options;
  options.socket = (folder.path() / "none.sock").string();
  BOOST_TEST((Client::connect(options).value().readiness().error().error.code == ErrorCode::kConnectFailed));
  std::ofstream(options.socket) << "no socket";
  BOOST_TEST((Client::connect(options).value().readiness().error().error.code == ErrorCode::kConnectFailed));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_hangs_up_fails_to_connect) {
  const Scene scene = stage(Carrier::kUnixSocket, [](Connection& connection) { connection.read_request(); });
  BOOST_TEST((scene.client.readiness().error().error.code == ErrorCode::kConnectFailed));
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_fails_to_connect) {
  ClientOptions options;
  {
    const auto gone = FakeDaemon::on_tls(answers(""));
    options.address = gone->address();
  }
  BOOST_TEST((Client::connect(options).value().readiness().error().error.code == ErrorCode::kConnectFailed));
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_authority_is_refused) {
  const auto daemon = FakeDaemon::on_tls(answers(http_answer(200, kJson, kVerdict)));
  const auto other = FakeDaemon::on_tls(answers(""));
  ClientOptions options;
  options.address = daemon->address();
  options.ca_file = other->ca_file();
  BOOST_TEST(
      (Client::connect(options).value().verify(some_chain()).error().error.code == ErrorCode::kTlsFailed));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  const auto daemon = FakeDaemon::on_tls(answers(http_answer(200, kJson, kVerdict)), "elsewhere.example");
  ClientOptions options;
  options.address = daemon->address();
  options.ca_file = daemon->ca_file();
  BOOST_TEST(
      (Client::connect(options).value().verify(some_chain()).error().error.code == ErrorCode::kTlsFailed));
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_at_once) {
  ClientOptions both;
  both.socket = "/run/a.sock";
  both.address = "https://localhost";
  BOOST_TEST((Client::connect(both).error().code == ErrorCode::kInvalidArgument));
  ClientOptions no_time;
  no_time.timeout = 0ms;
  BOOST_TEST((Client::connect(no_time).error().code == ErrorCode::kInvalidArgument));
  ClientOptions no_file;
  no_file.address = "https://localhost";
  no_file.ca_file = "/nonexistent/ca.pem";
  BOOST_TEST((Client::connect(no_file).error().code == ErrorCode::kFileUnreadable));
  ClientOptions no_certificate = no_file;
  no_certificate.ca_file = "/dev/null";
  BOOST_TEST((Client::connect(no_certificate).error().code == ErrorCode::kTlsFailed));
}

BOOST_AUTO_TEST_SUITE_END()
