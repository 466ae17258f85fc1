#pragma once

#include <string>
#include <string_view>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/pkcs11/key_reference.hpp"
#include "hsm/pkcs11/module.hpp"

namespace chancery::hsm {

/// Whoever has the token's module loaded, and does with it what the backend asks. Only values pass, so that
/// it may be another process: a crash inside of the module then ends that one alone. Thread-safe; every call
/// ends by its deadline.
class TokenOwner {
 public:
  virtual ~TokenOwner() = default;

  /// \param agent  whose turn in the queue it takes, as in the others
  /// \param key    of which the serial number is not looked at: the pair is made on the token that is there.
  ///               Nothing of it remains if the call does not succeed.
  /// \return the public key, and the serial number of the token that it was made on
  virtual Result<std::pair<PublicKey, std::string>> create(std::string_view agent, const KeyReference& key,
                                                           Deadline deadline) = 0;
  /// The signature is the token's and not verified.
  virtual Result<Signature> sign(std::string_view agent, const KeyReference& key, const Sha256Digest& digest,
                                 Deadline deadline) = 0;
  /// Removes both halves.
  virtual Status destroy(std::string_view agent, const KeyReference& key, Deadline deadline) = 0;
  /// Removes whatever has this label; there may be nothing.
  virtual Status discard(std::string_view agent, const std::string& label, Deadline deadline) = 0;
  virtual Status check(Deadline deadline) = 0;
  /// Asks the token for its state, also while it lets nobody log in.
  virtual Result<TokenCondition> condition(Deadline deadline) = 0;

  [[nodiscard]] virtual TokenFacts facts() const = 0;
  [[nodiscard]] virtual BackendLoad load() const = 0;
};

}  // namespace chancery::hsm
