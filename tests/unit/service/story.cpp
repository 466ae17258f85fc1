// The use cases through the router: what is granted, narrowed, refused and recorded.

#include <array>

#include <boost/test/data/test_case.hpp>

#include <chancery/proof.hpp>

#include "daemon/rest/routes.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using rest::Response;

constexpr const char* kGrant =
    R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://api.example.org",)"
    R"("scopes":["crm.*","payments.refund"],"constraints":[{"key":"payments.refund#amount","max":500}],)"
    R"("lifetime_s":1800,"depth":3})";

std::string delegation(const std::string& chain, const std::string& to, const std::string& rest) {
  return R"({"chain":)" + chain + R"(,"to":")" + to + R"(",)" + rest + "}";
}

struct Story : OfficeFixture {
  Story() { create_story_agents(); }
  std::string root_chain() {
    const Response granted = call("POST", "/v1/grants", kGrant, kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }
  // The operator retires an agent while the device makes the next signature.
  void retire_while_signing(const std::string& name) {
    device().after_signing([this, name] {
      device().after_signing({});
      const Response retired = call("DELETE", "/v1/agents/" + name, "", kOperatorUid);
      BOOST_TEST(retired.status == 200, retired.body);
    });
  }
  std::string support_chain() {
    const Response made = call(
        "POST", "/v1/delegations",
        delegation(
            root_chain(), "support",
            R"("scopes":["crm.read","payments.refund"],"constraints":[{"key":"payments.refund#amount","max":100}])"),
        kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return chain_of(made);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_chain_of_three_is_issued_and_verifies, Story) {
  const Response third = call("POST", "/v1/delegations",
                              delegation(support_chain(), "lookup", R"("scopes":["crm.read"])"), kSupportUid);
  BOOST_REQUIRE_MESSAGE(third.status == 201, third.body);
  const Response verdict =
      call("POST", "/v1/chains/verify", R"({"chain":)" + chain_of(third) + "}", std::nullopt);
  BOOST_TEST(verdict.status == 200);
  BOOST_TEST(member(verdict, "outcome") == "valid");
  BOOST_TEST(member(verdict, "not_performed") == R"(["holder_binding","action","custody"])");
  const auto counts = store().counts();
  BOOST_REQUIRE(counts);
  BOOST_TEST(counts->tokens == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_widened_request_is_granted_narrowed_and_says_so, Story) {
  const std::string body = delegation(
      root_chain(), "support",
      R"("scopes":["crm.read","payments.*"],"constraints":[{"key":"payments.refund#amount","max":1000}],"lifetime_s":86400)");
  const Response made = call("POST", "/v1/delegations", body, kOrchestratorUid);
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  BOOST_TEST(
      member(made, "granted") ==
      R"({"constraints":[{"key":"payments.refund#amount","max":500}],"scopes":["crm.read","payments.refund"],"type":"agent_delegation"})");
  BOOST_TEST(member(made, "narrowed") ==
             R"([{"asked":"payments.*","given":["payments.refund"],"what":"scope"},)"
             R"({"asked":1000,"given":500,"what":"payments.refund#amount max"},)"
             R"({"asked":86400,"given":1800,"what":"lifetime_s"}])");
}

BOOST_FIXTURE_TEST_CASE(exact_refuses_rather_than_narrows, Story) {
  const std::string chain = root_chain();
  const Response refused =
      call("POST", "/v1/delegations", delegation(chain, "support", R"("scopes":["payments.*"],"exact":true)"),
           kOrchestratorUid);
  BOOST_TEST(refused.status == 403);
  BOOST_TEST(member(refused, "code") == "not_narrower");
  // The parent's bound on refunds says nothing of crm.read, so nothing is narrowed here.
  const Response kept =
      call("POST", "/v1/delegations", delegation(chain, "support", R"("scopes":["crm.read"],"exact":true)"),
           kOrchestratorUid);
  BOOST_TEST(kept.status == 201, kept.body);
}

BOOST_FIXTURE_TEST_CASE(a_grant_warns_of_a_wildcard_that_is_only_partly_bounded, Story) {
  const Response granted =
      call("POST", "/v1/grants",
           R"({"principal":"user:a","agent":"orchestrator","audience":["https://a"],"scopes":["payments.*"],)"
           R"("constraints":[{"key":"payments.refund#amount","max":5}],"lifetime_s":60})",
           kOperatorUid);
  BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
  BOOST_TEST(member(granted, "warnings").find("payments.*") != std::string::npos);
  BOOST_TEST(member(call("POST", "/v1/grants", kGrant, kOperatorUid), "warnings") == "[]");
}

struct RefusedGrant {
  const char* name;
  const char* body;
  int status;
  const char* code;
};
std::ostream& operator<<(std::ostream& out, const RefusedGrant& c) { return out << c.name; }

constexpr std::array kRefusedGrants{
    RefusedGrant{
        "control plane",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["chancery.grants.mint"],"lifetime_s":60})",
        403, "forbidden"},
    RefusedGrant{
        "control plane by wildcard",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["chancery.*"],"lifetime_s":60})",
        403, "forbidden"},
    RefusedGrant{
        "scope beyond the ceiling",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["admin.all"],"lifetime_s":60})",
        403, "ceiling_exceeded"},
    RefusedGrant{
        "too long",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":28801})",
        403, "limit_exceeded"},
    RefusedGrant{
        "too deep",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":60,"depth":5})",
        403, "limit_exceeded"},
    RefusedGrant{
        "unbounded budget",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"constraints":[{"key":"calls","max_lifetime":9}],"lifetime_s":60,"depth":2})",
        403, "unbounded_budget"},
    RefusedGrant{"unknown agent",
                 R"({"principal":"u","agent":"nobody","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
                 404, "not_found"},
    RefusedGrant{"no audience",
                 R"({"principal":"u","agent":"orchestrator","scopes":["crm.read"],"lifetime_s":60})", 400,
                 "malformed"},
    RefusedGrant{"no scopes",
                 R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":[],"lifetime_s":60})",
                 400, "malformed"},
    RefusedGrant{"scope that is none",
                 R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["*"],"lifetime_s":60})",
                 400, "malformed"},
    RefusedGrant{"no lifetime",
                 R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"]})", 400,
                 "malformed"},
    RefusedGrant{
        "lifetime zero",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":0})",
        400, "malformed"},
    RefusedGrant{
        "unknown member",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":60,"sudo":true})",
        400, "malformed"},
    RefusedGrant{
        "duplicate member",
        R"({"principal":"u","principal":"v","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
        400, "duplicate_member"},
    RefusedGrant{"not JSON", "{", 400, "malformed"},
    RefusedGrant{"not an object", "[]", 400, "malformed"},
    RefusedGrant{"empty body", "", 400, "malformed"},
    RefusedGrant{
        "number overflow",
        R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],"lifetime_s":1e999})",
        400, "non_finite"},
};

