#pragma once

namespace chancery::telemetry {

/// What the kernel says of this process; 0 for what cannot be read.
struct ProcessFigures {
  double started_at = 0;  ///< seconds since 1970
  double resident_octets = 0;
  double open_descriptors = 0;
  double most_descriptors = 0;
};

/// Reads /proc: some tens of microseconds.
[[nodiscard]] ProcessFigures process_figures();

}  // namespace chancery::telemetry
