// Decisions for enforcement points, through the router: proofs, budgets, reservations and repetitions.

#include <array>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>

#include "daemon/service/amounts.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

std::string subtree(const std::string& amount) {
  return R"({"key":"payments.refund#amount","max_subtree":)" + amount + "}";
}

struct Enforcement : EnforcementFixture {
  std::string chain = budget_chain();
};

/// How many of the audit log's entries contain a text.
std::size_t audited(OfficeFixture& office, const std::string& text) {
  const auto tail = office.store().audit_tail(1000);
  BOOST_REQUIRE(tail);
  return static_cast<std::size_t>(std::ranges::count_if(
      *tail, [&](const store::AuditRecord& record) { return record.json.find(text) != std::string::npos; }));
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_action_within_its_chain_is_permitted_and_recorded, Enforcement) {
  const Response permitted = ask_refund(chain, kOrchestratorUid, "40");
  BOOST_REQUIRE_MESSAGE(verdict_of(permitted) == "permit", permitted.body);
  BOOST_TEST(member(permitted, "decision_id").size() == 32u);
  BOOST_TEST(member(permitted, "not_performed") == R"(["custody"])");
  BOOST_TEST(member(permitted, "leaf").find("user:alice@example.org") != std::string::npos);
  BOOST_TEST(member(permitted, "expires_at").empty());
  BOOST_TEST(audited(*this, member(permitted, "decision_id")) == 1u);
}

BOOST_FIXTURE_TEST_CASE(only_an_enforcement_point_may_ask, Enforcement) {
  const std::string body = question(chain, proof_of(chain, kOrchestratorUid), refund("1"));
  BOOST_TEST(verdict_of(ask(body, kOrchestratorUid)) == "forbidden");
  BOOST_TEST(verdict_of(ask(body)) == "permit");
}

// --- proofs

BOOST_FIXTURE_TEST_CASE(a_proof_counts_once, Enforcement) {
  const std::string body = question(chain, proof_of(chain, kOrchestratorUid), refund("1"));
  BOOST_TEST(verdict_of(ask(body)) == "permit");
  const Response replayed = ask(body);
  BOOST_TEST(verdict_of(replayed) == "holder_binding_failed");
  BOOST_TEST(member(replayed, "step") == "6");
  BOOST_TEST(member(replayed, "reason") == "this proof was used before");
  BOOST_TEST(audited(*this, R"("denial":"holder_binding_failed")") == 1u);
  for (int i = 0; i < 3; ++i) BOOST_TEST(verdict_of(ask(body)) == "holder_binding_failed");
  BOOST_TEST(audited(*this, R"("denial":"holder_binding_failed")") == 1u);
  BOOST_TEST(office().refused_proofs->count() == 4u);
}

BOOST_FIXTURE_TEST_CASE(one_of_a_hundred_concurrent_uses_of_a_proof_is_permitted, Enforcement) {
  const std::string body = question(chain, proof_of(chain, kOrchestratorUid), refund("1"));
  std::atomic<int> permitted = 0;
  std::atomic<int> refused = 0;
  {
    std::latch start(100);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 100; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const std::string verdict = verdict_of(ask(body));
        if (verdict == "permit") ++permitted;
        if (verdict == "holder_binding_failed") ++refused;
      });
    }
  }
  BOOST_TEST(permitted == 1);
  BOOST_TEST(refused == 99);
}

// What fails after the proof was found good has used it up, even when it was denied.
BOOST_FIXTURE_TEST_CASE(a_denied_action_uses_its_proof_up, Enforcement) {
  const std::string proof = proof_of(chain, kOrchestratorUid);
  BOOST_TEST(verdict_of(ask(question(chain, proof, R"({"scope":"mail.send"})"))) == "scope_not_granted");
  BOOST_TEST(verdict_of(ask(question(chain, proof, refund("1")))) == "holder_binding_failed");
  const std::string other = proof_of(chain, kOrchestratorUid);
  BOOST_TEST(verdict_of(ask(question(chain, other, refund("101")))) == "ceiling_exceeded");
  BOOST_TEST(verdict_of(ask(question(chain, other, refund("1")))) == "holder_binding_failed");
}

