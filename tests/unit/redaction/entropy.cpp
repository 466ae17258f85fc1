// Tokens that are as good as random, and what only looks so.

#include "sdk/redaction/entropy.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/redaction/made_secrets.hpp"

namespace chancery::redaction {
namespace {

// Put together here, so that no scanner of repositories takes this table for a leak.
const std::string kRandom = std::string("aZ3kQ9pL2x") + "T7vB4nM8rW1cY6hD0s";
const std::string kHex = std::string("9f86d081884c7d65") + "9a2feaa0c55ad015a3bf4f1b2b0b822c";

std::vector<Extent> found(std::string_view text) {
  std::vector<Hit> hits;
  find_random_tokens(text, hits);
  std::vector<Extent> extents;
  for (const Hit& hit : hits) extents.push_back(hit.extent);
  return extents;
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_tokens_are_found_with_their_extent) {
  const std::vector<std::string> befores{"", "x ", "value=", "\"", "{\"v\":\"", "key: ", "/"};
  for (const std::string& before : befores) {
    for (const std::string& token : {kRandom, kHex, kRandom + "=="}) {
      const std::string text = before + token + "\" y";
      const auto extents = found(text);
      BOOST_TEST_REQUIRE(extents.size() == 1u, text);
      BOOST_TEST((extents[0] == Extent{before.size(), before.size() + token.size()}), text);
    }
  }
  BOOST_TEST(found(kRandom + " " + kHex).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_no_secret_is_left) {
  for (const std::string& text : {
           std::string("a-long-name-of-many-words-in-small-letters"),
           std::string("AbstractSingletonProxyFactoryBeanHandler2"),
           std::string("src/main/java/org/example/ServiceImplementation17Test"),
           std::string("123e4567-e89b-12d3-a456-426614174000"),
           std::string("12345678901234567890123456789012345678901234567890"),
           "sha256:" + kHex + kHex.substr(0, 16),
           "commit " + kHex.substr(0, 40),
           kHex.substr(0, 32) + "  archive.tar.gz",
           "jkt " + kRandom + kRandom.substr(0, 15),
           "src=\"data:image/png;base64," + kRandom + kRandom + "\"",
           "ssh-ed25519 " + kRandom + kRandom,
           "\n" + kRandom + kRandom + kRandom + "\n",
           "pk_live_" + kRandom,
           std::string("0x9f86d081884c7d65ULL"),
           kRandom.substr(0, 19),
           kHex.substr(0, 31),
           std::string(64, 'A') + "b1",
       }) {
    BOOST_TEST(found(text).empty(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_very_long_is_data) {
  tests::RandomSource random(3);
  const std::string token = tests::random_text(random, tests::kAlphanumeric, 401);
  BOOST_TEST(found("x " + token).empty());
  BOOST_TEST(found("x " + token.substr(0, 400)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(shannons_measure) {
  BOOST_TEST(bits_per_octet("aaaa") == 0.0);
  BOOST_TEST(bits_per_octet("abab") == 1.0);
  BOOST_TEST(bits_per_octet("abcdefgh") == 3.0);
  BOOST_TEST(bits_per_octet("") == 0.0);
}

}  // namespace chancery::redaction
