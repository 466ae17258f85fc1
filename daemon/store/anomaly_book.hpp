#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/outbox.hpp"

namespace chancery::store {

/// What is usual for the agents, and what was not. Neither is an effect: what follows from an anomaly has an audit entry
/// of its own. Anomalies are what a webhook is told. Thread-safe. Errors common to all: the store's (see Store).
class AnomalyBook : public Outbox {
 public:
  /// Older ones are forgotten.
  static constexpr std::int64_t kMostAnomalies = 1000;

  using Learned = std::pair<std::string, std::string>;  ///< an agent's id, and its baseline in JSON

  /// Of agents that are not retired.
  [[nodiscard]] virtual Result<std::vector<Learned>> baselines() = 0;
  /// Keeps these, each in place of what was kept of the same agent before.
  [[nodiscard]] virtual Status keep_baselines(std::span<const Learned> baselines) = 0;
  /// Forgets what was kept of agents that are retired.
  [[nodiscard]] virtual Status forget_retired() = 0;

  /// \param json  an anomaly without its number
  [[nodiscard]] virtual Status add(std::string_view json) = 0;
  /// Newest first.
  [[nodiscard]] virtual Result<std::vector<Kept>> recent(std::size_t limit) = 0;
};

}  // namespace chancery::store
