#pragma once

#include <chrono>
#include <string_view>

#include "daemon/service/caller.hpp"
#include "daemon/store/store.hpp"
#include "hsm/key_backend.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

/// When something is done, until when it must be, and for whom; for nobody: of the daemon's own accord.
struct Occasion {
  std::chrono::sys_seconds now{};
  hsm::Deadline deadline{};
  const CallContext* caller = nullptr;  ///< borrowed
};

[[nodiscard]] Occasion on_behalf_of(const CallContext& context);

/// What was done on an occasion, for a caller or of the daemon's own accord.
[[nodiscard]] store::AuditEntry audit_entry(std::string_view action, const Occasion& occasion,
                                            json::Node details);

}  // namespace chancery::service
