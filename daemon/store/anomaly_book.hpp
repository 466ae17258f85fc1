#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::store {

/// What is usual for the agents, and what was not. Neither is an effect: what follows from an anomaly has an audit entry
/// of its own. Thread-safe. Errors common to all: the store's (see Store).
class AnomalyBook {
 public:
  /// Older ones are forgotten.
  static constexpr std::int64_t kMostAnomalies = 1000;

  virtual ~AnomalyBook() = default;

  using Learned = std::pair<std::string, std::string>;  ///< an agent's id, and its baseline in JSON

  /// Of agents that are not retired.
  [[nodiscard]] virtual Result<std::vector<Learned>> baselines() = 0;
  /// Keeps these, each in place of what was kept of the same agent before.
  [[nodiscard]] virtual Status keep_baselines(std::span<const Learned> baselines) = 0;
  /// Forgets what was kept of agents that are retired.
  [[nodiscard]] virtual Status forget_retired() = 0;

  /// \param json  an anomaly without its number
  [[nodiscard]] virtual Status add(std::string_view json) = 0;
  using Kept = std::pair<std::int64_t, std::string>;  ///< an anomaly's number, and its JSON

  /// Newest first.
  [[nodiscard]] virtual Result<std::vector<Kept>> recent(std::size_t limit) = 0;

  // What a webhook has been told. Anomalies that it has not are those behind this one's number.

  /// The last that was told; nothing while there is nobody to tell.
  [[nodiscard]] virtual Result<std::optional<std::int64_t>> last_told() = 0;
  [[nodiscard]] virtual Status set_last_told(std::optional<std::int64_t> number) = 0;
  /// The oldest one behind that number.
  [[nodiscard]] virtual Result<std::optional<Kept>> next_after(std::int64_t number) = 0;
  /// How many are behind the last that was told.
  [[nodiscard]] virtual Result<std::uint64_t> waiting() = 0;
};

}  // namespace chancery::store
