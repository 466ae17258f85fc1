#include "hsm/tpm/statements.hpp"

#include <utility>

#include <tss2/tss2_mu.h>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/marshal.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr Error kNothingMeasured{ErrorCode::kNotFound, "nothing was measured into the TPM yet"};
constexpr TPMT_SIG_SCHEME kOwnScheme{TPM2_ALG_NULL, {}};  // the attestation key's

using Command = std::function<TSS2_RC()>;
using Statement = std::function<TSS2_RC(TPM2B_ATTEST** attest, TPMT_SIGNATURE** signature)>;

/// Has a statement made by a command that `send` sends, and takes over what ESYS allocates for it.
Result<SignedAttest> make_statement(const std::function<Status(const Command&)>& send,
                                    const Statement& statement) {
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  const Status done = send([&] { return statement(&attest, &signature); });
  const EsysOwned<TPM2B_ATTEST> owned_attest(attest);
  const EsysOwned<TPMT_SIGNATURE> owned_signature(signature);
  CHANCERY_TRY(done);
  SignedAttest out;
  out.attest.assign(attest->attestationData, attest->attestationData + attest->size);
  CHANCERY_ASSIGN(out.signature, written<Tss2_MU_TPMT_SIGNATURE_Marshal>(*signature));
  return out;
}

TPML_PCR_SELECTION selection_list(const attest::PcrSelection& selection) {
  TPML_PCR_SELECTION out{};
  for (const auto& [bank, pcrs] : selection) {
    TPMS_PCR_SELECTION& row = out.pcrSelections[out.count++];
    row.hash = bank.algorithm();
    row.sizeofSelect = kPcrs / 8;
    for (const attest::PcrIndex index : pcrs) {
      row.pcrSelect[index / 8] = static_cast<BYTE>(row.pcrSelect[index / 8] | 1U << index % 8);
    }
  }
  return out;
}

}  // namespace

Result<Bytes> area_octets(const TPM2B_PUBLIC& area) {
  return written<Tss2_MU_TPMT_PUBLIC_Marshal>(area.publicArea);
}

Result<SignedAttest> certify_key(TpmConnection& tpm, ESYS_TR key, const StatementSigner& signer) {
  const auto nonce = attest::sized<TPM2B_DATA>(signer.nonce);
  const auto send = [&](const Command& run) { return tpm.command("the TPM does not certify the key", run); };
  return make_statement(send, [&](TPM2B_ATTEST** attest, TPMT_SIGNATURE** signature) {
    return Esys_Certify(tpm.esys(), key, signer.ak, tpm.session(), signer.session, ESYS_TR_NONE, &nonce,
                        &kOwnScheme, attest, signature);
  });
}

Result<SignedAttest> certify_creation_of(TpmConnection& tpm, ESYS_TR key, const PreparedGatedKey& made,
                                         const StatementSigner& signer) {
  const auto nonce = attest::sized<TPM2B_DATA>(signer.nonce);
  const TPM2B_DIGEST creation_hash = attest::sized(sha256(made.creation_data));
  const auto send = [&](const Command& run) {
    return tpm.command("the TPM does not certify how the key was made", run);
  };
  return make_statement(send, [&](TPM2B_ATTEST** attest, TPMT_SIGNATURE** signature) {
    return Esys_CertifyCreation(tpm.esys(), signer.ak, key, signer.session, ESYS_TR_NONE, ESYS_TR_NONE,
                                &nonce, &creation_hash, &kOwnScheme, &made.ticket, attest, signature);
  });
}

Result<SignedAttest> quote_pcrs(TpmConnection& tpm, const attest::PcrSelection& selection,
                                const StatementSigner& signer) {
  const auto nonce = attest::sized<TPM2B_DATA>(signer.nonce);
  const TPML_PCR_SELECTION selected = selection_list(selection);
  const auto send = [&](const Command& run) { return tpm.command("the TPM does not quote its PCRs", run); };
  return make_statement(send, [&](TPM2B_ATTEST** attest, TPMT_SIGNATURE** signature) {
    return Esys_Quote(tpm.esys(), signer.ak, signer.session, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &kOwnScheme,
                      &selected, attest, signature);
  });
}

Result<MeasurementStatement> certify_index(TpmConnection& tpm, NvIndex& index,
                                           const StatementSigner& signer) {
  const auto nonce = attest::sized<TPM2B_DATA>(signer.nonce);
  const auto send = [&](const Command& run) {
    return index.authorized("the TPM does not certify what was measured", run);
  };
  auto made = make_statement(send, [&](TPM2B_ATTEST** attest, TPMT_SIGNATURE** signature) {
    return Esys_NV_Certify(tpm.esys(), signer.ak, index.handle(), index.handle(), signer.session,
                           tpm.session(), ESYS_TR_NONE, &nonce, &kOwnScheme, index.public_area().dataSize, 0,
                           attest, signature);
  });
  if (!made) return says_nothing_is_written(made.error()) ? kNothingMeasured : made.error();
  CHANCERY_ASSIGN(Bytes area, written<Tss2_MU_TPMS_NV_PUBLIC_Marshal>(index.public_area()));
  return MeasurementStatement{*std::move(made), std::move(area)};
}

// A TPM gives some eight values at once, and says which.
Result<attest::PcrValues> read_pcrs(TpmConnection& tpm, attest::PcrSelection wanted) {
  attest::PcrValues values;
  while (!wanted.empty()) {
    const TPML_PCR_SELECTION asked = selection_list(wanted);
    TPML_PCR_SELECTION* given = nullptr;
    TPML_DIGEST* digests = nullptr;
    CHANCERY_TRY(tpm.command("the TPM does not give out its PCRs", [&] {
      return Esys_PCR_Read(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &asked, nullptr, &given,
                           &digests);
    }));
    const EsysOwned<TPML_PCR_SELECTION> owned_given(given);
    const EsysOwned<TPML_DIGEST> owned_digests(digests);
    UINT32 next = 0;
    for (UINT32 i = 0; i < given->count; ++i) {
      const TPMS_PCR_SELECTION& row = given->pcrSelections[i];
      const auto bank = attest::Hash::of(row.hash);
      for (attest::PcrIndex index = 0; bank && index < kPcrs && next < digests->count; ++index) {
        if ((row.pcrSelect[index / 8] & 1U << index % 8) == 0) continue;
        const ByteView value = attest::octets_of(digests->digests[next++]);
        values[*bank][index] = {value.begin(), value.end()};
        wanted[*bank].erase(index);
      }
    }
    if (next == 0) return Error{ErrorCode::kNotFound, "the TPM has no such bank of PCRs"};
    std::erase_if(wanted, [](const auto& bank) { return bank.second.empty(); });
  }
  return values;
}

}  // namespace chancery::hsm
