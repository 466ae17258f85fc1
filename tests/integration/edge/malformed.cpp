// Requests that are no HTTP, or HTTP that can be read in two ways: each is answered, its connection closed,
// and the next one served. Among them are those that ended a process behind other servers
// (docs/decisions/0004).
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::string_literals;
namespace data = boost::unit_test::data;

struct Malformed {
  const char* name;
  std::string octets;
  int status;
  const char* detail;
};

std::ostream& operator<<(std::ostream& out, const Malformed& row) { return out << row.name; }

std::string with_fields(const std::string& fields, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) { return with_fields("Transfer-Encoding: chunked\r\n", body); }

const std::vector<Malformed> kMalformed{
    {"chunk size of -1", chunked("-1\r\nhello\r\n0\r\n\r\n"), 400, "a chunk size is not"},
    {"chunk size of -2", chunked("-2\r\nhello\r\n0\r\n\r\n"), 400, "a chunk size is not"},
    {"signed chunk size", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400, "a chunk size is not"},
    {"chunk size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400, "a chunk size is not"},
    {"empty chunk size", chunked("\r\nhello\r\n"), 400, "a chunk size is not"},
    {"chunk size of 2^64 - 1", chunked("ffffffffffffffff\r\nhello"), 413, "longer than this server reads"},
    {"chunk size of 2^64", chunked("10000000000000000\r\nhello"), 400, "a chunk size is not"},
    {"chunk size of a thousand digits", chunked(std::string(1000, 'f') + "\r\nhello"), 400,
     "a chunk size is not"},
    {"chunk size of a thousand zeros", chunked(std::string(1000, '0') + "\r\n\r\n"), 400,
     "a chunk size is not"},
    {"chunk longer than its size", chunked("3\r\nhello\r\n0\r\n\r\n"), 400, "its size is wrong"},
    {"chunk size with a bare LF", chunked("5\nhello\r\n0\r\n\r\n"), 400, "a chunk size is not"},
    {"LF in a chunk extension", chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), 400,
     "a chunk extension or trailer"},
    {"NUL in a chunk extension", chunked("5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s), 400,
     "a chunk extension or trailer"},
    {"endless chunk extension", chunked("5;" + std::string(5000, 'a')), 400, "longer than 4096"},
    {"endless trailers", chunked("0\r\n" + std::string(5000, 'a')), 400, "longer than 4096"},
    {"bare LF in a trailer", chunked("0\r\nA: b\n\r\n"), 400, "a chunk extension or trailer"},

    {"two equal Content-Lengths", with_fields("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400,
     "more than one Content-Length"},
    {"two different Content-Lengths", with_fields("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
     400, "Content-Length is not one"},
    {"list of Content-Lengths", with_fields("Content-Length: 5, 5\r\n", "hello"), 400,
     "Content-Length is not one"},
    {"negative Content-Length", with_fields("Content-Length: -1\r\n"), 400, "Content-Length is not one"},
    {"signed Content-Length", with_fields("Content-Length: +5\r\n", "hello"), 400,
     "Content-Length is not one"},
    {"empty Content-Length", with_fields("Content-Length: \r\n"), 400, "Content-Length is not one"},
    {"hexadecimal Content-Length", with_fields("Content-Length: 0x5\r\n", "hello"), 400,
     "Content-Length is not one"},
    {"Content-Length of 2^64", with_fields("Content-Length: 18446744073709551616\r\n"), 400,
     "Content-Length is not one"},
    {"Content-Length of 2^64 - 1", with_fields("Content-Length: 18446744073709551615\r\n"), 413,
     "longer than this server reads"},
    {"Content-Length, then Transfer-Encoding",
     with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
     "both Content-Length and Transfer-Encoding"},
    {"Transfer-Encoding, then Content-Length",
     with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400,
     "without Transfer-Encoding beside it"},

    {"Transfer-Encoding gzip", with_fields("Transfer-Encoding: gzip\r\n", "hello"), 400,
     "is `chunked`, alone"},
    {"Transfer-Encoding gzip, chunked", with_fields("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400,
     "is `chunked`, alone"},
    {"Transfer-Encoding chunked, gzip", with_fields("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400,
     "is `chunked`, alone"},
    {"Transfer-Encoding chunked twice in a list",
     with_fields("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400, "is `chunked`, alone"},
    {"two Transfer-Encodings",
     with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
     "repeats the latter"},
    {"Transfer-Encoding identity and Content-Length",
     with_fields("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"), 400,
     "is `chunked`, alone"},
    {"Transfer-Encoding with a vertical tab", with_fields("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
     400, "control octet"},
    {"Transfer-Encoding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "HTTP/1.0 has no Transfer-Encoding"},

    {"no Host", "GET /echo HTTP/1.1\r\n\r\n", 400, "has no Host"},
    {"two Hosts", with_fields("Host: localhost\r\n"), 400, "more than one Host"},
    {"Host with a path", "GET /echo HTTP/1.1\r\nHost: localhost/echo\r\n\r\n", 400, "Host is not a host"},
    {"Host with a space", "GET /echo HTTP/1.1\r\nHost: local host\r\n\r\n", 400, "Host is not a host"},
    {"Host with user information", "GET /echo HTTP/1.1\r\nHost: me@localhost\r\n\r\n", 400,
     "Host is not a host"},

    {"bare LF after the request line", "GET /echo HTTP/1.1\nHost: localhost\r\n\r\n", 400, "LF without CR"},
    {"bare LF after a field", "GET /echo HTTP/1.1\r\nHost: localhost\n\r\n", 400, "LF without CR"},
    {"only bare LF", "GET /echo HTTP/1.1\nHost: localhost\n\n", 400, "LF without CR"},
    {"bare CR in a field", "GET /echo HTTP/1.1\r\nHost: local\rhost\r\n\r\n", 400, "CR without LF"},
    {"CR CR LF", "GET /echo HTTP/1.1\r\r\nHost: localhost\r\n\r\n", 400, "CR without LF"},
    {"NUL in a field", "GET /echo HTTP/1.1\r\nHost: local\0host\r\n\r\n"s, 400, "control octet"},
    {"NUL in the target", "GET /ec\0ho HTTP/1.1\r\nHost: localhost\r\n\r\n"s, 400, "control octet"},
    {"DEL in a field", with_fields("A: \x7f\r\n"), 400, "control octet"},
    {"folded field", with_fields("A: b\r\n c\r\n"), 400, "begins with white space"},
    {"field folded with a tab", with_fields("A: b\r\n\tc\r\n"), 400, "begins with white space"},
    {"white space before the first field", "GET /echo HTTP/1.1\r\n Host: localhost\r\n\r\n", 400,
     "begins with white space"},
    {"white space before the request line", " GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
     "begins with white space"},
    {"white space before a colon", with_fields("Content-Length : 5\r\n", "hello"), 400,
     "directly followed by a colon"},
    {"field without a colon", with_fields("Content-Length 5\r\n"), 400, "directly followed by a colon"},
    {"field without a name", with_fields(": 5\r\n"), 400, "directly followed by a colon"},
    {"field name with obs-text", with_fields("\xc3\xa9: 5\r\n"), 400, "directly followed by a colon"},

    {"authority-form", "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "must be a path"},
    {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "must be a path"},
    {"target without a slash", "GET echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "must be a path"},
    {"absolute-form of another scheme", "GET ftp://localhost/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
     "must be a path"},
    {"absolute-form without authority", "GET http:///echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
     "authority is not a host"},
    {"absolute-form with user information",
     "GET http://me@localhost/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "authority is not a host"},
    {"target with a fragment", "GET /echo#part HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "percent-encode"},
    {"target with obs-text", "GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "percent-encode"},
    {"no target", "GET HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "no target between single spaces"},
    {"two spaces before the target", "GET  /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
     "no target between single spaces"},
    {"HTTP/0.9", "GET /echo\r\n\r\n", 400, "no target between single spaces"},
    {"HTTP/1.2", "GET /echo HTTP/1.2\r\nHost: localhost\r\n\r\n", 505, "HTTP/1.1 and HTTP/1.0"},
    {"HTTP/2 in the request line", "GET /echo HTTP/2.0\r\nHost: localhost\r\n\r\n", 505,
     "HTTP/1.1 and HTTP/1.0"},
    {"HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1 and HTTP/1.0"},
    {"lower-case version", "GET /echo http/1.1\r\nHost: localhost\r\n\r\n", 505, "HTTP/1.1 and HTTP/1.0"},
    {"method that is no token", "G@T /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "begin with a method"},
    {"two empty lines", "\r\n\r\nGET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "begin with a method"},
    {"expectation that nobody knows", with_fields("Expect: a-miracle\r\n"), 417, "100-continue"},
    {"101 fields", with_fields([] {
       std::string fields;
       for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
       return fields;
     }()),
     431, "more than 100"},
    {"TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, "control octet"},
    {"garbage", "\x8f\x01\xd2\xff\x00\x7f"s, 400, "control octet"},
};

// The three transports share every line of this; TLS is tried with a few rows below.
BOOST_DATA_TEST_CASE(malformed_request_is_answered_and_its_connection_closed,
                     data::make({Wire::kUnix, Wire::kPlain}) * data::make(kMalformed), wire, row) {
  static Scene scene;
  RawClient client = scene.connect(wire);
  client.send(row.octets);
  check_refused(client, row.status, row.detail);
  scene.check_serves(wire);
}

BOOST_AUTO_TEST_CASE(malformed_request_is_answered_over_tls) {
  Scene scene;
  for (const Malformed& row :
       {kMalformed[1], kMalformed[16], kMalformed[27], kMalformed[35], kMalformed[40]}) {
    BOOST_TEST_CONTEXT(row.name) {
      RawClient client = scene.connect(Wire::kTls);
      client.send(row.octets);
      check_refused(client, row.status, row.detail);
      scene.check_serves(Wire::kTls);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_follows_a_malformed_request_is_not_served) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  client.send(kMalformed[1].octets + post("/echo", "smuggled"));
  check_refused(client, 400, "a chunk size is not");
  BOOST_TEST(scene.application().begun().empty());
}

// Beast's own reading of chunks asserts that five octets are there by now.
BOOST_AUTO_TEST_CASE(last_chunk_in_pieces_is_read) {
  Scene scene;
  RawClient client = scene.connect(Wire::kPlain);
  for (const char* piece : {"0\r\n", "\r", "\n"}) {
    client.send(piece == "0\r\n"s ? chunked(piece) : piece);
    scene.check_serves(Wire::kUnix);  // so that the server reads the pieces apart
  }
  const auto answer = client.receive();
  BOOST_REQUIRE(answer);
  BOOST_TEST(answer->status == 200);
}

}  // namespace
}  // namespace chancery::testing
