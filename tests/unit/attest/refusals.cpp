// Every check refuses what it is there for, and nothing else is wrong with the evidence.

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/reader.hpp"
#include "tests/unit/attest/made_evidence.hpp"
#include "tests/unit/attest/made_host.hpp"

namespace {

using namespace chancery;
using attest::Check;
using attest::Hash;
using tests::MadeEvidence;

const Hash kSha256 = Hash::of(TPM2_ALG_SHA256).value();

struct Case {
  const char* name;
  TPM2_ST type;
  Check check;
  void (*spoil)(MadeEvidence&);
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

constexpr TPM2_ST kQuote = TPM2_ST_ATTEST_QUOTE;
constexpr TPM2_ST kCertify = TPM2_ST_ATTEST_CERTIFY;
constexpr TPM2_ST kCreation = TPM2_ST_ATTEST_CREATION;

template <TPMA_OBJECT Attribute>
void lose(MadeEvidence& made) {
  made.ak.objectAttributes &= ~Attribute;
}

constexpr std::array kCases{
    Case{"a curve that is not allowed", kQuote, Check::kAkKey,
         [](MadeEvidence& made) { made.ak.parameters.eccDetail.curveID = TPM2_ECC_NIST_P521; }},
    Case{"a point off its curve", kQuote, Check::kMalformed,
         [](MadeEvidence& made) { made.ak.unique.ecc.x.buffer[31] ^= 1; }},
    Case{"a coordinate longer than the curve's", kQuote, Check::kMalformed,
         [](MadeEvidence& made) { made.ak.unique.ecc.x.size = 33; }},
    Case{"an AK that is not restricted", kCertify, Check::kAkAttributes, lose<TPMA_OBJECT_RESTRICTED>},
    Case{"an AK that does not sign", kCertify, Check::kAkAttributes, lose<TPMA_OBJECT_SIGN_ENCRYPT>},
    Case{"an AK that may leave its TPM", kCertify, Check::kAkAttributes, lose<TPMA_OBJECT_FIXEDTPM>},
    Case{"an AK that may leave its parent", kCertify, Check::kAkAttributes, lose<TPMA_OBJECT_FIXEDPARENT>},
    Case{"an AK made elsewhere", kCertify, Check::kAkAttributes, lose<TPMA_OBJECT_SENSITIVEDATAORIGIN>},
    Case{"an AK that decrypts", kCertify, Check::kAkAttributes,
         [](MadeEvidence& made) { made.ak.objectAttributes |= TPMA_OBJECT_DECRYPT; }},
    Case{"an AK by another scheme hash", kQuote, Check::kScheme,
         [](MadeEvidence& made) {
           made.ak.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384;
         }},
    Case{"a signature over SHA-1", kQuote, Check::kWeakHash,
         [](MadeEvidence& made) { made.signature_hash = TPM2_ALG_SHA1; }},
    Case{"no AK", kQuote, Check::kNoAk, [](MadeEvidence& made) { made.is_known = false; }},
    Case{"another key's signature", kQuote, Check::kSignature,
         [](MadeEvidence& made) { made.signer = tests::make_p256_key(); }},
    Case{"what no TPM made", kQuote, Check::kMagic, [](MadeEvidence& made) { made.attest.magic ^= 1; }},
    Case{"octets behind the statement", kQuote, Check::kMalformed,
         [](MadeEvidence& made) { made.trailing = {0}; }},
    Case{"a statement of another type", kCertify, Check::kType,
         [](MadeEvidence& made) { made.creation_data = {0}; }},
    Case{"another nonce", kQuote, Check::kNonce, [](MadeEvidence& made) { made.nonce[0] ^= 1; }},
    Case{"a nonce that only begins so", kQuote, Check::kNonce,
         [](MadeEvidence& made) { made.nonce.pop_back(); }},
    Case{"no nonce where one is expected", kQuote, Check::kNonce,
         [](MadeEvidence& made) { made.attest.extraData.size = 0; }},
    Case{"an AK below another parent", kCertify, Check::kAkName,
         [](MadeEvidence& made) { made.parent[3] ^= 1; }},
    Case{"other PCRs", kQuote, Check::kPcrSelection,
         [](MadeEvidence& made) { made.selection[kSha256].insert(3); }},
    Case{"another bank", kQuote, Check::kPcrSelection,
         [](MadeEvidence& made) {
           made.selection = {{Hash::of(TPM2_ALG_SHA384).value(), {0, 7}}};
         }},
    Case{"a value that is not there", kQuote, Check::kPcrMissing,
         [](MadeEvidence& made) { made.values[kSha256].erase(7); }},
    Case{"another value", kQuote, Check::kPcrDigest,
         [](MadeEvidence& made) { made.values[kSha256][0][0] ^= 1; }},
    Case{"another key", kCertify, Check::kName,
         [](MadeEvidence& made) { made.certified.objectAttributes ^= TPMA_OBJECT_NODA; }},
    Case{"another key's creation", kCreation, Check::kName,
         [](MadeEvidence& made) { made.certified.objectAttributes ^= TPMA_OBJECT_NODA; }},
    Case{"other creation data", kCreation, Check::kCreationHash,
         [](MadeEvidence& made) { made.creation_data.back() ^= 1; }},
};

// The reasons for which samples of others are refused.
std::set<std::string> sampled_reasons() {
  std::ifstream in(std::filesystem::path(CHANCERY_SOURCE_DIR) / "tests/vectors/data/attestation/index.json");
  const auto index = json::Document::parse(std::string(std::istreambuf_iterator<char>(in), {})).value();
  std::set<std::string> out;
  for (const json::Value& row : index.root().items()) out.emplace(row.find("reason")->string().value());
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(evidence)

BOOST_AUTO_TEST_CASE(what_is_right_is_accepted) {
  for (const TPM2_ST type : {kQuote, kCertify, kCreation})
    BOOST_TEST(MadeEvidence(type).judged().has_value());
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_refused_for_that, boost::unit_test::data::make(kCases), row) {
  MadeEvidence made(row.type);
  row.spoil(made);
  const auto judged = made.judged();
  BOOST_TEST_REQUIRE(!judged.has_value());
  BOOST_TEST(attest::check_name(judged.error().check) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_CASE(no_check_is_without_a_case_that_fails_it) {
  std::set<std::string> seen = sampled_reasons();
  for (const auto& checks : {tests::checks_of_key_evidence(), tests::checks_of_endorsement(),
                             tests::checks_of_measurements(), tests::checks_of_claims()}) {
    for (const Check check : checks) seen.emplace(attest::check_name(check));
  }
  for (const Case& row : kCases) seen.emplace(attest::check_name(row.check));
  for (int number = 0; number <= static_cast<int>(Check::kLogReplay); ++number) {
    const std::string name(attest::check_name(static_cast<Check>(number)));
    BOOST_TEST(seen.contains(name), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
