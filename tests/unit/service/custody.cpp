// Requirements on where keys live, through the router: what is asked, what is told, and whose word counts.

#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

const SigningKey& verifier() {
  static const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  return key;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

AttestationResult about_holder(const std::string& compact) {
  return result_about(Token::parse(compact).value().claims().holder);
}

/// One with a key for each purpose that there is.
OfficeFixture::Extension believing_the_verifier() {
  OfficeFixture::Extension extension;
  extension.verifiers = {verifier().public_key()};
  extension.webhook.url = "https://alerts.example.org/";
  return extension;
}

/// An office that believes one verifier, a grant of it, and who asks about it.
struct CustodyFixture : OfficeFixture {
  CustodyFixture() : OfficeFixture(believing_the_verifier()) {
    create_story_agents();
    change_policy([](service::Policy& policy) { policy.public_urls = {kIssuerUrl}; });
    const Response granted = call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"support","audience":"https://api.example.org",)"
        R"("scopes":["crm.read"],"lifetime_s":1800,"depth":2})",
        kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    chain = chain_of(granted);
    leaf = ChainCallers::texts(chain).back();
    good = sign_result(about_holder(leaf), verifier());
  }
  Response verify(const std::string& terms, const std::string& path = "/v1/chains/verify") {
    return call("POST", path, R"({"chain":)" + chain + terms + "}", std::nullopt);
  }
  static std::string results(const std::string& compact) {
    return R"(,"attestation_results":[")" + compact + R"("])";
  }

  std::string chain;
  std::string leaf;
  std::string good;  ///< result about the key of its holder
};