BOOST_DATA_TEST_CASE(a_refused_grant_says_why_and_changes_nothing, data::make(kRefusedGrants), c) {
  Story story;
  auto expected = story.store().counts();
  ++expected->audit_entries;  // the refusal's
  const Response refused = story.call("POST", "/v1/grants", c.body, kOperatorUid);
  BOOST_TEST(refused.status == c.status, refused.body);
  BOOST_TEST(OfficeFixture::member(refused, "code") == c.code);
  BOOST_TEST(refused.content_type == "application/problem+json");
  BOOST_TEST((*story.store().counts() == *expected));
}

BOOST_FIXTURE_TEST_CASE(a_budget_on_a_token_that_cannot_be_delegated_is_granted, Story) {
  const Response granted =
      call("POST", "/v1/grants",
           R"({"principal":"u","agent":"orchestrator","audience":"a","scopes":["crm.read"],)"
           R"("constraints":[{"key":"calls","max_lifetime":9}],"lifetime_s":60,"depth":1})",
           kOperatorUid);
  BOOST_TEST(granted.status == 201, granted.body);
}

BOOST_FIXTURE_TEST_CASE(privileged_routes_exist_on_the_unix_socket_only, Story) {
  for (const rest::Route& route : rest::routes()) {
    if (route.listener != rest::Listener::kUnixSocket) continue;
    std::string path(route.pattern);
    if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "orchestrator");
    const Response refused = call(std::string(route.method), path, "{}", std::nullopt);
    BOOST_TEST(refused.status == 404, route.method << " " << path);
    BOOST_TEST(member(refused, "code") == "route_unknown");
  }
}

