// What an approver's tool believes of a gate's key: the real programs, and TPMs whose EKs a simulated vendor certified.

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/attestation_client.hpp>

#include "sdk/crypto/jwk.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/certified_tpm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/known_asker.hpp"

namespace chancery::tests {
namespace {

using testing::Run;
using Words = std::vector<std::string>;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kGate = R"([grants]
scopes = ["payments.refund", "crm.read"]
[[gate]]
name = "refunds"
scopes = ["payments.refund"]
approvers = ["user:bob@example.org"]
enforcement = "tpm"
)";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A gate that bob opens, whose key is made; bob's key is the program's.
struct Site {
  Site() {
    daemon.start();
    chancery.set("CHANCERY_SOCKET", daemon.socket().string());
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    const Run enrolled = run({"approver", "enroll", kBob});
    BOOST_REQUIRE_MESSAGE(enrolled.exit == 0, enrolled.err);
    const Client client = daemon.client();
    answered(ApprovalClient(client).enroll({enrolled.out.substr(0, enrolled.out.find('\n')), {}}));
    api::CreateGrant request = grant_to("orchestrator");
    request.authority = {};
    request.authority.scopes = {"payments.refund"};
    BOOST_REQUIRE(answered(client.grant(request)).approval);
  }

  [[nodiscard]] Run run(const Words& words) const { return chancery.run(words); }
  [[nodiscard]] Run pin(const Words& more) const {
    Words words{"gate", "pin", "refunds", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  [[nodiscard]] api::Gate gate() const {
    const Client client = daemon.client();
    return answered(ApprovalClient(client).gates()).gates.at(0);
  }

  simulators::Swtpm tpm = certified_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = known_asker_section() + kGate}};
  testing::Chancery chancery;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_evidence)

BOOST_FIXTURE_TEST_CASE(a_gates_key_proves_that_it_is_in_the_tpm_and_who_opens_it, Site) {
  BOOST_TEST(contains(run({"gate", "list"}).out, "no: `chancery gate pin` does it"));
  const Run pinned = pin({"--emulator-roots", root_of(tpm)});
  BOOST_REQUIRE_MESSAGE(pinned.exit == 0, pinned.err);
  BOOST_TEST(contains(pinned.out, gate().key_name), pinned.out);
  BOOST_TEST(contains(pinned.out, "tpm-certified-emulated: by a simulator"), pinned.out);
  const Run listed = run({"gate", "list"});
  BOOST_TEST(contains(listed.out, "evidence: tpm-certified-emulated"), listed.out);
  const Run as_json = run({"gate", "list", "--format", "json"});
  BOOST_TEST(contains(as_json.out, R"("evidence":{"at":)"), as_json.out);
  BOOST_TEST(contains(as_json.out, R"("endorsement":"root")"), as_json.out);
}

BOOST_FIXTURE_TEST_CASE(without_evidence_a_gate_is_pinned_only_when_that_is_said, Site) {
  const Run unsaid = pin({});
  BOOST_TEST(unsaid.exit == 2);
  BOOST_TEST(contains(unsaid.err, "--without-evidence believes the daemon"), unsaid.err);
  BOOST_TEST(pin({"--without-evidence", "--emulator-roots", root_of(tpm)}).exit == 2);
  const Run believed = pin({"--without-evidence"});
  BOOST_TEST(believed.exit == 0, believed.err);
  BOOST_TEST(
      contains(run({"gate", "list"}).out, "evidence: none: that the key is in a TPM is the daemon's word"));
  BOOST_TEST(contains(run({"gate", "list", "--format", "json"}).out, R"("evidence":null)"));
  // What is proved later counts from then on, and no word takes it away.
  BOOST_TEST(pin({"--emulator-roots", root_of(tpm)}).exit == 0);
  BOOST_TEST(pin({"--without-evidence"}).exit == 0);
  BOOST_TEST(contains(run({"gate", "list"}).out, "evidence: tpm-certified-emulated"));
}

BOOST_FIXTURE_TEST_CASE(a_tpm_for_which_nobody_that_was_named_speaks_is_not_believed, Site) {
  const simulators::Swtpm other = certified_tpm();
  for (const Words& options :
       {Words{"--ek-roots", root_of(other)}, Words{"--ek-pin", std::string(64, 'a')}}) {
    const Run refused = pin(options);
    BOOST_TEST(refused.exit == 2);
    BOOST_TEST(contains(refused.err, "chain"), refused.err);
  }
  BOOST_TEST(pin({"--ek-pin", "abc"}).exit == 2);
  BOOST_TEST(pin({"--ek-roots", "/nonexistent.pem"}).exit == 2);
  BOOST_TEST(contains(run({"gate", "list"}).out, "no: `chancery gate pin` does it"));
}

BOOST_FIXTURE_TEST_CASE(the_daemon_attests_the_keys_of_its_gates_as_its_own, Site) {
  const auto key = parse_jwk(gate().key);
  BOOST_REQUIRE(key);
  const Client client = daemon.client();
  const auto results = answered(AttestationClient(client).results(key->thumbprint().text())).results;
  BOOST_REQUIRE(results.size() == 1u);
  const auto said = SignedAttestationResult::parse(results.front());
  BOOST_REQUIRE(said);
  BOOST_TEST((said->claims().key == key->thumbprint()));
  BOOST_TEST((said->claims().custody == Custody::kTpmCertifiedEmulated));
  // The first round publishes them beside those of the issuer's key.
  daemon.stop();
  daemon.start();
  const auto is_published = [&] {
    const auto metadata = daemon.client().metadata();
    return metadata && std::ranges::any_of(metadata->attestation_results, [&](const std::string& result) {
             const auto parsed = SignedAttestationResult::parse(result);
             return parsed && parsed->claims().key == key->thumbprint();
           });
  };
  BOOST_TEST(eventually(is_published, std::chrono::seconds(60)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
