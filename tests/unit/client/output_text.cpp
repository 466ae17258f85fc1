#include <string>

#include <boost/test/unit_test.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/json/ascii.hpp"
#include "sdk/json/reader.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;

ClientError refusal(int status, std::string code, std::string document = "{}") {
  ClientError error;
  error.error.code = ErrorCode::kRequestRefused;
  error.status = status;
  error.code = std::move(code);
  error.detail = "do this";
  error.document = std::move(document);
  return error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output_text)

BOOST_AUTO_TEST_CASE(json_for_a_terminal_is_the_same_json_in_ascii) {
  BOOST_TEST(json::ascii_json("{\"a\":\"\u00e9\u202e\u0085\x7f\U0001F600\"}") ==
             R"({"a":"\u00e9\u202e\u0085\u007f\ud83d\ude00"})");
  BOOST_TEST(json::ascii_json("{\n\"a\": 1\n}") == "{ \"a\": 1 }");
  const std::string original = "\"\u00e9\u202e\U0001F600\"";
  const auto escaped = json::Document::parse(json::ascii_json(original));
  const auto plain = json::Document::parse(original);
  BOOST_TEST(escaped->root().string().value() == plain->root().string().value());
}

BOOST_AUTO_TEST_CASE(octets_that_are_not_utf8_still_make_json) {
  for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf8\x88\""}) {
    std::string ascii = json::ascii_json(text);
    if (ascii.back() != '"') ascii += '"';
    BOOST_TEST(json::Document::parse(ascii).has_value(), ascii);
  }
}

BOOST_AUTO_TEST_CASE(indented_json_is_the_same_json) {
  const auto document = json::Document::parse(R"({"b":[1,{"c":[]},"x"],"a":{}})");
  BOOST_TEST(indented_json(document->root()) ==
             "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    },\n    \"x\"\n  ],\n  \"a\": {}\n}");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_a_denial_but_a_failing_daemon_is_no_answer) {
  for (const int status : {400, 403, 404, 409})
    BOOST_TEST((failure(refusal(status, "x")).exit == ExitCode::kDenied), status);
  for (const int status : {408, 429, 500, 503})
    BOOST_TEST((failure(refusal(status, "x")).exit == ExitCode::kUndecided), status);
  ClientError unanswered;
  unanswered.error = {ErrorCode::kTimeout, "later"};
  BOOST_TEST((failure(unanswered).exit == ExitCode::kUndecided));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_in_the_daemons_words) {
  BOOST_TEST(failure(refusal(403, "not_holder")).message == "do this (not_holder)");
  const auto denied = failure(
      refusal(403, "parent_denied", R"({"hop":1,"outcome":"expired","reason":"too late","step":"5"})"));
  BOOST_TEST(denied.message == "do this (parent_denied): expired at step 5, token 1: too late");
}

BOOST_AUTO_TEST_CASE(a_file_error_names_file_and_cause) {
  const auto told = failure({ErrorCode::kFileUnreadable, "cannot be read", 2}, "a.txt");
  BOOST_TEST(told.message == "a.txt: cannot be read (No such file or directory)");
  BOOST_TEST(told.code == "file_unreadable");
}

BOOST_AUTO_TEST_SUITE_END()
