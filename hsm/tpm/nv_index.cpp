#include "hsm/tpm/nv_index.hpp"

#include <algorithm>
#include <string>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kAuthSize = 32;
constexpr TPM2_HANDLE kFirstIndex = 0x01800000;
constexpr std::uint32_t kIndexes = 0x400000;
constexpr TPMA_NV kByItsAuth = TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;

constexpr Error kNone{ErrorCode::kNotFound,
                      "the TPM has no such NV index of ours: it was never made, or a TPM2_Clear removed it"};
constexpr Error kNotOurs{
    ErrorCode::kConflict,
    "something that is not ours stands where the TPM would keep an NV index of ours: remove it "
    "(tpm2_nvundefine), or use another TPM"};

TPM2_HANDLE derive_index(const SecretBytes& master, const std::string& label) {
  const SecretBytes octets = hkdf_sha256(master.view(), {}, label, 4);
  std::uint32_t number = 0;
  for (const std::uint8_t octet : octets.view()) number = number << 8 | octet;
  return kFirstIndex + number % kIndexes;
}

// Base of TPM_RC_HANDLE, which comes with the number of the handle.
bool says_no_such_index(const Error& error) {
  return (error.native & (TPM2_RC_FMT1 | 0x3F)) == TPM2_RC_HANDLE;
}

}  // namespace

NvPlace derive_nv_place(const SecretBytes& master, std::string_view purpose, TPM2_NT type,
                        std::uint16_t size) {
  const std::string label = "chancery tpm " + std::string(purpose);
  return {derive_index(master, label + " index"),
          kByItsAuth | static_cast<TPMA_NV>(type) << TPMA_NV_TPM2_NT_SHIFT,
          size,
          hkdf_sha256(master.view(), {}, label + " auth", kAuthSize),
          {}};
}

bool says_nothing_is_written(const Error& error) noexcept {
  return (error.native & 0xFFF) == TPM2_RC_NV_UNINITIALIZED;
}

bool NvIndex::is_as_we_define() const {
  return area_.nameAlg == TPM2_ALG_SHA256 && (area_.attributes & ~TPMA_NV_WRITTEN) == place_.attributes &&
         std::ranges::equal(attest::octets_of(area_.authPolicy), attest::octets_of(place_.policy)) &&
         area_.dataSize == place_.size;
}

Status NvIndex::open() {
  close();
  const Status found = tpm_.command("the TPM does not tell of an NV index of ours", [&] {
    return Esys_TR_FromTPMPublic(tpm_.esys(), place_.index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &handle_);
  });
  if (!found) return says_no_such_index(found.error()) ? Status{kNone} : found;
  TPM2B_NV_PUBLIC* area = nullptr;
  CHANCERY_TRY(tpm_.command("the TPM does not describe an NV index of ours", [&] {
    return Esys_NV_ReadPublic(tpm_.esys(), handle_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr);
  }));
  const EsysOwned<TPM2B_NV_PUBLIC> owned(area);
  area_ = area->nvPublic;
  return is_as_we_define() ? Status{} : kNotOurs;
}

Status NvIndex::define() {
  TPM2B_NV_PUBLIC wanted{};
  wanted.nvPublic.nvIndex = place_.index;
  wanted.nvPublic.nameAlg = TPM2_ALG_SHA256;
  wanted.nvPublic.attributes = place_.attributes;
  wanted.nvPublic.dataSize = place_.size;
  wanted.nvPublic.authPolicy = place_.policy;
  const TpmAuth auth(place_.auth);
  ESYS_TR made = ESYS_TR_NONE;
  const Status defined = tpm_.command("the TPM does not make an NV index: free one", [&] {
    return Esys_NV_DefineSpace(tpm_.esys(), ESYS_TR_RH_OWNER, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                               &auth.value(), &wanted, &made);
  });
  if (!defined) return (defined.error().native & 0xFFF) == TPM2_RC_NV_DEFINED ? Status{} : defined;
  Esys_TR_Close(tpm_.esys(), &made);
  return {};
}

Status NvIndex::remove() {
  CHANCERY_TRY(tpm_.command("the TPM does not remove an NV index of ours", [&] {
    return Esys_NV_UndefineSpace(tpm_.esys(), ESYS_TR_RH_OWNER, handle_, tpm_.session(), ESYS_TR_NONE,
                                 ESYS_TR_NONE);
  }));
  handle_ = ESYS_TR_NONE;  // ESYS has closed it
  return {};
}

Result<Bytes> NvIndex::read() {
  TPM2B_MAX_NV_BUFFER* data = nullptr;
  const Status done = authorized("the TPM does not tell what an NV index of ours holds", [&] {
    return Esys_NV_Read(tpm_.esys(), handle_, handle_, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                        place_.size, 0, &data);
  });
  const EsysOwned<TPM2B_MAX_NV_BUFFER> owned(data);
  // Defined, and never written: making it was interrupted.
  if (!done) return says_nothing_is_written(done.error()) ? kNone : done.error();
  if (data->size != place_.size)
    return Error{ErrorCode::kDeviceError, "the TPM answered with an NV index of another size"};
  return Bytes(data->buffer, data->buffer + data->size);
}

// A session that has fallen out of step looks like a wrong auth value: a fresh one must say so too.
Status NvIndex::authorized(const char* what, const std::function<TSS2_RC()>& run) {
  Status done = authorized_once(what, run);
  if (done || !blames_authorization(static_cast<TSS2_RC>(done.error().native))) return done;
  if (tpm_.session() != ESYS_TR_PASSWORD) {
    CHANCERY_TRY(tpm_.renew_session());
    done = authorized_once(what, run);
  }
  const bool is_refused = !done && blames_authorization(static_cast<TSS2_RC>(done.error().native));
  return is_refused ? Status{kNotOurs} : done;
}

Status NvIndex::authorized_once(const char* what, const std::function<TSS2_RC()>& run) {
  const TpmAuth auth(place_.auth);
  return tpm_.command(what, [&] {
    TSS2_RC rc = Esys_TR_SetAuth(tpm_.esys(), handle_, &auth.value());
    if (rc != TSS2_RC_SUCCESS) return rc;
    rc = run();
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(tpm_.esys(), handle_, &kNothing);
    return rc;
  });
}

void NvIndex::close() noexcept {
  if (handle_ != ESYS_TR_NONE) Esys_TR_Close(tpm_.esys(), &handle_);
}

}  // namespace chancery::hsm
