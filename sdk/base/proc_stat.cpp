#include "sdk/base/proc_stat.hpp"

#include <charconv>

namespace chancery {

// Field 2 is a name of the process's choosing, parentheses and spaces included, so that fields are counted
// behind its last parenthesis.
std::uint64_t start_time_of(std::string_view stat) {
  std::size_t position = stat.rfind(')');
  for (int field = 2; field < 22 && position != std::string_view::npos; ++field) {
    position = stat.find(' ', position + 1);
  }
  std::uint64_t ticks = 0;
  if (position != std::string_view::npos)
    std::from_chars(stat.data() + position + 1, stat.data() + stat.size(), ticks);
  return ticks;
}

}  // namespace chancery
