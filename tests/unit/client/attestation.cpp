// The calls around attestation: what is sent and how answers are read; and what carries between a host's daemon and its
// verifier, and puts a chain and its results together.
#include <functional>
#include <map>
#include <mutex>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/attestation_relay.hpp>

#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/attestation_messages.hpp"
#include "tests/unit/client/scripted_daemon.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace {

using namespace chancery;
using chancery::testing::Answers;
using Scripted = chancery::testing::ScriptedDaemon<AttestationClient>;

constexpr const char* kJkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

api::AttestationChallenge some_challenge() {
  api::AttestationChallenge challenge;
  challenge.id = "c1";
  challenge.nonce = Bytes(32, 7);
  challenge.pcrs["sha256"] = {0, 7};
  challenge.id_object = Bytes(4, 1);
  challenge.encrypted_secret = Bytes(4, 2);
  challenge.expires_at = 1'800'000'300;
  return challenge;
}

api::AttestedHost some_host() {
  api::AttestedHost host;
  host.name = "build-7";
  host.state = "waiting";
  host.endorsement = "first-use";
  host.ek = "ab";
  host.firmware = "7";
  return host;
}

api::KeyEvidence some_evidence() {
  return {Bytes(4, 3), {Bytes(4, 4), Bytes(4, 5)}, std::nullopt, Bytes(4, 9)};
}
api::Activation some_activation() { return {Bytes(32, 8), {{Bytes(4, 4), Bytes(4, 5)}, {}}}; }

/// A call, and the request that it makes.
struct CallCase {
  const char* line;
  std::function<bool(const AttestationClient&)> is_answered;
  std::string answer;
};
std::ostream& operator<<(std::ostream& out, const CallCase& row) { return out << row.line; }

const std::string kHost = wire::write(some_host());
const std::string kChallenge = wire::write(some_challenge());
const CallCase kCalls[] = {
    {"GET /v1/backends/tpm/identity",
     [](const AttestationClient& daemon) {
       return daemon.identity("tpm") && daemon.identity_async("tpm").get();
     },
     wire::write(api::HostIdentity{Bytes(1, 1), Bytes(2, 2), Bytes(3, 3), Bytes(4, 4)})},
    {"POST /v1/backends/tpm/activate",
     [](const AttestationClient& daemon) {
       return daemon.activate("tpm", some_challenge()) &&
              daemon.activate_async("tpm", some_challenge()).get();
     },
     wire::write(some_activation())},
    {"POST /v1/keys/kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k/certify",
     [](const AttestationClient& daemon) {
       return daemon.certify(kJkt, {}) && daemon.certify_async(kJkt, {}).get();
     },
     wire::write(some_evidence())},
    {"POST /v1/backends/tpm/measurements",
     [](const AttestationClient& daemon) {
       return daemon.measurements("tpm", {}) && daemon.measurements_async("tpm", {}).get();
     },
     wire::write(api::Measurements{{Bytes(4, 4), Bytes(4, 5)}, Bytes(4, 6), {}})},
    {"POST /v1/attestation/hosts",
     [](const AttestationClient& daemon) { return daemon.enroll({}) && daemon.enroll_async({}).get(); },
     kChallenge},
    {"POST /v1/attestation/challenge",
     [](const AttestationClient& daemon) { return daemon.challenge({}) && daemon.challenge_async({}).get(); },
     kChallenge},
    {"POST /v1/attestation/evidence",
     [](const AttestationClient& daemon) { return daemon.submit({}) && daemon.submit_async({}).get(); },
     wire::write(api::Attested{some_host(), "a.b.c"})},
    {"GET /v1/attestation/hosts?limit=7&after=a%26b",
     [](const AttestationClient& daemon) {
       return daemon.hosts("a&b", 7) && daemon.hosts_async("a&b", 7).get();
     },
     wire::write(api::AttestedHostList{{some_host()}, {}})},
    {"GET /v1/attestation/hosts/build-7",
     [](const AttestationClient& daemon) {
       return daemon.host("build-7").value() == some_host() && daemon.host_async("build-7").get();
     },
     kHost},
    {"POST /v1/attestation/hosts/build-7/approve",
     [](const AttestationClient& daemon) {
       return daemon.approve("build-7", {}) && daemon.approve_async("build-7", {}).get();
     },
     kHost},
    {"DELETE /v1/attestation/hosts/build-7",
     [](const AttestationClient& daemon) {
       return daemon.remove("build-7") && daemon.remove_async("build-7").get();
     },
     kHost},
    {"GET /v1/attestation/keys",
     [](const AttestationClient& daemon) { return daemon.keys() && daemon.keys_async().get(); },
     R"({"keys":[]})"},
    {"GET /v1/attestation/results/kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
     [](const AttestationClient& daemon) {
       return daemon.results(kJkt).value().results.size() == 2U && daemon.results_async(kJkt).get();
     },
     wire::write(api::AttestationResults{{"a.b.c", "d.e.f"}})},
    {"GET /.well-known/attestation-jwks.json",
     [](const AttestationClient& daemon) { return daemon.jwks() && daemon.jwks_async().get(); },
     R"({"keys":[]})"},
};

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(chancery::ErrorCode)

