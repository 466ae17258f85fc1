// Challenges are random, good once, and bounded in number and time.

#include "daemon/service/challenges.hpp"

#include <bit>
#include <cmath>
#include <set>

#include <boost/test/unit_test.hpp>

namespace chancery::service {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kNow{seconds{1'800'000'000}};

Challenge for_host(const std::string& host) {
  Challenge challenge;
  challenge.host = host;
  return challenge;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(challenges)

BOOST_AUTO_TEST_CASE(a_challenge_is_good_once) {
  Challenges challenges({});
  const auto opened = challenges.open(for_host("a"), kNow).value();
  BOOST_TEST(challenges.host_of(opened.id, kNow).value() == "a");
  const auto taken = challenges.take(opened.id, kNow);
  BOOST_REQUIRE(taken);
  BOOST_TEST(taken->host == "a");
  BOOST_TEST((taken->nonce == opened.nonce));
  BOOST_TEST((challenges.take(opened.id, kNow).error().code == ErrorCode::kNotFound));
  BOOST_TEST((challenges.host_of(opened.id, kNow).error().code == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(a_challenge_is_good_for_its_lifetime) {
  Challenges challenges({.lifetime = seconds(60)});
  const auto first = challenges.open(for_host("a"), kNow).value();
  const auto second = challenges.open(for_host("a"), kNow).value();
  BOOST_TEST((first.expires_at == kNow + seconds(60)));
  BOOST_TEST(challenges.take(first.id, kNow + seconds(59)).has_value());
  BOOST_TEST(!challenges.host_of(second.id, kNow + seconds(60)).has_value());
  BOOST_TEST(!challenges.take(second.id, kNow + seconds(60)).has_value());
}

BOOST_AUTO_TEST_CASE(a_host_that_asks_too_often_keeps_nobody_else_from_asking) {
  Challenges challenges({.open = 5, .of_host = 3, .lifetime = seconds(60)});
  const auto error = [&](const std::string& host, sys_seconds now) {
    const auto opened = challenges.open(for_host(host), now);
    return opened ? std::nullopt : std::optional(opened.error().code);
  };
  for (int i = 0; i < 3; ++i) BOOST_TEST(!error("a", kNow).has_value());
  BOOST_TEST((error("a", kNow) == ErrorCode::kOverloaded));
  BOOST_TEST(!error("b", kNow).has_value());
  BOOST_TEST(!error("c", kNow).has_value());
  BOOST_TEST((error("d", kNow) == ErrorCode::kOverloaded));
  // What has expired is in nobody's way.
  BOOST_TEST(!error("a", kNow + seconds(60)).has_value());
}

// 32 octets each: none comes twice, and over all of them each bit is set as often as not, within six standard deviations.
BOOST_AUTO_TEST_CASE(nonces_have_the_entropy_that_they_should) {
  constexpr int kSample = 4096;
  constexpr std::size_t kNonceBits = 256;
  Challenges challenges({.open = kSample, .of_host = kSample});
  std::set<Bytes> seen;
  std::set<std::string> ids;
  std::vector<int> ones(kNonceBits);
  for (int i = 0; i < kSample; ++i) {
    const auto opened = challenges.open(for_host("a"), kNow).value();
    BOOST_REQUIRE(opened.nonce.size() * 8 == kNonceBits);
    for (std::size_t bit = 0; bit < kNonceBits; ++bit) ones[bit] += opened.nonce[bit / 8] >> bit % 8 & 1;
    seen.insert(opened.nonce);
    ids.insert(opened.id);
  }
  BOOST_TEST(seen.size() == static_cast<std::size_t>(kSample));
  BOOST_TEST(ids.size() == static_cast<std::size_t>(kSample));
  const double deviation = std::sqrt(kSample) / 2;
  for (const int count : ones) BOOST_TEST(std::abs(count - kSample / 2) < 6 * deviation);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::service
