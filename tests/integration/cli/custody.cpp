// `chancery` and where keys live: chains that must prove it, and issuers that say it.

#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/unit/client/document_server.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"

namespace {

using namespace chancery;
using chancery::testing::Chancery;
using chancery::testing::DocumentServer;
using chancery::testing::http_answer;
using chancery::testing::Run;
using chancery::tests::kIssuedNow;
using json::Node;

const std::string kNow = std::to_string(kIssuedNow.time_since_epoch().count());

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string key_set(const PublicKey& key) { return R"({"keys":[)" + key.jwk() + "]}"; }

/// A bundle of three tokens with a result for each, trust with their verifier, and `chancery` beside them.
struct Desk {
  tests::VouchedChain vouched = tests::vouched_chain(3);
  Chancery chancery;
  std::string trust = chancery.file(
      "trust.json", R"({"anchors":[{"keys":[)" + vouched.chain.keys.front().public_key().jwk() +
                        R"(],"attestation_verifiers":[)" + vouched.verifier.public_key().jwk() + "]}]}");

  [[nodiscard]] std::string bundle() const {
    return chancery.file(
        "bundle.json",
        json::to_jcs(Node::object({{"chain", wire::text_array(vouched.chain.tokens)},
                                   {"attestation_results", wire::text_array(vouched.signed_results())}})));
  }
  [[nodiscard]] Run verify(const std::string& chain, const std::vector<std::string>& more,
                           const std::string& command = "verify") const {
    std::vector<std::string> arguments{command, chain, "--trust", trust, "--now", kNow};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chancery.run(arguments);
  }
};

/// An issuer that publishes what attests its key; its clock and ours are the machine's.
struct IssuerDesk {
  IssuerDesk() {
    AttestationResult result = tests::result_about(root.public_key().thumbprint());
    result.issuer = "https://verifier.example";
    result.issued_at = result.evidence_at = std::chrono::sys_seconds(std::chrono::seconds(1'600'000'000));
    result.expires_at = std::chrono::sys_seconds(std::chrono::seconds(4'000'000'000));
    publish(result);
    chancery.set("CHANCERY_CACERT", server.ca_file());
  }
  void publish(const AttestationResult& result) {
    const std::vector<std::string> results{tests::sign_result(result, verifier)};
    server.set("/.well-known/oauth-authorization-server",
               http_answer(200, "application/json",
                           json::to_jcs(Node::object({{"issuer", server.origin()},
                                                      {"attestation_results", wire::text_array(results)}}))));
    server.set("/.well-known/jwks.json", http_answer(200, "application/json", key_set(root.public_key())));
  }
  [[nodiscard]] Run add(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"trust", "add", server.origin()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chancery.run(arguments);
  }
  [[nodiscard]] bool trusts() const {
    return std::filesystem::exists(chancery.folder() / "config" / "chancery" / "trust.json");
  }

  DocumentServer server;
  Chancery chancery;
  SigningKey root = SigningKey::generate(Algorithm::kES256).value();
  SigningKey verifier = SigningKey::generate(Algorithm::kES256).value();
  std::string verifiers = chancery.file("verifier.json", key_set(verifier.public_key()));
};

}  // namespace

BOOST_AUTO_TEST_SUITE(custody)

BOOST_FIXTURE_TEST_CASE(a_bundle_proves_its_custody_and_says_so_token_by_token, Desk) {
  const Run met = verify(bundle(), {"--require", "hardware"});
  BOOST_TEST(met.exit == 0, met.out + met.err);
  BOOST_TEST(contains(met.out, "key of 2"), met.out);
  BOOST_TEST(contains(met.out, "tpm-certified, vouched for by https://verifier.example"), met.out);
  BOOST_TEST(!contains(met.out, "not checked   holder_binding, action, custody"), met.out);
  const Run json = verify(bundle(), {"--require", "hardware", "--format", "json"});
  BOOST_TEST(contains(json.out, R"("how":"vouched")"), json.out);
}

BOOST_FIXTURE_TEST_CASE(a_chain_without_results_could_not_be_told, Desk) {
  const std::string chain = chancery.file("chain.txt", join_chain(vouched.chain.tokens));
  for (const char* command : {"verify", "explain"}) {
    const Run unproven = verify(chain, {"--require", "hardware"}, command);
    BOOST_TEST(unproven.exit == 2, unproven.out + unproven.err);
    BOOST_TEST(contains(unproven.out, "custody_unproven"), unproven.out);
    BOOST_TEST(contains(unproven.out, "where the keys live"), unproven.out);
  }
  BOOST_TEST(verify(chain, {}).exit == 0);
  std::string lines;
  for (const std::string& result : vouched.signed_results()) lines += result + "\n";
  const std::string results = chancery.file("results.txt", lines);
  BOOST_TEST(verify(chain, {"--require", "hardware", "--attestation-results", results}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(emulation_is_refused_where_hardware_is_demanded, Desk) {
  for (AttestationResult& result : vouched.results) result.custody = Custody::kTpmCertifiedEmulated;
  const Run refused = verify(bundle(), {"--require", "hardware"});
  BOOST_TEST(refused.exit == 2);
  BOOST_TEST(contains(refused.out, "proves nothing about hardware"), refused.out);
  BOOST_TEST(verify(bundle(), {"--require", "tpm-certified-emulated"}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(evidence_can_be_too_old, Desk) {
  BOOST_TEST(verify(bundle(), {"--require", "hardware", "--max-age", "2m"}).exit == 0);
  BOOST_TEST(verify(bundle(), {"--require", "hardware", "--max-age", "119s"}).exit == 2);
  BOOST_TEST(contains(verify(bundle(), {"--max-age", "2m"}).err, "goes with --require"));
  BOOST_TEST(contains(verify(bundle(), {"--require", "best"}).err, "hardware, pkcs11-claimed"));
}

BOOST_FIXTURE_TEST_CASE(a_daemon_is_sent_what_is_required_and_what_proves_it, Desk) {
  DocumentServer server;
  server.set("/v1/chains/verify",
             http_answer(200, "application/json",
                         R"({"custody":[{"how":"unproven","level":"software","says":"unproven: no word"}],)"
                         R"("hop":0,"not_performed":[],"outcome":"custody_unproven","reason":"r",)"
                         R"("step":"custody"})"));
  const Run unproven = chancery.run({"--addr", server.origin(), "--cacert", server.ca_file(), "verify",
                                     "--remote", bundle(), "--require", "hardware"});
  BOOST_TEST(unproven.exit == 2, unproven.err);
  BOOST_TEST(contains(unproven.out, "unproven: no word"), unproven.out);
}

BOOST_FIXTURE_TEST_CASE(an_issuer_is_trusted_by_its_address_once_somebody_said_yes, IssuerDesk) {
  const Run unasked = add({});
  BOOST_TEST(unasked.exit == 2);
  BOOST_TEST(contains(unasked.err, "--yes"), unasked.err);
  BOOST_TEST(!trusts());
  const Run added = add({"--yes"});
  BOOST_TEST(added.exit == 0, added.err);
  BOOST_TEST(contains(added.out, "own word, which proves nothing"), added.out);
  BOOST_TEST(trusts());
}

BOOST_FIXTURE_TEST_CASE(where_an_issuers_key_lives_can_be_required, IssuerDesk) {
  const Run unproven = add({"--yes", "--require", "hardware"});
  BOOST_TEST(unproven.exit == 2, unproven.out);
  BOOST_TEST(!trusts());
  const Run proved = add({"--yes", "--require", "hardware", "--attestation-verifier", verifiers});
  BOOST_TEST(proved.exit == 0, proved.err);
  BOOST_TEST(contains(proved.out, "You gave that verifier's key"), proved.out);
  const std::string stored = testing::read_file(chancery.folder() / "config" / "chancery" / "trust.json");
  BOOST_TEST(contains(stored, "attestation_verifiers"), stored);
  const Run json = add({"--yes", "--format", "json"});
  BOOST_TEST(contains(json.out, R"("vouched":false)"), json.out);
}

BOOST_FIXTURE_TEST_CASE(a_root_in_a_simulator_is_not_hardware, IssuerDesk) {
  AttestationResult result = tests::result_about(root.public_key().thumbprint());
  result.issued_at = result.evidence_at = std::chrono::sys_seconds(std::chrono::seconds(1'600'000'000));
  result.expires_at = std::chrono::sys_seconds(std::chrono::seconds(4'000'000'000));
  result.custody = Custody::kTpmCertifiedEmulated;
  publish(result);
  BOOST_TEST(add({"--yes", "--require", "hardware", "--attestation-verifier", verifiers}).exit == 2);
  BOOST_TEST(!trusts());
}

BOOST_FIXTURE_TEST_CASE(whoever_answers_at_an_address_is_that_issuer, IssuerDesk) {
  BOOST_TEST(add({"--yes", "--iss", "https://other.example"}).exit == 2);
  server.set("/.well-known/oauth-authorization-server",
             http_answer(200, "application/json", R"({"issuer":"https://other.example"})"));
  BOOST_TEST(add({"--yes"}).exit == 2);
  BOOST_TEST(!trusts());
  BOOST_TEST(add({"--yes", "--iss", "https://other.example"}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(options_that_say_nothing_there_are_refused, IssuerDesk) {
  const std::string anchors = chancery.file("anchors.json", R"({"anchors":[]})");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--from", verifiers, "--iss", "https://a", "--require", "hardware"},
        {"--from", anchors, "--attestation-verifier", verifiers},
        {server.origin(), "--from", anchors},
        {"--attestation-verifier", anchors, "--yes", server.origin()}}) {
    std::vector<std::string> command{"trust", "add"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    BOOST_TEST(chancery.run(command).exit == 2);
  }
}

BOOST_AUTO_TEST_SUITE_END()
