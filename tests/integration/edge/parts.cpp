// The parts of the edge that are pure: what they make of octets does not depend on how these arrive.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/edge/peer.hpp"
#include "daemon/edge/request_reader.hpp"
#include "daemon/edge/response_text.hpp"

namespace chancery::edge {
namespace {

using namespace std::string_literals;
namespace data = boost::unit_test::data;

// What a reader makes of octets that arrive in pieces: requests in short, "...", or a refusal's detail at the
// end.
std::string read_in_pieces(std::string_view octets, std::size_t first, std::size_t then) {
  const Limits limits{.header_bytes = 200, .body_bytes = 100};
  RequestReader reader(limits);
  std::string seen;
  std::string buffer;
  for (std::size_t size = first; !octets.empty(); size = then) {
    buffer += octets.substr(0, size);
    octets.remove_prefix(std::min(size, octets.size()));
    for (;;) {
      const auto used = reader.feed(buffer);
      if (!used) return seen + used.error().detail;
      buffer.erase(0, *used);
      if (!reader.is_whole()) break;
      seen += reader.request().method + reader.request().path + "[" + reader.request().body + "] ";
      reader.restart();
      if (buffer.empty()) break;
    }
  }
  return seen + "...";
}

const std::string kHead = "POST /a HTTP/1.1\r\nHost: h\r\n";

const std::vector<std::pair<std::string, std::string>> kStreams{
    {kHead + "Content-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n", "POST/a[abc] GET/b[] ..."},
    {"\r\n" + kHead + "\r\n\r\n" + kHead + "\r\n", "POST/a[] POST/a[] ..."},
    {kHead + "Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n01\r\nd\r\n0\r\nA: b\r\n\r\n" + kHead + "\r\n",
     "POST/a[abcd] POST/a[] ..."},
    {kHead + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kHead + "\r\n", "POST/a[] POST/a[] ..."},
    {kHead + "Transfer-Encoding: chunked\r\n\r\n64\r\n" + std::string(100, 'x') + "\r\n0\r\n\r\n",
     "POST/a[" + std::string(100, 'x') + "] ..."},
    {kHead + "Transfer-Encoding: chunked\r\n\r\n63\r\n" + std::string(99, 'x') + "\r\n2\r\nxx\r\n0\r\n\r\n",
     "the request body is longer than this server reads"},
    {kHead + "Transfer-Encoding: chunked\r\n\r\n-2\r\nabc",
     "a chunk size is not a hexadecimal number of 1 to 16 digits, followed by CRLF"},
    {kHead + "Content-Length: 100\r\n\r\n" + std::string(100, 'x'),
     "POST/a[" + std::string(100, 'x') + "] ..."},
    {kHead + "Content-Length: 101\r\n\r\n" + std::string(101, 'x'),
     "the request body is longer than this server reads"},
    {kHead + "A: b\r\n c\r\n\r\n",
     "a line of the request's head begins with white space: send each field on one line"},
    {kHead + "A: b\n\r\n", "an LF without CR stands in the request's head: end lines with CRLF"},
    {kHead + "A: b\rc\r\n\r\n", "a CR without LF stands in the request's head: end lines with CRLF"},
    {kHead + "A: "s + '\0' + "\r\n\r\n", "a control octet such as NUL stands in the request's head"},
    {kHead + "A: " + std::string(200 - kHead.size() - 7, 'a') + "\r\n\r\n", "POST/a[] ..."},
    {kHead + "A: " + std::string(201 - kHead.size() - 7, 'a') + "\r\n\r\n",
     "the request line and headers are longer than this server reads"},
    {kHead + "A: " + std::string(300, 'a'), "the request line and headers are longer than this server reads"},
    {kHead, "..."},
};

BOOST_AUTO_TEST_CASE(requests_are_read_alike_however_they_are_cut) {
  for (const auto& [octets, want] : kStreams) {
    BOOST_TEST_CONTEXT(octets) {
      for (std::size_t first = 1; first <= octets.size(); ++first) {
        BOOST_REQUIRE_EQUAL(read_in_pieces(octets, first, octets.size()), want);
      }
      BOOST_REQUIRE_EQUAL(read_in_pieces(octets, 1, 1), want);
    }
  }
}

struct Cgroup {
  const char* text;
  const char* unit;
};
std::ostream& operator<<(std::ostream& out, const Cgroup& row) { return out << row.text; }

constexpr std::array kCgroups{
    Cgroup{"0::/system.slice/support-agent.service\n", "support-agent.service"},
    Cgroup{"0::/system.slice/agents.slice/agent@7.service\n", "agent@7.service"},
    Cgroup{"0::/system.slice/support-agent.service/payload/other.service\n", "support-agent.service"},
    Cgroup{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/payments.service\n",
           "user@1000.service"},
    Cgroup{"0::/user.slice/user-1000.slice/user@1000.service/system.slice/payments.service\n",
           "user@1000.service"},
    Cgroup{"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
    Cgroup{"0::/init.scope\n", "init.scope"},
    Cgroup{"0::/system.slice/_cgroup.service\n", "cgroup.service"},
    Cgroup{"0::/docker/0123456789abcdef/system.slice/payments.service\n", ""},
    Cgroup{"0::/../other.service\n", ""},
    Cgroup{"0::/system.slice\n", ""},
    Cgroup{"0::/\n", ""},
    Cgroup{"", ""},
    Cgroup{"garbage", ""},
    Cgroup{"4:memory:/system.slice/wrong.service\n1:name=systemd:/system.slice/right.service\n0::/\n",
           "right.service"},
    Cgroup{"4:memory:/x:name=systemd:/system.slice/wrong.service\n0::/system.slice/right.service\n",
           "right.service"},
};

BOOST_DATA_TEST_CASE(unit_is_the_first_part_of_the_cgroup_that_is_no_slice, data::make(kCgroups), row) {
  BOOST_TEST(systemd_unit(row.text) == row.unit);
}

BOOST_AUTO_TEST_CASE(date_is_written_as_rfc_9110_wants_it) {
  const auto date_at = [](std::int64_t seconds) {
    std::string out;
    append_response(out, {},
                    {.request_id = "id", .now = std::chrono::sys_seconds(std::chrono::seconds(seconds))});
    const std::size_t begin = out.find("Date: ") + 6;
    return out.substr(begin, out.find("\r\n", begin) - begin);
  };
  BOOST_TEST(date_at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_TEST(date_at(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  BOOST_TEST(date_at(951827696) == "Tue, 29 Feb 2000 12:34:56 GMT");
  BOOST_TEST(date_at(1767225599) == "Wed, 31 Dec 2025 23:59:59 GMT");
}

}  // namespace
}  // namespace chancery::edge
