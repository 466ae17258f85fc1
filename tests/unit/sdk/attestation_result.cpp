#include "sdk/verify/attestation_result.hpp"

#include <array>
#include <ostream>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"

namespace {

using namespace chancery;

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

const SigningKey& verifier() {
  static const SigningKey key = new_key();
  return key;
}

AttestationResult example() {
  AttestationResult result = tests::result_about(new_key().public_key().thumbprint());
  result.custody = Custody::kTpmQuoted;
  result.endorsement = "pinned";
  result.restart_count = 4294967295;
  return result;
}

std::string compact(const std::string& signing_input, const SigningKey& key) {
  const auto signature = key.sign(as_bytes(signing_input)).value();
  return signing_input + "." + base64url_encode(signature);
}

std::string signed_result(const AttestationResult& result) { return tests::sign_result(result, verifier()); }

Result<AttestationResult> opened(const std::string& token, const SigningKey& key = verifier()) {
  const std::vector<VerifyKey> keys{VerifyKey::from(key.public_key()).value()};
  return open_attestation_result(token, keys);
}

std::string payload_of(const std::string& token) {
  const std::size_t begin = token.find('.') + 1;
  const Bytes octets = base64url_decode(token.substr(begin, token.rfind('.') - begin)).value();
  return {octets.begin(), octets.end()};
}

// The same result with one text in its payload replaced, signed rightly.
std::string with(const std::string& from, const std::string& to) {
  const std::string token = signed_result(example());
  std::string payload = payload_of(token);
  const std::size_t at = payload.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  payload.replace(at, from.size(), to);
  return compact(token.substr(0, token.find('.') + 1) + base64url_encode(as_bytes(payload)), verifier());
}

struct Bad {
  const char* name;
  const char* from;
  const char* to;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.name; }

constexpr std::array kBad{
    Bad{"another profile", "veraison/ear", "veraison/other"},
    Bad{"no issuer", R"("iss":)", R"("isz":)"},
    Bad{"no end", R"("exp":)", R"("exq":)"},
    Bad{"a time before 1970", R"("iat":1)", R"("iat":-1)"},
    Bad{"no key", R"("jkt":")", R"("jkt":"!)"},
    Bad{"a level that is none", R"("tpm-quoted")", R"("tpm-best")"},
    Bad{"more resets than a TPM counts", R"("reset_count":7)", R"("reset_count":4294967296)"},
    Bad{"firmware that is no number", R"("firmware":")", R"("firmware":"x)"},
    Bad{"an endorsement that is none", R"("pinned")", R"("trusted")"},
    Bad{"a member twice", R"("iat":)", R"("iat":1,"iat":)"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attestation_result)

BOOST_AUTO_TEST_CASE(a_result_is_read_back_as_it_was_written) {
  const AttestationResult result = example();
  const auto read = opened(signed_result(result));
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST(read->issuer == result.issuer);
  BOOST_TEST((read->issued_at == result.issued_at && read->expires_at == result.expires_at));
  BOOST_TEST((read->key == result.key && read->custody == result.custody));
  BOOST_TEST(read->policy == result.policy);
  BOOST_TEST(read->ek_fingerprint == result.ek_fingerprint);
  BOOST_TEST(read->manufacturer == result.manufacturer);
  BOOST_TEST(read->endorsement == "pinned");
  BOOST_TEST((read->firmware == result.firmware && read->reset_count == result.reset_count));
  BOOST_TEST((read->restart_count == result.restart_count && read->is_clock_safe));
  BOOST_TEST((read->evidence_at == result.evidence_at));
}

BOOST_AUTO_TEST_CASE(a_result_without_a_tpm_says_nothing_of_one) {
  AttestationResult result = example();
  result.custody = Custody::kPkcs11Claimed;
  result.ek_fingerprint.clear();
  const std::string token = signed_result(result);
  BOOST_TEST(payload_of(token).find("firmware") == std::string::npos);
  BOOST_TEST((opened(token).value().custody == Custody::kPkcs11Claimed));
}

BOOST_AUTO_TEST_CASE(a_result_need_not_say_how_the_ek_was_believed) {
  AttestationResult result = example();
  result.endorsement.clear();
  const std::string token = signed_result(result);
  BOOST_TEST(payload_of(token).find("endorsement") == std::string::npos);
  BOOST_TEST(opened(token).value().endorsement.empty());
}

BOOST_AUTO_TEST_CASE(only_what_is_hardware_is_affirmed) {
  AttestationResult result = example();
  BOOST_TEST(payload_of(signed_result(result)).find(R"("ear.status":"affirming")") != std::string::npos);
  for (const Custody level : {Custody::kSoftware, Custody::kPkcs11Claimed, Custody::kTpmCertifiedEmulated}) {
    result.custody = level;
    BOOST_TEST(payload_of(signed_result(result)).find(R"("ear.status":"warning")") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_result_by_another_key_or_changed_is_refused) {
  const std::string token = signed_result(example());
  BOOST_TEST((opened(token, new_key()).error().code == ErrorCode::kSignatureInvalid));
  std::string changed = token;
  changed[changed.size() - 10] = changed[changed.size() - 10] == 'A' ? 'B' : 'A';
  BOOST_TEST((opened(changed).error().code == ErrorCode::kSignatureInvalid));
  BOOST_TEST((open_attestation_result(token, {}).error().code == ErrorCode::kSignatureInvalid));
}

BOOST_DATA_TEST_CASE(a_result_that_breaks_a_rule_is_refused, boost::unit_test::data::make(kBad), row) {
  BOOST_TEST(!opened(with(row.from, row.to)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
