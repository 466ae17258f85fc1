#pragma once

#include <cstdint>
#include <string_view>

namespace chancery {

/// When a process began, in clock ticks since the machine did: field 22 of /proc/PID/stat (proc(5)). With the
/// number it tells a process from a later one of the same number.
/// \param stat  the text of the file
/// \return the ticks; 0 when there is no such field
[[nodiscard]] std::uint64_t start_time_of(std::string_view stat);

}  // namespace chancery
