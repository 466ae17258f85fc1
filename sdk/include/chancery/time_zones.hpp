#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

namespace chancery {

/// Local time in named zones, as plain data: `time_window` constraints are judged by it. A value; a default one knows
/// no zone.
class TimeZones {
 public:
  /// A time during which a zone's clocks stand at the same distance from UTC.
  struct Stretch {
    std::chrono::sys_seconds begin{};  ///< inclusive
    std::chrono::sys_seconds end{};    ///< exclusive
    std::chrono::seconds offset{0};    ///< of local time from UTC; east is positive
  };

  /// Adds a zone or replaces it.
  /// \param stretches  in order of time, none overlapping; what lies between or outside of them is unknown
  void add(std::string name, std::vector<Stretch> stretches);

  /// What clocks in that zone show, as seconds since 1970 by the wall. Logarithmic in the zone's changes.
  /// \return nothing for a zone that is not here, and for a time of which its rules are not known
  [[nodiscard]] std::optional<std::chrono::local_seconds> local_time(std::string_view zone,
                                                                     std::chrono::sys_seconds at) const;

  [[nodiscard]] std::size_t size() const noexcept { return zones_.size(); }

 private:
  std::map<std::string, std::vector<Stretch>, std::less<>> zones_;
};

/// Reads the zones of this system, /usr/share/zoneinfo (package tzdata), with their changes from 1970 on.
///
/// A zone that changes every year is known as far as its file lists the changes one by one, 2037 with Debian's files;
/// later times are unknown, not guessed. Reads some six hundred files: call it once, at the start. A process keeps the
/// rules that it read first; it takes up changed ones when it starts again.
/// \return the zones, or kFileUnreadable
[[nodiscard]] Result<TimeZones> load_system_time_zones();

}  // namespace chancery
