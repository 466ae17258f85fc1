#include <array>
#include <set>
#include <string>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"

BOOST_TEST_DONT_PRINT_LOG_VALUE(chancery::Algorithm)

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

constexpr std::array kAlgorithms{Algorithm::kES256, Algorithm::kEd25519};

constexpr std::string_view kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr std::string_view kZero = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view kOne = "0000000000000000000000000000000000000000000000000000000000000001";

SigningKey new_key(Algorithm algorithm) { return SigningKey::generate(algorithm).value(); }

std::array<std::uint8_t, 32> octets(std::string_view hex) {
  std::array<std::uint8_t, 32> out{};
  std::ranges::copy(hex_decode(hex).value(), out.begin());
  return out;
}

Bytes joined(std::string_view r, std::string_view s) {
  return hex_decode(std::string(r) + std::string(s)).value();
}

bool verifies(const PublicKey& key, std::string_view message, ByteView signature) {
  const ByteView octets = as_bytes(message);
  const bool by_value = verify_signature(key, sha256(octets), octets, signature);
  const auto parsed = VerifyKey::from(key);
  if (parsed) BOOST_TEST(parsed->verify(octets, signature) == by_value);
  return by_value;
}

// n - s, both big endian: the other signature that ECDSA allows for the same message.
void negate_s(Signature& signature) {
  const auto order = octets(kOrder);
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - signature[32 + i] - borrow;
    borrow = difference < 0;
    signature[32 + i] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hashing)

