// How tools are described, what their answers may hold, and what a review is about.

#include <array>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/crypto/hash.hpp"
#include "sdk/mcp/content.hpp"
#include "sdk/mcp/pins.hpp"
#include "sdk/mcp/text_rules.hpp"
#include "sdk/mcp/tool.hpp"
#include "sdk/mcp/tool_result.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using json::Document;
using mcp::Pin;
using mcp::PinState;
using mcp::Tool;

Result<Tool> tool_of(const std::string& text) {
  const auto document = Document::parse(text);
  BOOST_REQUIRE_MESSAGE(document, text);
  return mcp::read_tool(document->root());
}

struct Described {
  const char* text;
  bool good;
};

std::ostream& operator<<(std::ostream& out, const Described& row) { return out << row.text; }

constexpr std::array kDescribed{
    Described{R"({"name":"a","inputSchema":{"type":"object"}})", true},
    Described{R"({"name":"A.b-c_9","inputSchema":{"type":"object","$defs":{}},"icons":[],"_meta":{"x":1}})",
              true},
    Described{
        R"({"name":"a","description":"two\nlines\tand tabs, \u200dtoo","inputSchema":{"type":"object"}})",
        true},
    Described{R"({"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":7,"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a b","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a\n","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"../a","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"\u202ea","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"\u0430","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a"})", false},
    Described{R"({"name":"a","inputSchema":true})", false},
    Described{R"({"name":"a","inputSchema":{}})", false},
    Described{R"({"name":"a","inputSchema":{"type":"string"}})", false},
    Described{R"({"name":"a","inputSchema":{"type":["object"]}})", false},
    Described{R"({"name":"a","title":1,"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","description":[],"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","outputSchema":false,"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","annotations":[],"inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","description":"ignore\u0000this","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","description":"\u202e","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","description":"\u200b","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","description":"\udb40\udc41","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","title":"\u2066","inputSchema":{"type":"object"}})", false},
    Described{R"({"name":"a","inputSchema":{"type":"object","properties":{"x":{"description":"\ufeff"}}}})",
              false},
    Described{R"({"name":"a","inputSchema":{"type":"object","properties":{"\u2063":{}}}})", false},
    Described{R"({"name":"a","annotations":{"title":"\u001b[2J"},"inputSchema":{"type":"object"}})", false},
    Described{R"(["a"])", false},
    Described{R"("a")", false}};

struct Answered {
  const char* content;
  const char* passes;  // nullptr when it does not
};

std::ostream& operator<<(std::ostream& out, const Answered& row) { return out << row.content; }

constexpr std::array kAnswered{
    Answered{"[]", "[]"},
    Answered{R"([{"type":"text","text":"\u202e any","annotations":{"audience":["user"]},"_meta":{"a":1}}])",
             "[{\"text\":\"\xE2\x80\xAE any\",\"type\":\"text\"}]"},
    Answered{R"([{"type":"image","data":"AA==","mimeType":"image/png","more":1}])",
             R"([{"data":"AA==","mimeType":"image/png","type":"image"}])"},
    Answered{R"([{"type":"audio","data":"AA==","mimeType":"audio/wav"}])",
             R"([{"data":"AA==","mimeType":"audio/wav","type":"audio"}])"},
    Answered{R"([{"type":"resource_link","uri":"file:///a","name":"a","size":3}])",
             R"([{"name":"a","size":3,"type":"resource_link","uri":"file:///a"}])"},
    Answered{R"([{"type":"resource","resource":{"uri":"a:b","text":"t","_meta":{}}}])",
             R"([{"resource":{"text":"t","uri":"a:b"},"type":"resource"}])"},
    Answered{R"([{"type":"resource","resource":{"uri":"a:b","blob":"AA==","mimeType":"a/b"}}])",
             R"([{"resource":{"blob":"AA==","mimeType":"a/b","uri":"a:b"},"type":"resource"}])"},
    Answered{"{}", nullptr},
    Answered{"\"text\"", nullptr},
    Answered{"null", nullptr},
    Answered{"[1]", nullptr},
    Answered{"[null]", nullptr},
    Answered{"[{}]", nullptr},
    Answered{R"([{"type":"text"}])", nullptr},
    Answered{R"([{"type":"text","text":1}])", nullptr},
    Answered{R"([{"type":1,"text":"a"}])", nullptr},
    Answered{R"([{"type":"tool_use","text":"a"}])", nullptr},
    Answered{R"([{"type":"image","data":"AA=="}])", nullptr},
    Answered{R"([{"type":"image","data":"AA==","mimeType":"image/\npng"}])", nullptr},
    Answered{R"([{"type":"audio","data":[],"mimeType":"a/b"}])", nullptr},
    Answered{R"([{"type":"resource_link","uri":"a:b"}])", nullptr},
    Answered{R"([{"type":"resource_link","uri":"a:b","name":"a","size":-1}])", nullptr},
    Answered{R"([{"type":"resource_link","uri":"a:\u202eb","name":"a"}])", nullptr},
    Answered{R"([{"type":"resource"}])", nullptr},
    Answered{R"([{"type":"resource","resource":"a:b"}])", nullptr},
    Answered{R"([{"type":"resource","resource":{"uri":"a:b"}}])", nullptr},
    Answered{R"([{"type":"resource","resource":{"uri":"a:b","text":"t","blob":"AA=="}}])", nullptr}};

Tool plain_tool(const std::string& name) { return {name, {}, "does", R"({"type":"object"})", {}, {}}; }

}  // namespace

