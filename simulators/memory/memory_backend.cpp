#include "simulators/memory/memory_backend.hpp"

#include "sdk/crypto/hash.hpp"

namespace chancery::simulators {

void MemoryBackend::fail_with(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  failure_ = error;
}

void MemoryBackend::after_signing(std::function<void()> step) {
  const std::lock_guard lock(mutex_);
  after_signing_ = std::move(step);
}

void MemoryBackend::while_checking(std::function<void()> step) {
  const std::lock_guard lock(mutex_);
  while_checking_ = std::move(step);
}

Status MemoryBackend::usable(hsm::Deadline deadline) const {
  if (deadline <= std::chrono::steady_clock::now())
    return Error{ErrorCode::kDeviceTimeout, "the deadline has passed"};
  const std::lock_guard lock(mutex_);
  return failure_ ? Status{*failure_} : Status{};
}

Result<hsm::StoredKey> MemoryBackend::create(const hsm::KeyBinding& binding, hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  CHANCERY_ASSIGN(SigningKey key, SigningKey::generate(Algorithm::kES256));
  Bytes blob(32);
  CHANCERY_TRY(random_bytes(blob));
  hsm::StoredKey stored{binding, key.public_key(), blob};
  const std::lock_guard lock(mutex_);
  keys_.emplace(std::move(blob), HeldKey{binding, std::move(key)});
  return stored;
}

Result<Signature> MemoryBackend::sign(const hsm::StoredKey& key, ByteView message, hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  std::unique_lock lock(mutex_);
  const auto held = keys_.find(key.blob);
  if (held == keys_.end() || held->second.binding != key.binding) {
    return Error{ErrorCode::kKeyLost, "the device does not open this key"};
  }
  if (held->second.key.public_key() != key.public_key) {
    return Error{ErrorCode::kKeyMismatch, "the blob opens to another key"};
  }
  ++signatures_;
  auto signature = held->second.key.sign(message);
  const std::function<void()> step = after_signing_;
  lock.unlock();
  if (step) step();
  return signature;
}

Status MemoryBackend::destroy(const hsm::StoredKey& key, hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  const std::lock_guard lock(mutex_);
  keys_.erase(key.blob);
  return {};
}

Status MemoryBackend::check(hsm::Deadline deadline) {
  ++checks_;
  std::unique_lock lock(mutex_);
  const std::function<void()> step = while_checking_;
  lock.unlock();
  if (step) step();
  return usable(deadline);
}

hsm::BackendInfo MemoryBackend::describe() const {
  return {name_, "memory", "none", "none", true, {Algorithm::kES256}};
}

}  // namespace chancery::simulators
