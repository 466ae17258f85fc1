#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "sdk/verify/vectors.hpp"
#include "tests/vectors/source_files.hpp"
#include "tests/vectors/vector_reader.hpp"

namespace chancery::tests {
namespace {

constexpr std::string_view kSample = "tests/vectors/data/vectors/delegation-chain.json";

struct Run {
  Status status;
  std::vector<std::string> lines;
  std::size_t met = 0;
};

Run run(const std::string& text) {
  Run out;
  out.status = run_vectors(text, [&](const VectorResult& result) {
    out.lines.push_back(result.json());
    out.met += result.met;
  });
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conformance)

BOOST_AUTO_TEST_CASE(every_vector_is_met_and_all_ways_to_verify_agree) {
  BOOST_TEST(check_vector_file(read_source_file(kSample)) == 210u);
}

BOOST_AUTO_TEST_CASE(a_document_an_array_and_json_lines_give_the_same_results) {
  const json::Document sample = read_source_json(kSample);
  std::string array = "[";
  std::string lines = "\n";
  for (const json::Value& vector : sample.root().find("vectors")->items()) {
    const std::string line = json::to_jcs(vector);
    array.append(array.size() > 1 ? "," : "").append(line);
    lines.append(line).append("\r\n \n");
  }
  const Run want = run(read_source_file(kSample));
  const Run from_array = run(array + "]");
  const Run from_lines = run(lines);
  BOOST_TEST(want.met == 210u);
  BOOST_TEST(from_array.status.has_value());
  BOOST_TEST(from_lines.status.has_value());
  BOOST_TEST(from_array.lines == want.lines, boost::test_tools::per_element());
  BOOST_TEST(from_lines.lines == want.lines, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_result_is_one_line_with_the_step_as_the_vectors_have_it) {
  BOOST_TEST((VectorResult{"a", "valid", "", true}.json()) == R"({"id":"a","outcome":"valid","step":null})");
  BOOST_TEST((VectorResult{"a", "expired", "5", true}.json()) ==
             R"({"id":"a","outcome":"expired","step":5})");
  BOOST_TEST((VectorResult{"a\n", "malformed", "parse", false}.json()) ==
             R"({"id":"a\n","outcome":"malformed","step":"parse"})");
}

BOOST_AUTO_TEST_CASE(an_unmet_expectation_is_reported_as_unmet) {
  const std::string empty_chain =
      R"("chain":[],"now":1,"accepted_algs":[],"child_signing":[],"mode":"chain")";
  const auto with = [&](const std::string& expected) {
    return "{" + empty_chain + ",\"expected\":" + expected + "}";
  };
  BOOST_TEST(run(with(R"({"outcome":"malformed","step":"parse"})")).met == 1u);
  BOOST_TEST(run(with(R"({"outcome":"malformed","step":1})")).met == 0u);
  BOOST_TEST(run(with(R"({"outcome":"valid","step":null})")).met == 0u);
  BOOST_TEST(run(with(R"({"outcome":"expired","step":5,"tolerated":["malformed"]})")).met == 1u);
  BOOST_TEST(run(with(R"({"outcome":"expired","step":5,"tolerated":["non_finite"]})")).met == 0u);
  BOOST_TEST(run("{" + empty_chain + "}").met == 0u);
}

BOOST_AUTO_TEST_CASE(files_that_are_no_vectors_are_refused) {
  for (const std::string text : {"{", "[1]", "{\"vectors\":[{\"chain\":[]}]}", "{\"chain\":[],\"now\":1.5}",
                                 "nonsense", "{\"chain\":[],\"now\":1,\"mode\":\"request\"}"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(!run(text).status.has_value()); }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
