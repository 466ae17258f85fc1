#pragma once

#include <string>

#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {

/// Agents with a budget, and an enforcement point that asks for them.
struct EnforcementFixture : OfficeFixture {
  EnforcementFixture() : EnforcementFixture(Extension()) {}
  explicit EnforcementFixture(Extension extension) : OfficeFixture(std::move(extension)) {
    create_story_agents();
  }

  /// For the orchestrator, with 100 of `payments.refund#amount` for it and all that it delegates to.
  std::string budget_chain(const std::string& more_constraints = "") {
    const rest::Response granted =
        call("POST", "/v1/grants",
             R"({"principal":"user:alice@example.org","agent":"orchestrator",)"
             R"("audience":"https://api.example.org","scopes":["crm.*","payments.refund"],)"
             R"("constraints":[{"key":"payments.refund#amount","max_subtree":100})" +
                 more_constraints + R"(],"lifetime_s":1800,"depth":3})",
             kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }

  /// \param constraint  the child's own; empty: the parent's
  std::string delegated(const std::string& chain, const std::string& to, std::uint32_t from,
                        const std::string& constraint = "") {
    const rest::Response made =
        call("POST", "/v1/delegations",
             R"({"chain":)" + chain + R"(,"to":")" + to + R"(","scopes":["crm.read","payments.refund"],)" +
                 R"("constraints":[)" + constraint + "]}",
             from);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return chain_of(made);
  }

  std::string proof_of(const std::string& chain, std::uint32_t holder) {
    const rest::Response made =
        call("POST", "/v1/proofs",
             R"({"chain":)" + chain + R"(,"htm":"POST","htu":"https://api.example.org/refunds"})", holder);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return member(made, "proof");
  }

  static std::string question(const std::string& chain, const std::string& proof, const std::string& action,
                              const std::string& more = "") {
    return R"({"chain":)" + chain + R"(,"proof":")" + proof +
           R"(","method":"POST","uri":"https://api.example.org/refunds",)"
           R"("audience":"https://api.example.org","action":)" +
           action + more + "}";
  }
  static std::string refund(const std::string& amount) {
    return R"({"scope":"payments.refund","params":{"amount":)" + amount + "}}";
  }
  rest::Response ask(const std::string& body, std::uint32_t uid = kOperatorUid) {
    return call("POST", "/v1/authorize", body, uid);
  }
  /// Asks for a refund with a fresh proof.
  rest::Response ask_refund(const std::string& chain, std::uint32_t holder, const std::string& amount,
                            const std::string& more = "") {
    return ask(question(chain, proof_of(chain, holder), refund(amount), more));
  }

  /// "permit", or the denial's outcome, or the problem's code.
  static std::string verdict_of(const rest::Response& response) {
    if (response.status != 200) return member(response, "code");
    const std::string decision = member(response, "decision");
    return decision == "permit" ? decision : member(response, "outcome");
  }
};

}  // namespace chancery::tests
