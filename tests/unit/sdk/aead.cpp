#include "sdk/crypto/aead.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

Bytes octets(std::string_view hex) { return hex_decode(hex).value(); }

const Bytes kKey(kAeadKeySize, 0x4b);
const Bytes kNonce(kAeadNonceSize, 0x4e);

// Test cases 13 to 16 of "The Galois/Counter Mode of Operation", which NIST SP 800-38D standardizes.
struct KnownAnswer {
  const char* name;
  std::string_view key;
  std::string_view nonce;
  std::string_view aad;
  std::string_view plain;
  std::string_view cipher;
  std::string_view tag;
};

std::ostream& operator<<(std::ostream& out, const KnownAnswer& c) { return out << c.name; }

constexpr std::string_view kZeroKey = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view kFeffeKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

const std::array kKnownAnswers{
    KnownAnswer{"13: nothing", kZeroKey, "000000000000000000000000", "", "", "",
                "530f8afbc74536b9a963b4f1c4cb738b"},
    KnownAnswer{"14: one block", kZeroKey, "000000000000000000000000", "", "00000000000000000000000000000000",
                "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    KnownAnswer{"15: four blocks", kFeffeKey, "cafebabefacedbaddecaf888", "",
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
                "b094dac5d93471bdec1a502270e3cc6c"},
    KnownAnswer{"16: with associated data, the last block not full", kFeffeKey, "cafebabefacedbaddecaf888",
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                "76fc6ece0f4e1768cddf8853bb2d551b"},
};

void check_refused(const Result<SecretBytes>& opened, ErrorCode want) {
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == want));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aead)

BOOST_DATA_TEST_CASE(known_answers_in_both_directions, data::make(kKnownAnswers), c) {
  const Bytes wanted = octets(std::string(c.cipher) + std::string(c.tag));
  const auto sealed = seal_aead(octets(c.key), octets(c.nonce), octets(c.aad), octets(c.plain));
  BOOST_REQUIRE(sealed.has_value());
  BOOST_TEST(hex_encode(*sealed) == hex_encode(wanted));
  const auto opened = open_aead(octets(c.key), octets(c.nonce), octets(c.aad), wanted);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST(hex_encode(opened->view()) == c.plain);
}

BOOST_AUTO_TEST_CASE(what_was_encrypted_opens_at_every_length_up_to_some_blocks) {
  for (std::size_t size = 0; size <= 65; ++size) {
    const Bytes plain(size, 0x70);
    const Bytes aad(65 - size, 0x61);
    const auto sealed = seal_aead(kKey, kNonce, aad, plain);
    BOOST_REQUIRE(sealed.has_value());
    BOOST_TEST(sealed->size() == size + kAeadTagSize);
    const auto opened = open_aead(kKey, kNonce, aad, *sealed);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(hex_encode(opened->view()) == hex_encode(plain));
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_octet_is_noticed) {
  const Bytes aad = octets("6164");
  const auto sealed = seal_aead(kKey, kNonce, aad, as_bytes("a secret"));
  BOOST_REQUIRE(sealed.has_value());
  enum class Part { kKey, kNonce, kAad, kSealed };
  for (const Part part : {Part::kKey, Part::kNonce, Part::kAad, Part::kSealed}) {
    std::array<Bytes, 4> given{kKey, kNonce, aad, *sealed};
    Bytes& changed = given.at(static_cast<std::size_t>(part));
    for (std::uint8_t& octet : changed) {
      for (const int bit : {0x01, 0x80}) {
        octet ^= static_cast<std::uint8_t>(bit);
        check_refused(open_aead(given[0], given[1], given[2], given[3]), ErrorCode::kSignatureInvalid);
        octet ^= static_cast<std::uint8_t>(bit);
      }
    }
    BOOST_TEST(open_aead(given[0], given[1], given[2], given[3]).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_piece_that_is_missing_or_too_much_is_noticed) {
  const Bytes aad = octets("616461");
  const Bytes sealed = seal_aead(kKey, kNonce, aad, as_bytes("a secret")).value();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    check_refused(open_aead(kKey, kNonce, aad, ByteView(sealed).first(size)), ErrorCode::kSignatureInvalid);
    check_refused(open_aead(kKey, kNonce, aad, ByteView(sealed).last(size)), ErrorCode::kSignatureInvalid);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  check_refused(open_aead(kKey, kNonce, aad, longer), ErrorCode::kSignatureInvalid);
  check_refused(open_aead(kKey, kNonce, {}, sealed), ErrorCode::kSignatureInvalid);
  check_refused(open_aead(kKey, kNonce, ByteView(aad).first(2), sealed), ErrorCode::kSignatureInvalid);
}

// An octet does not pass from one to the other, though both are authenticated.
BOOST_AUTO_TEST_CASE(associated_data_and_ciphertext_have_a_border) {
  const Bytes sealed = seal_aead(kKey, kNonce, {}, as_bytes("ab")).value();
  check_refused(open_aead(kKey, kNonce, ByteView(sealed).first(1), ByteView(sealed).subspan(1)),
                ErrorCode::kSignatureInvalid);
}

BOOST_AUTO_TEST_CASE(keys_and_nonces_of_other_sizes_are_refused) {
  const Bytes sealed = seal_aead(kKey, kNonce, {}, as_bytes("a secret")).value();
  for (const std::size_t size : {0, 16, 24, 31, 33, 64}) {
    const Bytes key(size, 0x4b);
    check_refused(open_aead(key, kNonce, {}, sealed), ErrorCode::kInvalidArgument);
    const auto made = seal_aead(key, kNonce, {}, as_bytes("a secret"));
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == ErrorCode::kInvalidArgument));
  }
  for (const std::size_t size : {0, 11, 13, 16}) {
    const Bytes nonce(size, 0x4e);
    check_refused(open_aead(kKey, nonce, {}, sealed), ErrorCode::kInvalidArgument);
    const auto made = seal_aead(kKey, nonce, {}, as_bytes("a secret"));
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == ErrorCode::kInvalidArgument));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