// Otherwise anybody could use up other people's proofs, or fill the book.
BOOST_FIXTURE_TEST_CASE(a_proof_that_was_not_found_good_is_not_used_up, Enforcement) {
  const std::string proof = proof_of(chain, kOrchestratorUid);
  std::string forged = proof;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  std::string elsewhere = question(chain, proof, refund("1"));
  elsewhere.replace(elsewhere.find("/refunds"), 8, "/charges");
  const std::string other_chain = delegated(chain, "support", kOrchestratorUid);
  const auto audit_before = store().counts()->audit_entries;
  BOOST_TEST(verdict_of(ask(question(chain, forged, refund("1")))) == "holder_binding_failed");
  BOOST_TEST(verdict_of(ask(elsewhere)) == "holder_binding_failed");
  BOOST_TEST(verdict_of(ask(question(other_chain, proof, refund("1")))) == "holder_binding_failed");
  set_now(kNow + std::chrono::hours(1));
  BOOST_TEST(verdict_of(ask(question(chain, proof, refund("1")))) == "expired");
  set_now(kNow);
  BOOST_TEST(store().counts()->audit_entries ==
             audit_before + 4);  // a denial each, whose proof nobody showed
  BOOST_TEST(verdict_of(ask(question(chain, proof, refund("1")))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(an_exhausted_holder_is_refused_alone, Enforcement) {
  const std::string other = delegated(chain, "support", kOrchestratorUid);
  const std::string crm = R"({"scope":"crm.read"})";
  for (int i = 0; i < 1000; ++i) {
    const Response permitted = ask(question(chain, proof_of(chain, kOrchestratorUid), crm));
    BOOST_REQUIRE_MESSAGE(verdict_of(permitted) == "permit", permitted.body);
  }
  const Response refused = ask(question(chain, proof_of(chain, kOrchestratorUid), crm));
  BOOST_TEST(verdict_of(refused) == "holder_binding_failed");
  BOOST_TEST(member(refused, "reason") == "too many proofs of this key are unexpired");
  BOOST_TEST(verdict_of(ask(question(chain, proof_of(chain, kOrchestratorUid), crm))) ==
             "holder_binding_failed");
  BOOST_TEST(audited(*this, R"("denial":"holder_binding_failed")") == 1u);
  BOOST_TEST(verdict_of(ask(question(other, proof_of(other, kSupportUid), crm))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_proof_of_the_very_action_may_be_demanded, Enforcement) {
  const std::string body =
      question(chain, proof_of(chain, kOrchestratorUid), refund("1"), R"(,"ada":"required")");
  BOOST_TEST(verdict_of(ask(body)) == "holder_binding_failed");
}

// --- budgets

BOOST_FIXTURE_TEST_CASE(a_budget_is_spent_to_the_last_unit, Enforcement) {
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "99.999999")) == "permit");
  const Response over = ask_refund(chain, kOrchestratorUid, "0.000002");
  BOOST_TEST(verdict_of(over) == "ceiling_exceeded");
  BOOST_TEST(member(over, "step") == "8");
  BOOST_TEST(member(over, "found") == "a total of 100.000001");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "0.000001")) == "permit");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "0")) == "permit");
  BOOST_TEST(verdict_of(ask(question(chain, proof_of(chain, kOrchestratorUid), R"({"scope":"crm.read"})"))) ==
             "permit");
}

BOOST_FIXTURE_TEST_CASE(siblings_share_their_parents_budget, Enforcement) {
  const std::string support = delegated(chain, "support", kOrchestratorUid, subtree("60"));
  const std::string lookup = delegated(chain, "lookup", kOrchestratorUid, subtree("60"));
  BOOST_TEST(verdict_of(ask_refund(support, kSupportUid, "60")) == "permit");
  BOOST_TEST(verdict_of(ask_refund(support, kSupportUid, "1")) == "ceiling_exceeded");
  const Response over = ask_refund(lookup, kLookupUid, "60");
  BOOST_TEST(verdict_of(over) == "ceiling_exceeded");
  // What the parent has left is not the enforcement point's to see.
  for (const char* const hidden : {"hop", "expected", "found", "remedy"})
    BOOST_TEST(member(over, hidden).empty());
  BOOST_TEST(verdict_of(ask_refund(lookup, kLookupUid, "40")) == "permit");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "ceiling_exceeded");
}

