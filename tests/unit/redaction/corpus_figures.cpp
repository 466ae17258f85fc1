// How much is found, and how much too much: the bounds that the measured corpus holds.

#include <algorithm>
#include <array>

#include <boost/test/unit_test.hpp>

#include "sdk/redaction/secret_patterns.hpp"
#include "tests/redaction/corpus.hpp"

namespace chancery::tests {
namespace {

const Corpus& corpus() {
  static const Corpus kCorpus = read_corpus(CHANCERY_SOURCE_DIR "/tests/redaction/corpus");
  return kCorpus;
}

struct Bound {
  std::string_view detector;
  double recall;
  double precision;
};

// Where nothing else is said, everything is found and nothing too much.
constexpr std::array kBounds{
    Bound{"values named as passwords, keys or tokens", 1.0, 0.64},
    Bound{"`Authorization` values", 1.0, 0.95},
};

Bound bound_of(std::string_view detector) {
  for (const Bound& bound : kBounds) {
    if (bound.detector == detector) return bound;
  }
  return {detector, 1.0, 1.0};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_corpus_is_large_and_has_every_kind) {
  BOOST_TEST(corpus().positives.size() >= 400u);
  BOOST_TEST(corpus().negatives.size() >= 1000u);
  for (const redaction::SecretPattern& pattern : redaction::secret_patterns()) {
    const auto count = std::ranges::count(corpus().positives, pattern.name, &Sample::detector);
    BOOST_TEST(count >= 10, pattern.name);
  }
}

BOOST_AUTO_TEST_CASE(the_corpus_is_the_same_each_time) {
  const Corpus again = read_corpus(CHANCERY_SOURCE_DIR "/tests/redaction/corpus");
  BOOST_TEST_REQUIRE(again.positives.size() == corpus().positives.size());
  for (std::size_t i = 0; i < again.positives.size(); ++i)
    BOOST_TEST_REQUIRE((again.positives[i].text == corpus().positives[i].text));
}

BOOST_AUTO_TEST_CASE(each_detector_keeps_its_bounds) {
  for (const auto& [detector, figures] : measure(corpus())) {
    const Bound bound = bound_of(detector);
    std::string mistakes;
    for (const std::string& mistake : figures.mistakes) mistakes += "\n  " + mistake;
    BOOST_TEST(figures.recall() >= bound.recall, detector << " finds " << figures.recall() << mistakes);
    BOOST_TEST(figures.precision() >= bound.precision,
               detector << " is right in " << figures.precision() << mistakes);
  }
}

}  // namespace chancery::tests
