#include "hsm/tpm/kill_switch.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "attest/evidence/signing_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "hsm/tpm/tpm_auth.hpp"

namespace chancery::hsm {
namespace {

constexpr unsigned kMostBanks = 15;
constexpr std::uint16_t kBankSize = attest::kSlotsOfBank / 8;

constexpr Error kNotArmed{
    ErrorCode::kConflict,
    "the kill switch of this TPM is not armed: have the operator's key sign for it (`chancery freeze arm`)"};
constexpr Error kNoSlot{ErrorCode::kInvalidArgument, "the kill switch has no such slot: give it more banks"};
constexpr Error kAskAgain{
    ErrorCode::kConflict,
    "this is not what the TPM asked for last, or it was restarted since, or something was frozen: ask again"};
constexpr Error kNotTheOperators{
    ErrorCode::kForbidden, "the TPM refuses the signature: it is not the operator's over what was asked for"};
constexpr Error kForeignIndex{
    ErrorCode::kConflict,
    "something that is not ours stands where the TPM would keep its kill switch: remove it "
    "(tpm2_nvundefine), or use another TPM"};

constexpr Error kTooLate{ErrorCode::kConflict,
                         "it was signed more than ten minutes after it was asked for: ask again"};

// Of formats with parameters, whichever it is about.
bool is_about(const Error& error, TSS2_RC rc) { return (error.native & (TPM2_RC_FMT1 | 0x3F)) == rc; }

bool is_expired(const Error& error) { return is_about(error, TPM2_RC_EXPIRED); }

bool is_refused_signature(const Error& error) { return is_about(error, TPM2_RC_SIGNATURE); }

/// What stands in a bank's place.
struct FoundBank {
  bool is_there = false;
  std::optional<std::uint64_t> frozen{};  ///< none: it is another operator's, or was never written
};

// Its attributes tell a bank of ours; with another policy it is one that another operator's key had.
bool is_a_bank(const TPMS_NV_PUBLIC& area, const NvPlace& place) {
  return area.nameAlg == TPM2_ALG_SHA256 && (area.attributes & ~TPMA_NV_WRITTEN) == place.attributes &&
         area.dataSize == place.size;
}

Result<std::uint64_t> read_bits(TpmConnection& tpm, const NvIndex& index) {
  TPM2B_MAX_NV_BUFFER* data = nullptr;
  const Status done = tpm.command("the TPM does not tell what is frozen", [&] {
    return Esys_NV_Read(tpm.esys(), ESYS_TR_RH_OWNER, index.handle(), tpm.session(), ESYS_TR_NONE,
                        ESYS_TR_NONE, kBankSize, 0, &data);
  });
  const EsysOwned<TPM2B_MAX_NV_BUFFER> owned(data);
  CHANCERY_TRY(done);
  if (data->size != kBankSize)
    return Error{ErrorCode::kDeviceError, "the TPM answered with a kill switch of another size"};
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBankSize; ++i) bits = bits << 8 | data->buffer[i];
  return bits;
}

/// Opens a bank as it is. \return kConflict for what is none
Result<FoundBank> open_bank(TpmConnection& tpm, NvIndex& index, const NvPlace& place) {
  const Status opened = index.open();
  if (!opened) {
    if (opened.error().code == ErrorCode::kNotFound) return FoundBank{};
    if (opened.error().code != ErrorCode::kConflict) return opened.error();
    if (!is_a_bank(index.public_area(), place)) return kForeignIndex;
    return FoundBank{true};
  }
  if ((index.public_area().attributes & TPMA_NV_WRITTEN) == 0) return FoundBank{true};
  CHANCERY_ASSIGN(const std::uint64_t bits, read_bits(tpm, index));
  return FoundBank{true, bits};
}

Status either_branch(TpmConnection& tpm, const TransientHandle& session, const attest::BankPolicy& policy) {
  TPML_DIGEST branches{};
  for (const Sha256Digest& branch : {policy.by_operator, policy.by_daemon})
    branches.digests[branches.count++] = attest::sized(branch);
  return tpm.command("the TPM does not take the policy of its kill switch", [&] {
    return Esys_PolicyOR(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &branches);
  });
}

/// Sets bits as the daemon may: of what was written before, with the bank's auth value.
Status set_bits(TpmConnection& tpm, const NvIndex& index, const NvPlace& place,
                const attest::BankPolicy& policy, std::uint64_t bits) {
  CHANCERY_ASSIGN(const TransientHandle session, tpm.start_policy_session());
  CHANCERY_TRY(tpm.command("the TPM does not take the policy of its kill switch", [&] {
    return Esys_PolicyNvWritten(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                TPM2_YES);
  }));
  CHANCERY_TRY(tpm.command("the TPM does not take the policy of its kill switch", [&] {
    return Esys_PolicyAuthValue(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);
  }));
  CHANCERY_TRY(either_branch(tpm, session, policy));
  const TpmAuth auth(place.auth);
  const Status done = tpm.command("the TPM does not freeze", [&] {
    TSS2_RC rc = Esys_TR_SetAuth(tpm.esys(), index.handle(), &auth.value());
    if (rc != TSS2_RC_SUCCESS) return rc;
    rc = Esys_NV_SetBits(tpm.esys(), index.handle(), index.handle(), session.get(), ESYS_TR_NONE,
                         ESYS_TR_NONE, bits);
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(tpm.esys(), index.handle(), &kNothing);
    return rc;
  });
  tpm.forget_authorization(session.get());
  if (!done && blames_authorization(static_cast<TSS2_RC>(done.error().native))) return kForeignIndex;
  return done;
}

Status freeze_bits(TpmConnection& tpm, const SwitchBanks& banks, std::size_t bank, std::uint64_t bits) {
  const NvPlace& place = banks.places[bank];
  NvIndex index(tpm, place);
  CHANCERY_ASSIGN(const FoundBank found, open_bank(tpm, index, place));
  if (!found.frozen) return kNotArmed;
  if ((*found.frozen & bits) == bits) return {};  // the chip's memory stands so many writes
  return set_bits(tpm, index, place, banks.policy, bits);
}

/// Tells a session that the operator's key has signed for one command in it.
Status check_signature(TpmConnection& tpm, const TransientHandle& session, const SwitchBanks& banks,
                       const attest::BankSetting& setting, const Signature& signature) {
  CHANCERY_ASSIGN(const Sha256Digest command, attest::setting_command_digest(setting, banks.policy));
  ESYS_TR loaded = ESYS_TR_NONE;
  CHANCERY_TRY(tpm.command("the TPM does not take the operator's key", [&] {
    return Esys_LoadExternal(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
                             &banks.operator_area, ESYS_TR_RH_NULL, &loaded);
  }));
  const TransientHandle key = tpm.own_object(loaded);
  const auto nonce = attest::sized<TPM2B_NONCE>(setting.nonce);
  const TPM2B_DIGEST digest = attest::sized(command);
  const TPM2B_NONCE ref = attest::operator_policy_ref();
  const TPMT_SIGNATURE by_operator = attest::ecdsa_signature(signature);
  TPM2B_TIMEOUT* timeout = nullptr;
  TPMT_TK_AUTH* ticket = nullptr;
  const Status done = tpm.command("the TPM does not look at the operator's signature", [&] {
    return Esys_PolicySigned(tpm.esys(), key.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                             &nonce, &digest, &ref, attest::kSettingSeconds, &by_operator, &timeout, &ticket);
  });
  const EsysOwned<TPM2B_TIMEOUT> owned_timeout(timeout);
  const EsysOwned<TPMT_TK_AUTH> owned_ticket(ticket);
  if (!done && is_expired(done.error())) return Error{kTooLate.code, kTooLate.what, done.error().native};
  if (!done && is_refused_signature(done.error()))
    return Error{kNotTheOperators.code, kNotTheOperators.what, done.error().native};
  return done;
}

/// Writes what was signed for, to a bank that is made anew: bits that are set can be cleared in no other way. A bank that this
/// is interrupted at freezes all that hangs on it until the operator has signed again.
Status write_anew(TpmConnection& tpm, const attest::BankPolicy& policy, const attest::BankSetting& setting,
                  NvIndex& index, const TransientHandle& session) {
  CHANCERY_TRY(index.define());
  CHANCERY_TRY(index.open());
  CHANCERY_TRY(either_branch(tpm, session, policy));
  return tpm.command("the TPM does not write its kill switch anew", [&] {
    return Esys_NV_SetBits(tpm.esys(), index.handle(), index.handle(), session.get(), ESYS_TR_NONE,
                           ESYS_TR_NONE, setting.frozen);
  });
}

}  // namespace

