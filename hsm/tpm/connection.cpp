#include "hsm/tpm/connection.hpp"

#include <tss2/tss2_mu.h>
#include <string.h>
#include <tss2/tss2_sys.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "hsm/tpm/check.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAuthSize = 32;

void append_with_length(std::string& out, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift & 0xFF);
  out += text;
}

// Agent and key id with their lengths in front, so that no two bindings give the same octets.
std::string binding_octets(const KeyBinding& binding) {
  std::string octets;
  append_with_length(octets, binding.agent_id);
  append_with_length(octets, binding.key_id);
  return octets;
}

SecretBytes derive_auth(const SecretBytes& master, const KeyBinding& binding) {
  return hkdf_sha256(master.view(), {}, "chancery tpm key auth" + binding_octets(binding), kAuthSize);
}

// What a cached context is known by: all that the caller presents, so that a changed blob never meets it.
Sha256Digest identity_of(const StoredKey& key) {
  std::string octets = binding_octets(key.binding);
  append_with_length(octets, as_text(key.public_key.x()));
  append_with_length(octets, as_text(key.public_key.y()));
  append_with_length(octets, as_text(key.blob));
  return sha256(as_bytes(octets));
}

TPM2B_AUTH to_tpm(const SecretBytes& auth) {
  TPM2B_AUTH out{};
  out.size = static_cast<std::uint16_t>(auth.size());
  std::ranges::copy(auth.view(), out.buffer);
  return out;
}

bool copy_right_aligned(const TPM2B_ECC_PARAMETER& from, std::span<std::uint8_t> to) {
  if (from.size > to.size()) return false;
  std::ranges::fill(to, 0);
  std::copy_n(from.buffer, from.size, to.end() - from.size);
  return true;
}

// Four characters, big endian, as TPM2_PT_MANUFACTURER and the vendor strings have them.
std::string property_text(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char c = static_cast<char>(value >> shift & 0xFF);
    if (c != '\0') text += c;
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<TpmConnection>> TpmConnection::open(const ConnectionOptions& options, Deadline deadline,
                                                           const Acceptance& accept) {
  std::unique_ptr<TpmConnection> connection(new TpmConnection(options));
  CHANCERY_TRY(connection->start(deadline));
  CHANCERY_TRY(connection->flush_everything());
  CHANCERY_TRY(connection->read_facts());
  CHANCERY_TRY(connection->create_storage_key(accept));
  CHANCERY_TRY(connection->start_session());
  CHANCERY_TRY(connection->ping());
  return connection;
}

TpmConnection::~TpmConnection() {
  if (!broken_) return;
  // The TPM, or our view of it, is gone: asking it to flush would only wait for the deadline again.
  if (loaded_) loaded_->handle.abandon();
  session_.abandon();
  storage_key_.abandon();
}

void TpmConnection::set_deadline(Deadline deadline) noexcept {
  deadline_ = deadline;
  tcti_->set_deadline(deadline);
}

Status TpmConnection::command(const char* what, const std::function<TSS2_RC()>& run) {
  auto pause = 1ms;
  for (;;) {
    const TSS2_RC rc = run();
    broken_ = broken_ || needs_recovery(rc);
    const bool again = asks_for_patience(rc) && std::chrono::steady_clock::now() + pause < deadline_;
    if (!again) return check_tpm(rc, what);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, 100ms);
  }
}

// --- becoming ready

Status TpmConnection::start(Deadline deadline) {
  CHANCERY_ASSIGN(tcti_, DeadlineTcti::connect(options_.address));
  set_deadline(deadline);
  ESYS_CONTEXT* esys = nullptr;
  CHANCERY_TRY(command("the TPM software stack could not start",
                       [&] { return Esys_Initialize(&esys, tcti_->context(), nullptr); }));
  esys_.reset(esys);
  return command("the TPM could not be started", [&] {
    const TSS2_RC rc = Esys_Startup(esys_.get(), TPM2_SU_CLEAR);
    return rc == TPM2_RC_INITIALIZE ? TSS2_RC_SUCCESS : rc;  // it was started already
  });
}

// Objects and sessions of a connection that was lost would fill the TPM's few places for ever. Behind the kernel's
// resource manager they ended with the connection; a simulator is ours alone.
Status TpmConnection::flush_everything() {
  if (options_.address.kind != TctiAddress::Kind::kSwtpm) return {};
  CHANCERY_TRY(flush_handles(TPM2_TRANSIENT_FIRST));
  CHANCERY_TRY(flush_handles(TPM2_LOADED_SESSION_FIRST));
  return flush_handles(TPM2_ACTIVE_SESSION_FIRST);
}

