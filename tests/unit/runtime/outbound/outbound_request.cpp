#include "daemon/runtime/outbound/outbound_request.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

// What may be asked of an upstream, before anything is resolved.

namespace {

using namespace chancery;
using namespace chancery::runtime;
namespace data = boost::unit_test::data;

struct Header {
  std::string name;
  std::string value;
  bool is_taken;
};
std::ostream& operator<<(std::ostream& out, const Header& row) {
  return out << row.name << " / " << row.value;
}

const std::array kHeaders{
    Header{"Accept", "application/json", true},
    Header{"X-Empty", "", true},
    Header{"X-Tab", "a\tb", true},
    Header{"X-Latin", "\xe4", true},
    Header{"Content-Type", "application/json", true},
    Header{"X!#$%&'*+-.^_`|~9", "a", true},
    Header{"", "a", false},
    Header{"X Y", "a", false},
    Header{"X:", "a", false},
    Header{"X\r\nHost", "a", false},
    Header{"X\xe4", "a", false},
    Header{std::string("X\0", 2), "a", false},
    Header{"X", "a\r\nHost: evil.example", false},
    Header{"X", "a\nb", false},
    Header{"X", "a\rb", false},
    Header{"X", std::string("a\0b", 3), false},
    Header{"X", "a\x7f", false},
    Header{"X", "a\x1f", false},
    Header{"Host", "evil.example", false},
    Header{"hOST", "evil.example", false},
    Header{"Content-Length", "5", false},
    Header{"Transfer-Encoding", "chunked", false},
    Header{"Connection", "close", false},
    Header{"Expect", "100-continue", false},
    Header{"Upgrade", "h2c", false},
    Header{"Accept-Encoding", "zstd", false},
    Header{"Proxy-Authorization", "a", false},
};

struct Method {
  const char* method;
  const char* body;
  bool is_taken;
};
std::ostream& operator<<(std::ostream& out, const Method& row) {
  return out << row.method << " " << row.body;
}

constexpr std::array kMethods{
    Method{"GET", "", true},      Method{"HEAD", "", true},   Method{"OPTIONS", "", true},
    Method{"POST", "", true},     Method{"POST", "a", true},  Method{"PUT", "a", true},
    Method{"PATCH", "a", true},   Method{"DELETE", "", true}, Method{"DELETE", "a", true},
    Method{"GET", "a", false},    Method{"HEAD", "a", false}, Method{"OPTIONS", "a", false},
    Method{"CONNECT", "", false}, Method{"TRACE", "", false}, Method{"get", "", false},
    Method{"", "", false},        Method{"GET ", "", false},  Method{"GET / HTTP/1.1\r\nX: ", "", false},
};

OutboundRequest request_with(OutboundHeader header) {
  OutboundRequest request;
  request.headers.push_back(std::move(header));
  return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outbound_requests)

BOOST_DATA_TEST_CASE(a_header_can_become_nothing_else, data::make(kHeaders), row) {
  const Status status = check_request(request_with({row.name, row.value}));
  BOOST_TEST(status.has_value() == row.is_taken);
  if (!status) BOOST_TEST((status.error().code == ErrorCode::kInvalidArgument));
}

BOOST_DATA_TEST_CASE(a_header_with_a_credential_cannot_either, data::make(kHeaders), row) {
  OutboundRequest request;
  request.credentials.push_back({row.name, SecretBytes(as_bytes(row.value))});
  BOOST_TEST(check_request(request).has_value() == row.is_taken);
}

BOOST_DATA_TEST_CASE(a_method_is_one_that_is_known, data::make(kMethods), row) {
  OutboundRequest request;
  request.method = row.method;
  request.body = row.body;
  BOOST_TEST(check_request(request).has_value() == row.is_taken);
}

BOOST_AUTO_TEST_CASE(nothing_stands_beside_the_credential_under_its_name) {
  OutboundRequest request = request_with({"aUTHORIZATION", "Bearer of mine"});
  request.credentials.push_back({"Authorization", SecretBytes(as_bytes("Bearer of the vault"))});
  BOOST_TEST((check_request(request).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(headers_are_bounded) {
  constexpr std::size_t kMost = 32u << 10;
  BOOST_TEST(check_request(request_with({"X", std::string(kMost - 1, 'a')})).has_value());
  BOOST_TEST(
      (check_request(request_with({"X", std::string(kMost, 'a')})).error().code == ErrorCode::kTooLarge));
}

BOOST_AUTO_TEST_SUITE_END()
