#include <utility>

#include <chancery/approval_decision.hpp>

#include "sdk/base/name.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/token/approver_jws.hpp"

namespace chancery {
namespace {

constexpr std::string_view kType = "chancery-decision+jwt";
constexpr std::size_t kLongestReason = 512;
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kDigestDigits = 64;

Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }

Result<ApprovalVerdict> verdict_of(std::string_view name) {
  if (name == "approve") return ApprovalVerdict::kApprove;
  if (name == "deny") return ApprovalVerdict::kDeny;
  return malformed("a decision's `verdict` must be approve or deny");
}

// A reason that says nothing is left out, so that a decision has one form.
Result<std::string> reason_of(const json::Value& payload) {
  if (payload.find("reason") == nullptr) return std::string();
  const std::string_view reason = text_member(payload, "reason");
  if (!reason.empty() && is_decision_reason(reason)) return std::string(reason);
  return malformed(
      "a decision's `reason`, when present, must be one line of 1 to 512 octets without control characters");
}

Result<ApprovalDecision> read_claims(const json::Value& payload) {
  if (!payload.has_only({"iat", "iss", "reason", "request", "request_sha256", "verdict"}))
    return malformed(
        "a decision says `iat`, `iss`, `request`, `request_sha256`, `verdict` and perhaps `reason`, and no more");
  ApprovalDecision out;
  out.approver = text_member(payload, "iss");
  if (!is_person(out.approver))
    return malformed(
        "a decision's `iss` must be a person, KIND:NAME such as user:bob@example.org: at most 256 octets, without space, and no "
        "group");
  out.request = text_member(payload, "request");
  if (!is_lower_hex(out.request, kIdDigits))
    return malformed("a decision's `request` must be the request's id, 32 hexadecimal digits");
  out.request_sha256 = text_member(payload, "request_sha256");
  if (!is_lower_hex(out.request_sha256, kDigestDigits))
    return malformed(
        "a decision's `request_sha256` must be that of the request's document, 64 hexadecimal digits");
  CHANCERY_ASSIGN(out.verdict, verdict_of(text_member(payload, "verdict")));
  CHANCERY_ASSIGN(out.issued_at, issued_at_of(payload));
  CHANCERY_ASSIGN(out.reason, reason_of(payload));
  return out;
}

}  // namespace

std::string_view verdict_name(ApprovalVerdict verdict) noexcept {
  switch (verdict) {
    case ApprovalVerdict::kApprove:
      return "approve";
    case ApprovalVerdict::kDeny:
      return "deny";
  }
  return "";
}

bool is_decision_reason(std::string_view text) {
  return text.size() <= kLongestReason && printable(text) == text;
}

Result<ApprovalDecision> read_approval_decision(std::string_view jws) {
  CHANCERY_ASSIGN(const ApproverJws parsed, ApproverJws::parse(jws, kType));
  CHANCERY_ASSIGN(ApprovalDecision out, read_claims(parsed.payload.root()));
  out.key = parsed.key;
  out.by_passkey = parsed.by_passkey();
  return out;
}

std::string approval_decision_input(const ApprovalDecision& decision, Algorithm algorithm) {
  json::Node payload = json::Node::object({{"iat", decision.issued_at.time_since_epoch().count()},
                                           {"iss", decision.approver},
                                           {"request", decision.request},
                                           {"request_sha256", decision.request_sha256},
                                           {"verdict", verdict_name(decision.verdict)}});
  if (!decision.reason.empty()) payload.set("reason", decision.reason);
  return approver_signing_input(kType, {decision.key, algorithm, decision.by_passkey}, payload);
}

Status verify_approval_decision(std::string_view jws, const PublicKey& key,
                                const std::optional<RelyingParty>& passkeys) {
  CHANCERY_ASSIGN(const ApproverJws parsed, ApproverJws::parse(jws, kType));
  CHANCERY_TRY(read_claims(parsed.payload.root()));
  return parsed.verify(key, passkeys);
}

Status verify_approval_decision_of_any_party(std::string_view jws, const PublicKey& key) {
  CHANCERY_ASSIGN(const ApproverJws parsed, ApproverJws::parse(jws, kType));
  CHANCERY_TRY(read_claims(parsed.payload.root()));
  return parsed.verify_of_any_party(key);
}

}  // namespace chancery
