// What stands behind a gate that a TPM enforces. The numbers come from a program of its own, written after
// docs/protocol/gated-keys.md; that a TPM computes the same is in tests/unit/hsm/gate_policy.cpp.

#include "attest/evidence/policy_digest.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/attest/gate_points.hpp"

namespace chancery::tests {
namespace {

using attest::Check;
using attest::GatePolicy;

GatePolicy gate_of(std::size_t approvers, std::uint32_t quorum) {
  GatePolicy policy{{}, quorum, "refunds"};
  for (std::size_t i = 0; i < approvers; ++i) policy.approvers.push_back(gate_point(i));
  return policy;
}

std::string digest_text(const GatePolicy& policy) {
  const auto digest = attest::gate_policy_digest(policy);
  return digest ? hex_encode(*digest) : digest.error().what;
}

constexpr std::string_view kName = "000b2408f86dbb75ffff34803c9717ea2c493056159efee9adac2587fce1056032a0";
constexpr std::string_view kSigningInput = "eyJhbGciOiJFUzI1NiJ9.e30";

attest::Name gated_name() { return hex_decode_exactly<34>(kName).value(); }

/// A gated key whose point is the fifth, behind two of three.
TPMT_PUBLIC gated_area() {
  TPMT_PUBLIC area = attest::gated_key_area(attest::gate_policy_digest(gate_of(3, 2)).value());
  area.unique = attest::signer_area(gate_point(4)).unique;
  return area;
}

attest::Judged<attest::GatedKey> judged(const TPMT_PUBLIC& area, const GatePolicy& policy = gate_of(3, 2)) {
  return attest::judge_gated_key(attest::write_public(area).value(), policy);
}

struct Known {
  std::size_t approvers;
  std::uint32_t quorum;
  std::size_t choices;
  std::string_view digest;
};
std::ostream& operator<<(std::ostream& out, const Known& row) {
  return out << row.quorum << " of " << row.approvers;
}

constexpr std::array kKnown{
    Known{1, 1, 1, "dcd5fe58100ff7e29819a6bc37e5f30f0418846ceb0a610750c8c980afccef6d"},
    Known{2, 1, 2, "25db16d1023363ff3068882c6c488bf0cd6f79ef76a9eb4e26450adc7cb8d4fd"},
    Known{2, 2, 1, "0c97dd3d58ad4a7c2135fb83a297cd4ffe8b1d0b1e6e41fa03bcdb240acdcbfd"},
    Known{3, 1, 3, "b872d7f3ef8c1f5ca065974b1dc2e49a6f55a5ecef2c841ec998478759095654"},
    Known{3, 2, 3, "8e58364aa53478c90628c71c91ad0d2bd158536d85a02446aeb1d52b1048473b"},
    Known{3, 3, 1, "025e37f64bca315135ffe524c5afc7b58c2fa299bc3561e580f1e52e99634be6"},
    Known{4, 1, 4, "09480fc3a4279295157a3b45beaede201fbaef97763e6dac3be0e7a48699a08e"},
    Known{4, 2, 6, "b3aa5f329692ca4c398b2a73c02333f98c4659dcb82f893c59b01884369f14cc"},
    Known{4, 3, 4, "c9bcc5dccb2d5f12869efa6d78c9dbcd4f720d3b82e22da89cf659025ffe0ae1"},
    Known{4, 4, 1, "691e0ef7b5b32c492aa02d8ad6d9175fd0822b9ee257fb8934ea60c52546aa37"},
};

struct BadPolicy {
  const char* name;
  ErrorCode code;
  void (*spoil)(GatePolicy&);
};
std::ostream& operator<<(std::ostream& out, const BadPolicy& row) { return out << row.name; }

constexpr std::array kBadPolicies{
    BadPolicy{"nobody", ErrorCode::kInvalidArgument, [](GatePolicy& policy) { policy.approvers.clear(); }},
    BadPolicy{"five approvers", ErrorCode::kInvalidArgument,
              [](GatePolicy& policy) {
                policy.approvers.push_back(gate_point(3));
                policy.approvers.push_back(gate_point(4));
              }},
    BadPolicy{"a quorum of none", ErrorCode::kInvalidArgument, [](GatePolicy& policy) { policy.quorum = 0; }},
    BadPolicy{"a quorum of more than there are", ErrorCode::kInvalidArgument,
              [](GatePolicy& policy) { policy.quorum = 4; }},
    BadPolicy{"one key twice", ErrorCode::kInvalidArgument,
              [](GatePolicy& policy) { policy.approvers[2] = policy.approvers[0]; }},
    BadPolicy{"a gate without a name", ErrorCode::kInvalidArgument,
              [](GatePolicy& policy) { policy.gate.clear(); }},
    BadPolicy{"a name of 33 octets", ErrorCode::kInvalidArgument,
              [](GatePolicy& policy) { policy.gate.assign(33, 'g'); }},
    BadPolicy{"an Ed25519 key", ErrorCode::kUnsupportedAlgorithm,
              [](GatePolicy& policy) { policy.approvers[1] = PublicKey::ed25519({1}); }},
    BadPolicy{"a point off its curve", ErrorCode::kInvalidKey,
              [](GatePolicy& policy) { policy.approvers[1] = PublicKey::p256({1}, {2}); }},
};

struct BadArea {
  const char* name;
  Check check;
  void (*spoil)(TPMT_PUBLIC&);
};
std::ostream& operator<<(std::ostream& out, const BadArea& row) { return out << row.name; }

template <TPMA_OBJECT Attribute>
void flip(TPMT_PUBLIC& area) {
  area.objectAttributes ^= Attribute;
}

constexpr std::array kBadAreas{
    BadArea{"its secret opens it, too", Check::kKeyAttributes, flip<TPMA_OBJECT_USERWITHAUTH>},
    BadArea{"its secret certifies it", Check::kKeyAttributes, flip<TPMA_OBJECT_ADMINWITHPOLICY>},
    BadArea{"it may leave its TPM", Check::kKeyAttributes, flip<TPMA_OBJECT_FIXEDTPM>},
    BadArea{"it may go below another parent", Check::kKeyAttributes, flip<TPMA_OBJECT_FIXEDPARENT>},
    BadArea{"it was made elsewhere", Check::kKeyAttributes, flip<TPMA_OBJECT_SENSITIVEDATAORIGIN>},
    BadArea{"it does not sign", Check::kKeyAttributes, flip<TPMA_OBJECT_SIGN_ENCRYPT>},
    BadArea{"it decrypts", Check::kKeyAttributes, flip<TPMA_OBJECT_DECRYPT>},
    BadArea{"it is restricted", Check::kKeyAttributes, flip<TPMA_OBJECT_RESTRICTED>},
    BadArea{"a crash may lock it", Check::kKeyAttributes, flip<TPMA_OBJECT_NODA>},
    BadArea{"another policy", Check::kKeyPolicy, [](TPMT_PUBLIC& area) { area.authPolicy.buffer[31] ^= 1; }},
    BadArea{"no policy", Check::kKeyPolicy, [](TPMT_PUBLIC& area) { area.authPolicy.size = 0; }},
    BadArea{"another curve", Check::kKeyType,
            [](TPMT_PUBLIC& area) { area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384; }},
    BadArea{
        "another hash to sign with", Check::kKeyType,
        [](TPMT_PUBLIC& area) { area.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384; }},
    BadArea{"any scheme", Check::kKeyType,
            [](TPMT_PUBLIC& area) { area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL; }},
    BadArea{"a Name under another hash", Check::kKeyType,
            [](TPMT_PUBLIC& area) { area.nameAlg = TPM2_ALG_SHA384; }},
    BadArea{"no name algorithm", Check::kMalformed, [](TPMT_PUBLIC& area) { area.nameAlg = TPM2_ALG_NULL; }},
    BadArea{"no point of its curve", Check::kMalformed,
            [](TPMT_PUBLIC& area) { area.unique.ecc.y.buffer[31] ^= 1; }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(policy_digest)

BOOST_DATA_TEST_CASE(a_policy_has_one_digest, boost::unit_test::data::make(kKnown), row) {
  const GatePolicy policy = gate_of(row.approvers, row.quorum);
  BOOST_TEST(digest_text(policy) == row.digest);
  const auto choices = attest::gate_choices(policy).value();
  BOOST_TEST(choices.size() == row.choices);
  for (const attest::GateChoice& choice : choices) BOOST_TEST(choice.signers.size() == row.quorum);
}

BOOST_DATA_TEST_CASE(the_order_of_approvers_says_nothing, boost::unit_test::data::make(kKnown), row) {
  GatePolicy policy = gate_of(row.approvers, row.quorum);
  std::ranges::reverse(policy.approvers);
  BOOST_TEST(digest_text(policy) == row.digest);
  std::rotate(policy.approvers.begin(), policy.approvers.begin() + 1, policy.approvers.end());
  BOOST_TEST(digest_text(policy) == row.digest);
}

BOOST_AUTO_TEST_CASE(another_gate_is_another_policy) {
  GatePolicy policy = gate_of(1, 1);
  policy.gate = "payouts";
  BOOST_TEST(digest_text(policy) == "7d5274090f22ae8436bc5de0fa8707a04b0255e9acd54f4942975fade260af49");
}

BOOST_AUTO_TEST_CASE(a_gate_of_32_octets_is_as_long_as_it_gets) {
  GatePolicy policy = gate_of(3, 2);
  policy.gate.assign(attest::kMostGateName, 'g');
  BOOST_TEST(attest::gate_policy_digest(policy).has_value());
}

BOOST_DATA_TEST_CASE(what_is_no_policy_has_no_digest, boost::unit_test::data::make(kBadPolicies), row) {
  GatePolicy policy = gate_of(3, 2);
  row.spoil(policy);
  const auto digest = attest::gate_policy_digest(policy);
  BOOST_REQUIRE(!digest);
  BOOST_TEST(error_name(digest.error().code) == error_name(row.code));
  const auto refused = judged(gated_area(), policy);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(attest::check_name(refused.error().check) == attest::check_name(Check::kKeyPolicy));
}

BOOST_AUTO_TEST_CASE(an_approvers_key_has_the_name_that_the_page_says) {
  BOOST_TEST(hex_encode(attest::signer_name(gate_point(0))) ==
             "000ba80824ed300e2c50ef18163e5c753c9c9e62238853c7c22cc46c3333eaac6b25");
}

BOOST_AUTO_TEST_CASE(a_gated_key_is_known_by_its_public_area) {
  const auto key = judged(gated_area());
  BOOST_REQUIRE_MESSAGE(key, (key ? "" : key.error().what));
  BOOST_TEST(hex_encode(key->name) == kName);
  BOOST_TEST((key->key == gate_point(4)));
}

BOOST_DATA_TEST_CASE(any_other_public_area_is_no_gated_key, boost::unit_test::data::make(kBadAreas), row) {
  TPMT_PUBLIC area = gated_area();
  row.spoil(area);
  const auto refused = judged(area);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(attest::check_name(refused.error().check) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_CASE(a_gated_key_is_of_its_gate_alone) {
  for (const GatePolicy& other : {gate_of(3, 1), gate_of(3, 3), gate_of(4, 2), gate_of(2, 2)}) {
    const auto refused = judged(gated_area(), other);
    BOOST_REQUIRE(!refused);
    BOOST_TEST(attest::check_name(refused.error().check) == "key_policy");
  }
}

BOOST_AUTO_TEST_CASE(no_octet_of_a_gated_keys_area_may_be_another) {
  const Bytes octets = attest::write_public(gated_area()).value();
  for (std::size_t i = 0; i < octets.size(); ++i) {
    Bytes changed = octets;
    changed[i] ^= 0x01;
    BOOST_TEST(!attest::judge_gated_key(changed, gate_of(3, 2)).has_value(), "octet " << i);
  }
}

BOOST_AUTO_TEST_CASE(what_approvers_sign_is_what_the_page_says) {
  const attest::Name name = gated_name();
  const Sha256Digest digest = sha256(as_bytes(kSigningInput));
  BOOST_TEST(hex_encode(attest::sign_command_digest(name, digest)) ==
             "664494a41951baab2f63256d183f8dd6ba7a508996a9e5d98dd450de37de84c6");
  BOOST_TEST(hex_encode(attest::policy_signature_input(name, as_bytes(kSigningInput), "refunds")) ==
             "00000000664494a41951baab2f63256d183f8dd6ba7a508996a9e5d98dd450de37de84c6726566756e6473");
  BOOST_TEST(hex_encode(attest::policy_signature_digest(name, as_bytes(kSigningInput), "refunds")) ==
             "bea7db53f351a41f86d41ecd7cde5aa770811ff13fd4aad6521cebf22e68c109");
}

BOOST_AUTO_TEST_CASE(every_part_of_what_is_asked_for_is_in_what_approvers_sign) {
  const attest::Name name = gated_name();
  attest::Name other_key = name;
  other_key[33] ^= 1;
  const ByteView input = as_bytes(kSigningInput);
  const Sha256Digest signed_digest = attest::policy_signature_digest(name, input, "refunds");
  BOOST_TEST((attest::policy_signature_digest(other_key, input, "refunds") != signed_digest));
  BOOST_TEST((attest::policy_signature_digest(name, as_bytes("eyJhbGciOiJFUzI1NiJ9.e31"), "refunds") !=
              signed_digest));
  BOOST_TEST((attest::policy_signature_digest(name, input, "refundr") != signed_digest));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
