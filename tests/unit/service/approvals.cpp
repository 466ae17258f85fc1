// Calls of tools that take an approval: what is parked, what is never put before a person, and who may look.

#include "daemon/service/approvals.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "daemon/store/sqlite.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"
#include "tests/unit/service/approval_fixture.hpp"
#include "tests/unit/service/chain_callers.hpp"

namespace chancery::tests {

using std::chrono::minutes;
using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(approvals)

BOOST_FIXTURE_TEST_CASE(a_call_that_takes_an_approval_is_parked_and_not_permitted, Approvals) {
  const Response asked = ask();
  BOOST_TEST(asked.status == 200);
  BOOST_TEST(member(asked, "decision") == "deny");
  BOOST_TEST(verdict_of(asked) == "approval_required", asked.body);
  BOOST_TEST(member(asked, "permit").empty());
  BOOST_TEST(member(asked, "decision_id").empty());
  BOOST_TEST(asked.body.find(base64_encode(as_bytes(kValue))) == std::string::npos);
  const std::string id = id_of(asked);
  BOOST_TEST(id.size() == 32u);
  BOOST_TEST(actions_about(id) == (Strings{"tool.attempt", "approval.request"}),
             boost::test_tools::per_element());
  BOOST_TEST(count("tool.permit") == 0u);
  BOOST_TEST(count("credential.release") == 0u);
  const Response shown = show(id);
  BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.body);
  BOOST_TEST(member(shown, "state") == "pending");
  BOOST_TEST(member(shown, "document") == waiting(asked, "document"));
  BOOST_TEST(member(shown, "sha256") == waiting(asked, "sha256"));
}

