#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include <chancery/api.hpp>

#include "daemon/service/backend_set.hpp"
#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/spending.hpp"
#include "daemon/store/store.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// Whether the daemon can do its work now, and what is missing. Anybody may ask, and every look asks every
/// device: so an answer serves for the second in which it was found, and only one caller looks at a time.
/// Nobody waits for another's look: meanwhile the last answer serves, and once it is too old, the answer is
/// that the daemon is not ready. Thread-safe.
class ReadinessCheck {
 public:
  /// Without which the daemon does not do its work.
  struct Keys {
    const DaemonKeys& issuer;
    const DaemonKeys& status;
    const DaemonKeys& audit;
    const DaemonKeys& webhook;
  };

  ReadinessCheck(store::Store& store, const Backends& backends, Keys keys, const Spending& spending)
      : store_(store), backends_(backends), keys_(keys), spending_(spending) {}

  /// \param now  the instant of the request
  /// \param deadline  when a device that does not answer is given up
  [[nodiscard]] api::Readiness ask(std::chrono::sys_seconds now, hsm::Deadline deadline);

 private:
  struct Answer {
    std::chrono::sys_seconds found_at{};
    api::Readiness readiness;
  };

  [[nodiscard]] api::Readiness look(hsm::Deadline deadline) const;

  store::Store& store_;
  const Backends& backends_;
  const Keys keys_;
  const Spending& spending_;
  std::mutex looking_;  // held by the one that looks; nobody waits for it
  std::mutex mutex_;    // of last_
  std::optional<Answer> last_;
};

}  // namespace chancery::service
