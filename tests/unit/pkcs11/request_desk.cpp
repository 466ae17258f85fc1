// The books between callers and the process that holds the module, with the test in the place of that process.

#include "hsm/pkcs11/request_desk.hpp"

#include <thread>

#include <boost/test/unit_test.hpp>

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using enum ErrorCode;

constexpr std::size_t kCapacity = 300;

/// A desk, and the process's end of its socket.
struct Desk {
  Desk() { desk.open(ours); }
  ~Desk() { desk.end(); }

  /// What the desk sent.
  [[nodiscard]] std::vector<TokenOrder> orders() const {
    std::vector<TokenOrder> all;
    Bytes packet(kLongestPacket);
    for (;;) {
      const auto [received, size] = theirs.receive(packet, false);
      if (received != PacketSocket::Received::kPacket) return all;
      const auto order = decode_order(ByteView(packet).first(size));
      if (order) all.push_back(*order);
    }
  }
  [[nodiscard]] TokenOrder order() const {
    const std::vector<TokenOrder> all = orders();
    BOOST_REQUIRE(all.size() == 1u);
    return all.front();
  }
  /// Another process comes.
  void restart() {
    desk.close(Clock::now());
    ends = *PacketSocket::make_pair();
    desk.open(ours);
  }
  [[nodiscard]] bool answer(const TokenOrder& order, Result<TokenReply> result) {
    return desk.take(encode(TokenAnswer{order.id, {}, std::move(result)}));
  }

  /// A pair whose maker left before it was told: its removal waits at the desk.
  void lose_pair(const std::string& serial) {
    TokenRequest request{TokenVerb::kCreate, "agent", Clock::now() + 20ms};
    request.key.label = "pair of " + serial;
    BOOST_TEST((desk.ask(request).error().code == kDeviceTimeout));
    for (const TokenOrder& sent : orders()) {
      if (sent.request.verb != TokenVerb::kCreate) continue;
      TokenReply made;
      made.serial = serial;
      BOOST_TEST(answer(sent, made));
    }
  }

  /// Fills the socket, so that nothing more is sent.
  void stop_reading() const {
    const Bytes packet(4096);
    while (ours.try_send(packet) == PacketSocket::Sent::kYes) {
    }
    const Bytes small(1);
    while (ours.try_send(small) == PacketSocket::Sent::kYes) {
    }
  }

  std::pair<PacketSocket, PacketSocket> ends = *PacketSocket::make_pair();
  PacketSocket& ours = ends.first;
  PacketSocket& theirs = ends.second;
  RequestDesk desk{kCapacity, [] {}};
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_removal_that_was_not_sent_when_the_process_ended_is_done_once, Desk) {
  lose_pair("one");
  stop_reading();
  BOOST_TEST(!desk.send_waiting());
  restart();
  BOOST_TEST(desk.load().queued == 1u);
  BOOST_TEST(desk.send_waiting());
  const TokenOrder removal = order();
  BOOST_TEST((removal.request.verb == TokenVerb::kDestroy));
  BOOST_TEST(removal.request.key.label == "pair of one");
  BOOST_TEST(answer(removal, TokenReply{}));
  BOOST_TEST(desk.load().queued == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_removal_that_was_sent_when_the_process_ended_is_done_again, Desk) {
  lose_pair("one");
  BOOST_TEST(desk.send_waiting());
  BOOST_TEST(orders().size() == 1u);
  restart();
  BOOST_TEST(desk.send_waiting());
  BOOST_TEST(answer(order(), TokenReply{}));
  BOOST_TEST(desk.load().queued == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_removal_that_fails_lets_the_others_go_first, Desk) {
  lose_pair("one");
  lose_pair("two");
  BOOST_TEST(desk.send_waiting());
  const TokenOrder first = order();
  BOOST_TEST(first.request.key.label == "pair of one");
  BOOST_TEST(answer(first, Error{kDeviceError, "", 5}));
  BOOST_TEST(desk.load().queued == 2u);

  std::vector<TokenOrder> sent;
  const auto until = Clock::now() + 10s;
  while (sent.empty() && Clock::now() < until) {
    BOOST_TEST(desk.send_waiting());
    sent = orders();
    std::this_thread::yield();
  }
  BOOST_REQUIRE(sent.size() == 1u);
  BOOST_TEST(sent.front().request.key.label == "pair of two");
}

BOOST_FIXTURE_TEST_CASE(what_another_token_holds_is_not_asked_for_again, Desk) {
  lose_pair("elsewhere");
  BOOST_TEST(desk.send_waiting());
  BOOST_TEST(answer(order(), Error{kWrongDevice, ""}));
  BOOST_TEST(desk.load().queued == 0u);
}

}  // namespace chancery::hsm
