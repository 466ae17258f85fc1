#include "hsm/tpm/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "hsm/tpm/check.hpp"
#include "hsm/tpm/key_blob.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kAuthSize = 32;  // of our keys

constexpr const char* kNotSetUp = "the TPM software stack could not be set up";

// Four characters, big endian, as TPM2_PT_MANUFACTURER and the vendor strings have them.
std::string property_text(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char c = static_cast<char>(value >> shift & 0xFF);
    if (c != '\0') text += c;
  }
  return text;
}

// libtpms, of which swtpm and many virtual machines' TPMs are made, and the TCG's reference simulator name
// themselves so, whatever way leads to them.
bool names_a_simulator(std::string_view manufacturer, std::string_view vendor) {
  return manufacturer.starts_with("IBM") || vendor.starts_with("SW ") || vendor.starts_with("xCG fTPM");
}

}  // namespace

Result<std::unique_ptr<TpmConnection>> TpmConnection::open(const ConnectionOptions& options,
                                                           const Interrupt& interrupt, LiveCounts& live) {
  live.objects.flush_failed = live.sessions.flush_failed = false;  // what is left is flushed below
  std::unique_ptr<TpmConnection> connection(new TpmConnection(options, interrupt, live));
  CHANCERY_TRY(connection->start());
  CHANCERY_TRY(connection->flush_leftovers());
  CHANCERY_TRY(connection->read_facts());
  CHANCERY_ASSIGN(const TransientHandle storage_key, connection->create_storage_key());
  CHANCERY_TRY(connection->accept(storage_key));
  CHANCERY_TRY(connection->start_session(storage_key));
  CHANCERY_ASSIGN(connection->storage_context_, connection->save_context(storage_key.get()));
  return connection;
}

Status TpmConnection::command(const char* what, const std::function<TSS2_RC()>& run) {
  auto pause = 1ms;
  for (;;) {
    if (std::chrono::steady_clock::now() >= deadline_) {
      return Error{ErrorCode::kDeviceTimeout,
                   "the TPM was too slow: there was no time left for the next command"};
    }
    const TSS2_RC rc = run();
    broken_ = broken_ || needs_recovery(rc);
    if (!asks_for_patience(rc)) return check_tpm(rc, what);
    if (std::chrono::steady_clock::now() + pause >= deadline_ || interrupt_.raised()) {
      return Error{ErrorCode::kDeviceTimeout, "the TPM asked for patience until there was no time left", rc};
    }
    interrupt_.sleep_for(pause);
    pause = std::min(pause * 2, 100ms);
  }
}

// --- becoming ready

Status TpmConnection::start() {
  // Patience with a TPM that is only just starting has its end too.
  set_deadline(std::chrono::steady_clock::now() + options_.time_limit);
  CHANCERY_ASSIGN(tcti_, DeadlineTcti::connect(options_.address, options_.time_limit, interrupt_));
  ESYS_CONTEXT* esys = nullptr;
  CHANCERY_TRY(command(kNotSetUp, [&] { return Esys_Initialize(&esys, tcti_->context(), nullptr); }));
  esys_.reset(esys);
  return command("the TPM could not be started", [&] {
    const TSS2_RC rc = Esys_Startup(esys_.get(), TPM2_SU_CLEAR);
    return rc == TPM2_RC_INITIALIZE ? TSS2_RC_SUCCESS : rc;  // it was started already
  });
}

// What a lost connection left behind would fill the TPM's few places for ever. Behind the kernel's resource
// manager it ended with the connection; a simulator is ours alone.
Status TpmConnection::flush_leftovers() {
  if (!is_simulator()) return {};
  CHANCERY_TRY(flush_handles(TPM2_TRANSIENT_FIRST));
  CHANCERY_TRY(flush_handles(TPM2_LOADED_SESSION_FIRST));
  return flush_handles(TPM2_ACTIVE_SESSION_FIRST);
}

Result<EsysOwned<TPMS_CAPABILITY_DATA>> TpmConnection::capability(const char* what, TPM2_CAP which,
                                                                  std::uint32_t first, std::uint32_t count) {
  TPMS_CAPABILITY_DATA* data = nullptr;
  CHANCERY_TRY(command(what, [&] {
    return Esys_GetCapability(esys_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, which, first, count,
                              nullptr, &data);
  }));
  EsysOwned<TPMS_CAPABILITY_DATA> owned(data);
  const bool fits = which == TPM2_CAP_HANDLES ? data->data.handles.count <= TPM2_MAX_CAP_HANDLES
                                              : data->data.tpmProperties.count <= TPM2_MAX_TPM_PROPERTIES;
  if (data->capability != which || !fits) {
    return Error{ErrorCode::kDeviceError, "the TPM answers with another capability than it was asked for"};
  }
  return owned;
}

