// Bundles of incidents: one that is whole, and each way in which one is not.

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/incident/judge.hpp"
#include "tests/unit/sdk/made_incident.hpp"

namespace chancery::tests {
namespace {

using incident::Bundle;
using incident::Fault;
using incident::Report;

bool has(const Report& report, Fault fault) {
  return std::ranges::any_of(report.findings,
                             [&](const incident::Finding& each) { return each.fault == fault; });
}

std::string findings_of(const Report& report) {
  std::string text;
  for (const incident::Finding& each : report.findings)
    text.append(incident::fault_name(each.fault))
        .append(" ")
        .append(each.subject)
        .append(": ")
        .append(each.what)
        .append("; ");
  return text;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, what << " is not in it");
  return text.replace(at, what.size(), by);
}

/// What a daemon says that lies: the log has the hash of it.
struct Lie {
  const char* name;
  Fault fault;
  void (*tell)(MadeIncident& made);
};
std::ostream& operator<<(std::ostream& out, const Lie& lie) { return out << lie.name; }

constexpr std::array kLies{
    Lie{"another log's name", Fault::kCheckpoint, [](MadeIncident& made) { made.evidence.log += "0"; }},
    Lie{"an entry that opens nothing", Fault::kOpening,
        [](MadeIncident& made) { made.opening_action = "agent.create"; }},
    Lie{"an incident of another agent's", Fault::kOpening,
        [](MadeIncident& made) { made.opened_agent = "lookup"; }},
    Lie{"an entry that was never logged", Fault::kEntry,
        [](MadeIncident& made) {
          made.evidence.entries[0].json = replaced(made.evidence.entries[0].json, "create", "retire");
        }},
    Lie{"an entry that is later than the evidence", Fault::kEntry,
        [](MadeIncident& made) { made.evidence.size = 2; }},
    Lie{"another key's thumbprint", Fault::kKey,
        [](MadeIncident& made) { made.evidence.keys[0].jkt = std::string(43, 'A'); }},
    Lie{"another token's id", Fault::kToken,
        [](MadeIncident& made) { made.evidence.tokens[1].id = std::string(64, '0'); }},
    Lie{"what is no token", Fault::kToken,
        [](MadeIncident& made) { made.evidence.tokens[1].compact = "a.b.c"; }},
    Lie{"a chain by another issuer", Fault::kChain,
        [](MadeIncident& made) {
          const IssuedChain other = issue_chain(1);
          made.evidence.tokens[0].compact = other.tokens[0];
          made.evidence.tokens[0].id = hex_encode(other.leaf().digest());
        }},
    Lie{"another document", Fault::kRequest,
        [](MadeIncident& made) { made.evidence.requests[0].document = R"({"id":"y"})"; }},
    Lie{"a decision by another key than is said", Fault::kDecision,
        [](MadeIncident& made) {
          const SigningKey other = *SigningKey::generate(Algorithm::kES256);
          made.evidence.requests[0].decisions[0].jwk = other.public_key().jwk();
          made.evidence.requests[0].decisions[0].jkt = other.public_key().thumbprint().text();
        }},
    Lie{"an approver's key with another thumbprint", Fault::kDecision,
        [](MadeIncident& made) {
          made.evidence.requests[0].decisions[0].jwk = made.verifier.public_key().jwk();
        }},
    Lie{"a decision about another document", Fault::kDecision,
        [](MadeIncident& made) {
          incident::Request other = made.evidence.requests[0];
          other.sha256 = std::string(64, '0');
          made.evidence.requests[0].decisions = {MadeIncident::decision_by(made.approver, other)};
        }},
    Lie{"the other verdict", Fault::kDecision,
        [](MadeIncident& made) { made.evidence.requests[0].decisions[0].verdict = "deny"; }},
    Lie{"another decision than the log has", Fault::kDecision,
        [](MadeIncident& made) {
          // ES256 signs anew with each signature.
          made.evidence.requests[0].decisions = {
              MadeIncident::decision_by(made.approver, made.evidence.requests[0])};
        }},
    Lie{"a receipt of another call", Fault::kReceipt,
        [](MadeIncident& made) { made.evidence.calls[0].tool = "inbox"; }},
    Lie{"another receipt than the log has", Fault::kReceipt,
        [](MadeIncident& made) {
          made.evidence.calls[0].receipt = replaced(made.evidence.calls[0].receipt, "done", "error");
        }},
    Lie{"an attestation of another key", Fault::kAttestation,
        [](MadeIncident& made) { made.evidence.attestation[0].jkt = std::string(43, 'A'); }},
    Lie{"a better custody than was attested", Fault::kAttestation,
        [](MadeIncident& made) { made.evidence.attestation[0].custody = "tpm-certified"; }},
    Lie{"less than was reached", Fault::kReach, [](MadeIncident& made) { made.evidence.reached.clear(); }},
    Lie{"fewer times than it was reached", Fault::kReach,
        [](MadeIncident& made) { made.evidence.reached[0].count = 0; }},
};

/// What somebody does to a bundle afterwards.
struct Change {
  const char* name;
  Fault fault;
  void (*make)(Bundle& bundle);
};
std::ostream& operator<<(std::ostream& out, const Change& change) { return out << change.name; }

constexpr std::array kChanges{
    Change{"a path to another entry", Fault::kEntry,
           [](Bundle& bundle) { bundle.proof.paths[0] = bundle.proof.paths[1]; }},
    Change{"an octet of a path", Fault::kEntry, [](Bundle& bundle) { bundle.proof.paths[2][0][0] ^= 1; }},
    Change{"two entries in the other order", Fault::kEntry,
           [](Bundle& bundle) {
             std::swap(bundle.evidence.entries[0], bundle.evidence.entries[1]);
             std::swap(bundle.proof.paths[0], bundle.proof.paths[1]);
           }},
    Change{"an entry twice", Fault::kEntry,
           [](Bundle& bundle) {
             bundle.evidence.entries[1] = bundle.evidence.entries[0];
             bundle.proof.paths[1] = bundle.proof.paths[0];
           }},
    Change{"an octet of the opening's path", Fault::kOpening,
           [](Bundle& bundle) { bundle.proof.opening_path[0][0] ^= 1; }},
    Change{"another opening", Fault::kOpening,
           [](Bundle& bundle) { bundle.proof.opening = bundle.evidence.entries[0]; }},
    Change{"another tree", Fault::kCheckpoint,
           [](Bundle& bundle) {
             bundle.proof.checkpoint = replaced(bundle.proof.checkpoint, "\n6\n", "\n7\n");
           }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(incident_bundles)

BOOST_AUTO_TEST_CASE(a_whole_one_is_sound_and_says_what_was_looked_at) {
  MadeIncident made;
  const Report report = made.judge(made.sealed());
  BOOST_TEST(report.is_sound(), findings_of(report));
  BOOST_TEST(report.signed_to == 6u);
  BOOST_TEST(report.entries == 5u);
  BOOST_TEST(report.tokens == 2u);
  BOOST_TEST(report.chains == 2u);
  BOOST_TEST(report.unverified_chains == 0u);
  BOOST_TEST(report.decisions == 1u);
  BOOST_TEST(report.receipts == 1u);
  BOOST_TEST(report.results == 1u);
  BOOST_REQUIRE(made.evidence.reached.size() == 3u);
  BOOST_TEST(made.evidence.reached[0].kind == "agent");
  BOOST_TEST(made.evidence.reached[0].name == "lookup");
  BOOST_TEST(made.evidence.reached[1].name == "psp");
  BOOST_TEST(made.evidence.reached[2].name == "refund");
}

BOOST_AUTO_TEST_CASE(one_goes_round_octet_by_octet) {
  MadeIncident made;
  const std::string text = made.seal();
  const auto bundle = incident::read_bundle(text);
  BOOST_REQUIRE(bundle);
  const std::string evidence = incident::write_evidence(bundle->evidence);
  BOOST_TEST(incident::digest_of(evidence) == bundle->digest);
  BOOST_TEST(incident::write_bundle(evidence, bundle->proof) == text);
}

BOOST_DATA_TEST_CASE(a_lie_is_found_though_the_log_has_its_hash, boost::unit_test::data::make(kLies), lie) {
  MadeIncident made;
  lie.tell(made);
  const Report report = made.judge(made.sealed());
  BOOST_TEST(has(report, lie.fault), findings_of(report));
  BOOST_TEST(!has(report, Fault::kDigest));
}

BOOST_DATA_TEST_CASE(what_is_changed_afterwards_is_found, boost::unit_test::data::make(kChanges), change) {
  MadeIncident made;
  Bundle bundle = made.sealed();
  change.make(bundle);
  const Report report = made.judge(bundle);
  BOOST_TEST(has(report, change.fault), findings_of(report));
}

BOOST_AUTO_TEST_CASE(whatever_of_the_evidence_is_changed_its_hash_is_another) {
  for (const auto& [what, by] :
       {std::pair(R"("reason":"spam")", R"("reason":"spin")"),
        std::pair(R"("status":"revoked")", R"("status":"valid")"),
        std::pair(R"("revoked":7)", R"("revoked":8)"), std::pair(R"("cut":[])", R"("cut":["x"])")}) {
    MadeIncident made;
    const auto bundle = incident::read_bundle(replaced(made.seal(), what, by));
    BOOST_REQUIRE_MESSAGE(bundle, what);
    BOOST_TEST(has(made.judge(*bundle), Fault::kDigest), what);
  }
}

BOOST_AUTO_TEST_CASE(one_by_another_log_key_proves_nothing) {
  MadeIncident made;
  const Bundle bundle = made.sealed();
  made.log_key = *SigningKey::generate(Algorithm::kES256);
  const Report report = made.judge(bundle);
  BOOST_TEST(has(report, Fault::kCheckpoint), findings_of(report));
  BOOST_TEST(report.entries == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_not_looked_at_is_said) {
  MadeIncident made;
  made.evidence.entries.erase(made.evidence.entries.begin() + 3, made.evidence.entries.end());
  made.evidence.tokens.erase(made.evidence.tokens.begin());
  made.evidence.cut = {"entries"};
  const Bundle bundle = made.sealed();
  const std::array keys{made.key()};
  incident::Terms terms;
  terms.keys = keys;
  const Report report = incident::judge(bundle, terms);
  BOOST_TEST(report.is_sound(), findings_of(report));
  BOOST_TEST(report.unlogged_decisions == 1u);
  BOOST_TEST(report.unlogged_receipts == 1u);
  BOOST_TEST(report.unverified_chains == 1u);
  BOOST_TEST(report.unverified_results == 1u);
  BOOST_TEST(made.judge(bundle).unverified_chains == 1u);  // what is above is not in it
}

BOOST_AUTO_TEST_CASE(what_is_no_bundle_is_refused) {
  MadeIncident made;
  const std::string text = made.seal();
  const auto code_of = [](const std::string& altered) { return incident::read_bundle(altered).error().code; };
  BOOST_TEST((code_of("") == ErrorCode::kMalformed));
  BOOST_TEST((code_of("{}") == ErrorCode::kMalformed));
  BOOST_TEST((code_of(replaced(text, "chancery-incident", "chancery-other")) == ErrorCode::kMalformed));
  BOOST_TEST((code_of(replaced(text, R"("typ":)", R"( "typ":)")) == ErrorCode::kNonCanonical));
  BOOST_TEST((code_of(replaced(text, R"("evidence":{)", R"("evidence":{"a":1,)")) == ErrorCode::kMalformed));
  BOOST_TEST((code_of(replaced(text, R"("paths":[[)", R"("paths":[[999,)")) == ErrorCode::kMalformed));
  BOOST_TEST((code_of(replaced(text, R"("paths":[)", R"("paths":[[],)")) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