Result<std::shared_ptr<const SwitchBanks>> SwitchBanks::of(const KillSwitchOptions& options,
                                                           const SecretBytes& master) {
  if (options.banks < 1 || options.banks > kMostBanks)
    return Error{ErrorCode::kInvalidArgument, "a kill switch has 1 to 15 banks"};
  CHANCERY_ASSIGN(attest::BankPolicy policy, attest::BankPolicy::of(options.operator_key));
  TPM2B_PUBLIC area{};
  area.publicArea = attest::signer_area(options.operator_key);
  std::vector<NvPlace> places;
  for (unsigned i = 0; i < options.banks; ++i) {
    NvPlace place = derive_nv_place(master, "kill switch " + std::to_string(i), TPM2_NT_BITS, kBankSize);
    if (std::ranges::find(places, place.index, &NvPlace::index) != places.end())
      return Error{ErrorCode::kInvalidArgument, "two banks of the kill switch fall together: ask for fewer"};
    const TPMS_NV_PUBLIC wanted = attest::bank_area(place.index, policy, false);
    place.attributes = wanted.attributes;
    place.policy = wanted.authPolicy;
    places.push_back(std::move(place));
  }
  return std::make_shared<const SwitchBanks>(
      SwitchBanks{options.operator_key, policy, area, std::move(places)});
}

