#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <chancery/result.hpp>

namespace chancery::store {

/// What somebody elsewhere is to be told, in order, and how far that has come: both outlive the process. Numbers grow, and none is
/// given twice; one that is missing was forgotten since too many waited. Thread-safe. Errors common to all: the store's (see Store).
class Outbox {
 public:
  virtual ~Outbox() = default;

  using Kept = std::pair<std::int64_t, std::string>;  ///< the number, and JSON

  /// The number of the newest; 0 before the first.
  [[nodiscard]] virtual Result<std::int64_t> newest() = 0;
  /// The last that was told; nothing while there is nobody to tell.
  [[nodiscard]] virtual Result<std::optional<std::int64_t>> last_told() = 0;
  [[nodiscard]] virtual Status set_last_told(std::optional<std::int64_t> number) = 0;
  /// The oldest one behind that number.
  [[nodiscard]] virtual Result<std::optional<Kept>> next_after(std::int64_t number) = 0;
  /// How many are behind the last that was told.
  [[nodiscard]] virtual Result<std::uint64_t> waiting() = 0;
};

}  // namespace chancery::store