BOOST_FIXTURE_TEST_CASE(only_the_operator_registers_grants_and_retires, Story) {
  for (const std::uint32_t uid : {kOrchestratorUid, std::uint32_t{0}, std::uint32_t{4242}}) {
    BOOST_TEST(call("POST", "/v1/grants", kGrant, uid).status == 403);
    BOOST_TEST(call("POST", "/v1/agents", R"({"name":"x","selectors":{"uid":1}})", uid).status == 403);
    BOOST_TEST(call("GET", "/v1/agents", "", uid).status == 403);
    BOOST_TEST(call("DELETE", "/v1/agents/lookup", "", uid).status == 403);
  }
  BOOST_TEST(store().counts()->active_agents == 3u);
}

BOOST_FIXTURE_TEST_CASE(an_agent_sees_itself_and_nobody_else, Story) {
  BOOST_TEST(call("GET", "/v1/agents/support", "", kSupportUid).status == 200);
  BOOST_TEST(call("GET", "/v1/agents/support", "", kOperatorUid).status == 200);
  const Response other = call("GET", "/v1/agents/support", "", kLookupUid);
  BOOST_TEST(other.status == 403);
  BOOST_TEST(call("GET", "/v1/agents/nobody", "", kOperatorUid).status == 404);
  // Which names exist is not to be found out by asking.
  const Response nobody = call("GET", "/v1/agents/nobody", "", kLookupUid);
  BOOST_TEST(nobody.status == other.status);
  BOOST_TEST(nobody.body == other.body);
}

BOOST_FIXTURE_TEST_CASE(nobody_delegates_or_proves_with_a_key_that_is_not_theirs, Story) {
  const std::string chain = root_chain();
  for (const std::uint32_t uid : {kSupportUid, kOperatorUid, std::uint32_t{0}}) {
    const Response delegated =
        call("POST", "/v1/delegations", delegation(chain, "support", R"("scopes":["crm.read"])"), uid);
    BOOST_TEST(delegated.status == 403);
    BOOST_TEST(member(delegated, "code") == "not_holder");
    const Response proved =
        call("POST", "/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})", uid);
    BOOST_TEST(proved.status == 403);
    BOOST_TEST(member(proved, "code") == "not_holder");
  }
  // Each token of a chain is held by another agent: holding an inner one is not enough.
  const Response inner =
      call("POST", "/v1/delegations", delegation(support_chain(), "lookup", R"("scopes":["crm.read"])"),
           kOrchestratorUid);
  BOOST_TEST(member(inner, "code") == "not_holder");
}

BOOST_FIXTURE_TEST_CASE(depth_counts_agents, Story) {
  const std::string two = support_chain();
  const Response third =
      call("POST", "/v1/delegations", delegation(two, "lookup", R"("scopes":["crm.read"])"), kSupportUid);
  BOOST_REQUIRE(third.status == 201);
  const Response fourth =
      call("POST", "/v1/delegations", delegation(chain_of(third), "orchestrator", R"("scopes":["crm.read"])"),
           kLookupUid);
  BOOST_TEST(fourth.status == 403);
  BOOST_TEST(member(fourth, "code") == "depth_exhausted");
}

struct RefusedDelegation {
  const char* name;
  const char* rest;
  int status;
  const char* code;
};
std::ostream& operator<<(std::ostream& out, const RefusedDelegation& c) { return out << c.name; }