BOOST_FIXTURE_TEST_CASE(an_issued_anew_child_has_what_its_parent_has_left, Enforcement) {
  for (int i = 0; i < 2; ++i) {
    const std::string child = delegated(chain, "support", kOrchestratorUid, subtree("50"));
    BOOST_TEST(verdict_of(ask_refund(child, kSupportUid, "50")) == "permit");
  }
  const std::string child = delegated(chain, "support", kOrchestratorUid, subtree("50"));
  BOOST_TEST(verdict_of(ask_refund(child, kSupportUid, "1")) == "ceiling_exceeded");
}

struct BadAmount {
  const char* action;
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const BadAmount& row) { return out << row.action; }
constexpr const char* kBadForm = "an amount is negative, finer than six decimals, too large or no number";
constexpr std::array kBadAmounts{
    BadAmount{R"({"scope":"payments.refund","params":{"amount":-1}})", kBadForm},
    BadAmount{R"({"scope":"payments.refund","params":{"amount":0.0000001}})", kBadForm},
    BadAmount{R"({"scope":"payments.refund","params":{"amount":1.0000001}})", kBadForm},
    BadAmount{R"({"scope":"payments.refund","params":{"amount":1e13}})", kBadForm},
    BadAmount{R"({"scope":"payments.refund","params":{"amount":"5"}})", kBadForm},
    BadAmount{R"({"scope":"payments.refund","params":{}})",
              "the action lacks a parameter that the chain sums"}};

BOOST_DATA_TEST_CASE(an_amount_that_cannot_be_summed_is_denied, boost::unit_test::data::make(kBadAmounts),
                     row) {
  Enforcement scene;
  const Response denied =
      scene.ask(scene.question(scene.chain, scene.proof_of(scene.chain, kOrchestratorUid), row.action));
  BOOST_TEST(scene.verdict_of(denied) == "ceiling_exceeded", denied.body);
  BOOST_TEST(scene.member(denied, "reason") == row.reason);
}

BOOST_FIXTURE_TEST_CASE(calls_are_counted, EnforcementFixture) {
  const std::string chain = budget_chain(R"(,{"key":"calls","max_subtree":2})");
  const std::string crm = R"({"scope":"crm.read","params":{"calls":0}})";
  BOOST_TEST(verdict_of(ask(question(chain, proof_of(chain, kOrchestratorUid), crm))) == "permit");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "permit");
  BOOST_TEST(verdict_of(ask(question(chain, proof_of(chain, kOrchestratorUid), crm))) == "ceiling_exceeded");
}

BOOST_FIXTURE_TEST_CASE(a_rate_begins_anew_with_each_window, EnforcementFixture) {
  const std::string chain = budget_chain(R"(,{"key":"calls","max_rate":{"count":2,"per":"minute"}})");
  const std::string child = delegated(chain, "support", kOrchestratorUid);
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "permit");
  set_now(kNow + std::chrono::seconds(59));
  BOOST_TEST(verdict_of(ask_refund(child, kSupportUid, "1")) == "permit");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "ceiling_exceeded");
  set_now(kNow + std::chrono::seconds(60));
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "permit");
}

// --- reservations

BOOST_FIXTURE_TEST_CASE(a_reservation_is_settled_or_released, Enforcement) {
  const Response reserved = ask_refund(chain, kOrchestratorUid, "100", R"(,"reserve_s":60)");
  BOOST_TEST(member(reserved, "expires_at") == std::to_string(kNow.time_since_epoch().count() + 60));
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "ceiling_exceeded");
  const std::string path = "/v1/decisions/" + member(reserved, "decision_id");
  BOOST_TEST(call("POST", path + "/settle", R"({"amounts":{"amount":100.5}})", kOperatorUid).status == 400);
  BOOST_TEST(call("POST", path + "/settle", R"({"amounts":{"amount":-1}})", kOperatorUid).status == 400);
  const Response settled = call("POST", path + "/settle", R"({"amounts":{"amount":30.5}})", kOperatorUid);
  BOOST_TEST(member(settled, "state") == "settled", settled.body);
  BOOST_TEST(call("POST", path + "/release", "{}", kOperatorUid).status == 409);

  const Response again = ask_refund(chain, kOrchestratorUid, "69.5", R"(,"reserve_s":60)");
  BOOST_REQUIRE_MESSAGE(verdict_of(again) == "permit", again.body);
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "ceiling_exceeded");
  const std::string other = "/v1/decisions/" + member(again, "decision_id") + "/release";
  BOOST_TEST(call("POST", other, "{}", kOrchestratorUid).status == 403);
  BOOST_TEST(member(call("POST", other, "{}", kOperatorUid), "state") == "released");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "69.5")) == "permit");
}

