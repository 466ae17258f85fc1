// What is told to the webhook of anomalies, by which key, how often and how long.

#include "daemon/service/webhook.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "daemon/service/key_keeper.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/wire/overview_messages.hpp"
#include "tests/unit/service/office_fixture.hpp"
#include "tests/unit/service/webhook_receiver.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using service::Webhook;
using Outcome = service::Webhook::Outcome;

constexpr const char* kUrl = "https://me:pass-1@alerts.example.org/hook?channel=secret-2";

/// What it is told outlives the office.
struct WithAnomalyReceiver : WithReceiver {
  [[nodiscard]] OfficeFixture::Extension told() const {
    OfficeFixture::Extension extension;
    extension.webhook.url = kUrl;
    extension.webhook.post = post();
    return extension;
  }
};

/// An office that tells its anomalies.
struct TellingOffice : WithAnomalyReceiver, OfficeFixture {
  TellingOffice() : OfficeFixture(told()) {
    BOOST_REQUIRE(webhook().open());
    BOOST_REQUIRE(webhook().keys.current(kNow, soon()));
  }

  static hsm::Deadline soon() { return std::chrono::steady_clock::now() + 10s; }
  Webhook& webhook() { return premises().webhook; }
  store::AnomalyBook& book() { return *premises().books.anomalies; }

  void find(const std::string& what, std::chrono::sys_seconds at = kNow) {
    api::Anomaly anomaly;
    anomaly.at = at.time_since_epoch().count();
    anomaly.agent = "support";
    anomaly.kind = "new_scope";
    anomaly.what = what;
    BOOST_REQUIRE(book().add(wire::write(anomaly)));
  }

  /// What a receiver makes of one that it got, once the signature is good under a published key.
  static std::map<std::string, std::string> opened(const std::string& compact,
                                                   const std::vector<PublicKey>& keys) {
    const auto jws = Jws::parse(compact);
    BOOST_REQUIRE(jws);
    const auto signer =
        std::ranges::find_if(keys, [&](const PublicKey& key) { return jws->verifies_under(key); });
    BOOST_REQUIRE(signer != keys.end());
    std::map<std::string, std::string> out;
    for (const json::Document* const part : {&jws->header, &jws->payload}) {
      for (const json::Member& member : part->root().members())
        out.emplace(member.name, member.value.string().value_or(member.value.source()));
    }
    BOOST_TEST(out["kid"] == signer->thumbprint().text());
    const json::Value* const anomaly = jws->payload.root().find("anomaly");
    for (const json::Member& member : anomaly->members())
      out.emplace("anomaly." + std::string(member.name),
                  member.value.string().value_or(member.value.source()));
    return out;
  }
  std::map<std::string, std::string> opened(std::size_t place) {
    BOOST_TEST_REQUIRE(receiver->got.size() > place);
    return opened(receiver->got[place], office().trust.keys(store::kWebhook));
  }
  std::vector<std::string> told_of() {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < receiver->got.size(); ++i) out.push_back(opened(i)["anomaly.what"]);
    return out;
  }
  std::uint64_t waiting() { return webhook().waiting().value(); }
};