BOOST_FIXTURE_TEST_CASE(the_document_says_all_that_there_is_to_decide_about, Approvals) {
  const Response asked = ask();
  const std::string document = waiting(asked, "document");
  BOOST_TEST(document == canonical(document));
  BOOST_TEST(digest_of(document) == waiting(asked, "sha256"));
  const std::string key = member(call("GET", "/v1/agents/orchestrator", "", kOperatorUid), "jkt");
  const std::array<std::pair<const char*, std::string>, 22> want{{
      {"typ", "chancery-approval-request"},
      {"v", "1"},
      {"id", id_of(asked)},
      {"kind", "call"},
      {"gates", R"([{"gate":"tool:refund","why":"the tool's declaration takes an approval"}])"},
      {"tool", "refund"},
      {"scope", "payments.refund"},
      {"risk", "high"},
      {"description", "Gives money back."},
      {"arguments", R"({"amount":10,"charge":"ch_1"})"},
      {"arguments_sha256", digest_of(R"({"amount":10,"charge":"ch_1"})")},
      {"principal", "user:alice@example.org"},
      {"agent", "spiffe://example.org/agent/orchestrator"},
      {"key", key},
      {"session_key", ""},
      {"audience", "https://tools.example"},
      {"uri", "https://tools.example/v1/tools/refund"},
      {"runtime", "spiffe://example.org/agent/tools"},
      {"credential", "psp"},
      {"debits", R"({"calls":"1","payments.refund#amount":"10"})"},
      {"asked_at", "1800000000"},
      {"expires_at", "1800000900"},
  }};
  for (const auto& [name, value] : want) BOOST_TEST(of(document, name) == value, name << " in " << document);
  BOOST_TEST(of(document, "token").size() == 64u);
  BOOST_TEST(waiting(asked, "expires_at") == "1800000900");
}

BOOST_FIXTURE_TEST_CASE(the_log_says_who_asked_and_what_for_and_never_the_arguments, Approvals) {
  const Response asked = ask();
  const Strings found = entries(R"("action":"approval.request")");
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(of(found[0], "agent") == "orchestrator");
  BOOST_TEST(of(found[0], "principal") == "user:alice@example.org");
  BOOST_TEST(of(of(found[0], "ids"), "document") == waiting(asked, "sha256"));
  BOOST_TEST(of(of(found[0], "details"), "risk") == "high");
  BOOST_TEST(entries("ch_1").empty());
}

BOOST_FIXTURE_TEST_CASE(nothing_is_debited_by_asking, Approvals) {
  for (int i = 0; i < 8; ++i)
    (void)id_of(ask_for("ch_" + std::to_string(i)));  // more than the rate of an hour
  const auto counts = spending().ledger().counts();
  BOOST_REQUIRE(counts);
  BOOST_TEST(counts->totals == 0u);
  BOOST_TEST(counts->reservations == 0u);
}

// --- what no person is asked about

namespace {

struct Never {
  const char* name;
  std::function<void(Approvals::Ask& ask)> change;
  int status;
  const char* why;  ///< the outcome of a denial, or the problem's code
};
std::ostream& operator<<(std::ostream& out, const Never& row) { return out << row.name; }

const std::array kNever{
    Never{"a scope that is not granted",
          [](Approvals::Ask& ask) {
            ask.scope = "payments.payout";
            ask.credential.clear();
          },
          200, "scope_not_granted"},
    Never{"an amount beyond the bound",
          [](Approvals::Ask& ask) { ask.arguments = R"({"amount":101,"charge":"ch_1"})"; }, 200,
          "ceiling_exceeded"},
    Never{"a proof for another tool", [](Approvals::Ask& ask) { ask.proven_tool = "inbox"; }, 200,
          "holder_binding_failed"},
    Never{"another tool's credential", [](Approvals::Ask& ask) { ask.tool = "inbox"; }, 403, "forbidden"},
    Never{"no such credential", [](Approvals::Ask& ask) { ask.credential = R"(,"credential":"none")"; }, 404,
          "not_found"},
    Never{"an agent that is no runtime", [](Approvals::Ask& ask) { ask.uid = kSupportUid; }, 403,
          "forbidden"},
    Never{"the agent itself", [](Approvals::Ask& ask) { ask.uid = kOrchestratorUid; }, 403, "forbidden"},
    Never{"the operator", [](Approvals::Ask& ask) { ask.uid = kOperatorUid; }, 403, "forbidden"},
    Never{"a risk that there is not", [](Approvals::Ask& ask) { ask.risk = "none"; }, 400,
          "invalid_argument"},
    Never{"the hash of other arguments",
          [](Approvals::Ask& ask) { ask.hashed = R"({"amount":1,"charge":"ch_1"})"; }, 400,
          "invalid_argument"},
    Never{"an argument that the agent did not prove",
          [](Approvals::Ask& ask) { ask.params = R"({"amount":10})"; }, 400, "invalid_argument"},
    Never{"an argument that the agent proved otherwise",
          [](Approvals::Ask& ask) { ask.params = R"({"amount":10,"charge":"ch_2"})"; }, 400,
          "invalid_argument"},
    Never{"a description in two lines",
          [](Approvals::Ask& ask) { ask.more = R"(,"description":"Harmless.\nrisk: low")"; }, 400,
          "invalid_argument"},
    Never{"a description that nobody reads",
          [](Approvals::Ask& ask) { ask.more = R"(,"description":")" + std::string(513, 'x') + "\""; }, 400,
          "invalid_argument"},
    Never{"arguments that nobody reads",
          [](Approvals::Ask& ask) {
            ask.arguments = R"({"amount":1,"charge":")" + std::string(16'384, 'x') + "\"}";
          },
          413, "too_large"},
    Never{"arguments of which nobody sees the bottom",
          [](Approvals::Ask& ask) {
            ask.arguments = R"({"amount":1,"charge":)" + std::string(32, '[') + std::string(32, ']') + "}";
          },
          400, "invalid_argument"},
    Never{"an integer that is rounded",
          [](Approvals::Ask& ask) {
            ask.arguments = R"({"amount":1,"charge":9007199254740993})";
            ask.hashed = "{}";
          },
          400, "invalid_argument"},
    Never{"something else", [](Approvals::Ask& ask) { ask.more = R"(,"approved":true)"; }, 400, "malformed"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Approvals, nothing_is_parked_for, boost::unit_test::data::make(kNever), row) {
  Ask question;
  row.change(question);
  const Response refused = ask(question);
  BOOST_TEST(refused.status == row.status, refused.body);
  BOOST_TEST(verdict_of(refused) == row.why, refused.body);
  BOOST_TEST(member(refused, "approval").empty());
  BOOST_TEST(listed().empty());
  BOOST_TEST(count("approval.request") == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_denial_stands_in_the_log_as_that_of_any_call, Approvals) {
  Ask question;
  question.arguments = R"({"amount":101,"charge":"ch_1"})";
  BOOST_TEST(verdict_of(ask(question)) == "ceiling_exceeded");
  BOOST_TEST(count("tool.attempt") == 1u);
  BOOST_TEST(count("tool.permit") == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_is_spent_already_cannot_be_approved, Approvals) {
  Ask all;
  all.arguments = R"({"amount":95,"charge":"ch_1"})";
  const Response spent =
      call("POST", "/v1/permits",
           R"({"chain":)" + chain + R"(,"proof":")" + proof_for(all) +
               R"(","method":"POST","uri":"https://tools.example/v1/tools/refund",)"
               R"("audience":"https://tools.example","action":{"scope":"payments.refund",)"
               R"("params":)" +
               all.arguments + R"(},"tool":"refund","arguments_sha256":")" + digest_of(all.arguments) + "\"}",
           kRuntimeUid);
  BOOST_REQUIRE_MESSAGE(verdict_of(spent) == "permit", spent.body);
  BOOST_TEST(verdict_of(ask()) == "ceiling_exceeded");
  BOOST_TEST(listed().empty());
  BOOST_TEST(id_of(ask_for("ch_2")).size() == 32u);
}

BOOST_FIXTURE_TEST_CASE(a_proof_is_used_up_by_asking, Approvals) {
  Ask question;
  question.proof = proof_for(question);
  (void)id_of(ask(question));
  BOOST_TEST(verdict_of(ask(question)) == "holder_binding_failed");
  Ask again;
  again.proof = proof_for(again);
  (void)id_of(ask(again));  // that it was asked before changes nothing
  BOOST_TEST(verdict_of(ask(again)) == "holder_binding_failed");
  BOOST_TEST(pending() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_ended_chain_parks_nothing, Approvals) {
  Ask question;
  question.proof = proof_for(question);
  BOOST_REQUIRE(
      call("POST", "/v1/revocations", R"({"principal":"user:alice@example.org"})", kOperatorUid).status ==
      201);
  BOOST_TEST(verdict_of(ask(question)) == "revoked");
  BOOST_TEST(listed().empty());
}

// --- the same call again

BOOST_FIXTURE_TEST_CASE(the_same_call_waits_once, Approvals) {
  const Response first = ask();
  set_now(kNow + seconds(5));
  const Response again = ask();
  BOOST_TEST(id_of(again) == id_of(first));
  BOOST_TEST(waiting(again, "document") == waiting(first, "document"));
  BOOST_TEST(pending() == 1u);
  BOOST_TEST(actions_about(id_of(first)) ==
                 (Strings{"tool.attempt", "approval.request", "tool.attempt", "approval.request"}),
             boost::test_tools::per_element());
  BOOST_TEST(entries(R"("repeated":true)").size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_differs_in_anything_that_is_shown_waits_by_itself, Approvals) {
  std::set<std::string> ids{id_of(ask())};
  Ask other;
  other.arguments = R"({"amount":11,"charge":"ch_1"})";
  ids.insert(id_of(ask(other)));
  other = {};
  other.risk = "low";
  ids.insert(id_of(ask(other)));
  other = {};
  other.uid = kOtherRuntimeUid;
  ids.insert(id_of(ask(other)));
  other = {};
  chain = granted("1700");  // another token, with another's leave
  ids.insert(id_of(ask(other)));
  BOOST_TEST(ids.size() == 5u);
}

BOOST_FIXTURE_TEST_CASE(of_many_that_ask_for_the_same_at_once_one_is_parked, Approvals) {
  std::vector<std::string> proofs;
  for (int i = 0; i < 16; ++i) proofs.push_back(proof_for({}));
  std::array<Response, 16> answers;
  {
    std::latch start(16);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      threads.emplace_back([&, i] {
        Ask question;
        question.proof = proofs[i];
        start.arrive_and_wait();
        answers[i] = ask(question);
      });
    }
  }
  std::set<std::string> ids;
  for (const Response& answer : answers) ids.insert(id_of(answer));
  BOOST_TEST(ids.size() == 1u);
  BOOST_TEST(pending() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_agent_has_thirty_two_calls_that_wait_and_no_more, Approvals) {
  for (int i = 0; i < 32; ++i) (void)id_of(ask_for("ch_" + std::to_string(i)));
  Ask over;
  over.proof = proof_for(over);
  const Response refused = ask(over);
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "overloaded");
  BOOST_TEST(pending() == 32u);
  BOOST_TEST(id_of(ask_for("ch_7")) == listed()[7]);  // what waits may be asked for again
  BOOST_TEST(cancel(listed()[0]).status == 200);
  BOOST_TEST(id_of(ask(over)).size() == 32u);  // the proof is as good as before
  BOOST_TEST(ask_for("ch_33").status == 503);
  set_now(kNow + minutes(15));  // they have expired, whether anybody has noted that or not
  BOOST_TEST(id_of(ask_for("ch_33")).size() == 32u);
}

// --- the end of waiting

BOOST_FIXTURE_TEST_CASE(a_call_waits_as_long_as_is_configured, Approvals) {
  const std::string id = id_of(ask());
  tick(kNow + minutes(15) - seconds(1));
  BOOST_TEST(member(show(id), "state") == "pending");
  tick(kNow + minutes(15));
  tick(kNow + minutes(15) + seconds(1));
  const Response shown = show(id);
  BOOST_TEST(member(shown, "state") == "expired");
  BOOST_TEST(member(shown, "ended_at") == "1800000900");
  BOOST_TEST(count("approval.expire") == 1u);
  BOOST_TEST(actions_about(id).back() == "approval.expire");
  set_now(kNow + minutes(16));
  BOOST_TEST(id_of(ask()) != id);
}

BOOST_FIXTURE_TEST_CASE(no_call_waits_longer_than_its_token_lives, Approvals) {
  chain = granted("60");
  BOOST_TEST(waiting(ask(), "expires_at") == "1800000060");
}

BOOST_FIXTURE_TEST_CASE(what_is_asked_for_between_the_end_and_the_keepers_round_waits_anew, Approvals) {
  const std::string id = id_of(ask());
  set_now(kNow + minutes(15));
  const std::string next = id_of(ask());
  BOOST_TEST(next != id);
  BOOST_TEST(member(show(id), "state") == "expired");
  BOOST_TEST(count("approval.expire") == 1u);
  BOOST_TEST(pending() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_call_is_cancelled_once, Approvals) {
  const std::string id = id_of(ask());
  const Response cancelled = cancel(id);
  BOOST_TEST(cancelled.status == 200, cancelled.body);
  BOOST_TEST(member(cancelled, "state") == "cancelled");
  BOOST_TEST(count("approval.cancel") == 1u);
  const Response again = cancel(id);
  BOOST_TEST(again.status == 409, again.body);
  tick(kNow + minutes(15));
  BOOST_TEST(count("approval.expire") == 0u);
  BOOST_TEST(id_of(ask()) != id);
}

BOOST_FIXTURE_TEST_CASE(one_that_is_overdue_is_cancelled_no_more, Approvals) {
  const std::string id = id_of(ask());
  set_now(kNow + minutes(15));
  BOOST_TEST(cancel(id).status == 409);
  tick(kNow + minutes(15));
  BOOST_TEST(member(show(id), "state") == "expired");
}

BOOST_FIXTURE_TEST_CASE(what_has_ended_is_forgotten_after_a_week, Approvals) {
  const std::string id = id_of(ask());
  tick(kNow + minutes(15));
  tick(kNow + minutes(15) + std::chrono::days(7));
  BOOST_TEST(show(id).status == 200);
  tick(kNow + minutes(30) + std::chrono::days(7));
  BOOST_TEST(show(id).status == 404);
}

// --- who looks

BOOST_FIXTURE_TEST_CASE(the_operator_sees_every_call_and_an_agent_its_own, Approvals) {
  const std::string id = id_of(ask());
  const std::string none(32, 'f');
  BOOST_TEST(show(id, kOrchestratorUid).status == 200);
  BOOST_TEST(call("GET", "/v1/approvals", "", kOrchestratorUid).status == 403);
  for (const std::uint32_t uid : {kSupportUid, kRuntimeUid}) {
    BOOST_TEST(show(id, uid).status == 403);
    BOOST_TEST(show(none, uid).status == 403);  // and whether there is one is not told
    BOOST_TEST(cancel(id, uid).status == 403);
    BOOST_TEST(call("GET", "/v1/approvals", "", uid).status == 403);
  }
  BOOST_TEST(show(none).status == 404);
  BOOST_TEST(cancel(none).status == 404);
  BOOST_TEST(cancel(id, kOrchestratorUid).status == 200);
}

namespace {

struct Looker {
  const char* name;
  const char* authority;
  bool may_show;
  bool may_list;
  bool may_cancel;
};
constexpr std::array kLookers{
    Looker{"who may read", R"({"scopes":["chancery.approvals.read"]})", true, true, false},
    Looker{"who may cancel", R"({"scopes":["chancery.approvals.cancel"]})", false, false, true},
    Looker{"who may do both of that agent",
           R"({"scopes":["chancery.approvals.*"],"constraints":[{"key":"agent","one_of":["orchestrator"]}]})",
           true, false, true},
    Looker{"who may do both of another",
           R"({"scopes":["chancery.approvals.*"],"constraints":[{"key":"agent","one_of":["support"]}]})",
           false, false, false},
    Looker{"who may read the log", R"({"scopes":["chancery.audit.read"]})", false, false, false},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_chain_reads_and_ends_what_it_is_bounded_to, Approvals) {
  const ChainCallers callers(*this);
  for (const Looker& row : kLookers) {
    const std::string id = id_of(ask_for(std::to_string(row.may_show) + row.name));
    const ChainCallers::Holder holder = callers.delegate(callers.root, row.authority);
    const service::CallContext context = callers.by(holder);
    BOOST_TEST(service::show_approval(office(), context, id).has_value() == row.may_show, row.name);
    BOOST_TEST(service::list_approvals(office(), context, {}).has_value() == row.may_list, row.name);
    BOOST_TEST(service::cancel_approval(office(), context, id).has_value() == row.may_cancel, row.name);
  }
}

// The agent's key is the one that opened the session; the other is said besides.
BOOST_FIXTURE_TEST_CASE(a_session_asks_in_the_name_of_the_agent_that_opened_it, Approvals) {
  change_policy([](service::Policy& policy) { policy.public_urls = {kIssuerUrl}; });
  const SigningKey key = ChainCallers::fresh_key();
  const auto proof_by_key = [&](const std::string& uri, const std::string& token, const std::string& ada) {
    ProofClaims claims{"POST", uri, uri, office().nonces.current(kNow), {}};
    if (!ada.empty()) claims.ada = ada;
    const auto proof = UnsignedProof::encode(claims, token, key.public_key(), kNow);
    BOOST_REQUIRE(proof);
    return proof->with(*key.sign(as_bytes(proof->signing_input())));
  };
  const std::string opening =
      proof_by_key(std::string(kIssuerUrl) + "/v1/sessions", ChainCallers::texts(chain).back(), "");
  const Response opened =
      call("POST", "/v1/sessions", R"({"chain":)" + chain + R"(,"key_proof":")" + opening + R"("})",
           kOrchestratorUid);
  BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
  chain = chain_of(opened);
  Ask question;
  const auto parameters = parse_parameters(question.arguments);
  BOOST_REQUIRE(parameters);
  question.proof = proof_by_key("https://tools.example/v1/tools/refund", ChainCallers::texts(chain).back(),
                                *action_digest(question.scope, *parameters));
  const Response asked = ask(question);
  const std::string document = waiting(asked, "document");
  BOOST_TEST(of(document, "agent") == "spiffe://example.org/agent/orchestrator");
  BOOST_TEST(of(document, "key") == member(call("GET", "/v1/agents/orchestrator", "", kOperatorUid), "jkt"));
  BOOST_TEST(of(document, "session_key") == key.public_key().thumbprint().text());
  BOOST_TEST(show(id_of(asked), kOrchestratorUid).status == 200);
}

BOOST_FIXTURE_TEST_CASE(calls_are_listed_in_pages_by_their_state, Approvals) {
  Strings ids;
  for (int i = 0; i < 5; ++i) ids.push_back(id_of(ask_for("ch_" + std::to_string(i))));
  BOOST_REQUIRE(cancel(ids[1]).status == 200);
  BOOST_TEST(listed() == ids, boost::test_tools::per_element());
  BOOST_TEST(listed("?limit=2") == (Strings{ids[0], ids[1]}), boost::test_tools::per_element());
  BOOST_TEST(listed("?limit=2&after=" + ids[1]) == (Strings{ids[2], ids[3]}),
             boost::test_tools::per_element());
  BOOST_TEST(listed("?state=cancelled") == (Strings{ids[1]}), boost::test_tools::per_element());
  BOOST_TEST(pending() == 4u);
  const Response page = call("GET", "/v1/approvals?limit=2", "", kOperatorUid);
  BOOST_TEST(member(page, "next") == ids[1]);
  BOOST_TEST(page.body.find("\"document\"") == std::string::npos);
  for (const char* query : {"?state=decided", "?limit=0", "?limit=1001", "?limit=x", "?other=1"})
    BOOST_TEST(call("GET", std::string("/v1/approvals") + query, "", kOperatorUid).status == 400, query);
  BOOST_TEST(call("GET", "/v1/approvals?after=none", "", kOperatorUid).status == 404);
}

// --- what cannot be

BOOST_FIXTURE_TEST_CASE(a_document_that_was_changed_in_the_database_is_shown_to_nobody, Approvals) {
  const std::string id = id_of(ask());
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute("UPDATE parked_calls SET document = replace(document, 'ch_1', 'ch_2')"));
  const Response shown = show(id);
  BOOST_TEST(shown.status >= 500, shown.body);
  BOOST_TEST(shown.body.find("ch_2") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(no_call_is_parked_in_an_older_copy_and_those_that_wait_can_be_ended, Approvals) {
  const std::string id = id_of(ask());
  Ask question;
  question.arguments = R"({"amount":1,"charge":"ch_2"})";
  question.proof = proof_for(question);
  make_own_keys();
  BOOST_REQUIRE(counter().advance({}));
  spending().tick(kNow + minutes(10));
  BOOST_REQUIRE((spending().state() == service::Spending::State::kHalted));
  const Response refused = ask(question);
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "spending_halted");
  BOOST_TEST(pending() == 1u);
  BOOST_TEST(cancel(id).status == 200);
}

BOOST_FIXTURE_TEST_CASE(calls_that_wait_are_counted, Approvals) {
  (void)id_of(ask());
  (void)id_of(ask());
  Ask over;
  over.arguments = R"({"amount":101,"charge":"ch_1"})";
  (void)ask(over);
  over = {};
  over.risk = "none";
  (void)ask(over);
  const std::string text = call("GET", "/metrics", "", kSupportUid).body;
  for (const char* line : {"chancery_approvals_pending 1",
                           "chancery_approval_requests_total{kind=\"call\",outcome=\"parked\"} 1",
                           "chancery_approval_requests_total{kind=\"call\",outcome=\"repeated\"} 1",
                           "chancery_approval_requests_total{kind=\"call\",outcome=\"denied\"} 1",
                           "chancery_approval_requests_total{kind=\"call\",outcome=\"refused\"} 1",
                           "chancery_verifications_total{by=\"authorize\",outcome=\"valid\"} 2"})
    BOOST_TEST(("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos, line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
