#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <chancery/passkeys.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/ecdsa_der.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {
namespace {

constexpr std::size_t kMostOctets = 16384;
constexpr json::Limits kLimits{.max_depth = 8, .max_values = 256};

Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }
Error refused(const char* what) { return {ErrorCode::kProofRefused, what}; }

// WebAuthn Level 2, section 6.1.
constexpr std::size_t kRpIdHashSize = 32;
constexpr std::size_t kFixedSize = kRpIdHashSize + 1 + 4;
constexpr std::uint8_t kUserPresent = 0x01;
constexpr std::uint8_t kUserVerified = 0x04;
constexpr std::uint8_t kBackedUp = 0x10;  // Level 3; reserved before
constexpr std::uint8_t kHasCredential = 0x40;
constexpr std::uint8_t kHasExtensions = 0x80;

/// The octets that an authenticator signs, divided; borrowed.
struct AuthenticatorData {
  ByteView rp_id_hash;
  std::uint8_t flags = 0;
  std::uint32_t counter = 0;
  ByteView rest;  // attested credential data, extensions

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

Result<AuthenticatorData> divide(ByteView octets) {
  if (octets.size() < kFixedSize)
    return malformed("the authenticator data are too short: they have at least 37 octets");
  AuthenticatorData out{octets.first(kRpIdHashSize), octets[kRpIdHashSize], 0, octets.subspan(kFixedSize)};
  for (const std::uint8_t octet : octets.subspan(kRpIdHashSize + 1, 4))
    out.counter = out.counter << 8 | octet;
  return out;
}

// Extensions are CBOR. None is asked for, and what an authenticator adds of its own is read by nobody.
Status check_end(const AuthenticatorData& data, ByteView rest) {
  if (data.has(kHasExtensions) == !rest.empty()) return {};
  return malformed("the authenticator data are not as long as their flags say");
}

// \param party  null: any
Status check_authenticator(const AuthenticatorData& data, const RelyingParty* party) {
  if (party != nullptr && !std::ranges::equal(data.rp_id_hash, sha256(as_bytes(party->id))))
    return refused("the passkey answered for another RP id than the one that is configured");
  if (!data.has(kUserPresent)) return refused("the passkey answered without its user: presence is required");
  if (!data.has(kUserVerified))
    return refused("the passkey did not verify its user: a PIN, a finger or a face is required");
  return {};
}

bool says(const json::Value& root, std::string_view name, std::string_view text) {
  const json::Value* const member = root.find(name);
  return member != nullptr && member->string() == text;
}

bool is_absent_or_false(const json::Value* member) {
  return member == nullptr || member->boolean() == std::optional(false);
}

// Without a status the connection's binding is not used; "supported" is no binding yet.
bool is_bound(const json::Value& root) {
  const json::Value* const binding = root.find("tokenBinding");
  return binding != nullptr && !says(*binding, "status", "supported");
}

bool is_of(const RelyingParty* party, std::string_view origin) {
  return party == nullptr || std::ranges::find(party->origins, origin) != party->origins.end();
}

// What the browser wrote (section 5.8.1); members that are not named there may come with later browsers.
// \param party  null: any
Status check_client_data(std::string_view text, std::string_view type, ByteView challenge,
                         const RelyingParty* party) {
  if (text.size() > kMostOctets) return malformed("`clientDataJSON` is longer than a browser writes it");
  const auto read = json::Document::parse_borrowed(text, kLimits);
  if (!read || !read->root().is(json::Value::Kind::kObject))
    return malformed("`clientDataJSON` is no JSON object, or names a member twice");
  const json::Value& root = read->root();
  if (!says(root, "type", type))
    return refused(
        "the passkey was asked for something else: `type` is webauthn.get to sign, and "
        "webauthn.create to enrol");
  if (!says(root, "challenge", base64url_encode(challenge)))
    return refused("the passkey answered another challenge: what it signed is not what was to be signed");
  const json::Value* const origin = root.find("origin");
  if (origin == nullptr || !origin->string() || !is_of(party, *origin->string()))
    return refused("the passkey was asked by a page of another origin than those that are configured");
  if (!is_absent_or_false(root.find("crossOrigin")) || root.find("topOrigin") != nullptr)
    return refused("the passkey was asked from a frame inside of another site's page");
  if (is_bound(root)) return refused("the passkey's answer is bound to another connection");
  return {};
}

Result<json::Document> read_object(std::string_view text) {
  if (text.size() > kMostOctets)
    return Error{ErrorCode::kTooLarge, "what a passkey answers has at most 16 KiB: is this one's answer?"};
  CHANCERY_ASSIGN(json::Document document, json::Document::parse_borrowed(text, kLimits));
  if (!document.root().is(json::Value::Kind::kObject))
    return malformed("what a passkey answers is given as a JSON object");
  return document;
}

Result<Bytes> octets_of(const json::Value& root, std::string_view name) {
  const json::Value* const member = root.find(name);
  if (member == nullptr || !member->string() || member->string()->empty())
    return malformed("a passkey's answer lacks a member, or has one that is no base64url");
  const auto octets = base64url_decode(*member->string());
  if (!octets) return malformed("a passkey's answer lacks a member, or has one that is no base64url");
  return *octets;
}

// Sections 6.5.1 and 5.8.5: the key's COSE form is CTAP2's canonical CBOR, of which ES256 has exactly one. Everything in it but
// the coordinates is thus known before: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
constexpr std::array<std::uint8_t, 10> kBeforeX{0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
constexpr std::array<std::uint8_t, 3> kBeforeY{0x22, 0x58, 0x20};
constexpr std::size_t kCoordinate = 32;
constexpr std::size_t kYAt = kBeforeX.size() + kCoordinate + kBeforeY.size();
constexpr std::size_t kCoseSize = kYAt + kCoordinate;

std::array<std::uint8_t, kCoordinate> coordinate(ByteView cose, std::size_t at) {
  std::array<std::uint8_t, kCoordinate> out;
  std::ranges::copy(cose.subspan(at, kCoordinate), out.begin());
  return out;
}

Result<PublicKey> read_cose_key(ByteView cose) {
  const bool is_es256 =
      cose.size() >= kCoseSize && std::ranges::equal(cose.first(kBeforeX.size()), kBeforeX) &&
      std::ranges::equal(cose.subspan(kBeforeX.size() + kCoordinate, kBeforeY.size()), kBeforeY);
  if (!is_es256)
    return Error{ErrorCode::kUnsupportedAlgorithm,
                 "the passkey's key is not ES256: make one with `pubKeyCredParams` of -7 alone"};
  const PublicKey key = PublicKey::p256(coordinate(cose, kBeforeX.size()), coordinate(cose, kYAt));
  CHANCERY_ASSIGN(const VerifyKey on_curve, VerifyKey::from(key));
  return on_curve.public_key();
}

constexpr std::size_t kAaguidSize = 16;
constexpr std::size_t kLongestCredentialId = 1023;

// Section 6.5.1: AAGUID, length, credential id, key.
Result<PublicKey> read_credential(const AuthenticatorData& data, ByteView credential_id) {
  constexpr std::size_t kIdAt = kAaguidSize + 2;
  if (!data.has(kHasCredential) || data.rest.size() < kIdAt)
    return malformed("the authenticator data hold no credential: these are an assertion's");
  const std::size_t size = static_cast<std::size_t>(data.rest[kAaguidSize]) << 8 | data.rest[kAaguidSize + 1];
  if (size == 0 || size > kLongestCredentialId || data.rest.size() - kIdAt < size)
    return malformed("the credential's id has 1 to 1023 octets, and all of them are there");
  if (!std::ranges::equal(data.rest.subspan(kIdAt, size), credential_id))
    return refused("the credential's id is not the one that its authenticator data name");
  const ByteView cose = data.rest.subspan(kIdAt + size);
  CHANCERY_ASSIGN(PublicKey key, read_cose_key(cose));
  CHANCERY_TRY(check_end(data, cose.subspan(kCoseSize)));
  return key;
}

PasskeyUse use_of(const AuthenticatorData& data) { return {data.counter, data.has(kBackedUp)}; }

Status check_signature(const PasskeyAssertion& assertion, const PublicKey& key) {
  const auto raw = ecdsa_raw_from_der(assertion.signature);
  if (!raw)
    return Error{ErrorCode::kSignatureInvalid, "the passkey's signature is no ECDSA signature in DER"};
  Bytes message = assertion.authenticator_data;
  const Sha256Digest client_data = sha256(as_bytes(assertion.client_data));
  message.insert(message.end(), client_data.begin(), client_data.end());
  if (verify_signature(key, sha256(message), message, *raw)) return {};
  return Error{ErrorCode::kSignatureInvalid,
               "the passkey's signature does not verify: it was altered, or another passkey made it"};
}

// \param party  null: any
Result<PasskeyUse> verify_assertion(const PasskeyAssertion& assertion, ByteView challenge,
                                    const PublicKey& key, const RelyingParty* party) {
  if (key.algorithm() != Algorithm::kES256)
    return Error{ErrorCode::kUnsupportedAlgorithm, "a passkey's key is P-256: this one is not"};
  CHANCERY_TRY(check_client_data(assertion.client_data, "webauthn.get", challenge, party));
  CHANCERY_ASSIGN(const AuthenticatorData data, divide(assertion.authenticator_data));
  if (data.has(kHasCredential))
    return malformed("the authenticator data hold a credential: they are a registration's");
  CHANCERY_TRY(check_end(data, data.rest));
  CHANCERY_TRY(check_authenticator(data, party));
  CHANCERY_TRY(check_signature(assertion, key));
  return use_of(data);
}

}  // namespace

Result<PasskeyAssertion> read_passkey_assertion(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, read_object(json));
  const json::Value& root = document.root();
  if (!root.has_only({"authenticatorData", "clientDataJSON", "signature"}))
    return malformed("a passkey's assertion has `authenticatorData`, `clientDataJSON` and `signature` alone");
  PasskeyAssertion out;
  CHANCERY_ASSIGN(out.authenticator_data, octets_of(root, "authenticatorData"));
  CHANCERY_ASSIGN(const Bytes client_data, octets_of(root, "clientDataJSON"));
  out.client_data = as_text(client_data);
  CHANCERY_ASSIGN(out.signature, octets_of(root, "signature"));
  return out;
}

