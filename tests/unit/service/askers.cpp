// Who asked does not decide: whom the daemon takes for that, and that nobody is given a grant there whom it does not know.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/parking.hpp"
#include "sdk/wire/messages.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/deciding_fixture.hpp"

namespace chancery::tests {
namespace {

using service::Gate;
using Persons = std::map<std::uint32_t, std::string>;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";

/// A gate for refunds of more than 50, which Bob opens, and an agent that may refund 100.
struct Separated : Deciding {
  Separated() {
    Gate gate;
    gate.name = "refunds";
    gate.scopes = {"payments.refund"};
    gate.when = Gate::When::kAbove;
    gate.parameter = "amount";
    gate.above = 50'000'000;
    gate.approvers = {kBob};
    change_policy([&](service::Policy& policy) {
      policy.granted_scopes = {"crm.*", "payments.*"};
      policy.gates = {gate};
    });
    budget = budget_chain();
  }
  void configure(const Persons& persons, std::string_view separation) {
    change_policy([&](service::Policy& policy) {
      policy.persons = persons;
      policy.gates.front().separation = separation;
    });
  }
  /// What the operator's process is told, as the enforcement point.
  Response asked(const std::string& amount) { return ask_refund(budget, kOrchestratorUid, amount); }

  std::string budget;
};

struct Asker {
  const char* name;
  Persons persons;
  std::string_view separation;
  bool may_decide;  ///< Bob, about what the operator's user asked for
};
std::ostream& operator<<(std::ostream& out, const Asker& row) { return out << row.name; }

const std::array kAskers{
    Asker{"the person who decides", {{kOperatorUid, kBob}}, store::kSeparateRequester, false},
    Asker{"another person", {{kOperatorUid, kCarol}}, store::kSeparateRequester, true},
    Asker{"the person, whom nothing keeps apart", {{kOperatorUid, kBob}}, store::kSeparatePrincipal, true},
    Asker{"nobody who is known, at a gate that keeps nobody apart", {}, store::kSeparateNobody, true},
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(askers)

BOOST_DATA_TEST_CASE_F(Separated, on_the_socket_it_was_asked_for_by, boost::unit_test::data::make(kAskers),
                       row) {
  configure(row.persons, row.separation);
  const store::ParkedCall request = found(id_of(asked("60")));
  const Response decided = decide(request, bob);
  BOOST_TEST(decided.status == (row.may_decide ? 200 : 403), decided.body);
  BOOST_TEST(verdict_of(asked("60")) == (row.may_decide ? "permit" : "approval_required"));
}

// Who asked is the agent, by its own chain: nobody has to know as which user an enforcement point or a runtime runs.
BOOST_FIXTURE_TEST_CASE(an_action_and_a_call_wait_whoever_passes_them_on, Separated) {
  configure({}, store::kSeparateRequester);
  BOOST_TEST(verdict_of(asked("60")) == "approval_required");
  Ask question;
  question.arguments = R"({"amount":60,"charge":"ch_1"})";
  BOOST_TEST(state_of(found(id_of(ask(question)))) == "pending");
}

BOOST_FIXTURE_TEST_CASE(an_enforcement_point_with_a_chain_is_known_by_that, Separated) {
  configure({}, store::kSeparateRequester);
  const ChainCallers callers(*this);
  const auto point = callers.delegate(
      callers.root,
      R"({"scopes":["chancery.authorize"],"constraints":[{"key":"audience","one_of":["https://api.example.org"]}]})");
  const auto message =
      wire::read_authorize(question(budget, proof_of(budget, kOrchestratorUid), refund("60")));
  BOOST_REQUIRE(message);
  const auto decision = service::authorize(office(), callers.by(point), *message);
  BOOST_REQUIRE_MESSAGE(decision, (decision ? "" : decision.error().what));
  BOOST_REQUIRE(decision->approval);
  const auto& requesters = found(decision->approval->id).requesters;
  BOOST_TEST((std::ranges::find(requesters, "operator:admin") != requesters.end()));
}

// Before a key of the gate's is made for it, or the device is asked for anything.
BOOST_FIXTURE_TEST_CASE(a_user_whom_nobody_knows_asks_for_no_grant_behind_a_gate, Separated) {
  change_policy([](service::Policy& policy) {
    policy.gates.front() = {};
    policy.gates.front().name = "refund-grants";
    policy.gates.front().scopes = {"payments.refund"};
    policy.gates.front().approvers = {kBob};
    policy.gates.front().tpm_enforced = true;
  });
  const auto grant = [&] {
    return call("POST", "/v1/grants",
                R"({"principal":"user:alice@example.org","agent":"orchestrator",)"
                R"("audience":"https://api.example.org","scopes":["payments.refund"],"lifetime_s":1800})",
                kOperatorUid);
  };
  struct Row {
    const char* name;
    Persons persons;
    std::string_view separation;
    bool is_refused;
  };
  for (const Row& row :
       {Row{"nobody is known", {}, store::kSeparateRequester, true},
        Row{"another user is known", {{kStrangerUid, kBob}}, store::kSeparateRequester, true},
        Row{"the user is known", {{kOperatorUid, kCarol}}, store::kSeparateRequester, false},
        Row{"only the principal is kept apart", {}, store::kSeparatePrincipal, false},
        Row{"nobody is kept apart", {}, store::kSeparateNobody, false}}) {
    configure(row.persons, row.separation);
    const Response answer = grant();
    BOOST_TEST((answer.status == 403) == row.is_refused, row.name);  // else: the device here has no such keys
    if (!row.is_refused) continue;
    for (const char* words : {"[console] approvers", "UID=PRINCIPAL", "separation"})
      BOOST_TEST(contains(member(answer, "detail"), words), answer.body);
  }
}

BOOST_FIXTURE_TEST_CASE(who_is_known_to_ask, Separated) {
  const ChainCallers callers(*this);
  service::Caller by_chain;
  by_chain.chain = callers.by(callers.root).caller.chain;
  service::Caller process;
  process.process.emplace().uid = 7;
  service::Caller reader;  // an operator in the console, without a passkey
  reader.visitor.emplace().role = service::ConsoleRole::kOperator;
  reader.visitor->uid = 7;
  service::Caller visitor = reader;
  visitor.visitor->principal = kCarol;
  struct Row {
    const char* name;
    const service::Caller& caller;
    bool is_known;          ///< without any user being mapped
    bool is_known_by_user;  ///< when user 7 is
  };
  const service::Caller nobody;
  service::Policy policy = *office().policy.current();
  const Gate& gate = policy.gates.front();
  for (const Row& row :
       {Row{"a chain", by_chain, true, true}, Row{"a process", process, false, true},
        Row{"a reader in the console", reader, false, true},
        Row{"a person in the console", visitor, true, true}, Row{"nobody", nobody, false, false}}) {
    policy.persons.clear();
    BOOST_TEST(service::require_known_asker(policy, row.caller, gate).has_value() == row.is_known, row.name);
    policy.persons = {{7, kBob}};
    BOOST_TEST(service::require_known_asker(policy, row.caller, gate).has_value() == row.is_known_by_user,
               row.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
