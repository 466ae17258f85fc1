#include "daemon/systemd/watchdog.hpp"

#include <utility>

namespace chancery::systemd {

Watchdog::Watchdog(std::vector<Probe> probes, std::function<void()> feed, Complaint complain)
    : probes_(std::move(probes)), feed_(std::move(feed)), complain_(std::move(complain)) {}

void Watchdog::round() const {
  for (const Probe& probe : probes_) {
    if (!probe.works()) return complain_(probe.part);
  }
  feed_();
}

}  // namespace chancery::systemd
