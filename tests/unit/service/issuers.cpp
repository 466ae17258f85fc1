// Credentials that somebody issues for one call: who is given them, what the log says of it, and what becomes of them after it.

#include "daemon/service/issuers.hpp"

#include <array>
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/base/base64.hpp"
#include "tests/unit/service/issuer_office.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSecret = "canary-of-the-issuer-itself";

}  // namespace

BOOST_AUTO_TEST_SUITE(issuers)

// --- the record

BOOST_FIXTURE_TEST_CASE(a_record_says_who_issues_and_has_no_value, Issuers) {
  must_put();
  const Response shown = call("GET", "/v1/credentials/orders-db", "", kOperatorUid);
  BOOST_TEST(member(shown, "type") == "issued", shown.body);
  BOOST_TEST(member(shown, "issuer") == "shop");
  BOOST_TEST(count(R"("issuer":"shop")") >= 1u);
}

BOOST_FIXTURE_TEST_CASE(what_is_put_is_an_issuer_that_there_is_and_no_value, Issuers) {
  for (const char* const more :
       {R"("issuer":"nobody")", R"("issuer":"shop","value":"c2VjcmV0")",
        R"("issuer":"shop","type":"api_key")", R"("issuer":"shop","rotate_on_hit":true)",
        R"("type":"issued","value":"c2VjcmV0")"}) {
    const Response refused = put(more);
    BOOST_TEST(refused.status == 400, more << ": " << refused.body);
  }
  must_put();
  BOOST_TEST(put().status == 409);
  BOOST_TEST(
      call("POST", "/v1/credentials/orders-db/rotate", R"({"value":"c2VjcmV0"})", kOperatorUid).status ==
      400);
  BOOST_TEST(call("POST", "/v1/credentials/orders-db/change", R"({"type":"api_key"})", kOperatorUid).status ==
             400);
  BOOST_TEST(call("POST", "/v1/credentials/orders-db/change", R"({"owner":"shop"})", kOperatorUid).status ==
             200);
  BOOST_TEST(ask().status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_names_another_issuer_by_another_hand_releases_nothing, Issuers) {
  must_put();
  edit("UPDATE credentials SET issuer = 'crm'");
  BOOST_TEST(ask().status == 503);
  edit("UPDATE credentials SET issuer = ''");  // nor is the name of its issuer a value
  BOOST_TEST(ask().status == 503);
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
}

// --- a call

BOOST_FIXTURE_TEST_CASE(a_permit_is_given_what_was_issued_for_it, Issuers) {
  must_put();
  const Response given = ask();
  BOOST_REQUIRE_MESSAGE(given.status == 200, given.body);
  BOOST_TEST(value_in(given) == base64_encode(as_bytes(value_of(1))));
  BOOST_TEST(value_in(given, "username") == "role_1");
  BOOST_TEST(value_in(given, "issued") == "true");
  BOOST_TEST(value_in(given, "type") == "issued");
  BOOST_TEST(value_in(given, "expires_at") == std::to_string((kNow + 900s).time_since_epoch().count()));
  const std::vector<std::string> want{"tool.attempt", "tool.permit", "credential.release",
                                      "credential.issue"};
  BOOST_TEST(actions_about(permit_in(given)) == want, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(it_serves_no_longer_than_the_leaf_of_the_chain, Issuers) {
  must_put();
  permitted();
  const auto requests = provider->look([](const Provider& the) { return the.requests; });
  BOOST_REQUIRE(requests.size() == 1u);
  BOOST_TEST((requests[0].not_after == kNow + kLeaf));
  BOOST_TEST(requests[0].tool == "refund");
  BOOST_TEST((requests[0].scopes == std::vector<std::string>{"orders"}));
}

BOOST_FIXTURE_TEST_CASE(a_permit_that_is_used_later_is_given_it_then, Issuers) {
  must_put();
  const Response given = ask(10, "false");
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
  const Response used = call("POST", "/v1/permits/" + permit_in(given) + "/credential", "", kRuntimeUid);
  BOOST_TEST(value_in(used) == base64_encode(as_bytes(value_of(1))), used.body);
  const auto requests = provider->look([](const Provider& the) { return the.requests; });
  BOOST_REQUIRE(requests.size() == 1u);
  BOOST_TEST((requests[0].not_after == kNow + kLeaf));
}

BOOST_FIXTURE_TEST_CASE(its_value_stands_in_no_entry_and_is_redacted_while_it_is_good, Issuers) {
  must_put();
  const std::string permit = permitted();
  BOOST_TEST(count("canary") == 0u);
  BOOST_TEST(has(issue_entry(), R"("issued":"id-1")"), issue_entry());
  BOOST_TEST(has(issue_entry(), R"("lifetime_s":900)"), issue_entry());
  BOOST_TEST(!has(office().redactor->text("it is " + value_of(1)), value_of(1)));
  report(permit);
  provider->until([](const Provider& the) { return !the.revoked.empty(); });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!has(office().redactor->text("it was " + value_of(1)), value_of(1)))
    BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_denied_has_nothing_issued, Issuers) {
  must_put();
  const Response denied = ask(101);
  BOOST_TEST(member(denied, "decision") == "deny", denied.body);
  BOOST_TEST(provider->look([](const Provider& the) { return the.requests.size(); }) == 0u);
}

// --- when nothing can be issued

BOOST_FIXTURE_TEST_CASE(a_call_that_nothing_is_issued_for_spends_nothing_and_is_over, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kConnectFailed, "the provider cannot be reached"});
  const Response failed = ask(60);
  BOOST_TEST(failed.status == 503, failed.body);
  BOOST_TEST(member(failed, "code") == "connect_failed");
  BOOST_TEST(value_in(failed).empty());
  BOOST_TEST(has(issue_entry(), R"("error":"connect_failed")"), issue_entry());
  BOOST_TEST(has(issue_entry(), R"("outcome":"failed")"), issue_entry());
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
  fail_with(std::nullopt);
  BOOST_TEST(member(ask(60), "decision") == "permit");  // of 100 in all
  service::PermitKeeper keeper(office(), [](const char*, const Error&) {});
  keeper.tick(kNow + 1h);
  BOOST_TEST(count(R"("action":"tool.unreported")") == 1u);  // the one that was permitted
}