std::vector<attest::SlotCheck> SwitchBanks::checks(std::uint16_t slot) const {
  const std::size_t bank = slot / attest::kSlotsOfBank;
  const std::uint64_t all = attest::bit_of_slot(KillSwitch::kAll);
  if (bank == 0) return {{places[0].index, all | attest::bit_of_slot(slot)}};
  return {{places[0].index, all}, {places[bank].index, attest::bit_of_slot(slot)}};
}

/// What the operator was asked for.
struct TpmKillSwitch::Question {
  std::size_t bank = 0;
  attest::BankSetting setting{};
  std::optional<std::uint64_t> before{};  ///< what was frozen then
  EsysOwned<TPMS_CONTEXT> session{};      ///< whose nonce is signed
  bool is_begun = false;                  ///< the bank may be as it is set already
};

Result<SwitchState> TpmKillSwitch::state(Deadline deadline) {
  const auto found = std::make_shared<SwitchState>();
  CHANCERY_TRY(device_.run("daemon", deadline, [found, banks = banks_](OpenTpm& tpm) -> Status {
    found->banks.clear();
    for (const NvPlace& place : banks->places) {
      NvIndex index(*tpm.connection, place);
      CHANCERY_ASSIGN(const FoundBank bank, open_bank(*tpm.connection, index, place));
      found->banks.push_back({place.index, bank.frozen.has_value(), bank.frozen.value_or(0)});
    }
    return {};
  }));
  return *found;
}

Status TpmKillSwitch::freeze(Slot slot, Deadline deadline) {
  if (slot > last_slot()) return kNoSlot;
  const std::size_t bank = slot / attest::kSlotsOfBank;
  return device_.run("daemon", deadline, [banks = banks_, bank, slot](OpenTpm& tpm) -> Status {
    return freeze_bits(*tpm.connection, *banks, bank, attest::bit_of_slot(slot));
  });
}

