// What a token says of a key, from this process and from one of the module's own, and what a verifier makes of it.

#include <array>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "attest/verify/claimed_key.hpp"
#include "tests/unit/attest/made_certificate.hpp"
#include "tests/unit/pkcs11/onlooker.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using tests::kNow;

constexpr std::array kIsolated{false, true};

std::unique_ptr<Pkcs11Backend> open(const SimulatedToken& simulated, bool isolated) {
  return required(Pkcs11Backend::open(isolated ? simulated.isolated() : simulated.options()));
}

attest::KeyClaims claims_of(Pkcs11Backend& backend, const StoredKey& key) {
  return required(backend.claimant()->claims(key, far_away()));
}

ErrorCode claims_error(Pkcs11Backend& backend, const StoredKey& key) {
  const auto claims = backend.claimant()->claims(key, far_away());
  BOOST_REQUIRE(!claims);
  return claims.error().code;
}

std::string custody(const attest::KeyClaims& claims, const StoredKey& key,
                    const attest::TokenVendors& vendors) {
  return std::string(
      custody_name(attest::judge_claims(claims, key.public_key, vendors, kNow).value().custody));
}

}  // namespace

BOOST_DATA_TEST_CASE(softhsm_claims_what_hardware_does, boost::unit_test::data::make(kIsolated), isolated) {
  const SimulatedToken simulated;
  const auto backend = open(simulated, isolated);
  const StoredKey key = create_key(*backend);
  const attest::KeyClaims claims = claims_of(*backend, key);
  BOOST_TEST((claims == attest::KeyClaims{true, true, true, true, {}}));
  BOOST_TEST(custody(claims, key, {}) == "pkcs11-claimed");
}

BOOST_DATA_TEST_CASE(a_certificate_beside_the_key_attests_it_under_a_configured_root,
                     boost::unit_test::data::make(kIsolated), isolated) {
  const SimulatedToken simulated;
  const auto backend = open(simulated, isolated);
  const StoredKey key = create_key(*backend);
  const StoredKey other = create_key(*backend, "other");
  const tests::MadeCertificate vendor = tests::make_root("vendor");
  const tests::MadeCertificate device = tests::make_authority(vendor);
  const openssl::Pkey attested = tests::openssl_key_of(key.public_key);
  const tests::MadeCertificate leaf =
      tests::make_certificate({.name = "attestation", .extensions = {}, .key = attested.get()}, &device);
  {
    const Onlooker onlooker(simulated);
    onlooker.put_certificate({}, device.der());
    onlooker.put_certificate(onlooker.id_of(onlooker.objects(CKO_PRIVATE_KEY).front()), leaf.der());
  }
  const attest::TokenVendors vendors{{vendor.parsed()}, {}};
  BOOST_TEST(custody(claims_of(*backend, key), key, vendors) == "pkcs11-attested");
  BOOST_TEST(custody(claims_of(*backend, other), other, vendors) == "pkcs11-claimed");
  BOOST_TEST(custody(claims_of(*backend, key), key, {}) == "pkcs11-claimed");
}

BOOST_AUTO_TEST_CASE(the_certificates_beside_the_key_come_first_and_eight_are_enough) {
  const SimulatedToken simulated;
  const auto backend = open(simulated, false);
  const StoredKey key = create_key(*backend);
  const Onlooker onlooker(simulated);
  for (std::uint8_t i = 0; i < 12; ++i) onlooker.put_certificate(Bytes(1, i), Bytes(10, i));
  onlooker.put_certificate(onlooker.id_of(onlooker.objects(CKO_PRIVATE_KEY).front()), Bytes(20, 0xAA));
  onlooker.put_certificate(Bytes(1, 13), Bytes(9000, 0xBB));
  const std::vector<Bytes> certificates = claims_of(*backend, key).certificates;
  BOOST_TEST_REQUIRE(certificates.size() == 8u);
  BOOST_TEST((certificates.front() == Bytes(20, 0xAA)));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_not_there_or_was_exchanged_claims_nothing) {
  const SimulatedToken simulated;
  const auto backend = open(simulated, false);
  const StoredKey key = create_key(*backend);
  StoredKey forged = key;
  forged.public_key = create_key(*backend, "other").public_key;
  BOOST_TEST((claims_error(*backend, forged) == kKeyLost));  // its reference is sealed to another key
  BOOST_REQUIRE(backend->destroy(key, far_away()));
  BOOST_TEST((claims_error(*backend, key) == kKeyLost));
}

}  // namespace chancery::hsm
