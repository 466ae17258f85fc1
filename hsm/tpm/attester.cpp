#include "hsm/tpm/attester.hpp"

#include <algorithm>
#include <utility>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/statements.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kAuthSize = 32;
constexpr std::size_t kMostNonce = 64;  // of TPM2B_DATA, for any TPM

constexpr Error kNonceTooLong{ErrorCode::kInvalidArgument, "a nonce has at most 64 octets"};

TPM2B_PUBLIC ak_template() {
  TPM2B_PUBLIC area = signing_key_template();
  area.publicArea.objectAttributes |= TPMA_OBJECT_RESTRICTED;
  return area;
}

/// The authorization value of an object in ESYS, for as long as a command takes: ESYS frees objects uncleansed.
class Authorized {
 public:
  Authorized(TpmConnection& tpm, ESYS_TR object, const SecretBytes& auth) : tpm_(tpm), object_(object) {
    const TpmAuth value(auth);
    Esys_TR_SetAuth(tpm_.esys(), object_, &value.value());
  }
  ~Authorized() {
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(tpm_.esys(), object_, &kNothing);
  }
  Authorized(const Authorized&) = delete;
  Authorized& operator=(const Authorized&) = delete;

 private:
  TpmConnection& tpm_;
  ESYS_TR object_;
};

// Neither the EK nor what was loaded before is needed behind it: a TPM has three places.
Result<TransientHandle> load_below(TpmConnection& tpm, EkKind kind, const KeyParts& parts) {
  CHANCERY_ASSIGN(const EndorsementKey ek, bring_in_ek(tpm, kind));
  ESYS_TR handle = ESYS_TR_NONE;
  const Status loaded = tpm.command("the TPM does not load its attestation key", [&] {
    return Esys_Load(tpm.esys(), ek.object.get(), ek.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                     &parts.private_area, &parts.public_area, &handle);
  });
  if (loaded) return tpm.own_object(handle);
  if (!blames_parameter(static_cast<TSS2_RC>(loaded.error().native))) return loaded.error();
  return Error{ErrorCode::kKeyLost,
               "the TPM does not open its attestation key: it was cleared, enrol the host anew",
               loaded.error().native};
}

Result<KeyParts> make_below(TpmConnection& tpm, EkKind kind, const SecretBytes& auth) {
  CHANCERY_ASSIGN(const EndorsementKey ek, bring_in_ek(tpm, kind));
  const TpmAuth key_auth(auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = key_auth.value();
  const TPM2B_PUBLIC wanted = ak_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  const Status created = tpm.command("the TPM does not make an attestation key", [&] {
    return Esys_Create(tpm.esys(), ek.object.get(), ek.session(), ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                       &wanted, &outside, &pcrs, &private_area, &public_area, nullptr, nullptr, nullptr);
  });
  explicit_bzero(&sensitive, sizeof sensitive);
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  CHANCERY_TRY(created);
  if (!is_like(*public_area, wanted))
    return Error{ErrorCode::kDeviceError, "the TPM made another kind of key than was asked for"};
  return KeyParts{*public_area, *private_area};
}

// --- what is asked of the TPM

Result<SecretBytes> activate_credential(TpmConnection& tpm, const EndorsementKey& ek, ESYS_TR ak,
                                        const TPM2B_ID_OBJECT& object,
                                        const TPM2B_ENCRYPTED_SECRET& encrypted) {
  TPM2B_DIGEST* opened = nullptr;
  const Status done = tpm.command("the TPM does not open the credential", [&] {
    return Esys_ActivateCredential(tpm.esys(), ak, ek.object.get(), tpm.session(), ek.session(), ESYS_TR_NONE,
                                   &object, &encrypted, &opened);
  });
  const EsysOwned<TPM2B_DIGEST> owned(opened);
  if (!done) {
    if (!blames_parameter(static_cast<TSS2_RC>(done.error().native))) return done.error();
    return Error{ErrorCode::kForbidden, "the credential was made for another TPM, or for another key of it",
                 done.error().native};
  }
  SecretBytes secret(ByteView(opened->buffer, opened->size));
  explicit_bzero(opened->buffer, sizeof opened->buffer);
  return secret;
}

// --- what was measured

Status open_or_define(NvIndex& index) {
  const Status found = index.open();
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  CHANCERY_TRY(index.define());
  return index.open();
}

/// \return empty before the first measurement
Result<Bytes> content_of(NvIndex& index) {
  auto content = index.read();
  if (!content && content.error().code == ErrorCode::kNotFound) return Bytes();
  return content;
}

Status extend(TpmConnection& tpm, NvIndex& index, ByteView digest) {
  const auto data = attest::sized<TPM2B_MAX_NV_BUFFER>(digest);
  return index.authorized("the TPM does not take a measurement", [&] {
    return Esys_NV_Extend(tpm.esys(), index.handle(), index.handle(), tpm.session(), ESYS_TR_NONE,
                          ESYS_TR_NONE, &data);
  });
}

bool is_selection(const attest::PcrSelection& selection) {
  if (selection.empty() || selection.size() > TPM2_NUM_PCR_BANKS) return false;
  return std::ranges::all_of(
      selection, [](const auto& bank) { return !bank.second.empty() && *bank.second.rbegin() < kPcrs; });
}

template <typename Sized, std::size_t N>
bool copy_blob(ByteView from, Sized& to, BYTE (&buffer)[N]) {
  if (from.size() > N) return false;
  to.size = static_cast<UINT16>(from.size());
  std::ranges::copy(from, std::begin(buffer));
  return true;
}

}  // namespace

