// The messages about calls that wait for a person, both ways.

#include <array>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/messages.hpp"
#include "sdk/wire/runtime_messages.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kDocument = R"({"arguments":{"amount":75},"id":"a1"})";

api::AskPermit question() {
  api::AskPermit ask;
  ask.action.chain = {"t"};
  ask.action.proof = "p";
  ask.action.method = "POST";
  ask.action.uri = "https://tools.example/v1/tools/refund";
  ask.action.audience = "https://tools.example";
  ask.action.scope = "payments.refund";
  ask.tool = "refund";
  ask.arguments_sha256 = std::string(64, 'a');
  ask.approval = api::ApprovalTerms{"high", R"({"amount":75})", "Gives money back."};
  return ask;
}

api::Approval listed_without_extras(api::Approval approval) {
  approval.risk.clear();
  approval.amounts.clear();
  return approval;
}

std::string asked_with(const std::string& approval) {
  api::AskPermit ask = question();
  ask.approval.reset();
  return wire::write(ask).insert(1, R"("approval":)" + approval + ",");
}

struct Wrong {
  const char* name;
  const char* approval;
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }
constexpr std::array kWrong{
    Wrong{"nothing", "{}"},
    Wrong{"no object", "true"},
    Wrong{"no arguments", R"({"risk":"low"})"},
    Wrong{"arguments that are a list", R"({"risk":"low","arguments":[1]})"},
    Wrong{"arguments in a text", R"({"risk":"low","arguments":"{}"})"},
    Wrong{"no risk", R"({"arguments":{}})"},
    Wrong{"a risk that is a number", R"({"risk":1,"arguments":{}})"},
    Wrong{"a description that is none", R"({"risk":"low","arguments":{},"description":1})"},
    Wrong{"a word of the runtime's about who asks",
          R"({"risk":"low","arguments":{},"principal":"user:eve"})"},
    Wrong{"a declaration that is neither", R"({"risk":"low","arguments":{},"declared":"no"})"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wire_approvals)

BOOST_AUTO_TEST_CASE(what_a_runtime_asks_is_read_as_it_was_written) {
  const auto read = wire::read_ask_permit(wire::write(question()));
  BOOST_REQUIRE(read);
  BOOST_REQUIRE(read->approval);
  BOOST_TEST(read->approval->risk == "high");
  BOOST_TEST(read->approval->arguments == R"({"amount":75})");
  BOOST_TEST(read->approval->description == "Gives money back.");
  api::AskPermit permit = question();
  permit.approval.reset();
  const auto without = wire::read_ask_permit(wire::write(permit));
  BOOST_REQUIRE(without);
  BOOST_TEST(!without->approval);
}

BOOST_DATA_TEST_CASE(an_approval_is_not_asked_for_with, boost::unit_test::data::make(kWrong), row) {
  const auto read = wire::read_ask_permit(asked_with(row.approval));
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_is_a_denial_with_what_waits) {
  api::Permit answer;
  answer.decision.outcome = api::kApprovalRequired;
  answer.decision.step = "approval";
  answer.decision.reason = "a person has to approve it";
  answer.decision.approval = api::PendingApproval{"a1", 1'800'000'900, kDocument, std::string(64, 'b'),
                                                  "https://chancery.example/ui#/approvals/a1"};
  const auto read = wire::read_permit(wire::write(answer));
  BOOST_REQUIRE(read);
  BOOST_TEST(!read->decision.permitted);
  BOOST_TEST(read->decision.outcome == api::kApprovalRequired);
  BOOST_TEST(read->decision.step == "approval");
  BOOST_TEST(read->id.empty());
  const auto decision = wire::read_decision(wire::write(answer.decision));
  BOOST_REQUIRE(decision);
  for (const auto& approval : {read->decision.approval, decision->approval}) {
    BOOST_REQUIRE(approval);
    BOOST_TEST(approval->id == "a1");
    BOOST_TEST(approval->expires_at == 1'800'000'900);
    BOOST_TEST(approval->document == kDocument);
    BOOST_TEST(approval->sha256 == std::string(64, 'b'));
    BOOST_TEST(approval->url == "https://chancery.example/ui#/approvals/a1");
  }
}

BOOST_AUTO_TEST_CASE(terms_say_whether_the_tool_declares_them) {
  for (const bool is_declared : {true, false}) {
    api::AskPermit ask = question();
    ask.approval->is_declared = is_declared;
    const auto read = wire::read_ask_permit(wire::write(ask));
    BOOST_REQUIRE(read);
    BOOST_TEST(read->approval->is_declared == is_declared);
  }
  const auto plain = wire::read_ask_permit(asked_with(R"({"risk":"low","arguments":{}})"));
  BOOST_REQUIRE(plain);
  BOOST_TEST(plain->approval->is_declared);
}

BOOST_AUTO_TEST_CASE(lists_have_no_documents_and_one_call_has_its_own) {
  const api::ApprovalGate gate{"refunds", 2, 1, "requester", "software-enforced"};
  const api::ApprovalVote vote{"user:b", "jkt", "approve", 1, "tpm-enforced", "why", "a.b.c", {"refunds"}, 2};
  api::Approval whole{"a1",   "grant", "lapsed", "refund", "user:a", "jkt", "digest",  "tpm-enforced",
                      {gate}, 1,       2,        3,        4,        5,     kDocument, {vote}};
  whole.agent = "spiffe://example.org/agent/support";
  whole.risk = "high";
  whole.amounts = {{"amount", "75"}, {"total", "0.5"}};
  whole.previous = api::PreviousRequest{"a0", "denied", 6, std::string(64, 'c'), R"({"id":"a0"})"};
  api::Approval listed = whole;
  listed.previous.reset();
  listed.document.clear();
  listed.decisions.clear();
  listed.approved_at.reset();
  listed.approved_until.reset();
  listed.ended_at.reset();
  const auto one = wire::read_approval(wire::write(whole));
  BOOST_REQUIRE(one);
  BOOST_TEST((*one == whole));
  const auto page = wire::read_approval_page(wire::write(api::ApprovalPage{{listed, whole}, "a1"}));
  BOOST_REQUIRE(page);
  BOOST_REQUIRE(page->approvals.size() == 2u);
  BOOST_TEST((page->approvals[0] == listed));
  BOOST_TEST((page->approvals[1] == whole));
  BOOST_TEST(page->next == "a1");
  for (const char* wrong :
       {R"("amounts":[])", R"("amounts":{"a":1})", R"("previous":{"id":"a0"})", R"("risk":1)"}) {
    const std::string text = wire::write(listed_without_extras(listed)).insert(1, std::string(wrong) + ",");
    const auto read = wire::read_approval(text);
    BOOST_REQUIRE_MESSAGE(!read, wrong);
    BOOST_TEST((read.error().code == ErrorCode::kMalformed), wrong);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
