// What comes out of a text in chunks depends on the text alone.

#include "sdk/redaction/stream_redactor.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "tests/redaction/made_secrets.hpp"
#include "tests/unit/sdk/random_source.hpp"

namespace chancery::redaction {
namespace {

using tests::RandomSource;

constexpr std::string_view kValue = "correct horse/battery+staple&more";

SecretFinder finder() {
  const auto known = std::make_shared<KnownSecrets>();
  BOOST_TEST_REQUIRE(known->add(as_bytes(kValue), "crm").has_value());
  return SecretFinder(known);
}

std::string streamed(const SecretFinder& secrets, std::string_view text,
                     const std::vector<std::size_t>& cuts) {
  StreamRedactor stream(secrets);
  std::string out;
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    out += stream.feed(text.substr(at, cut - at));
    at = cut;
  }
  out += stream.feed(text.substr(at));
  return out + stream.finish();
}

std::string some_text(RandomSource& random, std::size_t size) {
  const auto forms = tests::written_forms(kValue);
  std::string text;
  while (text.size() < size) {
    switch (random.below(6)) {
      case 0:
        text += forms[random.below(forms.size())].text;
        break;
      case 1: {
        const tests::SecretKind& kind = tests::secret_kinds()[random.below(tests::secret_kinds().size())];
        const tests::MadeSecret made = kind.make(random);
        text += made.before + made.secret + made.after;
        break;
      }
      case 2:
        text += tests::random_text(random, tests::kLowerHex, 1 + random.below(80));
        break;
      default:
        text += " the quick brown fox, 1234 times\n";
    }
    if (!random.once_in(4)) text += " ";
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_short_text_comes_out_the_same_for_each_division_in_two) {
  const SecretFinder secrets = finder();
  RandomSource random(1);
  const std::string text = some_text(random, 3000);
  const std::string whole = secrets.redact(text).text;
  BOOST_TEST(whole != text);
  for (std::size_t cut = 0; cut <= text.size(); cut += 7)
    BOOST_TEST_REQUIRE(streamed(secrets, text, {cut}) == whole, "cut at " << cut);
}

BOOST_AUTO_TEST_CASE(each_form_is_found_at_each_cut) {
  const SecretFinder secrets = finder();
  for (const tests::WrittenForm& form : tests::written_forms(kValue)) {
    const std::string text = "before " + form.text + " behind";
    const std::string whole = secrets.redact(text).text;
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
      BOOST_TEST_REQUIRE(streamed(secrets, text, {cut}) == whole, form.form << " cut at " << cut);
  }
}

// Several times what is held back: secrets lie across the borders of what is looked at in one go.
BOOST_AUTO_TEST_CASE(a_long_text_comes_out_as_the_whole_does_whatever_the_chunks) {
  const SecretFinder secrets = finder();
  RandomSource random(2);
  for (int round = 0; round < 3; ++round) {
    const std::string text = some_text(random, 10 * secrets.reach() + random.below(1000));
    const std::string whole = secrets.redact(text).text;
    for (const std::size_t chunk : {std::size_t{977}, secrets.reach(), text.size()}) {
      std::vector<std::size_t> cuts;
      for (std::size_t at = chunk; at < text.size(); at += chunk) cuts.push_back(at);
      const bool is_same = streamed(secrets, text, cuts) == whole;
      BOOST_TEST(is_same, "chunks of " << chunk);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_secret_at_each_place_near_a_border_is_found) {
  const SecretFinder secrets = finder();
  const std::size_t border = 2 * secrets.reach();
  const std::string secret = tests::written_forms(kValue)[2].text;
  for (std::size_t place = border - secret.size() - 2; place < border + 3; ++place) {
    std::string text(place, 'x');
    text += " " + secret + std::string(2 * secrets.reach(), ' ') + "end";
    const bool is_same = streamed(secrets, text, {}) == secrets.redact(text).text;
    BOOST_TEST(is_same, place);
  }
}

BOOST_AUTO_TEST_CASE(hits_are_told_once_with_their_place_in_the_whole) {
  const SecretFinder secrets = finder();
  std::string text(5 * secrets.reach(), '.');
  std::vector<std::size_t> places;
  for (std::size_t at = 1000; at + 100 < text.size(); at += 20011) {
    text.replace(at, kValue.size(), kValue);
    places.push_back(at);
  }
  std::vector<std::size_t> told;
  StreamRedactor stream(secrets, [&](const Hit& hit) { told.push_back(hit.extent.begin); });
  for (std::size_t at = 0; at < text.size(); at += 4096)
    (void)stream.feed(std::string_view(text).substr(at, 4096));
  (void)stream.finish();
  BOOST_TEST(told == places, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_more_is_held_back_than_was_said) {
  const SecretFinder secrets = finder();
  StreamRedactor stream(secrets);
  std::size_t fed = 0, out = 0, most = 0;
  for (int i = 0; i < 10000; ++i) {
    out += stream.feed("a line of a text that has no secret in it\n").size();
    fed += 42;
    most = std::max(most, fed - out);
  }
  BOOST_TEST(most <= 3 * secrets.reach());
  BOOST_TEST(out > 0u);
  BOOST_TEST(out + stream.finish().size() == fed);
}

BOOST_AUTO_TEST_CASE(behind_a_secret_that_is_too_long_nothing_comes) {
  const SecretFinder secrets = finder();
  const std::string text = "password=" + std::string(5 * secrets.reach(), 'x') + " and more";
  for (const std::size_t chunk : {std::size_t{1000}, text.size()}) {
    StreamRedactor stream(secrets);
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += chunk) out += stream.feed(text.substr(at, chunk));
    out += stream.finish();
    BOOST_TEST(out == "password=[redacted]");
    BOOST_TEST(stream.was_cut());
  }
}

BOOST_AUTO_TEST_CASE(nothing_comes_of_nothing) {
  const SecretFinder secrets = finder();
  StreamRedactor stream(secrets);
  BOOST_TEST(stream.feed("").empty());
  BOOST_TEST(stream.finish().empty());
  BOOST_TEST(!stream.was_cut());
}

}  // namespace chancery::redaction
