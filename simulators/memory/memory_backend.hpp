#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "hsm/key_backend.hpp"
#include "hsm/sealer.hpp"
#include "sdk/crypto/signing_key.hpp"

namespace chancery::simulators {

/// A key backend in this process's memory, for tests of what stands above the devices: fast, and failing on
/// demand. chanceryd does not link it; a lint test looks. Thread-safe.
class MemoryBackend final : public hsm::KeyBackend, public hsm::Sealer {
 public:
  explicit MemoryBackend(std::string name = "memory") : name_(std::move(name)) {}

  Result<hsm::StoredKey> create(const hsm::KeyBinding& binding, Algorithm algorithm,
                                hsm::Deadline deadline) override;
  Result<Signature> sign(const hsm::StoredKey& key, ByteView message, hsm::Deadline deadline) override;
  Status destroy(const hsm::StoredKey& key, hsm::Deadline deadline) override;
  Status discard(const hsm::KeyBinding& binding, hsm::Deadline deadline) override;
  Status adopt(const std::function<Status(ByteView name)>& keep) override;
  Status check(hsm::Deadline deadline) override;
  Result<std::vector<hsm::Fact>> facts(hsm::Deadline deadline) override;
  Result<Bytes> seal(const hsm::KeyBinding& binding, const SecretBytes& secret,
                     hsm::Deadline deadline) override;
  Result<SecretBytes> unseal(const hsm::KeyBinding& binding, ByteView sealed,
                             hsm::Deadline deadline) override;
  [[nodiscard]] hsm::Sealer* sealer() noexcept override { return this; }
  [[nodiscard]] hsm::BackendInfo describe() const override;
  [[nodiscard]] hsm::BackendLoad load() const override;

  /// From now on another device answers, which has none of the keys, until it is adopted.
  void exchange_device();
  /// From now on every call fails with this error; nullopt: the device is well again.
  void fail_with(std::optional<Error> error);
  /// Calls this after each signature, before it is returned: what happens while a device signs.
  void after_signing(std::function<void()> step);
  /// Calls this in each check(), before it answers: what happens while a device is asked.
  void while_checking(std::function<void()> step);
  /// Of the check() that came last.
  [[nodiscard]] hsm::Deadline last_deadline() const;
  /// Keys that the device keeps.
  [[nodiscard]] std::size_t keys() const;
  [[nodiscard]] std::uint64_t checks() const noexcept { return checks_; }
  [[nodiscard]] std::uint64_t signatures() const noexcept { return signatures_; }
  [[nodiscard]] std::uint64_t unsealings() const noexcept { return unsealings_; }

 private:
  struct HeldKey {
    hsm::KeyBinding binding;
    SigningKey key;
  };

  [[nodiscard]] Status usable(hsm::Deadline deadline) const;

  const std::string name_;
  mutable std::mutex mutex_;
  std::map<Bytes, HeldKey> keys_;  // by blob
  SecretBytes sealing_key_;        // empty: none yet
  std::optional<Error> failure_;
  bool is_exchanged_ = false;
  std::function<void()> after_signing_;
  std::function<void()> while_checking_;
  hsm::Deadline last_deadline_{};
  std::atomic<std::uint64_t> checks_ = 0;
  std::atomic<std::uint64_t> signatures_ = 0;
  std::atomic<std::uint64_t> unsealings_ = 0;
};

}  // namespace chancery::simulators