constexpr std::array kRefusedDelegations{
    RefusedDelegation{"no scope left", R"("to":"support","scopes":["mail.send"])", 403, "nothing_granted"},
    RefusedDelegation{"no audience left",
                      R"("to":"support","scopes":["crm.read"],"audience":"https://other.example")", 403,
                      "audience_not_granted"},
    RefusedDelegation{"unknown receiver", R"("to":"nobody","scopes":["crm.read"])", 404, "not_found"},
    RefusedDelegation{"receiver of another domain",
                      R"("to":"spiffe://elsewhere.org/agent/support","scopes":["crm.read"])", 404,
                      "not_found"},
    RefusedDelegation{
        "unbounded budget",
        R"("to":"support","scopes":["crm.read"],"constraints":[{"key":"calls","max_lifetime":3}])", 403,
        "unbounded_budget"},
    RefusedDelegation{"no scopes asked", R"("to":"support","scopes":[])", 400, "malformed"},
    RefusedDelegation{
        "two constraints alike",
        R"("to":"support","scopes":["crm.read"],"constraints":[{"key":"k","max":1},{"key":"k","max":2}])",
        400, "malformed"},
    RefusedDelegation{"exact is no flag", R"("to":"support","scopes":["crm.read"],"exact":"yes")", 400,
                      "malformed"},
};

BOOST_DATA_TEST_CASE(a_refused_delegation_says_why_and_mints_nothing, data::make(kRefusedDelegations), c) {
  Story story;
  const std::string chain = story.root_chain();
  auto expected = story.store().counts();
  ++expected->audit_entries;  // the refusal's
  const Response refused =
      story.call("POST", "/v1/delegations", R"({"chain":)" + chain + "," + c.rest + "}", kOrchestratorUid);
  BOOST_TEST(refused.status == c.status, refused.body);
  BOOST_TEST(OfficeFixture::member(refused, "code") == c.code);
  BOOST_TEST((*story.store().counts() == *expected));
}

BOOST_FIXTURE_TEST_CASE(the_receiver_may_be_named_by_its_spiffe_id, Story) {
  const Response made =
      call("POST", "/v1/delegations",
           delegation(root_chain(), "spiffe://example.org/agent/support", R"("scopes":["crm.read"])"),
           kOrchestratorUid);
  BOOST_TEST(made.status == 201, made.body);
}

BOOST_FIXTURE_TEST_CASE(an_expired_parent_is_refused_with_its_outcome, Story) {
  const std::string chain = root_chain();
  set_now(kNow + std::chrono::seconds(1801));
  const Response refused = call("POST", "/v1/delegations",
                                delegation(chain, "support", R"("scopes":["crm.read"])"), kOrchestratorUid);
  BOOST_TEST(refused.status == 403);
  BOOST_TEST(member(refused, "code") == "parent_denied");
  BOOST_TEST(member(refused, "outcome") == "expired");
  BOOST_TEST(member(refused, "step") == "5");
  BOOST_TEST(member(refused, "hop") == "0");
}

/// The orchestrator proves, and asks whether a refund is in order.
struct ProvingStory : Story {
  const std::string chain = root_chain();