BOOST_DATA_TEST_CASE(a_description_is_taken_whole_or_not, data::make(kDescribed), row) {
  const auto tool = tool_of(row.text);
  BOOST_TEST(bool(tool) == row.good);
  if (!tool) BOOST_TEST((tool.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(names_have_128_characters_at_most) {
  BOOST_TEST(mcp::is_tool_name(std::string(128, 'a')));
  BOOST_TEST(!mcp::is_tool_name(std::string(129, 'a')));
  BOOST_TEST(!mcp::is_tool_name(""));
}

BOOST_AUTO_TEST_CASE(octets_that_are_no_text_count_as_hidden) {
  BOOST_TEST(mcp::has_hidden_characters(std::string_view("a\xFF")));
  BOOST_TEST(mcp::has_hidden_characters(std::string_view("\xC2\x85")));
  BOOST_TEST(!mcp::has_hidden_characters(std::string_view("\xC3\xA9 \xE4\xB8\x96 \xF0\x9F\x98\x80\n")));
}

BOOST_DATA_TEST_CASE(content_passes_in_the_form_that_is_known, data::make(kAnswered), row) {
  const auto document = Document::parse(row.content);
  BOOST_REQUIRE(document);
  const auto node = mcp::content_node(document->root());
  BOOST_TEST(bool(node) == (row.passes != nullptr));
  if (node && row.passes != nullptr) BOOST_TEST(json::to_jcs(*node) == row.passes);
}

BOOST_AUTO_TEST_CASE(content_has_1024_blocks_at_most) {
  const auto of = [](std::size_t blocks) {
    std::string text = "[";
    for (std::size_t i = 0; i < blocks; ++i)
      text.append(i == 0 ? "" : ",").append(R"({"type":"text","text":""})");
    return Document::parse(text + "]");
  };
  BOOST_TEST(bool(mcp::content_node(of(1024)->root())));
  BOOST_TEST(!mcp::content_node(of(1025)->root()));
}

BOOST_AUTO_TEST_CASE(schemas_are_listed_as_they_are_but_for_mirrored_arguments) {
  Tool tool = plain_tool("a");
  tool.input_schema =
      R"({"$defs":{"x-mcp-header":{"type":"string","x-mcp-header":"Deep"}},"$schema":"https://json-schema.org/draft/2020-12/schema",)"
      R"("additionalProperties":false,"allOf":[{"properties":{"b":{"x-mcp-header":"B"}}}],"default":{"x-mcp-header":"data"},)"
      R"("properties":{"a":{"type":"string","x-mcp-header":"A"},"x-mcp-header":{"enum":[{"x-mcp-header":1}]}},"type":"object","x-mcp-header":"Root"})";
  const auto node = mcp::tool_node(tool, mcp::SchemaScope::kAnyValue);
  BOOST_REQUIRE(node);
  BOOST_TEST(
      json::to_jcs(*node) ==
      R"({"description":"does","inputSchema":{"$defs":{"x-mcp-header":{"type":"string"}},"$schema":"https://json-schema.org/draft/2020-12/schema",)"
      R"("additionalProperties":false,"allOf":[{"properties":{"b":{}}}],"default":{"x-mcp-header":"data"},)"
      R"("properties":{"a":{"type":"string"},"x-mcp-header":{"enum":[{"x-mcp-header":1}]}},"type":"object"},"name":"a"})");
  BOOST_TEST(*mcp::asks_for_headers(tool));
  BOOST_TEST(!*mcp::asks_for_headers(plain_tool("a")));
}

BOOST_AUTO_TEST_CASE(a_digest_is_of_what_a_model_reads_in_canonical_form) {
  const auto tool = tool_of(
      R"({"outputSchema": {"type":"object"}, "name":"a", "icons":[1], "inputSchema":{"type":"object","a":1.0}, "title":"T", "description":"D", "annotations":{"readOnlyHint":true}})");
  BOOST_REQUIRE(tool);
  const std::string jcs =
      R"({"annotations":{"readOnlyHint":true},"description":"D","inputSchema":{"a":1,"type":"object"},"name":"a","outputSchema":{"type":"object"},"title":"T"})";
  BOOST_TEST((*mcp::description_digest(*tool) == sha256(as_bytes(jcs))));
  const std::string least = R"({"description":"does","inputSchema":{"type":"object"},"name":"a"})";
  BOOST_TEST((*mcp::description_digest(plain_tool("a")) == sha256(as_bytes(least))));
}

BOOST_AUTO_TEST_CASE(each_member_of_a_description_changes_its_digest) {
  const Tool first = plain_tool("a");
  const auto digest = *mcp::description_digest(first);
  const auto differs = [&](void (*change)(Tool&)) {
    Tool other = plain_tool("a");
    change(other);
    return *mcp::description_digest(other) != digest;
  };
  BOOST_TEST(differs([](Tool& t) { t.name = "b"; }));
  BOOST_TEST(differs([](Tool& t) { t.title = "does"; }));
  BOOST_TEST(differs([](Tool& t) { t.description = "does "; }));
  BOOST_TEST(differs([](Tool& t) { t.description.reset(); }));
  BOOST_TEST(differs([](Tool& t) { t.input_schema = R"({"type":"object","x":1})"; }));
  BOOST_TEST(differs([](Tool& t) { t.output_schema = "{}"; }));
  BOOST_TEST(differs([](Tool& t) { t.annotations = "{}"; }));
  BOOST_TEST(!differs([](Tool& t) { t.input_schema = R"( { "type" : "object" } )"; }));
  Tool bad = plain_tool("a");
  bad.input_schema = "[]";
  BOOST_TEST(!mcp::description_digest(bad));
}

BOOST_AUTO_TEST_CASE(what_is_offered_is_held_against_what_was_reviewed) {
  const std::vector<Tool> offered{plain_tool("same"), plain_tool("other"), plain_tool("fresh")};
  const std::vector<Pin> pins{
      {"same", *mcp::description_digest(offered[0])}, {"other", Sha256Digest{}}, {"left", Sha256Digest{}}};
  const auto findings = mcp::check_pins(offered, pins);
  BOOST_REQUIRE(findings.size() == 4U);
  BOOST_TEST((findings[0].name == "fresh" && findings[0].state == PinState::kNew));
  BOOST_TEST((findings[1].name == "left" && findings[1].state == PinState::kGone && !findings[1].digest));
  BOOST_TEST((findings[2].name == "other" && findings[2].state == PinState::kChanged));
  BOOST_TEST((findings[2].digest == *mcp::description_digest(offered[1])));
  BOOST_TEST((findings[3].name == "same" && findings[3].state == PinState::kAsReviewed));
}

BOOST_AUTO_TEST_CASE(a_page_for_approvals_is_https_or_of_this_machine) {
  const auto has = [](const char* url) { return mcp::has_page({"r", url, "{}"}); };
  BOOST_TEST(has("https://a.example/x"));
  BOOST_TEST(has("http://127.0.0.1:80/"));
  BOOST_TEST(has("http://[::1]:80/"));
  BOOST_TEST(!has(""));
  BOOST_TEST(!has("https://"));
  BOOST_TEST(!has("http://a.example/x"));
  BOOST_TEST(!has("javascript:alert(1)"));
  BOOST_TEST(!has("https://a.example/\nx"));
  BOOST_TEST(!mcp::has_page({"r", "https://a/" + std::string(2048, 'x'), "{}"}));
}

BOOST_AUTO_TEST_CASE(a_pending_request_has_a_name_and_a_document) {
  const auto passes = [](const std::string& request, const char* document) {
    return bool(mcp::pending_node({request, "", document}, json::Node::object()));
  };
  BOOST_TEST(passes("r", "{}"));
  BOOST_TEST(!passes("", "{}"));
  BOOST_TEST(!passes("a b", "{}"));
  BOOST_TEST(!passes(std::string(257, 'r'), "{}"));
  BOOST_TEST(!passes("r", "[]"));
  BOOST_TEST(!passes("r", ""));
}

}  // namespace chancery::tests
