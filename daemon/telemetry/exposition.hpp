#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/telemetry/histogram.hpp"

namespace chancery::telemetry {

/// One value of a metric. The labels' values may be any text.
struct Sample {
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels{};  ///< name and value
  Histogram::Reading histogram{};                             ///< in place of `value`, of Kind::kHistogram
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
