#include "hsm/tpm/tcti.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <ostream>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "simulators/faults/tcti_fake.hpp"
#include "simulators/faults/tcti_wire.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using namespace simulators;
namespace data = boost::unit_test::data;

// A TPM's command and answer, through the interface that the TSS uses.
class Talk {
 public:
  explicit Talk(const FakeTpm& peer, std::chrono::milliseconds time_limit = 300ms) {
    auto address = TctiAddress::parse(peer.tcti());
    BOOST_REQUIRE(address);
    auto tcti = DeadlineTcti::connect(*address, time_limit, interrupt);
    BOOST_REQUIRE(tcti);
    tcti_ = *std::move(tcti);
  }

  TSS2_RC send() {
    const Bytes command = response_of(0x144);  // a command has the same header
    return v1().transmit(tcti_->context(), command.size(), command.data());
  }
  TSS2_RC receive() {
    answer.resize(4096);
    std::size_t size = answer.size();
    const TSS2_RC rc = v1().receive(tcti_->context(), &size, answer.data(), TSS2_TCTI_TIMEOUT_BLOCK);
    answer.resize(rc == TSS2_RC_SUCCESS ? size : 0);
    return rc;
  }
  TSS2_RC exchange() {
    const TSS2_RC rc = send();
    return rc == TSS2_RC_SUCCESS ? receive() : rc;
  }
  [[nodiscard]] DeadlineTcti& tcti() { return *tcti_; }
  [[nodiscard]] TSS2_TCTI_CONTEXT_COMMON_V1& v1() {
    return *reinterpret_cast<TSS2_TCTI_CONTEXT_COMMON_V1*>(tcti_->context());
  }

  Interrupt interrupt;
  Bytes answer;

 private:
  std::unique_ptr<DeadlineTcti> tcti_;
};

void answer_all(int fd) {
  while (!read_message(fd).empty()) write_octets(fd, response_of(0));
}

void answer_octet_by_octet(int fd) {
  while (!read_message(fd).empty()) {
    for (const std::uint8_t octet : response_of(0)) write_octets(fd, {&octet, 1});
  }
}

template <std::size_t Octets>
void answer_in_part_then_nothing(int fd) {
  read_message(fd);
  write_octets(fd, ByteView(response_of(0)).first(Octets));
  wait_for_end(fd);
}

template <std::uint32_t Size>
void answer_with_size(int fd) {
  read_message(fd);
  write_octets(fd, response_of(0, Size));
  wait_for_end(fd);
}

struct Failure {
  const char* name;
  void (*peer)(int fd);
  TSS2_RC want;
};
std::ostream& operator<<(std::ostream& out, const Failure& row) { return out << row.name; }

constexpr TSS2_RC kGone = TSS2_TCTI_RC_IO_ERROR;
constexpr TSS2_RC kMalformed = TSS2_TCTI_RC_MALFORMED_RESPONSE;

constexpr std::array kFailures{
    Failure{"silence", answer_in_part_then_nothing<0>, kTctiTimedOut},
    Failure{"one octet, then silence", answer_in_part_then_nothing<1>, kTctiTimedOut},
    Failure{"a header but for one octet, then silence", answer_in_part_then_nothing<9>, kTctiTimedOut},
    Failure{"a header that promises more, then silence", answer_with_size<11>, kTctiTimedOut},
    Failure{"the largest response that we take, then silence", answer_with_size<8192>, kTctiTimedOut},
    Failure{"a response larger than that", answer_with_size<8193>, kMalformed},
    Failure{"a size of 4 GiB", answer_with_size<0xFFFFFFFF>, kMalformed},
    Failure{"a size of nothing", answer_with_size<0>, kMalformed},
    Failure{"a size below the header's", answer_with_size<9>, kMalformed},
    Failure{"closed at once", [](int) {}, kGone},
    Failure{"closed after the command", [](int fd) { read_message(fd); }, kGone},
    Failure{"closed within the header",
            [](int fd) {
              read_message(fd);
              write_octets(fd, ByteView(response_of(0)).first(5));
            },
            kGone},
    Failure{"closed within the response",
            [](int fd) {
              read_message(fd);
              write_octets(fd, response_of(0, 20));
            },
            kGone},
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_answer_in_time_is_delivered) {
  const FakeTpm peer(answer_all);
  Talk talk(peer);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
    BOOST_TEST(talk.answer == response_of(0));
  }
  BOOST_TEST(talk.tcti().connected());
}

