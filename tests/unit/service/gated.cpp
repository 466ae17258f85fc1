// Calls and actions behind gates: what waits, what an approval lets through, and that it does so once.

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {
namespace {

using service::Gate;
using std::chrono::seconds;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";
constexpr std::uint32_t kStrangerUid = 4711;

/// A gate for refunds of more than 50, which bob opens; he and carol are enrolled.
struct Gated : Approvals {
  Gated() {
    enroll(kBob);
    enroll(kCarol);
    put(refunds());
  }

  static Gate refunds() {
    Gate gate;
    gate.name = "refunds";
    gate.scopes = {"payments.refund"};
    gate.when = Gate::When::kAbove;
    gate.parameter = "amount";
    gate.above = 50'000'000;
    gate.approvers = {kBob};
    return gate;
  }

  void put(const Gate& gate) {
    change_policy([&](service::Policy& policy) { policy.gates = {gate}; });
  }

  void enroll(const std::string& person) {
    const auto key = SigningKey::generate(Algorithm::kES256);
    BOOST_REQUIRE(key);
    store::NewApproverKey enrolled;
    enrolled.principal = person;
    enrolled.key = {key->public_key().thumbprint(),
                    "file",
                    key->public_key().jwk(),
                    "",
                    store::ApproverKeyState::kActive,
                    kNow,
                    "operator",
                    {}};
    if (!keys.empty()) enrolled.by = jkt_of(kBob);
    const auto done = office().approvers.enroll(enrolled, {.at = kNow, .action = "approver.enroll"});
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
    keys.insert_or_assign(person, *key);
  }
  Thumbprint jkt_of(const std::string& person) const { return keys.at(person).public_key().thumbprint(); }

  std::string signed_by(const std::string& person, const std::string& id, const std::string& digest,
                        bool approves = true) const {
    ApprovalDecision decision;
    decision.approver = person;
    decision.request = id;
    decision.request_sha256 = digest;
    decision.verdict = approves ? ApprovalVerdict::kApprove : ApprovalVerdict::kDeny;
    decision.issued_at = kNow;
    decision.key = jkt_of(person);
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    return signed_by_key(input, *keys.at(person).sign(as_bytes(input)));
  }

  void decide(const std::string& id, const std::string& person, bool approves = true,
              std::chrono::sys_seconds at = kNow) {
    const std::string jws = signed_by(person, id, summary(id).digest, approves);
    const auto counted = office().approvals.decide(
        {id, person, jkt_of(person), approves, "", jws, ""}, at,
        [&](const store::ParkedCall&) { return store::AuditEntry{.at = at, .action = "approval.approve"}; });
    BOOST_REQUIRE_MESSAGE(counted, (counted ? "" : counted.error().what));
  }

  static Ask refund(const std::string& amount) {
    Ask question;
    question.arguments = R"({"amount":)" + amount + R"(,"charge":"ch_1"})";
    question.more += R"(,"declared":false)";
    question.release = R"(,"release":true)";
    return question;
  }
  static Ask without_terms(Ask question) {
    question.has_terms = false;
    return question;
  }
  store::ParkedCall summary(const std::string& id) {
    const auto found = office().approvals.summary(id);
    BOOST_REQUIRE(found);
    return *found;
  }
  std::string state_of(const std::string& id) {
    return std::string(store::approval_state_name(summary(id).state));
  }

  std::map<std::string, SigningKey> keys;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated)

BOOST_FIXTURE_TEST_CASE(what_is_not_behind_a_closed_gate_passes_without_terms, Gated) {
  const Response asked = ask(without_terms(refund("50")));
  BOOST_TEST(verdict_of(asked) == "permit", asked.body);
  BOOST_TEST(of(member(asked, "credential"), "value") == base64_encode(as_bytes(kValue)));
  BOOST_TEST(listed().empty());
}

BOOST_FIXTURE_TEST_CASE(a_closed_gate_asks_for_terms_and_uses_nothing_up, Gated) {
  Ask question = refund("50.01");
  question.proof = proof_for(question);
  const Response first = ask(without_terms(question));
  BOOST_TEST(verdict_of(first) == "terms_required", first.body);
  BOOST_TEST(member(first, "approval").empty());
  BOOST_TEST(count("tool.attempt") == 0u);
  BOOST_TEST(count("tool.permit") == 0u);
  BOOST_TEST(listed().empty());
  const Response second = ask(question);
  BOOST_TEST(verdict_of(second) == "approval_required", second.body);
  const Response third = ask(question);
  BOOST_TEST(verdict_of(third) == "holder_binding_failed", third.body);
}

BOOST_FIXTURE_TEST_CASE(the_document_names_the_gates_and_says_why, Gated) {
  const Response asked = ask(refund("60"));
  const std::string document = waiting(asked, "document");
  BOOST_TEST(of(document, "kind") == "call");
  BOOST_TEST(of(document, "gates") ==
             R"([{"gate":"refunds","why":"`amount` is 60, which is more than 50"}])");
  BOOST_TEST(waiting(asked, "url").empty());  // without a console there is no page
}

BOOST_FIXTURE_TEST_CASE(what_was_approved_is_done_once, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  const Response done = ask(refund("60"));
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  BOOST_TEST(of(member(done, "credential"), "value") == base64_encode(as_bytes(kValue)));
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(actions_about(id) == (Strings{"tool.attempt", "approval.request", "approval.use"}),
             boost::test_tools::per_element());
  const Strings of_the_call = actions_about(of(member(done, "permit"), "id"));
  BOOST_TEST((std::ranges::count(of_the_call, "approval.use") == 1));
}

BOOST_FIXTURE_TEST_CASE(the_same_a_second_time_waits_anew, Gated) {
  change_policy([](service::Policy& policy) { policy.gates[0].above = 5'000'000; });
  const std::string id = id_of(ask(refund("10")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(refund("10"))) == "permit");
  const std::string next = id_of(ask(refund("10")));
  BOOST_TEST(next != id);
  BOOST_TEST(state_of(next) == "pending");
}

BOOST_FIXTURE_TEST_CASE(a_changed_argument_is_another_subject, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  BOOST_TEST(id_of(ask(refund("61"))) != id);
  Ask other = refund("60");
  other.arguments = R"({"amount":60,"charge":"ch_2"})";
  BOOST_TEST(id_of(ask(other)) != id);
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(a_gate_that_others_open_by_now_is_another_subject, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  change_policy([](service::Policy& policy) { policy.gates[0].approvers = {kCarol}; });
  BOOST_TEST(id_of(ask(refund("60"))) != id);
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_was_revoked_after_the_approval_is_denied, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  Ask question = refund("60");
  question.proof = proof_for(question);
  BOOST_REQUIRE(
      call("POST", "/v1/revocations", R"({"principal":"user:alice@example.org"})", kOperatorUid).status ==
      201);
  BOOST_TEST(verdict_of(ask(question)) == "revoked");
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(an_approval_does_not_raise_a_total, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(without_terms(refund("45")))) == "permit");
  BOOST_TEST(verdict_of(ask(refund("60"))) == "ceiling_exceeded");
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(an_approval_lapses, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  set_now(kNow + seconds(299));
  Ask last = refund("60");
  last.proof = proof_for(last);
  set_now(kNow + seconds(300));
  BOOST_TEST(id_of(ask(last)) != id);
  BOOST_TEST(state_of(id) == "lapsed");
}

BOOST_FIXTURE_TEST_CASE(an_approval_is_good_until_its_last_second, Gated) {
  decide(id_of(ask(refund("60"))), kBob);
  set_now(kNow + seconds(299));
  BOOST_TEST(verdict_of(ask(refund("60"))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(who_has_denied_is_not_asked_again_at_once, Gated) {
  const Response asked = ask(refund("60"));
  const std::string id = id_of(asked);
  decide(id, kBob, false);
  const Response denied = ask(refund("60"));
  BOOST_TEST(verdict_of(denied) == "approval_denied", denied.body);
  BOOST_TEST(member(denied, "step") == "approval");
  BOOST_TEST(pending() == 0u);
  set_now(kNow + seconds(899));
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  set_now(kNow + seconds(900));
  BOOST_TEST(id_of(ask(refund("60"))) != id);
}

// Another token, another session, another holder below oneself: what was denied is the same.
BOOST_FIXTURE_TEST_CASE(a_denial_holds_however_the_same_is_asked_for, Gated) {
  const std::string own = chain;
  const std::string next = granted("1700");  // by another token, the same key
  const std::string below = delegated(chain, "support", kOrchestratorUid);
  decide(id_of(ask(refund("60"))), kBob, false);
  chain = next;
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  chain = below;
  agent_uid = kSupportUid;
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  BOOST_TEST(pending() == 0u);
  BOOST_TEST(verdict_of(ask(refund("61"))) == "approval_required");  // which nobody has denied
  chain = granted("1800", "support");  // the same key, under a first holder of its own
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_required");
}

BOOST_FIXTURE_TEST_CASE(what_was_denied_below_is_denied_to_whoever_handed_it_on, Gated) {
  const std::string own = chain;
  chain = delegated(own, "support", kOrchestratorUid);
  agent_uid = kSupportUid;
  decide(id_of(ask(refund("60"))), kBob, false);
  chain = own;
  agent_uid = kOrchestratorUid;
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
}

BOOST_FIXTURE_TEST_CASE(a_denial_ends_what_waits_for_the_same, Gated) {
  const std::string next = granted("1700");
  const std::string denied = id_of(ask(refund("60")));
  chain = next;
  const std::string twin = id_of(ask(refund("60")));
  BOOST_REQUIRE(twin != denied);
  const std::string jws = signed_by(kBob, denied, summary(denied).digest, false);
  const Response said = call("POST", "/v1/approvals/" + denied + "/decision",
                             wire::write(api::DecideApproval{jws, ""}), kStrangerUid);
  BOOST_REQUIRE_MESSAGE(said.status == 200, said.body);
  BOOST_TEST(state_of(twin) == "cancelled");
  BOOST_TEST(actions_about(twin).back() == "approval.cancel");
  BOOST_TEST(of(of(entries(twin).back(), "ids"), "denied") == denied);
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
}

// As one that was asked for at the moment at which the other was denied.
BOOST_FIXTURE_TEST_CASE(an_approval_of_what_was_denied_is_not_used, Gated) {
  const std::string next = granted("1700");
  const std::string denied = id_of(ask(refund("60")));
  chain = next;
  const std::string twin = id_of(ask(refund("60")));
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute(("UPDATE parked_calls SET matter = 'x' WHERE id = '" + twin + "'").c_str()));
  decide(denied, kBob, false);
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  decide(twin, kBob);
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  BOOST_TEST(state_of(twin) == "approved");
}

// What is asked again with terms is one use of the agent's authority, and not two.
BOOST_FIXTURE_TEST_CASE(a_call_that_is_asked_again_with_terms_is_seen_once, Gated) {
  const auto seen = [&] { return premises().watch.count(anomaly::Kind::kNewScope); };
  Ask question = refund("60");
  question.proof = proof_for(question);
  const std::uint64_t before = seen();
  BOOST_REQUIRE(verdict_of(ask(without_terms(question))) == "terms_required");
  BOOST_TEST(seen() == before);
  BOOST_REQUIRE(verdict_of(ask(question)) == "approval_required");
  BOOST_TEST(seen() == before + 1);
}

BOOST_FIXTURE_TEST_CASE(every_gate_is_to_be_opened, Gated) {
  change_policy([](service::Policy& policy) { policy.tool_approvers = {kCarol}; });
  Ask question = refund("60");
  question.more = {};  // declared
  const std::string id = id_of(ask(question));
  decide(id, kBob);
  BOOST_TEST(state_of(id) == "pending");
  BOOST_TEST(id_of(ask(question)) == id);
  decide(id, kCarol);
  BOOST_TEST(state_of(id) == "approved");
  BOOST_TEST(verdict_of(ask(question)) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_gate_that_nobody_may_open_stays_closed_whoever_opens_the_others, Gated) {
  Ask question = refund("60");
  question.more = {};
  const std::string id = id_of(ask(question));
  const auto counted = office().approvals.decide(
      {id, kBob, jkt_of(kBob), true, "", "a.b.c", ""}, kNow,
      [](const store::ParkedCall&) { return store::AuditEntry{.at = kNow, .action = "approval.approve"}; });
  BOOST_REQUIRE(!counted);
  BOOST_TEST((counted.error().code == ErrorCode::kForbidden));
}

BOOST_FIXTURE_TEST_CASE(a_value_that_was_approved_once_passes_from_then_on, Gated) {
  Gate first = refunds();
  first.when = Gate::When::kFirstTime;
  first.parameter = "charge";
  put(first);
  const std::string id = id_of(ask(refund("1")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(without_terms(refund("2")))) == "terms_required");  // approved, and not used yet
  BOOST_TEST(verdict_of(ask(refund("1"))) == "permit");
  BOOST_TEST(verdict_of(ask(without_terms(refund("2")))) == "permit");
  Ask other = refund("1");
  other.arguments = R"({"amount":1,"charge":"ch_2"})";
  BOOST_TEST(verdict_of(ask(without_terms(other))) == "terms_required");
}

BOOST_FIXTURE_TEST_CASE(of_many_who_ask_again_at_once_one_passes, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  constexpr int kAtOnce = 8;
  std::vector<Ask> questions(kAtOnce, refund("60"));
  for (Ask& question : questions) question.proof = proof_for(question);
  std::latch start(kAtOnce);
  std::vector<Response> answers(kAtOnce);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        answers[i] = ask(questions[i]);
      });
    }
  }
  const auto permitted = std::ranges::count_if(
      answers, [](const Response& answer) { return member(answer, "decision") == "permit"; });
  BOOST_TEST(permitted == 1);
  BOOST_TEST(state_of(id) == "used");
}

// --- who writes to the database

namespace {

/// What somebody makes of a request's rows, and what is asked for then.
struct Forged {
  const char* name;
  /// \param id  of a request for 60 that waits
  /// \return the statements
  std::function<std::string(Gated& world, const std::string& id)> forge;
  const char* asked = "60";
  bool lapses = false;  ///< it could be one of another configuration's
};
std::ostream& operator<<(std::ostream& out, const Forged& row) { return out << row.name; }

std::string approved_row(const std::string& id, seconds until = seconds(300)) {
  const auto at = [](std::chrono::sys_seconds time) {
    return std::to_string(time.time_since_epoch().count());
  };
  return "UPDATE parked_calls SET state = 'approved', ended_at = NULL, approved_at = " + at(kNow) +
         ", approved_until = " + at(kNow + until) + " WHERE id = '" + id + "';";
}
std::string vote_row(const Gated& world, const std::string& id, const std::string& person,
                     const std::string& jws) {
  return "INSERT INTO approval_votes (call, principal, key, verdict, gates, at, reason, jws, policy_signature) "
         "SELECT seq, '" +
         person + "', '" + world.jkt_of(person).text() + "', 'approve', '[\"refunds\"]', 1, '', '" + jws +
         "', '' FROM parked_calls WHERE id = '" + id + "';";
}

const std::array kForged{
    Forged{"a state that nobody decided", [](Gated&, const std::string& id) { return approved_row(id); }},
    Forged{"a vote without a signature",
           [](Gated& world, const std::string& id) {
             return approved_row(id) + vote_row(world, id, kBob, "a.b.c");
           }},
    Forged{"a vote about another document",
           [](Gated& world, const std::string& id) {
             return approved_row(id) +
                    vote_row(world, id, kBob, world.signed_by(kBob, id, digest_of("other")));
           }},
    Forged{"a vote about another request",
           [](Gated& world, const std::string& id) {
             const std::string jws = world.signed_by(kBob, std::string(32, 'f'), world.summary(id).digest);
             return approved_row(id) + vote_row(world, id, kBob, jws);
           }},
    Forged{"a denial that is said to approve",
           [](Gated& world, const std::string& id) {
             const std::string jws = world.signed_by(kBob, id, world.summary(id).digest, false);
             return approved_row(id) + vote_row(world, id, kBob, jws);
           }},
    Forged{"the vote of somebody whom the gate does not name",
           [](Gated& world, const std::string& id) {
             const std::string jws = world.signed_by(kCarol, id, world.summary(id).digest);
             return approved_row(id) + vote_row(world, id, kCarol, jws);
           }},
    Forged{"another's vote in an approver's name",
           [](Gated& world, const std::string& id) {
             std::string jws = world.signed_by(kCarol, id, world.summary(id).digest);
             return approved_row(id) + vote_row(world, id, kBob, jws);
           }},
    Forged{"a gate that others open",
           [](Gated& world, const std::string& id) {
             const std::string jws = world.signed_by(kCarol, id, world.summary(id).digest);
             return approved_row(id) + vote_row(world, id, kCarol, jws) +
                    "UPDATE parked_calls SET gates = replace(gates, 'bob', 'carol') WHERE id = '" + id + "';";
           },
           "60", true},
    Forged{"an approval of less",
           [](Gated& world, const std::string& id) {
             world.decide(id, kBob);
             const std::string more = Gated::id_of(world.ask(Gated::refund("61")));
             const std::string subject = world.summary(more).subject;
             return "DELETE FROM parked_calls WHERE id = '" + more +
                    "'; UPDATE parked_calls SET subject = '" + subject + "' WHERE id = '" + id + "';";
           },
           "61"},
    Forged{
        "the vote of a key that was revoked",
        [](Gated& world, const std::string& id) {
          const auto whole = world.office().approvals.find(id);
          BOOST_REQUIRE(whole);
          world.decide(id, kBob);
          const auto revoked = world.office().approvers.revoke(world.jkt_of(kBob), {},
                                                               [](const store::ParkedCall&) {
                                                                 return store::AuditEntry{
                                                                     .at = kNow, .action = "approval.lapse"};
                                                               },
                                                               {.at = kNow, .action = "approver.revoke"});
          BOOST_REQUIRE(revoked);
          return "UPDATE approval_votes SET voided_at = NULL; UPDATE parked_calls SET state = 'approved', ended_at "
                 "= NULL, document = '" +
                 whole->document + "' WHERE id = '" + id + "';";
        }},
    Forged{"an approval that lasts longer than its gate lets it",
           [](Gated& world, const std::string& id) {
             world.decide(id, kBob);
             world.set_now(kNow + std::chrono::minutes(20));
             return approved_row(id, std::chrono::hours(1));
           }},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Gated, nothing_passes_by_rows_with, boost::unit_test::data::make(kForged), row) {
  const std::string id = id_of(ask(refund("60")));
  const std::string statements = row.forge(*this, id);
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute(statements.c_str()));
  BOOST_REQUIRE(state_of(id) == "approved");
  const Response refused = ask(refund(row.asked));
  BOOST_TEST(verdict_of(refused) == (row.lapses ? "approval_required" : "store_corrupt"), refused.body);
  BOOST_TEST(state_of(id) == (row.lapses ? "lapsed" : "approved"));
  BOOST_TEST(count("approval.use") == 0u);
}

// A value that was let through stands in the database under the store's secret.
BOOST_FIXTURE_TEST_CASE(what_another_hand_wrote_lets_no_value_through, Gated) {
  Gate first = refunds();
  first.when = Gate::When::kFirstTime;
  first.parameter = "charge";
  put(first);
  decide(id_of(ask(refund("1"))), kBob);
  BOOST_TEST(verdict_of(ask(refund("1"))) == "permit");
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  // As the value is known to whoever knows gate, parameter, principal and argument.
  std::string text = "chancery gate";
  for (const std::string part : {"refunds", "charge", "user:alice@example.org", "\"ch_2\""})
    text += "\n" + std::to_string(part.size()) + ":" + part;
  BOOST_REQUIRE(other->execute(
      ("INSERT INTO let_through (gate, value, at) VALUES ('refunds', '" + digest_of(text) + "', 1)")
          .c_str()));
  Ask question = refund("1");
  question.arguments = R"({"amount":1,"charge":"ch_2"})";
  BOOST_TEST(verdict_of(ask(without_terms(question))) == "terms_required");
}

// --- actions under POST /v1/authorize

namespace {

struct GatedAction : Gated {
  GatedAction() {
    change_policy([](service::Policy& policy) {
      policy.granted_scopes = {"crm.*", "payments.*"};
      policy.persons = {{kOperatorUid, kCarol}};  // who asks as an enforcement point
    });
    budget = budget_chain();
  }
  Response asked(const std::string& amount, const std::string& more = "") {
    return ask_refund(budget, kOrchestratorUid, amount, more);
  }
  std::string budget;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_action_waits_is_approved_and_passes_once, GatedAction) {
  BOOST_TEST(verdict_of(asked("5")) == "permit");
  const Response first = asked("60");
  const std::string id = id_of(first);
  const std::string document = waiting(first, "document");
  BOOST_TEST(of(document, "kind") == "action");
  BOOST_TEST(of(document, "method") == "POST");
  BOOST_TEST(of(document, "arguments") == R"({"amount":60})");
  BOOST_TEST(of(document, "tool").empty());
  BOOST_TEST(of(document, "asked_by") == "uid:" + std::to_string(kOperatorUid));
  BOOST_TEST(actions_about(id) == (Strings{"approval.request"}), boost::test_tools::per_element());
  BOOST_TEST(id_of(asked("60")) == id);
  decide(id, kBob);
  const Response done = asked("60");
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(actions_about(member(done, "decision_id")) == (Strings{"approval.use", "action.authorize"}),
             boost::test_tools::per_element());
}

// Of an action, the address and the method say what is done.
BOOST_FIXTURE_TEST_CASE(a_denied_action_is_not_denied_elsewhere, GatedAction) {
  const auto elsewhere = [&](const std::string& method, const std::string& uri) {
    const Response made = call(
        "POST", "/v1/proofs", R"({"chain":)" + budget + R"(,"htm":")" + method + R"(","htu":")" + uri + "\"}",
        kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return verdict_of(static_cast<EnforcementFixture&>(*this).ask(
        R"({"chain":)" + budget + R"(,"proof":")" + member(made, "proof") + R"(","method":")" + method +
        R"(","uri":")" + uri + R"(","audience":"https://api.example.org","action":)" +
        EnforcementFixture::refund("60") + "}"));
  };
  decide(id_of(asked("60")), kBob, false);
  BOOST_TEST(verdict_of(asked("60")) == "approval_denied");
  BOOST_TEST(elsewhere("POST", "https://api.example.org/refunds/2") == "approval_required");
  for (const std::string same : {"refunds?2", "refunds#x", "./%72efunds?x=1#2"})
    BOOST_TEST(elsewhere("POST", "https://api.example.org/" + same) == "approval_denied");
  BOOST_TEST(elsewhere("PUT", "https://api.example.org/refunds") == "approval_required");
}

// What waits is kept under no key; what was permitted is.
BOOST_FIXTURE_TEST_CASE(the_same_key_is_good_before_and_after_the_approval, GatedAction) {
  const std::string key = R"(,"idempotency_key":"k1")";
  const std::string id = id_of(asked("60", key));
  decide(id, kBob);
  const std::string body =
      question(budget, proof_of(budget, kOrchestratorUid), EnforcementFixture::refund("60"), key);
  const Response done = EnforcementFixture::ask(body);
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  const Response repeated = EnforcementFixture::ask(body);
  BOOST_TEST(repeated.body == done.body);
  BOOST_TEST(verdict_of(asked("60", key)) == "conflict");
}

BOOST_FIXTURE_TEST_CASE(parameters_that_nobody_reads_are_not_put_before_a_person, GatedAction) {
  const Response refused = EnforcementFixture::ask(question(
      budget, proof_of(budget, kOrchestratorUid),
      R"({"scope":"payments.refund","params":{"amount":60,"x":")" + std::string(16'384, 'x') + "\"}}"));
  BOOST_TEST(verdict_of(refused) == "too_large", refused.body);
  BOOST_TEST(listed().empty());
}