  std::string prove(const std::string& more = {}) {
    const Response proof =
        call("POST", "/v1/proofs",
             R"({"chain":)" + chain + R"(,"htm":"POST","htu":"https://api.example.org/refunds")" + more + "}",
             kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(proof.status == 201, proof.body);
    return member(proof, "proof");
  }
  Response verify(const std::string& proof, const std::string& amount, const std::string& htu) {
    return call(
        "POST", "/v1/chains/verify",
        R"({"chain":)" + chain +
            R"(,"request":{"audience":"https://api.example.org","action":{"scope":"payments.refund","params":{"amount":)" +
            amount + R"(}},"dpop":{"proof":")" + proof + R"(","htm":"POST","htu":")" + htu + R"("}}})",
        std::nullopt);
  }
};

BOOST_FIXTURE_TEST_CASE(a_proof_serves_a_full_verification, ProvingStory) {
  const std::string proof = prove();
  const Response good = verify(proof, "500", "https://api.example.org/refunds");
  BOOST_TEST(member(good, "outcome") == "valid");
  BOOST_TEST(member(good, "not_performed") == R"(["replay","custody"])");
  const Response over = verify(proof, "500.01", "https://api.example.org/refunds");
  BOOST_TEST(member(over, "outcome") == "ceiling_exceeded");
  BOOST_TEST(member(over, "step") == "8");
  const Response elsewhere = verify(proof, "1", "https://api.example.org/other");
  BOOST_TEST(member(elsewhere, "outcome") == "holder_binding_failed");
}

BOOST_FIXTURE_TEST_CASE(a_proof_for_one_action_serves_no_other, ProvingStory) {
  const auto digest = action_digest("payments.refund", parse_parameters(R"({"amount":5})").value());
  const std::string proof = prove(R"(,"ada":")" + digest.value() + '"');
  BOOST_TEST(member(verify(proof, "5", "https://api.example.org/refunds"), "outcome") == "valid");
  BOOST_TEST(member(verify(proof, "6", "https://api.example.org/refunds"), "outcome") ==
             "holder_binding_failed");
}

BOOST_FIXTURE_TEST_CASE(proofs_want_a_method_an_absolute_uri_and_a_whole_digest, Story) {
  const std::string chain = root_chain();
  for (const char* rest : {R"("htm":"GE T","htu":"https://a/b")", R"("htm":"GET","htu":"/b")",
                           R"("htm":"GET","htu":"ftp://a/b")", R"("htm":"","htu":"https://a")",
                           R"("htm":"GET","htu":"https://a/b","ada":"AAAA")"}) {
    const Response refused =
        call("POST", "/v1/proofs", R"({"chain":)" + chain + "," + rest + "}", kOrchestratorUid);
    BOOST_TEST(refused.status == 400, refused.body);
  }
}

BOOST_FIXTURE_TEST_CASE(a_retired_agent_neither_acts_nor_receives_and_its_name_is_free, Story) {
  const std::string chain = root_chain();
  BOOST_TEST(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  BOOST_TEST(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 404);
  const Response acts = call("POST", "/v1/delegations",
                             delegation(chain, "support", R"("scopes":["crm.read"])"), kOrchestratorUid);
  BOOST_TEST(member(acts, "code") == "retired");
  BOOST_TEST(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 404);
  create_agent("orchestrator", kOrchestratorUid);
  BOOST_TEST(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 201);
}

struct EndedWhileSigning {
  const char* name;
  const char* retired;  ///< the agent that the operator retires while the device signs
  Response (*ask)(Story& story, const std::string& chain);
};
std::ostream& operator<<(std::ostream& out, const EndedWhileSigning& c) { return out << c.name; }

const std::array kEndedWhileSigning{
    EndedWhileSigning{"the agent that is granted to", "orchestrator",
                      [](Story& story, const std::string&) {
                        return story.call("POST", "/v1/grants", kGrant, kOperatorUid);
                      }},
    EndedWhileSigning{"the agent that delegates", "orchestrator",
                      [](Story& story, const std::string& chain) {
                        return story.call("POST", "/v1/delegations",
                                          delegation(chain, "support", R"("scopes":["crm.read"])"),
                                          kOrchestratorUid);
                      }},
    EndedWhileSigning{"the agent that receives", "support",
                      [](Story& story, const std::string& chain) {
                        return story.call("POST", "/v1/delegations",
                                          delegation(chain, "support", R"("scopes":["crm.read"])"),
                                          kOrchestratorUid);
                      }},
    EndedWhileSigning{"the agent that proves", "orchestrator",
                      [](Story& story, const std::string& chain) {
                        return story.call("POST", "/v1/proofs",
                                          R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})",
                                          kOrchestratorUid);
                      }},
};

BOOST_DATA_TEST_CASE(what_is_signed_for_an_agent_that_ends_meanwhile_is_not_answered,
                     data::make(kEndedWhileSigning), c) {
  Story story;
  const std::string chain = story.root_chain();
  const auto before = story.store().counts();
  story.retire_while_signing(c.retired);
  const Response refused = c.ask(story, chain);
  BOOST_TEST(refused.status == 409, refused.body);
  BOOST_TEST(OfficeFixture::member(refused, "code") == "retired");
  const auto after = story.store().counts();
  BOOST_TEST(after->tokens == before->tokens);
  BOOST_TEST(after->audit_entries ==
             before->audit_entries + 3);  // the retirement, its key's end, the refusal
}

BOOST_FIXTURE_TEST_CASE(registering_a_name_twice_is_a_conflict_and_makes_no_key, Story) {
  const Response again =
      call("POST", "/v1/agents", R"({"name":"support","selectors":{"uid":7}})", kOperatorUid);
  BOOST_TEST(again.status == 409);
  BOOST_TEST(member(again, "code") == "conflict");
}

struct RefusedAgent {
  const char* name;
  const char* body;
};
std::ostream& operator<<(std::ostream& out, const RefusedAgent& c) { return out << c.name; }

constexpr std::array kRefusedAgents{
    RefusedAgent{"upper case", R"({"name":"Support","selectors":{"uid":1}})"},
    RefusedAgent{"leading dot", R"({"name":".x","selectors":{"uid":1}})"},
    RefusedAgent{"slash", R"({"name":"a/b","selectors":{"uid":1}})"},
    RefusedAgent{
        "64 characters",
        R"({"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","selectors":{"uid":1}})"},
    RefusedAgent{"no selectors", R"({"name":"x"})"},
    RefusedAgent{"empty selectors", R"({"name":"x","selectors":{}})"},
    RefusedAgent{"executable alone", R"({"name":"x","selectors":{"executable":"/bin/true"}})"},
    RefusedAgent{"empty executable", R"({"name":"x","selectors":{"uid":1,"executable":""}})"},
    RefusedAgent{"empty hash", R"({"name":"x","selectors":{"uid":1,"executable_sha256":""}})"},
    RefusedAgent{"empty unit", R"({"name":"x","selectors":{"uid":1,"unit":""}})"},
    RefusedAgent{"relative executable", R"({"name":"x","selectors":{"uid":1,"executable":"true"}})"},
    RefusedAgent{"short hash", R"({"name":"x","selectors":{"uid":1,"executable_sha256":"00"}})"},
    RefusedAgent{"negative uid", R"({"name":"x","selectors":{"uid":-1}})"},
    RefusedAgent{"uid that means nobody", R"({"name":"x","selectors":{"uid":4294967295}})"},
    RefusedAgent{"unknown backend", R"({"name":"x","backend":"hsm9","selectors":{"uid":1}})"},
};

BOOST_DATA_TEST_CASE(a_refused_registration_says_why, data::make(kRefusedAgents), c) {
  OfficeFixture fixture;
  const Response refused = fixture.call("POST", "/v1/agents", c.body, kOperatorUid);
  BOOST_TEST(refused.status == 400, refused.body);
  BOOST_TEST(fixture.store().counts()->active_agents == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_away_answers_503_and_nothing_is_done, Story) {
  make_own_keys();
  const std::string chain = root_chain();
  auto expected = store().counts();
  ++expected->audit_entries;  // the failure's
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  const Response refused = call("POST", "/v1/delegations",
                                delegation(chain, "support", R"("scopes":["crm.read"])"), kOrchestratorUid);
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(member(refused, "code") == "device_unavailable");
  BOOST_TEST((*store().counts() == *expected));
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 503);
  device().fail_with(std::nullopt);
  set_now(kNow + std::chrono::seconds(1));
  BOOST_TEST(call("POST", "/v1/delegations", delegation(chain, "support", R"("scopes":["crm.read"])"),
                  kOrchestratorUid)
                 .status == 201);
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
}

BOOST_FIXTURE_TEST_CASE(an_agent_whose_key_is_lost_is_marked_so_everywhere, Story) {
  make_own_keys();
  const std::string chain = root_chain();
  const auto before = store().counts();
  device().fail_with(Error{ErrorCode::kKeyLost, "cleared"});
  const std::string proof = R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})";
  const Response refused = call("POST", "/v1/proofs", proof, kOrchestratorUid);
  BOOST_TEST(refused.status == 409);
  BOOST_TEST(member(refused, "code") == "key_lost");
  device().fail_with(std::nullopt);

  BOOST_TEST(member(call("GET", "/v1/agents/orchestrator", "", kOperatorUid), "state") == "lost");
  const auto entries = store().audit_tail(2);
  BOOST_REQUIRE(entries);
  BOOST_TEST(entries->front().sequence == before->audit_entries + 1);
  BOOST_TEST(entries->front().json.find(R"("action":"key.lost")") != std::string::npos);
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.status == 503);
  BOOST_TEST(readiness.body.find("agents: 1 with a lost or revoked key") != std::string::npos,
             readiness.body);
  BOOST_TEST(readiness.body.find("orchestrator") == std::string::npos);
  // Known now, it is refused before the device is asked.
  const auto signatures = device().signatures();
  const Response delegated = call("POST", "/v1/delegations",
                                  delegation(chain, "support", R"("scopes":["crm.read"])"), kOrchestratorUid);
  BOOST_TEST(member(delegated, "code") == "key_lost");
  BOOST_TEST(device().signatures() == signatures);

  set_now(kNow + std::chrono::seconds(1));
  BOOST_TEST(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_key_lost_while_delegating_marks_the_holder_and_not_the_receiver, Story) {
  const std::string chain = root_chain();
  device().fail_with(Error{ErrorCode::kKeyLost, "cleared"});
  const std::string body = delegation(chain, "support", R"("scopes":["crm.read"])");
  BOOST_TEST(member(call("POST", "/v1/delegations", body, kOrchestratorUid), "code") == "key_lost");
  BOOST_TEST(member(call("GET", "/v1/agents/orchestrator", "", kOperatorUid), "state") == "lost");
  BOOST_TEST(member(call("GET", "/v1/agents/support", "", kOperatorUid), "state") == "active");
}

