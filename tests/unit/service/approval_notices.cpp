// What a webhook is told of requests that wait for a person.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/service/approval_notice.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/jws.hpp"
#include "tests/unit/service/approval_fixture.hpp"
#include "tests/unit/service/console_fixture.hpp"
#include "tests/unit/service/webhook_receiver.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using service::ApprovalNotice;
using service::Webhook;
using store::ApprovalState;
using Outcome = Webhook::Outcome;

/// What it is told outlives the office.
struct WithApprovalReceiver : WithReceiver {
  [[nodiscard]] OfficeFixture::Extension told() const {
    OfficeFixture::Extension extension;
    extension.approvals_webhook.url = "https://me:pass-1@approvals.example.org/hook?channel=secret-2";
    extension.approvals_webhook.post = post();
    return extension;
  }
};

/// An office that tells what becomes of requests, and nobody of anomalies.
struct Telling : WithApprovalReceiver, Approvals {
  Telling() : Approvals(told()) {
    change_policy([](service::Policy& policy) { policy.tool_approvers = {kBob, "group:finance"}; });
    BOOST_REQUIRE(webhook().open());
    BOOST_REQUIRE(webhook().keys.current(kNow, std::chrono::steady_clock::now() + 10s));
  }
  Webhook& webhook() { return premises().approvals_webhook; }

  /// A member of the claims, once the signature is good under a published key of the webhooks.
  std::string claim(std::size_t place, std::string_view name) {
    BOOST_TEST_REQUIRE(receiver->got.size() > place);
    const auto jws = Jws::parse(receiver->got[place]);
    BOOST_REQUIRE(jws);
    const auto keys = office().trust.keys(store::kWebhook);
    BOOST_TEST(std::ranges::any_of(keys, [&](const PublicKey& key) { return jws->verifies_under(key); }));
    const json::Value* const value = jws->payload.root().find(name);
    BOOST_REQUIRE(value != nullptr);
    return std::string(value->string().value_or(value->source()));
  }
  std::string told_of(std::size_t place, std::string_view name) { return of(claim(place, "approval"), name); }
  std::vector<std::string> states() {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < receiver->got.size(); ++i) out.push_back(told_of(i, "state"));
    return out;
  }
};

/// A call that bob or somebody of finance may decide, with everything that could be told of it.
store::ParkedCall refund_call() {
  store::ParkedCall call;
  call.id = std::string(32, 'a');
  call.document = R"({"arguments":{"account":"a secret of somebody's"}})";
  call.amounts = R"({"amount":"4711"})";
  call.principal = "user:alice@example.org";
  call.tool = "refund";
  call.scope = "payments.refund";
  call.agent = "spiffe://example.org/agent/support";
  call.risk = "high";
  call.asked_at = kNow;
  call.expires_at = kNow + 900s;
  store::GateTerms gate;
  gate.gate = "refunds";
  gate.approvers = {kBob, "group:finance"};
  gate.quorum = 2;
  call.gates = {gate};
  return call;
}

std::string text_of(const ApprovalNotice& notice, const store::ParkedCall& call,
                    const std::string& page = "") {
  return json::to_jcs(service::notice_node(notice, call, page));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_notices)

BOOST_AUTO_TEST_CASE(a_notice_says_who_asks_for_what_and_who_may_open_the_gates) {
  const store::ParkedCall call = refund_call();
  const ApprovalNotice notice{call.id, ApprovalState::kPending, kNow};
  const std::string text = text_of(notice, call, "https://chancery.example/ui#/approvals/a");
  const std::map<std::string, std::string> wanted{
      {"id", call.id},
      {"state", "pending"},
      {"at", "1800000000"},
      {"kind", "call"},
      {"agent", "spiffe://example.org/agent/support"},
      {"principal", "user:alice@example.org"},
      {"key", call.key.text()},
      {"tool", "refund"},
      {"scope", "payments.refund"},
      {"risk", "high"},
      {"enforcement", "software-enforced"},
      {"gates", R"([{"approvers":["user:bob@example.org","group:finance"],"enforcement":"software-enforced",)"
                R"("name":"refunds","quorum":2,"separation":"requester"}])"},
      {"asked_at", "1800000000"},
      {"expires_at", "1800000900"},
      {"page", "https://chancery.example/ui#/approvals/a"}};
  const auto document = json::Document::parse(text);
  BOOST_REQUIRE(document);
  BOOST_TEST(document->root().members().size() == wanted.size(), text);
  for (const auto& [name, value] : wanted) BOOST_TEST(of(text, name) == value, name);
}

