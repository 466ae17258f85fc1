// Authorization servers that answer otherwise than they should, or not at all.

#include <array>
#include <mutex>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "tests/integration/issuers/memory_grant_store.hpp"
#include "tests/integration/issuers/provider_scene.hpp"
#include "tests/unit/client/fake_daemon.hpp"

namespace chancery::tests {
namespace {

using std::chrono::seconds;
using testing::Connection;
using testing::FakeDaemon;
using testing::http_answer;
using State = vault::StoredGrant::State;

constexpr const char* kJson = "application/json";
constexpr const char* kGood = R"({"access_token":"abc","token_type":"bearer","expires_in":600})";

std::shared_ptr<vault::OAuthClient> client_of(const FakeDaemon& server) {
  vault::OAuthServer out;
  out.issuer = server.address();
  out.token_endpoint = server.address() + "/token";
  out.ca_file = server.ca_file();
  vault::ClientIdentity identity{"client"};
  identity.secret = SecretBytes(as_bytes("p:ss w%rd"));
  const auto now = [] { return std::chrono::sys_seconds(seconds(1'000'000)); };
  return std::make_shared<vault::OAuthClient>(std::move(out), std::move(identity), now);
}

vault::Clock still() {
  return [] { return std::chrono::sys_seconds(seconds(1'000'000)); };
}

vault::IssueRequest request() {
  vault::IssueRequest out;
  out.not_after = still()() + seconds(3600);
  return out;
}

/// A grant of which the server is asked.
std::shared_ptr<MemoryGrantStore> granted() {
  auto store = std::make_shared<MemoryGrantStore>();
  static_cast<void>(must(store->replace({State::kUsable, still()(), SecretBytes(as_bytes("rt-1")), 0})));
  return store;
}

std::string refused(int status, const char* name) {
  return http_answer(status, kJson,
                     std::string(R"({"error":")") + name + R"(","error_description":"secret"})");
}

struct Answered {
  const char* name;
  std::string octets;
  const char* error;
  State after;  ///< of a grant that was to be refreshed
};
std::ostream& operator<<(std::ostream& out, const Answered& row) { return out << row.name; }

const std::array kAnswers{
    Answered{"a token", http_answer(200, kJson, kGood), "none", State::kUsable},
    Answered{"its type with a parameter", http_answer(200, "application/json;charset=UTF-8", kGood), "none",
             State::kUsable},
    Answered{"escapes in the token",
             http_answer(200, kJson, R"({"access_token":"a\/b","token_type":"Bearer","expires_in":600})"),
             "none", State::kUsable},
    Answered{"nothing", "", "bad_response", State::kUncertain},
    Answered{"no HTTP", "hello\r\n\r\n", "bad_response", State::kUncertain},
    Answered{"cut short", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
             "bad_response", State::kUncertain},
    Answered{"a huge answer", http_answer(200, kJson, std::string(40000, ' ') + kGood), "too_large",
             State::kUncertain},
    Answered{
        "huge headers",
        "HTTP/1.1 200 OK\r\nX: " + std::string(90000, 'a') + "\r\nX: " + std::string(90000, 'a') + "\r\n\r\n",
        "too_large", State::kUncertain},
    Answered{"another type", http_answer(200, "text/html", kGood), "bad_response", State::kUncertain},
    Answered{"no JSON", http_answer(200, kJson, "<html>"), "bad_response", State::kUncertain},
    Answered{"a member twice",
             http_answer(200, kJson, R"({"access_token":"a","access_token":"b","token_type":"bearer"})"),
             "bad_response", State::kUncertain},
    Answered{"no token", http_answer(200, kJson, R"({"token_type":"bearer"})"), "bad_response",
             State::kUncertain},
    Answered{"an empty token", http_answer(200, kJson, R"({"access_token":"","token_type":"bearer"})"),
             "bad_response", State::kUncertain},
    Answered{"a line end in the token",
             http_answer(200, kJson, R"({"access_token":"a\r\nX: y","token_type":"bearer"})"), "bad_response",
             State::kUncertain},
    Answered{"a token that is bound to a key",
             http_answer(200, kJson, R"({"access_token":"a","token_type":"DPoP"})"), "bad_response",
             State::kUncertain},
    Answered{"no time to live",
             http_answer(200, kJson, R"({"access_token":"a","token_type":"bearer","expires_in":0})"),
             "bad_response", State::kUncertain},
    Answered{"its time is a text",
             http_answer(200, kJson, R"({"access_token":"a","token_type":"bearer","expires_in":"9"})"),
             "bad_response", State::kUncertain},
    Answered{"a redirect", http_answer(302, kJson, kGood, "Location: https://localhost/\r\n"), "bad_response",
             State::kUncertain},
    Answered{"a fault of a server between", http_answer(502, "text/html", "<html>"), "bad_response",
             State::kUncertain},
    Answered{"too many requests", http_answer(429, kJson, "{}"), "overloaded", State::kUsable},
    Answered{"no room", http_answer(503, "text/html", ""), "overloaded", State::kUsable},
    Answered{"not found", http_answer(404, "text/html", "<html>"), "bad_response", State::kUsable},
    Answered{"invalid_request", refused(400, "invalid_request"), "request_refused", State::kUsable},
    Answered{"invalid_client", refused(401, "invalid_client"), "request_refused", State::kUsable},
    Answered{"401 without a word", http_answer(401, "text/plain", ""), "request_refused", State::kUsable},
    Answered{"invalid_grant", refused(400, "invalid_grant"), "credential_expired", State::kEnded},
    Answered{"unauthorized_client", refused(400, "unauthorized_client"), "request_refused", State::kUsable},
    Answered{"unsupported_grant_type", refused(400, "unsupported_grant_type"), "request_refused",
             State::kUsable},
    Answered{"invalid_scope", refused(400, "invalid_scope"), "request_refused", State::kUsable},
    Answered{"invalid_target", refused(400, "invalid_target"), "request_refused", State::kUsable},
    Answered{"an error that nobody knows", refused(400, "whatever"), "bad_response", State::kUsable},
    Answered{"invalid_grant, but not as JSON", http_answer(400, "text/html", R"({"error":"invalid_grant"})"),
             "bad_response", State::kUsable},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(misbehaving)

BOOST_DATA_TEST_CASE(each_answer_has_its_error_and_leaves_the_grant_as_it_must,
                     boost::unit_test::data::make(kAnswers), row) {
  const auto server = FakeDaemon::on_tls(testing::answers(row.octets));
  vault::LifetimeTally tally;
  const auto store = granted();
  vault::RefreshTokenIssuer issuer(client_of(*server), store, {.accepts_outliving = true}, still(), tally);
  const auto issued = issuer.issue(request(), soon());
  BOOST_TEST(error_of(issued) == row.error);
  BOOST_TEST((store->state() == row.after));
  const std::string error = row.error;
  const auto state = error == "none"                 ? vault::IssuerState::kReady
                     : error == "credential_expired" ? vault::IssuerState::kNeedsConsent
                                                     : vault::IssuerState::kFailing;
  BOOST_TEST((issuer.facts().state == state));
}

BOOST_AUTO_TEST_CASE(a_client_authenticates_as_forms_are_written_and_names_no_secret_elsewhere) {
  std::mutex mutex;
  std::string seen;
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    const std::string request = connection.read_request();
    {
      const std::lock_guard lock(mutex);
      seen = request;
    }
    connection.write(http_answer(200, kJson, kGood));
  });
  vault::LifetimeTally tally;
  vault::ClientCredentialsIssuer issuer(client_of(*server), {}, still(), tally);
  static_cast<void>(must(issuer.issue(request(), soon())));
  const std::lock_guard lock(mutex);
  BOOST_TEST(seen.starts_with("POST /token HTTP/1.1\r\n"));
  BOOST_TEST(seen.find("Authorization: Basic Y2xpZW50OnAlM0FzcyUyMHclMjVyZA==\r\n") != std::string::npos,
             seen);
  BOOST_TEST(seen.ends_with("\r\n\r\ngrant_type=client_credentials"), seen);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_answer_is_given_up) {
  const auto server = FakeDaemon::on_tls([](Connection& connection) { connection.wait_for_peer(); });
  vault::LifetimeTally tally;
  vault::ClientCredentialsIssuer by_ourselves(client_of(*server), {}, still(), tally);
  BOOST_TEST(error_of(by_ourselves.issue(request(), soon(std::chrono::milliseconds(200)))) == "timeout");
  const auto store = granted();
  vault::RefreshTokenIssuer for_a_person(client_of(*server), store,
                                         {.patience = std::chrono::milliseconds(300)}, still(), tally);
  BOOST_TEST(error_of(for_a_person.issue(request(), soon())) == "timeout");
  BOOST_TEST((store->state() == State::kUncertain));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_believed_is_told_nothing) {
  const auto server = FakeDaemon::on_tls(testing::answers(http_answer(200, kJson, kGood)), "other.example");
  vault::LifetimeTally tally;
  const auto store = granted();
  vault::RefreshTokenIssuer issuer(client_of(*server), store, {}, still(), tally);
  BOOST_TEST(error_of(issuer.issue(request(), soon())) == "tls_failed");
  BOOST_TEST((store->state() == State::kUsable));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_rotate_leaves_the_token_as_it_is) {
  const auto server = FakeDaemon::on_tls(testing::answers(http_answer(200, kJson, kGood)));
  vault::LifetimeTally tally;
  const auto store = granted();
  vault::RefreshTokenIssuer issuer(client_of(*server), store, {}, still(), tally);
  static_cast<void>(must(issuer.issue(request(), soon())));
  BOOST_TEST(store->token() == "rt-1");
}

BOOST_AUTO_TEST_CASE(a_token_without_an_end_is_taken_only_where_that_is_accepted) {
  const auto server = FakeDaemon::on_tls(
      testing::answers(http_answer(200, kJson, R"({"access_token":"a","token_type":"bearer"})")));
  vault::LifetimeTally tally;
  vault::ClientCredentialsIssuer strict(client_of(*server), {}, still(), tally);
  BOOST_TEST(error_of(strict.issue(request(), soon())) == "limit_exceeded");
  vault::ClientCredentialsIssuer lenient(client_of(*server), {.accepts_outliving = true}, still(), tally);
  BOOST_TEST((must(lenient.issue(request(), soon())).expires_at == std::chrono::sys_seconds::max()));
  BOOST_TEST((tally.issued.read().sum == static_cast<std::uint64_t>(vault::LifetimeTally::kLongest.count())));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