BOOST_AUTO_TEST_CASE(an_answer_in_small_pieces_is_delivered_whole) {
  const FakeTpm peer(answer_octet_by_octet);
  Talk talk(peer);
  BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
  BOOST_TEST(talk.answer == response_of(0));
}

BOOST_AUTO_TEST_CASE(the_size_may_be_asked_for_first) {
  const FakeTpm peer(answer_all);
  Talk talk(peer);
  BOOST_REQUIRE(talk.send() == TSS2_RC_SUCCESS);
  std::size_t size = 0;
  BOOST_TEST(talk.v1().receive(talk.tcti().context(), &size, nullptr, 0) == TSS2_RC_SUCCESS);
  BOOST_TEST(size == 10u);
  std::array<std::uint8_t, 9> small;
  size = small.size();
  BOOST_TEST(talk.v1().receive(talk.tcti().context(), &size, small.data(), 0) ==
             TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  BOOST_TEST(talk.receive() == TSS2_RC_SUCCESS);
}

BOOST_DATA_TEST_CASE(a_failure_is_told_and_is_final, data::make(kFailures), row) {
  const FakeTpm peer(row.peer);
  Talk talk(peer);
  BOOST_TEST(talk.exchange() == row.want);
  BOOST_TEST(!talk.tcti().connected());
  // Never a silent reconnection: what comes back may be another TPM.
  BOOST_TEST(talk.exchange() == row.want);
  BOOST_TEST(talk.receive() == row.want);
  BOOST_TEST(peer.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_does_not_hold_us) {
  const Bytes endless(8 * 1024 * 1024);  // more than the socket's buffers take
  std::atomic<bool> ending = false;
  const FakeTpm deaf([&](int) { ending.wait(false); });
  Talk talk(deaf);
  BOOST_TEST(talk.v1().transmit(talk.tcti().context(), endless.size(), endless.data()) == kTctiTimedOut);
  ending = true;
  ending.notify_all();
}

// Else the next command would be answered with what came too much.
BOOST_AUTO_TEST_CASE(octets_that_nobody_asked_for_end_the_connection) {
  const FakeTpm peer([](int fd) {
    read_message(fd);
    Bytes twice = response_of(0);
    for (const std::uint8_t octet : response_of(0)) twice.push_back(octet);
    write_octets(fd, twice);
    wait_for_end(fd);
  });
  Talk talk(peer);
  BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
  BOOST_TEST(!talk.tcti().connected());
  BOOST_TEST(talk.exchange() == kGone);
}

BOOST_AUTO_TEST_CASE(an_interrupt_shortens_a_long_wait) {
  const FakeTpm peer(wait_for_end);
  Talk talk(peer, 1h);
  std::thread later([&] { talk.interrupt.raise(); });
  BOOST_TEST(talk.exchange() == kTctiTimedOut);  // CTest's own limit is far below an hour
  later.join();
}

BOOST_AUTO_TEST_CASE(nobody_at_the_address_is_unavailable) {
  const testing::TemporaryFolder folder;
  const Interrupt interrupt;
  const std::string missing = (folder.path() / "s").string();
  for (const std::string& text : {"swtpm:path=" + missing, "device:" + missing}) {
    const auto tcti = DeadlineTcti::connect(*TctiAddress::parse(text), 300ms, interrupt);
    BOOST_REQUIRE(!tcti);
    BOOST_TEST((tcti.error().code == ErrorCode::kDeviceUnavailable));
    BOOST_TEST(tcti.error().native == static_cast<std::uint64_t>(ENOENT));
  }
}

BOOST_AUTO_TEST_CASE(a_prepared_answer_serves_one_command_and_the_tpm_hears_nothing) {
  std::atomic<int> heard = 0;
  const FakeTpm peer([&](int fd) {
    for (; !read_message(fd).empty(); ++heard) write_octets(fd, response_of(0));
  });
  Talk talk(peer);
  talk.tcti().answer_next_with(TPM2_RC_CANCELED);
  BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
  BOOST_TEST((talk.answer == response_of(TPM2_RC_CANCELED)));
  BOOST_TEST(heard == 0);
  BOOST_TEST(talk.tcti().connected());
  BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
  BOOST_TEST((talk.answer == response_of(0)));
  talk.tcti().answer_next_with(TPM2_RC_CANCELED);
  talk.tcti().answer_next_with(TSS2_RC_SUCCESS);  // taken back
  BOOST_TEST(talk.exchange() == TSS2_RC_SUCCESS);
  BOOST_TEST((talk.answer == response_of(0)));
}

}  // namespace chancery::hsm
