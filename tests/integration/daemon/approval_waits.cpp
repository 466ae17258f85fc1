// Waiting for a decision by the real program: who waits is answered by the decision, holds a place of few, and keeps nobody else
// from anything.

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>
#include <chancery/verify.hpp>

#include "sdk/crypto/signing_key.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGate = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 50
approvers = ["user:bob@example.org"]
)";
constexpr double kPlaces = 4;  // half of the blocking threads

/// Those who wait, each on a thread, and what they were told.
class Waiters {
 public:
  explicit Waiters(const DaemonProcess& daemon) : daemon_(daemon) {}

  void add(const std::string& id) {
    const auto client = std::make_shared<Client>(daemon_.client());
    threads_.emplace_back([this, client, id] {
      const auto answer = ApprovalClient(*client).wait(id, 30s);
      const std::lock_guard lock(mutex_);
      told_.push_back(answer ? answer->state : answer.error().code);
    });
  }
  [[nodiscard]] std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  /// Once all have been.
  [[nodiscard]] std::vector<std::string> all_told() {
    threads_.clear();
    return told();
  }

 private:
  const DaemonProcess& daemon_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::vector<std::jthread> threads_;
};

/// An agent whose refunds above 50 wait for bob.
struct Waiting : SpendingDaemon {
  Waiting() : SpendingDaemon(kGate) {
    enroll_first(daemon.client(), "user:bob@example.org", bob.public_key());
  }

  /// One that waits.
  [[nodiscard]] api::PendingApproval asked(int amount) const {
    const auto decision = answered(daemon.client().authorize(answered(payment(chain, amount))));
    BOOST_REQUIRE_MESSAGE(decision.approval, decision.outcome);
    return *decision.approval;
  }

  [[nodiscard]] std::string decide(const api::PendingApproval& request, ApprovalVerdict verdict) const {
    ApprovalDecision decision;
    decision.approver = "user:bob@example.org";
    decision.request = request.id;
    decision.request_sha256 = request.sha256;
    decision.verdict = verdict;
    decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    decision.key = bob.public_key().thumbprint();
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    const auto signature = bob.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    const Client client = daemon.client();
    return answered(ApprovalClient(client).decide(request.id, {signed_by_key(input, *signature), {}})).state;
  }

  /// How many of so many small payments, each with a connection of its own, were permitted.
  [[nodiscard]] int permitted_at_once(int many) const {
    std::atomic<int> permitted = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < many; ++i) {
      const auto client = std::make_shared<Client>(daemon.client());
      threads.emplace_back([&permitted, client, request = answered(payment(chain, 1))] {
        const auto decision = client->authorize(request);
        if (decision && decision->permitted) ++permitted;
      });
    }
    threads.clear();
    return permitted;
  }

  [[nodiscard]] double waiting() const {
    return metric(scrape(daemon), "chancery_approval_waiters").value_or(-1);
  }

  SigningKey bob = SigningKey::generate(Algorithm::kES256).value();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_waits)

BOOST_FIXTURE_TEST_CASE(actions_that_wait_are_counted_and_those_behind_no_closed_gate_are_not, Waiting) {
  BOOST_TEST(spend(chain, 5) == "permit");
  BOOST_TEST(decide(asked(76), ApprovalVerdict::kDeny) == "denied");
  BOOST_TEST(spend(chain, 76) == "approval_denied");
  const api::PendingApproval request = asked(75);
  BOOST_TEST(asked(75).id == request.id);
  BOOST_TEST(decide(request, ApprovalVerdict::kApprove) == "approved");
  BOOST_TEST(spend(chain, 75) == "permit");
  const std::string text = scrape(daemon);
  const auto counted = [&](const std::string& kind, const std::string& outcome) {
    return metric(text, "chancery_approval_requests_total{kind=\"" + kind + "\",outcome=\"" + outcome + "\"}")
        .value_or(-1);
  };
  BOOST_TEST(counted("action", "parked") == 2);
  BOOST_TEST(counted("action", "repeated") == 1);
  BOOST_TEST(counted("action", "denied") == 1);
  BOOST_TEST(counted("action", "permitted") == 1);
  BOOST_TEST(counted("action", "refused") == 0);
  BOOST_TEST(counted("call", "parked") == 0);
  BOOST_TEST(counted("grant", "parked") == 0);
}

BOOST_FIXTURE_TEST_CASE(who_waits_is_answered_by_the_decision_and_not_before, Waiting) {
  const api::PendingApproval request = asked(75);
  const api::PendingApproval other = asked(76);
  Waiters waiters(daemon);
  waiters.add(request.id);
  BOOST_REQUIRE(eventually([&] { return waiting() == 1; }));
  // Something becomes of another one, by which the one who waits is woken, and goes on waiting.
  BOOST_TEST(decide(other, ApprovalVerdict::kDeny) == "denied");
  BOOST_TEST(waiting() == 1);
  BOOST_TEST(waiters.told().empty());
  BOOST_TEST(decide(request, ApprovalVerdict::kApprove) == "approved");
  BOOST_TEST(waiters.all_told() == (std::vector<std::string>{"approved"}), boost::test_tools::per_element());
  BOOST_TEST(waiting() == 0);
  BOOST_TEST(spend(chain, 75) == "permit");
}

