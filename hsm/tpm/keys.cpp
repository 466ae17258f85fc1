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

namespace {

constexpr Error kFrozen{ErrorCode::kForbidden,
                        "the kill switch freezes this key: the operator's signature unfreezes it"};
constexpr Error kSwitchGone{ErrorCode::kForbidden,
                            "the kill switch that this key hangs on was removed from the TPM, or not armed "
                            "again: the key signs nothing before it is"};

// What PolicyNV answers, as it bears on the key. Behind an index that is not there stands nobody's error but the TPM's owner's.
Error as_frozen(const Error& error) {
  if ((error.native & 0xFFF) == TPM2_RC_POLICY) return {kFrozen.code, kFrozen.what, error.native};
  const bool is_gone = (error.native & (TPM2_RC_FMT1 | 0x3F)) == TPM2_RC_HANDLE ||
                       (error.native & 0xFFF) == TPM2_RC_NV_UNINITIALIZED;
  return is_gone ? Error{kSwitchGone.code, kSwitchGone.what, error.native} : error;
}

TPM2B_OPERAND operand_of(std::uint64_t bits) {
  TPM2B_OPERAND operand{};
  operand.size = sizeof bits;
  for (std::size_t i = 0; i < sizeof bits; ++i)
    operand.buffer[i] = static_cast<BYTE>(bits >> 8 * (sizeof bits - 1 - i) & 0xFF);
  return operand;
}

}  // namespace

Result<KeyParts> TpmKeys::create(const SecretBytes& auth, const TPM2B_PUBLIC& wanted) {
  auto made = create_once(auth, wanted);
  if (made || !tpm_.is_in_doubt(made.error())) return made;
  CHANCERY_TRY(tpm_.renew_session());
  return create_once(auth, wanted);
}

Result<KeyParts> TpmKeys::create_once(const SecretBytes& auth, const TPM2B_PUBLIC& wanted) {
  flush_keys();
  CHANCERY_ASSIGN(const TransientHandle storage_key, tpm_.load_storage_key());
  const TpmAuth key_auth(auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = key_auth.value();
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
  return KeyParts{*public_area, *private_area, std::nullopt};
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
  CHANCERY_ASSIGN(const ESYS_TR session, authorization_of(key));
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
    rc = Esys_Sign(tpm_.esys(), object, session, ESYS_TR_NONE, ESYS_TR_NONE, &to_sign, &scheme, &no_ticket,
                   &signature);
    // ESYS frees objects without cleansing them, and this one may stay loaded.
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(tpm_.esys(), object, &kNothing);
    return rc;
  });
  const EsysOwned<TPMT_SIGNATURE> owned(signature);
  if (!done) {
    forget(key.identity);  // what did not work is not kept for the next time
    end_policy_session();
    return done.error();
  }
  return raw_signature(*signature);
}

// A policy session is as new after each use, and half told after a refusal: then it is of no more use.
Result<ESYS_TR> TpmKeys::authorization_of(const PreparedKey& key) {
  if (key.checks.empty()) return tpm_.session();
  const Status satisfied = satisfy(key.checks);
  if (satisfied) return policy_session_.get();
  end_policy_session();
  return satisfied.error();
}

// PolicyPassword counts as PolicyAuthValue, and spares the HMAC where auth values go in clear anyway. The owner's auth value is
// empty: no secret is sent with the comparison.
Status TpmKeys::satisfy(std::span<const attest::SlotCheck> checks) {
  if (!policy_session_.live()) {
    CHANCERY_ASSIGN(policy_session_, tpm_.start_policy_session());
  }
  const ESYS_TR policy = policy_session_.get();
  for (const attest::SlotCheck& check : checks) {
    CHANCERY_ASSIGN(const ESYS_TR index, bank(check.index));
    const TPM2B_OPERAND operand = operand_of(check.bits);
    const Status is_clear = tpm_.command("the TPM does not look at its kill switch", [&] {
      return Esys_PolicyNV(tpm_.esys(), ESYS_TR_RH_OWNER, index, policy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, &operand, 0, TPM2_EO_BITCLEAR);
    });
    if (!is_clear) return as_frozen(is_clear.error());
  }
  const auto by_auth = tpm_.session() == ESYS_TR_PASSWORD ? Esys_PolicyPassword : Esys_PolicyAuthValue;
  return tpm_.command("the TPM does not take an auth value beside its kill switch",
                      [&] { return by_auth(tpm_.esys(), policy, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE); });
}

// It stays good when the index is removed and made again: of its Name nothing depends on it here.
Result<ESYS_TR> TpmKeys::bank(TPM2_HANDLE index) {
  if (const auto known = banks_.find(index); known != banks_.end()) return known->second;
  ESYS_TR handle = ESYS_TR_NONE;
  const Status found = tpm_.command("the TPM does not tell of its kill switch", [&] {
    return Esys_TR_FromTPMPublic(tpm_.esys(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
  });
  if (!found) return as_frozen(found.error());
  banks_.emplace(index, handle);
  return handle;
}

void TpmKeys::end_policy_session() {
  if (!policy_session_.live()) return;
  tpm_.forget_authorization(policy_session_.get());
  policy_session_.flush();
}

void TpmKeys::forget_authorization() {
  tpm_.forget_authorization();
  if (policy_session_.live()) tpm_.forget_authorization(policy_session_.get());
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
  flush_keys();
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
void TpmKeys::flush_keys() {
  previous_.reset();
  current_.reset();
}

void TpmKeys::make_room() {
  flush_keys();
  end_policy_session();
}

}  // namespace chancery::hsm
