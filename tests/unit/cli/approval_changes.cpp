// What is another than in the request that was decided before, and that every reader of documents knows the same members.

#include "sdk/cli/approval_changes.hpp"

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/cli/approval_document.hpp"

namespace chancery::cli::testing {
namespace {

using Lines = std::vector<std::string>;

json::Document parsed(const std::string& text) {
  auto document = json::Document::parse(text);
  BOOST_REQUIRE_MESSAGE(document, text);
  return *std::move(document);
}

Lines between(const std::string& before, const std::string& now) {
  const json::Document first = parsed(before);
  const json::Document second = parsed(now);
  return changes_between(first.root(), second.root());
}

struct Case {
  const char* name;
  const char* before;
  const char* now;
  Lines lines;
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

const std::array kCases{
    Case{"nothing", R"({"arguments":{"a":1}})", R"({"arguments":{"a":1}})", {}},
    Case{"a number",
         R"({"arguments":{"amount":75}})",
         R"({"arguments":{"amount":101}})",
         {"  arguments > amount: 75 -> 101"}},
    Case{"a number that is a text now",
         R"({"arguments":{"a":1}})",
         R"({"arguments":{"a":"1"}})",
         {R"(  arguments > a: 1 -> "1")"}},
    Case{"a number written otherwise", R"({"arguments":{"a":1.0}})", R"({"arguments":{"a":1}})", {}},
    Case{"what is new, and what is gone",
         R"({"arguments":{"a":1,"b":{"c":2}}})",
         R"({"arguments":{"b":{},"d":[3]}})",
         {"- arguments > a = 1", "- arguments > b > c = 2", "+ arguments > d = [3]"}},
    Case{"the order of a list",
         R"({"arguments":{"a":[1,2]}})",
         R"({"arguments":{"a":[2,1]}})",
         {"  arguments > a: [1,2] -> [2,1]"}},
    Case{"where it goes",
         R"({"uri":"https://a","credential":"psp"})",
         R"({"uri":"https://b"})",
         {R"(  uri: "https://a" -> "https://b")", R"(- credential = "psp")"}},
    Case{"an object that is none any more",
         R"({"arguments":{"a":{}}})",
         R"({"arguments":{"a":null}})",
         {"  arguments > a: {} -> null"}},
    Case{"ids, times and hashes",
         R"({"id":"1","asked_at":1,"expires_at":2,"token":"a","arguments_sha256":"b"})",
         R"({"id":"2","asked_at":3,"expires_at":4,"token":"c","arguments_sha256":"d"})",
         {}},
};

std::string grant(const std::string& claims) {
  return R"({"unsigned_token":")" + base64url_encode(as_bytes(std::string("{}"))) + "." +
         base64url_encode(as_bytes(claims)) + "\"}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_changes)

BOOST_DATA_TEST_CASE(it_is_told_what_is_another, boost::unit_test::data::make(kCases), row) {
  BOOST_TEST(between(row.before, row.now) == row.lines, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_a_grant_the_claims_are_compared) {
  const std::string before = grant(R"({"iat":1,"exp":2,"jti":"a","scope":"payments.refund"})");
  const std::string now = grant(R"({"iat":3,"exp":4,"jti":"b","scope":"payments.refund payments.payout"})");
  BOOST_TEST(between(before, now) ==
                 (Lines{R"(  granted > scope: "payments.refund" -> "payments.refund payments.payout")"}),
             boost::test_tools::per_element());
}

// A page that knows fewer would refuse what the command line shows, and one that knows more would show what that refuses.
BOOST_AUTO_TEST_CASE(the_console_and_the_command_line_know_the_same_members) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/daemon/console/src/pages/document_members.json");
  std::ostringstream text;
  text << in.rdbuf();
  const json::Document file = parsed(text.str());
  BOOST_TEST(file.root().members().size() == 3u);
  for (const std::string kind : {"call", "action", "grant"}) {
    const json::Value* const names = file.root().find(kind);
    BOOST_REQUIRE_MESSAGE(names != nullptr, kind);
    Lines known;
    for (const json::Value& name : names->items()) known.emplace_back(*name.string());
    const auto members = document_members(kind);
    BOOST_TEST(known == Lines(members.begin(), members.end()), boost::test_tools::per_element());
  }
  BOOST_TEST(document_members("payment").empty());
}

// Each stands in the first column of the table that tells what a document says.
BOOST_AUTO_TEST_CASE(every_member_is_described) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/docs/protocol/approvals.md");
  std::string described;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("| `")) described += line.substr(0, line.find(" |", 2));
  }
  for (const std::string kind : {"call", "action", "grant"}) {
    for (const std::string_view name : document_members(kind))
      BOOST_TEST((described.find("`" + std::string(name) + "`") != std::string::npos), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli::testing
