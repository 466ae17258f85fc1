#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/call_desk.hpp"
#include "daemon/telemetry/exposition.hpp"
#include "daemon/telemetry/histogram.hpp"

namespace chancery::runtime {

/// A kind of answer as the interface and the metrics write it: `done`, `approval_required`.
[[nodiscard]] std::string_view kind_name(CallAnswer::Kind kind) noexcept;

/// How calls ended, and how long they took, by tool: since the start, and of tools that are no more, too. Thread-safe.
class CallFigures {
 public:
  /// \param tool  a declared one: nobody else chooses a label
  /// \param took  from the request to the answer
  void add(const std::string& tool, const CallAnswer& answer, std::chrono::nanoseconds took);
  /// A call of a tool that there is not.
  void add_unknown();

  /// `chancery_runtime_calls_total`, `chancery_runtime_call_seconds` and `chancery_runtime_redactions_total`.
  [[nodiscard]] std::vector<telemetry::Metric> metrics() const;

 private:
  static constexpr std::size_t kKinds = 7;
  struct OfTool {
    std::array<std::uint64_t, kKinds> outcomes{};
    telemetry::Histogram took;
  };

  mutable std::mutex mutex_;  // of all below
  std::map<std::string, OfTool, std::less<>> tools_;
  std::map<std::string, std::uint64_t, std::less<>> redactions_;  // by kind
  std::uint64_t unknown_ = 0;
};

}  // namespace chancery::runtime
