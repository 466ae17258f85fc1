#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/tools/response.hpp"
#include "tests/unit/tools/declared.hpp"

namespace chancery::tools {
namespace {

struct Row {
  const char* allow;
  const char* pii;
  const char* answer;
  const char* want;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.allow << " " << row.answer; }

constexpr const char* kAnswer =
    R"({"id":"r1","status":"done","customer":{"email":"a@b.c","name":"N"},"items":[{"id":1,"cost":2},{"cost":3},7],"key":"s"})";

const Row kRows[] = {
    {"[]", "[]", kAnswer, "null"},
    {"[\"\"]", "[]", R"({"b":1,"a":[null]})", R"({"a":[null],"b":1})"},
    {"[\"/id\", \"/status\"]", "[]", kAnswer, R"({"id":"r1","status":"done"})"},
    {"[\"/absent\"]", "[]", kAnswer, "{}"},
    {"[\"/customer\"]", "[]", kAnswer, R"({"customer":{"email":"a@b.c","name":"N"}})"},
    {"[\"/customer/name\"]", "[]", kAnswer, R"({"customer":{"name":"N"}})"},
    {"[\"/items/*/id\"]", "[]", kAnswer, R"({"items":[{"id":1},{}]})"},
    {"[\"/items/*\"]", "[]", kAnswer, R"({"items":[{"cost":2,"id":1},{"cost":3},7]})"},
    {"[\"/items\"]", "[]", kAnswer, R"({"items":[{"cost":2,"id":1},{"cost":3},7]})"},
    {"[\"/items/0\"]", "[]", kAnswer, R"({"items":[]})"},
    {"[\"/id/x\"]", "[]", kAnswer, "{}"},
    {"[\"/*/id\"]", "[]", R"([{"id":1,"x":2}])", R"([{"id":1}])"},
    {"[\"/a\"]", "[]", "[1]", "[]"},
    {"[\"/a\"]", "[]", "\"text\"", "null"},
    {"[\"\"]", "[]", "\"text\"", "\"text\""},
    {"[\"/a~1b\", \"/c~0d\"]", "[]", R"({"a/b":1,"c~d":2,"e":3})", R"({"a/b":1,"c~d":2})"},
    {"[\"/customer\"]", "[\"/customer/email\"]", kAnswer,
     R"({"customer":{"email":"[redacted]","name":"N"}})"},
    {"[\"\"]", "[\"/items/*/cost\"]", R"({"items":[{"cost":{"a":1}},{"x":1}],"z":1})",
     R"({"items":[{"cost":"[redacted]"},{"x":1}],"z":1})"},
    {"[\"/customer/email\"]", "[\"/customer/email\"]", kAnswer, R"({"customer":{"email":"[redacted]"}})"},
    {"[\"/id\"]", "[\"/customer/email\"]", kAnswer, R"({"id":"r1"})"},
    {"[\"/customer/email\"]", "[\"/customer\"]", kAnswer, R"({"customer":{"email":"[redacted]"}})"},
    {"[\"\"]", "[\"\"]", kAnswer, "\"[redacted]\""},
    // What binary64 holds passes as a number, what it does not as the text that it was written as.
    {"[\"\"]", "[]", R"({"a":9007199254740991,"b":-9007199254740991})",
     R"({"a":9007199254740991,"b":-9007199254740991})"},
    {"[\"\"]", "[]", R"({"a":9007199254740992,"b":-9007199254740993})",
     R"({"a":"9007199254740992","b":"-9007199254740993"})"},
    {"[\"/id\"]", "[]", R"({"id":18446744073709551615,"other":18446744073709551616})",
     R"({"id":"18446744073709551615"})"},
    {"[\"\"]", "[]", R"([1,[12345678901234567890,{"x":1e30}],"y"])",
     R"([1,["12345678901234567890",{"x":"1e30"}],"y"])"},
    {"[\"\"]", "[]", "12345678901234567890", "\"12345678901234567890\""},
    {"[\"\"]", "[\"/a\"]", R"({"a":12345678901234567890,"b":12345678901234567890})",
     R"({"a":"[redacted]","b":"12345678901234567890"})"},
    {"[\"/items/*/id\"]", "[]", R"({"items":[{"id":12345678901234567890,"x":1},{"id":2}]})",
     R"({"items":[{"id":"12345678901234567890"},{"id":2}]})"},
};
BOOST_DATA_TEST_CASE(only_what_is_allowed_passes, boost::unit_test::data::make(kRows), row) {
  const Tool tool = tool_of(
      declaration("[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"x\"\n[tool.response]\nallow = " +
                  std::string(row.allow) + "\npii = " + row.pii + "\n"));
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  const auto answer = json::Document::parse(row.answer, limits);
  BOOST_REQUIRE(answer);
  BOOST_TEST(shape_response(tool, answer->root()) == row.want);
}

}  // namespace
}  // namespace chancery::tools
