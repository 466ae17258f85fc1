#include "daemon/runtime/readiness.hpp"

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s;
// Each leaves an entry in the daemon's audit log while the runtime is not registered.
constexpr auto kBetweenQuestions = 30s;

}  // namespace

void Readiness::look(Instant now) {
  looked_at_ = now;
  is_there_ = questions_.is_there().has_value();
  if (!is_there_ || is_known_) return;
  if (asked_at_ && now - *asked_at_ < kBetweenQuestions) return;
  const Status known = questions_.is_known();
  const ErrorCode code = known ? ErrorCode::kInternal : known.error().code;
  // Whoever may not ask is told so before anything else is looked at.
  is_known_ = known.has_value() || code == ErrorCode::kNotFound || code == ErrorCode::kInvalidArgument;
  asked_at_ = now;
}

std::vector<std::string_view> Readiness::missing(Instant now) {
  const std::lock_guard lock(mutex_);
  if (!looked_at_ || now - *looked_at_ >= kBetweenLooks) look(now);
  if (!is_there_) return {"daemon"};
  if (!is_known_) return {"registration"};
  return {};
}

void Readiness::doubt() {
  const std::lock_guard lock(mutex_);
  is_known_ = false;
}

}  // namespace chancery::runtime
