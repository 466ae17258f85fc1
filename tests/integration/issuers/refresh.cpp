// Tokens for a person who consented, from an authorization server that nobody here wrote and that rotates refresh tokens.

#include <array>
#include <charconv>
#include <set>
#include <thread>

#include "tests/integration/issuers/losing_proxy.hpp"
#include "tests/integration/issuers/provider_scene.hpp"

namespace chancery::tests {
namespace {

using std::chrono::seconds;
using vault::IssuedCredential;
using vault::IssuerState;
using vault::RefreshTokenIssuer;
using State = vault::StoredGrant::State;

constexpr const char* kRefreshed = "/token refresh_token 200";
constexpr const char* kRefused = "/token refresh_token 400";
constexpr const char* kRevoked = "/token/revocation - 200";

ProviderScene& scene() {
  static ProviderScene started;
  return started;
}

vault::OAuthServer revoking_singly() {
  vault::OAuthServer out = scene().server();
  out.revokes_singly = true;
  return out;
}

/// A person's grant, and an issuer that lives from it.
struct Granted {
  explicit Granted(vault::OAuthServer server = scene().server())
      : client(scene().client(std::move(server), vault::ClientIdentity{"by-nothing"})) {
    scene().consent(scene().public_client(), store);
    begin();
  }

  /// As after a restart: nothing is known but what the store has.
  void begin(const vault::RefreshTokenOptions& options = {}) {
    issuer.reset();
    issuer =
        std::make_unique<RefreshTokenIssuer>(client, store, options, scene().time.clock(), scene().lifetimes);
  }

  [[nodiscard]] Result<IssuedCredential> issue() { return issuer->issue(scene().request(), soon()); }
  [[nodiscard]] IssuerState state() const { return issuer->facts().state; }