BOOST_AUTO_TEST_CASE(a_notice_has_no_arguments_and_nothing_to_decide_by) {
  const store::ParkedCall call = refund_call();
  const std::string text = text_of({call.id, ApprovalState::kPending, kNow}, call);
  for (const char* const kept : {"a secret", "4711", "arguments", "amount", "document", "sha256", "page"})
    BOOST_TEST(text.find(kept) == std::string::npos, kept);
}

BOOST_AUTO_TEST_CASE(a_notice_is_of_its_state_whatever_has_become_of_the_request_since) {
  store::ParkedCall call = refund_call();
  call.state = ApprovalState::kUsed;
  call.approved_at = kNow + 5s;
  call.approved_until = kNow + 305s;
  call.ended_at = kNow + 9s;
  const std::string begun = text_of({call.id, ApprovalState::kPending, kNow}, call);
  BOOST_TEST(of(begun, "state") == "pending");
  BOOST_TEST(of(begun, "approved_until").empty());
  const std::string approved = text_of({call.id, ApprovalState::kApproved, kNow + 5s}, call);
  BOOST_TEST(of(approved, "at") == "1800000005");
  BOOST_TEST(of(approved, "approved_until") == "1800000305");
}

BOOST_AUTO_TEST_CASE(what_is_no_call_has_no_tool) {
  store::ParkedCall call = refund_call();
  call.kind = store::ApprovalKind::kGrant;
  call.tool = "payments.refund";
  call.scope = "payments.refund payments.payout";
  call.risk.clear();
  call.agent.clear();
  const std::string text = text_of({call.id, ApprovalState::kPending, kNow}, call);
  BOOST_TEST(of(text, "kind") == "grant");
  BOOST_TEST(of(text, "scope") == "payments.refund payments.payout");
  for (const char* const name : {"\"tool\"", "\"risk\"", "\"agent\""})
    BOOST_TEST(text.find(name) == std::string::npos, name);
}

BOOST_AUTO_TEST_CASE(what_is_no_note_is_told_to_nobody) {
  BOOST_TEST(service::read_notice(R"({"at":1,"id":"a","state":"pending"})").has_value());
  for (const char* const text :
       {"", "[]", "{}", R"({"at":1,"id":"a","state":"open"})", R"({"at":"1","id":"a","state":"used"})",
        R"({"at":1,"id":2,"state":"used"})"})
    BOOST_TEST(!service::read_notice(text).has_value(), text);
}

BOOST_FIXTURE_TEST_CASE(that_a_request_waits_and_ends_is_told_in_order_and_signed, Telling) {
  const std::string id = id_of(ask());
  BOOST_TEST(webhook().waiting().value() == 1u);
  webhook().tick(kNow + 1s);
  BOOST_TEST(cancel(id).status == 200);
  webhook().tick(kNow + 2s);
  webhook().tick(kNow + 3s);
  BOOST_TEST(states() == (Strings{"pending", "cancelled"}), boost::test_tools::per_element());
  BOOST_TEST(claim(0, "iss") == kIssuerUrl);
  BOOST_TEST(claim(0, "aud") == "https://approvals.example.org/hook");
  BOOST_TEST(claim(0, "iat") == "1800000001");
  BOOST_TEST(claim(0, "jti") != claim(1, "jti"));
  BOOST_TEST(told_of(0, "id") == id);
  BOOST_TEST(told_of(0, "kind") == "call");
  BOOST_TEST(told_of(0, "tool") == "refund");
  BOOST_TEST(told_of(0, "scope") == "payments.refund");
  BOOST_TEST(told_of(0, "risk") == "high");
  BOOST_TEST(told_of(0, "principal") == "user:alice@example.org");
  BOOST_TEST(told_of(0, "gates").find(R"("approvers":["user:bob@example.org","group:finance"])") !=
             std::string::npos);
  BOOST_TEST(claim(0, "approval").find("ch_1") == std::string::npos);
  BOOST_TEST(webhook().count(Outcome::kDelivered) == 2u);
  BOOST_TEST(webhook().waiting().value() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_receiver_that_is_away_holds_nothing_up_and_is_told_over_a_restart, Telling) {
  receiver->status = Error{ErrorCode::kConnectFailed, "away"};
  const std::string id = id_of(ask());
  webhook().tick(kNow);
  BOOST_TEST(cancel(id).status == 200);
  BOOST_TEST(webhook().count(Outcome::kFailed) == 1u);
  receiver->status = 200;
  Webhook next(service::told_approvals(*premises().books.approval_notices, office()), webhook().keys,
               kIssuerUrl, told().approvals_webhook, std::make_shared<const telemetry::Redactor>(),
               [](const char* what, const Error&) { BOOST_ERROR(what); });
  BOOST_REQUIRE(next.open());
  next.tick(kNow + 1s);
  BOOST_TEST(states() == (Strings{"pending", "pending", "cancelled"}), boost::test_tools::per_element());
  BOOST_TEST(claim(0, "jti") == claim(1, "jti"));
}

// Somebody deleted the request, or damaged its row: the ones behind it are told.
BOOST_FIXTURE_TEST_CASE(what_cannot_be_read_is_given_up_and_the_next_is_told, Telling) {
  (void)id_of(ask_for("ch_1"));
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute("UPDATE parked_calls SET gates = 'x'"));
  const std::string id = id_of(ask_for("ch_2"));
  webhook().tick(kNow);
  BOOST_TEST(webhook().count(Outcome::kDropped) == 1u);
  BOOST_TEST_REQUIRE(receiver->got.size() == 1u);
  BOOST_TEST(told_of(0, "id") == id);
}

