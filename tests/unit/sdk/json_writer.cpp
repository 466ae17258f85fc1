#include <limits>

#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "tests/unit/sdk/aborts.hpp"

namespace chancery::tests {

using json::Node;
using json::to_jcs;

BOOST_AUTO_TEST_SUITE(json_writer)

BOOST_AUTO_TEST_CASE(every_kind_is_written) {
  BOOST_TEST(to_jcs(Node()) == "null");
  BOOST_TEST(to_jcs(Node(nullptr)) == "null");
  BOOST_TEST(to_jcs(Node(true)) == "true");
  BOOST_TEST(to_jcs(Node(false)) == "false");
  BOOST_TEST(to_jcs(Node(-3)) == "-3");
  BOOST_TEST(to_jcs(Node(std::uint64_t{9007199254740991})) == "9007199254740991");
  BOOST_TEST(to_jcs(Node(0.5)) == "0.5");
  BOOST_TEST(to_jcs(Node("text")) == R"("text")");
  BOOST_TEST(to_jcs(Node(std::string_view("view"))) == R"("view")");
  BOOST_TEST(to_jcs(Node::array()) == "[]");
  BOOST_TEST(to_jcs(Node::object()) == "{}");
  BOOST_TEST(to_jcs(Node::array({"a", true, nullptr, 1, Node::array({2})})) == R"(["a",true,null,1,[2]])");
  BOOST_TEST(to_jcs(Node::canonical(R"({"x":[1]})")) == R"({"x":[1]})");
}

BOOST_AUTO_TEST_CASE(members_come_out_in_canonical_order) {
  Node node = Node::object({{"b", 1}, {"a", Node::object({{"z", 1}, {"y", 2}})}, {"", 0}});
  node.set("\xEF\xAC\xB3", 4);
  node.set("\xF0\x9F\x98\x82", 3);
  BOOST_TEST(to_jcs(node) ==
             "{\"\":0,\"a\":{\"y\":2,\"z\":1},\"b\":1,\"\xF0\x9F\x98\x82\":3,\"\xEF\xAC\xB3\":4}");
}

BOOST_AUTO_TEST_CASE(strings_are_escaped_as_little_as_rfc_8785_wants) {
  std::string all;
  for (char c = 0; c < 0x30; ++c) all += c;
  all += "\\\x7F\xC3\xA9";
  std::string out;
  json::append_string(out, all);
  BOOST_TEST(out ==
             "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
             "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u0"
             "01d\\u001e"
             "\\u001f !\\\"#$%&'()*+,-./\\\\\x7F\xC3\xA9\"");
}

BOOST_AUTO_TEST_CASE(a_parsed_value_is_copied_in_canonical_form) {
  const auto document = json::Document::parse(R"({"b": [1.0, "\u0041"], "a": {}})");
  Node node = Node::array();
  node.push_back(Node::copy(document->root()));
  node.push_back(Node::copy(*document->root().find("b")));
  BOOST_TEST(to_jcs(node) == R"([{"a":{},"b":[1,"A"]},[1,"A"]])");
}

BOOST_AUTO_TEST_CASE(what_has_no_canonical_form_aborts) {
  const auto writes = [](const Node& node) { static_cast<void>(to_jcs(node)); };
  BOOST_TEST(aborts([&] { writes(Node(std::numeric_limits<double>::quiet_NaN())); }));
  BOOST_TEST(aborts([&] { writes(Node(std::numeric_limits<double>::infinity())); }));
  BOOST_TEST(aborts([&] { writes(Node::object({{"a", 1}, {"a", 1}})); }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
