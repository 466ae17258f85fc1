#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <string>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "sdk/base/fair_queue.hpp"

namespace chancery::hsm {

struct OpenTpm;

/// What a caller wants of the device thread. Shared by both: the caller may leave at its deadline while the
/// device still works, so `work` owns all that it uses.
struct TpmRequest {
  std::string owner;  ///< the agent whose turn it takes
  Deadline deadline;
  std::function<Status(OpenTpm&)> work;

  // Guarded by the device's mutex.
  std::optional<Status> outcome;
  std::condition_variable finished;
};

/// Requests that wait for the device; its mutex guards them.
using RequestQueue = FairQueue<TpmRequest>;

}  // namespace chancery::hsm
