#include <algorithm>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/tools/declared.hpp"

// Requests over HTTP: every value fills its own place.

namespace chancery::tools {
namespace {

std::string header_of(const HttpRequest& request, std::string_view name) {
  const auto found = std::ranges::find(request.headers, name, &std::pair<std::string, std::string>::first);
  return found == request.headers.end() ? "" : found->second;
}

// The arguments are open to every kind of value, so that what is refused is refused by the request.
std::string http(std::string_view options) {
  return with_response(
      "[tool.arguments]\ntype = \"object\"\nrequired = [\"charge\"]\n"
      "properties = { charge = true, limit = true, tag = true, note = true, body = true }\n[tool.http]\n" +
      std::string(options));
}

constexpr const char* kGet = R"(
method = "GET"
url = "https://api.example.org/v1/charges/{charge}/refunds?expand=all"
query = { limit = "/limit", "filter[tag]" = "/tag" }
headers = { X-Note = "/note" }
)";

struct Composed {
  const char* arguments;
  const char* url;
};
std::ostream& operator<<(std::ostream& out, const Composed& row) { return out << row.arguments; }

const Composed kComposed[] = {
    {R"({"charge":"ch_1"})", "https://api.example.org/v1/charges/ch_1/refunds?expand=all"},
    {R"({"charge":"ch_1","limit":10})",
     "https://api.example.org/v1/charges/ch_1/refunds?expand=all&limit=10"},
    {R"({"charge":7,"limit":true,"tag":"x"})",
     "https://api.example.org/v1/charges/7/refunds?expand=all&filter%5Btag%5D=x&limit=true"},
    {R"({"charge":"a b","limit":"a&b=c#d?e"})",
     "https://api.example.org/v1/charges/a%20b/refunds?expand=all&limit=a%26b%3Dc%23d%3Fe"},
    {R"({"charge":"%2e%2e%2f"})", "https://api.example.org/v1/charges/%252e%252e%252f/refunds?expand=all"},
    {R"({"charge":"..."})", "https://api.example.org/v1/charges/.../refunds?expand=all"},
    {R"({"charge":"@evil.example:80"})",
     "https://api.example.org/v1/charges/%40evil.example%3A80/refunds?expand=all"},
    {R"({"charge":"é"})", "https://api.example.org/v1/charges/%C3%A9/refunds?expand=all"},
    {R"({"charge":"x","limit":"../../a"})",
     "https://api.example.org/v1/charges/x/refunds?expand=all&limit=..%2F..%2Fa"},
    {R"({"charge":"x","limit":""})", "https://api.example.org/v1/charges/x/refunds?expand=all&limit="},
    {R"({"charge":"x","limit":0.1})", "https://api.example.org/v1/charges/x/refunds?expand=all&limit=0.1"},
};
BOOST_DATA_TEST_CASE(url_has_each_value_in_its_place, boost::unit_test::data::make(kComposed), row) {
  BOOST_TEST(request_of(tool_of(http(kGet)), row.arguments).url.text() == row.url);
}

const char* const kRefused[] = {
    R"({"charge":""})",
    R"({"charge":"."})",
    R"({"charge":".."})",
    R"({"charge":"a/b"})",
    R"({"charge":"../x"})",
    R"({"charge":"a\\b"})",
    R"({"charge":"a\u0000"})",
    R"({"charge":"a\r\nb"})",
    R"({"charge":"a\u007f"})",
    R"({"charge":"a\u0085"})",
    R"({"charge":null})",
    R"({"charge":["a"]})",
    R"({"charge":{}})",
    R"({"charge":"x","limit":"a\nb"})",
    R"({"charge":"x","limit":"\u0000"})",
    R"({"charge":"x","limit":["a","b"]})",
    R"({"charge":"x","limit":null})",
    R"({"charge":"x","note":"a\r\nauthorization: x"})",
    R"({"charge":"x","note":"a\nb"})",
    R"({"charge":"x","note":"a\u0000b"})",
    R"({"charge":"x","note":"a\tb"})",
    R"({"charge":"x","note":"é"})",
    R"({"charge":"x","note":" a"})",
    R"({"charge":"x","note":"a "})",
    R"({"charge":"x","note":["a"]})",
};
BOOST_DATA_TEST_CASE(value_that_would_leave_its_place_is_refused, boost::unit_test::data::make(kRefused),
                     arguments) {
  const auto call = prepared(tool_of(http(kGet)), arguments);
  BOOST_REQUIRE(!call);
  BOOST_TEST((call.error().error.code == ErrorCode::kInvalidArgument));
  BOOST_TEST(call.error().findings.empty());
}

BOOST_AUTO_TEST_CASE(headers_carry_the_declared_arguments_and_no_others) {
  const HttpRequest request = request_of(tool_of(http(kGet)), R"({"charge":"x","note":"a, b: c"})");
  BOOST_TEST(request.method == "GET");
  BOOST_TEST(header_of(request, "x-note") == "a, b: c");
  BOOST_TEST(header_of(request, "accept") == "application/json");
  BOOST_TEST(request.headers.size() == 2u);
  BOOST_TEST(request.body.empty());
}

struct Body {
  const char* options;
  const char* arguments;
  const char* body;
  const char* type;
};
std::ostream& operator<<(std::ostream& out, const Body& row) { return out << row.options; }

const Body kBodies[] = {
    {"", R"({"charge":"x","note":"n"})", "", ""},
    {"body = \"json\"", R"({"charge":"x"})", "{}", "application/json"},
    {"body = \"json\"", R"({"note":"\u0000\n","charge":"x","limit":[1,null]})",
     R"({"limit":[1,null],"note":"\u0000\n"})", "application/json"},
    {"body = \"json\"\nquery = { l = \"/limit\" }", R"({"charge":"x","limit":1,"note":2})", R"({"note":2})",
     "application/json"},
    {"body = \"json\"\nbody_members = { n = \"/note\", c = \"/charge\", m = \"/body/x\" }",
     R"({"charge":"x","limit":1,"note":{"a":1}})", R"({"c":"x","n":{"a":1}})", "application/json"},
    {"body = \"json\"\nbody_value = \"/body\"", R"({"charge":"x","body":[1]})", "[1]", "application/json"},
    {"body = \"json\"\nbody_value = \"/body\"", R"({"charge":"x"})", "", ""},
    {"body = \"form\"", R"({"charge":"x","note":"a&b=c é","limit":1.5})", "limit=1.5&note=a%26b%3Dc%20%C3%A9",
     "application/x-www-form-urlencoded"},
    {"body = \"form\"\nbody_members = { \"n[]\" = \"/note\" }", R"({"charge":"x","note":"\r\n","limit":1})",
     "n%5B%5D=%0D%0A", "application/x-www-form-urlencoded"},
};
BOOST_DATA_TEST_CASE(body_holds_what_is_declared, boost::unit_test::data::make(kBodies), row) {
  const std::string base = "method = \"POST\"\nurl = \"https://api.example.org/{charge}\"\n";
  const HttpRequest request = request_of(tool_of(http(base + row.options)), row.arguments);
  BOOST_TEST(request.body == row.body);
  BOOST_TEST(header_of(request, "content-type") == row.type);
}

BOOST_AUTO_TEST_CASE(forms_take_words_alone) {
  const Tool tool =
      tool_of(http("method = \"POST\"\nurl = \"https://api.example.org/{charge}\"\nbody = \"form\""));
  const auto call = prepared(tool, R"({"charge":"x","note":["a"]})");
  BOOST_REQUIRE(!call);
  BOOST_TEST(call.error().argument == "/note");
}

}  // namespace
}  // namespace chancery::tools
