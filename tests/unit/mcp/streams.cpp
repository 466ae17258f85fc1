#include <boost/test/unit_test.hpp>

#include "sdk/mcp/sse.hpp"

namespace chancery::tests {
namespace {

using Messages = std::vector<std::string>;

Messages read_in_pieces(const std::string& stream, std::size_t piece) {
  mcp::SseReader reader(1000);
  Messages out;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const auto some = reader.feed(std::string_view(stream).substr(at, piece));
    BOOST_REQUIRE(some);
    out.insert(out.end(), some->begin(), some->end());
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(events_are_messages_however_they_arrive) {
  const std::string stream =
      "\n: a comment\nid: 1\nretry: 10\ndata:\n\n"                // primes: no message
      "event: message\r\ndata: {\"a\":\r\ndata:1}\r\n\r\n"        // in two lines, the second without a space
      "event: other\ndata: {}\n\n"                                // of another name
      "data: plain\r\rdata\n\nunknown: x\ndata:  two spaces\n\n"  // by returns; a field without a value
      "data: unfinished\n";
  const Messages want{"{\"a\":\n1}", "plain", " two spaces"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    BOOST_TEST(read_in_pieces(stream, piece) == want, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const Messages want{"{\"a\":1}", "[]"};
  BOOST_TEST(read_in_pieces(mcp::sse_event(want[0]) + mcp::sse_event(want[1]), 3) == want,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_event_that_is_too_long_ends_the_stream) {
  mcp::SseReader reader(8);
  BOOST_REQUIRE(reader.feed("data: 12\n\n"));
  const auto refused = reader.feed("data: 123");
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kTooLarge));
  BOOST_TEST(!reader.feed("\n\ndata: 1\n\n"));
  mcp::SseReader lines(8);
  BOOST_TEST(!lines.feed("data: 1\ndata: 2\ndata: 3\n"));
}

}  // namespace chancery::tests
