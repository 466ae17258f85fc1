// Two agents of two people, each with a chain for a tool of its own, and a runtime that takes both. One talks the other into
// presenting what is not its own.

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/integration/runtime/attack_scene.hpp"

namespace chancery::tests {
namespace {

namespace http = boost::beast::http;
using Chain = std::vector<std::string>;

constexpr const char* kRefund = "payments.refund";
constexpr const char* kMail = "mail.read";
constexpr const char* kPsp = "psp-canary-0b8d4f61";
constexpr const char* kMailbox = "mail-canary-c35a90e7";
constexpr const char* kTen = R"({"amount":10,"charge":"ch_1"})";
constexpr const char* kFifty = R"({"amount":50,"charge":"ch_1"})";
constexpr const char* kInbox = R"({"folder":"all"})";

/// Alice's billing may refund 100, and has let its clerk refund 20; Bob's assistant reads mail.
struct TwoChains : AttackScene {
  TwoChains() {
    put("psp", kPsp, kRefund, {"refund"});
    put("mailbox", kMailbox, kMail, {"inbox"});
    declare({.name = "refund",
             .scope = kRefund,
             .credential = "psp",
             .arguments = "charge = { type = \"string\" }\namount = { type = \"number\" }",
             .required = R"("charge", "amount")",
             .url = upstream.url() + "/refund",
             .constraint = "amount number"});
    declare({.name = "inbox",
             .scope = kMail,
             .credential = "mailbox",
             .arguments = "folder = { type = \"string\" }",
             .required = "\"folder\"",
             .url = upstream.url() + "/inbox"});
    runtime.start();
    for (const char* const name : {"billing", "clerk", "assistant"}) add_agent(name);
    billing = granted("user:alice@example.org", "billing",
                      {{kRefund}, {{"amount", NumberBound{NumberBound::Type::kMax, 100}}}}, 2);
    assistant = granted("user:bob@example.org", "assistant", {{kMail}, {}});
    api::CreateDelegation less;
    less.chain = billing;
    less.to = "clerk";
    less.authority = {{kRefund}, {{"amount", NumberBound{NumberBound::Type::kMax, 20}}}};
    clerk = answered(daemon.client().delegate(less)).chain;
  }

