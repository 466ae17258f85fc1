#include "hsm/tpm/gated_keys.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <string.h>
#include <tss2/tss2_mu.h>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/check.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "hsm/tpm/marshal.hpp"
#include "hsm/tpm/statements.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

using attest::GateChoice;
using attest::GatePolicy;

constexpr std::size_t kAuthSize = 32;

constexpr Error kNoQuorum{ErrorCode::kForbidden,
                          "the gate's quorum is not met: too few of its approvers have signed"};
constexpr Error kOtherPolicy{
    ErrorCode::kKeyMismatch,
    "the key is behind another policy than is said: other approvers, another quorum or another gate take another key"};

// --- making

/// What is made, and for which policy. Shared with the device thread, which may outlast a caller.
struct Making {
  Sha256Digest policy{};
  SecretBytes auth;
  GatedParts made{};
};

Status make(OpenTpm& tpm, Making& making) {
  tpm.keys.make_room();
  TpmConnection& connection = *tpm.connection;
  CHANCERY_ASSIGN(const TransientHandle storage_key, connection.load_storage_key());
  const TpmAuth auth(making.auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = auth.value();
  const TPM2B_PUBLIC wanted = gated_key_template(making.policy);
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  TPM2B_CREATION_DATA* creation_data = nullptr;
  TPMT_TK_CREATION* ticket = nullptr;
  const Status created = connection.command("the TPM does not make a gated key", [&] {
    return Esys_Create(connection.esys(), storage_key.get(), connection.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                       &sensitive, &wanted, &outside, &pcrs, &private_area, &public_area, &creation_data,
                       nullptr, &ticket);
  });
  explicit_bzero(&sensitive, sizeof sensitive);
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  const EsysOwned<TPM2B_CREATION_DATA> owned_data(creation_data);
  const EsysOwned<TPMT_TK_CREATION> owned_ticket(ticket);
  CHANCERY_TRY(created);
  making.made.key = {*public_area, *private_area};
  making.made.ticket = *ticket;
  CHANCERY_ASSIGN(making.made.creation_data,
                  written<Tss2_MU_TPMS_CREATION_DATA_Marshal>(creation_data->creationData));
  return {};
}

// --- signing

/// One signature of the key, and what the TPM is shown for it. Shared with the device thread, which may outlast a caller.
struct Signing {
  std::shared_ptr<const PreparedGatedKey> key;
  std::string gate;
  Sha256Digest digest{};   ///< of the message
  Sha256Digest command{};  ///< of the TPM2_Sign
  std::vector<GateChoice> choices;
  std::vector<PolicySignature> shown;  ///< of one choice, in its order
  Signature signature{};
};

const PolicySignature* find_signature(std::span<const PolicySignature> signatures, const PublicKey& signer) {
  const auto found = std::ranges::find(signatures, signer, &PolicySignature::approver);
  return found == signatures.end() ? nullptr : &*found;
}

/// The signatures of the first choice whose signers have all signed; empty when there is none.
std::vector<PolicySignature> chosen(const std::vector<GateChoice>& choices,
                                    std::span<const PolicySignature> signatures) {
  for (const GateChoice& choice : choices) {
    std::vector<PolicySignature> shown;
    for (const PublicKey& signer : choice.signers) {
      const PolicySignature* const found = find_signature(signatures, signer);
      if (found != nullptr) shown.push_back(*found);
    }
    if (shown.size() == choice.signers.size()) return shown;
  }
  return {};
}

// The signature is for good: no nonce, no end. What it opens is this one command.
Status show_signature(TpmConnection& tpm, ESYS_TR session, const Signing& what,
                      const PolicySignature& shown) {
  TPM2B_PUBLIC area{};
  area.publicArea = attest::signer_area(shown.approver);
  ESYS_TR handle = ESYS_TR_NONE;
  CHANCERY_TRY(tpm.command("the TPM does not take an approver's key", [&] {
    return Esys_LoadExternal(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &area,
                             ESYS_TR_RH_NULL, &handle);
  }));
  const TransientHandle signer = tpm.own_object(handle);
  const TPM2B_NONCE no_nonce{};
  const TPM2B_DIGEST command = attest::sized(what.command);
  const TPM2B_NONCE gate = attest::sized(as_bytes(what.gate));
  const TPMT_SIGNATURE signature = attest::ecdsa_signature(shown.signature);
  const Status taken = tpm.command("the TPM does not take an approver's signature", [&] {
    return Esys_PolicySigned(tpm.esys(), signer.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                             &no_nonce, &command, &gate, 0, &signature, nullptr, nullptr);
  });
  if (taken || !blames_signature(static_cast<TSS2_RC>(taken.error().native))) return taken;
  return Error{
      ErrorCode::kSignatureInvalid,
      "the TPM does not take an approver's signature: it is for another message, key or gate, or another's",
      taken.error().native};
}

Status meet_policy(TpmConnection& tpm, ESYS_TR session, const Signing& what) {
  for (const PolicySignature& shown : what.shown) CHANCERY_TRY(show_signature(tpm, session, what, shown));
  if (what.choices.size() == 1) return {};
  TPML_DIGEST branches{};
  for (const GateChoice& choice : what.choices)
    branches.digests[branches.count++] = attest::sized(choice.digest);
  return tpm.command("the TPM does not know the choice of approvers", [&] {
    return Esys_PolicyOR(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &branches);
  });
}

Status sign_in(OpenTpm& tpm, ESYS_TR session, Signing& what) {
  TpmConnection& connection = *tpm.connection;
  CHANCERY_ASSIGN(const ESYS_TR object, tpm.keys.loaded(what.key->key));
  const TPM2B_DIGEST digest = attest::sized(what.digest);
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
  const TPMT_TK_HASHCHECK no_ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  TPMT_SIGNATURE* signature = nullptr;
  const Status done = connection.command("the TPM does not sign behind the gate", [&] {
    return Esys_Sign(connection.esys(), object, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                     &no_ticket, &signature);
  });
  const EsysOwned<TPMT_SIGNATURE> owned(signature);
  if (!done) {
    tpm.keys.forget(what.key->key.identity);
    if (!blames_policy(static_cast<TSS2_RC>(done.error().native))) return done;
    return Error{ErrorCode::kForbidden, "the TPM refuses to sign: the gate's policy is not met",
                 done.error().native};
  }
  CHANCERY_ASSIGN(what.signature, raw_signature(*signature));
  return {};
}

Status sign_behind_gate(OpenTpm& tpm, Signing& what) {
  tpm.keys.make_room();  // a TPM has three places for objects, and three for sessions
  CHANCERY_ASSIGN(const TransientHandle session, tpm.connection->start_gate_session());
  CHANCERY_TRY(meet_policy(*tpm.connection, session.get(), what));
  return sign_in(tpm, session.get(), what);
}

Result<std::shared_ptr<Signing>> plan(const StoredKey& key, const GatePolicy& policy,
                                      const Sha256Digest& digest,
                                      std::span<const PolicySignature> signatures) {
  auto what = std::make_shared<Signing>();
  CHANCERY_ASSIGN(what->key, prepare_gated(key));
  CHANCERY_ASSIGN(const Sha256Digest wanted, attest::gate_policy_digest(policy));
  if (what->key->policy != wanted) return kOtherPolicy;
  CHANCERY_ASSIGN(what->choices, attest::gate_choices(policy));
  what->shown = chosen(what->choices, signatures);
  if (what->shown.empty()) return kNoQuorum;
  what->gate = policy.gate;
  what->digest = digest;
  what->command = attest::sign_command_digest(what->key->name, digest);
  return what;
}

}  // namespace

