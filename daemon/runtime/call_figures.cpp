#include "daemon/runtime/call_figures.hpp"

namespace chancery::runtime {
namespace {

using telemetry::Metric;

constexpr std::array<std::string_view, 7> kKindNames{
    "done", "error", "unknown", "invalid", "denied", "approval_required", "failed"};

std::size_t place_of(CallAnswer::Kind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

std::string_view kind_name(CallAnswer::Kind kind) noexcept { return kKindNames[place_of(kind)]; }

void CallFigures::add(const std::string& tool, const CallAnswer& answer, std::chrono::nanoseconds took) {
  const std::lock_guard lock(mutex_);
  OfTool& figures = tools_[tool];
  ++figures.outcomes[place_of(answer.kind)];
  figures.took.add(took);
  for (const auto& [kind, count] : answer.redactions) redactions_[kind] += static_cast<std::uint64_t>(count);
}

void CallFigures::add_unknown() {
  const std::lock_guard lock(mutex_);
  ++unknown_;
}

std::vector<Metric> CallFigures::metrics() const {
  static_assert(kKindNames.size() == kKinds);
  Metric calls{"chancery_runtime_calls_total", "Calls of tools, by what came of them.",
               Metric::Kind::kCounter};
  Metric took{"chancery_runtime_call_seconds", "How long calls of tools took, the upstream's part included.",
              Metric::Kind::kHistogram};
  Metric redactions{"chancery_runtime_redactions_total",
                    "What was taken out of upstreams' answers, or refused in arguments, by kind.",
                    Metric::Kind::kCounter};
  const std::lock_guard lock(mutex_);
  calls.samples.push_back({static_cast<double>(unknown_), {{"outcome", "unknown"}, {"tool", ""}}});
  for (const auto& [tool, figures] : tools_) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      if (figures.outcomes[kind] == 0) continue;
      calls.samples.push_back({static_cast<double>(figures.outcomes[kind]),
                               {{"outcome", std::string(kKindNames[kind])}, {"tool", tool}}});
    }
    took.samples.push_back({0, {{"tool", tool}}, figures.took.read()});
  }
  for (const auto& [kind, count] : redactions_)
    redactions.samples.push_back({static_cast<double>(count), {{"kind", kind}}});
  return {std::move(calls), std::move(took), std::move(redactions)};
}

}  // namespace chancery::runtime
