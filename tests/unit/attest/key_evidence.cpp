// Evidence for an agent's key, judged against what the verifier knows of its host.

#include "attest/verify/key_evidence.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <tss2/tss2_mu.h>

#include "tests/unit/attest/made_host.hpp"

namespace chancery::tests {
namespace {

using attest::Check;
using attest::Hash;
using attest::PublicArea;

const Hash kSha256 = Hash::of(TPM2_ALG_SHA256).value();
const Bytes kGood(32, 0xAA);

constexpr TPMA_OBJECT kAgentKey = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_SIGN_ENCRYPT |
                                  TPMA_OBJECT_NODA | TPMA_OBJECT_USERWITHAUTH;

TPMT_PUBLIC new_area(TPMA_OBJECT attributes) {
  const openssl::Pkey key = make_p256_key();
  TPMT_PUBLIC area = ak_area(key.get());
  area.objectAttributes = attributes;
  return area;
}

PublicArea parsed(const TPMT_PUBLIC& area) {
  return PublicArea::parse(marshalled(area), PublicArea::Form::kBare).value();
}

attest::EnrolledHost enrol(EVP_PKEY* ak) {
  constexpr TPMA_OBJECT kStorage =
      TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  const attest::HostState state{1000, 5, 2, true, 0x20260101};
  return {parsed(new_area(kStorage)),
          parsed(ak_area(ak)),
          parsed(new_area(kStorage)),
          Custody::kTpmCertified,
          state,
          state};
}

TPMS_ATTEST statement(TPM2_ST type, const attest::EnrolledHost& host, ByteView nonce) {
  TPMS_ATTEST out{};
  out.magic = TPM2_GENERATED_VALUE;
  out.type = type;
  constexpr std::array<std::uint8_t, 4> kEndorsement{0x40, 0, 0, 0x0B};
  put(out.qualifiedSigner, host.ak.qualified_name(host.ek.qualified_name(kEndorsement)));
  put(out.extraData, nonce);
  out.clockInfo = {2000, 5, 2, TPM2_YES};
  out.firmwareVersion = 0x20260101;
  return out;
}

/// Turns a certification of a key into one of how it was made, below this parent. \return TPMS_CREATION_DATA
Bytes certify_creation(TPMS_ATTEST& certification, const PublicArea& key, ByteView parent) {
  TPMS_CREATION_DATA made{};
  made.parentNameAlg = TPM2_ALG_SHA256;
  put(made.parentQualifiedName, parent);
  Bytes octets(sizeof made);
  std::size_t size = 0;
  BOOST_REQUIRE(Tss2_MU_TPMS_CREATION_DATA_Marshal(&made, octets.data(), octets.size(), &size) ==
                TSS2_RC_SUCCESS);
  octets.resize(size);
  certification.type = TPM2_ST_ATTEST_CREATION;
  TPMS_CREATION_INFO& about = certification.attested.creation;
  about = {};
  put(about.objectName, key.name());
  put(about.creationHash, kSha256({octets}));
  return octets;
}

attest::StatementOctets signed_by(EVP_PKEY* key, const TPMS_ATTEST& attest) {
  Bytes octets = marshalled(attest);
  Bytes signature = signature_over(octets, key);
  return {std::move(octets), std::move(signature)};
}

}  // namespace

MadeHost::MadeHost()
    : ak_key(make_p256_key()), enrolled(enrol(ak_key.get())), nonce{7, 7, 7}, key(new_area(kAgentKey)) {
  constexpr std::array<std::uint8_t, 4> kOwner{0x40, 0, 0, 1};
  parent = enrolled.srk.qualified_name(kOwner);
  certify = statement(TPM2_ST_ATTEST_CERTIFY, enrolled, nonce);
  quote = statement(TPM2_ST_ATTEST_QUOTE, enrolled, nonce);
  quote.clockInfo.clock += 1;
  policy = {"test", 0x20250000, attest::OnReset::kAccept, {{kSha256, {{0, {kGood}}, {7, {kGood}}}}}};
  values = {{kSha256, {{0, kGood}, {7, kGood}}}};
}

attest::KeyEvidence MadeHost::evidence() const {
  const PublicArea area = parsed(key);
  TPMS_ATTEST said = certify;
  put(said.attested.certify.name, area.name());
  put(said.attested.certify.qualifiedName, area.qualified_name(parent));
  Bytes creation_data;
  if (is_by_creation) creation_data = certify_creation(said, area, parent);
  attest::KeyEvidence out{marshalled(key), signed_by(ak_key.get(), said), policy_digest, std::nullopt,
                          creation_data};
  if (shows_other_creation) out.creation_data.back() ^= 1;
  if (!has_quote) return out;
  TPMS_ATTEST quoted = quote;
  TPMS_QUOTE_INFO& about = quoted.attested.quote;
  about.pcrSelect.count = 1;
  about.pcrSelect.pcrSelections[0] = {TPM2_ALG_SHA256, 3, {0x81, 0, 0}};
  put(about.pcrDigest, kSha256({values.at(kSha256).at(0), values.at(kSha256).at(7)}));
  out.quote = {signed_by(ak_key.get(), quoted), values, std::nullopt};
  return out;
}

namespace {

struct Case {
  const char* name;
  Check check;
  void (*spoil)(MadeHost&);
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

template <TPMA_OBJECT Attribute>
void flip(MadeHost& host) {
  host.key.objectAttributes ^= Attribute;
}

constexpr std::array kCases{
    Case{"another host's AK", Check::kSignature, [](MadeHost& host) { host.ak_key = make_p256_key(); }},
    Case{"an AK below another EK", Check::kAkName,
         [](MadeHost& host) { host.enrolled.ek = parsed(new_area(0)); }},
    Case{"an enrolled AK that is not restricted", Check::kAkAttributes,
         [](MadeHost& host) {
           TPMT_PUBLIC area = ak_area(host.ak_key.get());
           area.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
           host.enrolled.ak = parsed(area);
         }},
    Case{"a replayed nonce", Check::kNonce, [](MadeHost& host) { host.nonce[0] ^= 1; }},
    Case{"a key below another parent", Check::kKeyParent, [](MadeHost& host) { host.parent[5] ^= 1; }},
    Case{"a key made below another parent", Check::kKeyParent,
         [](MadeHost& host) {
           host.is_by_creation = true;
           host.parent[5] ^= 1;
         }},
    Case{"creation data of another key", Check::kCreationHash,
         [](MadeHost& host) { host.is_by_creation = host.shows_other_creation = true; }},
    Case{"a key made elsewhere, certified by how it was made", Check::kKeyAttributes,
         [](MadeHost& host) {
           host.is_by_creation = true;
           host.key.objectAttributes ^= TPMA_OBJECT_SENSITIVEDATAORIGIN;
         }},
    Case{"a key on another curve", Check::kKeyType,
         [](MadeHost& host) { host.key.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384; }},
    Case{
        "a key that signs over SHA-384", Check::kKeyType,
        [](MadeHost& host) { host.key.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384; }},
    Case{"a key without fixedTPM", Check::kKeyAttributes, flip<TPMA_OBJECT_FIXEDTPM>},
    Case{"a key without fixedParent", Check::kKeyAttributes, flip<TPMA_OBJECT_FIXEDPARENT>},
    Case{"a key made elsewhere", Check::kKeyAttributes, flip<TPMA_OBJECT_SENSITIVEDATAORIGIN>},
    Case{"a key that does not sign", Check::kKeyAttributes, flip<TPMA_OBJECT_SIGN_ENCRYPT>},
    Case{"a key with dictionary-attack protection", Check::kKeyAttributes, flip<TPMA_OBJECT_NODA>},
    Case{"a key nobody can use", Check::kKeyAttributes, flip<TPMA_OBJECT_USERWITHAUTH>},
    Case{"a restricted key", Check::kKeyAttributes, flip<TPMA_OBJECT_RESTRICTED>},
    Case{"a key that decrypts", Check::kKeyAttributes, flip<TPMA_OBJECT_DECRYPT>},
    Case{"a key that its secret opens past its policy", Check::kKeyAttributes,
         [](MadeHost& host) { put(host.key.authPolicy, kGood); }},
    Case{"a policy that the key does not have", Check::kKeyPolicy,
         [](MadeHost& host) { host.policy_digest = kGood; }},
    Case{"a policy that nobody said", Check::kKeyPolicy,
         [](MadeHost& host) {
           put(host.key.authPolicy, kGood);
           flip<TPMA_OBJECT_USERWITHAUTH>(host);
         }},
    Case{"an older clock", Check::kRollback, [](MadeHost& host) { host.certify.clockInfo.clock = 999; }},
    Case{"fewer resets", Check::kRollback, [](MadeHost& host) { host.certify.clockInfo.resetCount = 4; }},
    Case{"fewer restarts", Check::kRollback, [](MadeHost& host) { host.certify.clockInfo.restartCount = 1; }},
    Case{"a reset where that is refused", Check::kReset,
         [](MadeHost& host) {
           host.certify.clockInfo = {1, 6, 0, TPM2_YES};
           host.policy.on_reset = attest::OnReset::kRefuse;
         }},
    Case{"old firmware", Check::kFirmware, [](MadeHost& host) { host.certify.firmwareVersion = 1; }},
    Case{"no quote where the policy asks for PCRs", Check::kPcrMissing,
         [](MadeHost& host) { host.has_quote = false; }},
    Case{"a quote over another nonce", Check::kNonce,
         [](MadeHost& host) { host.quote.extraData.buffer[0] ^= 1; }},
    Case{"a quote of other PCRs than the policy's", Check::kPcrSelection,
         [](MadeHost& host) { host.policy.pcrs[kSha256][3] = {kGood}; }},
    Case{"a value that the policy does not take", Check::kPcrPolicy,
         [](MadeHost& host) { host.values[kSha256][7] = Bytes(32, 0xBB); }},
    Case{"a quote with an older clock", Check::kRollback,
         [](MadeHost& host) { host.quote.clockInfo.clock = 999; }},
    Case{"a quote of another start than the certification", Check::kReset,
         [](MadeHost& host) { ++host.quote.clockInfo.resetCount; }},
};

}  // namespace

std::vector<Check> checks_of_key_evidence() {
  std::vector<Check> out;
  for (const Case& row : kCases) out.push_back(row.check);
  return out;
}

BOOST_AUTO_TEST_SUITE(key_evidence)

BOOST_AUTO_TEST_CASE(a_certified_and_quoted_key_is_attested_with_its_hosts_state) {
  const MadeHost host;
  const auto attested = host.judged();
  BOOST_TEST_REQUIRE(attested.has_value());
  BOOST_TEST((attested->custody == Custody::kTpmQuoted));
  BOOST_TEST((attested->state == attest::HostState{2000, 5, 2, true, 0x20260101}));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_certified_by_how_it_was_made_is_attested_as_well) {
  MadeHost host;
  host.is_by_creation = true;
  host.key.objectAttributes ^= TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_ADMINWITHPOLICY;
  put(host.key.authPolicy, kGood);
  host.policy_digest = kGood;
  const auto attested = host.judged();
  BOOST_REQUIRE_MESSAGE(attested, (attested ? "" : attested.error().what));
  BOOST_TEST((attested->custody == Custody::kTpmQuoted));
}

// An agent may have its key certified twice, and mix up the answers: that is no TPM at two times.
BOOST_AUTO_TEST_CASE(a_quote_from_a_moment_before_the_certification_is_as_good) {
  MadeHost host;
  host.quote.clockInfo.clock = 1500;
  BOOST_TEST(host.judged().has_value());
}

BOOST_AUTO_TEST_CASE(without_pcrs_in_the_policy_a_certification_is_enough_for_its_level) {
  MadeHost host;
  host.policy.pcrs.clear();
  host.has_quote = false;
  BOOST_TEST((host.judged().value().custody == Custody::kTpmCertified));
}

BOOST_AUTO_TEST_CASE(a_simulators_keys_are_emulated_however_well_they_are_quoted) {
  MadeHost host;
  host.enrolled.worth = Custody::kTpmCertifiedEmulated;
  BOOST_TEST((host.judged().value().custody == Custody::kTpmCertifiedEmulated));
}

BOOST_AUTO_TEST_CASE(a_key_by_policy_is_attested_when_its_policy_is_said) {
  MadeHost host;
  put(host.key.authPolicy, kGood);
  flip<TPMA_OBJECT_USERWITHAUTH>(host);
  host.policy_digest = kGood;
  BOOST_TEST(host.judged().has_value());
  flip<TPMA_OBJECT_ADMINWITHPOLICY>(host);
  BOOST_TEST(host.judged().has_value());
}

BOOST_AUTO_TEST_CASE(a_reset_is_accepted_where_the_policy_does) {
  MadeHost host;
  host.certify.clockInfo = {1, 6, 0, TPM2_YES};
  host.quote.clockInfo = {2, 6, 0, TPM2_YES};
  BOOST_TEST((host.judged().value().state.reset_count == 6));
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_refused_for_that, boost::unit_test::data::make(kCases), row) {
  MadeHost host;
  row.spoil(host);
  const auto judged = host.judged();
  BOOST_TEST_REQUIRE(!judged.has_value());
  BOOST_TEST(attest::check_name(judged.error().check) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
