#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <re2/re2.h>
#include <time.h>

#include "sdk/crypto/hash.hpp"
#include "sdk/redaction/log_redactor.hpp"
#include "sdk/redaction/secret_patterns.hpp"
#include "sdk/redaction/stream_redactor.hpp"
#include "tests/bench/redaction_bodies.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/redaction/corpus.hpp"
#include "tests/redaction/made_secrets.hpp"

namespace chancery::bench {
namespace {

constexpr std::size_t kSize = 4 * 1024 * 1024;
constexpr int kRounds = 5;
constexpr double kMega = 1e6;

using redaction::FinderOptions;
using redaction::KnownSecrets;
using redaction::SecretFinder;

// What tools answer and programs log, without a secret: the usual case.
std::string quiet_text(const tests::Corpus& corpus) {
  const SecretFinder finder = tests::full_finder(corpus);
  std::string text;
  std::vector<const tests::Sample*> quiet;
  for (const tests::Sample& sample : corpus.negatives) {
    if (finder.find(sample.text).empty()) quiet.push_back(&sample);
  }
  for (std::size_t i = 0; text.size() < kSize; ++i) text.append(quiet[i % quiet.size()]->text).append("\n");
  return text;
}

SecretFinder finder_of(std::size_t values, bool patterns, bool random_tokens) {
  tests::RandomSource random(7);
  const auto known = std::make_shared<KnownSecrets>();
  for (std::size_t i = 0; i < values; ++i) {
    const std::string value = tests::random_text(random, tests::kAlphanumeric, 24 + i % 41);
    if (!known->add(as_bytes(value), "value")) fail("a value cannot be known");
  }
  FinderOptions options;
  options.patterns = patterns;
  options.random_tokens = random_tokens;
  return SecretFinder(known, options);
}

// Of this thread's time on a processor: whoever else has some of it changes no figure.
double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

template <typename Work>
double megabytes_per_second(std::size_t size, Work work) {
  const double start = thread_seconds();
  work();
  return static_cast<double>(size) / kMega / (thread_seconds() - start);
}

// In pieces as they come from a connection.
double stream_speed(const SecretFinder& finder, const std::string& text) {
  return megabytes_per_second(text.size(), [&] {
    constexpr std::size_t kChunk = 16 * 1024;
    redaction::StreamRedactor stream(finder);
    std::size_t size = 0;
    for (std::size_t at = 0; at < text.size(); at += kChunk)
      size += stream.feed(std::string_view(text).substr(at, kChunk)).size();
    size += stream.finish().size();
    if (size == 0) fail("nothing came out");
  });
}

double find_speed(const SecretFinder& finder, const std::string& text) {
  return megabytes_per_second(text.size(), [&] {
    constexpr std::size_t kBody = 64 * 1024;
    for (std::size_t at = 0; at < text.size(); at += kBody)
      (void)finder.find(std::string_view(text).substr(at, kBody));
  });
}

double copy_speed(const std::string& text) {
  static std::string copy;
  copy.resize(text.size());
  return megabytes_per_second(text.size(), [&] { std::memcpy(copy.data(), text.data(), text.size()); });
}

// The least that anybody can do who looks for one value, in no other form than its own.
double memmem_speed(const std::string& text) {
  tests::RandomSource random(7);
  const std::string value = tests::random_text(random, tests::kAlphanumeric, 32);
  return megabytes_per_second(text.size(), [&] {
    if (::memmem(text.data(), text.size(), value.data(), value.size()) != nullptr) fail("the value is there");
  });
}

// All expressions in one: what marks save.
double one_expression_speed(const std::string& text) {
  std::string all;
  for (const redaction::SecretPattern& pattern : redaction::secret_patterns())
    all.append(all.empty() ? "(?:" : "|(?:").append(pattern.expression).append(")");
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  const re2::RE2 search(all, options);
  if (!search.ok()) fail("the expressions do not fit into one");
  return megabytes_per_second(text.size(), [&] {
    constexpr std::size_t kLine = 200;
    for (std::size_t at = 0; at < text.size(); at += kLine)
      (void)re2::RE2::PartialMatch(re2::StringPiece(text.data() + at, std::min(kLine, text.size() - at)),
                                   search);
  });
}

double log_speed(const redaction::LogRedactor& redactor, const std::string& text) {
  return megabytes_per_second(text.size(), [&] {
    constexpr std::size_t kLine = 200;
    for (std::size_t at = 0; at < text.size(); at += kLine)
      (void)redactor.text(std::string_view(text).substr(at, kLine));
  });
}

// A body as a tool's answer goes to an agent: read as JSON where it is, and looked at for all there is.
double body_speed(const SecretFinder& finder, const std::string& text) {
  constexpr int kTimes = 20;
  return megabytes_per_second(kTimes * text.size(), [&] {
    for (int i = 0; i < kTimes; ++i) {
      if (!finder.redact_json(text).hits.empty()) fail("a body has nothing secret");
    }
  });
}

// What nobody can do without who keeps a hash of each answer.
double hash_speed(const std::string& text) {
  constexpr int kTimes = 20;
  return megabytes_per_second(kTimes * text.size(), [&] {
    for (int i = 0; i < kTimes; ++i) {
      if (sha256(as_bytes(text)).size() != 32) fail("no hash");
    }
  });
}

void add_bodies(Report& report) {
  for (const Body& body : redaction_bodies()) {
    const auto hash = [&] { return hash_speed(body.text); };
    for (const std::size_t values : {1, 10, 1000}) {
      const SecretFinder finder = finder_of(values, true, true);
      const SideBySide figures = median_ratio([&] { return body_speed(finder, body.text); }, hash, kRounds);
      const std::string name = "redaction_" + std::string(body.name) + "_" + std::to_string(values);
      report.add(name + "_mb_per_s", figures.a);
      report.add(name + "_sha256_ratio", figures.ratio);
    }
  }
}

void add_figures(Report& report, const tests::Corpus& corpus) {
  report.add("redaction_positives", static_cast<double>(corpus.positives.size()));
  report.add("redaction_negatives", static_cast<double>(corpus.negatives.size()));
  for (const auto& [detector, figures] : tests::measure(corpus)) {
    report.add("recall of " + detector, figures.recall());
    report.add("precision of " + detector, figures.precision());
  }
}

}  // namespace

/// How much is found, how much too much, and how fast, beside copying the text and looking for one value by memmem(3).
void bench_redaction(Report& report) {
  const tests::Corpus corpus = tests::read_corpus(CHANCERY_SOURCE_DIR "/tests/redaction/corpus");
  add_figures(report, corpus);

  add_bodies(report);

  const std::string text = quiet_text(corpus);
  const SecretFinder whole = finder_of(1, true, true);
  const SecretFinder many = finder_of(20, true, true);
  const SecretFinder known = finder_of(1, false, false);
  const SecretFinder patterns = finder_of(0, true, false);
  const redaction::LogRedactor log;
  const auto memmem = [&] { return memmem_speed(text); };
  const SideBySide stream = median_ratio([&] { return stream_speed(whole, text); }, memmem, kRounds);
  const SideBySide known_only = median_ratio([&] { return find_speed(known, text); }, memmem, kRounds);
  const SideBySide by_pattern = median_ratio([&] { return find_speed(patterns, text); },
                                             [&] { return one_expression_speed(text); }, kRounds);
  report.add("redaction_memcpy_mb_per_s", copy_speed(text));
  report.add("redaction_memmem_mb_per_s", stream.b);
  report.add("redaction_stream_mb_per_s", stream.a);
  report.add("redaction_stream_ratio", stream.ratio);
  report.add("redaction_stream_20_values_mb_per_s", stream_speed(many, text));
  report.add("redaction_known_mb_per_s", known_only.a);
  report.add("redaction_known_ratio", known_only.ratio);
  report.add("redaction_patterns_mb_per_s", by_pattern.a);
  report.add("redaction_one_expression_mb_per_s", by_pattern.b);
  report.add("redaction_patterns_ratio", by_pattern.ratio);
  report.add("redaction_log_mb_per_s", log_speed(log, text));
}

}  // namespace chancery::bench
