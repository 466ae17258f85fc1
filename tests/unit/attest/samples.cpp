// Evidence that others recorded, on real TPMs for the most part, and mutations of it, each with the verdict that it
// must get. tests/vectors/data/attestation/README.md says where it comes from and how the verdicts were checked.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/cli/evidence_sample.hpp"
#include "sdk/json/reader.hpp"

namespace {

using namespace chancery;
using chancery::cli::judge_sample;

const std::filesystem::path kFolder =
    std::filesystem::path(CHANCERY_SOURCE_DIR) / "tests/vectors/data/attestation";

json::Document read_json(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return json::Document::parse(std::string(std::istreambuf_iterator<char>(in), {})).value();
}

std::string text(const json::Value& object, const char* name) {
  return std::string(object.find(name)->string().value());
}

struct Sample {
  std::string id;
  std::filesystem::path file;
};
std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.id; }

std::vector<Sample> samples() {
  const json::Document index = read_json(kFolder / "index.json");
  std::vector<Sample> out;
  for (const json::Value& row : index.root().items())
    out.push_back({text(row, "id"), kFolder / text(row, "file")});
  return out;
}

struct Expected {
  std::string verdict;
  std::set<std::string> reasons;  ///< the best one, and those that are as good
  bool otherwise_valid;
};

Expected expectation(const Sample& sample) {
  const json::Document document = read_json(sample.file);
  const json::Value& expected = *document.root().find("expected");
  Expected out{
      text(expected, "verdict"), {text(expected, "reason")}, expected.find("otherwise_valid") != nullptr};
  if (const json::Value* tolerated = expected.find("tolerated")) {
    for (const json::Value& reason : tolerated->items()) out.reasons.emplace(reason.string().value());
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(samples_of_others)

BOOST_DATA_TEST_CASE(each_gets_its_verdict_for_its_reason, boost::unit_test::data::make(samples()), sample) {
  const Expected expected = expectation(sample);
  const auto verdict = judge_sample(sample.file);
  BOOST_TEST_REQUIRE(verdict.has_value());
  BOOST_TEST(verdict->id == sample.id);
  BOOST_TEST((verdict->accepted ? "accept" : "reject") == expected.verdict);
  BOOST_TEST(expected.reasons.contains(verdict->reason), verdict->reason);
}

BOOST_AUTO_TEST_CASE(what_is_refused_for_sha1_alone_is_accepted_where_sha1_is_allowed) {
  int seen = 0;
  for (const Sample& sample : samples()) {
    if (!expectation(sample).otherwise_valid) continue;
    ++seen;
    const auto verdict = judge_sample(sample.file, {.allow_weak_hash = true});
    BOOST_TEST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->reason == "ok", sample.id);
  }
  BOOST_TEST(seen == 2);
}

BOOST_AUTO_TEST_SUITE_END()
