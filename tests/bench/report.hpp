#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::bench {

/// Named figures, in the order in which they were measured. Units stand in the names.
class Report {
 public:
  /// Each name once.
  void add(std::string_view name, double value);

  /// Two columns, for people.
  void print(std::FILE* out) const;
  /// One flat JSON object, for programs.
  [[nodiscard]] Status write_json(const std::string& file) const;

 private:
  std::vector<std::pair<std::string, double>> figures_;
};

/// The middle one, or the upper of the two in the middle. Not of nothing.
[[nodiscard]] double median(std::vector<double> values);

/// The one below which so many of a hundred are. Not of nothing.
[[nodiscard]] double percentile(std::vector<double> values, std::size_t percent);

/// The medians of two figures that were measured side by side.
struct SideBySide {
  double a = 0;
  double b = 0;
  double ratio = 0;  ///< of a to b, the median over the rounds
};

/// Measures `a` and `b` in turns, so that a change of the machine's speed meets both alike.
[[nodiscard]] SideBySide median_ratio(const std::function<double()>& a, const std::function<double()>& b,
                                      int rounds);

}  // namespace chancery::bench
