#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/kill_switch.hpp"
#include "hsm/tpm/connection.hpp"
#include "hsm/tpm/context_cache.hpp"
#include "hsm/tpm/key_blob.hpp"

namespace chancery::hsm {

/// A key as a caller wants it used: read, checked and given its auth value before the device thread sees it.
struct PreparedKey {
  Sha256Digest
      identity{};  ///< of binding and blob together, so that a changed one never meets a cached context
  KeyParts parts;
  SecretBytes auth;
  std::vector<attest::SlotCheck>
      checks{};  ///< what its policy asks for beside the auth value; empty: it has none
};

/// Of binding and blob together: what PreparedKey::identity is.
[[nodiscard]] Sha256Digest identity_of(const StoredKey& key);

/// Raw r‖s of an ECDSA signature; kDeviceError for one of another kind.
[[nodiscard]] Result<Signature> raw_signature(const TPMT_SIGNATURE& from);

/// Agent keys in a TPM that holds three objects at a time: brings in the one that is wanted, from its saved
/// context if there is one, else from its blob. A simulator keeps the key that was used last. Ends with its
/// connection, which it borrows; the device thread's alone.
class TpmKeys {
 public:
  /// \param capacity  saved contexts to keep at most
  TpmKeys(TpmConnection& tpm, std::size_t capacity, LiveCounts& live)
      : tpm_(tpm), contexts_(capacity, live.cached_keys) {}

  /// Makes a key under the storage key. Nothing of it remains in the TPM.
  [[nodiscard]] Result<KeyParts> create(const SecretBytes& auth,
                                        const TPM2B_PUBLIC& wanted = signing_key_template());

  /// kKeyLost when the TPM does not open the key, kForbidden when the kill switch freezes it.
  [[nodiscard]] Result<Signature> sign(const PreparedKey& key, const Sha256Digest& digest);

  /// Brings a key in for a command other than signing. \return its handle until the next call; kKeyLost
  [[nodiscard]] Result<ESYS_TR> loaded(const PreparedKey& key);

  /// Brings in what is no agent's key, for as long as the caller has it. \return kKeyLost when the TPM does not open it
  [[nodiscard]] Result<TransientHandle> load_blob(const KeyParts& parts);

  void forget(const Sha256Digest& identity);

  /// Flushes the keys that are loaded, and the policy session; their saved contexts stay.
  void make_room();

  /// As TpmConnection::forget_authorization().
  void forget_authorization();

  /// Flushes and saves what the last request left to be done, after its caller has been answered.
  void tidy();

 private:
  struct LoadedKey {
    Sha256Digest identity;
    TransientHandle object;
    bool is_saved = false;
  };

  [[nodiscard]] Result<KeyParts> create_once(const SecretBytes& auth, const TPM2B_PUBLIC& wanted);
  [[nodiscard]] Result<Signature> sign_once(const PreparedKey& key, const Sha256Digest& digest);
  [[nodiscard]] Status bring_in(const PreparedKey& key);
  [[nodiscard]] Result<TransientHandle> load_saved(const Bytes& context);
  void save(LoadedKey& key);
  void flush_keys();

  /// The session that authorizes a key's use now. \return kForbidden for a frozen one
  [[nodiscard]] Result<ESYS_TR> authorization_of(const PreparedKey& key);
  [[nodiscard]] Status satisfy(std::span<const attest::SlotCheck> checks);
  [[nodiscard]] Result<ESYS_TR> bank(TPM2_HANDLE index);
  void end_policy_session();

  TpmConnection& tpm_;
  ContextCache contexts_;
  std::optional<LoadedKey> current_;
  std::optional<LoadedKey> previous_;     // waits for tidy()
  TransientHandle policy_session_;        // the TPM makes it a new one after each use
  std::map<TPM2_HANDLE, ESYS_TR> banks_;  // of the kill switch; ESYS frees them with its context
};

}  // namespace chancery::hsm
