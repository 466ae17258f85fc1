// Events reach whoever is told of them: signed, in order, and as long as it takes; the clock is the test's.

#include "daemon/service/webhook.hpp"

#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;
using enum Webhook::Outcome;

constexpr sys_seconds kStart{1'800'000'000s};

/// Somebody's server, which may be away, and the daemon's key.
struct Receiver {
  SigningKey key = *SigningKey::generate(Algorithm::kES256);
  bool is_away = false;
  int attempts = 0;
  std::vector<std::string> taken{};
  Webhook webhook{{.issuer = "https://issuer.example",
                   .audience = "https://soc.example/events",
                   .key = [this](sys_seconds) -> Result<PublicKey> { return key.public_key(); },
                   .sign = [this](const PublicKey&, ByteView input, sys_seconds) { return key.sign(input); },
                   .post = [this](const std::string& token, const std::stop_token&) -> Status {
                     ++attempts;
                     if (is_away) return Error{ErrorCode::kConnectFailed, "away"};
                     taken.push_back(token);
                     return {};
                   },
                   .complain = [](const Error&) {}}};

  void tell(const std::string& agent, sys_seconds now = kStart) {
    api::Anomaly anomaly;
    anomaly.at = now.time_since_epoch().count();
    anomaly.agent = agent;
    anomaly.kind = "new_scope";
    anomaly.what = "crm.write";
    webhook.tell(anomaly, now);
  }
  void tick(sys_seconds now) { webhook.tick(now, {}); }
};

std::string part(const std::string& token, std::size_t number) {
  std::size_t begin = 0;
  for (; number > 0; --number) begin = token.find('.', begin) + 1;
  const auto octets = base64url_decode(token.substr(begin, token.find('.', begin) - begin));
  BOOST_REQUIRE(octets);
  return std::string(as_text(*octets));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_event_is_a_signed_security_event_token) {
  Receiver receiver;
  receiver.tell("support");
  receiver.tick(kStart + 5s);
  BOOST_TEST_REQUIRE(receiver.taken.size() == 1u);
  const std::string& token = receiver.taken[0];
  BOOST_TEST(part(token, 0) == R"({"alg":"ES256","kid":")" + receiver.key.public_key().thumbprint().text() +
                                   R"(","typ":"secevent+jwt"})");
  const auto claims = json::Document::parse(part(token, 1));
  BOOST_REQUIRE(claims);
  BOOST_TEST(claims->root().find("iss")->string().value() == "https://issuer.example");
  BOOST_TEST(claims->root().find("aud")->string().value() == "https://soc.example/events");
  BOOST_TEST(claims->root().find("iat")->integer().value() == 1'800'000'000);
  BOOST_TEST(claims->root().find("jti")->string().value().size() == 32u);
  const json::Value* const event = claims->root().find("events")->find("urn:chancery:event:anomaly");
  BOOST_REQUIRE(event != nullptr);
  BOOST_TEST(event->find("agent")->string().value() == "support");
  const std::size_t dot = token.rfind('.');
  const auto octets = base64url_decode_exactly<64>(token.substr(dot + 1));
  BOOST_REQUIRE(octets);
  Signature signature{};
  std::ranges::copy(*octets, signature.begin());
  const auto verifier = VerifyKey::from(receiver.key.public_key());
  BOOST_TEST(verifier->verify(as_bytes(token.substr(0, dot)), signature));
}

BOOST_AUTO_TEST_CASE(what_is_not_taken_is_tried_again_ever_more_seldom_and_in_order) {
  Receiver receiver;
  receiver.is_away = true;
  receiver.tell("first");
  receiver.tell("second");
  std::vector<int> tries;  // at which second
  for (int second = 0; second <= 700; ++second) {
    const int before = receiver.attempts;
    receiver.tick(kStart + std::chrono::seconds(second));
    if (receiver.attempts > before) tries.push_back(second);
  }
  BOOST_TEST(tries == (std::vector{0, 1, 3, 7, 15, 31, 63, 127, 255, 511}), boost::test_tools::per_element());
  receiver.is_away = false;
  receiver.tick(kStart + 811s);
  BOOST_TEST_REQUIRE(receiver.taken.size() == 2u);
  BOOST_TEST(part(receiver.taken[0], 1).find("first") != std::string::npos);
  BOOST_TEST(receiver.webhook.count(kDelivered) == 2u);
  BOOST_TEST(receiver.webhook.count(kFailed) == tries.size());
}

BOOST_AUTO_TEST_CASE(an_event_is_the_same_when_it_is_tried_again) {
  Receiver receiver;
  receiver.tell("support");
  std::string first;
  receiver.is_away = true;
  receiver.tick(kStart);
  receiver.is_away = false;
  receiver.tick(kStart + 1s);
  receiver.tick(kStart + 2s);
  BOOST_TEST(receiver.taken.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_nobody_took_for_a_day_is_dropped) {
  Receiver receiver;
  receiver.is_away = true;
  receiver.tell("support");
  receiver.tick(kStart + 24h);
  receiver.is_away = false;
  receiver.tick(kStart + 24h + 1s);
  BOOST_TEST(receiver.taken.empty());
  BOOST_TEST(receiver.webhook.count(kDropped) == 1u);
}

BOOST_AUTO_TEST_CASE(the_oldest_go_when_too_many_wait) {
  Receiver receiver;
  for (int i = 0; i < 1003; ++i) receiver.tell("agent-" + std::to_string(i));
  receiver.tick(kStart);
  BOOST_TEST(receiver.taken.size() == 1000u);
  BOOST_TEST(part(receiver.taken[0], 1).find("\"agent-3\"") != std::string::npos);
  BOOST_TEST(receiver.webhook.count(kDropped) == 3u);
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_does_not_silence_it) {
  Receiver receiver;
  receiver.is_away = true;
  receiver.tell("support");
  receiver.tick(kStart);
  receiver.is_away = false;
  receiver.tick(kStart - 1h);
  BOOST_TEST(receiver.taken.size() == 1u);
}

}  // namespace chancery::service
