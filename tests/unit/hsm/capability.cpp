#include <deque>
#include <fstream>
#include <iterator>

#include <boost/test/unit_test.hpp>

#include "hsm/tpm/connection.hpp"
#include "simulators/faults/tcti_fake.hpp"
#include "simulators/faults/tcti_wire.hpp"

namespace chancery::hsm {
namespace {

std::deque<Bytes> responses_of(const std::string& name) {
  std::ifstream file(CHANCERY_SOURCE_DIR "/tests/fuzz/corpus/tpm/" + name, std::ios::binary);
  const Bytes octets(std::istreambuf_iterator<char>(file), {});
  std::deque<Bytes> out;
  for (std::size_t at = 0; at + 10 <= octets.size(); at += out.back().size()) {
    const std::size_t size = simulators::number_at(octets, at + 2);
    BOOST_REQUIRE(size >= 10 && size <= octets.size() - at);
    out.emplace_back(octets.begin() + static_cast<std::ptrdiff_t>(at),
                     octets.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  return out;
}

// Of a TPM that answers with these responses, whatever it is asked.
Error open_error(std::deque<Bytes> responses) {
  const simulators::FakeTpm tpm([&](int fd) {
    while (!responses.empty() && !simulators::read_message(fd).empty()) {
      simulators::write_octets(fd, responses.front());
      responses.pop_front();
    }
  });
  ConnectionOptions options;
  options.address = *TctiAddress::parse(tpm.tcti());
  options.sessions = SessionKind::kPlain;
  options.accept = [](const TpmFacts&, ByteView) -> Status { return {}; };
  const Interrupt interrupt;
  LiveCounts live;
  const auto connection = TpmConnection::open(options, interrupt, live);
  BOOST_REQUIRE(!connection);
  return connection.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(capabilities)

// Handles are half as long as properties, and more of them fit into an answer.
BOOST_AUTO_TEST_CASE(an_answer_of_another_capability_is_not_read_as_the_one_that_was_asked_for) {
  const Error error = open_error(responses_of("other_capability"));
  BOOST_TEST(error.what == std::string("the TPM answers with another capability than it was asked for"));
  BOOST_TEST((error.code == ErrorCode::kDeviceError));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm
