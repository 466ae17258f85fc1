#include "sdk/cli/chain_input.hpp"

#include <array>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;
using chancery::testing::TemporaryFolder;
using Tokens = std::vector<std::string>;

struct FormCase {
  const char* what;
  const char* text;
  Tokens tokens;
};
std::ostream& operator<<(std::ostream& out, const FormCase& c) { return out << c.what; }

const std::array kForms{
    FormCase{"one token", "a.b.c", {"a.b.c"}},
    FormCase{"tokens joined by ~", "a.b.c~d.e.f", {"a.b.c", "d.e.f"}},
    FormCase{"white space around", " \r\n a.b.c~d.e.f \n\n", {"a.b.c", "d.e.f"}},
    FormCase{"one token a line", "a.b.c\nd.e.f\n", {"a.b.c", "d.e.f"}},
    FormCase{"lines of another system", "a.b.c\r\nd.e.f\r\n", {"a.b.c", "d.e.f"}},
    FormCase{"empty lines between", "a.b.c\n\n\nd.e.f", {"a.b.c", "d.e.f"}},
    FormCase{"both", "a.b.c~d.e.f\ng.h.i", {"a.b.c", "d.e.f", "g.h.i"}},
    FormCase{"a JSON array", R"(["a.b.c", "d.e.f"])", {"a.b.c", "d.e.f"}},
    FormCase{"a JSON object", R"({"chain": ["a.b.c", "d.e.f"]})", {"a.b.c", "d.e.f"}},
    FormCase{"a JSON object with text", R"({"chain": "a.b.c~d.e.f"})", {"a.b.c", "d.e.f"}},
    FormCase{"an answer of the daemon", R"({"chain":["a.b.c"],"granted":{},"narrowed":[]})", {"a.b.c"}},
    FormCase{"nothing", "", {}},
    FormCase{"white space only", " \n\t ", {}},
    FormCase{"an empty JSON array", "[]", {}},
    FormCase{"an empty token is kept to be denied", "a.b.c~", {"a.b.c", ""}},
    FormCase{"no token at all is kept to be denied", "hello world", {"hello world"}},
};

constexpr std::array kBadJson{"{",
                              "[\"a.b.c\"",
                              "{}",
                              R"({"tokens":[]})",
                              R"({"chain":7})",
                              R"({"chain":null})",
                              R"([7])",
                              R"(["a.b.c",["d.e.f"]])",
                              R"({"chain":["a"],"chain":["b"]})",
                              "[] []"};

void write_file(const std::filesystem::path& path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

BOOST_AUTO_TEST_SUITE(chain_input)

BOOST_DATA_TEST_CASE(every_form_of_a_chain_is_read, boost::unit_test::data::make(kForms), c) {
  BOOST_TEST(parse_chain(c.text).value() == c.tokens, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_bundle_brings_its_attestation_results) {
  const auto bundle = parse_bundle(R"({"attestation_results":["r","s"],"chain":["a","b"],"more":1})");
  BOOST_TEST(bundle->tokens == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  BOOST_TEST(bundle->attestation_results == (std::vector<std::string>{"r", "s"}),
             boost::test_tools::per_element());
  BOOST_TEST(parse_bundle("a~b").value().attestation_results.empty());
  BOOST_TEST(!parse_bundle(R"({"attestation_results":"r","chain":["a"]})"));
  BOOST_TEST(!parse_bundle(R"({"attestation_results":[1],"chain":["a"]})"));
}

BOOST_AUTO_TEST_CASE(attestation_results_are_read_in_every_form) {
  for (const char* text : {"r\ns\n", R"(["r","s"])", R"({"attestation_results":["r","s"]})"}) {
    BOOST_TEST(parse_attestation_results(text).value() == (std::vector<std::string>{"r", "s"}),
               boost::test_tools::per_element());
  }
  BOOST_TEST(!parse_attestation_results(R"({"chain":["a"]})"));
}

BOOST_DATA_TEST_CASE(json_of_another_shape_is_refused, boost::unit_test::data::make(kBadJson), text) {
  BOOST_TEST(!parse_chain(text));
}

BOOST_AUTO_TEST_CASE(arguments_are_files_or_texts_put_together_in_order) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "chain.txt";
  write_file(file, "a.b.c~d.e.f\n");
  BOOST_TEST(read_chain({file, "g.h.i"}).value() == (Tokens{"a.b.c", "d.e.f", "g.h.i"}),
             boost::test_tools::per_element());
  BOOST_TEST(read_chain({"a.b.c~d.e.f"}).value() == (Tokens{"a.b.c", "d.e.f"}),
             boost::test_tools::per_element());
  BOOST_TEST(read_chain({R"(["a.b.c"])"}).value() == Tokens{"a.b.c"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_whose_name_looks_like_a_token_is_a_file) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "support.chain.txt";
  write_file(file, "x.y.z");
  BOOST_TEST(read_chain({file}).value() == Tokens{"x.y.z"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_neither_file_nor_chain_is_named) {
  const auto absent = read_chain({"/nonexistent/chain"});
  BOOST_REQUIRE(!absent);
  BOOST_TEST(absent.error().code == "file_unreadable");
  BOOST_TEST(absent.error().message.starts_with("/nonexistent/chain: "));
  const TemporaryFolder folder;
  BOOST_TEST(read_chain({folder.path().string()}).error().code == "file_unreadable");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_a_chain_is_too_large) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "disk.img";
  write_file(file, std::string(5 * 1024 * 1024, 'a'));
  BOOST_TEST(read_chain({file}).error().code == "too_large");
}

BOOST_AUTO_TEST_CASE(a_token_is_read_from_a_file_or_as_it_is) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "proof";
  write_file(file, "a.b.c\n");
  BOOST_TEST(read_token(file).value() == "a.b.c");
  BOOST_TEST(read_token("d.e.f").value() == "d.e.f");
  BOOST_TEST(!read_token("no-such-file"));
}

BOOST_AUTO_TEST_SUITE_END()
