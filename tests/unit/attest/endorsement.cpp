// Which endorsement keys are believed, for what reason, and what speaks against one whatever else is said for it.

#include "attest/verify/endorsement.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/attest/made_certificate.hpp"
#include "tests/unit/attest/made_evidence.hpp"
#include "tests/unit/attest/made_host.hpp"

namespace chancery::tests {
namespace {

using attest::BelievedEk;
using attest::Check;
using attest::Endorsement;

const Extensions kEkExtensions{{"basicConstraints", "critical,CA:FALSE"},
                               {"keyUsage", "critical,keyAgreement"},
                               {"extendedKeyUsage", "2.23.133.8.1"}};

TPMT_PUBLIC ek_area(EVP_PKEY* key) {
  TPMT_PUBLIC area = ak_area(key);
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                          TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_AES;
  ecc.symmetric.keyBits.aes = 128;
  ecc.symmetric.mode.aes = TPM2_ALG_CFB;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  return area;
}

/// A TPM's EK with a certificate of a vendor's, below a root and a CA; what is wrong with it can be chosen.
struct Case {
  const char* name;
  Check check;
  Extensions extensions = kEkExtensions;
  void (*spoil_wish)(CertificateWish&) = [](CertificateWish&) {};
  void (*spoil_area)(TPMT_PUBLIC&) = [](TPMT_PUBLIC&) {};
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

struct MadeEk {
  explicit MadeEk(const Case& row = {"as it should be", Check::kMalformed})
      : vendor(make_root("vendor")), authority(make_authority(vendor)) {
    CertificateWish wish{"", row.extensions};
    row.spoil_wish(wish);
    certificate = make_certificate(wish, &authority);
    area = ek_area(certificate.key.get());
    row.spoil_area(area);
    octets = certificate.der();
    endorsers.roots = {vendor.parsed()};
    endorsers.intermediates = {authority.parsed()};
  }

  [[nodiscard]] attest::PublicArea parsed_area() const {
    return attest::PublicArea::parse(marshalled(area), attest::PublicArea::Form::kBare).value();
  }
  [[nodiscard]] attest::Judged<BelievedEk> judged(std::chrono::sys_seconds now = kNow) const {
    return attest::judge_ek(parsed_area(), octets, endorsers, now);
  }
  void pin(ByteView message) { endorsers.pins.insert(sha256(message)); }

