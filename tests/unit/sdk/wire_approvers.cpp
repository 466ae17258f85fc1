// The messages about who decides, what was decided, and at which gates, both ways.

#include <array>
#include <functional>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"

namespace chancery::tests {
namespace {

template <typename T>
bool is_malformed(const Result<T>& result) {
  return !result && result.error().code == ErrorCode::kMalformed;
}

struct Wrong {
  const char* name;
  std::function<bool()> is_refused;
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }

const std::array kWrong{
    Wrong{"a decision without one", [] { return is_malformed(wire::read_decide_approval("{}")); }},
    Wrong{"a decision that is empty",
          [] { return is_malformed(wire::read_decide_approval(R"({"decision":""})")); }},
    Wrong{"a decision with something besides",
          [] {
            return is_malformed(wire::read_decide_approval(R"({"decision":"a.b.c","state":"approved"})"));
          }},
    Wrong{"a signature that is no text",
          [] {
            return is_malformed(wire::read_decide_approval(R"({"decision":"a.b.c","policy_signature":1})"));
          }},
    Wrong{"an enrolment in a text",
          [] { return is_malformed(wire::read_enroll_approver(R"({"enrolment":"{}"})")); }},
    Wrong{"an enrolment with something besides",
          [] { return is_malformed(wire::read_enroll_approver(R"({"enrolment":{},"groups":[]})")); }},
    Wrong{"no enrolment",
          [] { return is_malformed(wire::read_enroll_approver(R"({"authorization":"a"})")); }},
    Wrong{"a reason that is no text",
          [] { return is_malformed(wire::read_revoke_approver_key(R"({"reason":1})")); }},
    Wrong{"the end of another key",
          [] { return is_malformed(wire::read_revoke_approver_key(R"({"key":"x"})")); }},
    Wrong{"an approver without keys",
          [] { return is_malformed(wire::read_approver(R"({"groups":[],"principal":"user:a"})")); }},
    Wrong{"a list that is none",
          [] { return is_malformed(wire::read_approver_list(R"({"approvers":{}})")); }},
    Wrong{"a gate without approvers",
          [] { return is_malformed(wire::read_gate_list(R"({"gates":[{"name":"g"}]})")); }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wire_approvers)

BOOST_DATA_TEST_CASE(it_is_malformed_to_send, boost::unit_test::data::make(kWrong), row) {
  BOOST_TEST(row.is_refused());
}

BOOST_AUTO_TEST_CASE(decisions_are_read_as_they_were_written) {
  for (const char* signature : {"", "c2ln"}) {
    const auto sent = wire::read_decide_approval(wire::write(api::DecideApproval{"a.b.c", signature}));
    BOOST_REQUIRE(sent);
    BOOST_TEST(sent->decision == "a.b.c");
    BOOST_TEST(sent->policy_signature == signature);
  }
  const api::DecidedApproval decided{"a1", "approved", "tpm-enforced"};
  const auto read = wire::read_decided_approval(wire::write(decided));
  BOOST_REQUIRE(read);
  BOOST_TEST((*read == decided));
}

BOOST_AUTO_TEST_CASE(approvers_are_read_as_they_were_written) {
  const api::ApproverKey passkey{"jkt", "passkey", R"({"kty":"EC"})", "id", "revoked", 1, "user:c", 2};
  const api::ApproverKey file{"jkt2", "file", "{}", "", "active", 3, "operator", {}};
  const api::Approver bob{"user:b", {"finance", "security"}, {passkey, file}};
  const api::Approver carol{"user:c", {}, {}};
  const auto one = wire::read_approver(wire::write(bob));
  BOOST_REQUIRE(one);
  BOOST_TEST((*one == bob));
  const auto list = wire::read_approver_list(wire::write(api::ApproverList{{bob, carol}}));
  BOOST_REQUIRE(list);
  BOOST_TEST((list->approvers == std::vector<api::Approver>{bob, carol}));
}

// The document's octets are what was signed for: they come out as they went in.
BOOST_AUTO_TEST_CASE(an_enrolment_is_sent_as_an_object_and_read_in_jcs) {
  const std::string document = R"({"groups":["finance"],"principal":"user:b","v":1})";
  for (const char* authorization : {"", "a.b.c"}) {
    const auto read = wire::read_enroll_approver(wire::write(api::EnrollApprover{document, authorization}));
    BOOST_REQUIRE(read);
    BOOST_TEST(read->enrolment == document);
    BOOST_TEST(read->authorization == authorization);
  }
  const auto spaced = wire::read_enroll_approver(R"({ "enrolment" : { "v" : 1, "a" : 2 } })");
  BOOST_REQUIRE(spaced);
  BOOST_TEST(spaced->enrolment == R"({"a":2,"v":1})");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_key_needs_neither_reason_nor_signature) {
  for (const auto& [reason, authorization] :
       {std::pair("", ""), std::pair("lost", ""), std::pair("", "a.b.c")}) {
    const auto read =
        wire::read_revoke_approver_key(wire::write(api::RevokeApproverKey{reason, authorization}));
    BOOST_REQUIRE(read);
    BOOST_TEST(read->reason == reason);
    BOOST_TEST(read->authorization == authorization);
  }
}

BOOST_AUTO_TEST_CASE(gates_are_read_as_they_were_written) {
  const api::Gate whole{
      "g", {"a.b"}, {"t"}, "above", "amount",       "100.5",           "Mo-Fr", {"group:finance"},
      2,   "none",  900,   300,     "tpm-enforced", R"({"kty":"EC"})", "000b",  "tpm"};
  api::Gate plain = whole;
  plain.parameter.clear();
  plain.above.clear();
  plain.hours.clear();
  plain.key.clear();
  plain.key_name.clear();
  plain.key_backend.clear();
  const auto read = wire::read_gate_list(wire::write(api::GateList{{whole, plain}}));
  BOOST_REQUIRE(read);
  BOOST_TEST((read->gates == std::vector<api::Gate>{whole, plain}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
