#include "daemon/service/observed_backend.hpp"

#include <chrono>

#include "hsm/gated_keys.hpp"

namespace chancery::service {
namespace {

using std::chrono::steady_clock;

// Beyond what a chip needs for a signature: such a command waited, or its device is in trouble.
constexpr std::chrono::seconds kSlow{1};

// What a caller asked for too early, or too late, is no fault of the device's.
bool is_fault(const Error& error) { return error.code != ErrorCode::kDeviceBusy; }

}  // namespace

template <typename Command>
auto DeviceObserver::observed(const char* command, const hsm::KeyBinding& binding, Command run) {
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

template <typename Command>
auto DeviceObserver::observed_signature(const char* command, const hsm::KeyBinding& binding, Command run) {
  const auto begun = steady_clock::now();
  auto signature = observed(command, binding, run);
  signing_.add(steady_clock::now() - begun);
  return signature;
}

/// The gated keys of a backend, observed as its others are.
class ObservedBackend::Gated final : public hsm::GatedKeys {
 public:
  /// Both borrowed.
  Gated(hsm::GatedKeys& keys, DeviceObserver& observer) : keys_(keys), observer_(observer) {}

  Result<hsm::StoredKey> create(const hsm::KeyBinding& binding, const attest::GatePolicy& policy,
                                hsm::Deadline deadline) override {
    return observer_.observed("create_gated", binding,
                              [&] { return keys_.create(binding, policy, deadline); });
  }
  Result<Signature> sign(const hsm::StoredKey& key, const attest::GatePolicy& policy, ByteView message,
                         std::span<const hsm::PolicySignature> signatures, hsm::Deadline deadline) override {
    return observer_.observed_signature(
        "sign_gated", key.binding, [&] { return keys_.sign(key, policy, message, signatures, deadline); });
  }
  Result<hsm::CreationStatement> certify(const hsm::StoredKey& key, ByteView nonce,
                                         hsm::Deadline deadline) override {
    return keys_.certify(key, nonce, deadline);
  }
  [[nodiscard]] Result<Bytes> public_area(const hsm::StoredKey& key) const override {
    return keys_.public_area(key);
  }

 private:
  hsm::GatedKeys& keys_;
  DeviceObserver& observer_;
};

ObservedBackend::ObservedBackend(std::string name, std::unique_ptr<hsm::KeyBackend> backend,
                                 const telemetry::Log* log)
    : observer_(std::move(name), log),
      backend_(std::move(backend)),
      gated_(backend_->gated_keys() == nullptr
                 ? nullptr
                 : std::make_unique<Gated>(*backend_->gated_keys(), observer_)) {}

ObservedBackend::~ObservedBackend() = default;

hsm::GatedKeys* ObservedBackend::gated_keys() noexcept { return gated_.get(); }

Result<hsm::StoredKey> ObservedBackend::create(const hsm::KeyBinding& binding, Algorithm algorithm,
                                               hsm::Deadline deadline) {
  return observer_.observed("create", binding,
                            [&] { return backend_->create(binding, algorithm, deadline); });
}

Result<Signature> ObservedBackend::sign(const hsm::StoredKey& key, ByteView message, hsm::Deadline deadline) {
  return observer_.observed_signature("sign", key.binding,
                                      [&] { return backend_->sign(key, message, deadline); });
}

Status ObservedBackend::destroy(const hsm::StoredKey& key, hsm::Deadline deadline) {
  return observer_.observed("destroy", key.binding, [&] { return backend_->destroy(key, deadline); });
}

Status ObservedBackend::discard(const hsm::KeyBinding& binding, hsm::Deadline deadline) {
  return observer_.observed("discard", binding, [&] { return backend_->discard(binding, deadline); });
}

Status ObservedBackend::adopt(const std::function<Status(ByteView name)>& keep) {
  return observer_.observed("adopt", {}, [&] { return backend_->adopt(keep); });
}

Status ObservedBackend::check(hsm::Deadline deadline) { return backend_->check(deadline); }

Result<std::vector<hsm::Fact>> ObservedBackend::facts(hsm::Deadline deadline) {
  return backend_->facts(deadline);
}

}  // namespace chancery::service
