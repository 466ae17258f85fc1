// What a PKCS#11 token's word about a key is worth, with and without its vendor's.

#include "attest/verify/claimed_key.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/attest/made_certificate.hpp"
#include "tests/unit/attest/made_host.hpp"

namespace chancery::tests {
namespace {

using attest::Check;
using attest::ClaimedKey;

/// A token that has a key, and a certificate of its vendor's for it below a CA that is on the token too.
struct MadeToken {
  explicit MadeToken(const CertificateWish& wish = {"attestation of slot 9a", {}})
      : vendor(make_root("vendor")), device(make_authority(vendor)), leaf(make_certificate(wish, &device)) {
    claims = {true, true, true, true, {leaf.der(), device.der()}};
    vendors.roots = {vendor.parsed()};
  }

  [[nodiscard]] attest::Judged<ClaimedKey> judged(std::chrono::sys_seconds now = kNow) const {
    return attest::judge_claims(claims, public_key_of(leaf.key.get()), vendors, now);
  }

  MadeCertificate vendor;
  MadeCertificate device;
  MadeCertificate leaf;
  attest::KeyClaims claims;
  attest::TokenVendors vendors;
};

struct Case {
  const char* name;
  Check unproved;
  void (*spoil)(MadeToken&);
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

constexpr std::array kClaimedOnly{
    Case{"no certificate", Check::kNoEndorsement,
         [](MadeToken& token) { token.claims.certificates.clear(); }},
    Case{"what is no certificate", Check::kNoEndorsement,
         [](MadeToken& token) { token.claims.certificates = {Bytes(7, 0x30)}; }},
    Case{"a certificate for another key", Check::kNoEndorsement,
         [](MadeToken& token) { token.claims.certificates[0] = MadeToken().leaf.der(); }},
    Case{"no root", Check::kChain, [](MadeToken& token) { token.vendors.roots.clear(); }},
    Case{"another vendor's root", Check::kChain,
         [](MadeToken& token) { token.vendors.roots = {make_root("vendor").parsed()}; }},
    Case{"no CA between", Check::kChain, [](MadeToken& token) { token.claims.certificates.pop_back(); }},
    Case{"a CA's certificate", Check::kIsCa,
         [](MadeToken& token) {
           token = MadeToken({"ca", {{"basicConstraints", "critical,CA:TRUE"}}});
         }},
    Case{"a critical extension that nobody knows", Check::kCriticalExtension,
         [](MadeToken& token) {
           token = MadeToken({"odd", {{"1.2.3.4.5", "critical,DER:05:00"}}});
         }},
    Case{"a certificate that is over", Check::kTime,
         [](MadeToken& token) {
           token = MadeToken({"old", {}, kNow - kWindow, kNow - std::chrono::seconds(1)});
         }},
};

}  // namespace

std::vector<Check> checks_of_claims() { return {Check::kClaims}; }

BOOST_AUTO_TEST_SUITE(claimed_key)

BOOST_AUTO_TEST_CASE(a_key_under_the_vendors_root_is_attested) {
  const MadeToken token;
  const auto judged = token.judged();
  BOOST_TEST_REQUIRE(judged.has_value());
  BOOST_TEST(custody_name(judged->custody) == "pkcs11-attested");
  BOOST_TEST((judged->key == public_key_of(token.leaf.key.get()).thumbprint()));
  BOOST_TEST(judged->certificate == hex_encode(sha256(token.leaf.der())));
  BOOST_TEST(!judged->unproved.has_value());
}

BOOST_AUTO_TEST_CASE(the_ca_between_may_be_the_verifiers) {
  MadeToken token;
  token.claims.certificates.pop_back();
  token.vendors.intermediates = {token.device.parsed()};
  BOOST_TEST(custody_name(token.judged()->custody) == "pkcs11-attested");
}

BOOST_AUTO_TEST_CASE(a_users_certificate_beside_the_key_is_no_fault) {
  MadeToken token;
  const MadeCertificate company = make_root("company");
  const MadeCertificate users =
      make_certificate({.name = "user", .extensions = {}, .key = token.leaf.key.get()}, &company);
  token.claims.certificates.insert(token.claims.certificates.begin(), users.der());
  BOOST_TEST(custody_name(token.judged()->custody) == "pkcs11-attested");
}

BOOST_AUTO_TEST_CASE(an_ed25519_key_is_told_by_its_certificate_too) {
  const openssl::Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const MadeToken token({.name = "ed", .extensions = {}, .key = key.get()});
  BOOST_TEST(custody_name(token.judged()->custody) == "pkcs11-attested");
}

BOOST_DATA_TEST_CASE(what_proves_nothing_leaves_a_claim_and_says_why,
                     boost::unit_test::data::make(kClaimedOnly), row) {
  MadeToken token;
  row.spoil(token);
  const auto judged = token.judged();
  BOOST_TEST_REQUIRE(judged.has_value());
  BOOST_TEST(custody_name(judged->custody) == "pkcs11-claimed");
  BOOST_TEST(judged->certificate.empty());
  BOOST_TEST_REQUIRE(judged->unproved.has_value());
  BOOST_TEST(attest::check_name(judged->unproved->check) == attest::check_name(row.unproved));
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_missing_is_made_up_for_by_no_certificate) {
  for (bool attest::KeyClaims::*const claim :
       {&attest::KeyClaims::sensitive, &attest::KeyClaims::always_sensitive,
        &attest::KeyClaims::never_extractable, &attest::KeyClaims::local}) {
    MadeToken token;
    token.claims.*claim = false;
    BOOST_TEST((token.judged().error().check == Check::kClaims));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
