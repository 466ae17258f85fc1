#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/key_reference.hpp"
#include "hsm/pkcs11/module.hpp"

namespace chancery::hsm {

/// One session with a token, and the handles of the keys that were found in it. The thread's that opened it;
/// closed by the destructor. After an error whose native code ends_session() it is of no more use.
class TokenSession {
 public:
  /// \param key_cache  handles kept at most
  [[nodiscard]] static Result<std::unique_ptr<TokenSession>> open(std::shared_ptr<Module> module,
                                                                  const FoundToken& token,
                                                                  std::size_t key_cache);
  ~TokenSession();
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;

  /// Makes a P-256 pair under the reference's label and id, and removes it again if the token says that it is
  /// not as was asked for.
  [[nodiscard]] Result<PublicKey> create(const KeyReference& key);

  /// \return the signature as a JWS has it; kKeyLost when the token has no such key, kKeyMismatch when its
  ///         attributes are not those of a key of ours, kWrongDevice when it is another token's
  [[nodiscard]] Result<Signature> sign(const KeyReference& key, const Sha256Digest& digest);

  /// Removes both halves; one that is not there is no error.
  [[nodiscard]] Status destroy(const KeyReference& key);

  /// Removes whatever has this label; there may be nothing.
  [[nodiscard]] Status discard(const std::string& label);

  /// Asks whether the session is alive and logged in.
  [[nodiscard]] Status ping();

  /// Of the token.
  [[nodiscard]] const std::string& serial() const noexcept { return serial_; }
  [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }
  [[nodiscard]] std::size_t cached_keys() const noexcept { return handles_.size(); }

 private:
  TokenSession(std::shared_ptr<Module> module, CK_SESSION_HANDLE handle, const FoundToken& token,
               std::size_t key_cache)
      : module_(std::move(module)),
        handle_(handle),
        serial_(token.facts.serial),
        needs_login_((token.flags & CKF_LOGIN_REQUIRED) != 0),
        key_cache_(key_cache) {}

  [[nodiscard]] const CK_FUNCTION_LIST& call() const noexcept { return module_->functions(); }
  [[nodiscard]] Status check_token(const KeyReference& key) const;
  [[nodiscard]] Result<CK_OBJECT_HANDLE> private_key(const KeyReference& key);
  /// \param id  empty: any
  [[nodiscard]] Result<std::vector<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS kind, const std::string& label,
                                                           ByteView id);
  [[nodiscard]] Status remove(const std::string& label, ByteView id);

  const std::shared_ptr<Module> module_;
  const CK_SESSION_HANDLE handle_;
  const std::string serial_;
  const bool needs_login_;
  const std::size_t key_cache_;
  std::map<Bytes, CK_OBJECT_HANDLE> handles_;  // of private keys that were judged, by id
};

}  // namespace chancery::hsm
