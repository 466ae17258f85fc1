#include "sdk/verify/htu.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::tests {
namespace {

struct Uri {
  std::string_view uri;
  std::string_view normal;  ///< empty: refused
};
std::ostream& operator<<(std::ostream& out, const Uri& row) { return out << row.uri; }

constexpr std::array kUris{
    Uri{"https://a.example", "https://a.example/"},
    Uri{"https://a.example/", "https://a.example/"},
    Uri{"https://a.example?q", "https://a.example/"},
    Uri{"https://a.example#f", "https://a.example/"},
    Uri{"https://a.example/x?y#z", "https://a.example/x"},
    Uri{"https://a.example/x#z?y", "https://a.example/x"},
    Uri{"HTTPS://A.EXAMPLE/X", "https://a.example/X"},
    Uri{"https://a.example:443/x", "https://a.example/x"},
    Uri{"https://a.example:/x", "https://a.example/x"},
    Uri{"https://a.example:80/x", "https://a.example:80/x"},
    Uri{"http://a.example:80/x", "http://a.example/x"},
    Uri{"http://a.example:443/x", "http://a.example:443/x"},
    Uri{"https://a.example:8443/x", "https://a.example:8443/x"},
    Uri{"https://[::1]:443/x", "https://[::1]/x"},
    Uri{"https://[::1]/x", "https://[::1]/x"},
    Uri{"https://a.example:0443/x", "https://a.example:0443/x"},
    Uri{"https://[2001:DB8::443]/x", "https://[2001:db8::443]/x"},
    Uri{"https://a.example/a/./b", "https://a.example/a/b"},
    Uri{"https://a.example/a/../b", "https://a.example/b"},
    Uri{"https://a.example/../../b", "https://a.example/b"},
    Uri{"https://a.example/a/..", "https://a.example/"},
    Uri{"https://a.example/a/b/..", "https://a.example/a/"},
    Uri{"https://a.example/a/.", "https://a.example/a/"},
    Uri{"https://a.example/a//b", "https://a.example/a//b"},
    Uri{"https://a.example/a//../b", "https://a.example/a/b"},
    Uri{"https://a.example/a/...", "https://a.example/a/..."},
    Uri{"https://a.example/%41%7e%2d", "https://a.example/A~-"},
    Uri{"https://a.example/%2fx%3F", "https://a.example/%2Fx%3F"},
    Uri{"https://a.example/%2e%2E/x", "https://a.example/x"},
    Uri{"https://a.example/%25%34%31", "https://a.example/%2541"},  // decoded once
    Uri{"https://%61.example/", "https://a.example/"},
    Uri{"", ""},
    Uri{"/x", ""},
    Uri{"a.example/x", ""},
    Uri{"//a.example/x", ""},
    Uri{"https:/a.example/x", ""},
    Uri{"https:///x", ""},
    Uri{"https://", ""},
    Uri{"https://:443/x", ""},
    Uri{"ftp://a.example/x", ""},
    Uri{"https://a.example:443:/x", ""},
    Uri{"https://a.example:443:443/x", ""},
    Uri{"https://a.example:x/", ""},
    Uri{"https://a.example:-1/", ""},
    Uri{"https://user@a.example/x", ""},
    Uri{"https://user:443@a.example/x", ""},
    Uri{"https://[::1/x", ""},
    Uri{"https://[::1]x:443/", ""},
    Uri{"https://::1/x", ""},
    Uri{"javascript://a.example/x", ""},
    Uri{"https://a.example/%", ""},
    Uri{"https://a.example/%4", ""},
    Uri{"https://a.example/%4g", ""},
    Uri{"https://a.example/%-1", ""},
    Uri{"https://a.example/a b", ""},
    Uri{"https://a.example/a\tb", ""},
    Uri{"https://a.example/\xC3\xA9", ""},
    Uri{"https://a.exa mple/", ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(htu)

BOOST_DATA_TEST_CASE(uris_normalize_or_are_refused, boost::unit_test::data::make(kUris), row) {
  const auto normal = normalize_htu(row.uri);
  BOOST_REQUIRE(normal.has_value() == !row.normal.empty());
  if (!normal) return;
  BOOST_TEST(*normal == row.normal);
  BOOST_TEST(normalize_htu(*normal).value() == row.normal);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
