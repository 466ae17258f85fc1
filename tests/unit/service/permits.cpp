// What a tool runtime is given for a call, and what it is not, whoever has taken it over.

#include "daemon/service/permits.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/verify/action.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;
using std::chrono::seconds;

constexpr std::uint32_t kRuntimeUid = 3001;
constexpr std::uint32_t kOtherRuntimeUid = 3002;
constexpr std::string_view kUrl = "https://tools.example";
constexpr std::string_view kValue = "canary-of-the-payment-service";
constexpr std::string_view kOther = "canary-of-the-mail-service";

std::string in_base64(std::string_view value) { return base64_encode(as_bytes(value)); }

/// Two runtimes, two credentials, and an agent that may refund 100 and read mail by tools.
struct Permits : EnforcementFixture {
  Permits() {
    create_agent("tools", kRuntimeUid);
    create_agent("other-tools", kOtherRuntimeUid);
    change_policy([](service::Policy& policy) {
      policy.runtimes = {"tools", "other-tools"};
      policy.runtime_url = kUrl;
      policy.granted_scopes = {"payments.*", "mail.*"};
    });
    put("psp", kValue, "payments.refund", "refund");
    put("mail", kOther, "mail.read", "inbox");
    const Response granted = call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://tools.example",)"
        R"("scopes":["payments.refund","mail.read"],)"
        R"("constraints":[{"key":"payments.refund#amount","max_subtree":100}],"lifetime_s":1800,"depth":2})",
        kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    chain = chain_of(granted);
  }

  void put(const std::string& name, std::string_view value, const std::string& scope,
           const std::string& tool) {
    const Response made =
        call("POST", "/v1/credentials",
             R"({"name":")" + name + R"(","value":")" + in_base64(value) + R"(","type":"api_key","scope":")" +
                 scope + R"(","tools":[")" + tool + "\"]}",
             kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  }

  static std::string digest_of(const std::string& scope, const std::string& params) {
    const auto parameters = parse_parameters(params);
    BOOST_REQUIRE(parameters);
    const auto digest = action_digest(scope, *parameters);
    BOOST_REQUIRE(digest);
    return *digest;
  }

  /// A call as an agent and an honest runtime make it; a test changes what it is about.
  struct Ask {
    std::string tool = "refund";
    std::string scope = "payments.refund";
    std::string params = R"({"amount":10})";
    std::string credential = "psp";
    std::string release = "true";
    std::string proof{};        ///< empty: one for this very call
    std::string proven_tool{};  ///< of that proof; empty: `tool`
    bool has_ada = true;
    std::uint32_t uid = kRuntimeUid;
  };

  std::string proof_for(const Ask& ask) {
    const std::string tool = ask.proven_tool.empty() ? ask.tool : ask.proven_tool;
    const std::string ada =
        ask.has_ada ? R"(,"ada":")" + digest_of(ask.scope, ask.params) + "\"" : std::string();
    const Response made =
        call("POST", "/v1/proofs",
             R"({"chain":)" + chain + R"(,"htm":"POST","htu":"https://tools.example/v1/tools/)" + tool +
                 "\"" + ada + "}",
             kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return member(made, "proof");
  }

  Response ask(Ask ask) {
    if (ask.proof.empty()) ask.proof = proof_for(ask);
    const std::string credential = ask.credential.empty() ? "" : R"(,"credential":")" + ask.credential + "\"";
    return call("POST", "/v1/permits",
                R"({"chain":)" + chain + R"(,"proof":")" + ask.proof +
                    R"(","method":"POST","uri":"https://tools.example/v1/tools/)" + ask.tool +
                    R"(","audience":"https://tools.example","action":{"scope":")" + ask.scope +
                    R"(","params":)" + ask.params + R"(},"tool":")" + ask.tool + "\"" + credential +
                    R"(,"arguments_sha256":")" + hex_encode(sha256(as_bytes(ask.params))) +
                    R"(","reserve_s":90,"release":)" + ask.release + "}",
                ask.uid);
  }
  Response ask() { return ask(Ask{}); }

  /// A permit whose credential was not released with it.
  std::string permitted(std::uint32_t uid = kRuntimeUid) {
    Ask question;
    question.release = "false";
    question.uid = uid;
    const Response given = ask(question);
    BOOST_REQUIRE_MESSAGE(verdict_of(given) == "permit", given.body);
    return id_of(given);
  }
  Response use(const std::string& permit, std::uint32_t uid = kRuntimeUid) {
    return call("POST", "/v1/permits/" + permit + "/credential", "", uid);
  }
  Response report(const std::string& permit, const std::string& status = "done",
                  std::uint32_t uid = kRuntimeUid) {
    return call("POST", "/v1/permits/" + permit + "/result",
                R"({"status":")" + status + R"(","result_sha256":")" + std::string(64, 'a') +
                    R"(","redactions":{"known":2}})",
                uid);
  }

  static std::string id_of(const Response& response) {
    const auto document = json::Document::parse(member(response, "permit"));
    BOOST_REQUIRE(document);
    const json::Value* const id = document->root().find("id");
    BOOST_REQUIRE(id != nullptr);
    return std::string(id->string().value_or(""));
  }
  /// What is released, or nothing.
  static std::string value_of(const Response& response) {
    for (const std::string_view value : {kValue, kOther})
      if (response.body.find(in_base64(value)) != std::string::npos) return std::string(value);
    return {};
  }

  std::vector<std::string> log() { return audit_texts(store()); }
  std::vector<std::string> actions_about(const std::string& permit) {
    return audited_actions(store(), permit);
  }
  std::size_t count(const std::string& text) { return audit_texts(store(), text).size(); }

  std::string chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(permits)

