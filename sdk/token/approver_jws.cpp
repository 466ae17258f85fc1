#include "sdk/token/approver_jws.hpp"

#include <algorithm>
#include <utility>

#include <chancery/approval_decision.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

constexpr std::string_view kPasskeyAlgorithm = "chancery-webauthn-es256";

Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }

Result<json::Document> decode_canonical(std::string_view part) {
  CHANCERY_ASSIGN(json::Document document, decode_json_object(part));
  if (document.canonical()) return document;
  return Error{ErrorCode::kNonCanonical,
               "the header or payload of what an approver signed is not its own JCS form (RFC 8785)"};
}

struct Header {
  Thumbprint key;
  Algorithm algorithm = Algorithm::kES256;
  bool by_passkey = false;
};

Result<Header> read_header(const json::Value& header, std::string_view type) {
  if (!header.has_only({"alg", "kid", "typ"}))
    return malformed("the header of what an approver signed has `alg`, `kid` and `typ`, and no other member");
  if (text_member(header, "typ") != type)
    return malformed("the header's `typ` is another: it must be that of what is wanted here");
  const auto kid = base64url_decode_exactly<32>(text_member(header, "kid"));
  if (!kid) return malformed("the header's `kid` must be the thumbprint of the approver's key");
  const std::string_view name = text_member(header, "alg");
  if (name == kPasskeyAlgorithm) return Header{Thumbprint{*kid}, Algorithm::kES256, true};
  const auto algorithm = algorithm_from_name(name);
  if (!algorithm)
    return Error{ErrorCode::kUnsupportedAlgorithm,
                 "the header's `alg` must be ES256, Ed25519 or chancery-webauthn-es256"};
  return Header{Thumbprint{*kid}, *algorithm, false};
}

// The assertion's text has one form, as everything else in it: what is re-written must be what was read.
Result<PasskeyAssertion> read_assertion_part(std::string_view part) {
  constexpr Error kNoAssertion{ErrorCode::kMalformed,
                               "the third part must be a passkey's assertion: the base64url of an object in "
                               "JCS of `authenticatorData`, `clientDataJSON` and `signature`"};
  const auto octets = base64url_decode(part);
  if (!octets) return kNoAssertion;
  auto assertion = read_passkey_assertion(as_text(*octets));
  if (!assertion) return kNoAssertion;
  if (passkey_assertion_json(*assertion) == as_text(*octets)) return assertion;
  return Error{ErrorCode::kNonCanonical, "the passkey's assertion is not in JCS (RFC 8785)"};
}

Result<std::variant<Signature, PasskeyAssertion>> read_signature(std::string_view part, bool by_passkey) {
  if (by_passkey) {
    CHANCERY_ASSIGN(PasskeyAssertion assertion, read_assertion_part(part));
    return std::variant<Signature, PasskeyAssertion>(std::move(assertion));
  }
  const auto raw = base64url_decode_exactly<64>(part);
  if (!raw) return malformed("the third part must be a signature: 64 octets in base64url");
  return std::variant<Signature, PasskeyAssertion>(*raw);
}

Status verify_raw(const ApproverJws& jws, const PublicKey& key, const Signature& signature) {
  const ByteView message = as_bytes(jws.signing_input);
  if (verify_signature(key, sha256(message), message, signature)) return {};
  return Error{ErrorCode::kSignatureInvalid,
               "the approver's signature does not verify: something in it was altered after it was signed"};
}

Status verify_passkey(const ApproverJws& jws, const PublicKey& key,
                      const std::optional<RelyingParty>& party) {
  if (!party)
    return Error{
        ErrorCode::kUnsupportedAlgorithm,
        "it is signed by a passkey, and none is accepted here: say for which RP id and origins they are"};
  const Sha256Digest challenge = passkey_challenge(jws.signing_input);
  CHANCERY_TRY(verify_passkey_assertion(std::get<PasskeyAssertion>(jws.signature), challenge, key, *party));
  return {};
}

}  // namespace

Result<ApproverJws> ApproverJws::parse(std::string_view compact, std::string_view type) {
  if (compact.size() > kMaxDecisionSize)
    return Error{ErrorCode::kTooLarge, "what an approver signs has at most 16 KiB: is this it?"};
  CHANCERY_ASSIGN(const JwsParts parts, JwsParts::split(compact));
  CHANCERY_ASSIGN(const json::Document header_document, decode_canonical(parts.header));
  CHANCERY_ASSIGN(const Header header, read_header(header_document.root(), type));
  CHANCERY_ASSIGN(json::Document payload, decode_canonical(parts.payload));
  CHANCERY_ASSIGN(auto signature, read_signature(parts.signature, header.by_passkey));
  return ApproverJws{std::move(payload), parts.signing_input, header.key, header.algorithm,
                     std::move(signature)};
}

Status ApproverJws::check_key(const PublicKey& public_key) const {
  if (key != public_key.thumbprint())
    return Error{ErrorCode::kSignatureInvalid,
                 "it is signed by another key: `kid` is not this one's thumbprint"};
  if (algorithm != public_key.algorithm())
    return Error{ErrorCode::kUnsupportedAlgorithm, "the header's `alg` is not that of the approver's key"};
  return {};
}

Status ApproverJws::verify(const PublicKey& public_key, const std::optional<RelyingParty>& passkeys) const {
  CHANCERY_TRY(check_key(public_key));
  if (by_passkey()) return verify_passkey(*this, public_key, passkeys);
  return verify_raw(*this, public_key, std::get<Signature>(signature));
}

Status ApproverJws::verify_of_any_party(const PublicKey& public_key) const {
  CHANCERY_TRY(check_key(public_key));
  if (!by_passkey()) return verify_raw(*this, public_key, std::get<Signature>(signature));
  CHANCERY_TRY(verify_passkey_signature(std::get<PasskeyAssertion>(signature),
                                        passkey_challenge(signing_input), public_key));
  return {};
}

std::string approver_signing_input(std::string_view type, const ApproverSigner& signer,
                                   const json::Node& payload) {
  const std::string_view name = signer.by_passkey ? kPasskeyAlgorithm : algorithm_name(signer.algorithm);
  return signing_input_of(json::Node::object({{"alg", name}, {"kid", signer.key.text()}, {"typ", type}}),
                          payload);
}

bool is_lower_hex(std::string_view text, std::size_t digits) noexcept {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view text_member(const json::Value& object, std::string_view name) noexcept {
  const json::Value* const member = object.find(name);
  return member == nullptr ? std::string_view() : member->string().value_or("");
}

Result<std::chrono::sys_seconds> issued_at_of(const json::Value& payload) {
  const json::Value* const member = payload.find("iat");
  const auto seconds = member == nullptr ? std::nullopt : member->integer();
  if (!seconds || *seconds < 0) return malformed("`iat` must be whole seconds since 1970");
  return std::chrono::sys_seconds(std::chrono::seconds(*seconds));
}

Sha256Digest passkey_challenge(std::string_view signing_input) { return sha256(as_bytes(signing_input)); }

std::string signed_by_key(std::string_view signing_input, const Signature& signature) {
  return std::string(signing_input) + "." + base64url_encode(signature);
}

std::string signed_by_passkey(std::string_view signing_input, const PasskeyAssertion& assertion) {
  return std::string(signing_input) + "." + base64url_encode(as_bytes(passkey_assertion_json(assertion)));
}

}  // namespace chancery