struct PlainOffice : OfficeFixture {
  Webhook& webhook() { return premises().webhook; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(webhook)

BOOST_FIXTURE_TEST_CASE(each_anomaly_is_told_once_in_order_and_signed, TellingOffice) {
  find("crm.write");
  find("crm.delete");
  BOOST_TEST(waiting() == 2u);
  webhook().tick(kNow + 2s);
  webhook().tick(kNow + 3s);
  const std::vector<std::string> wanted{"crm.write", "crm.delete"};
  BOOST_TEST(told_of() == wanted, boost::test_tools::per_element());
  const auto claims = opened(0);
  const std::map<std::string, std::string> expected{{"alg", "ES256"},
                                                    {"typ", "chancery-event+jwt"},
                                                    {"iss", kIssuerUrl},
                                                    {"aud", "https://alerts.example.org/hook"},
                                                    {"iat", "1800000002"},
                                                    {"exp", "1800000302"},
                                                    {"anomaly.id", "1"},
                                                    {"anomaly.at", "1800000000"},
                                                    {"anomaly.agent", "support"},
                                                    {"anomaly.kind", "new_scope"}};
  for (const auto& [name, value] : expected) BOOST_TEST(claims.at(name) == value, name);
  BOOST_TEST(claims.at("jti").size() == 43u);
  BOOST_TEST(claims.at("jti") != opened(1).at("jti"));
  BOOST_TEST(webhook().count(Outcome::kDelivered) == 2u);
  BOOST_TEST(waiting() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_could_not_be_told_is_told_later_signed_anew_by_the_same_jti, TellingOffice) {
  receiver->status = Error{ErrorCode::kConnectFailed, "away"};
  find("crm.write");
  find("crm.delete");
  webhook().tick(kNow);
  BOOST_TEST(receiver->got.size() == 1u);  // the second waits behind the first
  BOOST_TEST(webhook().count(Outcome::kFailed) == 1u);
  BOOST_TEST(waiting() == 2u);
  receiver->status = 200;
  webhook().tick(kNow + 1s);
  const std::vector<std::string> wanted{"crm.write", "crm.write", "crm.delete"};
  BOOST_TEST(told_of() == wanted, boost::test_tools::per_element());
  BOOST_TEST(opened(0).at("jti") == opened(1).at("jti"));
  BOOST_TEST(opened(0).at("iat") != opened(1).at("iat"));
  BOOST_TEST(webhook().count(Outcome::kDelivered) == 2u);
}

BOOST_FIXTURE_TEST_CASE(attempts_become_rarer_up_to_a_bound_and_begin_anew_after_a_success, TellingOffice) {
  receiver->status = Error{ErrorCode::kTimeout, "slow"};
  find("crm.write");
  std::vector<std::int64_t> tried;
  for (auto now = kNow; now < kNow + 1000s; now += 1s) {
    const std::size_t before = receiver->got.size();
    webhook().tick(now);
    if (receiver->got.size() > before) tried.push_back((now - kNow).count());
  }
  const std::vector<std::int64_t> wanted{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811};
  BOOST_TEST(tried == wanted, boost::test_tools::per_element());
  receiver->status = 204;
  webhook().tick(kNow + 1200s);
  receiver->status = Error{ErrorCode::kTimeout, "slow"};
  find("crm.delete", kNow + 1200s);
  webhook().tick(kNow + 1201s);
  webhook().tick(kNow + 1202s);
  BOOST_TEST(receiver->got.size() == wanted.size() + 3);
}

BOOST_FIXTURE_TEST_CASE(a_clock_that_was_set_back_holds_nothing_up, TellingOffice) {
  receiver->status = 503;
  find("crm.write", kNow - 1h);
  webhook().tick(kNow);
  webhook().tick(kNow - 1h);
  BOOST_TEST(receiver->got.size() == 2u);
}

struct Answer {
  int status;
  bool is_taken;
  bool is_given_up;  // after some attempts, for the next one's sake
};
std::ostream& operator<<(std::ostream& out, const Answer& row) { return out << row.status; }

constexpr std::array kAnswers{
    Answer{199, false, true},  Answer{200, true, false},  Answer{299, true, false},
    Answer{301, false, true},  Answer{400, false, true},  Answer{404, false, true},
    Answer{408, false, false}, Answer{425, false, false}, Answer{429, false, false},
    Answer{499, false, true},  Answer{500, false, false}, Answer{599, false, false}};

BOOST_DATA_TEST_CASE_F(TellingOffice, an_answer_takes_it_or_asks_to_come_back_or_refuses_it,
                       boost::unit_test::data::make(kAnswers), row) {
  receiver->status = row.status;
  find("crm.write");
  for (auto now = kNow; now < kNow + 1h; now += 1min) webhook().tick(now);
  BOOST_TEST(webhook().count(Outcome::kDelivered) == (row.is_taken ? 1u : 0u));
  BOOST_TEST(webhook().count(Outcome::kDropped) == (row.is_given_up ? 1u : 0u));
  BOOST_TEST((waiting() == 0) == (row.is_taken || row.is_given_up));
  if (row.is_given_up) BOOST_TEST(webhook().count(Outcome::kRefused) == Webhook::kMostRefusals);
  BOOST_TEST(webhook().count(Outcome::kRefused) + webhook().count(Outcome::kDelivered) ==
             receiver->got.size());
}

BOOST_FIXTURE_TEST_CASE(after_a_day_it_is_told_no_more, TellingOffice) {
  find("late");
  find("in time", kNow + 1s);
  webhook().tick(kNow + 24h);
  BOOST_TEST(told_of() == std::vector<std::string>{"in time"}, boost::test_tools::per_element());
  BOOST_TEST(webhook().count(Outcome::kDropped) == 1u);
}

BOOST_FIXTURE_TEST_CASE(of_a_flood_the_oldest_are_dropped_and_the_device_is_left_to_others, TellingOffice) {
  for (std::int64_t i = 0; i < store::AnomalyBook::kMostAnomalies + 3; ++i) find(std::to_string(i));
  webhook().tick(kNow);
  BOOST_TEST(webhook().count(Outcome::kDropped) == 3u);
  BOOST_TEST(receiver->got.size() == Webhook::kMostAtOnce);
  BOOST_TEST(opened(0).at("anomaly.what") == "3");
}

BOOST_FIXTURE_TEST_CASE(what_waits_outlives_the_process, TellingOffice) {
  find("told");
  webhook().tick(kNow);
  find("waits");
  Webhook next(service::told_anomalies(book()), webhook().keys, kIssuerUrl, told().webhook,
               std::make_shared<const telemetry::Redactor>(), [](const char*, const Error&) {});
  BOOST_REQUIRE(next.open());
  next.tick(kNow);
  const std::vector<std::string> wanted{"told", "waits"};
  BOOST_TEST(told_of() == wanted, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_was_found_while_nobody_was_told_is_not_told_later, TellingOffice) {
  const auto nobody = [](const char*, const Error&) {};
  const auto redactor = std::make_shared<const telemetry::Redactor>();
  find("before");
  Webhook none(service::told_anomalies(book()), webhook().keys, kIssuerUrl, {}, redactor, nobody);
  BOOST_REQUIRE(none.open());
  none.tick(kNow);
  BOOST_TEST(none.waiting().value() == 0u);
  find("meanwhile");
  Webhook again(service::told_anomalies(book()), webhook().keys, kIssuerUrl, told().webhook, redactor,
                nobody);
  BOOST_REQUIRE(again.open());
  find("after");
  again.tick(kNow);
  BOOST_TEST(told_of() == std::vector<std::string>{"after"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(without_a_device_nothing_is_told_and_nothing_lost, TellingOffice) {
  find("crm.write");
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  webhook().tick(kNow);
  BOOST_TEST(receiver->got.empty());
  BOOST_TEST(webhook().count(Outcome::kUnsigned) == 1u);
  device().fail_with(std::nullopt);
  webhook().tick(kNow + 1s);
  BOOST_TEST(told_of() == std::vector<std::string>{"crm.write"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(an_older_copy_tells_nothing, TellingOffice) {
  find("crm.write");
  BOOST_REQUIRE(counter().advance({}));
  spending().tick(kNow + 10min);
  BOOST_REQUIRE((spending().state() == service::Spending::State::kHalted));
  const std::uint64_t before = device().signatures();
  webhook().tick(kNow + 10min);
  BOOST_TEST(receiver->got.empty());
  BOOST_TEST(device().signatures() == before);
  BOOST_TEST(webhook().count(Outcome::kUnsigned) == 1u);
  BOOST_TEST(waiting() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_attempt_that_was_ended_counts_for_nothing, TellingOffice) {
  std::stop_source stop;
  service::WebhookOptions options;
  options.url = kUrl;
  options.post = [&](const std::string&, const std::stop_token& asked) -> Result<int> {
    stop.request_stop();
    BOOST_TEST(asked.stop_requested());
    return Error{ErrorCode::kShuttingDown, "ended"};
  };
  Webhook ending(service::told_anomalies(book()), webhook().keys, kIssuerUrl, options,
                 std::make_shared<const telemetry::Redactor>(),
                 [](const char* what, const Error&) { BOOST_ERROR(what); });
  BOOST_REQUIRE(ending.open());
  find("crm.write");
  ending.tick(kNow, stop.get_token());
  BOOST_TEST(ending.count(Outcome::kFailed) == 0u);
  BOOST_TEST(waiting() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_secret_that_an_agent_uses_as_a_name_is_told_to_nobody, TellingOffice) {
  auto redactor = std::make_shared<telemetry::Redactor>();
  redactor->hide(as_bytes("hunter2-hunter2"));
  Webhook redacting(service::told_anomalies(book()), webhook().keys, kIssuerUrl, told().webhook, redactor,
                    [](const char*, const Error&) {});
  BOOST_REQUIRE(redacting.open());
  find("hunter2-hunter2");
  redacting.tick(kNow);
  BOOST_TEST(opened(0).at("anomaly.what") == telemetry::kRedacted);
}

BOOST_FIXTURE_TEST_CASE(complaints_have_a_reason_and_nothing_of_the_address, TellingOffice) {
  std::vector<std::string> said;
  std::vector<std::uint64_t> natives;
  Webhook complaining(service::told_anomalies(book()), webhook().keys, kIssuerUrl, told().webhook,
                      std::make_shared<const telemetry::Redactor>(),
                      [&](const char* what, const Error& error) {
                        said.push_back(std::string(what) + ": " + error.what);
                        natives.push_back(error.native);
                      });
  BOOST_REQUIRE(complaining.open());
  find("crm.write");
  receiver->status = 502;
  complaining.tick(kNow);
  receiver->status = Error{ErrorCode::kTlsFailed, "not trusted", 60};
  complaining.tick(kNow + 1s);
  const std::vector<std::uint64_t> wanted{502, 60};
  BOOST_TEST(natives == wanted, boost::test_tools::per_element());
  for (const std::string& line : said) {
    for (const char* const part : {"alerts.example.org", "channel", "pass-1", "secret-2"})
      BOOST_TEST(line.find(part) == std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(an_address_is_told_without_what_may_be_secret_in_it) {
  struct Row {
    const char* url;
    const char* shown;
    std::vector<std::string> secrets;
  };
  const std::vector<Row> rows{
      {"https://a.example", "https://a.example", {}},
      {"https://a.example:8443/b/c", "https://a.example:8443/b/c", {}},
      {"https://a.example/b?token=x", "https://a.example/b", {"token=x"}},
      {"https://a.example?token=x", "https://a.example", {"token=x"}},
      {"https://a.example?mail=me@b.example", "https://a.example", {"mail=me@b.example"}},
      {"https://me@a.example/b", "https://a.example/b", {"me"}},
      {"https://me:pass@a.example/b", "https://a.example/b", {"me:pass", "pass"}},
      {"https://me:p@ss@a.example/b@c?d=e", "https://a.example/b@c", {"me:p@ss", "p@ss", "d=e"}},
      {"", "", {}}};
  for (const Row& row : rows) {
    BOOST_TEST(service::address_without_secrets(row.url) == row.shown);
    BOOST_TEST(service::secrets_of_address(row.url) == row.secrets, boost::test_tools::per_element());
  }
}

BOOST_FIXTURE_TEST_CASE(its_key_is_its_own_and_is_published_listed_and_rotated, TellingOffice) {
  make_own_keys();
  std::set<Thumbprint> keys;
  for (const std::string_view owner : store::kDaemonOwners)
    for (const PublicKey& key : office().trust.keys(owner)) keys.insert(key.thumbprint());
  BOOST_TEST(keys.size() == store::kDaemonOwners.size());
  const std::string first = office().trust.keys(store::kWebhook).front().thumbprint().text();
  const auto published = [&] { return call("GET", "/.well-known/webhook-jwks.json", "", std::nullopt).body; };
  BOOST_TEST(published().find(first) != std::string::npos);
  BOOST_TEST(member(call("GET", "/.well-known/oauth-authorization-server", "", std::nullopt),
                    "webhook_jwks_uri") == std::string(kIssuerUrl) + "/.well-known/webhook-jwks.json");
  BOOST_TEST(call("POST", "/v1/webhook/keys/rotate", "{}", kSupportUid).status == 403);
  const Response rotated = call("POST", "/v1/webhook/keys/rotate", "{}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(rotated.status == 200, rotated.body);
  find("crm.write");
  webhook().tick(kNow);
  BOOST_TEST(opened(0).at("kid") != first);
  BOOST_TEST(published().find(first) != std::string::npos);  // until its overlap ends
  BOOST_TEST(published().find(opened(0).at("kid")) != std::string::npos);
  const Response listed = call("GET", "/v1/webhook/keys", "", kOperatorUid);
  BOOST_TEST(listed.body.find(first) != std::string::npos);
  BOOST_TEST(call("GET", "/v1/webhook/keys", "", kSupportUid).status == 403);
  BOOST_TEST(call("GET", "/v1/overview", "", kOperatorUid).body.find("\"purpose\":\"webhook\"") !=
             std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_is_missing_or_lost_is_named_by_readiness, TellingOffice) {
  make_own_keys();
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
  const Thumbprint key = office().trust.keys(store::kWebhook).front().thumbprint();
  BOOST_REQUIRE(call("POST", "/v1/keys/" + key.text() + "/revoke", "{}", kOperatorUid).status == 200);
  set_now(kNow + 1s);
  const Response missing = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(missing.status == 503);
  BOOST_TEST(missing.body.find("webhook key: revoked") != std::string::npos, missing.body);
  BOOST_TEST(missing.body.find("chancery webhook-key rotate") != std::string::npos);
  find("crm.write");
  webhook().tick(kNow + 1s);
  BOOST_TEST(webhook().count(Outcome::kUnsigned) == 1u);
  BOOST_REQUIRE(call("POST", "/v1/webhook/keys/rotate", "{}", kOperatorUid).status == 200);
  webhook().tick(kNow + 2s);
  BOOST_TEST(webhook().count(Outcome::kDelivered) == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_keeper_makes_its_key_where_there_is_a_webhook, TellingOffice) {
  service::KeyKeeper keeper(office(), {},
                            [](const char* what, const Error& error) { BOOST_ERROR(what << error.what); });
  keeper.tick(kNow);
  BOOST_TEST(office().trust.keys(store::kWebhook).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(without_a_webhook_there_is_no_key_and_nothing_is_missing, PlainOffice) {
  BOOST_REQUIRE(webhook().open());
  service::KeyKeeper keeper(office(), {.max_issuer_key_age = 1h},
                            [](const char* what, const Error& error) { BOOST_ERROR(what << error.what); });
  keeper.tick(kNow);
  keeper.tick(kNow + 2h);
  webhook().tick(kNow);
  BOOST_TEST(store().keys(store::kWebhook)->empty());
  BOOST_TEST(!office().trust.keys(store::kIssuer).empty());
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
  BOOST_TEST(call("GET", "/.well-known/webhook-jwks.json", "", std::nullopt).body == R"({"keys":[]})");
  const Response refused = call("POST", "/v1/webhook/keys/rotate", "{}", kOperatorUid);
  BOOST_TEST(refused.status == 404);
  BOOST_TEST(member(refused, "code") == "not_found");
}

BOOST_FIXTURE_TEST_CASE(deliveries_are_counted_by_their_outcome, TellingOffice) {
  receiver->status = Error{ErrorCode::kConnectFailed, "away"};
  find("crm.write");
  webhook().tick(kNow);
  const std::string text = call("GET", "/metrics", "", kOperatorUid).body;
  for (const char* const line :
       {"chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"failed\"} 1\n",
        "chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"delivered\"} 0\n",
        "chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"refused\"} 0\n",
        "chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"unsigned\"} 0\n",
        "chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"dropped\"} 0\n",
        "chancery_webhook_waiting{about=\"anomalies\"} 1\n"})
    BOOST_TEST(text.find(line) != std::string::npos, line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