BOOST_FIXTURE_TEST_CASE(only_the_caller_that_reserved_ends_a_reservation, Enforcement) {
  static constexpr std::uint32_t kOtherOperator = 1001;
  change_policy([](service::Policy& policy) { policy.operators.uids.push_back(kOtherOperator); });
  const Response reserved = ask_refund(chain, kOrchestratorUid, "100", R"(,"reserve_s":60)");
  const std::string path = "/v1/decisions/" + member(reserved, "decision_id") + "/release";
  BOOST_TEST(member(call("POST", path, "{}", kOtherOperator), "code") == "forbidden");
  BOOST_TEST(call("POST", path, "{}", kOperatorUid).status == 200);
  BOOST_TEST(call("POST", "/v1/decisions/unknown/release", "{}", kOperatorUid).status == 404);
}

BOOST_FIXTURE_TEST_CASE(impact_counts_the_reservations_that_are_open, Enforcement) {
  const std::string child = delegated(chain, "support", kOrchestratorUid);
  const auto open = [&](const std::string& agent) {
    return member(call("POST", "/v1/impact", R"({"agent":")" + agent + "\"}", kOperatorUid),
                  "open_reservations");
  };
  BOOST_TEST(open("support") == "0");
  const Response reserved = ask_refund(child, kSupportUid, "10", R"(,"reserve_s":60)");
  BOOST_REQUIRE_MESSAGE(verdict_of(reserved) == "permit", reserved.body);
  BOOST_REQUIRE(verdict_of(ask_refund(chain, kOrchestratorUid, "10", R"(,"reserve_s":60)")) == "permit");
  BOOST_REQUIRE(verdict_of(ask_refund(child, kSupportUid, "10")) == "permit");
  BOOST_TEST(open("support") == "1");
  BOOST_TEST(open("orchestrator") == "2");  // its own, and that of whom it delegated to
  BOOST_TEST(open("lookup") == "0");
  const std::string path = "/v1/decisions/" + member(reserved, "decision_id") + "/settle";
  BOOST_REQUIRE(call("POST", path, "{}", kOperatorUid).status == 200);
  BOOST_TEST(open("support") == "0");
  set_now(kNow + std::chrono::seconds(60));
  BOOST_TEST(open("orchestrator") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_reservation_that_nobody_ends_is_spent, Enforcement) {
  const Response reserved = ask_refund(chain, kOrchestratorUid, "100", R"(,"reserve_s":60)");
  set_now(kNow + std::chrono::seconds(60));
  spending().tick(kNow + std::chrono::seconds(60));
  const std::string path = "/v1/decisions/" + member(reserved, "decision_id") + "/release";
  BOOST_TEST(call("POST", path, "{}", kOperatorUid).status == 409);
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "ceiling_exceeded");
}

// A chain that may not have actions authorized at this time of day may not end reservations either.
BOOST_FIXTURE_TEST_CASE(a_reservation_is_ended_within_the_constraints_of_the_callers_chain, Enforcement) {
  const ChainCallers callers(*this);
  const auto point = [&](const std::string& constraint) {
    return callers.by(callers.delegate(
        callers.root, R"({"scopes":["chancery.authorize"],"constraints":[)" + constraint + "]}"));
  };
  const std::string ours = R"({"key":"audience","one_of":["https://api.example.org"]})";
  const service::CallContext caller = point(ours);
  const auto reserve = [&] {
    api::Authorize asked;
    asked.chain = ChainCallers::texts(chain);
    asked.proof = proof_of(chain, kOrchestratorUid);
    asked.method = "POST";
    asked.uri = "https://api.example.org/refunds";
    asked.audience = "https://api.example.org";
    asked.scope = "payments.refund";
    asked.params = R"({"amount":1})";
    asked.reserve = std::chrono::seconds(60);
    return service::authorize(office(), caller, asked).value().id;
  };
  const auto code = [](const auto& ended) { return ended ? std::string() : error_name(ended.error().code); };
  const std::string id = reserve();
  for (const char* const other :
       {R"({"key":"audience","one_of":["https://other.example"]})",
        R"({"key":"audience","one_of":["https://api.example.org"]},{"key":"x","of_another_kind":1})"}) {
    service::CallContext denied = point(other);
    BOOST_TEST(code(service::settle(office(), denied, id, {})) == "forbidden", other);
    BOOST_TEST(code(service::release(office(), denied, id)) == "forbidden", other);
  }
  BOOST_TEST(code(service::release(office(), caller, "unknown")) == "not_found");
  BOOST_TEST(code(service::settle(office(), caller, id, {})) == "");
  BOOST_TEST(code(service::release(office(), caller, reserve())) == "");
}

// --- repetitions

BOOST_FIXTURE_TEST_CASE(a_repeated_request_gets_its_answer_and_spends_once, Enforcement) {
  const std::string body =
      question(chain, proof_of(chain, kOrchestratorUid), refund("60"), R"(,"idempotency_key":"order-1")");
  const Response first = ask(body);
  BOOST_REQUIRE_MESSAGE(verdict_of(first) == "permit", first.body);
  BOOST_TEST(ask(body).body == first.body);
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "40")) == "permit");
  const Response other = ask_refund(chain, kOrchestratorUid, "60", R"(,"idempotency_key":"order-1")");
  BOOST_TEST(other.status == 409);
  BOOST_TEST(verdict_of(other) == "conflict");
}