Result<StoredKey> TpmGatedKeys::create(const KeyBinding& binding, const GatePolicy& policy,
                                       Deadline deadline) {
  const auto making = std::make_shared<Making>();
  CHANCERY_ASSIGN(making->policy, attest::gate_policy_digest(policy));
  making->auth = SecretBytes(kAuthSize);
  CHANCERY_TRY(random_bytes(making->auth.writable()));
  CHANCERY_TRY(device_.run(binding.agent_id, deadline, [making](OpenTpm& tpm) -> Status {
    return run_beyond_doubt(*tpm.connection, [&] { return make(tpm, *making); });
  }));
  constexpr Error kOtherKind{ErrorCode::kDeviceError, "the TPM made another kind of key than was asked for"};
  CHANCERY_ASSIGN(const Bytes area, area_octets(making->made.key.public_area));
  const auto made = attest::judge_gated_key(area, policy);
  if (!made) return kOtherKind;
  CHANCERY_ASSIGN(Bytes blob, marshal(making->made));
  StoredKey key{binding, made->key, std::move(blob)};
  // What sign() would refuse is not given out.
  if (!prepare_gated(key)) return kOtherKind;
  return key;
}

Result<Signature> TpmGatedKeys::sign(const StoredKey& key, const GatePolicy& policy, ByteView message,
                                     std::span<const PolicySignature> signatures, Deadline deadline) {
  const Sha256Digest digest = sha256(message);
  CHANCERY_ASSIGN(const std::shared_ptr<Signing> what, plan(key, policy, digest, signatures));
  // Which may outlast this object, and not what it borrows.
  const auto use = [what, &destroyed = destroyed_](OpenTpm& tpm) -> Status {
    if (destroyed.contains(what->key->key.identity)) return kKeyDestroyed;
    return run_beyond_doubt(*tpm.connection, [&] { return sign_behind_gate(tpm, *what); });
  };
  CHANCERY_TRY(device_.run(key.binding.agent_id, deadline, use));
  if (!verify_signature(key.public_key, digest, message, what->signature)) {
    return Error{ErrorCode::kKeyMismatch,
                 "the TPM signed with another key than the gate's: the signature was discarded"};
  }
  return what->signature;
}

Result<CreationStatement> TpmGatedKeys::certify(const StoredKey& key, ByteView nonce, Deadline deadline) {
  CHANCERY_ASSIGN(const std::shared_ptr<const PreparedGatedKey> prepared, prepare_gated(key));
  if (destroyed_.contains(prepared->key.identity)) return kKeyDestroyed;
  CHANCERY_ASSIGN(SignedAttest statement,
                  attester_.certify_creation(key.binding.agent_id, prepared, destroyed_, nonce, deadline));
  return CreationStatement{std::move(statement), prepared->creation_data};
}

Result<Bytes> TpmGatedKeys::public_area(const StoredKey& key) const {
  CHANCERY_ASSIGN(const std::shared_ptr<const PreparedGatedKey> prepared, prepare_gated(key));
  return prepared->public_area;
}

}  // namespace chancery::hsm