TpmAttester::TpmAttester(TpmDevice& device, const SecretBytes& master, AttestationKeyKeeper keeper,
                         Preparation prepare)
    : device_(device),
      auth_(std::make_shared<const SecretBytes>(
          hkdf_sha256(master.view(), {}, "chancery tpm attestation key auth", kAuthSize))),
      measurements_(std::make_shared<const NvPlace>(
          derive_nv_place(master, "measurements", TPM2_NT_EXTEND, kMeasurementSize))),
      wanted_(keeper.ek),
      keep_(std::move(keeper.keep)),
      prepare_(std::move(prepare)),
      kept_(std::move(keeper.blob)) {}

// A blob is the kind of the EK, then the key as any other.
Result<TpmAttester::KeptAk> TpmAttester::attestation_key(Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (ak_) return ak_;
  if (!kept_.empty()) {
    const auto kind = ek_kind(kept_.front());
    if (!kind)
      return Error{ErrorCode::kKeyLost, "the record of the attestation key is damaged: enrol the host anew"};
    CHANCERY_ASSIGN(KeyParts parts, unmarshal_like(ByteView(kept_).subspan(1), ak_template()));
    ak_ = std::make_shared<const Ak>(Ak{*kind, parts});
    return ak_;
  }
  const auto made = std::make_shared<Ak>();
  CHANCERY_TRY(
      device_.run("daemon", deadline, [made, auth = auth_, wanted = wanted_](OpenTpm& tpm) -> Status {
        tpm.keys.make_room();
        CHANCERY_ASSIGN(made->ek, wanted ? Result<EkKind>(*wanted) : certified_kind(*tpm.connection));
        CHANCERY_ASSIGN(made->parts, make_below(*tpm.connection, made->ek, *auth));
        return {};
      }));
  CHANCERY_ASSIGN(Bytes blob, marshal(made->parts));
  blob.insert(blob.begin(), static_cast<std::uint8_t>(made->ek));
  if (keep_) CHANCERY_TRY(keep_(blob));
  ak_ = made;
  return ak_;
}

Result<HostIdentity> TpmAttester::identity(Deadline deadline) {
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto found = std::make_shared<HostIdentity>();
  CHANCERY_TRY(device_.run("daemon", deadline, [ak, found](OpenTpm& tpm) -> Status {
    tpm.keys.make_room();
    CHANCERY_ASSIGN(const EndorsementKey ek, bring_in_ek(*tpm.connection, ak->ek));
    CHANCERY_ASSIGN(found->ek_public, area_octets(ek.public_area));
    CHANCERY_ASSIGN(found->ek_certificate, read_ek_certificate(*tpm.connection, ak->ek));
    CHANCERY_ASSIGN(found->srk_public, area_octets(tpm.connection->storage_key_area()));
    return {};
  }));
  CHANCERY_ASSIGN(found->ak_public, area_octets(ak->parts.public_area));
  return *found;
}

