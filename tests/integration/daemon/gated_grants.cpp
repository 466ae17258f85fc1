// Grants of scopes behind a gate that the TPM enforces: the daemon alone cannot sign them, and an approver's signature is for one token.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kGate = R"([grants]
scopes = ["payments.refund", "crm.read"]
[[gate]]
name = "refunds"
scopes = ["payments.refund"]
approvers = ["user:bob@example.org"]
enforcement = "tpm"
)";

/// A daemon whose TPM keeps refunds behind a gate, an agent, and bob with a key of his own.
struct Gated {
  Gated() {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    Enrolment enrolment;
    enrolment.principal = "user:bob@example.org";
    enrolment.key = bob.public_key();
    enrolment.kind = "file";
    const Client client = daemon.client();
    answered(ApprovalClient(client).enroll({enrolment_document(enrolment), {}}));
  }

  static api::CreateGrant refunds() {
    api::CreateGrant request = grant_to("orchestrator");
    request.authority = {};
    request.authority.scopes = {"payments.refund"};
    return request;
  }

  [[nodiscard]] api::Gate gate() const {
    const Client client = daemon.client();
    const auto gates = answered(ApprovalClient(client).gates()).gates;
    BOOST_REQUIRE(gates.size() == 1u);
    return gates.front();
  }

  static std::string member(const std::string& json, std::string_view name) {
    const auto document = json::Document::parse(json);
    BOOST_REQUIRE(document);
    const json::Value* const value = document->root().find(name);
    BOOST_REQUIRE_MESSAGE(value != nullptr, json);
    return std::string(value->string().value_or(value->source()));
  }

  /// What bob signs so that the TPM signs this and nothing else.
  [[nodiscard]] std::string for_tpm(const std::string& signing_input) const {
    const auto name = hex_decode_exactly<std::tuple_size_v<attest::Name>>(gate().key_name);
    BOOST_REQUIRE(name);
    const Bytes input = attest::policy_signature_input(*name, as_bytes(signing_input), "refunds");
    const auto signature = bob.sign(input);
    BOOST_REQUIRE(signature);
    return base64url_encode(*signature);
  }

  [[nodiscard]] ClientResult<api::DecidedApproval> approve(const api::PendingApproval& request,
                                                           const std::string& policy_signature) const {
    ApprovalDecision decision;
    decision.approver = "user:bob@example.org";
    decision.request = request.id;
    decision.request_sha256 = request.sha256;
    decision.verdict = ApprovalVerdict::kApprove;
    decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    decision.key = bob.public_key().thumbprint();
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    const auto signature = bob.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    const Client client = daemon.client();
    return ApprovalClient(client).decide(request.id, {signed_by_key(input, *signature), policy_signature});
  }

  [[nodiscard]] std::string verdict_of(const std::vector<std::string>& chain) const {
    return answered(daemon.client().verify({chain, {}, {}})).outcome;
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kGate}};
  SigningKey bob = SigningKey::generate(Algorithm::kES256).value();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated_grants)

BOOST_FIXTURE_TEST_CASE(a_grant_behind_the_gate_waits_and_is_signed_under_the_approvers_signature, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  BOOST_TEST(asked.chain.empty());
  BOOST_TEST(member(asked.approval->document, "kind") == "grant");
  const std::string input = member(asked.approval->document, "unsigned_token");
  BOOST_TEST(std::ranges::count(input, '.') == 1);
  BOOST_TEST(answered(daemon.client().grant(refunds())).approval->id == asked.approval->id);

  const auto decided = approve(*asked.approval, for_tpm(input));
  BOOST_REQUIRE_MESSAGE(decided, (decided ? "" : decided.error().detail));
  BOOST_TEST(decided->state == "approved");
  BOOST_TEST(decided->enforcement == api::kTpmEnforced);

  const api::Grant granted = answered(daemon.client().grant(refunds()));
  BOOST_TEST(!granted.approval);
  BOOST_REQUIRE(granted.chain.size() == 1u);
  BOOST_TEST(granted.chain.front().starts_with(input + "."));
  BOOST_TEST(verdict_of(granted.chain) == "valid");

  const api::Grant again = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(again.approval);
  BOOST_TEST(again.approval->id != asked.approval->id);
}

BOOST_FIXTURE_TEST_CASE(without_a_signature_for_the_tpm_nothing_is_approved, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  BOOST_TEST(!approve(*asked.approval, {}));
  BOOST_TEST(answered(daemon.client().grant(refunds())).approval->id == asked.approval->id);
}

BOOST_FIXTURE_TEST_CASE(a_signature_for_another_token_signs_nothing, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  const std::string input = member(asked.approval->document, "unsigned_token");
  // Whether the daemon finds that out when it is sent, or the TPM when it is to sign: there is no grant.
  const auto decided = approve(*asked.approval, for_tpm(input + "x"));
  const auto granted = daemon.client().grant(refunds());
  BOOST_TEST((!granted || granted->chain.empty()));
  if (decided) BOOST_TEST(!granted);
}

BOOST_FIXTURE_TEST_CASE(other_scopes_are_granted_as_ever_and_never_together_with_these, Gated) {
  api::CreateGrant request = refunds();
  request.authority.scopes = {"crm.read"};
  const api::Grant granted = answered(daemon.client().grant(request));
  BOOST_TEST(!granted.approval);
  BOOST_TEST(verdict_of(granted.chain) == "valid");
  request.authority.scopes = {"crm.read", "payments.refund"};
  const auto both = daemon.client().grant(request);
  BOOST_REQUIRE(!both);
  BOOST_TEST(both.error().code == "invalid_argument");
}

BOOST_FIXTURE_TEST_CASE(what_keys_may_grant_is_published_for_who_trusts_them, Gated) {
  (void)answered(daemon.client().grant(refunds()));
  const api::Gate found = gate();
  BOOST_TEST(found.enforcement == api::kTpmEnforced);
  BOOST_TEST(!found.key.empty());
  const auto metadata = answered(daemon.client().metadata());
  const std::string ceilings = member(metadata.json, "grant_ceilings");
  BOOST_TEST(member(ceilings, "scopes") == R"(["chancery.*","crm.read"])");
  BOOST_TEST(ceilings.find(R"("scopes":["payments.refund"])") != std::string::npos, ceilings);
  for (const PublicKey& key : answered(daemon.client().jwks()).keys)
    BOOST_TEST(found.key.find(key.jwk()) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