BOOST_FIXTURE_TEST_CASE(a_busy_device_answers_429_with_retry_after, Story) {
  const std::string chain = root_chain();
  device().fail_with(Error{ErrorCode::kDeviceBusy, "busy"});
  const Response refused =
      call("POST", "/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})",
           kOrchestratorUid);
  BOOST_TEST(refused.status == 429);
  BOOST_TEST(
      std::ranges::any_of(refused.headers, [](const auto& header) { return header.first == "Retry-After"; }));
}

BOOST_FIXTURE_TEST_CASE(every_effect_leaves_an_audit_entry_without_tokens, Story) {
  const std::string chain = root_chain();
  BOOST_REQUIRE(call("POST", "/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})",
                     kOrchestratorUid)
                    .status == 201);
  const auto entries = store().audit_after(0, 100);
  BOOST_REQUIRE(entries);
  std::vector<std::string> actions;
  for (const store::AuditRecord& entry : *entries) {
    const auto document = json::Document::parse(entry.json);
    BOOST_REQUIRE(document);
    BOOST_TEST(document->canonical());
    for (const char* name : {"action", "at", "caller", "details", "ids", "outcome", "v"}) {
      BOOST_TEST(document->root().find(name) != nullptr, entry.json);
    }
    actions.emplace_back(document->root().find("action")->string().value_or(""));
    BOOST_TEST(entry.json.find("eyJ") == std::string::npos);
  }
  const std::vector<std::string> expected{"counter.advance", "audit_key.create", "agent.create",
                                          "agent.create",    "agent.create",     "issuer_key.create",
                                          "token.grant",     "proof.create"};
  BOOST_TEST(actions == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(agents_are_listed_in_pages, Story) {
  const Response first = call("GET", "/v1/agents?limit=2", "", kOperatorUid);
  BOOST_TEST(first.status == 200);
  const std::string next = member(first, "next");
  BOOST_TEST(!next.empty());
  const Response second = call("GET", "/v1/agents?limit=2&after=" + next, "", kOperatorUid);
  BOOST_TEST(second.body.find("lookup") != std::string::npos);
  BOOST_TEST(member(second, "next").empty());
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "limit=", "offset=3", "limit=2&"}) {
    const Response page = call("GET", std::string("/v1/agents?") + query, "", kOperatorUid);
    BOOST_TEST(page.status == (std::string_view(query) == "limit=2&" ? 200 : 400), query);
  }
}