BOOST_AUTO_TEST_SUITE(attestation)

BOOST_DATA_TEST_CASE(each_call_asks_its_route_and_reads_its_answer, boost::unit_test::data::make(kCalls)) {
  const Scripted daemon(Answers{{sample.line, sample.answer}});
  BOOST_TEST(sample.is_answered(daemon.client()));
}

BOOST_AUTO_TEST_CASE(a_rotation_of_the_key_of_results_reaches_its_route) {
  const Scripted daemon(Answers{});
  BOOST_TEST(daemon.client().rotate_key({}).error().code == "not_found");
  BOOST_TEST(daemon.client().rotate_key_async({}).get().error().code == "not_found");
  BOOST_TEST(daemon.was_asked("POST /v1/attestation/keys/rotate"));
}

BOOST_AUTO_TEST_CASE(names_and_thumbprints_that_are_none_are_not_sent) {
  const Scripted daemon(Answers{});
  const auto is_refused_here = [](const auto& answer) {
    return !answer && answer.error().error.code == ErrorCode::kInvalidArgument && !answer.error().refused();
  };
  for (const char* name : {"", "..", "../keys", "a/b", "Build", "a?b"}) {
    BOOST_TEST(is_refused_here(daemon.client().identity(name)), name);
    BOOST_TEST(is_refused_here(daemon.client().activate(name, {})), name);
    BOOST_TEST(is_refused_here(daemon.client().measurements(name, {})), name);
    BOOST_TEST(is_refused_here(daemon.client().host(name)), name);
    BOOST_TEST(is_refused_here(daemon.client().approve(name, {})), name);
    BOOST_TEST(is_refused_here(daemon.client().remove(name)), name);
    BOOST_TEST(is_refused_here(daemon.client().certify(name, {})), name);
    BOOST_TEST(is_refused_here(daemon.client().results(name)), name);
  }
}

BOOST_AUTO_TEST_CASE(an_enrolment_is_carried_from_the_host_to_its_verifier_and_back) {
  const api::HostIdentity identity{Bytes(1, 1), Bytes(2, 2), Bytes(3, 3), Bytes(4, 4)};
  const Scripted host(Answers{{"GET /v1/backends/tpm/identity", wire::write(identity)},
                              {"POST /v1/backends/tpm/activate", wire::write(some_activation())}});
  const Scripted verifier(
      Answers{{"POST /v1/attestation/hosts", kChallenge},
              {"POST /v1/attestation/evidence", wire::write(api::Attested{some_host(), {}})}});
  const auto enrolled = enroll_host(host.client(), verifier.client(), "build-7", "tpm");
  BOOST_REQUIRE(enrolled);
  BOOST_TEST((*enrolled == some_host()));
  BOOST_TEST(verifier.body("POST /v1/attestation/hosts") ==
             wire::write(api::EnrollHost{"build-7", identity}));
  BOOST_TEST(host.body("POST /v1/backends/tpm/activate") == kChallenge);
  BOOST_TEST(verifier.body("POST /v1/attestation/evidence") ==
             wire::write(api::Evidence{"c1", some_activation(), std::nullopt, {}, {}}));
}

BOOST_AUTO_TEST_CASE(a_keys_evidence_answers_the_verifiers_nonce_with_the_pcrs_that_it_asks_for) {
  const std::string certify = std::string("POST /v1/keys/") + kJkt + "/certify";
  const Scripted host(Answers{{certify, wire::write(some_evidence())}});
  const Scripted verifier(
      Answers{{"POST /v1/attestation/challenge", kChallenge},
              {"POST /v1/attestation/evidence", wire::write(api::Attested{some_host(), "a.b.c"})}});
  const auto attested = attest_key(host.client(), verifier.client(), {"build-7", kJkt, "tpm", {}});
  BOOST_REQUIRE(attested);
  BOOST_TEST(attested->result == "a.b.c");
  BOOST_TEST(host.body(certify) ==
             wire::write(api::CertifyKey{some_challenge().nonce, {}, some_challenge().pcrs}));
  BOOST_TEST(verifier.body("POST /v1/attestation/evidence") ==
             wire::write(api::Evidence{"c1", std::nullopt, some_evidence(), {}, {}}));
}

