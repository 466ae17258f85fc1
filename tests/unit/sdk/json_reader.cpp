#include <array>
#include <clocale>
#include <cmath>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using json::Document;
using json::Value;

ErrorCode error_of(std::string_view text, const json::Limits& limits = {}) {
  const auto document = Document::parse(std::string(text), limits);
  return document ? ErrorCode::kInternal : document.error().code;
}

std::string nested(std::size_t levels, std::string_view open, std::string_view close) {
  std::string out;
  for (std::size_t i = 0; i < levels; ++i) out += open;
  out += "1";
  for (std::size_t i = 0; i < levels; ++i) out += close;
  return out;
}

constexpr std::array<std::string_view, 62> kSyntaxErrors{"",
                                                         " ",
                                                         "\n\t",
                                                         "{",
                                                         "}",
                                                         "[",
                                                         "]",
                                                         "[1",
                                                         "[1,",
                                                         "[1,]",
                                                         "[,1]",
                                                         "[1 2]",
                                                         "[1}",
                                                         "{]",
                                                         R"({"a")",
                                                         R"({"a":)",
                                                         R"({"a":1)",
                                                         R"({"a":1,})",
                                                         R"({,"a":1})",
                                                         R"({"a" 1})",
                                                         R"({"a":1 "b":2})",
                                                         "{1:2}",
                                                         "{a:1}",
                                                         R"({"a":1]})",
                                                         R"({"a"::1})",
                                                         "nul",
                                                         "nulL",
                                                         "NULL",
                                                         "tru",
                                                         "True",
                                                         "falsee",
                                                         "fals",
                                                         "undefined",
                                                         "1 1",
                                                         "{}{}",
                                                         "[] x",
                                                         "\"",
                                                         "\"a",
                                                         "\"\\\"",
                                                         R"("\a")",
                                                         R"("\x41")",
                                                         R"("\u")",
                                                         R"("\u12")",
                                                         R"("\u123")",
                                                         R"("\u12g4")",
                                                         R"("\u 123")",
                                                         R"("\u-123")",
                                                         R"("\u+123")",
                                                         "\"a\nb\"",
                                                         "\"\t\"",
                                                         "\"\x1F\"",
                                                         "'a'",
                                                         "\xEF\xBB\xBF{}",
                                                         "/**/1",
                                                         "//\n1",
                                                         "01",
                                                         "-",
                                                         "+1",
                                                         ".5",
                                                         "1.",
                                                         "1e",
                                                         "1e+"};

constexpr std::array<std::string_view, 12> kMoreNumberErrors{
    "-01", "00", "0x10", "1_000", "1,000", "--1", "1.e5", "1.5e", "e5", "-a", "1e5.5", "-NaN"};

constexpr std::array<std::string_view, 22> kEncodingErrors{"\"\x80\"",
                                                           "\"\xBF\"",
                                                           "\"\xC0\x80\"",
                                                           "\"\xC1\xBF\"",
                                                           "\"\xC2\"",
                                                           "\"\xC2\x41\"",
                                                           "\"\xE0\x9F\xBF\"",
                                                           "\"\xE1\x80\"",
                                                           "\"\xE1\x80\x41\"",
                                                           "\"\xED\xA0\x80\"",
                                                           "\"\xED\xBF\xBF\"",
                                                           "\"\xEF\xBF\"",
                                                           "\"\xF0\x8F\xBF\xBF\"",
                                                           "\"\xF1\x80\x80\"",
                                                           "\"\xF4\x90\x80\x80\"",
                                                           "\"\xF5\x80\x80\x80\"",
                                                           "\"\xFE\"",
                                                           "\"\xFF\"",
                                                           "\"\xC2",
                                                           "\"\\n\xFF\"",
                                                           "{\"\xFF\":1}",
                                                           "\"\xE1\x80"};

constexpr std::array<std::string_view, 9> kSurrogateErrors{
    R"("\ud800")",   R"("\udbff")",       R"("\udc00")",       R"("\udfff")",      R"("\ud800x")",
    R"("\ud800\n")", R"("\ud800\ud800")", R"("\ud800\u0041")", R"("\udc00\ud800")"};

struct Decoded {
  std::string_view json;
  std::string_view text;
};
std::ostream& operator<<(std::ostream& out, const Decoded& row) { return out << row.json; }

