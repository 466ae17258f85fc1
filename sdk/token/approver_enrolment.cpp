#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <chancery/approval_decision.hpp>
#include <chancery/approver_enrolment.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/name.hpp"
#include "sdk/token/approver_jws.hpp"

namespace chancery {
namespace {

using json::Node;
using json::Value;

constexpr std::string_view kAuthorization = "chancery-enrolment+jwt";
constexpr std::string_view kEnrolment = "chancery-approver-enrolment";
constexpr std::string_view kRevocation = "chancery-approver-revocation";
constexpr std::string_view kPasskey = "passkey";
constexpr std::array<std::string_view, 4> kKinds{"file", "tpm", "pkcs11", kPasskey};
constexpr std::size_t kMostGroups = 32;
constexpr std::size_t kLongestCredentialId = 1023;  // WebAuthn Level 2, section 4
constexpr std::size_t kLongestAudience = 512;
constexpr std::size_t kDigestDigits = 64;
constexpr json::Limits kLimits{.max_depth = 4, .max_values = 128};

Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }

// `text` must outlive the document.
Result<json::Document> read_document(std::string_view text, std::string_view type) {
  if (text.size() > kMaxDecisionSize)
    return Error{ErrorCode::kTooLarge, "an enrolment or a revocation of a key has at most 16 KiB"};
  CHANCERY_ASSIGN(json::Document document, json::Document::parse_borrowed(text, kLimits));
  const Value* const version = document.root().find("v");
  if (text_member(document.root(), "typ") != type || version == nullptr || version->integer() != 1)
    return malformed("the document's `typ` or `v` is another: this version of Chancery knows 1");
  if (document.canonical()) return document;
  return Error{ErrorCode::kNonCanonical, "the document is not its own JCS form (RFC 8785)"};
}

Result<std::string> principal_of(const Value& root) {
  const std::string_view principal = text_member(root, "principal");
  if (is_person(principal)) return std::string(principal);
  return malformed(
      "`principal` must be a person, KIND:NAME such as user:bob@example.org, as gates name approvers: at most 256 octets, without "
      "space, and no group");
}

Result<std::vector<std::string>> groups_of(const Value& root) {
  const Value* const groups = root.find("groups");
  constexpr Error kNoGroups{
      ErrorCode::kMalformed,
      "`groups` must be at most 32 names such as finance, without `group:`, in ascending order and none "
      "twice"};
  if (groups == nullptr || !groups->is(Value::Kind::kArray) || groups->items().size() > kMostGroups)
    return kNoGroups;
  std::vector<std::string> out;
  for (const Value& item : groups->items()) {
    const std::string_view name = item.string().value_or("");
    if (!is_name(name) || (!out.empty() && out.back() >= name)) return kNoGroups;
    out.emplace_back(name);
  }
  return out;
}

// Exactly the members that the thumbprint is of: nothing can ride along in what an approver authorizes.
Result<PublicKey> key_of(const Value& root) {
  const Value* const jwk = root.find("jwk");
  if (jwk == nullptr) return malformed("`jwk` must be the public key, as a JWK");
  CHANCERY_ASSIGN(PublicKey key, parse_jwk(jwk->source()));
  if (key.jwk() == jwk->source()) return key;
  return malformed("`jwk` must have the members that the key's type requires, and no other");
}

Status read_kind(const Value& root, Enrolment& out) {
  out.kind = text_member(root, "kind");
  if (std::ranges::find(kKinds, out.kind) == kKinds.end())
    return malformed("`kind` must be file, tpm, pkcs11 or passkey");
  const bool is_passkey = out.kind == kPasskey;
  if (is_passkey != (root.find("credential_id") != nullptr))
    return malformed("`credential_id` is for a passkey, which must have it, and for no other kind");
  if (!is_passkey) return {};
  out.credential_id = text_member(root, "credential_id");
  const auto octets = base64url_decode(out.credential_id);
  if (!octets || octets->empty() || octets->size() > kLongestCredentialId)
    return malformed("`credential_id` must be 1 to 1023 octets in base64url");
  if (out.key.algorithm() == Algorithm::kES256) return {};
  return Error{ErrorCode::kUnsupportedAlgorithm, "a passkey's key must be P-256"};
}

Result<Thumbprint> thumbprint_of(const Value& root, std::string_view name) {
  const auto octets = base64url_decode_exactly<32>(text_member(root, name));
  if (octets) return Thumbprint{*octets};
  return malformed("a key is named by its thumbprint: 43 characters of base64url");
}

Status read_replaced(const Value& root, Enrolment& out) {
  if (root.find("replaces") == nullptr) return {};
  CHANCERY_ASSIGN(const Thumbprint replaced, thumbprint_of(root, "replaces"));
  if (replaced == out.key.thumbprint())
    return malformed("`replaces` names the new key itself: name the one that ends");
  out.replaces = replaced.text();
  return {};
}

Result<EnrolmentAuthorization> read_claims(const Value& payload) {
  if (!payload.has_only({"aud", "document_sha256", "iat", "iss"}))
    return malformed("an authorization says `aud`, `document_sha256`, `iat` and `iss`, and no more");
  EnrolmentAuthorization out;
  out.approver = text_member(payload, "iss");
  if (!is_person(out.approver))
    return malformed(
        "an authorization's `iss` must be a person, KIND:NAME such as user:bob@example.org: at most 256 octets, without space, and "
        "no group");
  out.audience = text_member(payload, "aud");
  if (out.audience.empty() || out.audience.size() > kLongestAudience)
    return malformed("an authorization's `aud` must be the daemon's issuer, of at most 512 octets");
  out.document_sha256 = text_member(payload, "document_sha256");
  if (!is_lower_hex(out.document_sha256, kDigestDigits))
    return malformed("an authorization's `document_sha256` must have 64 hexadecimal digits");
  CHANCERY_ASSIGN(out.issued_at, issued_at_of(payload));
  return out;
}

}  // namespace