Result<SecretBytes> TpmAttester::activate(ByteView id_object, ByteView encrypted_secret, Deadline deadline) {
  constexpr Error kNoCredential{ErrorCode::kMalformed, "the credential is no pair of TPM2B structures"};
  TPM2B_ID_OBJECT object{};
  TPM2B_ENCRYPTED_SECRET encrypted{};
  const auto credential = attest::take_sized(id_object);
  const auto secret = attest::take_sized(encrypted_secret);
  if (!credential || !secret || !id_object.empty() || !encrypted_secret.empty() ||
      !copy_blob(*credential, object, object.credential) ||
      !copy_blob(*secret, encrypted, encrypted.secret)) {
    return kNoCredential;
  }
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto opened = std::make_shared<SecretBytes>();
  CHANCERY_TRY(device_.run("daemon", deadline, [=, auth = auth_](OpenTpm& tpm) -> Status {
    tpm.keys.make_room();
    CHANCERY_ASSIGN(const TransientHandle key, load_below(*tpm.connection, ak->ek, ak->parts));
    CHANCERY_ASSIGN(const EndorsementKey ek, bring_in_ek(*tpm.connection, ak->ek));
    const Authorized authorized(*tpm.connection, key.get(), *auth);
    CHANCERY_ASSIGN(*opened, activate_credential(*tpm.connection, ek, key.get(), object, encrypted));
    return {};
  }));
  return std::move(*opened);
}

// Three objects at most: the storage key goes as soon as the agent's key is loaded.
Result<SignedAttest> TpmAttester::certify(const StoredKey& key, ByteView nonce, Deadline deadline) {
  if (nonce.size() > kMostNonce) return kNonceTooLong;
  CHANCERY_ASSIGN(const std::shared_ptr<const PreparedKey> prepared, prepare_(key));
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto made = std::make_shared<SignedAttest>();
  CHANCERY_TRY(
      device_.run(key.binding.agent_id, deadline,
                  [=, auth = auth_, asked = Bytes(nonce.begin(), nonce.end())](OpenTpm& tpm) -> Status {
                    TpmConnection& connection = *tpm.connection;
                    tpm.keys.make_room();
                    CHANCERY_ASSIGN(const TransientHandle second, connection.start_second_session());
                    CHANCERY_ASSIGN(const TransientHandle signer, load_below(connection, ak->ek, ak->parts));
                    CHANCERY_ASSIGN(const ESYS_TR subject, tpm.keys.loaded(*prepared));
                    const Authorized of_signer(connection, signer.get(), *auth);
                    const Authorized of_subject(connection, subject, prepared->auth);
                    const ESYS_TR by = second.live() ? second.get() : ESYS_TR_PASSWORD;
                    CHANCERY_ASSIGN(*made, certify_key(connection, subject, {signer.get(), by, asked}));
                    return {};
                  }));
  return *made;
}

Result<SignedAttest> TpmAttester::certify_creation(std::string_view owner,
                                                   const std::shared_ptr<const PreparedGatedKey>& key,
                                                   const DestroyedKeys& destroyed, ByteView nonce,
                                                   Deadline deadline) {
  if (nonce.size() > kMostNonce) return kNonceTooLong;
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto made = std::make_shared<SignedAttest>();
  CHANCERY_TRY(device_.run(
      owner, deadline,
      [=, &destroyed, auth = auth_, asked = Bytes(nonce.begin(), nonce.end())](OpenTpm& tpm) -> Status {
        if (destroyed.contains(key->key.identity)) return kKeyDestroyed;
        TpmConnection& connection = *tpm.connection;
        tpm.keys.make_room();
        CHANCERY_ASSIGN(const TransientHandle signer, load_below(connection, ak->ek, ak->parts));
        CHANCERY_ASSIGN(const ESYS_TR subject, tpm.keys.loaded(key->key));
        const Authorized of_signer(connection, signer.get(), *auth);
        CHANCERY_ASSIGN(*made, certify_creation_of(connection, subject, *key,
                                                   {signer.get(), connection.session(), asked}));
        return {};
      }));
  return *made;
}