// --- ceilings

// As if it had been minted behind the gate's back: by the issuer's own key, for scopes of a gate.
BOOST_FIXTURE_TEST_CASE(what_an_ungated_key_granted_of_gated_scopes_counts_no_more, Gated) {
  Ask question = without_terms(refund("1"));
  question.proof = proof_for(question);
  office().trust.publish_gates(
      {std::vector<std::string>{"chancery.*", "mail.*"}, {{"keys", {{}, {"payments.refund"}}}}, {}});
  BOOST_TEST(verdict_of(ask(question)) == "not_narrower");
  office().trust.publish_gates({std::vector<std::string>{"chancery.*", "payments.*"}, {}, {}});
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
}

// --- grants that name a gate

namespace {

struct GatedGrant : Gated {
  GatedGrant() {
    Gate careful;
    careful.name = "careful";
    careful.approvers = {kBob};
    put(careful);
  }
  Response grant(const std::string& gate) {
    return call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://tools.example",)"
        R"("scopes":["payments.refund"],"lifetime_s":1800,"gate":")" +
            gate + "\"}",
        kOperatorUid);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_done_under_a_grant_with_a_gate_waits, GatedGrant) {
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
  const std::string ungated = chain;
  const Response made = grant("careful");
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  chain = chain_of(made);
  const std::string id = id_of(ask(refund("1")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(refund("1"))) == "permit");
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "terms_required");
  chain = ungated;
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(without_its_gate_nothing_is_done_under_such_a_grant, GatedGrant) {
  chain = chain_of(grant("careful"));
  change_policy([](service::Policy& policy) { policy.gates.clear(); });
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "config_invalid");
}

BOOST_FIXTURE_TEST_CASE(a_grant_names_a_gate_that_there_is, GatedGrant) {
  BOOST_TEST(grant("nights").status == 400);
  change_policy([](service::Policy& policy) { policy.gates[0].tpm_enforced = true; });
  BOOST_TEST(grant("careful").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
