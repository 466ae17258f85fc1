#include "sdk/verify/attestation_result.hpp"

#include <algorithm>
#include <charconv>

#include <chancery/hop_custody.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

using json::Node;
using json::Value;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* kProfile = "tag:github.com,2023:veraison/ear";
constexpr const char* kSubmodule = "key";

// Of AR4SI's trustworthiness claims the two that evidence about a key speaks of: 2 affirms, 32 warns.
constexpr std::int64_t kAffirming = 2;
constexpr std::int64_t kWarning = 32;

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

std::int64_t count(sys_seconds at) { return at.time_since_epoch().count(); }

// Emulation and claims are told from hardware by the status too, for relying parties that read nothing else.
bool is_affirmed(Custody custody) { return satisfies(custody, CustodyRequirement::kHardware); }

Node appraisal(const AttestationResult& result) {
  const std::int64_t value = is_affirmed(result.custody) ? kAffirming : kWarning;
  return Node::object(
      {{"ear.status", is_affirmed(result.custody) ? "affirming" : "warning"},
       {"ear.trustworthiness-vector", Node::object({{"hardware", value}, {"storage-opaque", value}})},
       {"ear.appraisal-policy-id", result.policy}});
}

Node custody_node(const AttestationResult& result) {
  Node node =
      Node::object({{"level", custody_name(result.custody)}, {"evidence_at", count(result.evidence_at)}});
  if (result.ek_fingerprint.empty()) return node;
  node.set("ek", result.ek_fingerprint);
  node.set("manufacturer", result.manufacturer);
  if (!result.endorsement.empty()) node.set("endorsement", result.endorsement);
  node.set("firmware", std::to_string(result.firmware));  // more bits than a JSON number holds
  node.set("reset_count", std::int64_t{result.reset_count});
  node.set("restart_count", std::int64_t{result.restart_count});
  node.set("clock_safe", result.is_clock_safe);
  return node;
}

Result<std::string> text_of(const Value* object, std::string_view name) {
  const Value* value = object == nullptr ? nullptr : object->find(name);
  if (value == nullptr || !value->string())
    return malformed("an attestation result lacks a text that it must have");
  return std::string(*value->string());
}

Result<std::int64_t> number_of(const Value* object, std::string_view name) {
  const Value* value = object == nullptr ? nullptr : object->find(name);
  if (value == nullptr || !value->integer() || *value->integer() < 0)
    return malformed("an attestation result lacks a number that it must have");
  return *value->integer();
}

Result<sys_seconds> time_of(const Value* object, std::string_view name) {
  CHANCERY_ASSIGN(const std::int64_t number, number_of(object, name));
  return sys_seconds(seconds(number));
}

Result<std::uint64_t> decimal(const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return malformed("`firmware` is a number in a text");
  return number;
}

Result<std::string> endorsement_of(const Value* custody) {
  if (custody->find("endorsement") == nullptr) return std::string();
  CHANCERY_ASSIGN(std::string endorsement, text_of(custody, "endorsement"));
  if (endorsement == "root" || endorsement == "pinned" || endorsement == "first-use") return endorsement;
  return malformed("`endorsement` of an attestation result is root, pinned or first-use");
}

Status read_tpm(const Value* custody, AttestationResult& out) {
  if (custody->find("ek") == nullptr) return {};
  CHANCERY_ASSIGN(out.ek_fingerprint, text_of(custody, "ek"));
  CHANCERY_ASSIGN(out.manufacturer, text_of(custody, "manufacturer"));
  CHANCERY_ASSIGN(out.endorsement, endorsement_of(custody));
  CHANCERY_ASSIGN(const std::string firmware, text_of(custody, "firmware"));
  CHANCERY_ASSIGN(out.firmware, decimal(firmware));
  CHANCERY_ASSIGN(const std::int64_t resets, number_of(custody, "reset_count"));
  CHANCERY_ASSIGN(const std::int64_t restarts, number_of(custody, "restart_count"));
  if (resets > UINT32_MAX || restarts > UINT32_MAX) return malformed("a TPM counts its resets in 32 bits");
  out.reset_count = static_cast<std::uint32_t>(resets);
  out.restart_count = static_cast<std::uint32_t>(restarts);
  const Value* safe = custody->find("clock_safe");
  out.is_clock_safe = safe != nullptr && safe->boolean().value_or(false);
  return {};
}

