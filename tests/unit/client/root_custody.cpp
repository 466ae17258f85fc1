#include "sdk/cli/root_custody.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/vouched_chain.hpp"

namespace chancery::tests {
namespace {

using cli::root_custody;
using cli::RootCustody;

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

struct Issuer {
  SigningKey verifier = new_key();
  PublicKey key = new_key().public_key();
  AttestationResult result = result_about(key.thumbprint());

  [[nodiscard]] RootCustody told(const std::vector<std::string>& results,
                                 const std::vector<PublicKey>& believed) const {
    return root_custody(std::vector{key}, results, believed, kIssuedNow).front();
  }
  [[nodiscard]] std::string signed_result() const { return sign_result(result, verifier); }
};

bool meets(const RootCustody& root, CustodyRequirement requirement) {
  return cli::require_root_custody({root}, requirement).has_value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(custody_of_roots)

BOOST_FIXTURE_TEST_CASE(a_verifier_that_was_given_vouches, Issuer) {
  const RootCustody root = told({signed_result()}, {verifier.public_key()});
  BOOST_TEST(root.is_vouched);
  BOOST_TEST(root.text().find("tpm-certified, vouched for by https://verifier.example") != std::string::npos);
  BOOST_TEST(meets(root, CustodyRequirement::kHardware));
  BOOST_TEST(!meets(root, CustodyRequirement::kTpmQuoted));
}

BOOST_FIXTURE_TEST_CASE(anybody_else_gives_the_daemons_own_word, Issuer) {
  for (const std::vector<PublicKey>& believed : {std::vector<PublicKey>{}, {new_key().public_key()}}) {
    const RootCustody root = told({signed_result()}, believed);
    BOOST_TEST((!root.is_vouched && root.said.has_value()));
    BOOST_TEST(root.text().find("own word, which proves nothing") != std::string::npos, root.text());
    BOOST_TEST(!meets(root, CustodyRequirement::kPkcs11Claimed));
  }
}

BOOST_FIXTURE_TEST_CASE(a_result_that_has_expired_is_a_word_too, Issuer) {
  result.expires_at = kIssuedNow;
  BOOST_TEST(!told({signed_result()}, {verifier.public_key()}).is_vouched);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_said_of_another_key, Issuer) {
  const RootCustody root = told({"x", sign_result(result_about({}), verifier)}, {verifier.public_key()});
  BOOST_TEST((!root.is_vouched && !root.said));
  BOOST_TEST(root.text() == "nothing is said of where it lives");
}

BOOST_FIXTURE_TEST_CASE(what_counts_goes_before_what_does_not, Issuer) {
  const std::string ours = signed_result();
  result.custody = Custody::kTpmQuoted;
  const RootCustody root = told({sign_result(result, new_key()), ours}, {verifier.public_key()});
  BOOST_TEST((root.is_vouched && root.said->custody == Custody::kTpmCertified));
}

BOOST_FIXTURE_TEST_CASE(each_key_must_be_proved, Issuer) {
  const std::vector keys{key, new_key().public_key()};
  const auto roots = root_custody(keys, {signed_result()}, {verifier.public_key()}, kIssuedNow);
  const auto refused = cli::require_root_custody(roots, CustodyRequirement::kHardware);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().message.find(keys[1].thumbprint().text()) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
