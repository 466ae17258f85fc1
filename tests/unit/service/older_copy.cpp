// What a daemon does, and does not, while its store is known to be an older copy.

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/rest/routes.hpp"
#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

constexpr std::string_view kChain = "CHAIN";
constexpr std::string_view kProof = "PROOF";
constexpr std::string_view kDecision = "DECISION";

std::string with(std::string text, std::string_view what, const std::string& value) {
  const std::size_t at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), value);
}

/// What was there when the counter moved on elsewhere.
struct OlderCopy : EnforcementFixture {
  std::string chain = budget_chain();
  std::string proof = proof_of(chain, kOrchestratorUid);
  std::string decision =
      member(ask_refund(chain, kOrchestratorUid, "10", R"(,"reserve_s":600)"), "decision_id");

  OlderCopy() {
    make_own_keys();
    BOOST_REQUIRE(counter().advance({}));
    spending().tick(kNow + std::chrono::minutes(10));
    BOOST_REQUIRE((spending().state() == service::Spending::State::kHalted));
  }

  Response send(const std::string& method, const std::string& path, const std::string& body,
                std::uint32_t uid) {
    return call(method, with(path, kDecision, decision), with(with(body, kChain, chain), kProof, proof), uid);
  }
  Response accept(const std::string& body) { return call("POST", "/v1/budget/accept", body, kOperatorUid); }
  Response delegate() {
    return call("POST", "/v1/delegations",
                R"({"chain":)" + chain + R"(,"to":"support","scopes":["crm.read"]})", kOrchestratorUid);
  }
  std::string outcome() {
    return member(call("POST", "/v1/chains/verify", R"({"chain":)" + chain + "}", kOperatorUid), "outcome");
  }
  std::size_t entries(const std::string& action) { return audit_texts_of(store(), action).size(); }
};

struct Row {
  const char* method;
  const char* pattern;
  const char* path;
  const char* body;
  std::uint32_t uid;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.method << " " << row.path; }

// What would issue, decide, prove or sign.
constexpr std::array kHalted{
    Row{"POST", "/v1/agents/{name}/unfreeze", "/v1/agents/support/unfreeze", "{}", kOperatorUid},
    Row{"POST", "/v1/approvals/{name}/decision", "/v1/approvals/x/decision", R"({"decision":"a.b.c"})",
        kOperatorUid},
    Row{"POST", "/v1/approvers", "/v1/approvers", R"({"enrolment":{}})", kOperatorUid},
    Row{"POST", "/v1/audit/checkpoints", "/v1/audit/checkpoints", "", kOperatorUid},
    Row{"POST", "/v1/authorize", "/v1/authorize",
        R"({"chain":CHAIN,"proof":"PROOF","method":"POST","uri":"https://api.example.org/refunds",)"
        R"("audience":"https://api.example.org","action":{"scope":"crm.read"}})",
        kOperatorUid},
    Row{"POST", "/v1/decisions/{name}/release", "/v1/decisions/DECISION/release", "", kOperatorUid},
    Row{"POST", "/v1/decisions/{name}/settle", "/v1/decisions/DECISION/settle", "{}", kOperatorUid},
    Row{"POST", "/v1/delegations", "/v1/delegations",
        R"({"chain":CHAIN,"to":"support","scopes":["crm.read"]})", kOrchestratorUid},
    Row{"POST", "/v1/freeze/arm", "/v1/freeze/arm", "{}", kOperatorUid},
    Row{"POST", "/v1/freeze/lift", "/v1/freeze/lift", "{}", kOperatorUid},
    Row{"POST", "/v1/grants", "/v1/grants",
        R"({"principal":"user:a","agent":"support","audience":"https://a","scopes":["crm.read"],"lifetime_s":60})",
        kOperatorUid},
    Row{"POST", "/v1/incidents", "/v1/incidents", R"({"agent":"support"})", kOperatorUid},
    Row{"POST", "/v1/join-tokens", "/v1/join-tokens", R"({"agent":"orchestrator","chain":CHAIN})",
        kOperatorUid},
    Row{"POST", "/v1/operators", "/v1/operators",
        R"({"name":"x","jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"})", kOperatorUid},
    Row{"POST", "/v1/permits", "/v1/permits",
        R"({"chain":CHAIN,"proof":"PROOF","method":"POST","uri":"https://tools.example/v1/tools/refund",)"
        R"("audience":"https://tools.example","action":{"scope":"payments.refund"},"tool":"refund",)"
        R"("arguments_sha256":"00"})",
        kSupportUid},
    Row{"POST", "/v1/permits/{name}/credential", "/v1/permits/x/credential", "", kSupportUid},
    Row{"POST", "/v1/proofs", "/v1/proofs", R"({"chain":CHAIN,"htm":"GET","htu":"https://a/"})",
        kOrchestratorUid},
    Row{"POST", "/v1/receipts", "/v1/receipts", R"({"permits":["x"]})", kSupportUid},
    Row{"POST", "/v1/sessions", "/v1/sessions", R"({"chain":CHAIN,"key_proof":"a.b.c"})", kOrchestratorUid},
    Row{"GET", "/v1/status-lists/{name}", "/v1/status-lists/1", "", kOperatorUid},
};

