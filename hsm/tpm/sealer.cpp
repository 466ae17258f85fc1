#include "hsm/tpm/sealer.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <string.h>

#include "hsm/binding_octets.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kAuthSize = 32;

constexpr Error kWrongSize{ErrorCode::kInvalidArgument, "a device seals 1 to 64 octets at once"};
constexpr Error kDoesNotOpen{
    ErrorCode::kKeyLost,
    "the TPM does not open what was sealed: it was sealed by another TPM, before a TPM2_Clear or for another name, or its "
    "record was changed"};

/// What is sealed, and with which auth value. Shared with the device thread, which may outlast a caller.
struct Sealing {
  SecretBytes auth;
  SecretBytes secret;
};

/// What is opened, and where it goes.
struct Opening {
  KeyParts parts;
  SecretBytes auth;
  SecretBytes secret{};
};

Status create(OpenTpm& tpm, const Sealing& what, KeyParts& made) {
  tpm.keys.make_room();
  TpmConnection& connection = *tpm.connection;
  CHANCERY_ASSIGN(const TransientHandle storage_key, connection.load_storage_key());
  const TpmAuth auth(what.auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = auth.value();
  sensitive.sensitive.data.size = static_cast<UINT16>(what.secret.size());
  std::ranges::copy(what.secret.view(), sensitive.sensitive.data.buffer);
  const TPM2B_PUBLIC wanted = sealed_data_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  const Status created = connection.command("the TPM does not seal a secret", [&] {
    return Esys_Create(connection.esys(), storage_key.get(), connection.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                       &sensitive, &wanted, &outside, &pcrs, &private_area, &public_area, nullptr, nullptr,
                       nullptr);
  });
  explicit_bzero(&sensitive, sizeof sensitive);
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  CHANCERY_TRY(created);
  made = {*public_area, *private_area};
  return {};
}

Status open(OpenTpm& tpm, Opening& what) {
  TpmConnection& connection = *tpm.connection;
  CHANCERY_ASSIGN(const TransientHandle object, tpm.keys.load_blob(what.parts));
  const TpmAuth auth(what.auth);
  TPM2B_SENSITIVE_DATA* data = nullptr;
  const Status done = connection.command("the TPM does not open what was sealed", [&] {
    TSS2_RC rc = Esys_TR_SetAuth(connection.esys(), object.get(), &auth.value());
    if (rc != TSS2_RC_SUCCESS) return rc;
    rc =
        Esys_Unseal(connection.esys(), object.get(), connection.session(), ESYS_TR_NONE, ESYS_TR_NONE, &data);
    // ESYS frees objects without cleansing them.
    constexpr TPM2B_AUTH kNothing{};
    Esys_TR_SetAuth(connection.esys(), object.get(), &kNothing);
    return rc;
  });
  const EsysOwned<TPM2B_SENSITIVE_DATA> owned(data);
  CHANCERY_TRY(done);
  what.secret = SecretBytes(ByteView(data->buffer, data->size));
  explicit_bzero(data, sizeof *data);
  return {};
}

}  // namespace

SecretBytes TpmSealer::derive_auth(const KeyBinding& binding) const {
  return hkdf_sha256(master_.view(), {}, "chancery tpm sealed auth" + binding_octets(binding), kAuthSize);
}

Result<Bytes> TpmSealer::seal(const KeyBinding& binding, const SecretBytes& secret, Deadline deadline) {
  if (secret.empty() || secret.size() > kMaxSecret) return kWrongSize;
  const auto what =
      std::make_shared<const Sealing>(Sealing{derive_auth(binding), SecretBytes(secret.view())});
  const auto made = std::make_shared<KeyParts>();
  CHANCERY_TRY(device_.run(binding.agent_id, deadline, [what, made](OpenTpm& tpm) -> Status {
    return run_beyond_doubt(*tpm.connection, [&] { return create(tpm, *what, *made); });
  }));
  CHANCERY_ASSIGN(Bytes blob, marshal(*made));
  // What unseal() would refuse is not given out.
  if (!unmarshal_like(blob, sealed_data_template()))
    return Error{ErrorCode::kDeviceError, "the TPM made another kind of object than was asked for"};
  return blob;
}

Result<SecretBytes> TpmSealer::unseal(const KeyBinding& binding, ByteView sealed, Deadline deadline) {
  const auto parts = unmarshal_like(sealed, sealed_data_template());
  if (!parts) return kDoesNotOpen;
  const auto what = std::make_shared<Opening>(Opening{*parts, derive_auth(binding)});
  const Status opened = device_.run(binding.agent_id, deadline, [what](OpenTpm& tpm) -> Status {
    return run_beyond_doubt(*tpm.connection, [&] { return open(tpm, *what); });
  });
  if (opened) return std::move(what->secret);
  if (opened.error().code != ErrorCode::kKeyLost) return opened.error();
  return Error{kDoesNotOpen.code, kDoesNotOpen.what, opened.error().native};
}

}  // namespace chancery::hsm
