#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::hsm {

/// The instant by which a call must have answered. A backend never blocks its caller beyond it.
using Deadline = std::chrono::steady_clock::time_point;

/// To whom a key belongs. The device's authorization value is derived from both, so that a blob that is
/// moved to another agent, or to another key of the same agent, opens nothing.
struct KeyBinding {
  std::string agent_id;  ///< stable identifier of the owner; "daemon" for the daemon's own keys
  std::string key_id;    ///< unique within the backend
  bool operator==(const KeyBinding&) const = default;
};

/// A key as the store keeps it: what the device needs to use it again, nothing that is worth stealing.
struct StoredKey {
  KeyBinding binding;
  PublicKey public_key;  ///< what every signature of this key is verified with before it leaves
  Bytes blob;            ///< wrapped by the device (TPM) or a reference into it (PKCS#11)
};

/// What a backend says of its device, for people and for readiness.
struct BackendInfo {
  std::string name;          ///< of the `[[backend]]` section
  std::string type;          ///< "tpm", "pkcs11"
  std::string manufacturer;  ///< as the device reports it
  std::string firmware;
  bool emulated = false;  ///< a simulator: its keys are in software
  std::vector<Algorithm> algorithms;
};

/// Counts for metrics; instantaneous, not transactional.
struct BackendLoad {
  std::uint64_t queued = 0;        ///< requests that wait for the device
  std::uint64_t live_objects = 0;  ///< transient objects that we hold in the device now
  std::uint64_t live_sessions = 0;
  std::uint64_t cached_keys = 0;  ///< keys whose loaded form is kept ready outside of the device
  std::uint64_t recoveries = 0;   ///< times that the device was found again after a failure
  bool is_up = true;              ///< whether the device was there when it was needed last
};

/// One thing that a device, or the process that uses it, is found to be like; for people.
struct Fact {
  enum class Severity : std::uint8_t {
    kOk,
    kWarn,  ///< works, and may not for long, or is less than it could be
    kBad,   ///< does not work, or is not safe
  };
  std::string name;   ///< "lockout"
  std::string value;  ///< "3 of 32 failed authorizations"
  Severity severity = Severity::kOk;
  const char* advice = "";  ///< what to do, a literal; empty when there is nothing to do
};

class Attester;
class GatedKeys;
class KeyClaimant;
class KillSwitch;
class MonotonicCounter;
class Sealer;

/// Makes and uses keys that never leave a device. Thread-safe; every call ends by its deadline.
///
/// Errors common to all: kDeviceUnavailable (absent; comes back by itself), kDeviceBusy (the queue is
/// full: try later), kDeviceTimeout, kDeviceLockout, kPinRefused, kDeviceError (native code given). tests/conformance
/// holds the contract that every backend passes.
class KeyBackend {
 public:
  virtual ~KeyBackend() = default;

  /// Makes a signing key inside the device. A device that keeps its keys (PKCS#11) keeps this one until
  /// destroy() or discard(). Of an error nothing remains, but for kDeviceTimeout and kDeviceUnavailable: there
  /// the device may have made a key, which is removed as soon as it can be reached, or stays if the process
  /// ends before. discard() removes it.
  /// \param algorithm  one of BackendInfo::algorithms, else kUnsupportedAlgorithm
  virtual Result<StoredKey> create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) = 0;

  /// Signs `message` (hashed here where the algorithm wants it) and checks the signature with
  /// `key.public_key` before it is returned. One exception: a PKCS#11 token that says that it is a simulator,
  /// and is allowed as one, has its first signature of each session with each key checked and one in 128 after
  /// it, until one is wrong; 31 of 32 are returned as the token gave them.
  /// \return the signature; kKeyLost when the device no longer opens the blob (cleared or foreign device,
  ///         or a blob or binding that was tampered with); kKeyMismatch when the blob opens to another key
  virtual Result<Signature> sign(const StoredKey& key, ByteView message, Deadline deadline) = 0;

  /// Ends the device's part of a key: cached copies, or the key itself where the device keeps it. Deleting
  /// the blob is the store's part; signing with a copy that is still about is kKeyLost from here on.
  /// Destroying a key that is not there succeeds; a device that keeps keys and is away is an error.
  virtual Status destroy(const StoredKey& key, Deadline deadline) = 0;

  /// Removes what create() may have left in a device that keeps its keys when its result was never stored,
  /// because the process ended in between. Succeeds when there is nothing.
  virtual Status discard(const KeyBinding& binding, Deadline deadline) = 0;

  /// Takes the device that was met last, and was refused because it is another one (kWrongDevice), for this
  /// backend's own. What the former one holds is lost.
  /// \param keep  keeps the new one's Name for good; what it refuses is not taken
  /// \return kConflict when no other device was met, or what `keep` said
  virtual Status adopt(const std::function<Status(ByteView name)>& keep) = 0;

  /// Whether the device answers now; the error says what is missing.
  virtual Status check(Deadline deadline) = 0;

  /// What the device is found to be like now, for people. Asks it, and may be slow.
  virtual Result<std::vector<Fact>> facts(Deadline deadline) = 0;

  /// The counter that this daemon has in the device; nullptr for a device that has none to give, such as a
  /// PKCS#11 token. Lives as long as the backend.
  [[nodiscard]] virtual MonotonicCounter* counter() noexcept { return nullptr; }

  /// What says where this device's keys are; nullptr for a device that can prove nothing. Lives as long as the backend.
  [[nodiscard]] virtual Attester* attester() noexcept { return nullptr; }

  /// Who tells what this device says of its keys, which proves nothing; nullptr where an attester does, or
  /// nobody. Lives as long as the backend.
  [[nodiscard]] virtual KeyClaimant* claimant() noexcept { return nullptr; }

  /// What wraps secrets that are no keys; nullptr for a device that has no way to. Lives as long as the backend.
  [[nodiscard]] virtual Sealer* sealer() noexcept { return nullptr; }

  /// What makes keys that sign only under approvers' signatures; nullptr for a device that cannot hold itself to that. Lives
  /// as long as the backend.
  [[nodiscard]] virtual GatedKeys* gated_keys() noexcept { return nullptr; }

  /// What freezes keys inside of this device; nullptr for a device that cannot, or that was given no operator's key. Lives as
  /// long as the backend.
  [[nodiscard]] virtual KillSwitch* kill_switch() noexcept { return nullptr; }

  [[nodiscard]] virtual BackendInfo describe() const = 0;
  [[nodiscard]] virtual BackendLoad load() const = 0;
};

}  // namespace chancery::hsm
