#pragma once

#include <functional>
#include <vector>

namespace chancery::systemd {

/// A part without which the daemon does no work.
struct Probe {
  const char* part;             ///< a literal, for the log
  std::function<bool()> works;  ///< may also not return: then its round does not end
};

/// Says that the daemon is alive for as long as every part of it is. What a part answers, an error too, is life:
/// a restart helps against what is stuck, not against a full disk or a device that is gone.
class Watchdog {
 public:
  using Complaint = std::function<void(const char* part)>;

  /// \param feed  called after each round in which every probe said yes
  /// \param complain  called with the first part that did not
  Watchdog(std::vector<Probe> probes, std::function<void()> feed, Complaint complain);

  /// Asks one after the other. On one thread only.
  void round() const;

 private:
  std::vector<Probe> probes_;
  std::function<void()> feed_;
  Complaint complain_;
};

}  // namespace chancery::systemd
