#pragma once

#include <memory>
#include <string>

#include "daemon/telemetry/histogram.hpp"
#include "daemon/telemetry/log.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// Times a device's commands and tells the log of them. Thread-safe.
class DeviceObserver {
 public:
  /// \param name  of the `[[backend]]` section
  /// \param log  borrowed, outlives it; null: nothing is told
  DeviceObserver(std::string name, const telemetry::Log* log) : name_(std::move(name)), log_(log) {}

  /// Runs a command on behalf of a key's owner.
  template <typename Command>
  auto observed(const char* command, const hsm::KeyBinding& binding, Command run);
  /// The same of a signature, which counts among signing().
  template <typename Command>
  auto observed_signature(const char* command, const hsm::KeyBinding& binding, Command run);

  [[nodiscard]] const telemetry::Histogram& signing() const noexcept { return signing_; }

 private:
  const std::string name_;
  const telemetry::Log* const log_;
  telemetry::Histogram signing_;
};

/// A backend whose commands are timed and told to the log: each at the level debug, those that fail or are slow as
/// warnings, with the request that they were for. Thread-safe, as the backend is.
class ObservedBackend final : public hsm::KeyBackend {
 public:
  /// \param name,log  as DeviceObserver has them
  ObservedBackend(std::string name, std::unique_ptr<hsm::KeyBackend> backend, const telemetry::Log* log);
  ~ObservedBackend() override;

  Result<hsm::StoredKey> create(const hsm::KeyBinding& binding, Algorithm algorithm,
                                hsm::Deadline deadline) override;
  Result<Signature> sign(const hsm::StoredKey& key, ByteView message, hsm::Deadline deadline) override;
  Status destroy(const hsm::StoredKey& key, hsm::Deadline deadline) override;
  Status discard(const hsm::KeyBinding& binding, hsm::Deadline deadline) override;
  Status adopt(const std::function<Status(ByteView name)>& keep) override;
  Status check(hsm::Deadline deadline) override;
  Result<std::vector<hsm::Fact>> facts(hsm::Deadline deadline) override;
  [[nodiscard]] hsm::MonotonicCounter* counter() noexcept override { return backend_->counter(); }
  [[nodiscard]] hsm::Attester* attester() noexcept override { return backend_->attester(); }
  [[nodiscard]] hsm::KeyClaimant* claimant() noexcept override { return backend_->claimant(); }
  [[nodiscard]] hsm::Sealer* sealer() noexcept override { return backend_->sealer(); }
  [[nodiscard]] hsm::GatedKeys* gated_keys() noexcept override;
  [[nodiscard]] hsm::KillSwitch* kill_switch() noexcept override { return backend_->kill_switch(); }
  [[nodiscard]] hsm::BackendInfo describe() const override { return backend_->describe(); }
  [[nodiscard]] hsm::BackendLoad load() const override { return backend_->load(); }

  /// How long signatures took, those behind gates and those that failed included, from the call to the answer: waiting in
  /// the queue too.
  [[nodiscard]] const telemetry::Histogram& signing() const noexcept { return observer_.signing(); }

 private:
  class Gated;

  DeviceObserver observer_;
  const std::unique_ptr<hsm::KeyBackend> backend_;
  const std::unique_ptr<Gated> gated_;  // none where the backend has none
};

}  // namespace chancery::service