// For callers of whom this daemon's chains tell who they are, which are of unknown status; and what ends with a signature of
// the daemon's, for which the keys are asked below.
constexpr std::array<std::string_view, 8> kByChainOrKey{"/v1/join",
                                                        "/v1/token",
                                                        "/v1/introspect",
                                                        "/v1/revoke",
                                                        "/v1/attestation/evidence",
                                                        "/v1/attestation/hosts",
                                                        "/v1/attestation/results/{name}",
                                                        "/v1/keys/{name}/certify"};

// What is there for people and for what ends authority, and what changes nothing.
constexpr std::array<std::string_view, 51> kGoesOn{
    "/.well-known/attestation-jwks.json",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/status-jwks.json",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/v1/agents",
    "/v1/agents/{name}",
    "/v1/agents/{name}/freeze",
    "/v1/agents/{name}/keys",
    "/v1/agents/{name}/reenroll",
    "/v1/agents/{name}/rotate",
    "/v1/attestation/challenge",
    "/v1/attestation/hosts/{name}",
    "/v1/attestation/hosts/{name}/approve",
    "/v1/attestation/keys",
    "/v1/attestation/keys/rotate",
    "/v1/audit/checkpoint",
    "/v1/audit/checkpoints",
    "/v1/audit/consistency",
    "/v1/audit/entries",
    "/v1/audit/entries/{name}",
    "/v1/audit/inclusion",
    "/v1/audit/keys",
    "/v1/audit/keys/rotate",
    "/v1/backends",
    "/v1/backends/{name}",
    "/v1/backends/{name}/activate",
    "/v1/backends/{name}/adopt",
    "/v1/backends/{name}/identity",
    "/v1/backends/{name}/measurements",
    "/v1/backups",
    "/v1/budget",
    "/v1/budget/accept",
    "/v1/chains/explain",
    "/v1/chains/verify",
    "/v1/anomalies",
    "/v1/drills",
    "/v1/drills/{name}",
    "/v1/freeze",
    "/v1/impact",
    "/v1/issuer/keys",
    "/v1/issuer/rotate",
    "/v1/keys/{name}/revoke",
    "/v1/overview",
    "/v1/process",
    "/v1/revocations",
    "/v1/status-keys",
};
constexpr std::array<std::string_view, 24> kGoesOnToo{"/v1/approvals",
                                                      "/v1/approvals/{name}",
                                                      "/v1/approver-keys/{name}/revoke",
                                                      "/v1/approvers",
                                                      "/v1/approvers/{name}",
                                                      "/v1/gates",
                                                      "/v1/permits/{name}/result",
                                                      "/v1/tool-refusals",
                                                      "/v1/credentials",
                                                      "/v1/credentials/{name}",
                                                      "/v1/credentials/{name}/activate",
                                                      "/v1/credentials/{name}/change",
                                                      "/v1/credentials/{name}/revoke",
                                                      "/v1/credentials/{name}/rotate",
                                                      "/v1/issuers",
                                                      "/v1/issuers/{name}/consent",
                                                      "/v1/issuers/{name}/consented",
                                                      "/v1/vault/reset",
                                                      "/.well-known/webhook-jwks.json",
                                                      "/v1/status-keys/rotate",
                                                      "/v1/suspensions",
                                                      "/v1/suspensions/{name}/lift",
                                                      "/v1/webhook/keys",
                                                      "/v1/webhook/keys/rotate"};