  MadeCertificate vendor;
  MadeCertificate authority;
  MadeCertificate certificate;
  TPMT_PUBLIC area;
  Bytes octets;  ///< of the certificate, as the host presents it
  attest::Endorsers endorsers;
};

// What one sees of an EK that is refused, or how it is believed.
std::string outcome(const attest::Judged<BelievedEk>& judged) {
  if (!judged) return std::string(attest::check_name(judged.error().check));
  return std::string(attest::endorsement_name(judged->by)) + ' ' +
         std::string(judged->worth ? custody_name(*judged->worth) : "undecided");
}

void expire(CertificateWish& wish) { wish.until = kNow - std::chrono::seconds(1); }

template <TPMA_OBJECT Attribute>
void flip(TPMT_PUBLIC& area) {
  area.objectAttributes ^= Attribute;
}

const std::array kRefused{
    Case{"an EK that may leave its TPM", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_FIXEDTPM>},
    Case{"an EK that may leave its parent", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_FIXEDPARENT>},
    Case{"an EK that was made elsewhere", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_SENSITIVEDATAORIGIN>},
    Case{"an EK that decrypts anything", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_RESTRICTED>},
    Case{"an EK that does not decrypt", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_DECRYPT>},
    Case{"an EK that signs", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         flip<TPMA_OBJECT_SIGN_ENCRYPT>},
    Case{"an EK without AES", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         [](TPMT_PUBLIC& area) { area.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL; }},
    Case{"an EK on another curve", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         [](TPMT_PUBLIC& area) { area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P521; }},
    Case{"an EK that is named by SHA-1", Check::kEkTemplate, kEkExtensions, [](CertificateWish&) {},
         [](TPMT_PUBLIC& area) { area.nameAlg = TPM2_ALG_SHA1; }},
    Case{"another EK than the certificate's", Check::kKeyMismatch, kEkExtensions, [](CertificateWish&) {},
         [](TPMT_PUBLIC& area) {
           const openssl::Pkey other = make_p256_key();
           area.unique = ek_area(other.get()).unique;
         }},
    Case{"a certificate that is over", Check::kTime, kEkExtensions, expire},
    Case{"a certificate that is not yet valid", Check::kTime, kEkExtensions,
         [](CertificateWish& wish) { wish.from = kNow + std::chrono::seconds(1); }},
    Case{"a critical extension that nobody knows", Check::kCriticalExtension, kEkExtensions,
         [](CertificateWish& wish) { wish.extensions.emplace_back("1.2.3.4.5", "critical,DER:05:00"); }},
    Case{"a CA's certificate",
         Check::kIsCa,
         {{"basicConstraints", "critical,CA:TRUE"}, {"extendedKeyUsage", "2.23.133.8.1"}}},
    Case{"a web server's certificate",
         Check::kNotEk,
         {{"keyUsage", "critical,keyAgreement"}, {"extendedKeyUsage", "serverAuth"}}},
    Case{"a certificate for signing",
         Check::kKeyUsage,
         {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "2.23.133.8.1"}}},
};

}  // namespace

std::vector<Check> checks_of_endorsement() {
  std::vector<Check> out{Check::kNoEndorsement};
  for (const Case& row : kRefused) out.push_back(row.check);
  return out;
}

BOOST_AUTO_TEST_SUITE(endorsement)

BOOST_AUTO_TEST_CASE(an_ek_below_a_vendors_root_is_believed_and_known_by_its_certificate) {
  const MadeEk ek;
  const auto judged = ek.judged();
  BOOST_TEST(outcome(judged) == "root tpm-certified");
  BOOST_TEST(judged->fingerprint == hex_encode(sha256(ek.certificate.der())));
}

BOOST_AUTO_TEST_CASE(padding_behind_the_certificate_is_none_of_it) {
  MadeEk ek;
  ek.octets.resize(ek.octets.size() + 300, 0xFF);
  BOOST_TEST(ek.judged()->fingerprint == hex_encode(sha256(ek.certificate.der())));
  const std::vector<std::string> both{hex_encode(sha256(marshalled(ek.area))), ek.judged()->fingerprint};
  BOOST_TEST(attest::ek_fingerprints(marshalled(ek.area), ek.octets).value() == both,
             boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_refused_for_that, boost::unit_test::data::make(kRefused), row) {
  BOOST_TEST(outcome(MadeEk(row).judged()) == attest::check_name(row.check));
}

BOOST_DATA_TEST_CASE(first_use_does_not_forgive_what_is_wrong, boost::unit_test::data::make(kRefused), row) {
  MadeEk ek(row);
  ek.endorsers.first_use = true;
  BOOST_TEST(outcome(ek.judged()) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_CASE(an_unknown_ek_waits_for_the_operator_only_where_first_use_is_allowed) {
  for (const bool has_certificate : {true, false}) {
    MadeEk ek;
    ek.endorsers.roots = {make_root("another vendor").parsed()};
    if (!has_certificate) ek.octets.clear();
    BOOST_TEST(outcome(ek.judged()) == (has_certificate ? "chain" : "no_endorsement"));
    ek.endorsers.first_use = true;
    const auto judged = ek.judged();
    BOOST_TEST(outcome(judged) == "first-use undecided");
    // What a certificate says that nobody vouches for is not shown to the operator.
    BOOST_TEST(judged->fingerprint == hex_encode(sha256(marshalled(ek.area))));
    BOOST_TEST(judged->identity.manufacturer.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_missing_ca_between_is_no_chain) {
  MadeEk ek;
  ek.endorsers.intermediates.clear();
  BOOST_TEST(outcome(ek.judged()) == "chain");
}

BOOST_AUTO_TEST_CASE(a_simulators_root_is_worth_an_emulated_level_even_among_the_vendors) {
  MadeEk ek;
  ek.endorsers.emulator_roots = ek.endorsers.roots;
  BOOST_TEST(outcome(ek.judged()) == "root tpm-certified-emulated");
  ek.endorsers.roots.clear();
  BOOST_TEST(outcome(ek.judged()) == "root tpm-certified-emulated");
  BOOST_TEST(outcome(ek.judged(kNow + 2 * kWindow)) == "time");
}

BOOST_AUTO_TEST_CASE(a_pin_on_certificate_or_public_area_is_enough) {
  for (const bool by_certificate : {true, false}) {
    MadeEk ek;
    ek.endorsers.roots.clear();
    ek.pin(by_certificate ? ek.certificate.der() : marshalled(ek.area));
    BOOST_TEST(outcome(ek.judged()) == "pinned tpm-certified");
  }
  MadeEk bare;
  bare.octets.clear();
  bare.pin(marshalled(bare.area));
  BOOST_TEST(outcome(bare.judged()) == "pinned tpm-certified");
}

BOOST_AUTO_TEST_CASE(a_pin_stands_in_for_the_certificate_and_not_for_what_the_ek_is) {
  for (const Case& row : kRefused) {
    MadeEk ek(row);
    ek.pin(marshalled(ek.area));
    const bool is_about_the_ek = row.check == Check::kEkTemplate || row.check == Check::kKeyMismatch;
    BOOST_TEST(
        outcome(ek.judged()) == (is_about_the_ek ? attest::check_name(row.check) : "pinned tpm-certified"),
        row.name);
  }
}

BOOST_AUTO_TEST_CASE(a_pinned_certificate_helps_no_other_ek) {
  const MadeEk pinned;
  MadeEk other;
  other.pin(pinned.certificate.der());
  other.octets = pinned.octets;
  BOOST_TEST(outcome(other.judged()) == "key_mismatch");
}

BOOST_AUTO_TEST_CASE(a_simulator_stays_one_when_it_is_pinned_or_out_of_date) {
  MadeEk ek;
  ek.endorsers.emulator_roots = {ek.vendor.parsed()};
  ek.pin(ek.certificate.der());
  BOOST_TEST(outcome(ek.judged()) == "pinned tpm-certified-emulated");
  BOOST_TEST(outcome(ek.judged(kNow + 2 * kWindow)) == "pinned tpm-certified-emulated");
}

BOOST_AUTO_TEST_CASE(what_is_no_certificate_is_refused_whatever_is_pinned_or_allowed) {
  MadeEk ek;
  ek.pin(marshalled(ek.area));
  ek.endorsers.first_use = true;
  ek.octets = {0x30, 0x03, 1, 2, 3};
  BOOST_TEST(outcome(ek.judged()) == "cert_parse");
}

BOOST_AUTO_TEST_CASE(names_are_those_of_results_and_read_back) {
  for (const auto by : {Endorsement::kRoot, Endorsement::kPinned, Endorsement::kFirstUse})
    BOOST_TEST((attest::parse_endorsement(attest::endorsement_name(by)) == by));
  BOOST_TEST(!attest::parse_endorsement("Root").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_of_certificates_is_der_or_any_number_of_pem_blocks) {
  const MadeCertificate root = make_root("a");
  const MadeCertificate other = make_root("b");
  const Bytes der = root.der();
  BOOST_TEST(attest::read_certificates(as_text(der)).value().size() == 1u);
  const auto both =
      attest::read_certificates("# vendor a\n" + root.pem() + "\n# vendor b\n" + other.pem() + "end\n");
  BOOST_TEST_REQUIRE(both.has_value());
  BOOST_TEST_REQUIRE(both->size() == 2u);
  BOOST_TEST((both->back().fingerprint() == sha256(other.der())));
}

BOOST_AUTO_TEST_CASE(a_file_of_anything_else_is_refused) {
  const std::string pem = make_root("a").pem();
  const std::string key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  for (const std::string& content :
       {std::string(), std::string("root.pem"), pem + key, pem.substr(0, pem.size() / 2),
        pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const auto read = attest::read_certificates(content);
    BOOST_TEST_REQUIRE(!read.has_value());
    BOOST_TEST((read.error().code == ErrorCode::kMalformed));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
