#include "hsm/tpm/nv_counter.hpp"

#include <utility>

#include "hsm/tpm/check.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kAuthSize = 32;
constexpr std::uint16_t kValueSize = 8;
constexpr TPM2_HANDLE kFirstIndex = 0x01800000;
constexpr std::uint32_t kIndexes = 0x400000;

// Outside of dictionary-attack protection, as our keys are: a crash between command and answer would count.
constexpr TPMA_NV kAttributes =
    TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT);

constexpr Error kNoCounter{ErrorCode::kNotFound,
                           "the TPM has no counter of ours: it was never made, or a TPM2_Clear removed it"};
constexpr Error kNotOurs{
    ErrorCode::kConflict,
    "something that is not ours stands where the TPM would keep our counter: remove that "
    "NV index (tpm2_nvundefine), or use another TPM"};

TPM2B_NV_PUBLIC public_area(TPM2_HANDLE index) {
  TPM2B_NV_PUBLIC area{};
  area.nvPublic.nvIndex = index;
  area.nvPublic.nameAlg = TPM2_ALG_SHA256;
  area.nvPublic.attributes = kAttributes;
  area.nvPublic.dataSize = kValueSize;
  return area;
}

bool is_as_we_define(const TPMS_NV_PUBLIC& area) {
  return area.nameAlg == TPM2_ALG_SHA256 && (area.attributes & ~TPMA_NV_WRITTEN) == kAttributes &&
         area.authPolicy.size == 0 && area.dataSize == kValueSize;
}

TPM2_HANDLE derive_index(const SecretBytes& master) {
  const SecretBytes octets = hkdf_sha256(master.view(), {}, "chancery tpm counter index", 4);
  std::uint32_t number = 0;
  for (const std::uint8_t octet : octets.view()) number = number << 8 | octet;
  return kFirstIndex + number % kIndexes;
}

// Base of TPM_RC_HANDLE, which comes with the number of the handle.
bool says_no_such_index(const Error& error) {
  return (error.native & (TPM2_RC_FMT1 | 0x3F)) == TPM2_RC_HANDLE;
}

}  // namespace

/// What a request does with the index while it has the device.
class NvCounter::Visit {
 public:
  Visit(TpmConnection& tpm, const Place& place) : tpm_(tpm), place_(place) {}
  ~Visit() { close(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  /// Finds the index, and makes sure that it is as we define it.
  Status open() {
    const Status found = tpm_.command("the TPM does not tell of its counter", [&] {
      return Esys_TR_FromTPMPublic(tpm_.esys(), place_.index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &handle_);
    });
    if (!found) return says_no_such_index(found.error()) ? Status{kNoCounter} : found;
    TPM2B_NV_PUBLIC* area = nullptr;
    CHANCERY_TRY(tpm_.command("the TPM does not describe its counter", [&] {
      return Esys_NV_ReadPublic(tpm_.esys(), handle_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area,
                                nullptr);
    }));
    const EsysOwned<TPM2B_NV_PUBLIC> owned(area);
    return is_as_we_define(area->nvPublic) ? Status{} : kNotOurs;
  }

  /// \return success also when an earlier, unanswered attempt has defined it: open() looks at what is there
  Status define() {
    const TPM2B_NV_PUBLIC wanted = public_area(place_.index);
    const TpmAuth auth(place_.auth);
    ESYS_TR made = ESYS_TR_NONE;
    const Status defined = tpm_.command("the TPM does not make a counter: free an NV index", [&] {
      return Esys_NV_DefineSpace(tpm_.esys(), ESYS_TR_RH_OWNER, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                                 &auth.value(), &wanted, &made);
    });
    if (!defined) return (defined.error().native & 0xFFF) == TPM2_RC_NV_DEFINED ? Status{} : defined;
    Esys_TR_Close(tpm_.esys(), &made);
    return {};
  }

  Result<std::uint64_t> read() {
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    const Status done = authorized("the TPM does not tell its counter", [&] {
      return Esys_NV_Read(tpm_.esys(), handle_, handle_, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                          kValueSize, 0, &data);
    });
    const EsysOwned<TPM2B_MAX_NV_BUFFER> owned(data);
    if (!done) {
      // Defined, and never counted: create() was interrupted.
      const bool is_blank = (done.error().native & 0xFFF) == TPM2_RC_NV_UNINITIALIZED;
      return is_blank ? kNoCounter : done.error();
    }
    if (data->size != kValueSize) {
      return Error{ErrorCode::kDeviceError, "the TPM answered with a counter of another size"};
    }
    std::uint64_t value = 0;
    for (const std::uint8_t octet : std::span(data->buffer, kValueSize)) value = value << 8 | octet;
    return value;
  }

  Status increment() {
    return authorized("the TPM does not advance its counter", [&] {
      return Esys_NV_Increment(tpm_.esys(), handle_, handle_, tpm_.session(), ESYS_TR_NONE, ESYS_TR_NONE);
    });
  }

 private:
  // A session that has fallen out of step looks like a wrong auth value: a fresh one must say so too.
  Status authorized(const char* what, const std::function<TSS2_RC()>& run) {
    Status done = authorized_once(what, run);
    if (done || !blames_authorization(static_cast<TSS2_RC>(done.error().native))) return done;
    if (tpm_.session() != ESYS_TR_PASSWORD) {
      CHANCERY_TRY(tpm_.renew_session());
      done = authorized_once(what, run);
    }
    const bool is_refused = !done && blames_authorization(static_cast<TSS2_RC>(done.error().native));
    return is_refused ? Status{kNotOurs} : done;
  }

  Status authorized_once(const char* what, const std::function<TSS2_RC()>& run) {
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

  void close() noexcept {
    if (handle_ != ESYS_TR_NONE) Esys_TR_Close(tpm_.esys(), &handle_);
  }

  TpmConnection& tpm_;
  const Place& place_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

NvCounter::NvCounter(TpmDevice& device, const SecretBytes& master)
    : device_(device),
      place_(std::make_shared<const Place>(Place{
          derive_index(master), hkdf_sha256(master.view(), {}, "chancery tpm counter auth", kAuthSize)})) {}

Result<std::uint64_t> NvCounter::run(Deadline deadline, Work work) {
  const auto value = std::make_shared<std::uint64_t>(0);
  CHANCERY_TRY(device_.run("daemon", deadline,
                           [place = place_, value, work = std::move(work)](OpenTpm& tpm) -> Status {
                             Visit visit(*tpm.connection, *place);
                             return work(visit, *value);
                           }));
  return *value;
}

Result<std::uint64_t> NvCounter::read(Deadline deadline) {
  return run(deadline, [](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.open());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

// The device repeats a request whose answer was lost, and an increment must not be repeated: what stands in
// the TPM then tells whether it came about. Nobody else can have done it.
Result<std::uint64_t> NvCounter::advance(Deadline deadline) {
  const auto from = std::make_shared<std::optional<std::uint64_t>>();
  return run(deadline, [from](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.open());
    CHANCERY_ASSIGN(value, visit.read());
    if (!*from) *from = value;
    if (value != **from) return {};
    CHANCERY_TRY(visit.increment());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

// A repetition may count once more, which nobody compares with anything yet.
Result<std::uint64_t> NvCounter::create(Deadline deadline) {
  return run(deadline, [](Visit& visit, std::uint64_t& value) -> Status {
    CHANCERY_TRY(visit.define());
    CHANCERY_TRY(visit.open());
    CHANCERY_TRY(visit.increment());
    CHANCERY_ASSIGN(value, visit.read());
    return {};
  });
}

}  // namespace chancery::hsm
