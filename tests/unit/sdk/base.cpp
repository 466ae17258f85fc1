#include <array>
#include <limits>
#include <set>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/result.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/base/printable.hpp"
#include "tests/unit/sdk/aborts.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

struct Text {
  std::string_view from;
  std::string_view to;
};
std::ostream& operator<<(std::ostream& out, const Text& row) { return out << row.from; }

constexpr std::array kRfc4648{Text{"", ""},
                              Text{"f", "Zg"},
                              Text{"fo", "Zm8"},
                              Text{"foo", "Zm9v"},
                              Text{"foob", "Zm9vYg"},
                              Text{"fooba", "Zm9vYmE"},
                              Text{"foobar", "Zm9vYmFy"},
                              Text{"\xFB\xFF", "-_8"},
                              Text{"\xFF\xEF\xBE", "_---"}};

constexpr std::array<std::string_view, 15> kNotBase64url{"A",    "AAAAA", "AA==", "AA=",  "A A",
                                                         "AA\n", "\tAA",  "A+AA", "A/AA", "A.AA",
                                                         "AB",   "AAB",   "Zh",   "Zm9=", "\xC3\xA4"};

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

BOOST_AUTO_TEST_SUITE(base64url)

BOOST_DATA_TEST_CASE(encodes_and_decodes, data::make(kRfc4648), row) {
  BOOST_TEST(base64url_encode(as_bytes(row.from)) == row.to);
  BOOST_TEST(as_text(base64url_decode(row.to).value()) == row.from);
}

