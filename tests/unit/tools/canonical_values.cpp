#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/tools/url.hpp"
#include "daemon/runtime/tools/url_template.hpp"

// Paths, URLs and hosts have one spelling each, or none: an empty `want` is a refusal.

namespace chancery::tools {
namespace {

struct Row {
  std::string given;
  std::string want;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.given; }

const std::string kNul(1, '\0');

const Row kPaths[] = {
    {"/", "/"},
    {"/data/a.txt", "/data/a.txt"},
    {"/data/", "/data"},
    {"/data//a", "/data/a"},
    {"/data/./a", "/data/a"},
    {"/data/../etc/passwd", "/etc/passwd"},
    {"/data/%2e%2e/etc", "/etc"},
    {"/data/%2E%2E%2Fetc", "/etc"},
    {"/a%20b", "/a b"},
    {"/100%25", "/100%"},
    {"/\xC3\xA9", "/\xC3\xA9"},
    {"/%C3%A9", "/\xC3\xA9"},
    {"/..a/...", "/..a/..."},
    {"/..", ""},
    {"/a/../..", ""},
    {"/%2e%2e", ""},
    {"/%2e%2e%2f", ""},
    {"/data/%252e%252e/etc", ""},
    {"/%2525", ""},
    {"", ""},
    {"data", ""},
    {"./data", ""},
    {"../data", ""},
    {"~/data", ""},
    {"\\data", ""},
    {"/data\\..\\etc", ""},
    {"/data/%5c..", ""},
    {"/a" + kNul, ""},
    {"/a%00.txt", ""},
    {"/a\n", ""},
    {"/a%0a", ""},
    {"/a\x7F", ""},
    {"/a\xC2\x85", ""},
    {"/a%", ""},
    {"/a%2", ""},
    {"/a%zz", ""},
    {"/%ff", ""},
    {"/%c0%ae%c0%ae/etc", ""},
};
BOOST_DATA_TEST_CASE(path_has_one_spelling_or_none, boost::unit_test::data::make(kPaths), row) {
  const auto path = canonical_path(row.given);
  BOOST_REQUIRE_EQUAL(path.has_value(), !row.want.empty());
  if (!path) return;
  BOOST_TEST(*path == row.want);
  // Who reads the result again reads the same.
  if (row.want.find('%') == std::string::npos) BOOST_TEST(*canonical_path(*path) == row.want);
}

const Row kUrls[] = {
    {"http://host/", "http://host/"},
    {"http://host:80/", "http://host/"},
    {"https://host:443/", "https://host/"},
    {"https://host:80/", "https://host:80/"},
    {"http://host:8080", "http://host:8080/"},
    {"http://host:65535/", "http://host:65535/"},
    {"HTTP://HOST/Path", "http://host/Path"},
    {"https://host", "https://host/"},
    {"https://host?q=1", "https://host/?q=1"},
    {"https://host/a/../b", "https://host/b"},
    {"https://host/../../b", "https://host/b"},
    {"https://host/a/%2e%2e/b", "https://host/b"},
    {"https://host/a/%2E./b/", "https://host/b/"},
    {"https://host/a/./b/.", "https://host/a/b/"},
    {"https://host/a/..", "https://host/"},
    {"https://host//a", "https://host//a"},
    {"https://host/a%2fb", "https://host/a%2Fb"},
    {"https://host/%252e%252e/b", "https://host/%252e%252e/b"},
    {"https://host/%7Euser/%61", "https://host/~user/a"},
    {"https://host/a%c3%a9?x=%c3", "https://host/a%C3%A9?x=%C3"},
    {"https://host/?", "https://host/?"},
    {"https://host/?a=/../b&c=?d", "https://host/?a=/../b&c=?d"},
    {"http://127.0.0.1/", "http://127.0.0.1/"},
    {"http://[::1]/", "http://[::1]/"},
    {"http://[0:0::0001]:81/", "http://[::1]:81/"},
    {"http://[FE80::1]/", "http://[fe80::1]/"},
    {"http://xn--e1awd7f.com/", "http://xn--e1awd7f.com/"},
    {"", ""},
    {"host/path", ""},
    {"//host/path", ""},
    {"/path", ""},
    {"ftp://host/", ""},
    {"file:///etc/passwd", ""},
    {"javascript:alert(1)", ""},
    {"gopher://host/", ""},
    {"ht\ttp://host/", ""},
    {"http:/host/", ""},
    {"http:host", ""},
    {"http:\\\\host\\", ""},
    {"http://host\\@evil/", ""},
    {"http://evil\\.host/", ""},
    {" http://host/", ""},
    {"http://host/ ", ""},
    {"http://ho st/", ""},
    {"http://host/a b", ""},
    {"http://host/\n", ""},
    {"http://host\r\nHost: evil/", ""},
    {"http://host/" + kNul, ""},
    {"http://host/%00", ""},
    {"http://host/%0d%0a", ""},
    {"http://host/?a=%0A", ""},
    {"http://host/\x7F", ""},
    {"http://host/%7f", ""},
    {"http://user@host/", ""},
    {"http://user:pass@host/", ""},
    {"http://@host/", ""},
    {"http://good.example@evil.example/", ""},
    {"http://host/#fragment", ""},
    {"http://good.example#@evil.example/", ""},
    {"http://host/#", ""},
    {"http://host:/", ""},
    {"http://host:0/", ""},
    {"http://host:080/", ""},
    {"http://host:65536/", ""},
    {"http://host:-1/", ""},
    {"http://host:+80/", ""},
    {"http://host:8a/", ""},
    {"http://host:80:80/", ""},
    {"http:///path", ""},
    {"http://", ""},
    {"http://?q", ""},
    {"http://h%6fst/", ""},
    {"http://\xD0\xB5xample.com/", ""},
    {"http://example.com/\xC3\xA9", ""},
    {"http://example\xE3\x80\x82"
     "com/",
     ""},
    {"http://host/%", ""},
    {"http://host/%4", ""},
    {"http://host/%zz", ""},
    {"http://host/a|b", ""},
    {"http://host/{a}", ""},
    {"http://host/<a>", ""},
    {"http://host/\"", ""},
    {"http://host/^`", ""},
    {"http://host/[a]", ""},
};
BOOST_DATA_TEST_CASE(url_has_one_spelling_or_none, boost::unit_test::data::make(kUrls), row) {
  const auto url = parse_url(row.given);
  BOOST_REQUIRE_EQUAL(url.has_value(), !row.want.empty());
  if (!url) return;
  BOOST_TEST(url->text() == row.want);
  const auto again = parse_url(url->text());
  BOOST_REQUIRE(again);
  BOOST_TEST((*again == *url));
}

const Row kHosts[] = {
    {"Example.COM", "example.com"},
    {"a", "a"},
    {"a-b.c1", "a-b.c1"},
    {"1a.2b", "1a.2b"},
    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"192.0.2.1", "192.0.2.1"},
    {"[2001:DB8::1]", "[2001:db8::1]"},
    {"[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"},
    {std::string(63, 'a') + ".com", std::string(63, 'a') + ".com"},
    {std::string(64, 'a') + ".com", ""},
    {"", ""},
    {".", ""},
    {"a.", ""},
    {".a", ""},
    {"a..b", ""},
    {"-a", ""},
    {"a-", ""},
    {"a_b", ""},
    {"a b", ""},
    {"a%2eb", ""},
    {"a:80", ""},
    {"b\xC3\xBC"
     "cher.example",
     ""},
    {"\xEF\xBC\x91.1.1.1", ""},
    {"2130706433", ""},
    {"0x7f000001", ""},
    {"0x7f.1", ""},
    {"0x7f.0.0.0x1", ""},
    {"0X7F.1", ""},
    {"127.1", ""},
    {"127.0.1", ""},
    {"0177.0.0.1", ""},
    {"127.0.0.01", ""},
    {"127.0.0.1.", ""},
    {"127.0.0.256", ""},
    {"127.0.0.1.5", ""},
    {"a.0x1", ""},
    {"a.0x", ""},
    {"a.1", ""},
    {"::1", ""},
    {"[::1", ""},
    {"[::1]a", ""},
    {"[fe80::1%eth0]", ""},
    {"[fe80::1%25eth0]", ""},
    {"[127.0.0.1]", ""},
    {"[]", ""},
};
BOOST_DATA_TEST_CASE(host_has_one_spelling_or_none, boost::unit_test::data::make(kHosts), row) {
  const auto host = canonical_host(row.given);
  BOOST_REQUIRE_EQUAL(host.has_value(), !row.want.empty());
  if (!host) return;
  BOOST_TEST(*host == row.want);
  BOOST_TEST(*canonical_host(*host) == row.want);
}

BOOST_AUTO_TEST_CASE(every_host_of_a_url_is_one_that_a_host_is) {
  for (const Row& row : kHosts) {
    const auto url = parse_url("https://" + row.given + "/");
    // A port is no part of a host.
    if (row.given == "a:80") continue;
    BOOST_TEST(url.has_value() == !row.want.empty(), row.given);
    if (url) BOOST_TEST(url->host == row.want);
  }
}

const Row kTemplates[] = {
    {"https://api.example.org/v1/charges/{charge}/refunds", "https://api.example.org/v1/charges/x/refunds"},
    {"https://api.example.org/{a}/{b}.json?expand=all", "https://api.example.org/x/x.json?expand=all"},
    {"https://api.example.org/", "https://api.example.org/"},
    {"https://api.example.org/v1/", "https://api.example.org/v1/"},
    {"http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"},
    {"https://api.example.org", ""},
    {"https://{host}/a", ""},
    {"https://api.example.org:{port}/a", ""},
    {"https://api.example.org/a?q={q}", ""},
    {"https://api.example.org/a?", ""},
    {"https://api.example.org/{a}{b}", ""},
    {"https://api.example.org/{}", ""},
    {"https://api.example.org/{a", ""},
    {"https://api.example.org/a}", ""},
    {"https://api.example.org/{{a}}", ""},
    {"https://api.example.org/{a/b}", ""},
    {"https://api.example.org:443/a", ""},
    {"https://API.example.org/a", ""},
    {"https://api.example.org/a/../b", ""},
    {"https://api.example.org/./{a}", ""},
    {"https://api.example.org/%61", ""},
    {"https://user@api.example.org/a", ""},
    {"https://api.example.org/a#b", ""},
    {"{url}", ""},
    {"", ""},
};
BOOST_DATA_TEST_CASE(template_has_places_in_its_path_alone, boost::unit_test::data::make(kTemplates), row) {
  const auto made = UrlTemplate::parse(row.given);
  BOOST_REQUIRE_EQUAL(made.has_value(), !row.want.empty());
  if (made) BOOST_TEST(made->base().text() == row.want);
}

BOOST_AUTO_TEST_CASE(control_characters_are_told) {
  BOOST_TEST(has_control("a\x01"));
  BOOST_TEST(has_control("\x7F"));
  BOOST_TEST(has_control("a\xC2\x9F"));
  BOOST_TEST(!has_control("a\xC2\xA0"));
  BOOST_TEST(!has_control("\xC3\x85"));
  BOOST_TEST(!has_control(" ~"));
}

}  // namespace
}  // namespace chancery::tools
