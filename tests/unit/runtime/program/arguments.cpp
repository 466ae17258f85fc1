#include "daemon/runtime/arguments.hpp"

#include <array>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/settings.hpp"

namespace chancery::runtime {
namespace {

using enum Arguments::Action;

std::variant<Arguments, std::string> parsed(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return parse_arguments(pointers);
}

Arguments good(const std::vector<std::string>& words) {
  const auto result = parsed(words);
  const auto* wrong = std::get_if<std::string>(&result);
  BOOST_REQUIRE_MESSAGE(wrong == nullptr, (wrong == nullptr ? "" : *wrong));
  return std::get<Arguments>(result);
}

struct Wrong {
  const char* name;
  std::vector<std::string> words;
  const char* complaint;
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }
const std::array kWrong{
    Wrong{"what there is not", {"--serve"}, "unknown argument --serve: see --help"},
    Wrong{"a value that is missing", {"--config"}, "--config needs a value: see --help"},
    Wrong{"two things", {"--check", "--version"}, "one thing at a time: see --help"},
    Wrong{"two others", {"--check", "--import-openapi", "a.json"}, "one thing at a time: see --help"},
    Wrong{"no place for declarations",
          {"--import-openapi", "a.json"},
          "--import-openapi takes --output FOLDER, where the declarations go"},
    Wrong{"a place and nothing for it",
          {"--output", "/tmp"},
          "--output and what follows it in --help belong to --import-openapi"},
    Wrong{"a credential and nobody to show it to",
          {"--check", "--credential-file", "/x"},
          "--credential-file belongs to --review"},
    Wrong{"a credential for all servers",
          {"--review", "--credential-file", "/x"},
          "--credential-file takes --review TOOL: the servers of all tools would get the credential"},
    Wrong{"a choice and nothing to choose from",
          {"--check", "--only", "x"},
          "--output and what follows it in --help belong to --import-openapi"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_arguments)

BOOST_AUTO_TEST_CASE(without_arguments_it_serves) {
  BOOST_TEST((good({}).action == kServe));
  BOOST_TEST(good({}).config_file == "/etc/chancery/runtime.toml");
  BOOST_TEST(good({"--config", "/x"}).config_file == "/x");
  BOOST_TEST((good({"--check", "--config", "/x"}).action == kCheck));
  BOOST_TEST((good({"-h"}).action == kHelp));
  BOOST_TEST((good({"--version"}).action == kVersion));
  BOOST_TEST((good({"--man-page"}).action == kManPage));
}

BOOST_AUTO_TEST_CASE(a_review_is_of_one_tool_or_of_all) {
  BOOST_TEST((good({"--review"}).action == kReview));
  BOOST_TEST(good({"--review"}).review.tool.empty());
  const Arguments one = good({"--review", "refund", "--credential-file", "/x", "--config", "/y"});
  BOOST_TEST(one.review.tool == "refund");
  BOOST_TEST(one.review.credential == "/x");
  BOOST_TEST(one.config_file == "/y");
  BOOST_TEST(good({"--review", "--config", "/y"}).review.tool.empty());
}

BOOST_AUTO_TEST_CASE(an_import_takes_what_the_document_does_not_say) {
  const Arguments out = good({"--import-openapi", "a.json", "--output", "/t", "--scope-prefix", "pay",
                              "--name-prefix", "p.", "--credential", "psp", "--basic-user", "robot",
                              "--server", "https://a.example", "--only", "refund", "--only", "GET /x"});
  BOOST_TEST((out.action == kImport));
  BOOST_TEST(out.import.document == "a.json");
  BOOST_TEST(out.import.folder == "/t");
  BOOST_TEST(out.import.options.scope_prefix == "pay");
  BOOST_TEST(out.import.options.name_prefix == "p.");
  BOOST_TEST(out.import.options.credential == "psp");
  BOOST_TEST(out.import.options.basic_user == "robot");
  BOOST_TEST(out.import.options.server == "https://a.example");
  const std::vector<std::string> only{"refund", "GET /x"};
  BOOST_TEST(out.import.only == only, boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(what_is_not_understood_is_said, boost::unit_test::data::make(kWrong), row) {
  const auto result = parsed(row.words);
  const auto* complaint = std::get_if<std::string>(&result);
  BOOST_REQUIRE(complaint != nullptr);
  BOOST_TEST(*complaint == row.complaint);
}

BOOST_AUTO_TEST_CASE(the_manual_has_every_option) {
  const std::string page = man_page("1.0");
  for (const Option& option : options()) {
    std::string name = "[" + std::string(option.section) + "] " + std::string(option.name);
    BOOST_TEST(page.find("\n.B " + name + "\n") != std::string::npos, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
