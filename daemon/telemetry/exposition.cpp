#include "daemon/telemetry/exposition.hpp"

#include <prometheus/text_serializer.h>

namespace chancery::telemetry {
namespace {

prometheus::ClientMetric to_prometheus(const Sample& sample, Metric::Kind kind) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  (kind == Metric::Kind::kCounter ? out.counter.value : out.gauge.value) = sample.value;
  return out;
}

prometheus::MetricFamily to_prometheus(const Metric& metric) {
  prometheus::MetricFamily out;
  out.name = metric.name;
  out.help = metric.help;
  out.type =
      metric.kind == Metric::Kind::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
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
