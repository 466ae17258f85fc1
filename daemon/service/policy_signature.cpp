#include "daemon/service/policy_signature.hpp"

#include <algorithm>
#include <optional>

#include "attest/evidence/policy_digest.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::service {
namespace {

// Empty when its header cannot be read: then it is for the signature to say whether it is over this token.
std::string signer_of(std::string_view unsigned_token) {
  const auto header = decode_json_object(unsigned_token.substr(0, unsigned_token.find('.')));
  const json::Value* const kid = header ? header->root().find("kid") : nullptr;
  return kid == nullptr ? std::string() : std::string(kid->string().value_or(""));
}

}  // namespace

Status check_policy_signature(const GatedIssuer& issuer, std::string_view gate, const std::string& document,
                              const PublicKey& approver, std::string_view signature) {
  const auto parsed = json::Document::parse_borrowed(document);
  const json::Value* const member = parsed ? parsed->root().find("unsigned_token") : nullptr;
  const std::optional<std::string_view> token = member == nullptr ? std::nullopt : member->string();
  const std::string signer = token ? signer_of(*token) : "";
  if (!signer.empty() && signer != issuer.key.stored.public_key.thumbprint().text())
    return Error{ErrorCode::kConflict,
                 "the gate of this request has another key now: ask for the grant again"};
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
  if (!token) return kOverOther;
  const Bytes input = attest::policy_signature_input(issuer.name, as_bytes(*token), gate);
  const auto key = VerifyKey::from(approver);
  if (!key || !key->verify(input, *octets)) return kOverOther;
  return {};
}

}  // namespace chancery::service
