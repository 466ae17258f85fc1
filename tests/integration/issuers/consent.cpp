// A person's consent, by the page of an authorization server that nobody here wrote.

#include <array>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "tests/integration/issuers/provider_scene.hpp"

namespace chancery::tests {
namespace {

using std::chrono::seconds;
using vault::AuthorizationCode;
using vault::IssuerState;
using State = vault::StoredGrant::State;

constexpr std::uint16_t kPort = 4711;
constexpr const char* kExchanged = "/token authorization_code 200";

ProviderScene& scene() {
  static ProviderScene started;
  return started;
}

struct Consent {
  explicit Consent(std::shared_ptr<vault::OAuthClient> of = scene().public_client(),
                   const vault::AuthorizationCodeOptions& options = scene().consent_options())
      : client(std::move(of)), flow(client, store, options, scene().time.clock()) {}

  [[nodiscard]] vault::RedirectParameters redirect(bool consents = true) {
    return must(vault::parse_redirect(scene().browse(must(flow.begin(kPort)), consents)));
  }

  std::shared_ptr<MemoryGrantStore> store = std::make_shared<MemoryGrantStore>();
  std::shared_ptr<vault::OAuthClient> client;
  AuthorizationCode flow;
};

// In the order in which members need one another.
vault::AuthorizationCodeOptions options_with(const std::string& redirect_uri) {
  vault::AuthorizationCodeOptions out = scene().consent_options();
  out.redirect_uri = redirect_uri;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(consent)

BOOST_AUTO_TEST_CASE(a_public_client_gets_a_grant_that_gives_tokens) {
  Consent consent;
  vault::RefreshTokenIssuer issuer(consent.client, consent.store, {}, scene().time.clock(),
                                   scene().lifetimes);
  BOOST_TEST((issuer.facts().state == IssuerState::kNeedsConsent));
  BOOST_TEST(error_of(issuer.issue(scene().request(), soon())) == "credential_expired");
  must(consent.flow.finish(consent.redirect(), soon()));
  BOOST_TEST((consent.store->state() == State::kUsable));
  const auto token = must(issuer.issue(scene().request(), soon()));
  const std::string said = scene().introspect(token);
  BOOST_TEST(said.find(R"("scope":"orders.read")") != std::string::npos, said);
  BOOST_TEST(said.find(R"("sub":"alice")") != std::string::npos, said);
  BOOST_TEST((issuer.facts().state == IssuerState::kReady));
}

BOOST_AUTO_TEST_CASE(a_client_with_a_key_gets_a_grant_that_gives_tokens) {
  Consent consent(scene().key_client());
  must(consent.flow.finish(consent.redirect(), soon()));
  vault::RefreshTokenIssuer issuer(consent.client, consent.store, {}, scene().time.clock(),
                                   scene().lifetimes);
  BOOST_TEST(scene().is_active(must(issuer.issue(scene().request(), soon()))));
}

BOOST_AUTO_TEST_CASE(a_person_who_says_no_is_heard) {
  Consent consent;
  BOOST_TEST(error_of(consent.flow.finish(consent.redirect(false), soon())) == "forbidden");
  BOOST_TEST((consent.store->state() == State::kNone));
}

BOOST_AUTO_TEST_CASE(a_redirect_counts_once) {
  Consent consent;
  const auto redirect = consent.redirect();
  must(consent.flow.finish(redirect, soon()));
  const std::size_t before = scene().count(kExchanged);
  BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "not_found");
  BOOST_TEST(scene().count(kExchanged) == before);
}

BOOST_AUTO_TEST_CASE(a_redirect_that_nobody_began_is_refused) {
  Consent consent;
  auto redirect = consent.redirect();
  redirect.state.front() = redirect.state.front() == 'A' ? 'B' : 'A';
  BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_redirect_after_the_patience_is_refused) {
  Consent consent;
  const auto redirect = consent.redirect();
  scene().time.move(scene().consent_options().patience);
  BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_redirect_of_another_server_is_refused_and_its_code_stays_here) {
  for (const char* issuer : {"https://other.example", ""}) {
    Consent consent;
    auto redirect = consent.redirect();
    redirect.issuer = issuer;
    const std::size_t before = scene().count(kExchanged);
    BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "forbidden");
    BOOST_TEST(scene().count(kExchanged) == before);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_name_itself_must_be_configured_so) {
  vault::OAuthServer server = scene().server();
  server.names_itself = false;
  Consent consent(scene().client(std::move(server), vault::ClientIdentity{"by-nothing"}));
  auto redirect = consent.redirect();
  redirect.issuer.clear();
  must(consent.flow.finish(redirect, soon()));
  auto from_another = consent.redirect();
  from_another.issuer = "https://other.example";  // whoever names another server is one
  BOOST_TEST(error_of(consent.flow.finish(from_another, soon())) == "forbidden");
}

BOOST_AUTO_TEST_CASE(a_code_is_of_no_use_without_the_verifier) {
  Consent consent;
  auto redirect = consent.redirect();
  const auto begun = must(consent.flow.begin(kPort));  // with a verifier of its own
  redirect.state = begun.state;
  BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "request_refused");
  BOOST_TEST((consent.store->state() == State::kNone));
}

BOOST_AUTO_TEST_CASE(a_consent_without_a_refresh_token_is_none) {
  vault::AuthorizationCodeOptions options = scene().consent_options();
  options.scopes = {"orders.read"};  // not offline_access
  Consent consent(scene().public_client(), options);
  BOOST_TEST(error_of(consent.flow.finish(consent.redirect(), soon())) == "bad_response");
  BOOST_TEST((consent.store->state() == State::kNone));
}

BOOST_AUTO_TEST_CASE(the_oldest_of_too_many_gives_way) {
  Consent consent;
  const auto redirect = consent.redirect();
  for (std::size_t i = 0; i < AuthorizationCode::kMostBegun; ++i) {
    scene().time.move(seconds(1));
    static_cast<void>(must(consent.flow.begin(kPort)));
  }
  BOOST_TEST(error_of(consent.flow.finish(redirect, soon())) == "not_found");
}

struct Redirected {
  const char* name;
  const char* configured;
  std::uint16_t port;
  const char* want;  // a part of the address, or of the error's name
};
std::ostream& operator<<(std::ostream& out, const Redirected& row) { return out << row.name; }

const std::array kRedirected{
    Redirected{"loopback with a chosen port", "http://127.0.0.1/a", 80,
               "redirect_uri=http%3A%2F%2F127.0.0.1%3A80%2Fa&"},
    Redirected{"another port than the configured", "http://[::1]:1/a", 80,
               "redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A80%2Fa&"},
    Redirected{"the configured port", "http://127.0.0.1:8/a", 0,
               "redirect_uri=http%3A%2F%2F127.0.0.1%3A8%2Fa&"},
    Redirected{"an address of our own", "https://c.example/a", 0,
               "redirect_uri=https%3A%2F%2Fc.example%2Fa&"},
    Redirected{"its port cannot be chosen", "https://c.example/a", 80, "invalid_argument"},
    Redirected{"http elsewhere", "http://c.example/a", 0, "config_invalid"},
    Redirected{"a name for loopback", "http://localhost/a", 80, "config_invalid"},
    Redirected{"a name that begins like loopback", "http://127.0.0.1.c.example/a", 80, "config_invalid"},
    Redirected{"a user before the host", "http://127.0.0.1@c.example/a", 80, "config_invalid"},
};

BOOST_DATA_TEST_CASE(a_redirect_goes_to_loopback_or_over_https, boost::unit_test::data::make(kRedirected),
                     row) {
  Consent consent(scene().public_client(), options_with(row.configured));
  const auto begun = consent.flow.begin(row.port);
  const std::string got = begun ? begun->authorization_url : error_of(begun);
  BOOST_TEST(got.find(row.want) != std::string::npos, got);
}

BOOST_AUTO_TEST_CASE(what_the_flow_says_itself_cannot_be_configured) {
  vault::AuthorizationCodeOptions options = scene().consent_options();
  options.parameters = {{"code_challenge_method", "plain"}};
  Consent consent(scene().public_client(), options);
  BOOST_TEST(error_of(consent.flow.begin(kPort)) == "config_invalid");
}

struct Query {
  const char* text;
  bool is_read;
};
std::ostream& operator<<(std::ostream& out, const Query& row) { return out << row.text; }

const std::array kQueries{
    Query{"code=a&state=b", true},
    Query{"state=b&error=access_denied&error_description=End-User+aborted", true},
    Query{"code=a&state=b&iss=https%3A%2F%2Fa.example&x=y&flag", true},
    Query{"", false},
    Query{"code=a", false},
    Query{"state=b", false},
    Query{"code=a&error=b&state=c", false},
    Query{"code=a&state=b&state=b", false},
    Query{"code=a&state=b&x=1&x=2", false},
    Query{"code=a&state=b%2", false},
    Query{"code=a&state=b%zz", false},
};

BOOST_DATA_TEST_CASE(a_query_is_read_strictly, boost::unit_test::data::make(kQueries), row) {
  BOOST_TEST(vault::parse_redirect(row.text).has_value() == row.is_read);
}

BOOST_AUTO_TEST_CASE(a_query_is_decoded) {
  const auto read = must(vault::parse_redirect("code=a%2Bb&state=c+d&iss=https%3A%2F%2Fa.example"));
  BOOST_TEST(as_text(read.code.view()) == "a+b");
  BOOST_TEST(read.state == "c d");
  BOOST_TEST(read.issuer == "https://a.example");
  BOOST_TEST(!vault::parse_redirect("state=a&code=" + std::string(9000, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
