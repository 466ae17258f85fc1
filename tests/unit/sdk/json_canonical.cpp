#include <algorithm>
#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/number.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

constexpr std::array<std::string_view, 27> kCanonical{
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e-7",
    "0.000001",
    "5e-324",
    "9007199254740991",
    "0.1",
    R"("")",
    R"("\"\\\b\f\n\r\t")",
    R"("\u0000\u001f")",
    "\"\x7F\"",
    "\"\xC2\x80\"",
    "\"/\"",
    "\"\xF0\x9F\x98\x82\"",
    "[1,2,[]]",
    R"({"":1,"a":2})",
    R"({"a":1,"b":{"a":2,"aa":3}})",
    R"({"A":1,"a":2,"aa":3})",
    "{\"\xE2\x82\xAC\":1,\"\xF0\x9F\x98\x82\":2,\"\xEF\xAC\xB3\":3}",
    R"({"10":1,"2":2})",
    R"([{"a":1},{"a":1}])"};

constexpr std::array<std::string_view, 34> kNotCanonical{" {}",
                                                         "{} ",
                                                         "{ }",
                                                         "[ ]",
                                                         "[1 ,2]",
                                                         "[1, 2]",
                                                         R"({"a" :1})",
                                                         R"({"a": 1})",
                                                         "\n1",
                                                         "1\n",
                                                         "-0",
                                                         "-0.0",
                                                         "0.0",
                                                         "1.0",
                                                         "1.50",
                                                         "1e0",
                                                         "1E2",
                                                         "100e-2",
                                                         "1e-6",
                                                         "0.0000001",
                                                         "1e+2",
                                                         "1e-07",
                                                         "1e-400",
                                                         "9007199254740990.9",
                                                         R"("\/")",
                                                         R"("\u0041")",
                                                         R"("\u00e9")",
                                                         R"("\u000a")",
                                                         R"("\u001F")",
                                                         R"("\u007f")",
                                                         R"("\ud83d\ude02")",
                                                         R"({"b":1,"a":2})",
                                                         "{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x82\":2}",
                                                         R"({"aa":1,"a":2})"};

// Names in the order of RFC 8785: by UTF-16 code units.
constexpr std::array<std::string_view, 12> kAscending{
    "", "\r", "1", "A", "a", "a\x01", "aa", "\x7F", "\xC2\x80", "\xC3\xB6", "\xE2\x82\xAC", "\xED\x9F\xBF"};
constexpr std::array<std::string_view, 6> kAroundSurrogates{"\xED\x9F\xBF",     "\xF0\x90\x80\x80",
                                                            "\xF0\x9F\x98\x82", "\xF4\x8F\xBF\xBF",
                                                            "\xEE\x80\x80",     "\xEF\xBF\xBF"};

struct Number {
  double value;
  std::string_view text;
};
std::ostream& operator<<(std::ostream& out, const Number& row) { return out << row.text; }

constexpr std::array kNumbers{
    Number{0, "0"},
    Number{-0.0, "0"},
    Number{1, "1"},
    Number{-1.5, "-1.5"},
    Number{100, "100"},
    Number{0.1, "0.1"},
    Number{0.000001, "0.000001"},
    Number{0.0000001, "1e-7"},
    Number{-0.00000015, "-1.5e-7"},
    Number{123456789012345680000.0, "123456789012345680000"},
    Number{1e21, "1e+21"},
    Number{1.5e300, "1.5e+300"},
    Number{1.7976931348623157e308, "1.7976931348623157e+308"},
    Number{-5e-324, "-5e-324"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(json_canonical)

BOOST_DATA_TEST_CASE(canonical_text_is_known_as_such, data::make(kCanonical), text) {
  const auto document = json::Document::parse(std::string(text));
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->canonical());
  BOOST_TEST(json::to_jcs(document->root()) == text);
}

BOOST_DATA_TEST_CASE(other_text_is_known_as_such, data::make(kNotCanonical), text) {
  const auto document = json::Document::parse(std::string(text));
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(!document->canonical());
  const std::string canonical = json::to_jcs(document->root());
  BOOST_TEST(canonical != text);
  BOOST_TEST(json::Document::parse(canonical)->canonical());
}

BOOST_AUTO_TEST_CASE(one_fault_anywhere_makes_the_whole_not_canonical) {
  BOOST_TEST(!json::Document::parse(R"({"a":[{"b":[1.0]}],"c":1})")->canonical());
  BOOST_TEST(!json::Document::parse(R"([[[{"b":1,"a":1}]]])")->canonical());
}

BOOST_AUTO_TEST_CASE(names_order_by_utf_16_code_units) {
  const auto check = [](auto names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t k = 0; k < names.size(); ++k) {
        BOOST_TEST(json::utf16_less(names[i], names[k]) == (i < k), "names " << i << " and " << k);
      }
    }
  };
  check(kAscending);
  check(kAroundSurrogates);
}

BOOST_DATA_TEST_CASE(numbers_are_written_as_ecmascript_does, data::make(kNumbers), row) {
  std::string text = "x";
  json::append_number(text, row.value);
  BOOST_TEST(text == "x" + std::string(row.text));
  BOOST_TEST(json::is_canonical_number(row.text, row.value));
  BOOST_TEST(!json::is_canonical_number(std::string(row.text) + "0", row.value));
  BOOST_TEST(!json::is_canonical_number("", row.value));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
