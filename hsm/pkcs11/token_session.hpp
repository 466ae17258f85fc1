#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/key_reference.hpp"
#include "hsm/pkcs11/module.hpp"
#include "hsm/pkcs11/token_owner.hpp"

namespace chancery::hsm {

/// One session with a token, and the handles of the keys that were found in it. The thread's that opened it;
/// closed by the destructor. After an error whose native code ends_session() it is of no more use.
class TokenSession {
 public:
  /// \param key_cache  handles kept at most
  /// \param sealing_keys  shared by a token's sessions, and held while a key to seal with is looked for or made: a module may show
  ///        one session what another is still making, and fail with it (SoftHSM 2.6: CKR_GENERAL_ERROR)
  [[nodiscard]] static Result<std::unique_ptr<TokenSession>> open(std::shared_ptr<Module> module,
                                                                  const FoundToken& token,
                                                                  std::size_t key_cache,
                                                                  std::shared_ptr<std::mutex> sealing_keys);
  ~TokenSession();
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;

  /// Does what is asked. A pair that was made is removed again if the token says that it is not as was asked
  /// for.
  /// \return kUnsupportedAlgorithm; kKeyLost when the token has no such key or does not open what was sealed, kKeyMismatch when its attributes
  ///         are not those of a key of ours or it signed with another one, kWrongDevice when it is another
  ///         token's; device errors
  [[nodiscard]] Result<TokenReply> perform(const TokenRequest& request);

  /// Takes back what perform() did, when nobody was left to be told.
  void undo(const TokenRequest& request);

  [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }
  [[nodiscard]] std::size_t cached_keys() const noexcept { return keys_.size(); }

 private:
  /// A private key that was found and judged.
  struct Key {
    CK_OBJECT_HANDLE handle = 0;
    Algorithm algorithm = Algorithm::kES256;
    std::uint32_t signatures = 0;  // that it gave in this session
  };

  struct SealingKey {
    CK_OBJECT_HANDLE handle = 0;
    Bytes id;
  };

  TokenSession(std::shared_ptr<Module> module, CK_SESSION_HANDLE handle, const FoundToken& token,
               std::size_t key_cache, std::shared_ptr<std::mutex> sealing_keys)
      : module_(std::move(module)),
        handle_(handle),
        token_(token.facts),
        needs_login_((token.flags & CKF_LOGIN_REQUIRED) != 0),
        key_cache_(key_cache),
        sealing_keys_(std::move(sealing_keys)) {}

  [[nodiscard]] const CK_FUNCTION_LIST& call() const noexcept { return module_->functions(); }
  [[nodiscard]] Status check_token(const KeyReference& key) const;
  [[nodiscard]] Result<TokenReply> create(const TokenRequest& request);
  [[nodiscard]] Result<TokenReply> sign(const TokenRequest& request);
  [[nodiscard]] Result<TokenReply> claims(const TokenRequest& request);
  [[nodiscard]] Result<TokenReply> seal(const TokenRequest& request);
  [[nodiscard]] Result<TokenReply> unseal(const TokenRequest& request);
  /// The one that is sealed with from now on.
  /// \param id  of the one that is made if there is none
  [[nodiscard]] Result<SealingKey> sealing_key(const Bytes& id);
  /// The one that is there; nothing when the token has none that is as ours are.
  [[nodiscard]] Result<std::optional<SealingKey>> find_sealing_key();
  [[nodiscard]] Result<SealingKey> make_sealing_key(const Bytes& id);
  /// Adds the certificates with that id, or of any, to those that are there.
  [[nodiscard]] Status add_certificates(ByteView id, std::vector<Bytes>& out);
  [[nodiscard]] Result<Signature> sign_with(const Key& key, ByteView input);
  [[nodiscard]] Status destroy(const KeyReference& key);
  /// Asks whether the session is alive and logged in.
  [[nodiscard]] Status ping();
  [[nodiscard]] Result<Key> find_key(const TokenRequest& request);
  /// The one object of the key's label and id. \return kKeyLost, kKeyMismatch
  [[nodiscard]] Result<CK_OBJECT_HANDLE> find_half(CK_OBJECT_CLASS kind, const KeyReference& key);
  /// \param label,id  empty: any
  /// \return the first few of them
  [[nodiscard]] Result<std::vector<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS kind, const std::string& label,
                                                           ByteView id);
  [[nodiscard]] Status remove(const std::string& label, ByteView id);

  const std::shared_ptr<Module> module_;
  const CK_SESSION_HANDLE handle_;
  const TokenFacts token_;
  const bool needs_login_;
  const std::size_t key_cache_;
  const std::shared_ptr<std::mutex> sealing_keys_;
  std::map<Bytes, Key> keys_;  // by id
};

}  // namespace chancery::hsm
