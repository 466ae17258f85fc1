#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Where on which token a key is. Both halves of a pair have the same label and id.
struct KeyReference {
  std::string serial;  ///< of the token
  std::string label;
  Bytes id;
  bool operator==(const KeyReference&) const = default;
};

/// The label of a binding's key, for people who look into the token: no two bindings have the same.
[[nodiscard]] std::string key_label(const KeyBinding& binding);

/// Writes and reads the references that the store keeps, and lets none through that was changed, or moved to
/// another binding or public key. Thread-safe.
class ReferenceSeal {
 public:
  /// \param master  from which the sealing key is derived
  explicit ReferenceSeal(const SecretBytes& master);

  /// A `pkcs11:` URI that the token's own tools take, and a seal over it, the binding and the public key.
  [[nodiscard]] Bytes seal(const KeyReference& reference, const KeyBinding& binding,
                           const PublicKey& public_key) const;
  /// \return the reference; kKeyLost when the blob is not one that was sealed for this very key
  [[nodiscard]] Result<KeyReference> open(const StoredKey& key) const;

 private:
  /// What was opened once, and opens again when it is the same in every octet: deriving the seal anew costs as
  /// much as half a signature of a software token.
  struct Opened {
    KeyBinding binding;
    PublicKey public_key;
    KeyReference reference;
  };

  [[nodiscard]] std::shared_ptr<const Opened> remembered(const StoredKey& key) const;
  [[nodiscard]] Result<KeyReference> open_anew(const StoredKey& key) const;

  SecretBytes key_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Opened>> opened_;  // by blob
};

}  // namespace chancery::hsm