BOOST_FIXTURE_TEST_CASE(who_must_consent_is_told_so, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kCredentialExpired, "the consent has ended"});
  const Response failed = ask();
  BOOST_TEST(failed.status == 409, failed.body);
  BOOST_TEST(member(failed, "code") == "credential_expired");
}

BOOST_FIXTURE_TEST_CASE(a_permit_used_later_that_nothing_is_issued_for_has_ended, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kConnectFailed, "the provider cannot be reached"});
  const std::string permit = permit_in(ask(60, "false"));
  BOOST_TEST(call("POST", "/v1/permits/" + permit + "/credential", "", kRuntimeUid).status == 503);
  BOOST_TEST(report(permit).status == 409);
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_permit_that_ends_meanwhile_is_given_nothing, Issuers) {
  must_put();
  const std::string permit = permit_in(ask(10, "false"));
  during([&] { BOOST_TEST(report(permit).status == 200); });
  const Response late = use(permit);
  BOOST_TEST(late.status == 409, late.body);
  BOOST_TEST(value_in(late).empty());
  must_revoke();
  BOOST_TEST(issue_entry().empty());  // after the end of its call there is none
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_recorded_spends_nothing_and_is_over, Issuers) {
  must_put();
  const std::string permit = permit_in(ask(60, "false"));
  edit(R"(CREATE TRIGGER lost BEFORE INSERT ON audit WHEN NEW.entry LIKE '%"issued":%')"
       " BEGIN SELECT RAISE(ABORT, 'the test has it fail'); END");
  const Response lost = use(permit);
  BOOST_TEST(lost.status != 200, lost.body);
  BOOST_TEST(value_in(lost).empty());
  must_revoke();
  BOOST_TEST(has(issue_entry(), R"("outcome":"failed")"), issue_entry());
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
  BOOST_TEST(report(permit).status == 409);
}

