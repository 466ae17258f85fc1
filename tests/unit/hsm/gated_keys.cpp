#include "hsm/tpm/gated_keys.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "hsm/tpm/gated_blob.hpp"
#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/gate_fixture.hpp"

// Keys behind a gate, as the daemon uses them. What the TPM itself holds to, whatever the daemon does, is in gate_policy.cpp.

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using simulators::TctiFault;
using simulators::TpmProxy;
namespace data = boost::unit_test::data;

std::string_view error_of(const Status& status) {
  return status ? std::string_view("signed") : error_name(status.error().code);
}

/// Everybody whose bit is set.
std::vector<PolicySignature> approved_by(const GatedScene& scene, unsigned who) {
  std::vector<PolicySignature> out;
  for (std::size_t i = 0; i < scene.gate.keys.size(); ++i) {
    if ((who >> i & 1U) != 0) out.push_back(scene.approved_by(i));
  }
  return out;
}

struct Wrong {
  const char* name;
  ErrorCode code;
  std::uint64_t native;  ///< what the TPM said; 0: it was not asked
  std::vector<PolicySignature> (*show)(const GatedScene& scene, const SigningKey& stranger);
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }

constexpr std::uint64_t kBadSignature = 0x5DB;  // TPM_RC_SIGNATURE, of the fifth parameter

constexpr std::array kWrong{
    Wrong{"nobody has signed", kForbidden, 0,
          [](const GatedScene&, const SigningKey&) { return std::vector<PolicySignature>(); }},
    Wrong{"one of two has signed", kForbidden, 0,
          [](const GatedScene& scene, const SigningKey&) { return std::vector{scene.approved_by(0)}; }},
    Wrong{"one has signed twice", kForbidden, 0,
          [](const GatedScene& scene, const SigningKey&) {
            return std::vector{scene.approved_by(0), scene.approved_by(0)};
          }},
    Wrong{"one who is no approver has signed", kForbidden, 0,
          [](const GatedScene& scene, const SigningKey& stranger) {
            return std::vector{scene.approved_by(0), approve(stranger, scene.name)};
          }},
    Wrong{"one who is no approver has signed in an approver's name", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey& stranger) {
            PolicySignature forged = approve(stranger, scene.name);
            forged.approver = scene.gate.policy.approvers[1];
            return std::vector{scene.approved_by(0), forged};
          }},
    Wrong{"one has signed for another token", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey&) {
            return std::vector{scene.approved_by(0), approve(scene.gate.keys[1], scene.name, kOtherToken)};
          }},
    Wrong{"one has signed for another gate", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey&) {
            return std::vector{scene.approved_by(0),
                               approve(scene.gate.keys[1], scene.name, kToken, "payouts")};
          }},
    Wrong{"one has signed for another key", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey&) {
            attest::Name other = scene.name;
            other[33] ^= 1;
            return std::vector{scene.approved_by(0), approve(scene.gate.keys[1], other)};
          }},
    Wrong{"a signature was changed", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey&) {
            PolicySignature changed = scene.approved_by(1);
            changed.signature[63] ^= 1;
            return std::vector{scene.approved_by(0), changed};
          }},
    Wrong{"a signature is all zeros", kSignatureInvalid, kBadSignature,
          [](const GatedScene& scene, const SigningKey&) {
            return std::vector{scene.approved_by(0), PolicySignature{scene.gate.policy.approvers[1], {}}};
          }},
};

constexpr std::array kCommands{TPM2_CC_StartAuthSession, TPM2_CC_LoadExternal, TPM2_CC_PolicySigned,
                               TPM2_CC_PolicyOR,         TPM2_CC_Load,         TPM2_CC_Sign,
                               TPM2_CC_FlushContext};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated_keys)

BOOST_DATA_TEST_CASE(each_set_that_meets_the_quorum_signs_and_no_other, data::make(kGateRules), rule) {
  const GatedScene scene(rule.approvers, rule.quorum);
  for (unsigned who = 0; who < 1U << rule.approvers; ++who) {
    const auto signatures = approved_by(scene, who);
    const bool is_enough = signatures.size() >= rule.quorum;
    BOOST_TEST(error_of(scene.sign(signatures)) == (is_enough ? "signed" : "forbidden"), "set " << who);
  }
}

BOOST_AUTO_TEST_CASE(the_order_of_approvers_and_of_signatures_is_of_no_matter) {
  GatedScene scene(3, 2);
  std::ranges::reverse(scene.gate.policy.approvers);
  BOOST_TEST(error_of(scene.sign({scene.approved_by(0), scene.approved_by(2)})) == "signed");
  BOOST_TEST(error_of(scene.sign({scene.approved_by(2), scene.approved_by(0)})) == "signed");
}

