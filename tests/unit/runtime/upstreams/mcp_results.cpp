#include <array>
#include <memory>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/upstreams/mcp_result.hpp"
#include "sdk/redaction/known_secrets.hpp"
#include "tests/unit/runtime/upstreams/declared_tool.hpp"

// What of an MCP tool's answer an agent gets.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

constexpr const char* kStdio = "[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\n";

redaction::Redacted shaped(const std::string& document, const std::string& response,
                           McpAnswer kind = McpAnswer::kResult) {
  const auto known = std::make_shared<redaction::KnownSecrets>();
  BOOST_REQUIRE(known->add(as_bytes("canary-4711-value"), "psp"));
  const redaction::SecretFinder finder(known);
  const auto parsed = json::Document::parse(document);
  BOOST_REQUIRE(parsed);
  return shape_mcp_result(mcp_tool(kStdio, response), parsed->root(), finder, kind);
}

struct Row {
  const char* name;
  const char* response;
  const char* document;
  const char* want;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

constexpr const char* kAll = "allow = [\"\"]";
const std::array kRows{
    Row{"all of it", kAll,
        R"({"content":[{"type":"text","text":"a"}],"structuredContent":{"id":1},"isError":false})",
        R"({"content":[{"text":"a","type":"text"}],"structuredContent":{"id":1}})"},
    Row{"nothing of it", "allow = []",
        R"({"content":[{"type":"text","text":"a"}],"structuredContent":{"id":1}})", R"({"content":[]})"},
    Row{"that it failed always passes", "allow = []",
        R"({"content":[{"type":"text","text":"a"}],"isError":true})", R"({"content":[],"isError":true})"},
    Row{"a field of the structured part", R"(allow = ["/structuredContent/id"])",
        R"({"content":[{"type":"text","text":"{\"id\":1,\"mail\":2}"}],"structuredContent":{"id":1,"mail":2}})",
        R"({"content":[],"structuredContent":{"id":1}})"},
    Row{"texts without the other blocks", R"(allow = ["/content/*/text"])",
        R"({"content":[{"type":"text","text":"a"},{"type":"image","data":"AA==","mimeType":"image/png"}]})",
        R"({"content":[{"text":"a","type":"text"}]})"},
    Row{"personal fields", R"(allow = [""]
pii = ["/structuredContent/mail", "/content/*/text"])",
        R"({"content":[{"type":"text","text":"a"}],"structuredContent":{"id":1,"mail":"x@example.org"}})",
        R"({"content":[{"text":"[redacted]","type":"text"}],"structuredContent":{"id":1,"mail":"[redacted]"}})"},
    Row{"a secret in a text", kAll, R"({"content":[{"type":"text","text":"key canary-4711-value!"}]})",
        R"({"content":[{"text":"key [redacted]!","type":"text"}]})"},
    Row{"a secret in base64 in a text", kAll,
        R"({"content":[{"type":"text","text":"Y2FuYXJ5LTQ3MTEtdmFsdWU="}]})",
        R"({"content":[{"text":"[redacted]","type":"text"}]})"},
    Row{"a member that is named as a secret in a text that is JSON", kAll,
        R"({"content":[{"type":"text","text":"{\"password\":\"x\",\"a\":\"b\"}"}]})",
        R"({"content":[{"text":"{\"a\":\"b\",\"password\":\"[redacted]\"}","type":"text"}]})"},
    Row{"a secret in an embedded resource", kAll,
        R"({"content":[{"type":"resource","resource":{"uri":"a://canary-4711-value","text":"{\"apiKey\":\"x\"}"}}]})",
        R"({"content":[{"resource":{"text":"{\"apiKey\":\"[redacted]\"}","uri":"a://[redacted]"},"type":"resource"}]})"},
    Row{"a secret in an image", kAll,
        R"({"content":[{"type":"image","mimeType":"image/png","data":"Y2FuYXJ5LTQ3MTEtdmFsdWU="}]})",
        R"({"content":[{"text":"[redacted]","type":"text"}]})"},
    Row{"a secret in a structured result", kAll,
        R"({"content":[],"structuredContent":{"said":["canary-4711-value"],"canary-4711-value":1}})",
        R"({"content":[],"structuredContent":{"[redacted]":1,"said":["[redacted]"]}})"},
    Row{"an image without one", kAll,
        R"({"content":[{"type":"image","mimeType":"image/png","data":"AAECAw=="}]})",
        R"({"content":[{"data":"AAECAw==","mimeType":"image/png","type":"image"}]})"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_results)

BOOST_DATA_TEST_CASE(an_agent_gets_what_may_pass_as_a_result_of_mcp, data::make(kRows), row) {
  BOOST_TEST(shaped(row.document, row.response).text == row.want);
}

BOOST_AUTO_TEST_CASE(what_was_taken_out_is_counted) {
  const auto out = shaped(
      R"({"content":[{"type":"text","text":"canary-4711-value"}],"structuredContent":{"secret":"x"}})", kAll);
  BOOST_REQUIRE(out.hits.size() == 2u);
  BOOST_TEST((out.hits[0].kind == redaction::HitKind::kKnown));
  BOOST_TEST((out.hits[1].kind == redaction::HitKind::kNamed));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_cut_after_it_was_redacted) {
  for (const std::size_t before : {1000u, 1010u, 1023u, 1024u}) {
    const std::string document = R"({"content":[{"type":"text","text":"\u001b)" + std::string(before, 'x') +
                                 R"( canary-4711-value"}],"isError":true})";
    const redaction::Redacted out = shaped(document, kAll, McpAnswer::kRefusal);
    BOOST_TEST(out.hits.size() == 1u);
    BOOST_TEST(out.text.find("canary") == std::string::npos, out.text);
    BOOST_TEST(out.text.find(R"(\\u{1B}xxx)") != std::string::npos, out.text);
    BOOST_TEST(out.text.size() < 1100u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