  std::shared_ptr<MemoryGrantStore> store = std::make_shared<MemoryGrantStore>();
  std::shared_ptr<vault::OAuthClient> client;
  std::unique_ptr<RefreshTokenIssuer> issuer;
};

std::uint16_t port_of(const std::string& address) {
  std::uint16_t port = 0;
  std::from_chars(address.data() + address.rfind(':') + 1, address.data() + address.size(), port);
  return port;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(refresh)

BOOST_AUTO_TEST_CASE(fifty_callers_make_one_refresh) {
  Granted granted;
  const std::string first_grant = granted.store->token();
  const std::size_t before = scene().count(kRefreshed);
  std::array<std::string, 50> tokens;
  std::vector<std::thread> callers;
  for (std::string& token : tokens) {
    callers.emplace_back([&granted, &token] {
      const auto issued = granted.issue();
      if (issued) token = text_of(*issued);
    });
  }
  for (std::thread& caller : callers) caller.join();
  BOOST_TEST(scene().count(kRefreshed) == before + 1);
  BOOST_TEST(!tokens.front().empty());
  BOOST_TEST((std::set<std::string>(tokens.begin(), tokens.end()).size() == 1));
  BOOST_TEST(granted.store->token() != first_grant);  // it was rotated
}

BOOST_AUTO_TEST_CASE(each_refresh_token_is_used_once_over_restarts) {
  Granted granted;
  std::set<std::string> tokens{granted.store->token()};
  for (std::size_t i = 0; i < 3; ++i) {
    granted.begin();
    static_cast<void>(must(granted.issue()));
    tokens.insert(granted.store->token());
  }
  BOOST_TEST(tokens.size() == 4);
}

BOOST_AUTO_TEST_CASE(
    the_store_knows_before_the_server_and_has_the_next_token_before_anybody_has_the_access_token) {
  Granted granted;
  static_cast<void>(must(granted.issue()));
  const auto states = granted.store->states();
  BOOST_TEST((states == std::vector<State>{State::kUsable, State::kRefreshing, State::kUsable}));
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_note_the_intent_keeps_the_server_from_being_asked) {
  Granted granted;
  const std::size_t before = scene().count(kRefreshed);
  granted.store->fail_on(State::kRefreshing);
  BOOST_TEST(error_of(granted.issue()) == "store_unavailable");
  BOOST_TEST(scene().count(kRefreshed) == before);
  granted.store->fail_on(std::nullopt);
  static_cast<void>(must(granted.issue()));
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_take_the_next_token_is_given_it_again) {
  Granted granted;
  granted.store->fail_on(State::kUsable);
  BOOST_TEST(error_of(granted.issue()) == "store_unavailable");
  BOOST_TEST((granted.state() == IssuerState::kFailing));
  granted.store->fail_on(std::nullopt);
  static_cast<void>(must(granted.issue()));
  BOOST_TEST((granted.state() == IssuerState::kReady));
}

BOOST_AUTO_TEST_CASE(a_lost_answer_ends_in_needs_consent_and_a_new_consent_ends_that) {
  LosingProxy proxy(port_of(scene().address()));
  Granted granted(scene().server(proxy.origin()));
  const std::size_t refreshed = scene().count(kRefreshed);
  const std::size_t refused = scene().count(kRefused);
  proxy.lose_once([&] { return scene().count(kRefreshed) > refreshed; });
  BOOST_TEST(error_of(granted.issue()) == "bad_response");
  BOOST_TEST(proxy.lost() == 1);
  BOOST_TEST((granted.store->state() == State::kUncertain));
  BOOST_TEST((granted.state() == IssuerState::kFailing));

  // The server has rotated, and takes the same token no more.
  BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
  BOOST_TEST(scene().count(kRefused) == refused + 1);
  for (int i = 0; i < 3; ++i) BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST(scene().count(kRefused) == refused + 1);  // it is not asked again

  scene().consent(scene().public_client(), granted.store);
  BOOST_TEST((granted.state() == IssuerState::kReady));
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(a_crash_between_request_and_answer_ends_in_needs_consent) {
  LosingProxy proxy(port_of(scene().address()));
  Granted granted(scene().server(proxy.origin()));
  const std::size_t refreshed = scene().count(kRefreshed);
  proxy.lose_once([&] { return scene().count(kRefreshed) > refreshed; });
  granted.store->fail_on(State::kUncertain);  // nothing was noted after the intent, as when the process ends
  BOOST_TEST(error_of(granted.issue()) == "bad_response");
  granted.store->fail_on(std::nullopt);
  BOOST_TEST((granted.store->state() == State::kRefreshing));

  granted.begin();
  BOOST_TEST(error_of(granted.issue()) == "overloaded");  // another process may be at it
  scene().time.move(seconds(60));
  BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
}

BOOST_AUTO_TEST_CASE(a_crash_before_the_request_costs_nothing) {
  Granted granted;
  auto grant = must(granted.store->load());
  grant.state = State::kRefreshing;
  grant.since = scene().time.now() - seconds(60);
  static_cast<void>(must(granted.store->replace(grant)));
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_away_costs_nothing) {
  ProviderScene own;
  auto store = std::make_shared<MemoryGrantStore>();
  own.consent(own.public_client(), store);
  RefreshTokenIssuer issuer(own.public_client(), store, {}, own.time.clock(), own.lifetimes);
  own.stop();
  BOOST_TEST(error_of(issuer.issue(own.request(), soon())) == "connect_failed");
  BOOST_TEST((store->state() == State::kUsable));
  BOOST_TEST((issuer.facts().state == IssuerState::kFailing));
  own.start();  // and knows of no grant any more
  BOOST_TEST(error_of(issuer.issue(own.request(), soon())) == "credential_expired");
  BOOST_TEST((issuer.facts().state == IssuerState::kNeedsConsent));
}

BOOST_AUTO_TEST_CASE(another_process_has_the_refresh_token_at_a_time) {
  Granted granted;
  RefreshTokenIssuer other(granted.client, granted.store, {}, scene().time.clock(), scene().lifetimes);
  auto grant = must(granted.store->load());
  grant.state = State::kRefreshing;
  grant.since = scene().time.now();
  grant.generation = must(granted.store->replace(grant));
  const std::size_t before = scene().count(kRefreshed) + scene().count(kRefused);
  BOOST_TEST(error_of(other.issue(scene().request(), soon())) == "overloaded");
  BOOST_TEST(scene().count(kRefreshed) + scene().count(kRefused) == before);
}

BOOST_AUTO_TEST_CASE(a_revoked_grant_is_noticed_at_the_first_401) {
  Granted granted;
  const IssuedCredential token = must(granted.issue());
  must(scene().public_client()->revoke(as_bytes(granted.store->token()), "refresh_token", soon()));
  BOOST_TEST(!scene().is_active(token));  // by which the upstream judges
  BOOST_TEST(text_of(must(granted.issue())) == text_of(token));
  const std::size_t before = scene().count(kRefused);
  granted.issuer->report_unauthorized(token);
  BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST(scene().count(kRefused) == before + 1);
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
  BOOST_TEST((granted.store->state() == State::kEnded));
  BOOST_TEST(granted.store->token().empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_of_one_token_is_followed_by_one_refresh) {
  Granted granted;
  const IssuedCredential first = must(granted.issue());
  const std::size_t before = scene().count(kRefreshed);
  for (int i = 0; i < 5; ++i) granted.issuer->report_unauthorized(first);
  const IssuedCredential second = must(granted.issue());
  granted.issuer->report_unauthorized(first);  // of the former
  BOOST_TEST(text_of(must(granted.issue())) == text_of(second));
  BOOST_TEST(scene().count(kRefreshed) == before + 1);

  granted.issuer->report_unauthorized(second);  // no refresh helps
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
  BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST(scene().count(kRefreshed) == before + 1);
}

BOOST_AUTO_TEST_CASE(two_refusals_end_no_consent) {
  Granted granted;
  granted.issuer->report_unauthorized(must(granted.issue()));
  granted.issuer->report_unauthorized(must(granted.issue()));
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
  BOOST_TEST((granted.store->state() == State::kUsable));
  scene().time.move(RefreshTokenIssuer::kProbation);
  BOOST_TEST((granted.state() == IssuerState::kReady));
  const IssuedCredential later = must(granted.issue());
  BOOST_TEST(scene().is_active(later));
  granted.issuer->report_unauthorized(later);  // as little as before
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));
  scene().consent(scene().public_client(), granted.store);
  granted.issuer->drop_tokens();
  BOOST_TEST((granted.state() == IssuerState::kReady));
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(a_token_that_was_accepted_once_may_be_refused) {
  Granted granted;
  granted.issuer->report_unauthorized(must(granted.issue()));
  const IssuedCredential second = must(granted.issue());
  granted.issuer->report_accepted(second);
  granted.issuer->report_unauthorized(second);
  BOOST_TEST((granted.state() == IssuerState::kReady));
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(a_second_refusal_much_later_is_another_one) {
  Granted granted;
  granted.issuer->report_unauthorized(must(granted.issue()));
  const IssuedCredential second = must(granted.issue());
  scene().time.move(RefreshTokenIssuer::kProbation);
  granted.issuer->report_unauthorized(second);
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(other_scopes_have_other_tokens_from_one_grant) {
  Granted granted;
  vault::IssueRequest other = scene().request();
  other.scopes = {"orders.write"};
  const std::string first = text_of(must(granted.issue()));
  const std::string second = text_of(must(granted.issuer->issue(other, soon())));
  BOOST_TEST(first != second);
  BOOST_TEST(text_of(must(granted.issue())) == first);
}

BOOST_AUTO_TEST_CASE(what_was_not_consented_to_is_refused_and_the_grant_stays) {
  Granted granted;
  vault::IssueRequest wider = scene().request();
  wider.scopes = {"openid"};
  BOOST_TEST(error_of(granted.issuer->issue(wider, soon())) == "request_refused");
  BOOST_TEST((granted.store->state() == State::kUsable));
  BOOST_TEST(scene().is_active(must(granted.issue())));
}

BOOST_AUTO_TEST_CASE(a_token_that_would_outlive_the_leaf_is_refused_where_it_cannot_be_revoked) {
  Granted granted;
  BOOST_TEST(error_of(granted.issuer->issue(scene().request(seconds(60)), soon())) == "limit_exceeded");
  static_cast<void>(must(granted.issue()));  // what was refused serves one whose leaf lives longer
  granted.begin({.accepts_outliving = true});
  const IssuedCredential token = must(granted.issuer->issue(scene().request(seconds(60)), soon()));
  BOOST_TEST((token.expires_at - token.issued_at == ProviderScene::kLifetime));
}

BOOST_AUTO_TEST_CASE(a_token_that_would_outlive_the_leaf_is_revoked_when_the_leaf_has_ended) {
  Granted granted(revoking_singly());
  const IssuedCredential token = must(granted.issuer->issue(scene().request(seconds(60)), soon()));
  must(granted.issuer->sweep(soon()));
  BOOST_TEST(scene().is_active(token));
  BOOST_TEST(text_of(must(granted.issue())) == text_of(token));  // shared until then
  scene().time.move(seconds(60));
  const std::size_t before = scene().count(kRevoked);
  must(granted.issuer->sweep(soon()));
  BOOST_TEST(scene().count(kRevoked) == before + 1);
  BOOST_TEST(!scene().is_active(token));
  must(granted.issuer->sweep(soon()));
  BOOST_TEST(scene().count(kRevoked) == before + 1);
}

// RFC 7009 section 2.1 allows it, and this server does it: hence `revokes_singly`, which is no default.
BOOST_AUTO_TEST_CASE(a_server_may_end_the_grant_with_the_access_token) {
  Granted granted(revoking_singly());
  vault::IssueRequest own = scene().request();
  own.single_use = true;
  const IssuedCredential token = must(granted.issuer->issue(own, soon()));
  BOOST_TEST(token.ends_with_call);
  must(granted.issuer->revoke(token, soon()));
  BOOST_TEST(!scene().is_active(token));
  BOOST_TEST(error_of(granted.issue()) == "credential_expired");
  BOOST_TEST((granted.state() == IssuerState::kNeedsConsent));

  Granted careful;
  const IssuedCredential kept = must(careful.issuer->issue(own, soon()));
  BOOST_TEST(!kept.ends_with_call);
  BOOST_TEST(error_of(careful.issuer->revoke(kept, soon())) == "conflict");
  BOOST_TEST(scene().is_active(must(careful.issue())));
}

BOOST_AUTO_TEST_CASE(a_token_for_one_call_is_nobody_elses) {
  Granted granted;
  vault::IssueRequest own = scene().request();
  own.single_use = true;
  const std::string shared = text_of(must(granted.issue()));
  const std::string first = text_of(must(granted.issuer->issue(own, soon())));
  const std::string second = text_of(must(granted.issuer->issue(own, soon())));
  BOOST_TEST((std::set<std::string>{shared, first, second}.size() == 3));
  BOOST_TEST(text_of(must(granted.issue())) == shared);
}

BOOST_AUTO_TEST_CASE(a_caller_with_no_time_is_answered_and_the_refresh_goes_on) {
  Granted granted;
  BOOST_TEST(error_of(granted.issuer->issue(scene().request(), soon(std::chrono::milliseconds(0)))) ==
             "timeout");
  const std::size_t before = scene().count(kRefreshed);
  static_cast<void>(must(granted.issue()));
  BOOST_TEST(scene().count(kRefreshed) <= before + 1);
  BOOST_TEST((granted.store->state() == State::kUsable));
}

BOOST_AUTO_TEST_CASE(tokens_of_a_former_consent_are_dropped) {
  Granted granted;
  const std::string former = text_of(must(granted.issue()));
  scene().consent(scene().public_client(), granted.store);
  granted.issuer->drop_tokens();
  BOOST_TEST(text_of(must(granted.issue())) != former);
}

BOOST_AUTO_TEST_CASE(a_token_of_a_former_consent_that_comes_late_is_given_to_nobody) {
  Granted granted;
  granted.store->after_next(State::kUsable,
                            [&] { granted.issuer->drop_tokens(); });  // kept, and not given out
  BOOST_TEST(error_of(granted.issue()) == "overloaded");
  const std::size_t before = scene().count(kRefreshed);
  static_cast<void>(must(granted.issue()));
  BOOST_TEST(scene().count(kRefreshed) == before + 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
