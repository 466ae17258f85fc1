#include "daemon/systemd/notify.hpp"

#include <cstdint>
#include <ctime>

#include <systemd/sd-daemon.h>

namespace chancery::systemd {
namespace {

// Answers whether it was sent, by which nobody could do anything.
void notify(const std::string& state) { (void)::sd_notify(0, state.c_str()); }

}  // namespace

void notify_ready(const std::string& status) { notify("READY=1\nSTATUS=" + status); }

// Managers from version 253 on want to know when the reload began, to tell its end from an earlier one's.
void notify_reloading() {
  using namespace std::chrono;
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  const auto now = duration_cast<microseconds>(seconds(time.tv_sec) + nanoseconds(time.tv_nsec)).count();
  notify("RELOADING=1\nSTATUS=reading the configuration again\nMONOTONIC_USEC=" + std::to_string(now));
}

void notify_stopping() { notify("STOPPING=1\nSTATUS=answering what is under way"); }

void notify_alive() { notify("WATCHDOG=1"); }

std::chrono::milliseconds watchdog_time() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(microseconds));
}

}  // namespace chancery::systemd