BOOST_FIXTURE_TEST_CASE(an_issuer_that_is_not_configured_is_told_before_anything_is_decided, Issuers) {
  must_put();
  edit("UPDATE credentials SET issuer = 'gone'");
  const Response refused = ask(10, "false");
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "config_invalid");
  BOOST_TEST(count(R"("action":"tool.attempt")") == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_that_does_not_answer_keeps_half_of_the_threads_at_most, Issuers) {
  must_put();
  std::array<std::string, 3> permits;
  for (std::string& permit : permits) permit = permit_in(ask(10, "false"));
  credential = "others-db";
  BOOST_REQUIRE(put(R"("issuer":"other")").status == 201);
  std::promise<void> answers;
  std::atomic<std::size_t> asked = 0;
  during([&asked, answer = answers.get_future().share()] {
    ++asked;
    answer.wait();
  });
  std::array<int, 2> statuses{};
  std::vector<std::thread> waiting;
  for (std::size_t i = 0; i < statuses.size(); ++i)
    waiting.emplace_back([&, i] { statuses[i] = use(permits[i]).status; });
  provider->until([&](const Provider&) { return asked == statuses.size(); });
  const Response third = use(permits[2]);
  const Response of_another = ask();
  answers.set_value();
  for (std::thread& one : waiting) one.join();
  BOOST_TEST(third.status == 503, third.body);
  BOOST_TEST(member(third, "code") == "overloaded");
  BOOST_TEST(of_another.status == 200, of_another.body);
  BOOST_TEST(statuses == (std::array{200, 200}), boost::test_tools::per_element());
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);  // of the third
}

BOOST_FIXTURE_TEST_CASE(what_an_issuer_cannot_do_is_not_held_against_the_agent, Issuers) {
  must_put();
  fail_with(Error{ErrorCode::kForbidden, "the issuer's role may not"});
  for (int i = 0; i < 20; ++i) BOOST_TEST(ask(1).status == 403);  // as many as count
  set_now(kNow + 10min);
  ask(1);  // ends the window in which they were
  const auto ignore = [](const auto&...) {};
  premises().watch.tick(kNow + 10min, {[&](const Thumbprint& key) { return owner_of(office(), key); },
                                       [](const api::Anomaly&) {
                                         return Result<std::int64_t>(Error{ErrorCode::kInternal, "never"});
                                       },
                                       ignore, ignore});
  BOOST_REQUIRE(premises().watch.keep());
  const auto learned = premises().books.anomalies->baselines();
  BOOST_REQUIRE(learned);
  BOOST_REQUIRE(learned->size() == 1u);
  BOOST_TEST(has(learned->front().second, R"("denials":[0,1])"), learned->front().second);
}

// --- after the call

