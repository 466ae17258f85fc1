// What an approver keeps of a gate that a TPM enforces, and what is signed for it.

#include "sdk/cli/pinned_gate.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::cli::testing {
namespace {

constexpr const char* kIssuer = "https://chancery.example";

PublicKey new_key(Algorithm algorithm = Algorithm::kES256) {
  return SigningKey::generate(algorithm)->public_key();
}

api::ApproverKey key_of(const PublicKey& key, const char* kind = "file") {
  api::ApproverKey out;
  out.jkt = key.thumbprint().text();
  out.kind = kind;
  out.jwk = key.jwk();
  out.state = "active";
  return out;
}

api::Gate tpm_gate(std::vector<std::string> approvers, std::int64_t quorum = 1) {
  api::Gate gate;
  gate.name = "deploy";
  gate.approvers = std::move(approvers);
  gate.quorum = quorum;
  gate.enforcement = api::kTpmEnforced;
  return gate;
}

/// Settings of their own for one test; what the key commands keep goes there.
struct Settings {
  Settings() { ::setenv("XDG_CONFIG_HOME", folder.path().c_str(), 1); }
  ~Settings() { ::unsetenv("XDG_CONFIG_HOME"); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  chancery::testing::TemporaryFolder folder;
};

struct People {
  PublicKey alice = new_key();
  PublicKey bob = new_key();
  PublicKey carol = new_key();
  std::vector<api::Approver> approvers{{"user:alice", {"ops"}, {key_of(alice, "tpm")}},
                                       {"user:bob", {}, {key_of(bob)}},
                                       {"user:carol", {"finance", "ops"}, {key_of(carol)}}};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pinned_gates)

BOOST_AUTO_TEST_CASE(a_policy_has_the_keys_of_those_whom_the_gate_names) {
  const People people;
  const auto by_group = policy_of(tpm_gate({"group:ops", "user:alice"}, 2), people.approvers);
  BOOST_REQUIRE(by_group.has_value());
  BOOST_TEST((by_group->approvers == std::vector<PublicKey>{people.alice, people.carol}));
  BOOST_TEST(by_group->quorum == 2U);
  BOOST_TEST(by_group->gate == "deploy");
  const auto by_name = policy_of(tpm_gate({"user:bob"}), people.approvers);
  BOOST_REQUIRE(by_name.has_value());
  BOOST_TEST((by_name->approvers == std::vector<PublicKey>{people.bob}));
}

BOOST_AUTO_TEST_CASE(a_group_is_no_person_of_that_name) {
  People people;
  people.approvers[1].principal = "ops";
  const auto policy = policy_of(tpm_gate({"ops"}), people.approvers);
  BOOST_REQUIRE(policy.has_value());
  BOOST_TEST((policy->approvers == std::vector<PublicKey>{people.bob}));
}

struct KeyCase {
  const char* name;
  void (*change)(api::Approver& bob);
  std::ptrdiff_t which;  // of the keys is the one; -1: none
};
std::ostream& operator<<(std::ostream& out, const KeyCase& row) { return out << row.name; }

// Two keys of one person would be two persons to a TPM.
const std::array kKeys{
    KeyCase{"one key", [](api::Approver&) {}, 0},
    KeyCase{"a passkey besides", [](api::Approver& bob) { bob.keys.push_back(key_of(new_key(), "passkey")); },
            0},
    KeyCase{"an Ed25519 key besides",
            [](api::Approver& bob) { bob.keys.push_back(key_of(new_key(Algorithm::kEd25519))); }, 0},
    KeyCase{"a key that has ended besides",
            [](api::Approver& bob) {
              bob.keys.push_back(key_of(new_key()));
              bob.keys.back().state = "revoked";
            },
            0},
    KeyCase{"another key after it", [](api::Approver& bob) { bob.keys.push_back(key_of(new_key())); }, 1},
    KeyCase{"a passkey alone", [](api::Approver& bob) { bob.keys[0].kind = "passkey"; }, -1},
    KeyCase{"no key", [](api::Approver& bob) { bob.keys.clear(); }, -1},
};
BOOST_DATA_TEST_CASE(a_person_opens_a_gate_of_a_tpm_by_the_last_key_alone,
                     boost::unit_test::data::make(kKeys), row) {
  People people;
  api::Approver& bob = people.approvers[1];
  row.change(bob);
  const auto policy = policy_of(tpm_gate({"user:bob"}), people.approvers);
  BOOST_REQUIRE(policy.has_value());
  BOOST_REQUIRE(policy->approvers.size() == (row.which < 0 ? 0U : 1U));
  if (row.which >= 0)
    BOOST_TEST(policy->approvers[0].thumbprint().text() == bob.keys[static_cast<std::size_t>(row.which)].jkt);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_none_opens_nothing) {
  People people;
  people.approvers[1].keys[0].jwk = "{}";
  BOOST_TEST(!policy_of(tpm_gate({"user:bob"}), people.approvers).has_value());
}

BOOST_AUTO_TEST_CASE(of_a_gate_that_software_enforces_nothing_is_pinned) {
  const People people;
  api::Gate gate = tpm_gate({"user:bob"});
  gate.enforcement = api::kSoftwareEnforced;
  BOOST_TEST(!policy_of(gate, people.approvers).has_value());
}

// The Name is what a gated key's has to be: another approver, quorum, gate or point gives another.
BOOST_AUTO_TEST_CASE(a_name_follows_from_everything_that_was_pinned) {
  const People people;
  const PublicKey gated = new_key();
  const attest::GatePolicy policy{{people.alice, people.bob}, 1, "deploy"};
  const auto pin = gate_behind(kIssuer, policy, gated);
  BOOST_REQUIRE(pin.has_value());
  BOOST_TEST(
      (gate_behind(kIssuer, {{people.bob, people.alice}, 1, "deploy"}, gated)->key.name == pin->key.name));
  for (const attest::GatePolicy& other : {attest::GatePolicy{{people.alice, people.carol}, 1, "deploy"},
                                          attest::GatePolicy{{people.alice, people.bob}, 2, "deploy"},
                                          attest::GatePolicy{{people.alice, people.bob}, 1, "payments"}}) {
    const auto behind = gate_behind(kIssuer, other, gated);
    BOOST_REQUIRE(behind.has_value());
    BOOST_TEST((behind->key.name != pin->key.name));
  }
  BOOST_TEST((gate_behind(kIssuer, policy, new_key())->key.name != pin->key.name));
  BOOST_TEST(!gate_behind(kIssuer, policy, PublicKey::p256({1}, {1})).has_value());
  BOOST_TEST(!gate_behind(kIssuer, {{}, 1, "deploy"}, gated).has_value());
}

BOOST_FIXTURE_TEST_CASE(what_was_proved_of_the_key_is_kept_with_the_pin, Settings) {
  const People people;
  auto pin = gate_behind(kIssuer, {{people.alice}, 1, "deploy"}, new_key());
  BOOST_REQUIRE(pin.has_value());
  pin->evidence = GateEvidence{Custody::kTpmCertified, "root", std::string(64, 'e'),
                               std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000))};
  BOOST_REQUIRE(pin_gate(*pin).has_value());
  const auto kept = pinned_gate(kIssuer, "deploy");
  BOOST_REQUIRE((kept && *kept && (*kept)->evidence));
  BOOST_TEST(((*kept)->evidence->custody == Custody::kTpmCertified));
  BOOST_TEST((*kept)->evidence->endorsement == "root");
  BOOST_TEST((*kept)->evidence->ek == std::string(64, 'e'));
  BOOST_TEST(((*kept)->evidence->at == pin->evidence->at));
}