constexpr std::array kStrings{
    Decoded{R"("")", ""},
    Decoded{R"("abc")", "abc"},
    Decoded{R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
    Decoded{R"("\u0041\u00e9\u20AC\uFFFF")", "A\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBF"},
    Decoded{R"("\ud83d\ude02")", "\xF0\x9F\x98\x82"},
    Decoded{R"("\uD800\uDC00\udbff\udfff")", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    Decoded{"\"\x7F\xC2\x80\xDF\xBF\"", "\x7F\xC2\x80\xDF\xBF"},
    Decoded{"\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"",
            "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"},
    Decoded{"\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    Decoded{"\"plain\\n\xC3\xA9 plain\"", "plain\n\xC3\xA9 plain"},
};

struct Number {
  std::string_view json;
  double value;
};
std::ostream& operator<<(std::ostream& out, const Number& row) { return out << row.json; }

constexpr std::array kNumbers{
    Number{"0", 0},
    Number{"-0", 0},
    Number{"-0.0e-5", 0},
    Number{"42", 42},
    Number{"-7", -7},
    Number{"999999999999999", 999999999999999},
    Number{"1000000000000000", 1000000000000000},
    Number{"9007199254740991", 9007199254740991},
    Number{"-9007199254740991", -9007199254740991},
    Number{"9007199254740990.9", 9007199254740991},
    Number{"1.5", 1.5},
    Number{"1E2", 100},
    Number{"1e+2", 100},
    Number{"1e-2", 0.01},
    Number{"0e999999999999", 0},
    Number{"5e-324", 5e-324},
    Number{"2.4703282292062328e-324", 5e-324},
    Number{"1e-400", 0},
    Number{"-1.5e-400", 0},
    Number{"1e-99999999999999999999", 0},
    Number{"0.1", 0.1},
};

constexpr std::array<std::string_view, 6> kUnsafe{"9007199254740992",
                                                  "-9007199254740992",
                                                  "9007199254740991.5",
                                                  "1e16",
                                                  "1e308",
                                                  "123456789012345678901234567890"};

constexpr std::array<std::string_view, 9> kNotFinite{"NaN",    "Infinity",          "-Infinity",
                                                     "[NaN]",  R"({"a":Infinity})", "1e400",
                                                     "-1e400", "1.5e999",           "1e99999999999999999999"};

constexpr std::array<std::string_view, 8> kDuplicates{
    R"({"a":1,"a":1})",       R"({"a":1,"a":2})",
    R"({"a":1,"b":2,"a":3})", R"({"a":1,"\u0061":1})",
    R"({"":1,"":2})",         R"([{"x":{"a":1,"a":1}}])",
    R"({"b":1,"a":1,"b":1})", "{\"\xC3\xA9\":1,\"\\u00e9\":2}"};

}  // namespace

BOOST_AUTO_TEST_SUITE(json_reader)

BOOST_DATA_TEST_CASE(syntax_errors_are_malformed, data::make(kSyntaxErrors), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kMalformed));
}
BOOST_DATA_TEST_CASE(number_errors_are_malformed, data::make(kMoreNumberErrors), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kMalformed));
}
BOOST_DATA_TEST_CASE(bad_utf_8_is_malformed, data::make(kEncodingErrors), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kMalformed));
}
BOOST_DATA_TEST_CASE(lone_surrogates_are_malformed, data::make(kSurrogateErrors), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kMalformed));
}
BOOST_DATA_TEST_CASE(what_is_not_finite_is_named_so, data::make(kNotFinite), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kNonFinite));
}
BOOST_DATA_TEST_CASE(members_given_twice_are_refused, data::make(kDuplicates), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kDuplicateMember));
}

BOOST_AUTO_TEST_CASE(a_nul_is_no_white_space) {
  BOOST_TEST((error_of(std::string_view("1\0", 2)) == ErrorCode::kMalformed));
  BOOST_TEST((error_of(std::string_view("\0", 1)) == ErrorCode::kMalformed));
  BOOST_TEST((error_of(std::string_view("\"\0\"", 3)) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_text_that_is_cut_off_anywhere_is_malformed) {
  const std::string whole = R"({"a":[1.5e-7,"\u00e9\n",{"b":[true,false,null]}],"c":""})";
  BOOST_REQUIRE(Document::parse(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST((error_of(whole.substr(0, size)) == ErrorCode::kMalformed), whole.substr(0, size));
  }
}

BOOST_DATA_TEST_CASE(strings_are_decoded, data::make(kStrings), row) {
  const auto document = Document::parse(std::string(row.json));
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->root().string().value() == row.text);
}

BOOST_DATA_TEST_CASE(numbers_are_read_exactly, data::make(kNumbers), row) {
  const auto document = Document::parse(std::string(row.json));
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->root().number().value() == row.value);
}

BOOST_DATA_TEST_CASE(numbers_beyond_2_to_the_53_are_refused_unless_allowed, data::make(kUnsafe), text) {
  BOOST_TEST((error_of(text) == ErrorCode::kMalformed));
  const auto document = Document::parse(std::string(text), {.allow_unsafe_integers = true});
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->root().number().value() == std::stod(std::string(text)));
  BOOST_TEST(!document->root().integer().has_value());
}

