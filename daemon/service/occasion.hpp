#pragma once

#include <chrono>

#include "daemon/service/caller.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// When something is done, until when it must be, and for whom; for nobody: of the daemon's own accord.
struct Occasion {
  std::chrono::sys_seconds now{};
  hsm::Deadline deadline{};
  const CallContext* caller = nullptr;  ///< borrowed
};

[[nodiscard]] Occasion on_behalf_of(const CallContext& context);

}  // namespace chancery::service