BOOST_FIXTURE_TEST_CASE(a_call_is_attempted_permitted_and_given_its_credential, Permits) {
  const Response given = ask();
  BOOST_TEST(verdict_of(given) == "permit", given.body);
  BOOST_TEST(value_of(given) == kValue);
  const std::vector<std::string> want{"tool.attempt", "tool.permit", "credential.release"};
  BOOST_TEST(actions_about(id_of(given)) == want, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(whoever_made_the_call_stands_in_the_log_by_its_key, Permits) {
  const std::string permit = id_of(ask());
  for (const std::string& entry : log()) {
    if (entry.find("\"tool.permit\"") == std::string::npos) continue;
    BOOST_TEST(entry.find(R"("agent":"orchestrator")") != std::string::npos, entry);
    BOOST_TEST(entry.find(R"("principal":"user:alice@example.org")") != std::string::npos, entry);
    BOOST_TEST(entry.find(R"("permit":")" + permit) != std::string::npos, entry);
  }
  BOOST_TEST(count("\"tool.permit\"") == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_value_stands_nowhere_but_in_the_answer, Permits) {
  (void)ask();
  Ask over;
  over.params = R"({"amount":1000})";
  (void)ask(over);
  for (const std::string& form : {std::string(kValue), in_base64(kValue)}) {
    BOOST_TEST(count(form) == 0u);
  }
}

// --- what is no call of this tool

namespace {

struct Refusal {
  const char* name;
  void (*change)(Permits::Ask& ask);
  int status;
  const char* why;  ///< the outcome of a denial, or the problem's code
};
std::ostream& operator<<(std::ostream& out, const Refusal& row) { return out << row.name; }

constexpr std::array kRefusals{
    Refusal{"a proof for another tool", [](Permits::Ask& ask) { ask.proven_tool = "inbox"; }, 200,
            "holder_binding_failed"},
    Refusal{"a proof for no action", [](Permits::Ask& ask) { ask.has_ada = false; }, 200,
            "holder_binding_failed"},
    Refusal{"another tool's credential", [](Permits::Ask& ask) { ask.credential = "mail"; }, 403,
            "forbidden"},
    Refusal{"no such credential", [](Permits::Ask& ask) { ask.credential = "none"; }, 404, "not_found"},
    Refusal{"an amount beyond the bound", [](Permits::Ask& ask) { ask.params = R"({"amount":101})"; }, 200,
            "ceiling_exceeded"},
    Refusal{"a scope that is not granted", [](Permits::Ask& ask) { ask.scope = "payments.payout"; }, 403,
            "forbidden"},
    Refusal{"a scope that is not granted, without a credential",
            [](Permits::Ask& ask) {
              ask.scope = "payments.payout";
              ask.credential.clear();
            },
            200, "scope_not_granted"},
    Refusal{"a tool with another tool's name in it", [](Permits::Ask& ask) { ask.tool = "refund/../inbox"; },
            400, "invalid_argument"},
    Refusal{"an agent that is no runtime", [](Permits::Ask& ask) { ask.uid = kSupportUid; }, 403,
            "forbidden"},
    Refusal{"the agent itself", [](Permits::Ask& ask) { ask.uid = kOrchestratorUid; }, 403, "forbidden"},
    Refusal{"the operator", [](Permits::Ask& ask) { ask.uid = kOperatorUid; }, 403, "forbidden"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Permits, nothing_is_released_for, boost::unit_test::data::make(kRefusals), row) {
  Ask question;
  row.change(question);
  const Response refused = ask(question);
  BOOST_TEST(refused.status == row.status, refused.body);
  BOOST_TEST(verdict_of(refused) == row.why, refused.body);
  BOOST_TEST(value_of(refused).empty());
  BOOST_TEST(count(R"("action":"credential.release")") == 0u);
}

BOOST_FIXTURE_TEST_CASE(arguments_that_the_agent_did_not_prove_are_denied, Permits) {
  Ask question;
  question.proof = proof_for(question);
  question.params = R"({"amount":11})";
  const Response refused = ask(question);
  BOOST_TEST(verdict_of(refused) == "holder_binding_failed", refused.body);
  BOOST_TEST(value_of(refused).empty());
}

BOOST_FIXTURE_TEST_CASE(a_call_of_a_frozen_agent_is_denied_and_given_no_credential, Permits) {
  for (const char* const path : {"/v1/agents/orchestrator/", "/v1/"}) {
    const bool is_all = std::string_view(path) == "/v1/";
    Ask question;
    question.proof = proof_for(question);
    BOOST_REQUIRE(call("POST", std::string(path) + "freeze", "{}", kOperatorUid).status == 200);
    const Response refused = ask(question);
    BOOST_TEST(verdict_of(refused) == "agent_frozen", refused.body);
    BOOST_TEST(value_of(refused).empty());
    const std::string end = std::string(path) + (is_all ? "freeze/lift" : "unfreeze");
    BOOST_REQUIRE(call("POST", end, "{}", kOperatorUid).status == 200);
    BOOST_TEST(value_of(ask()) == kValue);
  }
}

BOOST_FIXTURE_TEST_CASE(a_call_is_made_once, Permits) {
  Ask question;
  question.proof = proof_for(question);
  BOOST_TEST(value_of(ask(question)) == kValue);
  const Response replayed = ask(question);
  BOOST_TEST(verdict_of(replayed) == "holder_binding_failed", replayed.body);
  BOOST_TEST(value_of(replayed).empty());
  BOOST_TEST(count(R"("action":"credential.release")") == 1u);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_permitted_for_later_that_could_not_be_released, Permits) {
  Ask question;
  question.release = "false";
  question.credential = "mail";
  BOOST_TEST(ask(question).status == 403);
  question.credential = "none";
  BOOST_TEST(ask(question).status == 404);
  BOOST_TEST(count(R"("action":"tool.permit","agent")") == 0u);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_decided_where_the_credential_cannot_be_released, Permits) {
  Ask question;
  question.proof = proof_for(question);
  question.credential = "mail";
  BOOST_TEST(ask(question).status == 403);
  question.credential = "psp";
  BOOST_TEST(value_of(ask(question)) == kValue);  // the proof is as good as before
}

// --- a runtime that was taken over

// It has one call of one tool to show, and tries everything with it.
BOOST_FIXTURE_TEST_CASE(a_runtime_that_was_taken_over_gets_one_credential_for_one_call, Permits) {
  Ask seen;
  seen.proof = proof_for(seen);
  std::size_t released = 0;
  for (const char* tool : {"refund", "inbox"}) {
    for (const char* scope : {"payments.refund", "mail.read"}) {
      for (const char* credential : {"mail", "psp"}) {
        for (const char* params : {R"({"amount":10})", "{}", R"({"amount":99})"}) {
          Ask tried = seen;
          tried.tool = tool;
          tried.scope = scope;
          tried.credential = credential;
          tried.params = params;
          const Response answer = ask(tried);
          if (value_of(answer).empty()) continue;
          ++released;
          BOOST_TEST(value_of(answer) == kValue);
        }
      }
    }
  }
  BOOST_TEST(released == 1u);
  BOOST_TEST(count(R"("action":"credential.release")") == 1u);
}

BOOST_FIXTURE_TEST_CASE(no_runtime_reads_the_vault, Permits) {
  for (const char* path : {"/v1/credentials", "/v1/credentials/psp"})
    BOOST_TEST(call("GET", path, "", kRuntimeUid).status == 403);
}

// --- permits that are used later

BOOST_FIXTURE_TEST_CASE(a_permit_releases_its_credential_once, Permits) {
  const std::string permit = permitted();
  BOOST_TEST(value_of(use(permit)) == kValue);
  const Response again = use(permit);
  BOOST_TEST(again.status == 409, again.body);
  BOOST_TEST(value_of(again).empty());
}

BOOST_FIXTURE_TEST_CASE(one_of_many_concurrent_uses_of_a_permit_succeeds, Permits) {
  const std::string permit = permitted();
  std::atomic<int> released = 0;
  std::atomic<int> refused = 0;
  {
    std::latch start(16);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const Response answer = use(permit);
        if (answer.status == 200) ++released;
        if (answer.status == 409) ++refused;
      });
    }
  }
  BOOST_TEST(released == 1);
  BOOST_TEST(refused == 15);
}

BOOST_FIXTURE_TEST_CASE(a_permit_is_good_for_sixty_seconds, Permits) {
  const std::string first = permitted();
  const std::string second = permitted();
  set_now(kNow + seconds(59));
  BOOST_TEST(use(first).status == 200);
  set_now(kNow + seconds(60));
  const Response late = use(second);
  BOOST_TEST(late.status == 409, late.body);
  BOOST_TEST(value_of(late).empty());
}

BOOST_FIXTURE_TEST_CASE(a_permit_is_the_runtimes_that_asked, Permits) {
  const std::string permit = permitted();
  BOOST_TEST(use(permit, kOtherRuntimeUid).status == 404);
  BOOST_TEST(report(permit, "done", kOtherRuntimeUid).status == 404);
  BOOST_TEST(use(permit).status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_permit_whose_result_was_reported_releases_nothing, Permits) {
  const std::string permit = permitted();
  BOOST_TEST(report(permit, "refused").status == 200);
  BOOST_TEST(use(permit).status == 409);
}

// --- results and receipts

BOOST_FIXTURE_TEST_CASE(a_result_is_recorded_once_and_ends_the_use, Permits) {
  const std::string permit = id_of(ask());
  BOOST_TEST(call("GET", "/v1/credentials/psp", "", kOperatorUid).body.find(R"("open_uses":1)") !=
             std::string::npos);
  const Response receipt = report(permit);
  BOOST_REQUIRE_MESSAGE(receipt.status == 200, receipt.body);
  BOOST_TEST(member(receipt, "receipt").find(permit) != std::string::npos);
  BOOST_TEST(report(permit).status == 409);
  BOOST_TEST(call("GET", "/v1/credentials/psp", "", kOperatorUid).body.find(R"("open_uses":0)") !=
             std::string::npos);
  const std::string digest = hex_encode(sha256(as_bytes(member(receipt, "receipt"))));
  BOOST_TEST(count(digest) == 1u);  // in the entry tool.result
}

namespace {

struct WrongResult {
  const char* name;
  const char* body;
};
std::ostream& operator<<(std::ostream& out, const WrongResult& row) { return out << row.name; }
constexpr std::array kWrongResults{
    WrongResult{"no status", R"({"result_sha256":"aa"})"},
    WrongResult{"another status", R"({"status":"fine","result_sha256":"aa"})"},
    WrongResult{"a short hash", R"({"status":"done","result_sha256":"aa"})"},
    WrongResult{
        "a kind that may be a secret",
        R"({"status":"done","result_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",)"
        R"("redactions":{"sk-live-7":1}})"},
    WrongResult{"a negative count", R"({"status":"done","result_sha256":"aa","redactions":{"known":-1}})"},
    WrongResult{"something else", R"({"status":"done","result_sha256":"aa","value":"x"})"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Permits, a_result_is_refused_with, boost::unit_test::data::make(kWrongResults), row) {
  const std::string permit = id_of(ask());
  const Response refused = call("POST", "/v1/permits/" + permit + "/result", row.body, kRuntimeUid);
  BOOST_TEST(refused.status == 400, refused.body);
  BOOST_TEST(report(permit).status == 200);
}

BOOST_FIXTURE_TEST_CASE(receipts_are_signed_together_by_the_runtimes_own_key, Permits) {
  std::vector<std::string> receipts;
  std::string permits;
  for (int i = 0; i < 3; ++i) {
    const std::string permit = id_of(ask());
    receipts.push_back(member(report(permit), "receipt"));
    permits += (permits.empty() ? "\"" : ",\"") + permit + "\"";
  }
  const Response made = call("POST", "/v1/receipts", R"({"permits":[)" + permits + "]}", kRuntimeUid);
  BOOST_REQUIRE_MESSAGE(made.status == 200, made.body);
  const std::string compact = member(made, "signed");
  const auto jws = Jws::parse(compact);
  BOOST_REQUIRE(jws);
  BOOST_TEST(jws->header.root().find("typ")->string().value() == "chancery-receipts+jwt");
  const Response agent = call("GET", "/v1/agents/tools", "", kOperatorUid);
  const auto key = parse_jwk(member(agent, "jwk"));
  BOOST_REQUIRE(key);
  BOOST_TEST(jws->verifies_under(*key));
  const auto list = jws->payload.root().find("receipts")->items();
  BOOST_REQUIRE(list.size() == receipts.size());
  for (std::size_t i = 0; i < receipts.size(); ++i)
    BOOST_TEST(list[i].string().value() == hex_encode(sha256(as_bytes(receipts[i]))));
}

BOOST_FIXTURE_TEST_CASE(no_receipt_is_signed_that_was_not_recorded_for_that_runtime, Permits) {
  const std::string open = id_of(ask());
  const auto sign = [&](const std::string& permit, std::uint32_t uid) {
    return call("POST", "/v1/receipts", R"({"permits":[")" + permit + "\"]}", uid).status;
  };
  BOOST_TEST(sign(open, kRuntimeUid) == 400);
  BOOST_TEST(report(open).status == 200);
  BOOST_TEST(sign(open, kOtherRuntimeUid) == 404);
  BOOST_TEST(sign(std::string(32, 'f'), kRuntimeUid) == 404);
  BOOST_TEST(sign(open, kSupportUid) == 403);
  BOOST_TEST(sign(open, kRuntimeUid) == 200);
  BOOST_TEST(call("POST", "/v1/receipts", R"({"permits":[]})", kRuntimeUid).status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_never_reported_stands_in_the_log, Permits) {
  const std::string permit = id_of(ask());
  const std::string reported = id_of(ask());
  BOOST_TEST(report(reported).status == 200);
  service::PermitKeeper keeper(office(), [](const char* what, const Error&) { BOOST_ERROR(what); });
  keeper.tick(kNow + std::chrono::minutes(15));
  BOOST_TEST(count(R"("action":"tool.unreported")") == 0u);
  keeper.tick(kNow + std::chrono::minutes(16));
  keeper.tick(kNow + std::chrono::minutes(17));
  BOOST_TEST(count(R"("action":"tool.unreported")") == 1u);
  const std::vector<std::string> want{"tool.attempt", "tool.permit", "credential.release", "tool.unreported"};
  BOOST_TEST(actions_about(permit) == want, boost::test_tools::per_element());
  BOOST_TEST(report(permit).status == 409);
}

BOOST_FIXTURE_TEST_CASE(a_permit_is_forgotten_a_day_after_it_expired, Permits) {
  const std::string permit = id_of(ask());
  service::PermitKeeper keeper(office(), [](const char* what, const Error&) { BOOST_ERROR(what); });
  keeper.tick(kNow + std::chrono::hours(24));
  BOOST_TEST(report(permit).status == 409);
  keeper.tick(kNow + std::chrono::hours(25));
  BOOST_TEST(report(permit).status == 404);
}

// --- credentials that an upstream showed

BOOST_FIXTURE_TEST_CASE(a_credential_that_was_shown_stands_in_the_log_and_is_replaced_if_it_may_be, Permits) {
  const auto show = [&] {
    const std::string permit = id_of(ask());
    const Response told = call(
        "POST", "/v1/permits/" + permit + "/result",
        R"({"status":"done","exposed":true,"result_sha256":")" + std::string(64, 'a') + "\"}", kRuntimeUid);
    BOOST_TEST(told.status == 200, told.body);
  };
  show();
  BOOST_TEST(count(R"("action":"credential.exposed")") == 1u);
  BOOST_TEST(call("POST", "/v1/credentials/psp/change", R"({"rotate_on_hit":true})", kOperatorUid).status ==
             200);
  show();  // nothing waits to take its place
  BOOST_TEST(value_of(ask()) == kValue);
  const Response put =
      call("POST", "/v1/credentials", R"({"name":"psp","value":")" + in_base64(kOther) + "\"}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(put.status == 201, put.body);
  show();
  BOOST_TEST(count(R"("action":"credential.exposed")") == 3u);
  BOOST_TEST(count(R"("rotated":true)") == 1u);
  BOOST_TEST(value_of(ask()) == kOther);
}

// --- amounts

BOOST_FIXTURE_TEST_CASE(what_did_not_reach_the_upstream_gives_its_amounts_back, Permits) {
  Ask all;
  all.params = R"({"amount":100})";
  const Response first = ask(all);
  BOOST_REQUIRE_MESSAGE(verdict_of(first) == "permit", first.body);
  BOOST_TEST(verdict_of(ask(all)) == "ceiling_exceeded");
  BOOST_TEST(report(id_of(first), "failed").status == 200);
  const Response second = ask(all);
  BOOST_TEST(verdict_of(second) == "permit", second.body);
  BOOST_TEST(report(id_of(second), "error").status == 200);  // the upstream had it, whatever it said
  BOOST_TEST(verdict_of(ask(all)) == "ceiling_exceeded");
}

// --- refusals of the runtime's own

BOOST_FIXTURE_TEST_CASE(refusals_of_a_runtime_are_recorded_and_bounded, Permits) {
  const std::string body = R"({"tool":"refund","reason":"secret_in_arguments","hits":{"pattern":1}})";
  BOOST_TEST(member(call("POST", "/v1/tool-refusals", body, kRuntimeUid), "recorded") == "true");
  BOOST_TEST(count("\"tool.refuse\"") == 1u);
  for (int i = 0; i < 100; ++i) (void)call("POST", "/v1/tool-refusals", body, kRuntimeUid);
  BOOST_TEST(member(call("POST", "/v1/tool-refusals", body, kRuntimeUid), "recorded") == "false");
  BOOST_TEST(count("\"tool.refuse\"") <= 60u);
  BOOST_TEST(call("POST", "/v1/tool-refusals", body, kSupportUid).status == 403);
  BOOST_TEST(call("POST", "/v1/tool-refusals", R"({"tool":"refund","reason":"whim"})", kRuntimeUid).status ==
             400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