BOOST_AUTO_TEST_CASE(sha_256_of_fips_180) {
  BOOST_TEST(hex_encode(sha256(as_bytes("abc"))) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(hex_encode(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(hex_encode(sha256(as_bytes(std::string(1000000, 'a')))) ==
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

BOOST_AUTO_TEST_CASE(hmac_of_rfc_4231) {
  BOOST_TEST(hex_encode(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))) ==
             "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  BOOST_TEST(hex_encode(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // Not the key that was used before.
  BOOST_TEST(hex_encode(hmac_sha256({}, {})) ==
             "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

BOOST_AUTO_TEST_CASE(hkdf_of_rfc_5869) {
  const Bytes key(22, 0x0b);
  const Bytes salt = hex_decode("000102030405060708090a0b0c").value();
  const Bytes info = hex_decode("f0f1f2f3f4f5f6f7f8f9").value();
  BOOST_TEST(hex_encode(hkdf_sha256(key, salt, as_text(info), 42).view()) ==
             "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  BOOST_TEST(hex_encode(hkdf_sha256(key, {}, "", 42).view()) ==
             "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

BOOST_AUTO_TEST_CASE(random_octets_do_not_repeat) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i) {
    Bytes octets(16);
    BOOST_TEST(random_bytes(octets).has_value());
    BOOST_TEST(seen.insert(octets).second);
  }
  BOOST_TEST(random_bytes({}).has_value());
}

BOOST_AUTO_TEST_CASE(equality_is_of_all_octets) {
  BOOST_TEST(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  BOOST_TEST(!equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  BOOST_TEST(!equal_constant_time(as_bytes("abc"), as_bytes("ab")));
  BOOST_TEST(equal_constant_time({}, {}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(signatures)

BOOST_DATA_TEST_CASE(a_signature_verifies_under_its_key_and_message_only, data::make(kAlgorithms),
                     algorithm) {
  const SigningKey key = new_key(algorithm);
  const Signature signature = key.sign(as_bytes("message")).value();
  BOOST_TEST(verifies(key.public_key(), "message", signature));
  BOOST_TEST(!verifies(key.public_key(), "messagf", signature));
  BOOST_TEST(!verifies(key.public_key(), "", signature));
  BOOST_TEST(!verifies(new_key(algorithm).public_key(), "message", signature));
}

BOOST_DATA_TEST_CASE(every_bit_of_a_signature_counts, data::make(kAlgorithms), algorithm) {
  const SigningKey key = new_key(algorithm);
  const Signature signature = key.sign(as_bytes("m")).value();
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    if (verifies(key.public_key(), "m", changed)) BOOST_ERROR("bit " << bit);
  }
}

BOOST_DATA_TEST_CASE(a_signature_has_64_octets, data::make(kAlgorithms), algorithm) {
  const SigningKey key = new_key(algorithm);
  const Signature signature = key.sign(as_bytes("m")).value();
  Bytes longer(signature.begin(), signature.end());
  longer.push_back(0);
  BOOST_TEST(!verifies(key.public_key(), "m", longer));
  for (std::size_t size = 0; size < signature.size(); ++size) {
    BOOST_TEST(!verifies(key.public_key(), "m", ByteView(signature).first(size)));
  }
}

BOOST_AUTO_TEST_CASE(a_signature_of_the_other_algorithm_is_none) {
  const SigningKey p256 = new_key(Algorithm::kES256);
  const SigningKey ed25519 = new_key(Algorithm::kEd25519);
  BOOST_TEST(!verifies(p256.public_key(), "m", ed25519.sign(as_bytes("m")).value()));
  BOOST_TEST(!verifies(ed25519.public_key(), "m", p256.sign(as_bytes("m")).value()));
}

BOOST_AUTO_TEST_CASE(es256_of_rfc_6979) {
  const PublicKey key =
      PublicKey::p256(octets("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
                      octets("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"));
  const Bytes signature = joined("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                                 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  BOOST_TEST(verifies(key, "sample", signature));
  BOOST_TEST(!verifies(key, "test", signature));
}

BOOST_AUTO_TEST_CASE(es256_refuses_numbers_outside_the_group) {
  const SigningKey key = new_key(Algorithm::kES256);
  for (const std::string_view r : {kZero, kOne, kOrder}) {
    for (const std::string_view s : {kZero, kOne, kOrder}) {
      BOOST_TEST(!verifies(key.public_key(), "m", joined(r, s)), r << " " << s);
    }
  }
  const Signature good = key.sign(as_bytes("m")).value();
  const std::string r = hex_encode(ByteView(good).first(32));
  const std::string s = hex_encode(ByteView(good).last(32));
  BOOST_TEST(!verifies(key.public_key(), "m", joined(kZero, s)));
  BOOST_TEST(!verifies(key.public_key(), "m", joined(r, kZero)));
  BOOST_TEST(!verifies(key.public_key(), "m", joined(s, r)));
}

BOOST_AUTO_TEST_CASE(es256_accepts_high_s_as_rfc_7518_does) {
  const SigningKey key = new_key(Algorithm::kES256);
  Signature signature = key.sign(as_bytes("m")).value();
  negate_s(signature);
  BOOST_TEST(verifies(key.public_key(), "m", signature));
}

BOOST_AUTO_TEST_CASE(a_point_off_the_curve_verifies_nothing) {
  const SigningKey key = new_key(Algorithm::kES256);
  const Signature signature = key.sign(as_bytes("m")).value();
  std::array<std::uint8_t, 32> x{};
  std::array<std::uint8_t, 32> y{};
  std::ranges::copy(key.public_key().x(), x.begin());
  std::ranges::copy(key.public_key().y(), y.begin());
  y[31] ^= 1;
  const auto all_ones = octets("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  for (const PublicKey& off :
       {PublicKey::p256(x, y), PublicKey::p256({}, {}), PublicKey::p256(all_ones, all_ones)}) {
    BOOST_TEST(!verifies(off, "m", signature));
    const auto parsed = VerifyKey::from(off);
    BOOST_REQUIRE(!parsed.has_value());
    BOOST_TEST((parsed.error().code == ErrorCode::kInvalidKey));
  }
  // The thread's scratch key must not remember the point that was refused, nor the one before it.
  BOOST_TEST(verifies(key.public_key(), "m", signature));
}

BOOST_AUTO_TEST_CASE(an_encoding_that_is_no_ed25519_point_verifies_nothing) {
  const Signature signature = new_key(Algorithm::kEd25519).sign(as_bytes("m")).value();
  for (const std::uint8_t first : {std::uint8_t{0x02}, std::uint8_t{0xFF}}) {
    std::array<std::uint8_t, 32> x{};
    x.fill(first == 0xFF ? 0xFF : 0);
    x[0] = first;
    BOOST_TEST(!verifies(PublicKey::ed25519(x), "m", signature));
    BOOST_TEST(!verifies(PublicKey::ed25519(x), "m", Signature{}));
  }
}

BOOST_AUTO_TEST_CASE(copies_of_a_key_and_threads_do_not_disturb_each_other) {
  const SigningKey first = new_key(Algorithm::kES256);
  const SigningKey second = new_key(Algorithm::kES256);
  const Signature by_first = first.sign(as_bytes("m")).value();
  const Signature by_second = second.sign(as_bytes("m")).value();
  const VerifyKey shared = VerifyKey::from(first.public_key()).value();
  std::array<int, 4> wrong{};
  {
    std::array<std::jthread, 4> threads;
    for (std::size_t i = 0; i < threads.size(); ++i) {
      threads[i] = std::jthread([&, i] {
        const VerifyKey copy = shared;
        for (int round = 0; round < 50; ++round) {
          wrong[i] += !copy.verify(as_bytes("m"), by_first) || copy.verify(as_bytes("m"), by_second);
          wrong[i] += !verify_signature(second.public_key(), sha256(as_bytes("m")), {}, by_second);
        }
      });
    }
  }
  BOOST_TEST(wrong == (std::array<int, 4>{}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