Result<PcrQuote> TpmAttester::quote(const attest::PcrSelection& selection, ByteView nonce,
                                    Deadline deadline) {
  if (nonce.size() > kMostNonce) return kNonceTooLong;
  if (!is_selection(selection))
    return Error{ErrorCode::kInvalidArgument, "a quote is of PCRs 0 to 23, of one at least"};
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto made = std::make_shared<PcrQuote>();
  CHANCERY_TRY(device_.run(
      "daemon", deadline,
      [=, auth = auth_, asked = Bytes(nonce.begin(), nonce.end())](OpenTpm& tpm) -> Status {
        TpmConnection& connection = *tpm.connection;
        tpm.keys.make_room();
        CHANCERY_ASSIGN(const TransientHandle signer, load_below(connection, ak->ek, ak->parts));
        const Authorized of_signer(connection, signer.get(), *auth);
        CHANCERY_ASSIGN(made->statement,
                        quote_pcrs(connection, selection, {signer.get(), connection.session(), asked}));
        CHANCERY_ASSIGN(made->values, read_pcrs(connection, selection));
        return {};
      }));
  return *made;
}

// The device repeats a request whose answer was lost, and nothing must be extended twice: what the index holds
// then tells whether it was. Nobody else can have done it.
Status TpmAttester::measure(ByteView digest, Deadline deadline) {
  if (digest.size() != kMeasurementSize)
    return Error{ErrorCode::kInvalidArgument, "what is measured is a SHA-256 digest"};
  const auto before = std::make_shared<std::optional<Bytes>>();
  const auto extend_once = [before, place = measurements_,
                            extension = Bytes(digest.begin(), digest.end())](OpenTpm& tpm) -> Status {
    NvIndex index(*tpm.connection, *place);
    CHANCERY_TRY(open_or_define(index));
    CHANCERY_ASSIGN(const Bytes present, content_of(index));
    if (!*before) *before = present;
    if (present != **before) return {};
    return extend(*tpm.connection, index, extension);
  };
  return device_.run("daemon", deadline, extend_once);
}

Result<MeasurementStatement> TpmAttester::certify_measurements(ByteView nonce, Deadline deadline) {
  if (nonce.size() > kMostNonce) return kNonceTooLong;
  CHANCERY_ASSIGN(const KeptAk ak, attestation_key(deadline));
  const auto made = std::make_shared<MeasurementStatement>();
  const auto certify = [=, auth = auth_, place = measurements_,
                        asked = Bytes(nonce.begin(), nonce.end())](OpenTpm& tpm) -> Status {
    TpmConnection& connection = *tpm.connection;
    NvIndex index(connection, *place);
    CHANCERY_TRY(index.open());
    tpm.keys.make_room();
    CHANCERY_ASSIGN(const TransientHandle second, connection.start_second_session());
    CHANCERY_ASSIGN(const TransientHandle signer, load_below(connection, ak->ek, ak->parts));
    const Authorized of_signer(connection, signer.get(), *auth);
    const ESYS_TR by = second.live() ? second.get() : ESYS_TR_PASSWORD;
    CHANCERY_ASSIGN(*made, certify_index(connection, index, {signer.get(), by, asked}));
    return {};
  };
  CHANCERY_TRY(device_.run("daemon", deadline, certify));
  return *made;
}

void TpmAttester::forget() {
  const std::lock_guard lock(mutex_);
  ak_.reset();
  kept_.clear();
}

Result<Bytes> TpmAttester::public_area(const StoredKey& key) const {
  CHANCERY_ASSIGN(const std::shared_ptr<const PreparedKey> prepared, prepare_(key));
  return area_octets(prepared->parts.public_area);
}

}  // namespace chancery::hsm
