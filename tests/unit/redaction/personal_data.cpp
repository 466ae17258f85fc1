// Data of persons: what is taken for it, and what is not.

#include "sdk/redaction/personal_data.hpp"

#include <boost/test/unit_test.hpp>

namespace chancery::redaction {
namespace {

std::string redacted(std::string_view text, const PersonalKinds& kinds) {
  std::vector<Hit> hits;
  find_personal_data(text, kinds, hits);
  return without(text, hits);
}

constexpr PersonalKinds kEmail{true, false, false, false};
constexpr PersonalKinds kCard{false, true, false, false};
constexpr PersonalKinds kIban{false, false, true, false};
constexpr PersonalKinds kPhone{false, false, false, true};

struct Case {
  PersonalKinds kinds;
  const char* text;
  const char* want;  // null: stays
};

const std::vector<Case> kCases{
    {kEmail, "write to a.person+x@mail.example.org.", "write to [redacted]."},
    {kEmail, "<a@b.de>,c_d@e-f.co.uk", "<[redacted]>,[redacted]"},
    {kEmail, "?to=a@b.de&x=1", "?to=[redacted]&x=1"},
    {kEmail, "'a@b.de'", "'[redacted]'"},
    {kEmail, "user@localhost, @handle, a@b.c, a@1.2.3.4, a@.de, @", nullptr},
    {kEmail, "x@v1..com, git@git.example.org:a/b, https://user@example.org/", nullptr},

    {kCard, "card 4111 1111 1111 1111 12/27", "card [redacted] 12/27"},
    {kCard, "4111111111111111", "[redacted]"},
    {kCard, "5500-0055-5555-5559 and 3400 000000 00009", "[redacted] and [redacted]"},
    {kCard, "4111111111111112", nullptr},         // the sum
    {kCard, "9111111111111111", nullptr},         // no network
    {kCard, "41111111111111110000", nullptr},     // too long
    {kCard, "a4111111111111111", nullptr},        // part of a word
    {kCard, "0.4111111111111111", nullptr},       // a fraction
    {kCard, "4111111111111111.5", nullptr},       //
    {kCard, "41 11 11 11 11 11 11 11", nullptr},  // no card is written so

    {kIban, "to DE89 3704 0044 0532 0130 00, please", "to [redacted], please"},
    {kIban, "GB82WEST12345698765432", "[redacted]"},
    {kIban, "DE88370400440532013000", nullptr},   // the remainder
    {kIban, "DE8937040044053201300", nullptr},    // the length
    {kIban, "XX89370400440532013000", nullptr},   // no country
    {kIban, "XDE89370400440532013000", nullptr},  // part of a word

    {kPhone, "call +49 30 9018 2000 now", "call [redacted] now"},
    {kPhone, "+1 (555) 010-9999", "[redacted]"},
    {kPhone, "(555) 210-9999 or 555-210-9999.", "[redacted] or [redacted]."},
    {kPhone, "+12 a, 1+2345678901, +0123456789, 555-210-99999, 12-555-210-9999", nullptr},
    {kPhone, "2026-03-01 10:11:12 192.168.100.200", nullptr},
    {kPhone, "+1234567890123456", nullptr},
};

}  // namespace

BOOST_AUTO_TEST_CASE(data_of_persons_is_found_and_nothing_else) {
  for (const Case& c : kCases)
    BOOST_TEST(redacted(c.text, c.kinds) == (c.want == nullptr ? c.text : c.want), c.text);
}

BOOST_AUTO_TEST_CASE(none_is_looked_for_unless_asked) {
  for (const Case& c : kCases) BOOST_TEST(redacted(c.text, {}) == c.text);
}

BOOST_AUTO_TEST_CASE(check_digits) {
  BOOST_TEST(has_luhn_sum("79927398713"));
  for (const char last : std::string_view("012456789"))
    BOOST_TEST(!has_luhn_sum(std::string("7992739871") + last));
  BOOST_TEST(!has_luhn_sum(""));
  BOOST_TEST(is_iban("DE89370400440532013000"));
  BOOST_TEST(!is_iban("DE98370400440532013000"));
  BOOST_TEST(!is_iban("de89370400440532013000"));
  BOOST_TEST(!is_iban(""));
}

}  // namespace chancery::redaction
