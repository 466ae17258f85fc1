#include "tests/unit/attest/made_evidence.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <tss2/tss2_mu.h>

#include "attest/evidence/signing_area.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "attest/verify/attestation_key.hpp"
#include "attest/verify/certification.hpp"
#include "attest/verify/quote.hpp"

namespace chancery::tests {
namespace {

using attest::Hash;

void must(bool done) {
  if (!done) throw std::runtime_error("the test's evidence cannot be made");
}

template <typename Sized, std::size_t N>
void put_into(Sized& sized, BYTE (&buffer)[N], ByteView octets) {
  must(octets.size() <= N);
  sized.size = static_cast<UINT16>(octets.size());
  std::ranges::copy(octets, std::begin(buffer));
}

template <auto Marshal, typename T>
Bytes written(const T& value) {
  Bytes octets(4096);
  std::size_t size = 0;
  must(Marshal(&value, octets.data(), octets.size(), &size) == TSS2_RC_SUCCESS);
  octets.resize(size);
  return octets;
}

Bytes ecdsa(EVP_PKEY* key, Hash hash, ByteView message) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  Bytes der(128);
  std::size_t size = der.size();
  must(EVP_DigestSignInit(context.get(), nullptr, hash.openssl(), nullptr, key) == 1 &&
       EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()) == 1);
  der.resize(size);
  return der;
}

TPMT_SIGNATURE sign(ByteView message, EVP_PKEY* key, TPM2_ALG_ID algorithm) {
  const Bytes der = ecdsa(key, Hash::of(algorithm).value(), message);
  const unsigned char* next = der.data();
  const openssl::EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(der.size())));
  must(pair != nullptr);
  TPMT_SIGNATURE out{};
  out.sigAlg = TPM2_ALG_ECDSA;
  TPMS_SIGNATURE_ECC& value = out.signature.ecdsa;
  value.hash = algorithm;
  std::array<std::uint8_t, 32> number;
  must(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), number.data(), 32) == 32);
  put_into(value.signatureR, value.signatureR.buffer, number);
  must(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), number.data(), 32) == 32);
  put_into(value.signatureS, value.signatureS.buffer, number);
  return out;
}

}  // namespace

openssl::Pkey make_p256_key() { return openssl::Pkey(EVP_EC_gen("P-256")); }

Bytes marshalled(const TPMT_PUBLIC& area) { return written<Tss2_MU_TPMT_PUBLIC_Marshal>(area); }
Bytes marshalled(const TPMS_ATTEST& attest) { return written<Tss2_MU_TPMS_ATTEST_Marshal>(attest); }

Bytes signature_over(ByteView message, EVP_PKEY* key, TPM2_ALG_ID hash) {
  return written<Tss2_MU_TPMT_SIGNATURE_Marshal>(sign(message, key, hash));
}

void put(TPM2B_NAME& sized, ByteView octets) { put_into(sized, sized.name, octets); }
void put(TPM2B_DATA& sized, ByteView octets) { put_into(sized, sized.buffer, octets); }
void put(TPM2B_DIGEST& sized, ByteView octets) { put_into(sized, sized.buffer, octets); }

TPMT_PUBLIC ak_area(EVP_PKEY* key) {
  TPMT_PUBLIC area = attest::signing_area(TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
                                          TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                          TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH);
  for (const auto& [name, coordinate] : {std::pair{OSSL_PKEY_PARAM_EC_PUB_X, &area.unique.ecc.x},
                                         std::pair{OSSL_PKEY_PARAM_EC_PUB_Y, &area.unique.ecc.y}}) {
    BIGNUM* number = nullptr;
    must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    coordinate->size = 32;
    must(BN_bn2binpad(number, coordinate->buffer, 32) == 32);
    BN_free(number);
  }
  return area;
}

MadeEvidence::MadeEvidence(TPM2_ST type) : signer(make_p256_key()), ak(ak_area(signer.get())), attest{} {
  const openssl::Pkey other = make_p256_key();
  certified = ak_area(other.get());
  nonce = {1, 2, 3, 4};
  parent = {0x40, 0x00, 0x00, 0x0B};  // the endorsement hierarchy
  const auto area = attest::PublicArea::parse(marshalled(ak), attest::PublicArea::Form::kBare).value();
  attest.magic = TPM2_GENERATED_VALUE;
  attest.type = type;
  put(attest.qualifiedSigner, area.qualified_name(parent));
  put(attest.extraData, nonce);
  const Hash sha256 = Hash::of(TPM2_ALG_SHA256).value();
  const Bytes name = attest::named(sha256, {marshalled(certified)});
  if (type == TPM2_ST_ATTEST_CERTIFY) {
    TPMS_CERTIFY_INFO& about = attest.attested.certify;
    put(about.name, name);
  } else if (type == TPM2_ST_ATTEST_CREATION) {
    TPMS_CREATION_DATA made{};
    made.parentNameAlg = TPM2_ALG_SHA256;
    creation_data = written<Tss2_MU_TPMS_CREATION_DATA_Marshal>(made);
    TPMS_CREATION_INFO& about = attest.attested.creation;
    put(about.objectName, name);
    put(about.creationHash, sha256({creation_data}));
  } else {
    selection[sha256] = {0, 7};
    values[sha256] = {{0, Bytes(32, 0xAA)}, {7, Bytes(32, 0xBB)}};
    TPMS_QUOTE_INFO& about = attest.attested.quote;
    about.pcrSelect.count = 1;
    about.pcrSelect.pcrSelections[0] = {TPM2_ALG_SHA256, 3, {0x81, 0, 0}};
    put(about.pcrDigest, sha256({Bytes(32, 0xAA), Bytes(32, 0xBB)}));
  }
}

attest::Judged<void> MadeEvidence::judged() const {
  using namespace chancery::attest;
  Bytes statement = marshalled(attest);
  statement.insert(statement.end(), trailing.begin(), trailing.end());
  const Bytes signature = signature_over(statement, signer.get(), signature_hash);
  PresentedKey presented;
  if (is_known) {
    CHANCERY_ASSIGN(presented.area, PublicArea::parse(marshalled(ak), PublicArea::Form::kBare));
  }
  CHANCERY_ASSIGN(const AttestationKey key, check_attestation_key(presented));
  const TPM2_ST type = !selection.empty()      ? TPM2_ST_ATTEST_QUOTE
                       : creation_data.empty() ? TPM2_ST_ATTEST_CERTIFY
                                               : TPM2_ST_ATTEST_CREATION;
  CHANCERY_ASSIGN(const Statement accepted,
                  check_statement(key, {statement, signature, nonce, parent}, type));
  if (!selection.empty()) return check_quoted(accepted, {selection, values, std::nullopt});
  CHANCERY_ASSIGN(const PublicArea about, PublicArea::parse(marshalled(certified), PublicArea::Form::kBare));
  if (creation_data.empty()) return check_certified(accepted, about);
  return check_created(accepted, about, creation_data);
}

}  // namespace chancery::tests
