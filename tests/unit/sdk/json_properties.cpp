#include <array>
#include <bit>
#include <cmath>
#include <set>

#include <boost/test/unit_test.hpp>

#include "sdk/json/number.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/unit/sdk/random_source.hpp"

namespace chancery::tests {
namespace {

constexpr std::uint64_t kFirstSeed = 20260501;
constexpr json::Limits kLimits{.allow_unsafe_integers = true};

/// Writes random JSON: canonical, except that each place where a writer has a choice takes another once in
/// `carelessness` times.
class JsonWriter {
 public:
  JsonWriter(RandomSource& random, std::size_t carelessness) : random_(random), carelessness_(carelessness) {}

  std::string value(int depth) {
    switch (random_.below(depth > 0 ? 7 : 5)) {
      case 0:
        return std::string(random_.pick(std::array{"null", "true", "false"}));
      case 1:
      case 2:
        return number();
      case 3:
      case 4:
        return string(random_text());
      case 5:
        return array(depth);
      default:
        return object(depth);
    }
  }

 private:
  bool careless() { return random_.once_in(carelessness_); }
  std::string space() { return careless() ? std::string(random_.pick(std::array{" ", "\n", "\t\r"})) : ""; }

  std::string array(int depth) {
    std::string out = "[" + space();
    for (std::size_t i = random_.below(4); i > 0; --i) {
      out += value(depth - 1) + space();
      if (i > 1) out += "," + space();
    }
    return out + "]";
  }

  std::string object(int depth) {
    std::set<std::string, decltype(&json::utf16_less)> ordered(&json::utf16_less);
    for (std::size_t i = random_.below(4); i > 0; --i) ordered.insert(random_text());
    std::vector<std::string> names(ordered.begin(), ordered.end());
    if (careless() && names.size() > 1) std::swap(names.front(), names.back());
    std::string out = "{" + space();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) out += "," + space();
      out += string(names[i]) + space() + ":" + space() + value(depth - 1);
    }
    return out + space() + "}";
  }

  std::string random_text() {
    constexpr std::array<const char*, 14> kPieces{"a",
                                                  "b",
                                                  "Z",
                                                  "/",
                                                  "\"",
                                                  "\\",
                                                  "\n",
                                                  "\x01",
                                                  "\x7F",
                                                  "\xC3\xA9",
                                                  "\xE2\x82\xAC",
                                                  "\xEE\x80\x80",
                                                  "\xEF\xAC\xB3",
                                                  "\xF0\x9F\x98\x82"};
    std::string out;
    for (std::size_t i = random_.below(4); i > 0; --i) out += random_.pick(kPieces);
    return out;
  }

  std::string string(const std::string& text) {
    std::string out;
    json::append_string(out, text);
    if (!careless()) return out;
    const std::size_t at = out.find_first_of("abZ/");
    if (at == std::string::npos || (at > 0 && out[at - 1] == '\\')) return out;
    constexpr std::array<const char*, 4> kEscapes{"\\u0061", "\\u0062", "\\u005A", "\\/"};
    return out.replace(at, 1, kEscapes[std::string_view("abZ/").find(out[at])]);
  }

  double random_double() {
    if (random_.once_in(2)) return static_cast<double>(random_.below(2000)) - 1000;
    const auto value = std::bit_cast<double>(random_.bits());
    return std::isfinite(value) ? value : 0.5;
  }

  std::string number() {
    const double value = random_double();
    std::string out;
    json::append_number(out, value);
    if (!careless()) return out;
    std::array<char, 40> text;
    std::snprintf(text.data(), text.size(), random_.once_in(2) ? "%.17g" : "%.20e", value);
    return text.data();
  }

  RandomSource& random_;
  std::size_t carelessness_;
};

// The reader says "canonical" exactly when the writer would write the same; and what the writer writes is
// canonical and stays as it is.
void check_agreement(const std::string& text) {
  const auto document = json::Document::parse_borrowed(text, kLimits);
  if (!document) return;
  const std::string jcs = json::to_jcs(document->root());
  if (document->canonical() != (text == jcs)) BOOST_ERROR("canonical or not? " << text);
  const auto again = json::Document::parse_borrowed(jcs, kLimits);
  BOOST_REQUIRE(again.has_value());
  if (!again->canonical() || json::to_jcs(again->root()) != jcs) BOOST_ERROR("not stable: " << jcs);
}

template <typename Property>
void for_seeds(std::uint64_t cases, Property property) {
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + cases; ++seed) {
    RandomSource random(seed);
    BOOST_TEST_CONTEXT("seed " << seed) { property(random); }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_properties)

BOOST_AUTO_TEST_CASE(reader_and_writer_agree_on_what_is_canonical) {
  std::size_t canonical = 0;
  constexpr std::uint64_t kCases = 30000;
  for_seeds(kCases, [&](RandomSource& random) {
    const std::size_t carelessness = random.once_in(2) ? 1000000 : 20;
    const std::string text = JsonWriter(random, carelessness).value(5);
    const auto document = json::Document::parse_borrowed(text, kLimits);
    BOOST_REQUIRE(document.has_value());
    canonical += document->canonical();
    check_agreement(text);
  });
  BOOST_TEST(canonical > kCases / 4);
  BOOST_TEST(canonical < kCases);
}

BOOST_AUTO_TEST_CASE(they_agree_on_texts_with_one_octet_changed) {
  for_seeds(20000, [](RandomSource& random) {
    std::string text = JsonWriter(random, 50).value(4);
    constexpr std::string_view kOctets = " \"\\/{}[],:0123456789+-.eEutrn\x01\x1F\x7F\x80\xC3\xED\xF0\xFF";
    text[random.below(text.size())] = kOctets[random.below(kOctets.size())];
    check_agreement(text);
  });
}

BOOST_AUTO_TEST_CASE(every_finite_number_is_written_so_that_it_reads_back) {
  for_seeds(50000, [](RandomSource& random) {
    const auto value = std::bit_cast<double>(random.bits());
    if (!std::isfinite(value)) return;
    std::string text;
    json::append_number(text, value);
    const auto document = json::Document::parse_borrowed(text, kLimits);
    BOOST_REQUIRE(document.has_value());
    if (*document->root().number() != value || !document->canonical()) BOOST_ERROR(text);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
