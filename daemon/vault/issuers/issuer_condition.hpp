#pragma once

#include <chrono>
#include <mutex>

#include <chancery/result.hpp>

#include "daemon/vault/issuer.hpp"

namespace chancery::vault {

/// The facts of an issuer, as what it tried last left them. Thread-safe.
class IssuerCondition {
 public:
  void note_success(std::chrono::sys_seconds now) { enter(IssuerState::kReady, now, {}); }

  void note_failure(std::chrono::sys_seconds now, const Error& why) {
    enter(IssuerState::kFailing, now, why);
  }
  void note_needs_consent(std::chrono::sys_seconds now, const Error& why) {
    enter(IssuerState::kNeedsConsent, now, why);
  }

  [[nodiscard]] IssuerFacts facts() const {
    const std::lock_guard lock(mutex_);
    return facts_;
  }

 private:
  void enter(IssuerState state, std::chrono::sys_seconds now, const Error& why) {
    const std::lock_guard lock(mutex_);
    if (facts_.state != state || facts_.since == std::chrono::sys_seconds{}) facts_.since = now;
    facts_.state = state;
    facts_.why = why;
  }

  mutable std::mutex mutex_;
  IssuerFacts facts_;
};

}  // namespace chancery::vault