BOOST_FIXTURE_TEST_CASE(a_repeated_denial_stays_one, Enforcement) {
  const std::string body =
      question(chain, proof_of(chain, kOrchestratorUid), refund("101"), R"(,"idempotency_key":"order-1")");
  const Response first = ask(body);
  BOOST_TEST(verdict_of(first) == "ceiling_exceeded");
  BOOST_TEST(ask(body).body == first.body);
}

BOOST_FIXTURE_TEST_CASE(a_repeated_permit_counts_no_longer_than_its_chain, Enforcement) {
  const std::string body =
      question(chain, proof_of(chain, kOrchestratorUid), refund("60"), R"(,"idempotency_key":"order-1")");
  BOOST_TEST(verdict_of(ask(body)) == "permit");
  BOOST_TEST(call("POST", "/v1/revocations", R"({"agent":"orchestrator"})", kOperatorUid).status == 201);
  BOOST_TEST(verdict_of(ask(body)) == "revoked");
}

BOOST_FIXTURE_TEST_CASE(a_repeated_permit_is_not_for_what_was_released, Enforcement) {
  for (const std::string end : {"settle", "release"}) {
    const std::string body = question(chain, proof_of(chain, kOrchestratorUid), refund("10"),
                                      R"(,"reserve_s":60,"idempotency_key":")" + end + R"(")");
    const Response first = ask(body);
    const std::string path = "/v1/decisions/" + member(first, "decision_id") + "/" + end;
    BOOST_TEST(call("POST", path, "{}", kOperatorUid).status == 200);
    const Response again = ask(body);
    BOOST_TEST(verdict_of(again) == (end == "settle" ? "permit" : "holder_binding_failed"), again.body);
  }
}

// --- halted spending

BOOST_FIXTURE_TEST_CASE(nothing_is_spent_while_spending_is_halted, Enforcement) {
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "1")) == "permit");
  const std::string body = question(chain, proof_of(chain, kOrchestratorUid), refund("1"));
  const std::string free = question(chain, proof_of(chain, kOrchestratorUid), R"({"scope":"crm.read"})");
  counter().remove();
  spending().tick(kNow + std::chrono::minutes(10));
  const Response refused = ask(body);
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(verdict_of(refused) == "spending_halted");
  BOOST_TEST(verdict_of(ask(free)) == "spending_halted");
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).body.find("budgets") != std::string::npos);
  BOOST_TEST(member(call("GET", "/v1/budget", "", kOperatorUid), "state") == "halted");
  BOOST_TEST(call("POST", "/v1/budget/accept", "{}", kOrchestratorUid).status == 403);
  BOOST_TEST(member(call("POST", "/v1/budget/accept", R"({"tokens":"keep"})", kOperatorUid), "state") ==
             "open");
  BOOST_TEST(verdict_of(ask(body)) == "permit");
  BOOST_TEST(audited(*this, R"("action":"budget.halt")") == 1u);
  BOOST_TEST(audited(*this, R"("action":"budget.accept")") == 2u);  // the first of them refused
}

}  // namespace chancery::tests