struct UnknownTarget {
  const char* method;
  const char* path;
  int status;
};
std::ostream& operator<<(std::ostream& out, const UnknownTarget& c) {
  return out << c.method << " " << c.path;
}

constexpr std::array kUnknownTargets{
    UnknownTarget{"GET", "/", 404},           UnknownTarget{"GET", "/v1", 404},
    UnknownTarget{"GET", "/v1/agents/", 404}, UnknownTarget{"GET", "/v1/agents/a/b", 404},
    UnknownTarget{"PUT", "/v1/agents", 405},  UnknownTarget{"GET", "/v1/chains/verify", 405},
    UnknownTarget{"DELETE", "/healthz", 405}, UnknownTarget{"GET", "/healthz/", 404},
};

BOOST_DATA_TEST_CASE(unknown_targets_are_told_apart_from_wrong_methods, data::make(kUnknownTargets), c) {
  OfficeFixture fixture;
  const Response answer = fixture.call(c.method, c.path, "", kOperatorUid);
  BOOST_TEST(answer.status == c.status);
  const bool allows =
      std::ranges::any_of(answer.headers, [](const auto& header) { return header.first == "Allow"; });
  BOOST_TEST(allows == (c.status == 405));
}

BOOST_FIXTURE_TEST_CASE(the_trust_anchor_is_published_and_verifies_our_chains, Story) {
  const std::string chain = root_chain();
  const Response keys = call("GET", "/.well-known/jwks.json", "", std::nullopt);
  BOOST_REQUIRE(keys.status == 200);
  const Response list = call("GET", "/v1/status-lists/1", "", std::nullopt);
  BOOST_REQUIRE(list.status == 200);
  const Response status_keys = call("GET", "/.well-known/status-jwks.json", "", std::nullopt);
  auto trust =
      TrustConfig::parse(R"({"anchors":[{"iss":"https://issuer.example","keys":)" + member(keys, "keys") +
                         R"(,"status":{"keys":)" + member(status_keys, "keys") + "}}]}");
  BOOST_REQUIRE_MESSAGE(trust, keys.body);
  trust->status_lists = {{"https://issuer.example/v1/status-lists/1", list.body, kNow}};
  const auto document = json::Document::parse(chain);
  const std::string token(*document->root().items().front().string());
  const std::array<std::string_view, 1> tokens{token};
  const TrustSnapshot snapshot(*std::move(trust));
  BOOST_TEST(verify_chain(tokens, snapshot, kNow).valid());
  BOOST_TEST(member(call("GET", "/.well-known/oauth-authorization-server", "", std::nullopt), "issuer") ==
             "https://issuer.example");
}

BOOST_FIXTURE_TEST_CASE(explanations_come_as_json_or_text, Story) {
  rest::Request request;
  const std::string body = R"({"chain":)" + root_chain() + "}";
  const Response json = call("POST", "/v1/chains/explain", body, std::nullopt);
  BOOST_TEST(json.content_type == "application/json");
  BOOST_TEST(member(json, "outcome") == "valid");
  BOOST_TEST(member(json, "hops").find("orchestrator") != std::string::npos);
}

}  // namespace chancery::tests