BOOST_FIXTURE_TEST_CASE(a_pin_with_half_of_its_evidence_is_not_read, Settings) {
  const People people;
  const auto pin = gate_behind(kIssuer, {{people.alice}, 1, "deploy"}, new_key());
  BOOST_REQUIRE(pin.has_value());
  BOOST_REQUIRE(pin_gate(*pin).has_value());
  const auto file = *std::filesystem::directory_iterator(folder.path() / "chancery" / "gates");
  std::ifstream in(file.path());
  std::string text{std::istreambuf_iterator<char>(in), {}};
  constexpr std::string_view kNone = R"("evidence":null)";
  text.replace(text.find(kNone), kNone.size(),
               R"("evidence":{"custody":"tpm-certified","endorsement":"root"})");
  std::ofstream(file.path()) << text;
  BOOST_TEST(!pinned_gate(kIssuer, "deploy").has_value());
}

BOOST_AUTO_TEST_CASE(what_a_pin_rests_on_is_said_in_words) {
  GateEvidence evidence{Custody::kTpmCertifiedEmulated, "pinned", "ab", {}};
  BOOST_TEST(evidence_text(std::nullopt) == "none: that the key is in a TPM is the daemon's word");
  BOOST_TEST(
      evidence_text(evidence) ==
      "tpm-certified-emulated: by a simulator, whose keys are in software, by the EK that you named, ab");
  evidence.custody = Custody::kTpmCertified;
  evidence.endorsement = "root";
  BOOST_TEST(evidence_text(evidence) == "tpm-certified, by the root that you named, EK ab");
}

