#include <array>
#include <bit>
#include <charconv>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/json/number.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/vectors/source_files.hpp"

namespace chancery::tests {
namespace {

constexpr std::string_view kFolder = "tests/vectors/data/jcs/";
constexpr json::Limits kBelowIntegerRule{.allow_unsafe_integers = true};
constexpr std::array<std::string_view, 6> kNames{"arrays",  "french", "structures",
                                                 "unicode", "values", "weird"};

std::string read(std::string_view folder, std::string_view name, std::string_view suffix) {
  return read_source_file(std::string(kFolder).append(folder).append("/").append(name).append(suffix));
}

std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r'; });
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rfc_8785_files)

BOOST_DATA_TEST_CASE(input_becomes_output, boost::unit_test::data::make(kNames), name) {
  const auto input = json::Document::parse(read("input", name, ".json"), kBelowIntegerRule);
  BOOST_REQUIRE(input.has_value());
  BOOST_TEST(!input->canonical());
  const std::string output = read("output", name, ".json");
  BOOST_TEST(json::to_jcs(input->root()) == output);
  BOOST_TEST(hex_encode(as_bytes(output)) == without_space(read("outhex", name, ".txt")));
}

BOOST_DATA_TEST_CASE(output_is_canonical, boost::unit_test::data::make(kNames), name) {
  const std::string text = read("output", name, ".json");
  const auto output = json::Document::parse(text, kBelowIntegerRule);
  BOOST_REQUIRE(output.has_value());
  BOOST_TEST(output->canonical());
  BOOST_TEST(json::to_jcs(output->root()) == text);
  BOOST_TEST(output->root().source() == text);
}

BOOST_AUTO_TEST_CASE(a_number_beyond_2_to_the_53_is_refused_although_it_is_canonical) {
  const auto refused = json::Document::parse(read("output", "values", ".json"));
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(ten_thousand_numbers_are_written_and_read_as_ecmascript_does) {
  const std::string lines = read_source_file(std::string(kFolder) + "es6-numbers-10000.txt");
  std::size_t count = 0;
  std::size_t beyond = 0;
  for (std::size_t at = 0; at < lines.size(); ++count) {
    const std::size_t comma = lines.find(',', at);
    const std::size_t end = lines.find('\n', comma);
    const std::string text = lines.substr(comma + 1, end - comma - 1);
    std::uint64_t bits = 0;
    std::from_chars(lines.data() + at, lines.data() + comma, bits, 16);
    at = end + 1;
    const auto value = std::bit_cast<double>(bits);
    std::string written;
    json::append_number(written, value);
    const auto document = json::Document::parse(text, kBelowIntegerRule);
    const bool read_back = document && document->canonical() && *document->root().number() == value;
    beyond += !json::Document::parse(text);
    if (written != text || !read_back)
      BOOST_ERROR("line " << count + 1 << ": " << text << " written as " << written);
  }
  BOOST_TEST(count == 10000u);
  BOOST_TEST(beyond == 3716u);  // as the file's README counts those that rule D06 refuses
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
