#include "daemon/service/metrics.hpp"

#include "daemon/rest/routes.hpp"
#include "daemon/telemetry/exposition.hpp"

namespace chancery::rest {
namespace {

telemetry::Metric request_counts(const telemetry::RequestCounts& counts) {
  telemetry::Metric metric{
      "chancery_requests_total",
      "Requests that reached a route, by its pattern and the class of the answer's status.",
      telemetry::Metric::Kind::kCounter};
  for (std::size_t route = 0; route < routes().size(); ++route) {
    const Route& described = routes()[route];
    for (std::size_t status = 0; status < telemetry::RequestCounts::kClasses; ++status) {
      const std::uint64_t count = counts.value(route, status);
      if (count == 0) continue;
      metric.samples.push_back({static_cast<double>(count),
                                {{"method", std::string(described.method)},
                                 {"route", std::string(described.pattern)},
                                 {"status", std::to_string(status + 1) + "xx"}}});
    }
  }
  return metric;
}

// They are names of backends, routes and states; should one ever be more, it is no secret.
void redact_labels(telemetry::Metric& metric, const telemetry::Redactor& redactor) {
  for (telemetry::Sample& sample : metric.samples) {
    for (auto& [name, value] : sample.labels) value = redactor.text(value);
  }
}

}  // namespace

Response show_metrics(service::Office& office, const Request& request, std::string_view) {
  std::vector<telemetry::Metric> metrics = service::metrics(office, request.received_at);
  metrics.push_back(request_counts(*office.requests));
  for (telemetry::Metric& metric : metrics) redact_labels(metric, *office.redactor);
  return Response{200, telemetry::kExpositionType, telemetry::exposition(metrics), {}};
}

}  // namespace chancery::rest