BOOST_FIXTURE_TEST_CASE(a_pin_is_found_as_it_was_kept, Settings) {
  const People people;
  const auto pin = gate_behind(kIssuer, {{people.alice, people.bob}, 2, "deploy"}, new_key());
  BOOST_REQUIRE(pin.has_value());
  BOOST_TEST(!pinned_gate(kIssuer, "deploy")->has_value());
  BOOST_REQUIRE(pin_gate(*pin).has_value());
  const auto kept = pinned_gate(kIssuer, "deploy");
  BOOST_REQUIRE((kept && *kept));
  BOOST_TEST(((*kept)->key.name == pin->key.name));
  BOOST_TEST((*kept)->policy.quorum == 2U);
  BOOST_TEST(!(*kept)->evidence.has_value());
  BOOST_TEST(!pinned_gate(kIssuer, "payments")->has_value());
  BOOST_TEST(!pinned_gate("https://other.example", "deploy")->has_value());
  BOOST_TEST(!pinned_gate(kIssuer, "tool:refund")->has_value());
  BOOST_TEST(!pinned_gate(kIssuer, "../deploy")->has_value());
}

BOOST_FIXTURE_TEST_CASE(a_pin_that_was_changed_is_no_pin, Settings) {
  const People people;
  const auto pin = gate_behind(kIssuer, {{people.alice, people.bob}, 2, "deploy"}, new_key());
  BOOST_REQUIRE(pin_gate(*pin).has_value());
  const auto file = std::filesystem::directory_iterator(folder.path() / "chancery" / "gates")->path();
  for (const char* text : {"", "{}", R"({"issuer":"https://chancery.example","gate":"deploy","quorum":0})"}) {
    std::ofstream(file) << text;
    BOOST_TEST(!pinned_gate(kIssuer, "deploy").has_value());
  }
}

// --- what is signed

struct Signed : Settings {
  static ApproverIdentity identity() { return {"user:bob", *KeptKey::make(KeyPlace{})}; }

  Signed() : bob(identity()), issuer(*SigningKey::generate(Algorithm::kES256)) {
    auto pin =
        gate_behind(kIssuer, {{bob.key.holder().public_key(), new_key()}, 2, "deploy"}, issuer.public_key());
    gate = *std::move(pin);
  }
  [[nodiscard]] Token token_under(const PublicKey& signer) const {
    const Claims claims = tests::root_claims(bob.key.holder().public_key());
    return Token::parse(UnsignedToken::encode(claims, signer, false).with(Signature{})).value();
  }

  ApproverIdentity bob;
  SigningKey issuer;
  PinnedGate gate;
};

BOOST_FIXTURE_TEST_CASE(an_approver_signs_what_the_tpm_takes, Signed) {
  const Token token = token_under(issuer.public_key());
  const auto text = sign_for_gate(bob, gate, token);
  BOOST_REQUIRE(text.has_value());
  const auto signature = base64url_decode_exactly<64>(*text);
  BOOST_REQUIRE(signature.has_value());
  const Bytes message =
      attest::policy_signature_input(gate.key.name, as_bytes(token.signing_input()), "deploy");
  BOOST_TEST(verify_signature(bob.key.holder().public_key(), sha256(message), message, *signature));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_signed_for_another_key_than_the_pinned_one, Signed) {
  const auto refused = sign_for_gate(bob, gate, token_under(new_key()));
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().code == "bad_response");
  BOOST_TEST(!sign_for_gate(bob, gate, token_under(new_key(Algorithm::kEd25519))).has_value());
}

BOOST_FIXTURE_TEST_CASE(nothing_is_signed_by_somebody_who_does_not_open_the_gate, Signed) {
  const ApproverIdentity eve{"user:eve", *KeptKey::make(KeyPlace{})};
  BOOST_TEST(!sign_for_gate(eve, gate, token_under(issuer.public_key())).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
