#include "daemon/telemetry/exposition.hpp"

#include <limits>

#include <prometheus/text_serializer.h>

namespace chancery::telemetry {
namespace {

// Prometheus counts into a bucket all that is below its bound.
prometheus::ClientMetric::Histogram to_prometheus(const Buckets& reading) {
  prometheus::ClientMetric::Histogram out;
  out.sample_sum = reading.sum;
  for (std::size_t i = 0; i < reading.counts.size(); ++i) {
    out.sample_count += reading.counts[i];
    const bool is_bounded = i < reading.bounds.size();
    out.bucket.push_back(
        {out.sample_count, is_bounded ? reading.bounds[i] : std::numeric_limits<double>::infinity()});
  }
  return out;
}

prometheus::ClientMetric to_prometheus(const Sample& sample, Metric::Kind kind) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  switch (kind) {
    case Metric::Kind::kGauge:
      out.gauge.value = sample.value;
      break;
    case Metric::Kind::kCounter:
      out.counter.value = sample.value;
      break;
    case Metric::Kind::kHistogram:
      out.histogram = to_prometheus(sample.histogram);
      break;
  }
  return out;
}

prometheus::MetricType type_of(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Metric::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Metric::Kind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::MetricFamily to_prometheus(const Metric& metric) {
  prometheus::MetricFamily out;
  out.name = metric.name;
  out.help = metric.help;
  out.type = type_of(metric.kind);
  for (const Sample& sample : metric.samples) out.metric.push_back(to_prometheus(sample, metric.kind));
  return out;
}

}  // namespace

std::string exposition(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) families.push_back(to_prometheus(metric));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace chancery::telemetry