// Of a key alone, and of its use for a token.
BOOST_DATA_TEST_CASE(what_was_measured_goes_along_over_the_same_nonce,
                     boost::unit_test::data::make({std::string(), std::string("e.y.J")}), leaf) {
  const std::string certify = std::string("POST /v1/keys/") + kJkt + "/certify";
  const std::string measured = "POST /v1/backends/tpm/measurements";
  const api::Measurements measurements{{Bytes(4, 4), Bytes(4, 5)}, Bytes(4, 6), {}};
  const Scripted host(
      Answers{{certify, wire::write(some_evidence())}, {measured, wire::write(measurements)}});
  const Scripted verifier(
      Answers{{"POST /v1/attestation/challenge", kChallenge},
              {"POST /v1/attestation/evidence", wire::write(api::Attested{some_host(), "a.b.c"})}});
  BOOST_REQUIRE(attest_key(host.client(), verifier.client(), {"build-7", kJkt, "tpm", leaf}));
  const api::AttestationChallenge challenge = some_challenge();
  const Sha256Digest bound = sha256(as_bytes(leaf + std::string(as_text(challenge.nonce))));
  const Bytes nonce = leaf.empty() ? challenge.nonce : Bytes(bound.begin(), bound.end());
  BOOST_TEST(host.body(certify) == wire::write(api::CertifyKey{challenge.nonce, leaf, challenge.pcrs}));
  BOOST_TEST(host.body(measured) == wire::write(api::CertifyMeasurements{nonce}));
  BOOST_TEST(verifier.body("POST /v1/attestation/evidence") ==
             wire::write(api::Evidence{"c1", std::nullopt, some_evidence(), measurements, leaf}));
}

BOOST_AUTO_TEST_CASE(what_either_side_refuses_ends_it_and_nothing_more_is_asked) {
  const Scripted silent_host(Answers{});
  const Scripted verifier(
      Answers{{"POST /v1/attestation/hosts", kChallenge}, {"POST /v1/attestation/challenge", kChallenge}});
  BOOST_TEST(enroll_host(silent_host.client(), verifier.client(), "build-7", "tpm").error().code ==
             "not_found");
  BOOST_TEST(!verifier.was_asked("POST /v1/attestation/hosts"));
  BOOST_TEST(attest_key(silent_host.client(), verifier.client(), {"build-7", kJkt, "tpm", {}}).error().code ==
             "not_found");
  BOOST_TEST(!verifier.was_asked("POST /v1/attestation/evidence"));
}

BOOST_AUTO_TEST_CASE(a_bundle_has_the_chain_and_one_result_a_key_and_says_what_is_missing) {
  tests::IssuedChain chain = tests::issue_chain(2);
  const Token leaf = chain.leaf();
  const Thumbprint known = Token::parse(chain.tokens.front()).value().claims().holder;
  // A third token, for the first one's key: nothing is asked twice.
  const Claims again = tests::child_claims(leaf, chain.keys[1].public_key());
  chain.tokens.push_back(tests::sign_token(again, chain.leaf_key(), true));
  const Scripted verifier(Answers{
      {"GET /v1/attestation/results/" + known.text(), wire::write(api::AttestationResults{{"a.b.c"}})}});
  const auto made = bundle(verifier.client(), chain.tokens);
  BOOST_REQUIRE(made);
  BOOST_REQUIRE(made->unattested.size() == 1U);
  BOOST_TEST((made->unattested.front().key == leaf.claims().holder));
  BOOST_TEST(made->unattested.front().why.code == "not_found");
  const auto document = json::Document::parse_borrowed(made->json);
  BOOST_REQUIRE(document);
  BOOST_TEST(document->root().find("chain")->items().size() == 3U);
  BOOST_REQUIRE(document->root().find("attestation_results")->items().size() == 1U);
  BOOST_TEST(document->root().find("attestation_results")->items()[0].string().value() == "a.b.c");
}

BOOST_AUTO_TEST_CASE(no_bundle_is_made_of_what_is_no_chain_or_without_the_daemon) {
  const Scripted verifier(Answers{});
  BOOST_TEST((bundle(verifier.client(), std::vector<std::string>{"no token"}).error().error.code ==
              ErrorCode::kMalformed));
  ClientOptions nowhere;
  nowhere.socket = "/nonexistent/chancery.sock";
  const Client absent = Client::connect(nowhere).value();
  const auto made = bundle(AttestationClient(absent), tests::issue_chain(1).tokens);
  BOOST_TEST((made.error().error.code == ErrorCode::kConnectFailed));
}

BOOST_AUTO_TEST_SUITE_END()
