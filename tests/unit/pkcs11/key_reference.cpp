#include "hsm/pkcs11/key_reference.hpp"

#include <set>

#include <boost/test/unit_test.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::hsm {
namespace {

const SecretBytes kMaster(Bytes(32, 0x11));

PublicKey some_public_key() {
  const auto key = SigningKey::generate(Algorithm::kES256);
  BOOST_REQUIRE(key);
  return key->public_key();
}

StoredKey sealed(const ReferenceSeal& seal) {
  StoredKey key{{"agent", "k1"}, some_public_key(), {}};
  key.blob = seal.seal({"00a1", key_label(key.binding), {1, 2, 0xFF}}, key.binding, key.public_key);
  return key;
}

bool is_refused(const ReferenceSeal& seal, const StoredKey& key) {
  const auto opened = seal.open(key);
  return !opened && opened.error().code == ErrorCode::kKeyLost;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_reference_reads_back) {
  const ReferenceSeal seal(kMaster);
  const auto opened = seal.open(sealed(seal));
  BOOST_REQUIRE(opened);
  BOOST_TEST((*opened == KeyReference{"00a1", "chancery:5:agent:k1", {1, 2, 0xFF}}));
}

BOOST_AUTO_TEST_CASE(a_reference_is_a_uri_for_people) {
  const ReferenceSeal seal(kMaster);
  const StoredKey key = sealed(seal);
  BOOST_TEST(
      as_text(key.blob).starts_with("pkcs11:serial=00a1;object=chancery%3A5%3Aagent%3Ak1;id=%01%02%FF\n"));
}

BOOST_AUTO_TEST_CASE(a_reference_that_was_changed_or_moved_is_refused) {
  const ReferenceSeal seal(kMaster);
  const StoredKey key = sealed(seal);
  for (std::size_t i = 0; i < key.blob.size(); ++i) {
    StoredKey flipped = key;
    flipped.blob[i] ^= 1;
    BOOST_TEST(is_refused(seal, flipped), "octet " << i);
  }
  for (std::size_t size = 0; size < key.blob.size(); ++size) {
    StoredKey cut = key;
    cut.blob.resize(size);
    BOOST_TEST(is_refused(seal, cut), "of " << size);
  }
  StoredKey moved = key;
  moved.binding = {"agen", "tk1"};
  BOOST_TEST(is_refused(seal, moved));
  StoredKey exchanged = key;
  exchanged.public_key = some_public_key();
  BOOST_TEST(is_refused(seal, exchanged));
}

BOOST_AUTO_TEST_CASE(another_master_secret_opens_nothing) {
  const ReferenceSeal seal(kMaster);
  const ReferenceSeal other(SecretBytes(Bytes(32, 0x12)));
  BOOST_TEST(is_refused(other, sealed(seal)));
}

BOOST_AUTO_TEST_CASE(no_two_bindings_have_one_label) {
  std::set<std::string> labels;
  for (const KeyBinding& binding :
       {KeyBinding{"a", "b:c"}, {"a:b", "c"}, {"a:b:c", ""}, {"", "a:b:c"}, {"1:a", "b"}}) {
    BOOST_TEST(labels.insert(key_label(binding)).second, binding.agent_id << "|" << binding.key_id);
  }
}

}  // namespace chancery::hsm
