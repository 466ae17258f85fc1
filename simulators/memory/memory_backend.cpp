#include "simulators/memory/memory_backend.hpp"

#include "hsm/binding_octets.hpp"
#include "sdk/crypto/aead.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::simulators {

void MemoryBackend::fail_with(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  failure_ = error;
}

void MemoryBackend::exchange_device() {
  const std::lock_guard lock(mutex_);
  is_exchanged_ = true;
}

Status MemoryBackend::adopt(const std::function<Status(ByteView name)>& keep) {
  const std::lock_guard lock(mutex_);
  if (!is_exchanged_) return Error{ErrorCode::kConflict, "no other device was met"};
  CHANCERY_TRY(keep(as_bytes("another device")));
  is_exchanged_ = false;
  keys_.clear();
  sealing_key_ = {};
  return {};
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
  if (is_exchanged_) return Error{ErrorCode::kWrongDevice, "this is another device"};
  return failure_ ? Status{*failure_} : Status{};
}

Result<hsm::StoredKey> MemoryBackend::create(const hsm::KeyBinding& binding, Algorithm algorithm,
                                             hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  CHANCERY_ASSIGN(SigningKey key, SigningKey::generate(algorithm));
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

Status MemoryBackend::discard(const hsm::KeyBinding& binding, hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  const std::lock_guard lock(mutex_);
  std::erase_if(keys_, [&](const auto& entry) { return entry.second.binding == binding; });
  return {};
}

// A nonce, then the ciphertext.
Result<Bytes> MemoryBackend::seal(const hsm::KeyBinding& binding, const SecretBytes& secret,
                                  hsm::Deadline deadline) {
  if (secret.empty() || secret.size() > kMaxSecret)
    return Error{ErrorCode::kInvalidArgument, "a device seals 1 to 64 octets at once"};
  CHANCERY_TRY(usable(deadline));
  Bytes sealed(kAeadNonceSize);
  CHANCERY_TRY(random_bytes(sealed));
  const std::lock_guard lock(mutex_);
  if (sealing_key_.empty()) {
    SecretBytes key(kAeadKeySize);
    CHANCERY_TRY(random_bytes(key.writable()));
    sealing_key_ = std::move(key);
  }
  CHANCERY_ASSIGN(const Bytes ciphertext, seal_aead(sealing_key_.view(), sealed,
                                                    as_bytes(hsm::binding_octets(binding)), secret.view()));
  sealed.insert(sealed.end(), ciphertext.begin(), ciphertext.end());
  return sealed;
}

Result<SecretBytes> MemoryBackend::unseal(const hsm::KeyBinding& binding, ByteView sealed,
                                          hsm::Deadline deadline) {
  constexpr Error kLost{ErrorCode::kKeyLost, "the device does not open what was sealed"};
  CHANCERY_TRY(usable(deadline));
  const std::lock_guard lock(mutex_);
  if (sealing_key_.empty() || sealed.size() < kAeadNonceSize) return kLost;
  ++unsealings_;
  auto opened = open_aead(sealing_key_.view(), sealed.first(kAeadNonceSize),
                          as_bytes(hsm::binding_octets(binding)), sealed.subspan(kAeadNonceSize));
  if (!opened && opened.error().code == ErrorCode::kSignatureInvalid) return kLost;
  return opened;
}

hsm::Deadline MemoryBackend::last_deadline() const {
  const std::lock_guard lock(mutex_);
  return last_deadline_;
}

std::size_t MemoryBackend::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

Status MemoryBackend::check(hsm::Deadline deadline) {
  ++checks_;
  std::unique_lock lock(mutex_);
  last_deadline_ = deadline;
  const std::function<void()> step = while_checking_;
  lock.unlock();
  if (step) step();
  return usable(deadline);
}

Result<std::vector<hsm::Fact>> MemoryBackend::facts(hsm::Deadline deadline) {
  CHANCERY_TRY(usable(deadline));
  return std::vector<hsm::Fact>{
      {"custody", "keys in this process's memory", hsm::Fact::Severity::kWarn, "use it in tests only"}};
}

hsm::BackendLoad MemoryBackend::load() const {
  const std::lock_guard lock(mutex_);
  hsm::BackendLoad load;
  load.cached_keys = keys_.size();
  load.is_up = !failure_ && !is_exchanged_;
  return load;
}

hsm::BackendInfo MemoryBackend::describe() const {
  return {name_, "memory", "none", "none", true, {Algorithm::kES256, Algorithm::kEd25519}};
}

}  // namespace chancery::simulators
