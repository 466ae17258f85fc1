// Credentials made in software (TPM2_MakeCredential), opened with the EK's private part, and credentials that another
// implementation made (python3-cryptography) for EKs on both curves.

#include "attest/verify/credential.hpp"

#include <array>
#include <filesystem>
#include <string_view>

#include <boost/test/unit_test.hpp>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <tss2/tss2_tpm2_types.h>

#include "attest/evidence/tpm_codec.hpp"
#include "sdk/cli/evidence_sample.hpp"
#include "tests/unit/attest/made_evidence.hpp"

namespace {

using namespace chancery;
using attest::Check;
using attest::PublicArea;

const Bytes kName(34, 0x0B);
const Bytes kSecret{'o', 'p', 'e', 'n'};

TPMT_PUBLIC rsa_ek_area(EVP_PKEY* key) {
  TPMT_PUBLIC area{};
  area.type = TPM2_ALG_RSA;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                          TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  TPMS_RSA_PARMS& rsa = area.parameters.rsaDetail;
  rsa.symmetric.algorithm = TPM2_ALG_AES;
  rsa.symmetric.keyBits.aes = 128;
  rsa.symmetric.mode.aes = TPM2_ALG_CFB;
  rsa.scheme.scheme = TPM2_ALG_NULL;
  rsa.keyBits = 2048;
  BIGNUM* modulus = nullptr;
  BOOST_REQUIRE(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1);
  area.unique.rsa.size = 256;
  BOOST_REQUIRE(BN_bn2binpad(modulus, area.unique.rsa.buffer, 256) == 256);
  BN_free(modulus);
  return area;
}

// What a TPM does with an encrypted secret.
Bytes decrypted(EVP_PKEY* key, ByteView octets) {
  constexpr std::string_view kLabel{"IDENTITY\0", 9};
  const openssl::PkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  BOOST_REQUIRE(EVP_PKEY_decrypt_init(context.get()) == 1);
  BOOST_REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1);
  BOOST_REQUIRE(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1);
  BOOST_REQUIRE(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), OPENSSL_memdup(kLabel.data(), kLabel.size()),
                                                 static_cast<int>(kLabel.size())) == 1);
  Bytes out(512);
  std::size_t size = out.size();
  BOOST_REQUIRE(EVP_PKEY_decrypt(context.get(), out.data(), &size, octets.data(), octets.size()) == 1);
  out.resize(size);
  return out;
}

struct RsaEk {
  openssl::Pkey key{EVP_RSA_gen(2048)};
  PublicArea area =
      PublicArea::parse(tests::marshalled(rsa_ek_area(key.get())), PublicArea::Form::kBare).value();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(credential)

BOOST_FIXTURE_TEST_CASE(the_ek_opens_it_for_the_key_with_that_name_only, RsaEk) {
  const auto made = attest::make_credential(area, kName, kSecret).value();
  ByteView rest = made.encrypted_secret;
  const Bytes seed = decrypted(key.get(), attest::take_sized(rest).value());
  const attest::PresentedCredential presented{made.id_object, made.encrypted_secret, seed};
  const auto opened = attest::open_credential(area, kName, presented);
  BOOST_TEST_REQUIRE(opened.has_value());
  BOOST_TEST(Bytes(opened->view().begin(), opened->view().end()) == kSecret,
             boost::test_tools::per_element());
  const auto refused = attest::open_credential(area, Bytes(34, 0x0C), presented);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().check == Check::kIntegrity));
}

BOOST_FIXTURE_TEST_CASE(no_two_credentials_share_a_seed, RsaEk) {
  const auto one = attest::make_credential(area, kName, kSecret).value();
  const auto two = attest::make_credential(area, kName, kSecret).value();
  BOOST_TEST((one.id_object != two.id_object));
}

BOOST_FIXTURE_TEST_CASE(a_secret_that_does_not_fit_is_refused, RsaEk) {
  BOOST_TEST(!attest::make_credential(area, kName, Bytes(33)).has_value());
  BOOST_TEST(!attest::make_credential(area, kName, {}).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_that_is_no_ek_gets_none) {
  const openssl::Pkey key = tests::make_p256_key();
  const auto area =
      PublicArea::parse(tests::marshalled(tests::ak_area(key.get())), PublicArea::Form::kBare).value();
  const auto made = attest::make_credential(area, kName, kSecret);
  BOOST_TEST_REQUIRE(!made.has_value());
  BOOST_TEST((made.error().code == ErrorCode::kInvalidKey));
}

BOOST_AUTO_TEST_CASE(credentials_of_another_implementation_for_ecc_eks_open) {
  for (const char* name : {"p256.json", "p384.json"}) {
    const auto file = std::filesystem::path(CHANCERY_SOURCE_DIR) / "tests/vectors/data/credentials" / name;
    const auto verdict = cli::judge_sample(file);
    BOOST_TEST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->reason == "ok", name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
