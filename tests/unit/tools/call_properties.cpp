#include <algorithm>
#include <array>
#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/schema/uri.hpp"
#include "sdk/json/writer.hpp"
#include "tests/unit/sdk/random_source.hpp"
#include "tests/unit/tools/declared.hpp"

// Whatever an argument says, the request goes where the tool says, and has the shape that it says.

namespace chancery::tools {
namespace {

using tests::RandomSource;

constexpr std::uint64_t kSeed = 20260701;
constexpr int kRounds = 20000;

// What has moved the borders of URLs, headers and paths before.
constexpr std::array<const char*, 44> kPieces{"/",
                                              "//",
                                              "\\",
                                              "..",
                                              ".",
                                              "../",
                                              "%2e",
                                              "%2e%2e%2f",
                                              "%252e",
                                              "%2f",
                                              "%5c",
                                              "%00",
                                              "%0d%0a",
                                              "%",
                                              "?",
                                              "&",
                                              "=",
                                              "#",
                                              ";",
                                              "@",
                                              ":",
                                              ":80",
                                              "[",
                                              "]",
                                              "{",
                                              "}",
                                              "{charge}",
                                              "+",
                                              " ",
                                              "\t",
                                              "\r\n",
                                              "\n",
                                              "http://",
                                              "evil.example",
                                              "a",
                                              "Z",
                                              "0",
                                              "~",
                                              "\xC3\xA9",
                                              "\xE2\x80\xA8",
                                              "\xEF\xBC\x8F",
                                              "\xF0\x9F\x90\xB2",
                                              "\xC2\x85",
                                              "\x7F"};

std::string random_text(RandomSource& random) {
  std::string text;
  for (std::size_t i = random.below(7); i > 0; --i) text += random.pick(kPieces);
  return text;
}

std::string arguments_of(const std::string& charge, const std::string& limit, const std::string& note) {
  return json::to_jcs(json::Node::object({{"charge", charge}, {"limit", limit}, {"note", note}}));
}

BOOST_AUTO_TEST_CASE(no_value_changes_host_path_shape_or_number_of_parameters) {
  const Tool tool = tool_of(with_response(R"(
[tool.arguments]
type = "object"
required = ["charge"]
properties = { charge = { type = "string" }, limit = { type = "string" }, note = { type = "string" } }
[tool.http]
method = "GET"
url = "https://api.example.org:8443/v1/charges/{charge}.json/refunds?fixed=1"
query = { limit = "/limit" }
headers = { x-note = "/note" }
)"));
  RandomSource random(kSeed);
  int made = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string charge = random_text(random);
    const std::string limit = random_text(random);
    const std::string note = random.once_in(2) ? "plain" : random_text(random);
    const auto call = prepared(tool, arguments_of(charge, limit, note));
    if (!call) continue;
    ++made;
    const auto& request = std::get<HttpRequest>(call->request);
    const std::string text = request.url.text();
    BOOST_REQUIRE_MESSAGE(text.starts_with("https://api.example.org:8443/v1/charges/"), text);
    BOOST_REQUIRE_MESSAGE(request.url.path.ends_with(".json/refunds"), text);
    BOOST_REQUIRE_EQUAL(std::ranges::count(request.url.path, '/'), 4);
    BOOST_REQUIRE_EQUAL(std::ranges::count(text, '?'), 1);
    BOOST_REQUIRE_EQUAL(std::ranges::count(text, '&'), 1);
    BOOST_REQUIRE_EQUAL(std::ranges::count(text, '#'), 0);
    BOOST_REQUIRE(std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; }));
    // A server that decodes each part once gets exactly what was meant.
    const std::string segment = request.url.path.substr(12, request.url.path.size() - 12 - 13);
    BOOST_REQUIRE_EQUAL(schema::percent_decode(segment), charge);
    BOOST_REQUIRE_EQUAL(schema::percent_decode(request.url.query->substr(14)), limit);
    BOOST_REQUIRE_EQUAL(request.headers.size(), 2u);
    BOOST_REQUIRE_EQUAL(request.headers[1].second, note);
    BOOST_REQUIRE(std::ranges::all_of(note, [](char c) { return c >= ' ' && c < 127; }));
  }
  BOOST_TEST(made > kRounds / 20);
  BOOST_TEST(made < kRounds);
}

BOOST_AUTO_TEST_CASE(what_is_canonical_stays_so) {
  RandomSource random(kSeed + 1);
  int urls = 0;
  int paths = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto url = parse_url("https://h.example/" + random_text(random));
    if (url) {
      ++urls;
      const auto again = parse_url(url->text());
      BOOST_REQUIRE(again);
      BOOST_REQUIRE_EQUAL(again->text(), url->text());
      BOOST_REQUIRE_EQUAL(url->host, "h.example");
      BOOST_REQUIRE(url->path.find("/../") == std::string::npos &&
                    url->path.find("/./") == std::string::npos);
      BOOST_REQUIRE(!url->path.ends_with("/..") && !url->path.ends_with("/."));
    }
    const auto path = canonical_path("/a/" + random_text(random));
    if (path) {
      ++paths;
      BOOST_REQUIRE(path->starts_with('/') && !has_control(*path));
      BOOST_REQUIRE(path->find("//") == std::string::npos && (*path + "/").find("/../") == std::string::npos);
      BOOST_REQUIRE((*path + "/").find("/./") == std::string::npos);
    }
  }
  BOOST_TEST(urls > 1000);
  BOOST_TEST(paths > 1000);
}

BOOST_AUTO_TEST_CASE(hosts_are_not_changed_by_what_stands_around_them) {
  RandomSource random(kSeed + 2);
  int taken = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto url = parse_url("http://" + random_text(random) + "good.example" + random_text(random));
    if (!url) continue;
    ++taken;
    // What was taken for the host is one whole host name, spelled as every reader spells it.
    const auto host = canonical_host(url->host);
    BOOST_REQUIRE(host);
    BOOST_REQUIRE_EQUAL(*host, url->host);
    BOOST_REQUIRE_EQUAL(url->text().find(url->host), 7u);
  }
  BOOST_TEST(taken > 100);
}

}  // namespace
}  // namespace chancery::tools
