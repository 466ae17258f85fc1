#include "sdk/client/https_fetch.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <ostream>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/client/document_server.hpp"

// What is fetched from servers that nobody here answers for.

namespace {

using namespace chancery;
using namespace std::chrono_literals;
using chancery::client::HttpsFetch;
using chancery::testing::Connection;
using chancery::testing::DocumentServer;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;

constexpr const char* kType = "application/statuslist+jwt";

struct Answered {
  const char* name;
  std::string octets;
  std::optional<ErrorCode> error;
};
std::ostream& operator<<(std::ostream& out, const Answered& row) { return out << row.name; }

std::string chunked(const std::string& chunks) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/statuslist+jwt\r\nTransfer-Encoding: chunked\r\n\r\n" +
         chunks;
}

const std::array kAnswers{
    Answered{"the document", http_answer(200, kType, "abc"), std::nullopt},
    Answered{"its type with a parameter", http_answer(200, "application/statuslist+jwt; charset=x", "abc"),
             std::nullopt},
    Answered{"in chunks", chunked("3\r\nabc\r\n0\r\n\r\n"), std::nullopt},
    Answered{"another type", http_answer(200, "text/html", "abc"), ErrorCode::kBadResponse},
    Answered{"no type", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", ErrorCode::kBadResponse},
    Answered{"not found", http_answer(404, kType, "abc"), ErrorCode::kBadResponse},
    Answered{"a redirect", http_answer(302, kType, "abc", "Location: https://localhost/other\r\n"),
             ErrorCode::kBadResponse},
    Answered{"as much as is taken", http_answer(200, kType, std::string(1000, 'a')), std::nullopt},
    Answered{"one octet more", http_answer(200, kType, std::string(1001, 'a')), ErrorCode::kTooLarge},
    Answered{"one octet more in chunks", chunked("3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n"),
             ErrorCode::kTooLarge},
    Answered{"a chunk of a negative size", chunked("-1\r\nabc\r\n0\r\n\r\n"), ErrorCode::kBadResponse},
    Answered{"cut short",
             "HTTP/1.1 200 OK\r\nContent-Type: application/statuslist+jwt\r\nContent-Length: 9\r\n\r\nabc",
             ErrorCode::kBadResponse},
    Answered{"no HTTP", "hello\r\n\r\n", ErrorCode::kBadResponse},
    Answered{"nothing", "", ErrorCode::kBadResponse},
};

HttpsFetch small_fetch(const std::string& ca_file) { return {ca_file, {.max_bytes = 1000, .timeout = 20s}}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(https_fetch)

BOOST_DATA_TEST_CASE(only_a_whole_answer_within_the_limits_is_taken, boost::unit_test::data::make(kAnswers),
                     row) {
  DocumentServer server;
  server.set("/list", row.octets);
  const auto body = small_fetch(server.ca_file()).get(server.origin() + "/list", {kType});
  BOOST_REQUIRE(body.has_value() == !row.error.has_value());
  if (body) {
    BOOST_TEST((body->starts_with("a")));
  } else {
    BOOST_TEST((body.error().code == *row.error), error_name(body.error().code));
  }
  BOOST_TEST(server.requests().size() == 1);  // no redirect was followed, nothing was asked twice
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_trusted_is_refused) {
  DocumentServer server;
  const DocumentServer other;
  server.set("/list", http_answer(200, kType, "abc"));
  for (const std::string& ca_file : {other.ca_file(), std::string()}) {
    const auto body = small_fetch(ca_file).get(server.origin() + "/list", {kType});
    BOOST_TEST((body.error().code == ErrorCode::kTlsFailed));
  }
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  const auto server = FakeDaemon::on_tls(testing::answers(http_answer(200, kType, "abc")), "other.example");
  const auto body = small_fetch(server->ca_file()).get(server->address() + "/list", {kType});
  BOOST_TEST((body.error().code == ErrorCode::kTlsFailed));
}

BOOST_AUTO_TEST_CASE(nothing_but_https_is_fetched) {
  for (const char* uri :
       {"http://localhost/list", "file:///etc/passwd", "ftp://localhost/list", "list", ""}) {
    const auto body = small_fetch({}).get(uri, {kType});
    BOOST_TEST((body.error().code == ErrorCode::kInvalidArgument), uri);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_waited_for_no_longer_than_allowed) {
  const auto server = FakeDaemon::on_tls([](Connection& connection) { connection.wait_for_peer(); });
  const HttpsFetch fetch(server->ca_file(), {.timeout = 200ms});
  BOOST_TEST((fetch.get(server->address() + "/list", {kType}).error().code == ErrorCode::kTimeout));
}

BOOST_AUTO_TEST_CASE(a_fetch_ends_when_it_is_told_to) {
  std::stop_source stop;
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    stop.request_stop();
    connection.wait_for_peer();
  });
  const HttpsFetch fetch(server->ca_file(), {.timeout = 10min});
  const auto body = fetch.get(server->address() + "/list", {kType}, stop.get_token());
  BOOST_TEST((body.error().code == ErrorCode::kShuttingDown));
}

struct Posted {
  const char* name;
  std::string octets;
  std::optional<int> status;  // nothing: there is none
};
std::ostream& operator<<(std::ostream& out, const Posted& row) { return out << row.name; }

const std::array kPosted{
    Posted{"taken", "HTTP/1.1 204 No Content\r\n\r\n", 204},
    Posted{"taken, with a body", http_answer(200, "text/plain", "thank you"), 200},
    Posted{"taken, with a body that does not end",
           "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + std::string(100'000, 'a'), 200},
    Posted{"taken, with chunks that do not end",
           "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 202},
    Posted{"refused", http_answer(400, "text/plain", "no"), 400},
    Posted{"a redirect", http_answer(307, "text/plain", "", "Location: https://localhost/other\r\n"), 307},
    Posted{"headers without end", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n",
           std::nullopt},
    Posted{"no HTTP", "hello\r\n\r\n", std::nullopt},
    Posted{"nothing", "", std::nullopt},
};

BOOST_DATA_TEST_CASE(of_an_answer_to_a_post_the_status_is_all_that_counts,
                     boost::unit_test::data::make(kPosted), row) {
  DocumentServer server;
  server.set("/hook?a=b", row.octets);
  const auto status =
      small_fetch(server.ca_file()).post(server.origin() + "/hook?a=b", "application/jwt", "a.b.c");
  BOOST_REQUIRE(status.has_value() == row.status.has_value());
  if (status) BOOST_TEST(*status == *row.status);
  BOOST_TEST(server.requests().size() == 1);
}

BOOST_AUTO_TEST_CASE(what_is_posted_arrives_with_its_type_and_the_address_users_name) {
  std::string request;
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    request = connection.read_request();
    connection.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const std::string port = server->address().substr(server->address().rfind(':'));
  const std::string document(5000, 'x');
  const auto status = small_fetch(server->ca_file())
                          .post("https://me:secret@localhost" + port + "/hook", "application/jwt", document);
  BOOST_TEST(status.value() == 204);
  BOOST_TEST(request.starts_with("POST /hook HTTP/1.1\r\n"), request);
  BOOST_TEST(request.find("\r\nContent-Type: application/jwt\r\n") != std::string::npos, request);
  BOOST_TEST(request.find("\r\nAuthorization: Basic bWU6c2VjcmV0\r\n") != std::string::npos, request);
  BOOST_TEST(request.ends_with("\r\n\r\n" + document));
}

BOOST_AUTO_TEST_CASE(a_post_ends_when_it_is_told_to) {
  std::stop_source stop;
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    stop.request_stop();
    connection.wait_for_peer();
  });
  const HttpsFetch fetch(server->ca_file(), {.timeout = 10min});
  const auto status = fetch.post(server->address() + "/hook", "application/jwt", "a.b.c", stop.get_token());
  BOOST_TEST((status.error().code == ErrorCode::kShuttingDown));
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_to_whom_it_is_not_for) {
  DocumentServer server;
  const DocumentServer other;
  const auto untrusted = small_fetch(other.ca_file()).post(server.origin() + "/", "application/jwt", "a.b.c");
  BOOST_TEST((untrusted.error().code == ErrorCode::kTlsFailed));
  const auto plain = small_fetch({}).post("http://localhost/", "application/jwt", "a.b.c");
  BOOST_TEST((plain.error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST(server.requests().empty());
}

struct Exchanged {
  const char* name;
  std::string octets;
  std::optional<ErrorCode> error;
  int status = 0;
  std::string media_type{};
  std::string body{};
};
std::ostream& operator<<(std::ostream& out, const Exchanged& row) { return out << row.name; }

const std::array kExchanged{
    Exchanged{"an answer", http_answer(200, "application/json; charset=x", "{}"), std::nullopt, 200,
              "application/json", "{}"},
    Exchanged{"a refusal", http_answer(401, "text/plain", "no"), std::nullopt, 401, "text/plain", "no"},
    Exchanged{"no body and no type", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", std::nullopt, 200},
    Exchanged{"a redirect", http_answer(307, "text/plain", "", "Location: https://localhost/other\r\n"),
              std::nullopt, 307, "text/plain"},
    Exchanged{"in chunks",
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
              std::nullopt, 200, "", "abcdef"},
    Exchanged{"as much as is taken", http_answer(200, kType, std::string(1000, 'a')), std::nullopt, 200,
              kType, std::string(1000, 'a')},
    Exchanged{"one octet more", http_answer(200, kType, std::string(1001, 'a')), ErrorCode::kTooLarge},
    Exchanged{"one octet more in chunks",
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'a') +
                  "\r\n0\r\n\r\n",
              ErrorCode::kTooLarge},
    Exchanged{"no HTTP", "hello\r\n\r\n", ErrorCode::kBadResponse},
    Exchanged{"nothing", "", ErrorCode::kBadResponse},
};

client::SecretRequest secret_request(const std::string& uri) {
  client::SecretRequest request{uri, "application/x-www-form-urlencoded", "application/json"};
  request.document = SecretBytes(as_bytes("token=abc"));
  request.user_and_password = SecretBytes(as_bytes("me:s%3Acret"));
  return request;
}

BOOST_DATA_TEST_CASE(an_answer_with_secrets_is_taken_whatever_its_status,
                     boost::unit_test::data::make(kExchanged), row) {
  DocumentServer server;
  server.set("/token", row.octets);
  const auto answer = small_fetch(server.ca_file()).exchange(secret_request(server.origin() + "/token"));
  BOOST_REQUIRE(answer.has_value() == !row.error.has_value());
  if (answer) {
    BOOST_TEST(answer->status == row.status);
    BOOST_TEST(answer->media_type == row.media_type);
    BOOST_TEST(as_text(answer->body.view()) == row.body);
  } else {
    BOOST_TEST((answer.error().code == *row.error), error_name(answer.error().code));
  }
  BOOST_TEST(server.requests().size() == 1);
}

BOOST_AUTO_TEST_CASE(what_is_posted_with_secrets_arrives_as_it_was_given) {
  std::string request;
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    request = connection.read_request();
    connection.write(http_answer(200, "application/json", "{}"));
  });
  BOOST_TEST(
      small_fetch(server->ca_file()).exchange(secret_request(server->address() + "/token")).has_value());
  BOOST_TEST(request.starts_with("POST /token HTTP/1.1\r\n"), request);
  BOOST_TEST(request.find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") != std::string::npos,
             request);
  BOOST_TEST(request.find("\r\nAccept: application/json\r\n") != std::string::npos, request);
  BOOST_TEST(request.find("\r\nAuthorization: Basic bWU6cyUzQWNyZXQ=\r\n") != std::string::npos, request);
  BOOST_TEST(request.ends_with("\r\n\r\ntoken=abc"), request);
}

BOOST_AUTO_TEST_CASE(secrets_are_posted_to_nobody_else) {
  DocumentServer server;
  const DocumentServer other;
  const auto untrusted = small_fetch(other.ca_file()).exchange(secret_request(server.origin() + "/token"));
  BOOST_TEST((untrusted.error().code == ErrorCode::kTlsFailed));
  const auto plain = small_fetch({}).exchange(secret_request("http://localhost/token"));
  BOOST_TEST((plain.error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(an_origin_ends_where_the_path_begins) {
  BOOST_TEST(client::origin_of("https://a.example/lists/1") == "https://a.example");
  BOOST_TEST(client::origin_of("https://a.example:8443") == "https://a.example:8443");
  BOOST_TEST(client::origin_of("http://a.example/").empty());
}

BOOST_AUTO_TEST_SUITE_END()
