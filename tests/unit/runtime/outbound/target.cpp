#include "daemon/runtime/outbound/target.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

// URLs that all readers understand alike, and no others.

namespace {

using namespace chancery;
using namespace chancery::runtime;
namespace data = boost::unit_test::data;

struct Taken {
  const char* url;
  const char* origin;
};
std::ostream& operator<<(std::ostream& out, const Taken& row) { return out << row.url; }

constexpr std::array kTaken{
    Taken{"https://api.example.com/v1/refunds?id=1", "https://api.example.com:443"},
    Taken{"https://api.example.com", "https://api.example.com:443"},
    Taken{"https://api.example.com?q=1", "https://api.example.com:443"},
    Taken{"https://api.example.com:8443/", "https://api.example.com:8443"},
    Taken{"https://api.example.com:443/", "https://api.example.com:443"},
    Taken{"https://127.0.0.1/", "https://127.0.0.1:443"},
    Taken{"https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"},
    Taken{"https://a_b.internal/%41%20b", "https://a_b.internal:443"},
    Taken{"https://api.example.com/a..b/.well-known/x.", "https://api.example.com:443"},
    Taken{"https://1password.example/", "https://1password.example:443"},
};

const std::array kRefused{
    std::string("http://api.example.com/"),
    std::string("HTTPS://api.example.com/"),
    std::string("ftp://api.example.com/"),
    std::string("file:///etc/passwd"),
    std::string("//api.example.com/"),
    std::string("api.example.com"),
    std::string(""),
    std::string("https://"),
    std::string("https:///path"),
    std::string("https://user@api.example.com/"),
    std::string("https://user:pass@api.example.com/"),
    std::string("https://api.example.com@evil.example/"),
    std::string("https://api.example.com\\@evil.example/"),
    std::string("https://API.example.com/"),
    std::string("https://api.example.com./"),
    std::string("https://.example.com/"),
    std::string("https://api..example.com/"),
    std::string("https://api.example.com:0/"),
    std::string("https://api.example.com:65536/"),
    std::string("https://api.example.com:0443/"),
    std::string("https://api.example.com:/"),
    std::string("https://api.example.com:4 43/"),
    std::string("https://2130706433/"),
    std::string("https://0x7f000001/"),
    std::string("https://0177.0.0.1/"),
    std::string("https://127.1/"),
    std::string("https://127.0.0.1./"),
    std::string("https://127.0.0.256/"),
    std::string("https://%31%32%37.0.0.1/"),
    std::string("https://[::1%25lo]/"),
    std::string("https://[::FFFF]/"),
    std::string("https://[127.0.0.1]/"),
    std::string("https://::1/"),
    std::string("https://[v1.x]/"),
    std::string("https://ex\xc3\xa4mple.com/"),
    std::string("https://api.example.com/a#b"),
    std::string("https://api.example.com/a b"),
    std::string("https://api.example.com/a\r\nHost: evil"),
    std::string("https://api.example.com/a\nb"),
    std::string("https://api.example.com/a\0b", 27),
    std::string("https://api.example.com/a%0d%0aHost:%20evil"),
    std::string("https://api.example.com/a?q=%0A"),
    std::string("https://api.example.com/a%00"),
    std::string("https://api.example.com/a%4"),
    std::string("https://api.example.com/a%zz"),
    std::string("https://api.example.com/../a"),
    std::string("https://api.example.com/a/.."),
    std::string("https://api.example.com/a/./b"),
    std::string("https://api.example.com/a/%2e%2e/b"),
    std::string("https://api.example.com/a/.%2E/b"),
    std::string("https://api.example.com/{a}"),
    "https://api.example.com/" + std::string(8192, 'a'),
    "https://" + std::string(254, 'a') + "/",
};

struct Led {
  const char* location;
  const char* url;  // nullptr: refused
};
std::ostream& operator<<(std::ostream& out, const Led& row) { return out << row.location; }

constexpr std::array kLed{
    Led{"/new", "https://api.example.com/new"},
    Led{"other", "https://api.example.com/v1/other"},
    Led{"?page=2", "https://api.example.com/v1/list?page=2"},
    Led{"../x", "https://api.example.com/x"},
    Led{"/new#part", "https://api.example.com/new"},
    Led{"https://other.example/x", "https://other.example/x"},
    Led{"//other.example/x", "https://other.example/x"},
    Led{"http://api.example.com/x", "http://api.example.com/x"},
    Led{"https://user@api.example.com/", nullptr},
    Led{"https://0x7f.1/", "https://127.0.0.1/"},
    Led{"gopher://api.example.com/", nullptr},
    Led{"file:///etc/passwd", nullptr},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(targets)

BOOST_DATA_TEST_CASE(a_plain_url_is_taken, data::make(kTaken), row) {
  const auto target = parse_target(row.url, false);
  BOOST_REQUIRE(target.has_value());
  BOOST_TEST(target->origin() == row.origin);
  BOOST_TEST(target->url == row.url);
}

BOOST_DATA_TEST_CASE(what_can_be_read_in_two_ways_is_refused, data::make(kRefused), url) {
  const auto target = parse_target(url, false);
  BOOST_REQUIRE(!target.has_value());
  BOOST_TEST((target.error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(the_longest_host_and_url_are_taken) {
  BOOST_TEST(
      parse_target("https://" + std::string(63, 'a') + "." + std::string(189, 'b') + "/", false).has_value());
  const std::string start = "https://api.example.com/";
  BOOST_TEST(parse_target(start + std::string(8192 - start.size(), 'a'), false).has_value());
  BOOST_TEST(!parse_target(start + std::string(8193 - start.size(), 'a'), false).has_value());
}

BOOST_AUTO_TEST_CASE(http_is_taken_only_where_it_is_allowed) {
  BOOST_TEST(!parse_target("http://api.example.com/", false).has_value());
  const auto target = parse_target("http://api.example.com/", true);
  BOOST_REQUIRE(target.has_value());
  BOOST_TEST(target->origin() == "http://api.example.com:80");
}

BOOST_DATA_TEST_CASE(a_location_leads_where_the_standard_says_or_nowhere, data::make(kLed), row) {
  const Target from = parse_target("https://api.example.com/v1/list?page=1", false).value();
  const auto target = parse_location(from, row.location);
  BOOST_REQUIRE(target.has_value() == (row.url != nullptr));
  if (target) {
    BOOST_TEST(target->url == row.url);
  } else {
    BOOST_TEST((target.error().code == ErrorCode::kBadResponse));
  }
}

BOOST_AUTO_TEST_SUITE_END()
