#include "daemon/telemetry/process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "sdk/base/proc_stat.hpp"

namespace chancery::telemetry {
namespace {

std::string read(const char* file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The kernel says when the machine began, and how many ticks after it the process did.
double started_at() {
  constexpr const char* kBootTime = "\nbtime ";
  const std::string machine = read("/proc/stat");
  const std::size_t at = machine.find(kBootTime);
  if (at == std::string::npos) return 0;
  const double ticks = static_cast<double>(start_time_of(read("/proc/self/stat")));
  return std::stod(machine.substr(at + 7)) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double resident_octets() {
  std::ifstream in("/proc/self/statm");
  double whole = 0, resident = 0;
  in >> whole >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator i("/proc/self/fd", error), end; !error && i != end;
       i.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // one is the look itself
}

double most_descriptors() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

ProcessFigures process_figures() {
  return {started_at(), resident_octets(), open_descriptors(), most_descriptors()};
}

}  // namespace chancery::telemetry