Status TpmConnection::flush_handles(TPM2_HANDLE first) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TPMI_YES_NO more = TPM2_NO;
  CHANCERY_TRY(command("the TPM does not list its handles", [&] {
    return Esys_GetCapability(esys_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
                              TPM2_MAX_CAP_HANDLES, &more, &data);
  }));
  const EsysOwned<TPMS_CAPABILITY_DATA> owned(data);
  TSS2_SYS_CONTEXT* sys = nullptr;
  CHANCERY_TRY(check_tpm(Esys_GetSysContext(esys_.get(), &sys), "the TPM software stack gave no system context"));
  const TPML_HANDLE& handles = data->data.handles;
  for (std::uint32_t i = 0; i < handles.count; ++i) {
    // Loaded sessions are listed under a range of their own but flushed by their HMAC session handle.
    const TPM2_HANDLE number = handles.handle[i] & ~TPM2_HR_RANGE_MASK;
    const bool object = (handles.handle[i] & TPM2_HR_RANGE_MASK) == TPM2_HR_TRANSIENT;
    const TPM2_HANDLE handle = object ? handles.handle[i] : TPM2_HR_HMAC_SESSION | number;
    CHANCERY_TRY(command("a left-over handle could not be flushed", [&] { return Tss2_Sys_FlushContext(sys, handle); }));
  }
  return {};
}

Status TpmConnection::read_facts() {
  TPMS_CAPABILITY_DATA* data = nullptr;
  TPMI_YES_NO more = TPM2_NO;
  CHANCERY_TRY(command("the TPM does not tell its properties", [&] {
    return Esys_GetCapability(esys_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                              TPM2_PT_MANUFACTURER, 8, &more, &data);
  }));
  const EsysOwned<TPMS_CAPABILITY_DATA> owned(data);
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  std::string vendor;
  std::array<std::uint32_t, 2> firmware{};
  for (std::uint32_t i = 0; i < properties.count; ++i) {
    const auto [property, value] = properties.tpmProperty[i];
    if (property == TPM2_PT_MANUFACTURER) facts_.manufacturer = property_text(value);
    if (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4) vendor += property_text(value);
    if (property == TPM2_PT_FIRMWARE_VERSION_1) firmware[0] = value;
    if (property == TPM2_PT_FIRMWARE_VERSION_2) firmware[1] = value;
  }
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%08x.%08x", firmware[0], firmware[1]);
  facts_.firmware = text.data();
  // libtpms, which swtpm and virtual machines' TPMs are made of, calls itself so, whatever way leads to it.
  facts_.emulated = options_.address.kind == TctiAddress::Kind::kSwtpm || facts_.manufacturer == "IBM" ||
                    vendor.starts_with("SW ") || vendor.starts_with("xCG fTPM");
  return {};
}

Status TpmConnection::create_storage_key(const Acceptance& accept) {
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = storage_key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("the TPM does not make a storage key: is the owner hierarchy's authorization set?", [&] {
    return Esys_CreatePrimary(esys_.get(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                              &wanted, &outside, &pcrs, &handle, nullptr, nullptr, nullptr, nullptr);
  }));
  storage_key_ = TransientHandle(*esys_, handle);
  // ESYS computes the Name from the public area that it was given, and salts sessions to that very area: whoever
  // substitutes it on the way cannot keep the Name.
  TPM2B_NAME* name = nullptr;
  CHANCERY_TRY(check_tpm(Esys_TR_GetName(esys_.get(), handle, &name), "the storage key has no Name"));
  const EsysOwned<TPM2B_NAME> owned(name);
  return accept(facts_, ByteView(name->name, name->size));
}

Status TpmConnection::start_session() {
  if (options_.sessions == SessionKind::kPlain) return {};
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("the TPM starts no session", [&] {
    return Esys_StartAuthSession(esys_.get(), storage_key_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 nullptr, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &handle);
  }));
  session_ = TransientHandle(*esys_, handle);
  constexpr TPMA_SESSION kAttributes = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  return check_tpm(Esys_TRSess_SetAttributes(esys_.get(), handle, kAttributes, 0xFF), "the session could not be set up");
}

Status TpmConnection::ping() {
  TPMS_TIME_INFO* time = nullptr;
  const Status status = command("the TPM does not tell its clock", [&] {
    return Esys_ReadClock(esys_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &time);
  });
  Esys_Free(time);
  return status;
}

// --- keys

Result<StoredKey> TpmConnection::create(const KeyBinding& binding) {
  if (loaded_) loaded_.reset();  // Create needs the third place
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = to_tpm(derive_auth(*options_.master, binding));
  const TPM2B_PUBLIC wanted = signing_key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  const Status created = command("the TPM does not make a key", [&] {
    return Esys_Create(esys_.get(), storage_key_.get(), session(), ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &wanted,
                       &outside, &pcrs, &private_area, &public_area, nullptr, nullptr, nullptr);
  });
  explicit_bzero(&sensitive, sizeof sensitive);
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  CHANCERY_TRY(created);
  CHANCERY_ASSIGN(const PublicKey key, public_key_of(*public_area));
  CHANCERY_ASSIGN(Bytes blob, marshal({*public_area, *private_area}));
  return StoredKey{binding, key, std::move(blob)};
}