Result<AttestationResult> read_claims(const Value& claims) {
  CHANCERY_ASSIGN(const std::string profile, text_of(&claims, "eat_profile"));
  if (profile != kProfile) return malformed("the attestation result is of another profile");
  AttestationResult out;
  CHANCERY_ASSIGN(out.issuer, text_of(&claims, "iss"));
  CHANCERY_ASSIGN(out.issued_at, time_of(&claims, "iat"));
  CHANCERY_ASSIGN(out.expires_at, time_of(&claims, "exp"));
  CHANCERY_ASSIGN(const std::string jkt, text_of(claims.find("cnf"), "jkt"));
  const auto digest = base64url_decode_exactly<32>(jkt);
  if (!digest) return malformed("`cnf.jkt` of an attestation result is a thumbprint");
  out.key = Thumbprint{*digest};
  const Value* submods = claims.find("submods");
  CHANCERY_ASSIGN(out.policy, text_of(submods == nullptr ? nullptr : submods->find(kSubmodule),
                                      "ear.appraisal-policy-id"));
  const Value* custody = claims.find("chancery_custody");
  CHANCERY_ASSIGN(const std::string level, text_of(custody, "level"));
  const auto known = parse_custody(level);
  if (!known) return malformed("the attestation result has a level of custody that is none");
  out.custody = *known;
  CHANCERY_ASSIGN(out.evidence_at, time_of(custody, "evidence_at"));
  CHANCERY_TRY(read_tpm(custody, out));
  return out;
}

std::optional<Thumbprint> kid_of(const Value& header) {
  const Value* kid = header.find("kid");
  const auto digest =
      kid == nullptr ? std::nullopt : base64url_decode_exactly<32>(kid->string().value_or(""));
  if (!digest) return std::nullopt;
  return Thumbprint{*digest};
}

}  // namespace

std::string attestation_result_signing_input(const AttestationResult& result, const PublicKey& signer) {
  const Node header = Node::object(
      {{"alg", algorithm_name(signer.algorithm())}, {"kid", signer.thumbprint().text()}, {"typ", "eat+jwt"}});
  const Node payload = Node::object(
      {{"iss", result.issuer},
       {"iat", count(result.issued_at)},
       {"exp", count(result.expires_at)},
       {"eat_profile", kProfile},
       {"ear.verifier-id", Node::object({{"developer", "Chancery"}, {"build", CHANCERY_VERSION}})},
       {"cnf", Node::object({{"jkt", result.key.text()}})},
       {"submods", Node::object({{kSubmodule, appraisal(result)}})},
       {"chancery_custody", custody_node(result)}});
  return signing_input_of(header, payload);
}

Result<SignedAttestationResult> SignedAttestationResult::parse(std::string_view compact) {
  if (compact.size() > kMaxAttestationResult) return malformed("it is longer than a result is");
  CHANCERY_ASSIGN(Jws jws, Jws::parse(compact));
  const Value* typ = jws.header.root().find("typ");
  if (typ == nullptr || (typ->string() != "eat+jwt" && typ->string() != "application/eat+jwt"))
    return malformed("an attestation result's `typ` is eat+jwt");
  SignedAttestationResult out;
  CHANCERY_ASSIGN(out.claims_, read_claims(jws.payload.root()));
  out.compact_ = compact;
  out.signing_input_size_ = jws.parts.signing_input.size();
  out.algorithm_ = jws.algorithm;
  out.kid_ = kid_of(jws.header.root());
  out.signature_ = std::move(jws.signature);
  return out;
}

const VerifyKey* SignedAttestationResult::named_signer(std::span<const VerifyKey> keys) const noexcept {
  const auto key = std::ranges::find_if(keys, [&](const VerifyKey& candidate) {
    return kid_ == candidate.thumbprint() && algorithm_ == candidate.public_key().algorithm();
  });
  return key == keys.end() ? nullptr : &*key;
}

bool SignedAttestationResult::verifies_under(const VerifyKey& key) const noexcept {
  return key.verify(as_bytes(std::string_view(compact_).substr(0, signing_input_size_)), signature_);
}

Result<AttestationResult> open_attestation_result(std::string_view compact, std::span<const VerifyKey> keys) {
  CHANCERY_ASSIGN(const SignedAttestationResult result, SignedAttestationResult::parse(compact));
  const VerifyKey* signer = result.named_signer(keys);
  if (signer != nullptr && result.verifies_under(*signer)) return result.claims();
  return Error{ErrorCode::kSignatureInvalid,
               "the attestation result is by none of the verifiers that the anchor names"};
}

ResultTimes judge_times(const AttestationResult& result, sys_seconds now) noexcept {
  if (result.issued_at > now) return ResultTimes::kIssuedLater;
  if (result.evidence_at > now) return ResultTimes::kEvidenceLater;
  if (result.expires_at <= now) return ResultTimes::kExpired;
  return ResultTimes::kCurrent;
}

}  // namespace chancery