// A session takes one of the TPM's three places, and an operator takes his time: it waits outside. What is saved can be brought
// back once, so whatever was asked before is brought back to be flushed.
Result<attest::BankSetting> TpmKillSwitch::ask(std::size_t bank, std::uint64_t frozen, Deadline deadline) {
  if (bank >= banks_->places.size()) return kNoSlot;
  const std::lock_guard lock(mutex_);
  const auto asked = std::make_shared<Question>();
  asked->bank = bank;
  asked->setting = {banks_->places[bank].index, frozen, {}};
  const Asked former = std::exchange(asked_, nullptr);
  const auto begin = [asked, former, banks = banks_](OpenTpm& tpm) -> Status {
    TpmConnection& connection = *tpm.connection;
    tpm.keys.make_room();
    if (former && former->session) static_cast<void>(connection.load_session(*former->session));
    const NvPlace& place = banks->places[asked->bank];
    NvIndex index(connection, place);
    CHANCERY_ASSIGN(const FoundBank found, open_bank(connection, index, place));
    asked->before = found.frozen;
    CHANCERY_ASSIGN(TransientHandle session, connection.start_policy_session());
    TPM2B_NONCE* nonce = nullptr;
    CHANCERY_TRY(check_tpm(Esys_TRSess_GetNonceTPM(connection.esys(), session.get(), &nonce),
                           "the TPM gives no nonce"));
    const EsysOwned<TPM2B_NONCE> owned(nonce);
    asked->setting.nonce.assign(nonce->buffer, nonce->buffer + nonce->size);
    CHANCERY_ASSIGN(asked->session, connection.save_session(session));
    return {};
  };
  CHANCERY_TRY(device_.run("daemon", deadline, begin));
  asked_ = asked;
  return asked->setting;
}

// The device repeats a request whose answer was lost, and then the session is gone: what stands in the bank tells whether it
// came about.
Status TpmKillSwitch::set(const attest::BankSetting& setting, const Signature& signature, Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (!asked_ || asked_->setting != setting) return kAskAgain;
  const Asked asked = std::exchange(asked_, nullptr);
  return device_.run("daemon", deadline, [asked, signature, banks = banks_](OpenTpm& tpm) -> Status {
    TpmConnection& connection = *tpm.connection;
    tpm.keys.make_room();
    const NvPlace& place = banks->places[asked->bank];
    NvIndex index(connection, place);
    CHANCERY_ASSIGN(const FoundBank found, open_bank(connection, index, place));
    if (asked->is_begun && found.frozen == asked->setting.frozen) return {};
    auto session = connection.load_session(*asked->session);
    if (!session) {
      const ErrorCode code = session.error().code;
      if (code == ErrorCode::kDeviceUnavailable || code == ErrorCode::kDeviceTimeout) return session.error();
      return Error{kAskAgain.code, kAskAgain.what, session.error().native};
    }
    if (found.frozen != asked->before && !asked->is_begun) return kAskAgain;
    CHANCERY_TRY(check_signature(connection, *session, *banks, asked->setting, signature));
    asked->is_begun = true;
    if (found.is_there) CHANCERY_TRY(index.remove());
    return write_anew(connection, banks->policy, asked->setting, index, *session);
  });
}

Result<StoredKey> TpmKillSwitch::create(const KeyBinding& binding, Slot slot, Deadline deadline) {
  if (slot > last_slot()) return kNoSlot;
  CHANCERY_ASSIGN(const SwitchState now, state(deadline));
  if (!now.is_armed(kAll) || !now.is_armed(slot)) return kNotArmed;
  return create_(binding, slot, deadline);
}

std::optional<KillSwitch::Slot> TpmKillSwitch::slot_of(const StoredKey& key) const {
  const auto parts = unmarshal(key.blob);
  return parts ? parts->slot : std::nullopt;
}

}  // namespace chancery::hsm