// The console: its page, signing in and out, questions to passkeys. What is done by it is done by the routes above.
constexpr std::array<std::string_view, 18> kConsole{"/ui",
                                                    "/ui/",
                                                    "/ui/assets/{name}",
                                                    "/ui/authorizations",
                                                    "/ui/confirmations",
                                                    "/ui/decisions",
                                                    "/ui/passkeys",
                                                    "/ui/passkeys/options",
                                                    "/ui/session",
                                                    "/ui/session/challenge",
                                                    "/ui/session/passkey",
                                                    "/ui/{name}",
                                                    "/v1/console/agents",
                                                    "/v1/console/agents/{name}",
                                                    "/v1/console/approvals/{name}",
                                                    "/v1/console/audit",
                                                    "/v1/console/chains/{name}",
                                                    "/v1/console/links"};

bool has(std::span<const std::string_view> patterns, std::string_view pattern) {
  return std::ranges::find(patterns, pattern) != patterns.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(older_copy)

BOOST_DATA_TEST_CASE_F(OlderCopy, nothing_is_issued_decided_proved_or_signed,
                       boost::unit_test::data::make(kHalted), row) {
  const Response refused = send(row.method, row.path, row.body, row.uid);
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "spending_halted");
}

BOOST_DATA_TEST_CASE_F(OlderCopy, the_same_is_done_once_it_is_accepted, boost::unit_test::data::make(kHalted),
                       row) {
  BOOST_REQUIRE(accept(R"({"tokens":"keep"})").status == 200);
  BOOST_TEST(member(send(row.method, row.path, row.body, row.uid), "code") != "spending_halted");
}

// A route that is new says where it belongs.
BOOST_AUTO_TEST_CASE(every_route_is_known_to_be_refused_or_to_go_on) {
  for (const rest::Route& route : rest::routes()) {
    const bool is_refused = std::ranges::any_of(
        kHalted, [&](const Row& row) { return route.method == row.method && route.pattern == row.pattern; });
    const bool goes_on =
        has(kGoesOn, route.pattern) || has(kGoesOnToo, route.pattern) || has(kConsole, route.pattern);
    BOOST_TEST((is_refused || goes_on || has(kByChainOrKey, route.pattern)),
               route.method << " " << route.pattern);
  }
}

BOOST_FIXTURE_TEST_CASE(no_key_of_the_daemons_own_signs, OlderCopy) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (service::DaemonKeys* const keys :
       {&office().issuer, &office().statuses.keys, &office().attestation.keys, &office().audit.keys}) {
    const auto key = keys->current(kNow, deadline);
    BOOST_REQUIRE(key);
    const auto signature = keys->sign(*key, as_bytes("anything"), kNow, deadline);
    BOOST_REQUIRE(!signature);
    BOOST_TEST((signature.error().code == ErrorCode::kSpendingHalted));
  }
}

BOOST_FIXTURE_TEST_CASE(own_chains_are_of_unknown_status_until_it_is_accepted, OlderCopy) {
  BOOST_TEST(outcome() == "status_unknown");
  BOOST_REQUIRE(accept(R"({"tokens":"keep"})").status == 200);
  BOOST_TEST(outcome() == "valid");
}

BOOST_FIXTURE_TEST_CASE(what_ends_authority_and_what_only_reads_goes_on, OlderCopy) {
  BOOST_TEST(call("POST", "/v1/revocations", R"({"agent":"support"})", kOperatorUid).status == 201);
  BOOST_TEST(call("GET", "/v1/agents", "", kOperatorUid).status == 200);
  BOOST_TEST(call("GET", "/v1/audit/entries", "", kOperatorUid).status == 200);
  BOOST_TEST(call("POST", "/v1/backups", "{}", kOperatorUid).status == 201);
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 503);
}

