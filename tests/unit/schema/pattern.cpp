#include "daemon/runtime/schema/pattern.hpp"

#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

// Patterns mean what ECMA-262 says, or are refused.

namespace chancery::schema {
namespace {

struct Match {
  const char* pattern;
  std::string text;
  bool want;
};
std::ostream& operator<<(std::ostream& out, const Match& row) {
  return out << row.pattern << " " << row.text;
}

const Match kMatches[] = {
    {"a+", "xaay", true},
    {"^a+$", "xaay", false},
    {"^abc$", "abc\n", false},
    {"^.$", "\n", false},
    {"^.$", "\xE2\x80\xA8", false},
    {"^.$", "\xC3\xA9", true},
    {"^.$", "\xF0\x9F\x90\xB2", true},
    {"^\\d$", "\xDB\xB2", false},
    {"^\\d$", "7", true},
    {"^\\w$", "\xC3\xA9", false},
    {"^\\W$", "\xC3\xA9", true},
    {"^\\s$", "\xC2\xA0", true},
    {"^\\s$", "\xEF\xBB\xBF", true},
    {"^\\s$", "\v", true},
    {"^\\s$", "\xE2\x80\xA9", true},
    {"^\\s$", "\x01", false},
    {"^\\S$", "\xC2\xA0", false},
    {"^\\S$", "a", true},
    {"^[\\s]$", "\xE3\x80\x80", true},
    {"^[\\S]$", "\xE3\x80\x80", false},
    {"^[\\Sx]$", "a", true},
    {"^[\\b]$", "\b", true},
    {"\\bfoo\\b", "a foo b", true},
    {"\\bfoo\\b", "afoo b", false},
    {"^\\cC$", "\x03", true},
    {"^\\cc$", "\x03", true},
    {"^\\u0061\\x62$", "ab", true},
    {"^\\u{1F432}*$", "\xF0\x9F\x90\xB2\xF0\x9F\x90\xB2", true},
    {"^\\uD83D\\uDC32$", "\xF0\x9F\x90\xB2", true},
    {"^\\0$", std::string(1, '\0'), true},
    {"^\\p{Letter}cole",
     "\xC3\x89"
     "cole",
     true},
    {"^\\p{digit}+$", "42", true},
    {"^\\p{Script=Greek}$", "\xCE\xB1", true},
    {"^\\P{Lu}$", "A", false},
    {"[]", "a", false},
    {"^[^]$", "\n", true},
    {"^[[:alpha:]]$", "b", false},
    {"^[[:alpha:]]$", ":]", true},
    {"^\\/\\.\\-$", "/.-", true},
    {"^(?<year>\\d{4})-(?:0|1)$", "2026-1", true},
    {"^a{2,3}$", "aa", true},
    {"^a{2,3}$", "aaaa", false},
};
BOOST_DATA_TEST_CASE(pattern_matches_as_in_ecmascript, boost::unit_test::data::make(kMatches), row) {
  const auto pattern = Pattern::compile(row.pattern);
  BOOST_REQUIRE_MESSAGE(pattern, row.pattern << (pattern ? "" : pattern.error().message));
  BOOST_TEST(pattern->found_in(row.text) == row.want);
  BOOST_TEST(pattern->source() == row.pattern);
}

struct Refused {
  const char* pattern;
  const char* message;  ///< a part of it
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.pattern; }
const Refused kRefused[] = {
    {"a(?=b)", "ahead or behind"},
    {"a(?!b)", "ahead or behind"},
    {"(?<=a)b", "ahead or behind"},
    {"(?<!a)b", "ahead or behind"},
    {"(a)\\1", "refers back"},
    {"(?<n>a)\\k<n>", "refers back"},
    {"(?i)a", "ECMA-262 does not have"},
    {"\\a", "no such escape"},
    {"\\Z", "no such escape"},
    {"\\Qa\\E", "no such escape"},
    {"a\\", "ends with a backslash"},
    {"[a", "no end"},
    {"\\uD83D", "surrogate"},
    {"\\u12", "four hexadecimal"},
    {"\\x1", "hexadecimal"},
    {"\\u{110000}", "no code point"},
    {"\\p{Nope}", "cannot be matched here"},
    {"\\pL", "braces"},
    {"(a", "cannot be matched here"},
    {"a)", "cannot be matched here"},
    {"*a", "cannot be matched here"},
    {"a{1001}", "cannot be matched here"},
    {"((a{100}){100}){100}", "cannot be matched here"},
    {"(?<n", "no end"},
    {"\\c1", "wants a letter"},
};
BOOST_DATA_TEST_CASE(pattern_that_cannot_be_matched_is_refused_with_the_reason,
                     boost::unit_test::data::make(kRefused), row) {
  const auto pattern = Pattern::compile(row.pattern);
  BOOST_REQUIRE(!pattern);
  BOOST_TEST(pattern.error().message.find(row.message) != std::string::npos, pattern.error().message);
}

}  // namespace
}  // namespace chancery::schema
