#include "hsm/pkcs11/token_messages.hpp"

#include <array>

#include <boost/test/unit_test.hpp>

namespace chancery::hsm {
namespace {

using enum ErrorCode;

TokenRequest some_request() {
  TokenRequest request{TokenVerb::kSign, "agent", Deadline(std::chrono::nanoseconds(123456789))};
  request.key = {"00a1", "chancery:5:agent:k1", {1, 2, 0xFF}};
  request.algorithm = Algorithm::kEd25519;
  request.public_key = PublicKey::p256({1, 2, 3}, {4, 5, 6});
  request.input = Bytes(32, 7);
  request.seeks_anew = true;
  request.is_repeated = true;
  request.context = {0xC0, 0xC1};
  request.secret = std::make_shared<const SecretBytes>(as_bytes("sealed"));
  return request;
}

TokenFacts some_facts() {
  return {"label", "maker", "model", "serial", "1.2", true, {Algorithm::kES256, Algorithm::kEd25519}, true};
}

TokenAnswer some_answer() {
  TokenReply reply;
  reply.signature[63] = 9;
  reply.public_key = PublicKey::ed25519({8});
  reply.serial = "00a1";
  reply.may_pass = true;
  reply.condition = {0x0D, 2, 8, {CKM_ECDSA, CKM_EDDSA}};
  reply.claims = {true, false, true, false, {Bytes(3, 0x30), Bytes(5, 0x31)}};
  reply.sealed = Bytes(46, 0x51);
  reply.opened = std::make_shared<const SecretBytes>(as_bytes("opened"));
  return {7, {1, 2, 3, 4, 5, false}, reply};
}

Start some_start() {
  Start start;
  start.token.module = "/usr/lib/hsm.so";
  start.token.selector = {"t", "m", "o", "s"};
  start.token.allow_simulator = true;
  start.token.is_pin_in_doubt = true;
  start.token.is_pin_refused = true;
  start.token.key_cache = 17;
  start.token.pin = SecretBytes(as_bytes("731905"));
  start.pool = {3, 99};
  return start;
}

bool is_order(ByteView packet) { return decode_order(packet).has_value(); }
bool is_start(ByteView packet) { return decode_start(packet).has_value(); }
bool is_from_owner(ByteView packet) { return decode_from_owner(packet).has_value(); }

Bytes octets(const CleansedBytes& packet) { return {packet.begin(), packet.end()}; }

struct Sample {
  const char* what;
  Bytes packet;
  bool (*is_read)(ByteView);
};

std::vector<Sample> samples() {
  const SecretBytes start = encode(some_start());
  return {
      {"start", {start.view().begin(), start.view().end()}, is_start},
      {"order", octets(encode(42, some_request())), is_order},
      {"answer", octets(encode(some_answer())), is_from_owner},
      {"error", octets(encode(TokenAnswer{7, {}, Error{kKeyLost, "", 0}})), is_from_owner},
      {"facts", octets(encode(some_facts())), is_from_owner},
      {"login", octets(encode(LoginNews{LoginStep::kRefused, CKR_PIN_LOCKED})), is_from_owner},
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_order_reads_back) {
  const auto order = decode_order(encode(42, some_request()));
  BOOST_REQUIRE(order);
  const TokenRequest want = some_request(), &is = order->request;
  BOOST_TEST(order->id == 42u);
  BOOST_TEST((is.verb == want.verb && is.owner == want.owner && is.deadline == want.deadline));
  BOOST_TEST((is.key == want.key && is.algorithm == want.algorithm && is.public_key == want.public_key));
  BOOST_TEST((is.input == want.input && is.seeks_anew && is.is_repeated));
  BOOST_TEST((is.context == want.context));
  BOOST_REQUIRE(is.secret);
  BOOST_TEST(as_text(is.secret->view()) == "sealed");
}

BOOST_AUTO_TEST_CASE(an_order_without_a_secret_reads_back_without_one) {
  TokenRequest request = some_request();
  request.secret = nullptr;
  const auto order = decode_order(encode(42, request));
  BOOST_REQUIRE(order);
  BOOST_TEST(!order->request.secret);
}

BOOST_AUTO_TEST_CASE(a_secret_that_no_device_seals_is_no_message) {
  TokenRequest request = some_request();
  request.secret = std::make_shared<const SecretBytes>(Sealer::kMaxSecret);
  BOOST_TEST(is_order(encode(42, request)));
  request.secret = std::make_shared<const SecretBytes>(Sealer::kMaxSecret + 1);
  BOOST_TEST(!is_order(encode(42, request)));
}

BOOST_AUTO_TEST_CASE(a_start_reads_back) {
  const auto start = decode_start(encode(some_start()).view());
  BOOST_REQUIRE(start);
  BOOST_TEST(start->token.module == "/usr/lib/hsm.so");
  BOOST_TEST(start->token.selector.serial == "s");
  BOOST_TEST((start->token.allow_simulator && start->token.is_pin_in_doubt && start->token.is_pin_refused));
  BOOST_TEST(start->token.key_cache == 17u);
  BOOST_TEST(as_text(start->token.pin.view()) == "731905");
  BOOST_TEST((start->pool.sessions == 3u && start->pool.queue == 99u));
}

BOOST_AUTO_TEST_CASE(what_the_owner_says_reads_back) {
  const auto facts = decode_from_owner(encode(some_facts()));
  BOOST_REQUIRE(facts);
  BOOST_TEST((std::get<TokenFacts>(*facts) == some_facts()));
  const auto login = decode_from_owner(encode(LoginNews{LoginStep::kRefused, CKR_PIN_LOCKED}));
  BOOST_REQUIRE(login);
  BOOST_TEST(std::get<LoginNews>(*login).native == CKR_PIN_LOCKED);
  const auto message = decode_from_owner(encode(some_answer()));
  BOOST_REQUIRE(message);
  const auto& answer = std::get<TokenAnswer>(*message);
  BOOST_TEST((answer.id == 7u && answer.load.recoveries == 5u));
  BOOST_REQUIRE(answer.result);
  BOOST_TEST((answer.result->signature == some_answer().result->signature));
  BOOST_TEST((answer.result->public_key == PublicKey::ed25519({8})));
  BOOST_TEST((answer.result->serial == "00a1" && answer.result->may_pass));
  BOOST_TEST(!answer.load.is_up);
  BOOST_TEST((answer.result->claims == some_answer().result->claims));
  BOOST_TEST((answer.result->sealed == some_answer().result->sealed));
  BOOST_REQUIRE(answer.result->opened);
  BOOST_TEST(as_text(answer.result->opened->view()) == "opened");
  const TokenCondition& condition = answer.result->condition;
  BOOST_TEST((condition.flags == 0x0D && condition.sessions == 2u && condition.max_sessions == 8u));
  BOOST_TEST((condition.mechanisms == std::vector<CK_MECHANISM_TYPE>{CKM_ECDSA, CKM_EDDSA}));
}

BOOST_AUTO_TEST_CASE(an_error_keeps_its_codes_and_has_a_text_that_is_ours) {
  for (const Error error : {Error{kKeyLost, "x"}, Error{kDeviceUnavailable, "x", CKR_DEVICE_REMOVED},
                            Error{kPinRefused, "x", CKR_PIN_EXPIRED}, Error{kDeviceError, "x", 0x80000001}}) {
    const auto message = decode_from_owner(encode(TokenAnswer{1, {}, error}));
    BOOST_REQUIRE(message);
    const Error& is = std::get<TokenAnswer>(*message).result.error();
    BOOST_TEST((is.code == error.code && is.native == error.native));
    BOOST_TEST(std::string_view(is.what).size() > 20u);
  }
  BOOST_TEST(!is_from_owner(encode(TokenAnswer{1, {}, Error{kNotHolder, "a device does not say this"}})));
}

BOOST_AUTO_TEST_CASE(a_packet_is_read_whole_or_not_at_all) {
  for (const Sample& sample : samples()) {
    BOOST_TEST(sample.is_read(sample.packet), sample.what);
    for (std::size_t size = 0; size < sample.packet.size(); ++size) {
      BOOST_TEST(!sample.is_read(ByteView(sample.packet).first(size)), sample.what << " cut to " << size);
    }
    Bytes longer = sample.packet;
    longer.push_back(0);
    BOOST_TEST(!sample.is_read(longer), sample.what);
  }
}

BOOST_AUTO_TEST_CASE(a_packet_of_another_kind_is_refused) {
  for (const Sample& sample : samples()) {
    int readers = 0;
    for (const auto is_read : {is_start, is_order, is_from_owner}) readers += is_read(sample.packet) ? 1 : 0;
    BOOST_TEST(readers == 1, sample.what);
  }
}

// Nothing here may read beyond the packet, or take a length from it for granted.
BOOST_AUTO_TEST_CASE(any_octet_may_be_anything) {
  for (const Sample& sample : samples()) {
    for (std::size_t i = 0; i < sample.packet.size(); ++i) {
      for (const std::uint8_t value : Bytes{0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        Bytes changed = sample.packet;
        changed[i] = value;
        for (const auto is_read : {is_start, is_order, is_from_owner}) static_cast<void>(is_read(changed));
        if (i == 0 && value != sample.packet[0]) BOOST_TEST(!sample.is_read(changed), sample.what);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_login_that_was_refused_says_by_which_code) {
  BOOST_TEST(!is_from_owner(encode(LoginNews{LoginStep::kRefused, CKR_OK})));
  BOOST_TEST(!is_from_owner(encode(LoginNews{LoginStep::kRefused, CKR_DEVICE_ERROR})));
  BOOST_TEST(is_from_owner(encode(LoginNews{LoginStep::kFailed, CKR_DEVICE_ERROR})));
}

}  // namespace chancery::hsm