BOOST_FIXTURE_TEST_CASE(it_is_not_accepted_without_saying_what_becomes_of_tokens, OlderCopy) {
  for (const char* body : {"", "{}", R"({"tokens":"maybe"})"}) {
    const Response refused = accept(body);
    BOOST_TEST(refused.status == 400, refused.body);
  }
  BOOST_TEST((spending().state() == service::Spending::State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(tokens_that_are_kept_count_again, OlderCopy) {
  BOOST_REQUIRE(accept(R"({"tokens":"keep"})").status == 200);
  BOOST_TEST(delegate().status == 201);
  BOOST_TEST(entries("log.rename") == 1u);
  BOOST_TEST(entries("key.revoke") == 0u);
}

BOOST_FIXTURE_TEST_CASE(tokens_that_are_ended_end_with_the_key_that_issued_them, OlderCopy) {
  BOOST_REQUIRE(accept(R"({"tokens":"end"})").status == 200);
  BOOST_TEST(outcome() != "valid");
  BOOST_TEST(member(delegate(), "code") == "parent_denied");
  BOOST_TEST(entries("key.revoke") == 1u);
  auto kept = store::Database::open(database());
  BOOST_REQUIRE(kept);
  BOOST_TEST(kept->number("SELECT count(*) FROM status_acts WHERE target = '*' AND tokens > 0").value() == 1);
  BOOST_TEST(kept->number("SELECT count(*) FROM tokens t WHERE NOT EXISTS "
                          "(SELECT 1 FROM status_marks m WHERE m.token = t.seq)")
                 .value() == 0);
  BOOST_TEST(call("POST", "/v1/issuer/rotate", "{}", kOperatorUid).status == 200);
  chain = budget_chain();
  BOOST_TEST(outcome() == "valid");
}

BOOST_FIXTURE_TEST_CASE(nobody_else_can_name_everybody, OlderCopy) {
  BOOST_TEST(call("POST", "/v1/revocations", R"({"principal":"*"})", kOperatorUid).status == 400);
}

BOOST_AUTO_TEST_SUITE_END()

// --- copies

namespace {

struct Shelf : OfficeFixture {
  std::vector<std::string> copies() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(database().parent_path() / "backups"))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_copy_is_whole_private_and_described, Shelf) {
  create_agent("support", kSupportUid);
  const Response made = call("POST", "/v1/backups", "{}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  const std::filesystem::path path = member(made, "path");
  BOOST_TEST(path.filename().string() == member(made, "name"));
  BOOST_TEST(std::to_string(std::filesystem::file_size(path)) == member(made, "octets"));
  BOOST_TEST((std::filesystem::status(path).permissions() == std::filesystem::perms(0600)));
  auto copy = store::Database::open(path);
  BOOST_REQUIRE(copy);
  BOOST_TEST(copy->is_sound().value());
  BOOST_TEST(copy->number("SELECT count(*) FROM agents").value() == 1);
  BOOST_TEST(std::to_string(copy->number("SELECT count(*) FROM audit").value()) == member(made, "entries"));
}

BOOST_AUTO_TEST_CASE(whoever_restores_knows_the_forms_that_the_daemon_knows) {
  BOOST_TEST(store::migrations().size() == static_cast<std::size_t>(api::kNewestSchema));
}

BOOST_FIXTURE_TEST_CASE(the_newest_two_copies_are_kept_and_nothing_else, Shelf) {
  std::vector<std::string> made;
  for (int i = 0; i < 4; ++i) {
    set_now(kNow + std::chrono::seconds(i));
    made.push_back(member(call("POST", "/v1/backups", "{}", kOperatorUid), "name"));
  }
  BOOST_TEST(copies() == std::vector<std::string>({made[2], made[3]}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_copy_stays_that_was_made_after_the_clock_was_set_back, Shelf) {
  std::vector<std::string> made;
  for (const int second : {100, 101, 0}) {
    set_now(kNow + std::chrono::seconds(second));
    made.push_back(member(call("POST", "/v1/backups", "{}", kOperatorUid), "name"));
  }
  BOOST_TEST(copies() == std::vector<std::string>({made[2], made[1]}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(only_an_operator_has_copies_made, Shelf) {
  BOOST_TEST(call("POST", "/v1/backups", "{}", kSupportUid).status == 403);
  BOOST_TEST(!std::filesystem::exists(database().parent_path() / "backups"));
}

}  // namespace chancery::tests
