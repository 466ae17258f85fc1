#include "daemon/service/policy_signature.hpp"

#include <algorithm>

#include "attest/evidence/policy_digest.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {

Status check_policy_signature(const GatedIssuer& issuer, std::string_view gate, const std::string& document,
                              const PublicKey& approver, std::string_view signature) {
  if (std::ranges::find(issuer.policy.approvers, approver) == issuer.policy.approvers.end())
    return Error{
        ErrorCode::kForbidden,
        "the TPM takes no signature by this key for the gate: approve it by the P-256 key of yours that was "
        "enrolled last"};
  const auto octets = base64url_decode_exactly<std::tuple_size_v<Signature>>(signature);
  if (!octets)
    return Error{ErrorCode::kInvalidArgument,
                 "`policy_signature` is an ECDSA signature, r and s of 32 octets each, in base64url"};
  constexpr Error kOverOther{
      ErrorCode::kSignatureInvalid,
      "`policy_signature` is over something else than the TPM asks for: look with `chancery "
      "gate list` whether the gate's key is the one that you pinned"};
  const auto parsed = json::Document::parse_borrowed(document);
  const json::Value* const token = parsed ? parsed->root().find("unsigned_token") : nullptr;
  if (token == nullptr || !token->string()) return kOverOther;
  const Bytes input = attest::policy_signature_input(issuer.name, as_bytes(*token->string()), gate);
  const auto key = VerifyKey::from(approver);
  if (!key || !key->verify(input, *octets)) return kOverOther;
  return {};
}

}  // namespace chancery::service