BOOST_DATA_TEST_CASE(what_is_not_the_quorums_word_signs_nothing, data::make(kWrong), row) {
  const GatedScene scene(2, 2);
  const SigningKey stranger = required(SigningKey::generate(Algorithm::kES256));
  const Status refused = scene.sign(row.show(scene, stranger));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(error_name(refused.error().code) == error_name(row.code));
  BOOST_TEST(refused.error().native == row.native);
  BOOST_TEST(error_of(scene.sign({scene.approved_by(0), scene.approved_by(1)})) == "signed");
}

BOOST_AUTO_TEST_CASE(a_strangers_signature_beside_enough_others_is_not_looked_at) {
  const GatedScene scene(2, 2);
  const SigningKey stranger = required(SigningKey::generate(Algorithm::kES256));
  BOOST_TEST(error_of(scene.sign({PolicySignature{stranger.public_key(), {}}, scene.approved_by(1),
                                  scene.approved_by(0)})) == "signed");
}

BOOST_AUTO_TEST_CASE(a_key_is_of_one_policy_for_good) {
  GatedScene scene(3, 2);
  scene.gate.policy.quorum = 1;
  BOOST_TEST(error_of(scene.sign({scene.approved_by(0)})) == "key_mismatch");
  scene.gate.policy.quorum = 2;
  scene.gate.policy.gate = "payouts";
  BOOST_TEST(error_of(scene.sign({scene.approved_by(0), scene.approved_by(1)})) == "key_mismatch");
}

BOOST_AUTO_TEST_CASE(what_is_no_policy_makes_no_key) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  Gate gate(3, 2);
  gate.policy.quorum = 4;
  const auto made = backend->gated_keys()->create({"daemon", "gated-1"}, gate.policy, far_away());
  BOOST_REQUIRE(!made);
  BOOST_TEST((made.error().code == kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(a_gated_key_outlasts_restarts_of_the_tpm_and_of_the_daemon) {
  GatedScene scene(3, 2);
  const std::vector<PolicySignature> signatures{scene.approved_by(0), scene.approved_by(1)};
  BOOST_REQUIRE(scene.tpm.restart());
  eventually([&] { return scene.sign(signatures).has_value(); });
  scene.backend.reset();  // a TPM's socket takes one connection
  scene.backend = open_backend(options_for(scene.tpm.tcti()));
  BOOST_TEST(error_of(scene.sign(signatures)) == "signed");
}

BOOST_AUTO_TEST_CASE(another_tpms_key_is_lost_here) {
  const GatedScene here(1, 1);
  const GatedScene there(1, 1);
  const Status refused = sign_behind(*here.backend, there.key, there.gate, {there.approved_by(0)});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == kKeyLost));
  BOOST_TEST(refused.error().native == 0x1DFu);  // integrity of the first parameter
}

BOOST_AUTO_TEST_CASE(another_keys_blob_is_a_mismatch) {
  const GatedScene scene(1, 1);
  StoredKey other = scene.gate.create(*scene.backend);
  other.public_key = scene.key.public_key;
  BOOST_TEST(error_of(sign_behind(*scene.backend, other, scene.gate, {scene.approved_by(0)})) ==
             "key_mismatch");
}

// Parts of the creation data may be others without being found before the key is certified; the TPM finds them then.
BOOST_AUTO_TEST_CASE(a_blob_that_was_changed_or_cut_signs_nothing_else) {
  const GatedScene scene(1, 1);
  const std::vector<PolicySignature> signatures{scene.approved_by(0)};
  for (std::size_t i = 0; i < scene.key.blob.size(); i += 7) {
    StoredKey changed = scene.key;
    changed.blob[i] ^= 0x01;
    const Status outcome = sign_behind(*scene.backend, changed, scene.gate, signatures);
    const bool is_certified =
        scene.backend->gated_keys()->certify(changed, Bytes(32, 1), far_away()).has_value();
    BOOST_TEST((!outcome || !is_certified), "octet " << i);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, scene.key.blob.size() - 1}) {
    StoredKey cut = scene.key;
    cut.blob.resize(size);
    BOOST_TEST(error_of(sign_behind(*scene.backend, cut, scene.gate, signatures)) == "key_lost");
  }
}

BOOST_AUTO_TEST_CASE(an_agents_key_is_no_gated_one_nor_the_other_way_round) {
  const GatedScene scene(1, 1);
  const StoredKey agents = create_key(*scene.backend);
  BOOST_TEST(error_of(sign_behind(*scene.backend, agents, scene.gate, {scene.approved_by(0)})) == "key_lost");
  BOOST_TEST((sign_error(*scene.backend, scene.key) == kForbidden));
  const auto certified = scene.backend->attester()->certify(scene.key, Bytes(32, 1), far_away());
  BOOST_REQUIRE(!certified);
  BOOST_TEST((certified.error().code == kForbidden));
}

