#include "hsm/tpm/key_blob.hpp"

#include <array>
#include <functional>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;

KeyParts parts_of_a_key() {
  KeyParts parts;
  parts.public_area = signing_key_template();
  auto& point = parts.public_area.publicArea.unique.ecc;
  point.x.size = point.y.size = 32;
  std::fill_n(point.x.buffer, 32, std::uint8_t{0x11});
  std::fill_n(point.y.buffer, 32, std::uint8_t{0x22});
  parts.private_area.size = 126;
  std::fill_n(parts.private_area.buffer, 126, std::uint8_t{0x33});
  return parts;
}

Bytes blob_of(const KeyParts& parts) {
  auto blob = marshal(parts);
  BOOST_REQUIRE(blob);
  return *std::move(blob);
}

struct Change {
  const char* name;
  void (*apply)(TPMT_PUBLIC& area);
};
std::ostream& operator<<(std::ostream& out, const Change& change) { return out << change.name; }

template <TPMA_OBJECT Attribute>
void flip(TPMT_PUBLIC& area) {
  area.objectAttributes ^= Attribute;
}

constexpr std::array kChanges{
    Change{"not fixedTPM", flip<TPMA_OBJECT_FIXEDTPM>},
    Change{"not fixedParent", flip<TPMA_OBJECT_FIXEDPARENT>},
    Change{"made outside", flip<TPMA_OBJECT_SENSITIVEDATAORIGIN>},
    Change{"not authorized by its auth value", flip<TPMA_OBJECT_USERWITHAUTH>},
    Change{"under dictionary-attack protection", flip<TPMA_OBJECT_NODA>},
    Change{"not for signing", flip<TPMA_OBJECT_SIGN_ENCRYPT>},
    Change{"for decryption too", flip<TPMA_OBJECT_DECRYPT>},
    Change{"restricted", flip<TPMA_OBJECT_RESTRICTED>},
    Change{"cleared by a reset", flip<TPMA_OBJECT_STCLEAR>},
    Change{"duplicated only encrypted", flip<TPMA_OBJECT_ENCRYPTEDDUPLICATION>},
    Change{"administered by policy", flip<TPMA_OBJECT_ADMINWITHPOLICY>},
    Change{"a reserved attribute", flip<0x80000000>},
    Change{"another name algorithm", [](TPMT_PUBLIC& area) { area.nameAlg = TPM2_ALG_SHA384; }},
    Change{"with a policy", [](TPMT_PUBLIC& area) { area.authPolicy.size = 32; }},
    Change{"on P-384", [](TPMT_PUBLIC& area) { area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384; }},
    Change{"any scheme", [](TPMT_PUBLIC& area) { area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL; }},
    Change{"ECDAA", [](TPMT_PUBLIC& area) { area.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDAA; }},
    Change{
        "SHA-384",
        [](TPMT_PUBLIC& area) { area.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384; }},
    Change{"x too long", [](TPMT_PUBLIC& area) { area.unique.ecc.x.size = 33; }},
    Change{"a storage key", [](TPMT_PUBLIC& area) { area = storage_key_template().publicArea; }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_marshalled_comes_back) {
  const KeyParts parts = parts_of_a_key();
  const auto again = unmarshal(blob_of(parts));
  BOOST_REQUIRE(again);
  BOOST_TEST(blob_of(*again) == blob_of(parts));
  const auto key = signing_key_of(again->public_area);
  BOOST_REQUIRE(key);
  BOOST_TEST(key->x()[0] == 0x11);
  BOOST_TEST(key->y()[31] == 0x22);
}

BOOST_AUTO_TEST_CASE(leading_zeros_that_the_tpm_left_out_are_put_back) {
  KeyParts parts = parts_of_a_key();
  parts.public_area.publicArea.unique.ecc.x.size = 31;
  const auto key = signing_key_of(parts.public_area);
  BOOST_REQUIRE(key);
  BOOST_TEST(key->x()[0] == 0);
  BOOST_TEST(key->x()[1] == 0x11);
}

BOOST_DATA_TEST_CASE(a_key_with_any_other_property_is_none_of_ours, data::make(kChanges), change) {
  KeyParts parts = parts_of_a_key();
  change.apply(parts.public_area.publicArea);
  const auto key = signing_key_of(parts.public_area);
  BOOST_REQUIRE(!key);
  BOOST_TEST((key.error().code == ErrorCode::kKeyLost));
  const auto read = unmarshal(blob_of(parts));
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kKeyLost));
}

BOOST_AUTO_TEST_CASE(a_key_under_a_policy_has_a_slot_and_no_other_has) {
  KeyParts parts = parts_of_a_key();
  const TPMS_ECC_POINT point = parts.public_area.publicArea.unique.ecc;
  parts.public_area = switched_key_template(Sha256Digest{7});
  parts.public_area.publicArea.unique.ecc = point;
  BOOST_TEST(!unmarshal(blob_of(parts)));  // without one
  parts.slot = 0x0203;
  const auto read = unmarshal(blob_of(parts));
  BOOST_REQUIRE(read);
  BOOST_TEST((read->slot == 0x0203));
  BOOST_TEST(signing_key_of(read->public_area).has_value());
  BOOST_TEST(!unmarshal_like(blob_of(parts), switched_key_template(Sha256Digest{7})));

  KeyParts plain = parts_of_a_key();
  plain.slot = 1;
  BOOST_TEST(!unmarshal(blob_of(plain)));
  // Its auth value would open it past its policy.
  parts.public_area.publicArea.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  BOOST_TEST(!unmarshal(blob_of(parts)));
}

BOOST_AUTO_TEST_CASE(a_blob_of_any_other_length_is_refused) {
  const Bytes blob = blob_of(parts_of_a_key());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    BOOST_TEST(!unmarshal(ByteView(blob).first(size)), "cut to " << size);
  }
  Bytes longer = blob;
  longer.push_back(0);
  BOOST_TEST(!unmarshal(longer));
}

// tss2-mu believes the size in front of TPM2B_PUBLIC and reads on behind it.
BOOST_AUTO_TEST_CASE(a_wrong_inner_size_is_refused) {
  for (const int change : {-1, 1, 16}) {
    Bytes blob = blob_of(parts_of_a_key());
    blob[1] = static_cast<std::uint8_t>(blob[1] + change);
    BOOST_TEST(!unmarshal(blob), change);
  }
}

BOOST_AUTO_TEST_CASE(the_storage_key_is_restricted_and_no_signing_key) {
  const TPM2B_PUBLIC area = storage_key_template();
  BOOST_TEST((area.publicArea.objectAttributes == 0x00030472u));  // as in the TCG's provisioning guidance
  BOOST_TEST(is_like(area, storage_key_template()));
  BOOST_TEST(!is_like(area, signing_key_template()));
}

}  // namespace chancery::hsm