constexpr const char* kHardware = R"(,"require_custody":"hardware")";

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_requirement_is_met_by_results_that_come_with_the_chain, CustodyFixture) {
  const Response met = verify(kHardware + results(good));
  BOOST_TEST(member(met, "outcome") == "valid", met.body);
  BOOST_TEST(member(met, "not_performed") == R"(["holder_binding","action"])");
  BOOST_TEST(member(met, "custody").find(R"("how":"vouched")") != std::string::npos);
  BOOST_TEST(member(met, "custody").find(R"("level":"tpm-certified")") != std::string::npos);
  BOOST_TEST(member(met, "custody").find(R"("reset_count":7)") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(an_unmet_requirement_is_named_with_its_step_and_token, CustodyFixture) {
  const Response unmet = verify(kHardware);
  BOOST_TEST(member(unmet, "outcome") == "custody_unproven", unmet.body);
  BOOST_TEST(member(unmet, "step") == "custody");
  BOOST_TEST(member(unmet, "hop") == "0");
  BOOST_TEST(member(unmet, "custody").find(R"("how":"unproven")") != std::string::npos);
  const Response explained = verify(kHardware, "/v1/chains/explain");
  BOOST_TEST(member(explained, "outcome") == "custody_unproven", explained.body);
}

// A daemon's word about its own keys proves nothing beyond itself, whichever of its keys it gives it by.
BOOST_FIXTURE_TEST_CASE(the_daemons_own_keys_vouch_for_nothing, CustodyFixture) {
  const hsm::Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (const std::string_view owner : store::kDaemonOwners) {
    service::DaemonKeys& keys = service::daemon_keys(office(), owner);
    const auto key = keys.current(kNow, deadline);
    BOOST_REQUIRE(key);
    const std::string input = attestation_result_signing_input(about_holder(leaf), key->stored.public_key);
    const auto signature = keys.sign(*key, as_bytes(input), kNow, deadline);
    BOOST_REQUIRE(signature);
    const Response unmet = verify(kHardware + results(input + "." + base64url_encode(*signature)));
    BOOST_TEST(member(unmet, "outcome") == "custody_unproven", owner << ": " << unmet.body);
    BOOST_TEST(member(unmet, "ignored_results").find(R"("index":0)") != std::string::npos, owner);
  }
}

BOOST_FIXTURE_TEST_CASE(results_without_a_requirement_are_told_and_deny_nothing, CustodyFixture) {
  const Response told = verify(results(good));
  BOOST_TEST(member(told, "outcome") == "valid", told.body);
  BOOST_TEST(member(told, "not_performed") == R"(["holder_binding","action","custody"])");
  BOOST_TEST(member(told, "custody").find("vouched") != std::string::npos);
  BOOST_TEST(member(verify(""), "custody").empty());
}

BOOST_FIXTURE_TEST_CASE(evidence_may_have_to_be_recent, CustodyFixture) {
  const std::string terms = kHardware + results(good);
  BOOST_TEST(member(verify(terms + R"(,"custody_max_age_s":120)"), "outcome") == "valid");
  BOOST_TEST(member(verify(terms + R"(,"custody_max_age_s":119)"), "outcome") == "custody_unproven");
}

BOOST_FIXTURE_TEST_CASE(terms_that_cannot_be_read_are_refused_with_what_to_write, CustodyFixture) {
  const std::string many = R"(,"attestation_results":["x")" + [] {
    std::string more;
    for (std::size_t i = 0; i < kMaxAttestationResults; ++i) more += R"(,"x")";
    return more;
  }() + "]";
  for (const std::string& terms :
       {std::string(R"(,"require_custody":"strong")"), std::string(R"(,"require_custody":"software")"),
        std::string(R"(,"require_custody":1)"), std::string(R"(,"custody_max_age_s":60)"),
        std::string(R"(,"require_custody":"hardware","custody_max_age_s":0)"),
        std::string(R"(,"attestation_results":"x")"), std::string(R"(,"attestation_results":[1])"), many}) {
    const Response refused = verify(terms);
    BOOST_TEST(refused.status == 400, terms);
    BOOST_TEST(member(refused, "code") == "malformed", refused.body);
  }
  BOOST_TEST(member(verify(R"(,"require_custody":"strong")"), "detail").find("hardware") !=
             std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_session_says_that_it_is_one_and_is_met_through_its_agent, CustodyFixture) {
  const SigningKey key = ChainCallers::fresh_key();
  const ProofClaims claims{
      "POST", kIssuerUrl + std::string("/v1/sessions"), "jti", office().nonces.current(kNow), {}};
  const auto proof = UnsignedProof::encode(claims, leaf, key.public_key(), kNow).value();
  const std::string signed_proof = proof.with(key.sign(as_bytes(proof.signing_input())).value());
  const Response opened =
      call("POST", "/v1/sessions", R"({"chain":)" + chain + R"(,"key_proof":)" + quoted(signed_proof) + "}",
           kSupportUid);
  BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
  chain = chain_of(opened);
  BOOST_TEST(Token::parse(ChainCallers::texts(chain).back()).value().claims().is_session);
  const Response met = verify(kHardware + results(good));
  BOOST_TEST(member(met, "outcome") == "valid", met.body);
  BOOST_TEST(member(met, "custody").find(R"("how":"session")") != std::string::npos);
}

namespace {

struct EnforcedCustody : EnforcementFixture {
  std::string chain = budget_chain();
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_action_needs_what_the_enforcement_point_requires, EnforcedCustody) {
  const Response denied = ask_refund(chain, kOrchestratorUid, "1", R"(,"require_custody":"hardware")");
  BOOST_TEST(verdict_of(denied) == "custody_unproven", denied.body);
  BOOST_TEST(member(denied, "step") == "custody");
  BOOST_TEST(member(denied, "not_performed") == "[]");
  BOOST_TEST(member(denied, "custody").find("unproven") != std::string::npos);
  const Response told = ask_refund(chain, kOrchestratorUid, "1", R"(,"attestation_results":["x"])");
  BOOST_TEST(verdict_of(told) == "permit", told.body);
  BOOST_TEST(member(told, "not_performed") == R"(["custody"])");
  BOOST_TEST(ask_refund(chain, kOrchestratorUid, "1", R"(,"require_custody":"best")").status == 400);
}

}  // namespace chancery::tests
