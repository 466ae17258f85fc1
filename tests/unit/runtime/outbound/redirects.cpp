#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/runtime/outbound/upstream.hpp"

// Where upstreams want a call to go instead. `PORT` stands for the upstream's own.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

struct Led {
  const char* name;
  const char* location;
  bool is_followed;
};
std::ostream& operator<<(std::ostream& out, const Led& row) { return out << row.name; }

constexpr std::array kLed{
    Led{"to another path", "/end", true},
    Led{"to another path by its whole address", "https://localhost:PORT/end", true},
    Led{"to itself on another host name", "https://other.example:PORT/end", false},
    Led{"to itself by its address", "https://127.0.0.1:PORT/end", false},
    Led{"to another host, without a scheme", "//other.example:PORT/end", false},
    Led{"to another port", "https://localhost:1/end", false},
    Led{"to the port that goes without saying", "https://localhost/end", false},
    Led{"to http", "http://localhost:PORT/end", false},
    Led{"to another scheme", "gopher://localhost:PORT/end", false},
    Led{"to a file", "file:///etc/passwd", false},
    Led{"with a user", "https://user@localhost:PORT/end", false},
    Led{"to a name with a dot behind", "https://localhost.:PORT/end", false},
    Led{"to the metadata service", "http://169.254.169.254/latest/meta-data/", false},
    Led{"to nowhere", "", false},
};

std::string redirect(int status, const std::string& location) {
  return http_answer(status, "text/plain", "what a redirect says", "Location: " + location + "\r\n");
}

std::string with_port(std::string text, const std::string& port) {
  const std::size_t place = text.find("PORT");
  return place == text.npos ? text : text.replace(place, 4, port);
}

// Leads `/` to a location, and answers everything else.
Upstream::Answer leading(int status, const std::string& location) {
  return [status, location](Connection& connection, const std::string& request) {
    const std::string port = request.substr(request.find("localhost:") + 10,
                                            request.find("\r\nUser") - request.find("localhost:") - 10);
    const bool is_first = request.find(" / HTTP/1.1") != request.npos;
    connection.write(is_first ? redirect(status, with_port(location, port))
                              : http_answer(200, "text/plain", "end"));
    return true;
  };
}

OutboundRequest with_credential(const Upstream& upstream, const std::string& path = "/") {
  OutboundRequest request = upstream.request(path);
  request.redirects = Redirects::kSameOrigin;
  request.http_allowed = true;  // so that it is the origin that refuses
  request.credentials.push_back({"Authorization", SecretBytes(as_bytes("Bearer of the vault"))});
  return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redirects)

BOOST_DATA_TEST_CASE(a_redirect_is_followed_to_the_same_origin_alone, data::make(kLed), row) {
  const Upstream upstream(leading(302, row.location));
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  const auto response = caller.call(with_credential(upstream));
  BOOST_REQUIRE(response.has_value() == row.is_followed);
  if (response) {
    BOOST_TEST(response->body == "end");
    BOOST_TEST(upstream.requests().at(1).find("Authorization: Bearer of the vault\r\n") != std::string::npos);
  } else {
    BOOST_TEST((response.error().code == ErrorCode::kBadResponse), response.error().what);
    // Nobody was asked a second time, by whatever name: neither this server nor a name server.
    BOOST_TEST(upstream.requests().size() == 1);
    BOOST_TEST(resolver.count() == 1);
  }
}

BOOST_AUTO_TEST_CASE(no_redirect_is_followed_unless_it_is_declared) {
  for (const int status : {301, 302, 303, 307, 308}) {
    const Upstream upstream(leading(status, "/end"));
    CountingResolver resolver;
    OutboundRequest request = with_credential(upstream);
    request.redirects = Redirects::kNone;
    const auto response = OutboundCaller(resolver.asked()).call(request);
    BOOST_REQUIRE(!response.has_value());
    BOOST_TEST((response.error().code == ErrorCode::kBadResponse));
    BOOST_TEST(response.error().native == static_cast<std::uint64_t>(status));
    BOOST_TEST(upstream.requests().size() == 1);
  }
}

BOOST_AUTO_TEST_CASE(three_redirects_are_followed_and_not_a_fourth) {
  const auto counted_down = [](Connection& connection, const std::string& request) {
    const int left = request[request.find('/') + 1] - '0';
    connection.write(left == 0 ? http_answer(200, "text/plain", "end")
                               : redirect(302, "/" + std::to_string(left - 1)));
    return true;
  };
  const Upstream upstream(counted_down);
  CountingResolver resolver;
  OutboundCaller caller(resolver.asked());
  BOOST_TEST(caller.call(with_credential(upstream, "/3")).has_value());
  BOOST_TEST(upstream.requests().size() == 4);
  const auto response = caller.call(with_credential(upstream, "/4"));
  BOOST_REQUIRE(!response.has_value());
  BOOST_TEST((response.error().code == ErrorCode::kBadResponse));
  BOOST_TEST(upstream.requests().size() == 8);
  BOOST_TEST(upstream.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_request_that_changes_something_is_not_sent_again) {
  for (const int status : {301, 302, 303, 307, 308}) {
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
      const Upstream upstream(leading(status, "/end"));
      CountingResolver resolver;
      OutboundRequest request = with_credential(upstream);
      request.method = method;
      request.body = "refund";
      const auto response = OutboundCaller(resolver.asked()).call(request);
      BOOST_REQUIRE(!response.has_value());
      BOOST_TEST((response.error().code == ErrorCode::kBadResponse));
      BOOST_TEST(upstream.requests().size() == 1);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
