#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/schema/schema.hpp"

// The official test suite of JSON Schema: every case of draft 2020-12 that it requires, and those of the formats that are
// asserted here. What is left out is named below.

namespace chancery::schema {
namespace {

struct Exception {
  std::string_view file;  // literals, all of them
  std::string_view group;
  std::string_view test;  ///< empty: the schema is refused, and with it the whole group
  std::string_view reason;
};

constexpr std::string_view kRemote = "leads to another document, and none is fetched";
constexpr std::string_view kMetaschema = "leads to the metaschema, which is not embedded";
constexpr std::string_view kDialect = "asks for a dialect of its own by $schema";

constexpr std::array kExceptions{
    Exception{"anchor.json", "invalid anchors", "", kMetaschema},
    Exception{"defs.json", "validate definition against metaschema", "", kMetaschema},
    Exception{"dynamicRef.json", "strict-tree schema, guards against misspelled properties", "", kRemote},
    Exception{"dynamicRef.json", "tests for implementation dynamic anchor and reference link", "", kRemote},
    Exception{"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", "",
              kRemote},
    Exception{"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", "",
              kRemote},
    Exception{"id.json", "Invalid use of fragments in location-independent $id", "", kMetaschema},
    Exception{"id.json", "Valid use of empty fragments in location-independent $id", "", kMetaschema},
    Exception{"id.json", "Unnormalized $ids are allowed but discouraged", "", kMetaschema},
    Exception{"ref.json", "remote ref, containing refs itself", "", kMetaschema},
    Exception{"ref.json", "URN base URI with f-component", "", kMetaschema},
    Exception{"refRemote.json", "remote ref", "", kRemote},
    Exception{"refRemote.json", "fragment within remote ref", "", kRemote},
    Exception{"refRemote.json", "anchor within remote ref", "", kRemote},
    Exception{"refRemote.json", "ref within remote ref", "", kRemote},
    Exception{"refRemote.json", "base URI change", "", kRemote},
    Exception{"refRemote.json", "base URI change - change folder", "", kRemote},
    Exception{"refRemote.json", "base URI change - change folder in subschema", "", kRemote},
    Exception{"refRemote.json", "root ref in remote ref", "", kRemote},
    Exception{"refRemote.json", "remote ref with ref to defs", "", kRemote},
    Exception{"refRemote.json", "Location-independent identifier in remote ref", "", kRemote},
    Exception{"refRemote.json", "retrieved nested refs resolve relative to their URI not $id", "", kRemote},
    Exception{"refRemote.json", "remote HTTP ref with different $id", "", kRemote},
    Exception{"refRemote.json", "remote HTTP ref with different URN $id", "", kRemote},
    Exception{"refRemote.json", "remote HTTP ref with nested absolute ref", "", kRemote},
    Exception{"vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary", "",
              kDialect},
    Exception{"vocabulary.json", "ignore unrecognized optional vocabulary", "", kDialect},
};

struct Tally {
  std::size_t passed = 0;
  std::size_t left_out = 0;
  std::set<const Exception*> met;  ///< exceptions that were needed
};

/// One file of the suite.
class SuiteFile {
 public:
  SuiteFile(const std::string& folder, const std::string& name) : name_(name) {
    std::ifstream stream(std::string(CHANCERY_SCHEMA_SUITE) + "/tests/" + folder + name, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    json::Limits limits;
    limits.allow_unsafe_integers = true;  // some cases speak of large numbers
    auto document = json::Document::parse(std::move(text), limits);
    BOOST_REQUIRE_MESSAGE(document,
                          name << " cannot be read: install the package libtest-json-schema-acceptance-perl");
    document_.emplace(*std::move(document));
  }

  void run(const Options& options, Tally& tally) const {
    for (const json::Value& group : document_->root().items()) run_group(group, options, tally);
  }

 private:
  void run_group(const json::Value& group, const Options& options, Tally& tally) const {
    const std::string_view title = *group.find("description")->string();
    const auto schema = Schema::compile(*group.find("schema"), options);
    const auto tests = group.find("tests")->items();
    if (!schema) {
      const Exception* exception = exception_for(title, "");
      BOOST_CHECK_MESSAGE(exception != nullptr, name_ << ": " << title << ": " << schema.error().location
                                                      << " " << schema.error().message);
      if (exception != nullptr) tally.met.insert(exception);
      tally.left_out += tests.size();
      return;
    }
    for (const json::Value& test : tests) {
      const std::string_view what = *test.find("description")->string();
      const auto findings = schema->check(*test.find("data"));
      const bool right = findings && findings->empty() == *test.find("valid")->boolean();
      const Exception* exception = exception_for(title, what);
      if (right) {
        ++tally.passed;
      } else if (exception != nullptr) {
        ++tally.left_out;
        tally.met.insert(exception);
      }
      BOOST_CHECK_MESSAGE(right || exception != nullptr, name_ << ": " << title << ": " << what);
    }
  }

  [[nodiscard]] const Exception* exception_for(std::string_view group, std::string_view test) const {
    const auto found = std::ranges::find_if(kExceptions, [&](const Exception& row) {
      return row.file == name_ && row.group == group && row.test == test;
    });
    return found == kExceptions.end() ? nullptr : &*found;
  }

  std::string name_;
  std::optional<json::Document> document_;
};

void print(const char* what, const Tally& tally) {
  std::printf("JSON Schema Test Suite, draft 2020-12, %s: %zu passed, %zu left out\n", what, tally.passed,
              tally.left_out);
  for (const Exception* exception : tally.met) {
    std::printf("  left out: %s: %s%s%s (%s)\n", exception->file.data(), exception->group.data(),
                exception->test.empty() ? "" : ": ", exception->test.data(), exception->reason.data());
  }
}

BOOST_AUTO_TEST_CASE(required_cases_of_the_official_suite_pass) {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(CHANCERY_SCHEMA_SUITE) + "/tests/draft2020-12")) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  BOOST_TEST(names.size() >= 40u);
  Tally tally;
  for (const std::string& name : names) SuiteFile("draft2020-12/", name).run({}, tally);
  print("required", tally);
  for (const Exception& exception : kExceptions) {
    BOOST_CHECK_MESSAGE(tally.met.contains(&exception), exception.file << ": " << exception.group << ": "
                                                                       << exception.test
                                                                       << " passes: take it out");
  }
  BOOST_TEST(tally.passed >= 1000u);
}

BOOST_AUTO_TEST_CASE(formats_that_are_asserted_pass_their_cases_of_the_suite) {
  Options options;
  options.assert_formats = true;
  Tally tally;
  for (const char* format :
       {"date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}) {
    BOOST_TEST(asserts_format(format));
    SuiteFile("draft2020-12/optional/format/", std::string(format) + ".json").run(options, tally);
  }
  print("formats", tally);
  BOOST_TEST(tally.left_out == 0u);
  BOOST_TEST(tally.passed >= 150u);
}

}  // namespace
}  // namespace chancery::schema