BOOST_FIXTURE_TEST_CASE(the_page_of_the_console_is_told_where_there_is_one, Telling) {
  const MadeConsole made;
  service::ConsoleOptions options;
  options.party = {"localhost", {kOrigin}};
  service::ConsoleDesk desk(std::move(options), made.files());
  office().console = &desk;
  const std::string id = id_of(ask());
  webhook().tick(kNow);
  office().console = nullptr;
  BOOST_TEST(told_of(0, "page") == std::string(kOrigin) + "/ui#/approvals/" + id);
}

BOOST_FIXTURE_TEST_CASE(its_key_is_that_of_the_webhooks_and_rotates_without_anomalies_being_told, Telling) {
  make_own_keys();
  const std::string first = office().trust.keys(store::kWebhook).front().thumbprint().text();
  BOOST_TEST(call("GET", "/.well-known/webhook-jwks.json", "", std::nullopt).body.find(first) !=
             std::string::npos);
  BOOST_TEST(call("POST", "/v1/webhook/keys/rotate", "{}", kOperatorUid).status == 200);
}

BOOST_FIXTURE_TEST_CASE(deliveries_are_counted_beside_those_of_anomalies, Telling) {
  receiver->status = 503;
  (void)id_of(ask());
  webhook().tick(kNow);
  const std::string text = call("GET", "/metrics", "", kOperatorUid).body;
  for (const char* const line :
       {"chancery_webhook_deliveries_total{about=\"approvals\",outcome=\"refused\"} 1\n",
        "chancery_webhook_deliveries_total{about=\"approvals\",outcome=\"delivered\"} 0\n",
        "chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"refused\"} 0\n",
        "chancery_webhook_waiting{about=\"approvals\"} 1\n",
        "chancery_webhook_waiting{about=\"anomalies\"} 0\n"})
    BOOST_TEST(text.find(line) != std::string::npos, line);
}

BOOST_FIXTURE_TEST_CASE(requests_that_have_ended_are_kept_as_long_as_the_policy_says, Approvals) {
  const std::string id = id_of(ask());
  BOOST_TEST(cancel(id).status == 200);
  change_policy([](service::Policy& policy) { policy.requests_kept = 48h; });
  service::ApprovalKeeper keeper(
      office(), [](const char* what, const Error& error) { BOOST_ERROR(what << error.what); });
  keeper.tick(kNow + 48h);
  BOOST_TEST(show(id).status == 200);
  change_policy([](service::Policy& policy) { policy.requests_kept = 72h; });
  keeper.tick(kNow + 49h);
  BOOST_TEST(show(id).status == 200);
  keeper.tick(kNow + 72h + 1s);
  BOOST_TEST(show(id).status == 404);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
