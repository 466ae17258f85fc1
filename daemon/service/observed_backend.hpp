#pragma once

#include <memory>
#include <string>

#include "daemon/telemetry/histogram.hpp"
#include "daemon/telemetry/log.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// A backend whose commands are timed and told to the log: each at the level debug, those that fail or are slow as
/// warnings, with the request that they were for. Thread-safe, as the backend is.
class ObservedBackend final : public hsm::KeyBackend {
 public:
  /// \param name  of the `[[backend]]` section
  /// \param log  borrowed, outlives it; null: nothing is told
  ObservedBackend(std::string name, std::unique_ptr<hsm::KeyBackend> backend, const telemetry::Log* log)
      : name_(std::move(name)), backend_(std::move(backend)), log_(log) {}

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
  [[nodiscard]] hsm::GatedKeys* gated_keys() noexcept override { return backend_->gated_keys(); }
  [[nodiscard]] hsm::BackendInfo describe() const override { return backend_->describe(); }
  [[nodiscard]] hsm::BackendLoad load() const override { return backend_->load(); }

  /// How long signatures took, those that failed included, from the call to the answer: waiting in the queue too.
  [[nodiscard]] const telemetry::Histogram& signing() const noexcept { return signing_; }

 private:
  template <typename Command>
  auto observed(const char* command, const hsm::KeyBinding& binding, Command run);

  const std::string name_;
  const std::unique_ptr<hsm::KeyBackend> backend_;
  const telemetry::Log* const log_;
  telemetry::Histogram signing_;
};

}  // namespace chancery::service
