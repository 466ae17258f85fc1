#pragma once

#include <memory>
#include <ostream>

#include "hsm/key_backend.hpp"
#include "sdk/crypto/signing_key.hpp"

namespace chancery::conformance {

/// A device with a backend on it, made fresh for one test. Every backend that joins the contract suite brings
/// one.
class BackendFixture {
 public:
  virtual ~BackendFixture() = default;
  [[nodiscard]] virtual hsm::KeyBackend& backend() = 0;
  /// Opens the backend again on the same device, as after a restart of the daemon.
  virtual void reopen() = 0;
  /// Takes the device's power away and gives it back; the backend stays. Nothing where there is no such thing.
  virtual void restart_device() {}
  /// The private half of the key by which the backend's kill switch unfreezes; null where there is none.
  [[nodiscard]] virtual const SigningKey* operator_key() const { return nullptr; }
  /// Takes from the device all that it holds, as whoever owns it may, and opens the backend again as one that has never met
  /// it before.
  virtual void clear_device() = 0;
};

/// How a backend's fixture is made, by name.
struct BackendKind {
  const char* name;
  std::unique_ptr<BackendFixture> (*make)();
};

inline std::ostream& operator<<(std::ostream& out, const BackendKind& kind) { return out << kind.name; }

[[nodiscard]] std::unique_ptr<BackendFixture> make_tpm_encrypted();
[[nodiscard]] std::unique_ptr<BackendFixture> make_tpm_plain();
[[nodiscard]] std::unique_ptr<BackendFixture> make_memory();
[[nodiscard]] std::unique_ptr<BackendFixture> make_softhsm();
[[nodiscard]] std::unique_ptr<BackendFixture> make_softhsm_isolated();
[[nodiscard]] std::unique_ptr<BackendFixture> make_tpm2_pkcs11();

}  // namespace chancery::conformance