std::string passkey_assertion_json(const PasskeyAssertion& assertion) {
  return json::to_jcs(
      json::Node::object({{"authenticatorData", base64url_encode(assertion.authenticator_data)},
                          {"clientDataJSON", base64url_encode(as_bytes(assertion.client_data))},
                          {"signature", base64url_encode(assertion.signature)}}));
}

Result<PasskeyUse> verify_passkey_assertion(const PasskeyAssertion& assertion, ByteView challenge,
                                            const PublicKey& key, const RelyingParty& party) {
  return verify_assertion(assertion, challenge, key, &party);
}

Result<PasskeyUse> verify_passkey_signature(const PasskeyAssertion& assertion, ByteView challenge,
                                            const PublicKey& key) {
  return verify_assertion(assertion, challenge, key, nullptr);
}

Result<PasskeyRegistration> read_passkey_registration(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, read_object(json));
  const json::Value& root = document.root();
  if (!root.has_only({"authenticatorData", "clientDataJSON", "id"}))
    return malformed("a passkey's registration has `authenticatorData`, `clientDataJSON` and `id` alone");
  PasskeyRegistration out;
  CHANCERY_ASSIGN(out.credential_id, octets_of(root, "id"));
  CHANCERY_ASSIGN(out.authenticator_data, octets_of(root, "authenticatorData"));
  CHANCERY_ASSIGN(const Bytes client_data, octets_of(root, "clientDataJSON"));
  out.client_data = as_text(client_data);
  return out;
}

Result<Passkey> check_passkey_registration(const PasskeyRegistration& registration, ByteView challenge,
                                           const RelyingParty& party) {
  CHANCERY_TRY(check_client_data(registration.client_data, "webauthn.create", challenge, &party));
  CHANCERY_ASSIGN(const AuthenticatorData data, divide(registration.authenticator_data));
  CHANCERY_TRY(check_authenticator(data, &party));
  CHANCERY_ASSIGN(const PublicKey key, read_credential(data, registration.credential_id));
  return Passkey{key, base64url_encode(registration.credential_id), use_of(data)};
}

}  // namespace chancery