Status TpmConnection::flush_handles(TPM2_HANDLE first) {
  CHANCERY_ASSIGN(const auto data, capability("the TPM does not list its handles", TPM2_CAP_HANDLES, first,
                                              TPM2_MAX_CAP_HANDLES));
  const TPML_HANDLE& handles = data->data.handles;
  for (std::uint32_t i = 0; i < handles.count; ++i) {
    CHANCERY_TRY(command("what an earlier connection left in the TPM could not be flushed", [&] {
      ESYS_TR handle = ESYS_TR_NONE;
      const TSS2_RC rc = Esys_TR_FromTPMPublic(esys_.get(), handles.handle[i], ESYS_TR_NONE, ESYS_TR_NONE,
                                               ESYS_TR_NONE, &handle);
      return rc == TSS2_RC_SUCCESS ? Esys_FlushContext(esys_.get(), handle) : rc;
    }));
  }
  return {};
}

Status TpmConnection::read_facts() {
  CHANCERY_ASSIGN(const auto data, capability("the TPM does not tell its properties", TPM2_CAP_TPM_PROPERTIES,
                                              TPM2_PT_MANUFACTURER, 8));
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  std::string vendor;
  std::array<std::uint32_t, 2> firmware{};
  for (std::uint32_t i = 0; i < properties.count; ++i) {
    const auto [property, value] = properties.tpmProperty[i];
    if (property == TPM2_PT_MANUFACTURER) facts_.manufacturer = property_text(value);
    if (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4)
      vendor += property_text(value);
    if (property == TPM2_PT_FIRMWARE_VERSION_1) firmware[0] = value;
    if (property == TPM2_PT_FIRMWARE_VERSION_2) firmware[1] = value;
  }
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%08x.%08x", firmware[0], firmware[1]);
  facts_.firmware = text.data();
  facts_.emulated = is_simulator() || names_a_simulator(facts_.manufacturer, vendor);
  return {};
}

Result<TransientHandle> TpmConnection::create_storage_key() {
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = storage_key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TPM2B_PUBLIC* public_area = nullptr;
  const Status created = command("the TPM does not make a storage key", [&] {
    return Esys_CreatePrimary(esys_.get(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &sensitive, &wanted, &outside, &pcrs, &handle, &public_area, nullptr, nullptr,
                              nullptr);
  });
  const EsysOwned<TPM2B_PUBLIC> owned(public_area);
  if (!created) {
    // No key of ours is meant here, so none is lost.
    if (!blames_authorization(static_cast<TSS2_RC>(created.error().native))) return created.error();
    return Error{
        ErrorCode::kDeviceError,
        "the TPM's owner hierarchy has an authorization value: remove it, or keep this TPM for its owner",
        created.error().native};
  }
  TransientHandle storage_key = own_object(handle);
  if (!is_like(*public_area, wanted)) {
    return Error{ErrorCode::kWrongDevice,
                 "the TPM answered with another kind of storage key than was asked for"};
  }
  storage_area_ = *public_area;
  return storage_key;
}

// ESYS has compared the Name with the public area that came back, and salts sessions to that very area:
// whoever puts another in its place on the way cannot keep the Name.
Status TpmConnection::accept(const TransientHandle& storage_key) {
  TPM2B_NAME* name = nullptr;
  CHANCERY_TRY(check_tpm(Esys_TR_GetName(esys_.get(), storage_key.get(), &name), kNotSetUp));
  const EsysOwned<TPM2B_NAME> owned(name);
  return options_.accept(facts_, ByteView(name->name, name->size));
}

Status TpmConnection::start_session(const TransientHandle& storage_key) {
  if (options_.sessions == SessionKind::kPlain) return {};
  CHANCERY_ASSIGN(session_,
                  new_session(storage_key.get(), TPM2_SE_HMAC,
                              TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT));
  return {};
}

Result<TransientHandle> TpmConnection::new_session(ESYS_TR salt_key, TPM2_SE type, TPMA_SESSION attributes) {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("the TPM starts no session", [&] {
    return Esys_StartAuthSession(esys_.get(), salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, nullptr, type, &symmetric, TPM2_ALG_SHA256, &handle);
  }));
  TransientHandle session(*esys_, handle, live_.sessions);
  CHANCERY_TRY(check_tpm(Esys_TRSess_SetAttributes(esys_.get(), handle, attributes, 0xFF), kNotSetUp));
  return session;
}