BOOST_DATA_TEST_CASE(refuses_what_is_not_strict, data::make(kNotBase64url), text) {
  const auto decoded = base64url_decode(text);
  BOOST_REQUIRE(!decoded.has_value());
  BOOST_TEST((decoded.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(takes_its_alphabet_only_wherever_a_character_stands) {
  for (int c = 0; c < 256; ++c) {
    const bool good = kAlphabet.find(static_cast<char>(c)) != std::string_view::npos;
    for (std::size_t place = 0; place < 8; ++place) {
      std::string text = "AAAAAAAA";
      text[place] = static_cast<char>(c);
      if (base64url_decode(text).has_value() != good) BOOST_ERROR("octet " << c << " at " << place);
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_spare_bits_that_are_not_zero) {
  for (std::size_t value = 0; value < kAlphabet.size(); ++value) {
    const std::string last(1, kAlphabet[value]);
    BOOST_TEST(base64url_decode("AAAAA" + last).has_value() == (value % 16 == 0));
    BOOST_TEST(base64url_decode("AAAAAA" + last).has_value() == (value % 4 == 0));
  }
}

BOOST_AUTO_TEST_CASE(returns_every_length_as_it_was) {
  Bytes octets;
  for (int size = 0; size < 100; ++size) {
    const std::string text = base64url_encode(octets);
    BOOST_TEST(text.find('=') == std::string::npos);
    BOOST_TEST(base64url_decoded_size(text.size()) == octets.size());
    BOOST_TEST(base64url_decode(text).value() == octets);
    octets.push_back(static_cast<std::uint8_t>(size * 37));
  }
}

BOOST_AUTO_TEST_CASE(decodes_exactly_so_many_octets_or_nothing) {
  BOOST_TEST(base64url_decode_exactly<3>("Zm9v").has_value());
  BOOST_TEST(!base64url_decode_exactly<2>("Zm9v").has_value());
  BOOST_TEST(!base64url_decode_exactly<4>("Zm9v").has_value());
  BOOST_TEST(!base64url_decode_exactly<3>("Zm9vA").has_value());
  BOOST_TEST(!base64url_decode_exactly<3>("Zm9+").has_value());
  BOOST_TEST(base64url_decode_exactly<0>("").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(hexadecimal)

BOOST_AUTO_TEST_CASE(writes_lower_case_and_reads_either) {
  BOOST_TEST(hex_encode(as_bytes("\x01\xAB\xFF")) == "01abff");
  BOOST_TEST(as_text(hex_decode("01aBFf").value()) == "\x01\xAB\xFF");
  BOOST_TEST(hex_decode("").value().empty());
}

BOOST_AUTO_TEST_CASE(refuses_anything_else) {
  for (const std::string_view text :
       {"0", "000", "0g", "g0", "0x", " 0", "0 ", "-1", ":;", "@A", "`a", "/0"}) {
    BOOST_TEST(!hex_decode(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

constexpr std::array kShown{
    Text{"", ""},
    Text{"plain ~ text", "plain ~ text"},
    Text{"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x82", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x82"},
    Text{"\x1B[31m", "\\u{1B}[31m"},
    Text{"a\nb\tc\rd", "a\\u{A}b\\u{9}c\\u{D}d"},
    Text{"\x7F", "\\u{7F}"},
    Text{"\xC2\x80\xC2\x9F", "\\u{80}\\u{9F}"},
    Text{"\xC2\xA0", "\xC2\xA0"},
    Text{"\xE2\x80\xAE"
         "evil",
         "\\u{202E}evil"},
    Text{"\xE2\x81\xA6\xE2\x81\xA9", "\\u{2066}\\u{2069}"},
    Text{"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u{200E}\\u{200F}\\u{61C}"},
    Text{"\xE2\x80\xA8\xE2\x80\xA9", "\\u{2028}\\u{2029}"},
    Text{"\xFF\xC3", "\\x{FF}\\x{C3}"},
    Text{"\x80"
         "A",
         "\\x{80}A"},
    Text{"\xE2\x82", "\\x{E2}\\x{82}"},
    Text{"\xC0\x9B", "\\x{C0}\\x{9B}"},  // overlong ESC
    Text{"\xC1\x81", "\\x{C1}\\x{81}"},  // overlong A
    Text{"\xE0\x80\x9B", "\\x{E0}\\x{80}\\x{9B}"},
    Text{"\xED\xA0\x80", "\\x{ED}\\x{A0}\\x{80}"},             // a surrogate
    Text{"\xF4\x90\x80\x80", "\\x{F4}\\x{90}\\x{80}\\x{80}"},  // beyond U+10FFFF
    Text{"pay\xE2\x80\x8Bpal", "pay\\u{200B}pal"},             // a space without width
    Text{"a\xC2\xAD", "a\\u{AD}"},                             // a soft hyphen
    Text{"x\xF3\xA0\x81\x81", "x\\u{E0041}"},                  // a tag that hides an A
    Text{"\xE3\x85\xA4", "\\u{3164}"},                         // a filler that counts as a letter
};

struct Instant {
  double seconds;
  std::string_view text;
};
std::ostream& operator<<(std::ostream& out, const Instant& row) { return out << row.seconds; }

constexpr std::array kInstants{
    Instant{0, "1970-01-01T00:00:00Z"},
    Instant{951782400, "2000-02-29T00:00:00Z"},
    Instant{1772366400, "2026-03-01T12:00:00Z"},
    Instant{1772366400.999, "2026-03-01T12:00:00Z"},
    Instant{253402300799, "9999-12-31T23:59:59Z"},
    Instant{253402300800, "253402300800"},
    Instant{-1, "-1"},
    Instant{9007199254740991, "9007199254740991"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(texts_for_people)

BOOST_DATA_TEST_CASE(hazards_for_a_terminal_are_escaped, data::make(kShown), row) {
  BOOST_TEST(printable(row.from) == row.to);
}

BOOST_AUTO_TEST_CASE(a_nul_is_escaped) { BOOST_TEST(printable(std::string_view("a\0b", 3)) == "a\\u{0}b"); }

BOOST_DATA_TEST_CASE(instants_are_rfc_3339, data::make(kInstants), row) {
  BOOST_TEST(utc_text(row.seconds) == row.text);
}

BOOST_AUTO_TEST_CASE(an_instant_of_any_size_has_a_text) {
  constexpr double kHuge = std::numeric_limits<double>::max();
  BOOST_TEST(utc_text(kHuge).starts_with("17976931348623157"));
  BOOST_TEST(utc_text(-kHuge).starts_with("-17976931348623157"));
  BOOST_TEST(utc_text(kHuge).find('\0') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

constexpr Error kFailure{ErrorCode::kTimeout, "try again", 7, 2};

Status propagate(const Status& status) {
  CHANCERY_TRY(Status(status));
  return Error{ErrorCode::kInternal, "reached"};
}

Result<int> add_one(Result<int> number) {
  CHANCERY_ASSIGN(const int value, number);
  return value + 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(results)

BOOST_AUTO_TEST_CASE(a_result_has_one_side) {
  const Result<int> good = 3;
  const Result<int> bad = kFailure;
  BOOST_TEST(good.has_value());
  BOOST_TEST(*good == 3);
  BOOST_TEST(!bad.has_value());
  BOOST_TEST((bad.error().code == ErrorCode::kTimeout));
  BOOST_TEST(bad.error().native == 7u);
  BOOST_TEST(bad.error().hop == 2);
  BOOST_TEST(Result<int>(bad).value_or(9) == 9);
  BOOST_TEST(Result<int>(good).value_or(9) == 3);
}

BOOST_AUTO_TEST_CASE(errors_pass_through_and_values_are_unpacked) {
  BOOST_TEST((propagate(kFailure).error().code == ErrorCode::kTimeout));
  BOOST_TEST((propagate({}).error().code == ErrorCode::kInternal));
  BOOST_TEST(add_one(4).value() == 5);
  BOOST_TEST(add_one(kFailure).error().what == std::string_view("try again"));
}

BOOST_AUTO_TEST_CASE(reading_the_side_that_is_not_there_aborts) {
  BOOST_TEST(aborts([] { static_cast<void>(Result<int>(kFailure).value()); }));
  BOOST_TEST(aborts([] { static_cast<void>(Result<int>(1).error()); }));
  BOOST_TEST(aborts([] { static_cast<void>(Status().error()); }));
  BOOST_TEST(!aborts([] { static_cast<void>(Result<int>(1).value()); }));
}

BOOST_AUTO_TEST_CASE(what_is_percent_encoded_is_decoded_again) {
  BOOST_TEST(percent_encode("aZ09-._~") == "aZ09-._~");
  BOOST_TEST(percent_encode("a/b c%\xC3\xA9") == "a%2Fb%20c%25%C3%A9");
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    BOOST_TEST((decode_escape(percent_escape(c)) == c));
  }
  BOOST_TEST((decode_escape("%6a rest") == 'j'));
  for (const std::string_view broken : {"", "%", "%6", "%6g", "%g6", "a", "6a%"}) {
    BOOST_TEST(!decode_escape(broken).has_value(), broken);
  }
}

BOOST_AUTO_TEST_CASE(every_error_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  ErrorCode previous{};
  for (const ErrorCode code : all_error_codes()) {
    BOOST_TEST((previous < code));
    previous = code;
    const std::string_view name = error_name(code);
    BOOST_TEST(names.insert(name).second, name);
    BOOST_TEST(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos, name);
  }
  BOOST_TEST(names.size() > 40u);
  BOOST_TEST(error_name(ErrorCode{12345}) == "internal");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(names)

namespace {

struct Person {
  std::string text;
  bool is_one;
};
std::ostream& operator<<(std::ostream& out, const Person& row) { return out << row.text; }

const std::array kPersons{
    Person{"user:bob@example.org", true},
    Person{"user:b", true},
    Person{"a:b:c", true},
    Person{"groups:b", true},
    Person{"user:J\xC3\xBCrgen", true},
    Person{"user:" + std::string(251, 'p'), true},
    Person{"user:" + std::string(252, 'p'), false},
    Person{"", false},
    Person{"bob", false},
    Person{":bob", false},
    Person{"user:", false},
    Person{"group:finance", false},
    Person{"user:bob ", false},
    Person{"user:a\nb", false},
    Person{"user:\xE2\x80\xAE"
           "bob",
           false},
    Person{"user:\xFF", false},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_person_has_a_kind_and_is_no_group, data::make(kPersons), row) {
  BOOST_TEST(is_person(row.text) == row.is_one);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