// The program is the operator, who enforces, and the agent, who holds the chain. The denial comes first: what was permitted leaves too little of
// the budget for anything that would wait.
BOOST_FIXTURE_TEST_CASE(the_program_waits_and_asks_again_with_a_fresh_proof, Waiting) {
  for (const ApprovalVerdict verdict : {ApprovalVerdict::kDeny, ApprovalVerdict::kApprove}) {
    const int amount = verdict == ApprovalVerdict::kApprove ? 75 : 70;
    const api::Authorize request = answered(payment(chain, amount));
    ProgramResult told;
    std::jthread program([&] {
      told = run_here({"authorize", join_chain(request.chain), "--remote", "--proof", request.proof, "--htm",
                       request.method, "--htu", request.uri, "--audience", request.audience, "--scope",
                       request.scope, "--param", "amount=" + std::to_string(amount), "--wait"});
    });
    const bool is_waiting = eventually([&] { return waiting() == 1; });
    const Client client = daemon.client();
    const api::ApprovalPage page = answered(ApprovalClient(client).approvals({"pending", {}, 10}));
    if (page.approvals.size() == 1u) {
      const api::Approval& found = page.approvals.front();
      BOOST_TEST(decide({found.id, found.expires_at, found.document, found.sha256}, verdict) ==
                 (verdict == ApprovalVerdict::kApprove ? "approved" : "denied"));
    }
    program.join();
    BOOST_TEST(is_waiting, told.output);
    BOOST_TEST(page.approvals.size() == 1u, told.output);
    const bool is_done = verdict == ApprovalVerdict::kApprove;
    BOOST_TEST(told.exit_status == (is_done ? 0 : 1), told.output);
    BOOST_TEST(told.output.find(is_done ? "PERMITTED" : "DENIED") != std::string::npos, told.output);
    BOOST_TEST(told.output.find(is_done ? "decided: approved" : "decided: denied") != std::string::npos,
               told.output);
  }
}

BOOST_FIXTURE_TEST_CASE(an_example_waits_or_is_called_back_and_then_asks_again, Waiting) {
  const std::string chain_file = (daemon.folder() / "chain").string();
  std::ofstream(chain_file) << join_chain(chain);
  for (const std::string& how : {std::string("tell"), std::string("wait")}) {
    ProgramResult told;
    std::jthread program([&] {
      told = run_program({"/usr/bin/env", "CHANCERY_SOCKET=" + daemon.socket().string(),
                          CHANCERY_BINARY_DIR "/example_approval", how, chain_file, "https://api.example.org",
                          "payments.refund", how == "wait" ? "amount=51" : "amount=52"});
    });
    const bool is_waiting = eventually([&] { return waiting() == 1; });
    const Client client = daemon.client();
    const api::ApprovalPage page = answered(ApprovalClient(client).approvals({"pending", {}, 10}));
    for (const api::Approval& found : page.approvals) {
      BOOST_TEST(decide({found.id, found.expires_at, found.document, found.sha256},
                        how == "wait" ? ApprovalVerdict::kApprove : ApprovalVerdict::kDeny) != "pending");
    }
    program.join();
    BOOST_TEST(is_waiting, told.output);
    BOOST_TEST(told.exit_status == (how == "wait" ? 0 : 1), told.output);
    const std::string last = how == "wait" ? "permitted\n" : "denied\n";
    BOOST_TEST(told.output.ends_with(last), told.output);
  }
}

// Whoever found no place would wait no longer than those who came before, had it waited.
BOOST_FIXTURE_TEST_CASE(who_finds_no_place_is_answered_at_once_and_nobody_else_is_kept_waiting, Waiting) {
  const api::PendingApproval request = asked(75);
  Waiters waiters(daemon);
  for (int i = 0; i < static_cast<int>(kPlaces); ++i) waiters.add(request.id);
  BOOST_REQUIRE(eventually([&] { return waiting() == kPlaces; }));
  const Client client = daemon.client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = answered(ApprovalClient(client).wait(request.id, 30s));
    BOOST_TEST(answer.state == "pending");
    BOOST_TEST(!answer.document.empty());
  }
  // What asks the device and the disk goes on, more of it at once than threads are left.
  BOOST_TEST(permitted_at_once(8) == 8);
  BOOST_TEST(waiting() == kPlaces);
  BOOST_TEST(waiters.told().empty());
  BOOST_TEST(decide(request, ApprovalVerdict::kDeny) == "denied");
  const std::vector<std::string> told = waiters.all_told();
  BOOST_TEST(told == std::vector<std::string>(static_cast<std::size_t>(kPlaces), "denied"),
             boost::test_tools::per_element());
  BOOST_TEST(waiting() == 0);
}

// Had it not been sent away, the daemon would have cut its connection.
BOOST_FIXTURE_TEST_CASE(who_waits_is_answered_when_the_daemon_stops, Waiting) {
  const api::PendingApproval request = asked(75);
  Waiters waiters(daemon);
  waiters.add(request.id);
  BOOST_REQUIRE(eventually([&] { return waiting() == 1; }));
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(waiters.all_told() == (std::vector<std::string>{"pending"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_was_decided_before_survives_a_restart, Waiting) {
  const api::PendingApproval before = asked(75);
  BOOST_TEST(decide(before, ApprovalVerdict::kDeny) == "denied");
  BOOST_REQUIRE(daemon.stop() == 0);
  daemon.start();
  const ProgramResult shown = run_here({"approval", "show", asked(80).id});
  BOOST_TEST(shown.exit_status == 0, shown.output);
  BOOST_TEST(shown.output.find("by the daemon's word: " + before.id) != std::string::npos, shown.output);
  BOOST_TEST(shown.output.find("arguments > amount: 75 -> 80") != std::string::npos, shown.output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
