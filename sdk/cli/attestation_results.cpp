#include "sdk/cli/attestation_results.hpp"

#include <algorithm>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/attestation_text.hpp"
#include "sdk/cli/key_set_input.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct Flaw {
  const char* outcome;
  const char* reason;
};

std::optional<Flaw> flaw_of(const AttestationResult& claims, std::optional<CustodyRequirement> required,
                            std::chrono::sys_seconds now) {
  switch (judge_times(claims, now)) {
    case ResultTimes::kCurrent:
      break;
    case ResultTimes::kIssuedLater:
      return Flaw{"not_yet_valid", "it counts later: is this machine's clock right?"};
    case ResultTimes::kEvidenceLater:
      return Flaw{"not_yet_valid", "its evidence is of a time to come: is this machine's clock right?"};
    case ResultTimes::kExpired:
      return Flaw{"expired", "it counts no more: have the key attested again"};
  }
  if (!required || satisfies(claims.custody, *required)) return std::nullopt;
  const bool is_emulated = claims.custody == Custody::kTpmCertifiedEmulated;
  return Flaw{"custody_unproven", is_emulated ? "emulation: a simulator proves nothing about hardware"
                                              : "its level is lower than what is required"};
}

}  // namespace

JudgedResult judge_result(const std::string& compact, std::span<const VerifyKey> keys,
                          std::optional<CustodyRequirement> required, std::chrono::sys_seconds now) {
  const auto opened = open_attestation_result(compact, keys);
  if (!opened)
    return {compact, std::string(error_name(opened.error().code)), opened.error().what, std::nullopt};
  const auto flaw = flaw_of(*opened, required, now);
  return {compact, flaw ? flaw->outcome : "valid", flaw ? flaw->reason : "", *opened};
}

JudgedResult judge_fetched_result(const std::string& compact, std::span<const VerifyKey> keys,
                                  std::chrono::sys_seconds now) {
  constexpr std::chrono::seconds kWaitedAtMost{60};
  const auto opened = open_attestation_result(compact, keys);
  const bool came_since = opened && opened->issued_at > now && opened->issued_at <= now + kWaitedAtMost;
  return judge_result(compact, keys, std::nullopt, came_since ? opened->issued_at : now);
}

ExitCode exit_code(std::span<const JudgedResult> results) {
  const auto proves_less = [](const JudgedResult& result) { return result.outcome == "custody_unproven"; };
  if (std::ranges::all_of(results, &JudgedResult::is_valid)) return ExitCode::kSuccess;
  const bool is_bad = std::ranges::any_of(
      results, [&](const JudgedResult& result) { return !result.is_valid() && !proves_less(result); });
  return is_bad ? ExitCode::kDenied : ExitCode::kUndecided;
}

json::Node to_json(const JudgedResult& result) {
  Node node = Node::object({{"outcome", result.outcome}, {"result", result.compact}});
  if (!result.reason.empty()) node.set("reason", result.reason);
  if (!result.claims) return node;
  const AttestationResult& claims = *result.claims;
  const auto seconds = [](std::chrono::sys_seconds at) {
    return std::int64_t{at.time_since_epoch().count()};
  };
  node.set("custody", custody_name(claims.custody));
  node.set("jkt", claims.key.text());
  node.set("verifier", claims.issuer);
  node.set("policy", claims.policy);
  node.set("evidence_at", seconds(claims.evidence_at));
  node.set("expires_at", seconds(claims.expires_at));
  if (!claims.ek_fingerprint.empty()) node.set("ek", claims.ek_fingerprint);
  return node;
}

void show_results(Output& output, std::span<const JudgedResult> results) {
  if (output.json()) {
    Node all = Node::array();
    for (const JudgedResult& result : results) all.push_back(to_json(result));
    return output.document(json::to_jcs(Node::object({{"results", std::move(all)}})));
  }
  for (const JudgedResult& result : results) {
    output.line(result.is_valid() ? output.paint(Colour::kGreen, "VALID")
                                  : output.paint(Colour::kRed, "NOT VALID: " + printable(result.outcome)));
    if (!result.reason.empty()) output.field("why", result.reason);
    if (result.claims) show_result(output, *result.claims);
  }
}

Checked<std::vector<VerifyKey>> result_keys(const AttestationClient& verifier) {
  const auto published = verifier.jwks();
  if (!published) return failure(published.error());
  return verify_keys(published->keys, "the verifier's keys");
}

}  // namespace chancery::cli
