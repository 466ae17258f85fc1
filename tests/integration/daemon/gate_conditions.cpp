// Gates by the real program whose condition is more than the action: what was let through before, over a restart, and the local time.

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>
#include <chancery/proof.hpp>

#include "sdk/crypto/signing_key.hpp"
#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kAudience = "https://api.example.org";
constexpr const char* kUri = "https://api.example.org/actions";

// A day that is three days away is not today in any zone, however long a test takes.
std::string another_day() {
  constexpr std::array kDays{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"};
  const auto today =
      std::chrono::weekday(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  return kDays.at((today + std::chrono::days(3)).c_encoding());
}

std::string gates() {
  return R"([[gate]]
name = "new-accounts"
scopes = ["payouts.send"]
when = "first_time"
parameter = "iban"
approvers = ["user:bob@example.org"]
[[gate]]
name = "at-any-hour"
scopes = ["deploy.staging"]
when = "outside_hours"
hours = "Mo-Su 00:00-24:00 Europe/Berlin"
approvers = ["user:bob@example.org"]
[[gate]]
name = "on-another-day"
scopes = ["deploy.production"]
when = "outside_hours"
hours = ")" +
         another_day() + R"( 00:00-24:00 Europe/Berlin"
approvers = ["user:bob@example.org"]
)";
}

struct Conditions : SpendingDaemon {
  Conditions() : SpendingDaemon(gates()) {
    Enrolment enrolment;
    enrolment.principal = kBob;
    enrolment.key = bob.public_key();
    enrolment.kind = "file";
    const Client client = daemon.client();
    answered(ApprovalClient(client).enroll({enrolment_document(enrolment), {}}));
    alices = chain_of("user:alice@example.org");
  }

  [[nodiscard]] std::vector<std::string> chain_of(const std::string& principal) const {
    api::CreateGrant request;
    request.principal = principal;
    request.agent = "orchestrator";
    request.audience = {kAudience};
    request.authority.scopes = {"payouts.send", "deploy.staging", "deploy.production"};
    request.lifetime = std::chrono::seconds(3600);
    return answered(daemon.client().grant(request)).chain;
  }

  [[nodiscard]] api::Decision ask(const std::vector<std::string>& from, const std::string& scope,
                                  const std::string& params) const {
    api::Authorize request;
    request.chain = from;
    request.proof = answered(daemon.client().prove({from, "POST", kUri, std::nullopt})).proof;
    request.method = "POST";
    request.uri = kUri;
    request.audience = kAudience;
    request.scope = scope;
    request.params = params;
    return answered(daemon.client().authorize(request));
  }
  /// "permit", or the denial's outcome.
  [[nodiscard]] std::string outcome(const std::string& scope, const std::string& params = "{}") const {
    const api::Decision decision = ask(alices, scope, params);
    return decision.permitted ? "permit" : decision.outcome;
  }

  void approve(const api::PendingApproval& request) const {
    ApprovalDecision decision;
    decision.approver = kBob;
    decision.request = request.id;
    decision.request_sha256 = request.sha256;
    decision.verdict = ApprovalVerdict::kApprove;
    decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    decision.key = bob.public_key().thumbprint();
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    const auto signature = bob.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    const Client client = daemon.client();
    const auto decided =
        answered(ApprovalClient(client).decide(request.id, {signed_by_key(input, *signature), {}}));
    BOOST_TEST(decided.state == "approved");
  }

  SigningKey bob = SigningKey::generate(Algorithm::kES256).value();
  std::vector<std::string> alices;
};

constexpr const char* kKnown = R"({"iban":"DE02120300000000202051"})";
constexpr const char* kOther = R"({"iban":"DE02500105170137075030"})";

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_conditions)

BOOST_FIXTURE_TEST_CASE(what_was_let_through_once_stays_known_over_a_restart, Conditions) {
  const api::Decision first = ask(alices, "payouts.send", kKnown);
  BOOST_REQUIRE(first.approval);
  approve(*first.approval);
  BOOST_TEST(outcome("payouts.send", kKnown) == "permit");  // by the approval
  BOOST_TEST(outcome("payouts.send", kKnown) == "permit");  // since it is known
  BOOST_REQUIRE(daemon.stop() == 0);
  daemon.start();
  BOOST_TEST(outcome("payouts.send", kKnown) == "permit");
  BOOST_TEST(outcome("payouts.send", kOther) == "approval_required");
  BOOST_TEST(outcome("payouts.send") == "approval_required");
  const api::Decision of_another = ask(chain_of("user:carol@example.org"), "payouts.send", kKnown);
  BOOST_TEST(of_another.outcome == "approval_required");
}

BOOST_FIXTURE_TEST_CASE(what_was_approved_and_not_done_is_not_known, Conditions) {
  const api::Decision first = ask(alices, "payouts.send", kKnown);
  BOOST_REQUIRE(first.approval);
  approve(*first.approval);
  BOOST_REQUIRE(daemon.stop() == 0);
  daemon.start();
  // The approval outlasted the restart. It is of its own document alone, and what it lets through is known only then.
  const api::Decision changed =
      ask(alices, "payouts.send", R"({"iban":"DE02120300000000202051","amount":2})");
  BOOST_TEST(changed.outcome == "approval_required");
  BOOST_TEST(outcome("payouts.send", kKnown) == "permit");
  const api::Decision known = ask(alices, "payouts.send", R"({"iban":"DE02120300000000202051","amount":2})");
  BOOST_TEST(known.permitted);
}

// A daemon that had not loaded the zones would know no local time, and both would be closed.
BOOST_FIXTURE_TEST_CASE(hours_are_told_by_the_zones_of_the_machine, Conditions) {
  BOOST_TEST(outcome("deploy.staging") == "permit");
  const api::Decision closed = ask(alices, "deploy.production", "{}");
  BOOST_REQUIRE(closed.approval);
  BOOST_TEST(closed.approval->document.find("Europe/Berlin") != std::string::npos, closed.approval->document);
  approve(*closed.approval);
  BOOST_TEST(outcome("deploy.production") == "permit");
  BOOST_TEST(outcome("deploy.production") == "approval_required");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
