// The commands around attestation, and a daemon's answers, which a script of the test gives: host and verifier in one.
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/wire/attestation_messages.hpp"
#include "tests/integration/cli/stage.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"

namespace {

using namespace chancery;
using chancery::testing::contains;
using chancery::testing::http_answer;
using chancery::testing::kJson;
using chancery::testing::kProblem;
using chancery::testing::Run;
using chancery::testing::Stage;

// Of a TPM without a certificate: SHA-256 of the EK's public area.
const Bytes kEkPublic(4, 2);
const std::string kEk = hex_encode(sha256(kEkPublic));

api::AttestedHost a_host(const std::string& state) {
  api::AttestedHost host;
  host.name = "local.tpm";
  host.backend = "tpm";
  host.state = state;
  host.endorsement = "first-use";
  host.ek = kEk;
  host.firmware = "7";
  return host;
}

std::string key_list(const std::string& jkt) {
  return R"({"keys":[{"algorithm":"ES256","backend":"tpm","created_at":1800000000,"jkt":")" + jkt +
         R"(","jwk":{"kty":"EC"},"owner":"chancery:issuer","state":"active"}]})";
}

/// A daemon whose device is a simulator, with an issuer key in it.
struct OwnHost : Stage {
  OwnHost() {
    answer("GET /v1/backends",
           http_answer(200, kJson,
                       R"({"backends":[{"agent_keys":0,"algorithms":[],"default":true,"emulated":true,)"
                       R"("firmware":"","issuer":true,"load":{},"manufacturer":"","name":"tpm",)"
                       R"("native":"","state":"ok","type":"tpm"}]})"));
    answer("GET /v1/issuer/keys", http_answer(200, kJson, key_list(jkt)));
    answer("GET /v1/attestation/results/" + jkt,
           http_answer(403, kProblem, R"({"code":"forbidden","detail":"nothing speaks for the host's EK"})"));
    const api::HostIdentity identity{{}, kEkPublic, Bytes(4, 3), Bytes(4, 4)};
    answer("GET /v1/backends/tpm/identity", http_answer(200, kJson, wire::write(identity)));
  }
  void is(const std::string& state) { is(a_host(state)); }
  void is(const api::AttestedHost& host) {
    answer("GET /v1/attestation/hosts/local.tpm", http_answer(200, kJson, wire::write(host)));
  }
  void attests() {
    answer("GET /v1/attestation/results/" + jkt,
           http_answer(200, kJson, wire::write(api::AttestationResults{{"a.b.c"}})));
  }
  std::string jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
};

/// A verifier with one result about a key.
struct OneResult : Stage {
  OneResult() {
    result.custody = Custody::kTpmCertifiedEmulated;
    result.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    result.evidence_at = result.issued_at;
    result.expires_at = result.issued_at + std::chrono::hours(1);
    served = tests::sign_result(result, chain.verifier);
    publish(chain.verifier);
    answer("GET /v1/attestation/results/" + holder().text(),
           http_answer(200, kJson, wire::write(api::AttestationResults{{served}})));
  }
  void publish(const SigningKey& key) {
    answer("GET /.well-known/attestation-jwks.json",
           http_answer(200, kJson, R"({"keys":[)" + key.public_key().jwk() + "]}"));
  }
  [[nodiscard]] Thumbprint holder() const { return result.key; }

  tests::VouchedChain chain = tests::vouched_chain(2);
  AttestationResult result = chain.results.front();
  std::string served;  ///< the result, signed
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attestation_commands)

BOOST_FIXTURE_TEST_CASE(a_host_that_waits_says_what_its_verifiers_operator_runs, OwnHost) {
  is("waiting");
  const Run text = run({"host", "enroll"});
  BOOST_TEST(text.exit == 2, text.err);
  BOOST_TEST(text.out.starts_with("WAITING\n"), text.out);
  BOOST_TEST(contains(text.out, "machine's EK " + kEk), text.out);
  BOOST_TEST(contains(text.out, "chancery attest host approve local.tpm --custody tpm-certified-emulated"),
             text.out);
  const Run json = run({"host", "enroll", "--format", "json"});
  BOOST_TEST(json.exit == 2, json.err);
  BOOST_TEST(contains(json.out, R"("approve_with":"chancery attest host approve local.tpm)"), json.out);
  BOOST_TEST(contains(json.out, R"("machine_ek":")" + kEk), json.out);
}

BOOST_FIXTURE_TEST_CASE(a_host_is_enrolled_once_its_keys_can_be_attested, OwnHost) {
  is("enrolled");
  const Run refused = run({"host", "enroll"});
  BOOST_TEST(refused.exit == 1);
  BOOST_TEST(contains(refused.err, "nothing speaks for the host's EK"), refused.err);
  attests();
  const Run enrolled = run({"host", "enroll"});
  BOOST_TEST(enrolled.exit == 0, enrolled.err);
  BOOST_TEST(enrolled.out.starts_with("ENROLLED\n"), enrolled.out);
}

BOOST_FIXTURE_TEST_CASE(a_quarantined_host_is_none_that_is_enrolled, OwnHost) {
  api::AttestedHost host = a_host("quarantined");
  host.reason = "the TPM's time went back";
  is(host);
  for (int round = 0; round < 2; ++round) {
    const Run text = run({"host", "enroll"});
    BOOST_TEST(text.exit == 1, text.err);
    BOOST_TEST(text.out.starts_with("QUARANTINED\n"), text.out);
    BOOST_TEST(contains(text.out, host.reason), text.out);
    attests();  // whatever is left of its results
  }
  BOOST_TEST(run({"host", "enroll", "--format", "json"}).exit == 1);
  is("sleeping");
  BOOST_TEST(run({"host", "enroll"}).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_verifiers_word_about_another_host_or_ek_is_refused, OwnHost) {
  attests();
  api::AttestedHost other = a_host("waiting");
  other.name = "local.tpm; reboot";
  is(other);
  const Run named = run({"host", "enroll"});
  BOOST_TEST(named.exit == 2);
  BOOST_TEST(contains(named.err, "another host"), named.err);
  other = a_host("waiting");
  other.ek = std::string(64, 'b');
  is(other);
  const Run swapped = run({"host", "enroll"});
  BOOST_TEST(swapped.exit == 2);
  BOOST_TEST(contains(swapped.err, "another EK"), swapped.err);
  BOOST_TEST(!contains(swapped.out, "approve"), swapped.out);
}

BOOST_FIXTURE_TEST_CASE(levels_come_with_what_they_do_not_prove, OneResult) {
  const Run shown = run({"attest", "show", holder().text()});
  BOOST_TEST(shown.exit == 0, shown.err);
  BOOST_TEST(contains(shown.out,
                      "tpm-certified-emulated: a simulator's TPM certifies the key: this proves "
                      "nothing about hardware"),
             shown.out);
  BOOST_TEST(contains(shown.out, result.ek_fingerprint), shown.out);
}

BOOST_FIXTURE_TEST_CASE(a_result_that_the_verifiers_keys_did_not_sign_is_said_not_to_count, OneResult) {
  publish(SigningKey::generate(Algorithm::kES256).value());
  const Run shown = run({"attest", "show", holder().text()});
  BOOST_TEST(contains(shown.out, "does not count"), shown.out);
  BOOST_TEST(!contains(shown.out, result.ek_fingerprint), shown.out);
}

BOOST_FIXTURE_TEST_CASE(a_chain_is_shown_token_by_token_and_bundled, OneResult) {
  const std::string file =
      chancery().file("chain.txt", chain.chain.tokens[0] + "~" + chain.chain.tokens[1] + "\n");
  const Run shown = run({"attest", "show", file});
  BOOST_TEST(shown.exit == 0, shown.err);
  BOOST_TEST(contains(shown.out, "token 0, for "), shown.out);
  BOOST_TEST(contains(shown.out, "unproven: nothing says where this key is"), shown.out);
  const Run bundled = run({"attest", "show", file, "--bundle", "-"});
  BOOST_TEST(bundled.exit == 0, bundled.err);
  BOOST_TEST(contains(bundled.out, R"("attestation_results":[")" + served + R"("])"), bundled.out);
  BOOST_TEST(contains(bundled.err, "no result for the key " + chain.results[1].key.text()), bundled.err);
  BOOST_TEST(run({"attest", "show", holder().text(), "--bundle", "-"}).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(refused_evidence_names_the_check, OneResult) {
  answer(
      "GET /v1/attestation/results/" + holder().text(),
      http_answer(403, kProblem,
                  R"({"check":"pcr_policy","code":"evidence_refused","detail":"a PCR has another value"})"));
  const Run refused = run({"attest", "key", holder().text()});
  BOOST_TEST(refused.exit == 1);
  BOOST_TEST(contains(refused.err, "(evidence_refused, check pcr_policy)"), refused.err);
}

BOOST_FIXTURE_TEST_CASE(results_are_judged_offline, OneResult) {
  const std::string keys =
      chancery().file("keys.json", R"({"keys":[)" + chain.verifier.public_key().jwk() + "]}");
  const std::string file = chancery().file("result.txt", served + "\n");
  BOOST_TEST(run({"attest", "verify", file, "--keys", keys}).exit == 0);
  const Run less = run({"attest", "verify", file, "--keys", keys, "--require", "hardware"});
  BOOST_TEST(less.exit == 2);
  BOOST_TEST(less.out.starts_with("NOT VALID: custody_unproven\n"), less.out);
  result.expires_at = result.issued_at - std::chrono::seconds(1);
  const std::string old = chancery().file("old.txt", tests::sign_result(result, chain.verifier));
  BOOST_TEST(run({"attest", "verify", file, old, "--keys", keys}).exit == 1);
}

BOOST_AUTO_TEST_SUITE_END()
