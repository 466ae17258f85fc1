#include "hsm/tpm/keys.hpp"

#include <algorithm>

#include <string.h>
#include <tss2/tss2_mu.h>

#include "hsm/binding_octets.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {

Sha256Digest identity_of(const StoredKey& key) {
  std::string octets = binding_octets(key.binding);
  append_with_length(octets, as_text(key.blob));
  return sha256(as_bytes(octets));
}

// A TPM may leave leading zeros out of r and s.
Result<Signature> raw_signature(const TPMT_SIGNATURE& from) {
  Signature raw;
  const std::span<std::uint8_t> octets(raw);
  const TPMS_SIGNATURE_ECC& ecdsa = from.signature.ecdsa;
  if (from.sigAlg != TPM2_ALG_ECDSA || !copy_right_aligned(ecdsa.signatureR, octets.first(32)) ||
      !copy_right_aligned(ecdsa.signatureS, octets.last(32))) {
    return Error{ErrorCode::kDeviceError, "the TPM answered with a signature of another kind"};
  }
  return raw;
}

Result<KeyParts> TpmKeys::create(const SecretBytes& auth) {
  auto made = create_once(auth);
  if (made || !tpm_.is_in_doubt(made.error())) return made;
  CHANCERY_TRY(tpm_.renew_session());
  return create_once(auth);
}

Result<KeyParts> TpmKeys::create_once(const SecretBytes& auth) {
  make_room();
  CHANCERY_ASSIGN(const TransientHandle storage_key, tpm_.load_storage_key());
  const TpmAuth key_auth(auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = key_auth.value();
  const TPM2B_PUBLIC wanted = signing_key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  const Status created = tpm_.command("the TPM does not make a key", [&] {
    return Esys_Create(tpm_.esys(), storage_key.get(), tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                       &wanted, &outside, &pcrs, &private_area, &public_area, nullptr, nullptr, nullptr);
  });
  explicit_bzero(&sensitive, sizeof sensitive);
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  CHANCERY_TRY(created);
  return KeyParts{*public_area, *private_area};
}

Result<Signature> TpmKeys::sign(const PreparedKey& key, const Sha256Digest& digest) {
  auto signature = sign_once(key, digest);
  if (signature || !tpm_.is_in_doubt(signature.error())) return signature;
  CHANCERY_TRY(tpm_.renew_session());
  return sign_once(key, digest);
}

Result<Signature> TpmKeys::sign_once(const PreparedKey& key, const Sha256Digest& digest) {
  CHANCERY_TRY(bring_in(key));
  const ESYS_TR object = current_->object.get();
  TPM2B_DIGEST to_sign{};
  to_sign.size = static_cast<std::uint16_t>(digest.size());
  std::ranges::copy(digest, to_sign.buffer);
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
  const TPMT_TK_HASHCHECK no_ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};  // only restricted keys want one
  const TpmAuth auth(key.auth);
  TPMT_SIGNATURE* signature = nullptr;
  const Status done = tpm_.command("the TPM does not sign", [&] {
    TSS2_RC rc = Esys_TR_SetAuth(tpm_.esys(), object, &auth.value());
    if (rc != TSS2_RC_SUCCESS) return rc;
    rc = Esys_Sign(tpm_.esys(), object, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE, &to_sign, &scheme,
                   &no_ticket, &signature);
    // ESYS frees objects without cleansing them, and this one may stay loaded.
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(tpm_.esys(), object, &kNothing);
    return rc;
  });
  const EsysOwned<TPMT_SIGNATURE> owned(signature);
  if (!done) {
    forget(key.identity);  // what did not work is not kept for the next time
    return done.error();
  }
  return raw_signature(*signature);
}

Result<ESYS_TR> TpmKeys::loaded(const PreparedKey& key) {
  CHANCERY_TRY(bring_in(key));
  return current_->object.get();
}

Status TpmKeys::bring_in(const PreparedKey& key) {
  if (current_ && current_->identity == key.identity) return {};
  previous_ = std::exchange(current_, std::nullopt);
  if (const Bytes* context = contexts_.find(key.identity)) {
    auto object = load_saved(*context);
    if (object) {
      current_ = LoadedKey{key.identity, *std::move(object), true};
      return {};
    }
    if (object.error().code == ErrorCode::kDeviceTimeout) return object.error();
    contexts_.erase(key.identity);  // then the blob must do
  }
  CHANCERY_ASSIGN(TransientHandle object, load_blob(key.parts));
  current_ = LoadedKey{key.identity, std::move(object)};
  return {};
}

Result<TransientHandle> TpmKeys::load_saved(const Bytes& context) {
  TPMS_CONTEXT parsed{};
  std::size_t offset = 0;
  CHANCERY_TRY(check_tpm(Tss2_MU_TPMS_CONTEXT_Unmarshal(context.data(), context.size(), &offset, &parsed),
                         "a saved context is damaged"));
  return tpm_.load_context(parsed);
}

Result<TransientHandle> TpmKeys::load_blob(const KeyParts& parts) {
  make_room();
  CHANCERY_ASSIGN(const TransientHandle storage_key, tpm_.load_storage_key());
  ESYS_TR handle = ESYS_TR_NONE;
  const Status loaded = tpm_.command("the TPM does not load the key", [&] {
    return Esys_Load(tpm_.esys(), storage_key.get(), tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                     &parts.private_area, &parts.public_area, &handle);
  });
  if (loaded) return tpm_.own_object(handle);
  // Whatever the TPM finds wrong with a parameter of Load is wrong with the blob.
  Error error = loaded.error();
  if (error.code == ErrorCode::kDeviceError && blames_parameter(static_cast<TSS2_RC>(error.native))) {
    error =
        Error{ErrorCode::kKeyLost, "the TPM does not open this key: its record was changed", error.native};
  }
  return error;
}

void TpmKeys::forget(const Sha256Digest& identity) {
  contexts_.erase(identity);
  if (current_ && current_->identity == identity) current_.reset();
}

// A context that cannot be saved costs the next signature a Load, nothing more.
void TpmKeys::save(LoadedKey& key) {
  const auto context = tpm_.save_context(key.object.get());
  if (!context) return;
  Bytes octets(sizeof(TPMS_CONTEXT));
  std::size_t size = 0;
  if (Tss2_MU_TPMS_CONTEXT_Marshal(context->get(), octets.data(), octets.size(), &size) != TSS2_RC_SUCCESS)
    return;
  contexts_.insert(key.identity, Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size)));
  key.is_saved = true;
}

void TpmKeys::tidy() {
  previous_.reset();
  if (!current_) return;
  if (!current_->is_saved) save(*current_);
  // Behind the kernel's resource manager a key that stays is saved and restored around every command.
  if (!tpm_.is_simulator()) current_.reset();
}

// Load and Create need places for the storage key, for the new key, and for the TPM's own work.
void TpmKeys::make_room() {
  previous_.reset();
  current_.reset();
}

}  // namespace chancery::hsm