BOOST_AUTO_TEST_CASE(numbers_do_not_depend_on_the_locale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* locale : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "C.UTF-8"}) {
    if (std::setlocale(LC_NUMERIC, locale) == nullptr) continue;  // not every machine has it
    BOOST_TEST(Document::parse("1.5e-400")->root().number().value() == 0, locale);
    BOOST_TEST(Document::parse("1.5")->root().number().value() == 1.5, locale);
    BOOST_TEST((error_of("1.5e400") == ErrorCode::kNonFinite), locale);
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

BOOST_AUTO_TEST_CASE(integers_are_numbers_without_a_fraction) {
  const auto integer = [](std::string_view text) {
    return Document::parse(std::string(text))->root().integer();
  };
  BOOST_TEST(integer("1e2").value() == 100);
  BOOST_TEST(integer("-5").value() == -5);
  BOOST_TEST(integer("9007199254740991").value() == 9007199254740991);
  BOOST_TEST(!integer("1.5").has_value());
  BOOST_TEST(!integer("\"1\"").has_value());
  BOOST_TEST(!integer("true").has_value());
}

BOOST_AUTO_TEST_CASE(sixty_four_levels_are_read_and_sixty_five_refused) {
  BOOST_TEST(Document::parse(nested(64, "[", "]")).has_value());
  BOOST_TEST((error_of(nested(65, "[", "]")) == ErrorCode::kMalformed));
  BOOST_TEST(Document::parse(nested(64, R"({"a":)", "}")).has_value());
  BOOST_TEST((error_of(nested(65, R"({"a":)", "}")) == ErrorCode::kMalformed));
  BOOST_TEST((error_of(std::string(1'000'000, '[')) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(limits_hold_to_the_value) {
  BOOST_TEST(Document::parse("[1,2,3]", {.max_values = 4}).has_value());
  BOOST_TEST((error_of("[1,2,3,4]", {.max_values = 4}) == ErrorCode::kMalformed));
  BOOST_TEST((error_of(R"({"a":{"b":[1,2]}})", {.max_values = 4}) == ErrorCode::kMalformed));
  BOOST_TEST(Document::parse("1", {.max_depth = 0}).has_value());
  BOOST_TEST((error_of("[]", {.max_depth = 0}) == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(the_wrong_kind_and_an_absent_member_read_alike) {
  const auto document = Document::parse(R"({"n":1,"s":"t","b":true,"z":null,"a":[1,2],"o":{"x":1}})");
  const Value& root = document->root();
  BOOST_TEST(root.find("absent") == nullptr);
  BOOST_TEST(root.find("n")->find("x") == nullptr);
  BOOST_TEST(!root.find("n")->string().has_value());
  BOOST_TEST(!root.find("s")->number().has_value());
  BOOST_TEST(!root.find("s")->boolean().has_value());
  BOOST_TEST(root.find("b")->boolean().value());
  BOOST_TEST(root.find("z")->is(Value::Kind::kNull));
  BOOST_TEST(root.find("s")->items().empty());
  BOOST_TEST(root.find("a")->members().empty());
  BOOST_TEST(root.find("a")->items().size() == 2u);
  BOOST_TEST(root.find("o")->find("x")->integer().value() == 1);
  BOOST_TEST(root.members().size() == 6u);
  BOOST_TEST(root.members()[1].name == "s");
}

BOOST_AUTO_TEST_CASE(a_value_knows_its_source) {
  const auto document = Document::parse(R"( {"a" : [1, {"b":"c"}] } )");
  BOOST_TEST(document->root().source() == R"({"a" : [1, {"b":"c"}] })");
  BOOST_TEST(document->root().find("a")->source() == R"([1, {"b":"c"}])");
  BOOST_TEST(document->root().find("a")->items()[1].find("b")->source() == R"("c")");
}

BOOST_AUTO_TEST_CASE(a_document_survives_being_moved) {
  auto first = Document::parse(R"({"key":"a text that is longer than a small string","escaped":"\n"})");
  const Document second = *std::move(first);
  BOOST_TEST(second.root().find("key")->string().value() == "a text that is longer than a small string");
  BOOST_TEST(second.root().find("escaped")->string().value() == "\n");
}

BOOST_AUTO_TEST_CASE(members_keep_their_order_and_all_are_found) {
  std::string text = "{";
  for (int i = 0; i < 3000; ++i)
    text += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":" + std::to_string(i);
  const auto document = Document::parse(text + "}");
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->root().members().size() == 3000u);
  BOOST_TEST(document->root().find("m2999")->integer().value() == 2999);
  BOOST_TEST((error_of(text + ",\"m1500\":0}") == ErrorCode::kDuplicateMember));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