BOOST_AUTO_TEST_CASE(a_destroyed_key_signs_no_more_and_is_certified_no_more) {
  const GatedScene scene(1, 1);
  GatedKeys& gated = *scene.backend->gated_keys();
  BOOST_REQUIRE(scene.sign({scene.approved_by(0)}));
  BOOST_REQUIRE(gated.certify(scene.key, {}, far_away()));
  BOOST_REQUIRE(scene.backend->destroy(scene.key, far_away()));
  BOOST_TEST(error_of(scene.sign({scene.approved_by(0)})) == "key_lost");
  const auto certified = gated.certify(scene.key, {}, far_away());
  BOOST_REQUIRE(!certified);
  BOOST_TEST((certified.error().code == kKeyLost));
}

BOOST_AUTO_TEST_CASE(signing_behind_a_gate_leaves_nothing_in_the_tpm) {
  const GatedScene scene(3, 2);
  const StoredKey agents = create_key(*scene.backend);
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(error_of(scene.sign({scene.approved_by(0), scene.approved_by(2)})) == "signed");
    BOOST_TEST(error_of(scene.sign({scene.approved_by(0)})) == "forbidden");
    PolicySignature wrong = scene.approved_by(1);
    wrong.signature[0] ^= 1;
    BOOST_TEST(error_of(scene.sign({scene.approved_by(0), wrong})) == "signature_invalid");
    BOOST_TEST((sign_error(*scene.backend, agents) == std::nullopt));
    required(scene.backend->gated_keys()->certify(scene.key, Bytes(32, 1), far_away()));
  }
  BOOST_TEST(scene.backend->load().live_sessions == 1u);
  BOOST_REQUIRE(scene.backend->facts(far_away()));  // makes room
  BOOST_TEST(scene.backend->load().live_objects == 0u);
  BOOST_TEST(count_handles(*scene.backend, TPM2_TRANSIENT_FIRST) == 0u);
}

// What approvers sign is about the octets of the command, so it must go as it is: an HMAC protects it, nothing hides it. An
// agent's signature goes the other way.
BOOST_AUTO_TEST_CASE(a_gated_command_is_not_encrypted_and_others_are) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Gate gate(1, 1);
  const StoredKey key = gate.create(*backend);
  const StoredKey agents = create_key(*backend);
  BOOST_TEST((sign_error(*backend, agents) == std::nullopt));
  BOOST_TEST(!proxy.has_seen(sha256(as_bytes("message"))));
  const attest::Name name = name_of(*backend, key, gate);
  BOOST_TEST(error_of(sign_behind(*backend, key, gate, {approve(gate.keys[0], name)})) == "signed");
  BOOST_TEST(proxy.has_seen(sha256(as_bytes(kToken))));
}

BOOST_AUTO_TEST_CASE(plain_sessions_change_nothing_of_it) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmOptions options = options_for(tpm.tcti());
  options.sessions = SessionKind::kPlain;
  const auto backend = open_backend(std::move(options));
  const Gate gate(2, 2);
  const StoredKey key = gate.create(*backend);
  const attest::Name name = name_of(*backend, key, gate);
  const std::vector<PolicySignature> signatures{approve(gate.keys[0], name), approve(gate.keys[1], name)};
  BOOST_TEST(error_of(sign_behind(*backend, key, gate, signatures)) == "signed");
  BOOST_TEST(error_of(sign_behind(*backend, key, gate, {signatures[0]})) == "forbidden");
}

BOOST_DATA_TEST_CASE(an_answer_that_was_lost_behind_a_gate_is_asked_for_again, data::make(kCommands),
                     command) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  TpmOptions options = options_for(proxy.tcti());
  options.key_cache = 0;  // so that the key is loaded from its blob, too
  const auto backend = open_backend(std::move(options));
  const Gate gate(3, 2);
  const StoredKey key = gate.create(*backend);
  const attest::Name name = name_of(*backend, key, gate);
  proxy.inject(command, {.kind = TctiFault::Kind::kCut});
  BOOST_TEST(error_of(sign_behind(*backend, key, gate,
                                  {approve(gate.keys[0], name), approve(gate.keys[1], name)})) == "signed");
  BOOST_TEST(proxy.struck() == 1);
  BOOST_TEST(backend->load().live_sessions == 1u);
}

// Whoever owns the bus can have the TPM meet another object than we name, and change what it answers.
BOOST_AUTO_TEST_CASE(a_signature_that_was_changed_on_its_way_back_is_not_given_out) {
  const simulators::Swtpm tpm = start_swtpm();
  TpmProxy proxy(tpm.socket());
  const auto backend = open_backend(options_for(proxy.tcti()));
  const Gate gate(1, 1);
  const StoredKey key = gate.create(*backend);
  const std::vector<PolicySignature> signatures{approve(gate.keys[0], name_of(*backend, key, gate))};
  // Header, size of the parameters, scheme, hash and size of r: then r.
  proxy.inject(TPM2_CC_Sign, {.kind = TctiFault::Kind::kCorrupt, .offset = 24}, TpmProxy::kAlways);
  BOOST_TEST(error_of(sign_behind(*backend, key, gate, signatures)) == "device_unavailable");
  proxy.heal();
  eventually([&] { return sign_behind(*backend, key, gate, signatures).has_value(); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm
