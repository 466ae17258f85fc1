#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/telemetry/histogram.hpp"

namespace chancery::telemetry {

/// What a histogram has counted, whatever its bounds.
struct Buckets {
  Buckets() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): one is the other with its bounds
  Buckets(const Histogram::Reading& reading) : Buckets(Histogram::kBounds, reading.counts, reading.sum) {}
  template <typename Bounds, typename Counts>
  Buckets(const Bounds& upper, const Counts& each, double total)
      : bounds(upper.begin(), upper.end()), counts(each.begin(), each.end()), sum(total) {}

  std::vector<double> bounds{};         ///< upper ones, ascending
  std::vector<std::uint64_t> counts{};  ///< of each bucket alone; one more than bounds
  double sum = 0;
};

/// One value of a metric. The labels' values may be any text.
struct Sample {
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels{};  ///< name and value
  Buckets histogram{};                                        ///< in place of `value`, of Kind::kHistogram
};

struct Metric {
  enum class Kind : std::uint8_t { kGauge, kCounter, kHistogram };
  std::string name;  ///< [a-zA-Z_:][a-zA-Z0-9_:]*; a counter's ends with `_total`
  std::string help;
  Kind kind = Kind::kGauge;
  std::vector<Sample> samples{};
};

/// What the text below is, for the Content-Type header.
inline constexpr const char* kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics in Prometheus' text format, version 0.0.4, in the given order.
[[nodiscard]] std::string exposition(const std::vector<Metric>& metrics);

}  // namespace chancery::telemetry