BOOST_FIXTURE_TEST_CASE(what_was_issued_is_taken_back_after_the_call, Issuers) {
  must_put();
  const std::string permit = permitted();
  set_now(kNow + 7s);
  BOOST_TEST(report(permit).status == 200);
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
  BOOST_TEST(provider->look([](const Provider& the) { return the.unauthorized.size(); }) == 0u);
  const auto used = office().issuers.lifetimes.used.read();
  BOOST_TEST(used.sum == 7u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_that_is_away_is_asked_again, Issuers) {
  must_put();
  provider->look([](Provider& the) { return the.lost_revocations = 2; });
  report(permitted());
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
}

BOOST_FIXTURE_TEST_CASE(what_the_upstream_did_not_accept_is_told_to_its_issuer, Issuers) {
  must_put();
  const std::string permit = permitted();
  BOOST_TEST(report(permit, R"(,"refused_credential":true)").status == 200);
  BOOST_TEST(provider->look([](const Provider& the) { return the.unauthorized; }) ==
                 std::vector<std::string>{"id-1"},
             boost::test_tools::per_element());
  BOOST_TEST(count(R"("refused_credential":true)") == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_nobody_reports_is_taken_back_too, Issuers) {
  must_put();
  permitted();
  service::PermitKeeper keeper(office(), [](const char*, const Error&) {});
  keeper.tick(kNow + 16min);
  provider->until([](const Provider& the) { return the.revoked == std::vector<std::string>{"id-1"}; });
}

BOOST_FIXTURE_TEST_CASE(what_nobody_reports_is_taken_back_when_the_leaf_expires, Issuers) {
  must_put();
  grant(60s);
  const std::string permit = permitted();
  service::PermitKeeper keeper(office(), [](const char*, const Error&) {});
  const auto ended = [&] { return office().issuers.lifetimes.used.read().sum; };
  keeper.tick(kNow + 59s);
  BOOST_TEST(ended() == 0u);
  keeper.tick(kNow + 60s);
  BOOST_TEST(ended() == 60u);
  must_revoke();
  BOOST_TEST(report(permit).status == 200);
}

BOOST_FIXTURE_TEST_CASE(an_issuer_is_told_what_the_upstream_accepted, Issuers) {
  must_put();
  report(permitted());
  BOOST_TEST(
      provider->look([](const Provider& the) { return the.accepted; }) == std::vector<std::string>{"id-1"},
      boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_record_gave_is_taken_back, Issuers) {
  must_put();
  permitted();
  BOOST_TEST(call("DELETE", "/v1/credentials/orders-db", "", kOperatorUid).status == 200);
  must_revoke();
}

BOOST_FIXTURE_TEST_CASE(a_reset_of_the_vault_takes_all_back_and_no_token_is_kept, Issuers) {
  must_put();
  permitted();
  const Response reset =
      call("POST", "/v1/vault/reset", R"({"confirm":"forget all credentials"})", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(reset.status == 200, reset.body);
  must_revoke();
  BOOST_TEST(provider->look([](const Provider& the) { return the.dropped; }) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_that_is_away_takes_no_time_from_another_at_the_end, Issuers) {
  must_put();
  permitted();
  credential = "others-db";
  BOOST_REQUIRE(put(R"("issuer":"other")").status == 201);
  permitted();
  provider->look([](Provider& the) {
    the.while_revoked = [] { std::this_thread::sleep_for(1s); };  // longer than there is time
    return 0;
  });
  premises().issuers.close();
  BOOST_TEST(provider->look([](const Provider& the) { return the.revoked.size(); }) == 0u);
  BOOST_TEST(provider->other->look([](const Provider& the) { return the.revoked.size(); }) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_is_swept_when_something_has_expired_and_not_for_nothing, Issuers) {
  provider->until([](const Provider& the) { return the.sweeps > 0; });
  const std::size_t looks = provider->clock_looks;
  provider->until([&](const Provider& the) { return the.clock_looks > looks + 20; });
  BOOST_TEST(provider->look([](const Provider& the) { return the.sweeps; }) == 1u);
  must_put();
  permitted();
  provider->later = 900;
  provider->until([](const Provider& the) { return the.sweeps > 1; });
}

BOOST_FIXTURE_TEST_CASE(nothing_stays_behind_when_the_daemon_ends, Issuers) {
  must_put();
  permitted();
  permitted();
  premises().issuers.close();
  BOOST_TEST(provider->look([](const Provider& the) { return the.revoked.size(); }) == 2u);
}

BOOST_FIXTURE_TEST_CASE(what_a_crash_left_behind_is_looked_for_at_the_start, Issuers) {
  provider->until([](const Provider& the) { return the.sweeps > 0; });
}

// --- what operators see

BOOST_FIXTURE_TEST_CASE(operators_see_how_each_issuer_is, Issuers) {
  const Response ready = call("GET", "/v1/issuers", "", kOperatorUid);
  BOOST_TEST(has(ready.body, R"("name":"shop")"), ready.body);
  BOOST_TEST(has(ready.body, R"("state":"ready")"));
  fail_with(Error{ErrorCode::kTlsFailed, "its certificate is another's"});
  const Response failing = call("GET", "/v1/issuers", "", kOperatorUid);
  BOOST_TEST(has(failing.body, R"("state":"failing")"), failing.body);
  BOOST_TEST(has(failing.body, R"("error":"tls_failed")"));
  BOOST_TEST(has(failing.body, "its certificate is another's"));
  BOOST_TEST(call("GET", "/v1/issuers", "", kOrchestratorUid).status == 403);
}

BOOST_FIXTURE_TEST_CASE(only_an_issuer_that_asks_somebody_takes_a_consent, Issuers) {
  const auto begin = [&](const std::string& name, std::uint32_t uid) {
    return call("POST", "/v1/issuers/" + name + "/consent", "{}", uid).status;
  };
  BOOST_TEST(begin("shop", kOperatorUid) == 400);
  BOOST_TEST(begin("nobody", kOperatorUid) == 404);
  BOOST_TEST(begin("shop", kOrchestratorUid) == 403);
  BOOST_TEST(begin("nobody", kOrchestratorUid) == 403);
}

BOOST_FIXTURE_TEST_CASE(issues_lifetimes_and_states_are_counted, Issuers) {
  must_put();
  report(permitted());
  fail_with(Error{ErrorCode::kCredentialExpired, "the consent has ended"});
  ask();
  const std::string text = call("GET", "/metrics", "", kSupportUid).body;
  for (const char* const line :
       {R"(chancery_credential_issues_total{issuer="shop",outcome="issued"} 1)",
        R"(chancery_credential_issues_total{issuer="shop",outcome="needs_consent"} 1)",
        R"(chancery_credential_issuer_state{issuer="shop",state="failing"} 1)",
        R"(chancery_credential_issuer_state{issuer="shop",state="ready"} 0)",
        "chancery_issued_use_seconds_count 1", R"(chancery_issued_use_seconds_bucket{le="1"} 1)",
        R"(chancery_issued_use_seconds_bucket{le="86400"} 1)"}) {
    BOOST_TEST(has("\n" + text, "\n" + std::string(line) + "\n"), "no line " << line);
  }
}

// --- an issuer's own secret

namespace {

/// With an issuer that has a secret of its own.
struct OwnSecret : Issuers {
  OwnSecret()
      : Issuers([] {
          auto out = std::make_shared<Provider>();
          out->lost_revocations = SIZE_MAX;  // asks for the second issuer
          return out;
        }()) {
    const Response made = put(R"("issuer":"crm")");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }
  void put_secret(const std::string& tool) {
    const Response made = call("POST", "/v1/credentials",
                               R"({"name":"crm-secret","type":"client_secret","scope":"crm","tools":[")" +
                                   tool + R"("],"value":")" + base64_encode(as_bytes(kSecret)) + "\"}",
                               kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_issuer_is_told_its_own_secret_by_the_vault, OwnSecret) {
  put_secret("issuer/crm");
  BOOST_TEST(ask().status == 200);
  const auto secrets = provider->look([](const Provider& the) { return the.secrets; });
  BOOST_TEST(secrets == std::vector<std::string>{std::string(kSecret)}, boost::test_tools::per_element());
  BOOST_TEST(count(R"("tool":"issuer/crm")") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_secret_that_is_for_something_else_is_not_told, OwnSecret) {
  put_secret("refund");
  const Response refused = ask();
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "config_invalid");
  BOOST_TEST(has(refused.body, "the issuer's own secret"), refused.body);
  BOOST_TEST(provider->look([](const Provider& the) { return the.secrets.size(); }) == 0u);
}

BOOST_FIXTURE_TEST_CASE(without_its_secret_nothing_is_issued, OwnSecret) {
  const Response refused = ask();
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(has(refused.body, "the issuer's own secret"), refused.body);
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