Result<Signature> TpmConnection::sign(const StoredKey& key, const Sha256Digest& digest) {
  const Sha256Digest identity = identity_of(key);
  if (!loaded_ || loaded_->identity != identity) CHANCERY_TRY(load(key, identity));
  TPM2B_DIGEST to_sign{};
  to_sign.size = static_cast<std::uint16_t>(digest.size());
  std::ranges::copy(digest, to_sign.buffer);
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
  const TPMT_TK_HASHCHECK ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  TPMT_SIGNATURE* signature = nullptr;
  const Status signed_status = command("the TPM does not sign", [&] {
    return Esys_Sign(esys_.get(), loaded_->handle.get(), session(), ESYS_TR_NONE, ESYS_TR_NONE, &to_sign, &scheme, &ticket,
                     &signature);
  });
  const EsysOwned<TPMT_SIGNATURE> owned(signature);
  if (!signed_status) {
    forget(key);
    return signed_status.error();
  }
  Signature raw;
  const std::span<std::uint8_t> octets(raw);
  const TPMS_SIGNATURE_ECC& ecdsa = signature->signature.ecdsa;
  if (signature->sigAlg != TPM2_ALG_ECDSA || !copy_right_aligned(ecdsa.signatureR, octets.first(32)) ||
      !copy_right_aligned(ecdsa.signatureS, octets.last(32))) {
    return Error{ErrorCode::kDeviceError, "the TPM answered with a signature of another kind"};
  }
  return raw;
}

Status TpmConnection::load(const StoredKey& key, const Sha256Digest& identity) {
  loaded_.reset();
  if (const Bytes* context = contexts_.find(identity)) {
    if (auto handle = load_context(*context)) {
      CHANCERY_TRY(authorize(handle->get(), key.binding));
      loaded_ = LoadedKey{identity, *std::move(handle)};
      return {};
    }
    contexts_.erase(identity);
  }
  CHANCERY_ASSIGN(TransientHandle handle, load_blob(key));
  save_context(identity, handle.get());
  CHANCERY_TRY(authorize(handle.get(), key.binding));
  loaded_ = LoadedKey{identity, std::move(handle)};
  return {};
}

Result<TransientHandle> TpmConnection::load_context(const Bytes& context) {
  TPMS_CONTEXT parsed{};
  std::size_t offset = 0;
  CHANCERY_TRY(check_tpm(Tss2_MU_TPMS_CONTEXT_Unmarshal(context.data(), context.size(), &offset, &parsed),
                         "a saved context is damaged"));
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("a saved context could not be loaded", [&] { return Esys_ContextLoad(esys_.get(), &parsed, &handle); }));
  return TransientHandle(*esys_, handle);
}

Result<TransientHandle> TpmConnection::load_blob(const StoredKey& key) {
  CHANCERY_ASSIGN(const KeyParts parts, unmarshal(key.blob));
  CHANCERY_ASSIGN(const PublicKey found, public_key_of(parts.public_area));
  if (found != key.public_key) return Error{ErrorCode::kKeyMismatch, "the stored blob is another key's than the record says"};
  ESYS_TR handle = ESYS_TR_NONE;
  const Status loaded = command("the TPM does not load the key", [&] {
    return Esys_Load(esys_.get(), storage_key_.get(), session(), ESYS_TR_NONE, ESYS_TR_NONE, &parts.private_area,
                     &parts.public_area, &handle);
  });
  if (loaded) return TransientHandle(*esys_, handle);
  // Whatever the TPM finds wrong with a parameter of Load is wrong with the blob.
  Error error = loaded.error();
  if (error.code == ErrorCode::kDeviceError && concerns_parameter(static_cast<TSS2_RC>(error.native))) {
    error.code = ErrorCode::kKeyLost;
  }
  return error;
}

// A context that cannot be saved costs the next signature a Load, nothing more.
void TpmConnection::save_context(const Sha256Digest& identity, ESYS_TR handle) {
  TPMS_CONTEXT* context = nullptr;
  if (Esys_ContextSave(esys_.get(), handle, &context) != TSS2_RC_SUCCESS) return;
  const EsysOwned<TPMS_CONTEXT> owned(context);
  Bytes octets(sizeof(TPMS_CONTEXT));
  std::size_t size = 0;
  if (Tss2_MU_TPMS_CONTEXT_Marshal(context, octets.data(), octets.size(), &size) != TSS2_RC_SUCCESS) return;
  octets.resize(size);
  octets.shrink_to_fit();
  contexts_.insert(identity, std::move(octets));
}

Status TpmConnection::authorize(ESYS_TR handle, const KeyBinding& binding) {
  TPM2B_AUTH auth = to_tpm(derive_auth(*options_.master, binding));
  const TSS2_RC rc = Esys_TR_SetAuth(esys_.get(), handle, &auth);
  explicit_bzero(&auth, sizeof auth);
  return check_tpm(rc, "the key's authorization could not be set");
}

void TpmConnection::forget(const StoredKey& key) {
  const Sha256Digest identity = identity_of(key);
  contexts_.erase(identity);
  if (loaded_ && loaded_->identity == identity) loaded_.reset();
}

}  // namespace chancery::hsm
