#include "daemon/service/observed_backend.hpp"

#include <chrono>

namespace chancery::service {
namespace {

using std::chrono::steady_clock;

// Beyond what a chip needs for a signature: such a command waited, or its device is in trouble.
constexpr std::chrono::seconds kSlow{1};

// What a caller asked for too early, or too late, is no fault of the device's.
bool is_fault(const Error& error) { return error.code != ErrorCode::kDeviceBusy; }

}  // namespace

// Runs a command on behalf of a key's owner.
template <typename Command>
auto ObservedBackend::observed(const char* command, const hsm::KeyBinding& binding, Command run) {
  const auto begun = steady_clock::now();
  auto answer = run();
  const auto took = steady_clock::now() - begun;
  if (log_ == nullptr) return answer;
  using telemetry::Field;
  const Field backend("backend", name_), what("command", command), owner("owner", binding.agent_id),
      key("key_id", binding.key_id),
      us("us", std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  if (!answer && is_fault(answer.error())) {
    log_->warning("a device's command failed", answer.error(), {backend, what, owner, key, us});
  } else if (took >= kSlow) {
    log_->warning("a device was slow", {backend, what, owner, key, us});
  } else {
    log_->debug("device", {backend, what, owner, key, us, {"done", answer.has_value()}});
  }
  return answer;
}

Result<hsm::StoredKey> ObservedBackend::create(const hsm::KeyBinding& binding, Algorithm algorithm,
                                               hsm::Deadline deadline) {
  return observed("create", binding, [&] { return backend_->create(binding, algorithm, deadline); });
}

Result<Signature> ObservedBackend::sign(const hsm::StoredKey& key, ByteView message, hsm::Deadline deadline) {
  const auto begun = steady_clock::now();
  auto signature = observed("sign", key.binding, [&] { return backend_->sign(key, message, deadline); });
  signing_.add(steady_clock::now() - begun);
  return signature;
}

Status ObservedBackend::destroy(const hsm::StoredKey& key, hsm::Deadline deadline) {
  return observed("destroy", key.binding, [&] { return backend_->destroy(key, deadline); });
}

Status ObservedBackend::discard(const hsm::KeyBinding& binding, hsm::Deadline deadline) {
  return observed("discard", binding, [&] { return backend_->discard(binding, deadline); });
}

Status ObservedBackend::adopt(const std::function<Status(ByteView name)>& keep) {
  return observed("adopt", {}, [&] { return backend_->adopt(keep); });
}

Status ObservedBackend::check(hsm::Deadline deadline) { return backend_->check(deadline); }

Result<std::vector<hsm::Fact>> ObservedBackend::facts(hsm::Deadline deadline) {
  return backend_->facts(deadline);
}

}  // namespace chancery::service