  Chain billing;
  Chain clerk;
  Chain assistant;
};

/// What is presented, and what comes of it. A proof is made by who holds the chain that it is for.
struct Attack {
  const char* name;
  ShownCall (*make)(const TwoChains& scene);
  const char* code;
};

constexpr std::array kAttacks{
    Attack{"the other's chain, with one's own proof",
           [](const TwoChains& s) {
             return ShownCall{"refund", kTen, s.billing, s.proof_of(s.assistant, "refund", kRefund, kTen)};
           },
           "holder_binding_failed"},
    Attack{"one's own chain, with the other's proof",
           [](const TwoChains& s) {
             return ShownCall{"refund", kTen, s.assistant, s.proof_of(s.billing, "refund", kRefund, kTen)};
           },
           "holder_binding_failed"},
    Attack{"one's own chain and proof, for the other's tool",
           [](const TwoChains& s) {
             return ShownCall{"refund", kTen, s.assistant, s.proof_of(s.assistant, "refund", kRefund, kTen)};
           },
           "scope_not_granted"},
    Attack{"a proof for another tool",
           [](const TwoChains& s) {
             return ShownCall{"refund", kTen, s.billing, s.proof_of(s.billing, "inbox", kRefund, kTen)};
           },
           "holder_binding_failed"},
    Attack{"a proof for other arguments",
           [](const TwoChains& s) {
             return ShownCall{"refund", kFifty, s.billing, s.proof_of(s.billing, "refund", kRefund, kTen)};
           },
           "holder_binding_failed"},
    Attack{"a proof for another scope",
           [](const TwoChains& s) {
             return ShownCall{"refund", kTen, s.billing, s.proof_of(s.billing, "refund", kMail, kTen)};
           },
           "holder_binding_failed"},
    Attack{"more than was delegated",
           [](const TwoChains& s) {
             return ShownCall{"refund", kFifty, s.clerk, s.proof_of(s.clerk, "refund", kRefund, kFifty)};
           },
           "ceiling_exceeded"},
    Attack{"the parent's chain, with a proof of the child's",
           [](const TwoChains& s) {
             return ShownCall{"refund", kFifty, s.billing, s.proof_of(s.clerk, "refund", kRefund, kFifty)};
           },
           "holder_binding_failed"},
    Attack{"one's own token behind the other's",
           [](const TwoChains& s) {
             const Chain mixed{s.billing.front(), s.assistant.back()};
             return ShownCall{"refund", kTen, mixed, s.proof_of(s.assistant, "refund", kRefund, kTen)};
           },
           "malformed"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(confused_deputy)

BOOST_FIXTURE_TEST_CASE(what_is_anothers_is_denied_and_stands_in_the_log_with_the_token, TwoChains) {
  std::size_t denied = 0;
  for (const Attack& attack : kAttacks) {
    const ShownCall shown = attack.make(*this);
    const HttpReply reply = call(shown);
    BOOST_TEST(reply.status == 403, attack.name << ": " << reply.body);
    BOOST_TEST(member(reply.body, "code") == attack.code, attack.name << ": " << reply.body);
    const std::string entry = last("tool.permit");
    BOOST_TEST(count("tool.permit", "deny") == ++denied, attack.name);
    BOOST_TEST(has(entry, id_of_token(shown.chain.back())), attack.name << ": " << entry);
    BOOST_TEST(has(entry, std::string(R"("denial":")") + attack.code), attack.name << ": " << entry);
  }
  BOOST_TEST(upstream.seen().empty());
  BOOST_TEST(count("credential.release") == 0u);
  // The tokens of both stand in the log: whose was presented, and who had proofs made.
  for (const Chain& chain : {billing, assistant}) {
    const Client client = daemon.client();
    const auto found =
        answered(AuditClient(client).entries({.limit = 1000, .ref = id_of_token(chain.back())}));
    BOOST_TEST(std::ranges::any_of(found.entries, [](const api::AuditEntry& entry) {
      return has(entry.json, R"("action":"tool.permit")");
    }));
  }
}

// None of them spoils what the owner does: the proof that was tried elsewhere counts for its own call.
BOOST_FIXTURE_TEST_CASE(a_proof_that_was_tried_elsewhere_is_good_for_its_own_call, TwoChains) {
  const std::string proof = proof_of(billing, "refund", kRefund, kTen);
  BOOST_TEST(call({"refund", kFifty, billing, proof}).status == 403);
  BOOST_TEST(call({"refund", kTen, clerk, proof}).status == 403);
  const HttpReply meant = call({"refund", kTen, billing, proof});
  BOOST_TEST(meant.status == 200, meant.body);
  BOOST_TEST(upstream.seen().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(each_call_has_the_credential_of_its_own_tool_whoever_else_calls, TwoChains) {
  constexpr std::size_t kThreads = 4, kRounds = 10;
  std::array<std::vector<ShownCall>, kThreads> calls;
  for (std::size_t i = 0; i < kThreads * kRounds; ++i) {
    const bool is_refund = i % 2 == 0;
    calls[i % kThreads].push_back(
        is_refund ? ShownCall{"refund", kTen, billing, proof_of(billing, "refund", kRefund, kTen)}
                  : ShownCall{"inbox", kInbox, assistant, proof_of(assistant, "inbox", kMail, kInbox)});
  }
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (const std::vector<ShownCall>& mine : calls) {
      threads.emplace_back([&] {
        for (const ShownCall& shown : mine) {
          if (call(shown).status != 200) ++failed;
        }
      });
    }
  }
  BOOST_TEST(failed == 0);
  const auto seen = upstream.seen();
  BOOST_TEST(seen.size() == kThreads * kRounds);
  for (const auto& request : seen) {
    const std::string credential = request.target() == "/refund" ? kPsp : kMailbox;
    BOOST_TEST(request[http::field::authorization] == "Bearer " + credential);
  }
  for (const audit::Entry& entry : entries("credential.release")) {
    const std::string_view tool = entry.detail("tool");
    BOOST_TEST(entry.id("credential") == (tool == "refund" ? "psp" : "mailbox"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
