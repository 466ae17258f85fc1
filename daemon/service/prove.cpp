#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/dpop.hpp"
#include "sdk/verify/htu.hpp"

namespace chancery::service {
namespace {

// RFC 9110 section 9.1: a method is a token.
bool is_method(std::string_view method) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  for (const char c : method) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric && kSymbols.find(c) == std::string_view::npos) return false;
  }
  return !method.empty();
}

Status check_target(const api::CreateProof& message) {
  if (!is_method(message.htm)) return Error{ErrorCode::kInvalidArgument, "`htm` must be an HTTP method"};
  if (!normalize_htu(message.htu))
    return Error{ErrorCode::kInvalidArgument, "`htu` must be an absolute http(s) URI"};
  return {};
}

}  // namespace

Result<api::Proof> prove(Office& office, const CallContext& context, const api::CreateProof& message) {
  CHANCERY_TRY(check_target(message));
  CHANCERY_ASSIGN(const HeldChain held, require_holder(office, context, scope::kProofsCreate, message.chain));
  ProofClaims claims{message.htm, message.htu, {}, message.nonce};
  CHANCERY_ASSIGN(claims.jti, random_id());
  const std::string input = proof_signing_input(claims, held.chain.leaf().compact(),
                                                held.holder.key.stored.public_key, context.now);
  CHANCERY_ASSIGN(const Signature signature, sign_as(office, context, held.holder, input));

  const json::Node details = json::Node::object({{"agent", held.holder.name},
                                                 {"token", hex_encode(held.chain.leaf().digest())},
                                                 {"principal", held.chain.principal()},
                                                 {"jti", claims.jti},
                                                 {"htm", message.htm},
                                                 {"htu_sha256", hex_encode(sha256(as_bytes(message.htu)))}});
  CHANCERY_TRY(office.store.record_use(held.holder.key.stored.public_key.thumbprint(),
                                       audit_entry("proof", context, details)));
  return api::Proof{input + "." + base64url_encode(signature)};
}

}  // namespace chancery::service
