#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "daemon/service/approvals.hpp"
#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/action.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {

using rest::Response;

inline constexpr std::uint32_t kRuntimeUid = 3001;
inline constexpr std::uint32_t kOtherRuntimeUid = 3002;

inline std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

inline std::string canonical(const std::string& json) {
  const auto document = json::Document::parse(json);
  BOOST_REQUIRE_MESSAGE(document, json);
  return json::to_jcs(document->root());
}

/// A member of a JSON text, as text; empty when there is none.
inline std::string of(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  BOOST_REQUIRE_MESSAGE(document, json);
  const json::Value* const value = document->root().find(name);
  return value == nullptr ? "" : std::string(value->string().value_or(value->source()));
}

/// Two runtimes, a credential, and an agent that may refund 100 by a tool that takes an approval.
struct Approvals : EnforcementFixture {
  Approvals() : Approvals(Extension()) {}
  explicit Approvals(Extension extension) : EnforcementFixture(std::move(extension)) {
    create_agent("tools", kRuntimeUid);
    create_agent("other-tools", kOtherRuntimeUid);
    change_policy([](service::Policy& policy) {
      policy.runtimes = {"tools", "other-tools"};
      policy.runtime_url = "https://tools.example";
      policy.granted_scopes = {"payments.*", "mail.*"};
    });
    const Response made = call("POST", "/v1/credentials",
                               R"({"name":"psp","value":")" + base64_encode(as_bytes(kValue)) +
                                   R"(","type":"api_key","scope":"payments.refund","tools":["refund"]})",
                               kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    chain = granted("1800");
  }

  std::string granted(const std::string& lifetime, const std::string& agent = "orchestrator") {
    const Response made = call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":")" + agent +
            R"(","audience":"https://tools.example",)"
            R"("scopes":["payments.refund"],"constraints":[{"key":"payments.refund#amount","max_subtree":100},)"
            R"({"key":"calls","max_rate":{"count":5,"per":"hour"}}],"depth":2,"lifetime_s":)" +
            lifetime + "}",
        kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return chain_of(made);
  }

  /// A call as an agent and an honest runtime make it; a test changes what it is about.
  struct Ask {
    std::string tool = "refund";
    std::string scope = "payments.refund";
    std::string arguments = R"({"amount":10,"charge":"ch_1"})";
    std::string params{};  ///< empty: the arguments
    std::string hashed{};  ///< what the runtime gives the hash of; empty: the arguments
    std::string risk = "high";
    std::string more = R"(,"description":"Gives money back.")";
    std::string credential = R"(,"credential":"psp")";
    std::string release{};
    bool has_terms = true;      ///< what a person is to read
    std::string proof{};        ///< empty: one for this very call
    std::string proven_tool{};  ///< of that proof; empty: `tool`
    std::uint32_t uid = kRuntimeUid;
  };

  std::string proof_for(const Ask& ask) {
    const auto parameters = parse_parameters(ask.params.empty() ? ask.arguments : ask.params);
    BOOST_REQUIRE(parameters);
    const auto ada = action_digest(ask.scope, *parameters);
    BOOST_REQUIRE(ada);
    const Response made =
        call("POST", "/v1/proofs",
             R"({"chain":)" + chain + R"(,"htm":"POST","htu":"https://tools.example/v1/tools/)" +
                 (ask.proven_tool.empty() ? ask.tool : ask.proven_tool) + R"(","ada":")" + *ada + "\"}",
             agent_uid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return member(made, "proof");
  }

  static std::string terms_of(const Ask& ask) {
    if (!ask.has_terms) return {};
    return R"(,"approval":{"risk":")" + ask.risk + R"(","arguments":)" + ask.arguments + ask.more + "}";
  }

  Response ask(Ask ask) {
    if (ask.proof.empty()) ask.proof = proof_for(ask);
    const std::string params = ask.params.empty() ? ask.arguments : ask.params;
    const std::string hash = digest_of(canonical(ask.hashed.empty() ? ask.arguments : ask.hashed));
    return call("POST", "/v1/permits",
                R"({"chain":)" + chain + R"(,"proof":")" + ask.proof +
                    R"(","method":"POST","uri":"https://tools.example/v1/tools/)" + ask.tool +
                    R"(","audience":"https://tools.example","action":{"scope":")" + ask.scope +
                    R"(","params":)" + params + R"(},"tool":")" + ask.tool + "\"" + ask.credential +
                    R"(,"arguments_sha256":")" + hash + "\"" + terms_of(ask) + ask.release + "}",
                ask.uid);
  }
  Response ask() { return ask(Ask{}); }
  Response ask_for(const std::string& charge) {
    Ask question;
    question.arguments = R"({"amount":1,"charge":")" + charge + "\"}";
    return ask(question);
  }

  /// What the caller is told of the call that waits; a member of it.
  static std::string waiting(const Response& response, std::string_view name) {
    BOOST_REQUIRE_MESSAGE(verdict_of(response) == "approval_required", response.body);
    return of(member(response, "approval"), name);
  }
  static std::string id_of(const Response& response) { return waiting(response, "id"); }

  Response show(const std::string& id, std::uint32_t uid = kOperatorUid) {
    return call("GET", "/v1/approvals/" + id, "", uid);
  }
  Response cancel(const std::string& id, std::uint32_t uid = kOperatorUid) {
    return call("DELETE", "/v1/approvals/" + id, "", uid);
  }
  std::vector<std::string> listed(const std::string& query = "") {
    const Response page = call("GET", "/v1/approvals" + query, "", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(page.status == 200, page.body);
    const auto document = json::Document::parse(page.body);
    std::vector<std::string> out;
    for (const json::Value& item : document->root().find("approvals")->items())
      out.emplace_back(item.find("id")->string().value());
    return out;
  }
  std::size_t pending() { return listed("?state=pending").size(); }

  std::vector<std::string> entries(const std::string& about) { return audit_texts(store(), about); }
  std::vector<std::string> actions_about(const std::string& id) { return audited_actions(store(), id); }
  std::size_t count(const std::string& action) { return audit_texts_of(store(), action).size(); }
  void tick(std::chrono::sys_seconds now) {
    service::ApprovalKeeper(office(), [](const char* what, const Error&) { BOOST_ERROR(what); }).tick(now);
  }

  static constexpr std::string_view kValue = "canary-of-the-payment-service";
  std::string chain;
  std::uint32_t agent_uid = kOrchestratorUid;  ///< of the chain
};

using Strings = std::vector<std::string>;

}  // namespace chancery::tests