std::string enrolment_document(const Enrolment& enrolment) {
  std::vector<Node> groups(enrolment.groups.begin(), enrolment.groups.end());
  Node node = Node::object({{"typ", kEnrolment},
                            {"v", 1},
                            {"principal", enrolment.principal},
                            {"groups", Node::array(std::move(groups))},
                            {"jwk", Node::canonical(enrolment.key.jwk())},
                            {"kind", enrolment.kind}});
  if (!enrolment.credential_id.empty()) node.set("credential_id", enrolment.credential_id);
  if (!enrolment.replaces.empty()) node.set("replaces", enrolment.replaces);
  return json::to_jcs(node);
}

Result<Enrolment> read_enrolment(std::string_view jcs) {
  CHANCERY_ASSIGN(const json::Document document, read_document(jcs, kEnrolment));
  const Value& root = document.root();
  if (!root.has_only({"credential_id", "groups", "jwk", "kind", "principal", "replaces", "typ", "v"}))
    return malformed("an enrolment has a member that this version of Chancery does not know");
  Enrolment out;
  CHANCERY_ASSIGN(out.principal, principal_of(root));
  CHANCERY_ASSIGN(out.groups, groups_of(root));
  CHANCERY_ASSIGN(out.key, key_of(root));
  CHANCERY_TRY(read_kind(root, out));
  CHANCERY_TRY(read_replaced(root, out));
  return out;
}

std::string key_revocation_document(const KeyRevocation& revocation) {
  return json::to_jcs(Node::object(
      {{"typ", kRevocation}, {"v", 1}, {"principal", revocation.principal}, {"key", revocation.key.text()}}));
}

Result<KeyRevocation> read_key_revocation(std::string_view jcs) {
  CHANCERY_ASSIGN(const json::Document document, read_document(jcs, kRevocation));
  const Value& root = document.root();
  if (!root.has_only({"key", "principal", "typ", "v"}))
    return malformed("a revocation has a member that this version of Chancery does not know");
  KeyRevocation out;
  CHANCERY_ASSIGN(out.principal, principal_of(root));
  CHANCERY_ASSIGN(out.key, thumbprint_of(root, "key"));
  return out;
}

std::string enrolment_authorization_input(const EnrolmentAuthorization& authorization, Algorithm algorithm) {
  const Node payload = Node::object({{"aud", authorization.audience},
                                     {"document_sha256", authorization.document_sha256},
                                     {"iat", authorization.issued_at.time_since_epoch().count()},
                                     {"iss", authorization.approver}});
  return approver_signing_input(kAuthorization, {authorization.key, algorithm, authorization.by_passkey},
                                payload);
}

Result<EnrolmentAuthorization> read_enrolment_authorization(std::string_view jws) {
  CHANCERY_ASSIGN(const ApproverJws parsed, ApproverJws::parse(jws, kAuthorization));
  CHANCERY_ASSIGN(EnrolmentAuthorization out, read_claims(parsed.payload.root()));
  out.key = parsed.key;
  out.by_passkey = parsed.by_passkey();
  return out;
}

Status verify_enrolment_authorization(std::string_view jws, const PublicKey& key,
                                      const std::optional<RelyingParty>& passkeys) {
  CHANCERY_ASSIGN(const ApproverJws parsed, ApproverJws::parse(jws, kAuthorization));
  CHANCERY_TRY(read_claims(parsed.payload.root()));
  return parsed.verify(key, passkeys);
}

}  // namespace chancery