// --- being used

bool TpmConnection::is_in_doubt(const Error& error) const noexcept {
  return blames_authorization(static_cast<TSS2_RC>(error.native)) && session() != ESYS_TR_PASSWORD;
}

Status TpmConnection::renew_session() {
  session_.flush();
  CHANCERY_ASSIGN(const TransientHandle storage_key, load_storage_key());
  return start_session(storage_key);
}

Result<TransientHandle> TpmConnection::start_second_session() {
  if (options_.sessions == SessionKind::kPlain) return TransientHandle();
  CHANCERY_ASSIGN(const TransientHandle storage_key, load_storage_key());
  return new_session(storage_key.get(), TPM2_SE_HMAC, TPMA_SESSION_CONTINUESESSION);
}

Result<TransientHandle> TpmConnection::start_policy_session() {
  return new_session(ESYS_TR_NONE, TPM2_SE_POLICY, TPMA_SESSION_CONTINUESESSION);
}

Result<TransientHandle> TpmConnection::start_gate_session() {
  CHANCERY_ASSIGN(const TransientHandle storage_key, load_storage_key());
  return new_session(storage_key.get(), TPM2_SE_POLICY, TPMA_SESSION_CONTINUESESSION);
}

Result<EsysOwned<TPMS_CONTEXT>> TpmConnection::save_session(TransientHandle& session) {
  auto context = save_context(session.get());
  if (context) session.release();  // ESYS has closed it
  return context;
}

Result<TransientHandle> TpmConnection::load_session(const TPMS_CONTEXT& context) {
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("the TPM does not take a saved session back",
                       [&] { return Esys_ContextLoad(esys_.get(), &context, &handle); }));
  return TransientHandle(*esys_, handle, live_.sessions);
}

Result<TransientHandle> TpmConnection::load_storage_key() {
  auto loaded = load_context(*storage_context_);
  if (loaded || loaded.error().code == ErrorCode::kDeviceTimeout) return loaded;
  // A context that was good once is refused after a TPM2_Clear or a reset behind our back: the TPM must be
  // met anew, before any key is called lost.
  broken_ = true;
  return Error{ErrorCode::kDeviceUnavailable, "the TPM has lost its state: it is set up again by itself",
               loaded.error().native};
}

Result<TransientHandle> TpmConnection::load_context(const TPMS_CONTEXT& context) {
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(command("the TPM does not take a saved context back",
                       [&] { return Esys_ContextLoad(esys_.get(), &context, &handle); }));
  return own_object(handle);
}

Result<EsysOwned<TPMS_CONTEXT>> TpmConnection::save_context(ESYS_TR object) {
  TPMS_CONTEXT* context = nullptr;
  CHANCERY_TRY(command("the TPM does not save a context",
                       [&] { return Esys_ContextSave(esys_.get(), object, &context); }));
  return EsysOwned<TPMS_CONTEXT>(context);
}

// ESYS keeps the auth value of the last command beside the session's key, and overwrites it only when it prepares
// the next: so one is prepared with a value that is no secret. It goes no further than our TCTI.
void TpmConnection::forget_authorization(ESYS_TR session) {
  if (!session_.live() || broken()) return;
  TPM2B_AUTH filler{};
  filler.size = kAuthSize;
  std::ranges::fill_n(filler.buffer, kAuthSize, std::uint8_t{0xFF});
  constexpr TPM2B_AUTH kNone{};
  Esys_TR_SetAuth(esys_.get(), ESYS_TR_RH_NULL, &filler);
  tcti_->answer_next_with(TPM2_RC_CANCELED);
  Esys_HierarchyChangeAuth(esys_.get(), ESYS_TR_RH_NULL, session, ESYS_TR_NONE, ESYS_TR_NONE, &kNone);
  tcti_->answer_next_with(TSS2_RC_SUCCESS);  // if it was not even prepared
  Esys_TR_SetAuth(esys_.get(), ESYS_TR_RH_NULL, &kNone);
}

Status TpmConnection::ping() {
  TPMS_TIME_INFO* time = nullptr;
  const Status status = command("the TPM does not tell its clock", [&] {
    return Esys_ReadClock(esys_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &time);
  });
  const EsysOwned<TPMS_TIME_INFO> owned(time);
  return status;
}

}  // namespace chancery::hsm
