#include <algorithm>

#include <chancery/verify.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/verify/verifier.hpp"

namespace chancery {
namespace {

using State = HopExplanation::State;

std::string signed_with(const SignedBy& signer) {
  switch (signer.role) {
    case SignedBy::Role::kNobody:
      return "nothing that could be verified";
    case SignedBy::Role::kAnchor:
      return "trust anchor " + signer.key.text();
    case SignedBy::Role::kHolder:
      return "its giver's holder key " + signer.key.text();
    case SignedBy::Role::kIssuer:
      return "issuer key " + signer.key.text();
  }
  return "";
}

// Steps run over the whole chain one after another, so a token before the failing one has passed the failing
// step, and one after it has not reached it.
State state_of(const Verdict& verdict, std::size_t hop) {
  if (verdict.valid()) return State::kPassed;
  if (verdict.denial().step == Step::kParse) return State::kRead;
  const auto failed = static_cast<std::size_t>(verdict.denial().hop);
  if (hop == failed) return State::kFailed;
  return hop < failed ? State::kPassed : State::kNotReached;
}

HopExplanation describe(const Token& token, const Token* parent, const SignedBy& signer) {
  const Claims& claims = token.claims();
  HopExplanation hop;
  hop.giver = parent == nullptr ? claims.iss : parent->claims().client_id;
  hop.receiver = claims.client_id;
  hop.principal = claims.sub;
  hop.signed_with = signed_with(signer);
  hop.holder = claims.holder.text();
  hop.audience = joined(claims.aud);
  hop.scopes = joined(claims.authority.scopes);
  for (const Constraint& constraint : claims.authority.constraints) {
    hop.constraints.push_back(constraint.key + " " + std::string(constraint.type()) + " " +
                              rule_jcs(constraint));
  }
  hop.valid_from = utc_text(claims.nbf.value_or(claims.iat));
  hop.valid_until = utc_text(claims.exp);
  return hop;
}

std::string_view state_text(State state) {
  switch (state) {
    case State::kPassed:
      return "passed";
    case State::kFailed:
      return "FAILED";
    case State::kNotReached:
      return "not reached";
    case State::kRead:
      return "read, not verified";
    case State::kUnreadable:
      return "unreadable";
  }
  return "";
}

void append_line(std::string& out, std::string_view label, std::string_view text) {
  constexpr std::size_t kLabelWidth = 12;
  out.append("     ").append(label).append(kLabelWidth - std::min(kLabelWidth, label.size()), ' ');
  out.append(printable(text)).append("\n");
}

void append_hop(std::string& out, std::size_t index, const HopExplanation& hop) {
  out.append("  ").append(std::to_string(index)).append("  ");
  if (hop.state == State::kUnreadable) {
    out.append("a token that cannot be read\n");
    return;
  }
  out.append(printable(hop.giver)).append(" gave to ").append(printable(hop.receiver));
  out.append(index == 0 ? "" : " (as the giver calls it)")
      .append(": ")
      .append(state_text(hop.state))
      .append("\n");
  append_line(out, "scopes", hop.scopes);
  for (const std::string& constraint : hop.constraints) append_line(out, "bound", constraint);
  append_line(out, "audience", hop.audience);
  append_line(out, "valid", hop.valid_from + " to " + hop.valid_until);
  append_line(out, "signed by", hop.signed_with);
  append_line(out, "held by", "key " + hop.holder);
  if (!hop.custody.empty()) append_line(out, "custody", hop.custody);
}

void append_denial(std::string& out, const Denial& denial) {
  out.append("Why: ").append(denial.reason).append(".\n");
  if (!denial.expected.empty()) append_line(out, "expected", denial.expected);
  if (!denial.found.empty()) append_line(out, "found", denial.found);
  if (!denial.remedy.empty()) out.append("What would help: ").append(printable(denial.remedy)).append(".\n");
}

std::string headline(const Explanation& explanation) {
  const Verdict& verdict = explanation.verdict;
  std::string out =
      "A chain of " + std::to_string(explanation.tokens) + (explanation.tokens == 1 ? " token" : " tokens");
  if (!explanation.hops.empty() && !explanation.hops.front().principal.empty()) {
    out += " for " + printable(explanation.hops.front().principal);
  }
  if (verdict.valid()) return out + ": VALID\n";
  const Denial& denial = verdict.denial();
  out.append(": DENIED, ").append(outcome_name(denial.outcome)).append(", at ");
  if (denial.step != Step::kParse) out.append("step ").append(step_name(denial.step)).append(", ");
  out.append(step_title(denial.step));
  if (denial.hop >= 0) out.append(", token ").append(std::to_string(denial.hop));
  return out + "\n";
}

}  // namespace

std::string Explanation::text() const {
  std::string out = headline(*this);
  for (std::size_t i = 0; i < hops.size(); ++i) append_hop(out, i, hops[i]);
  if (!verdict.valid()) append_denial(out, verdict.denial());
  for (const IgnoredResult& ignored : verdict.ignored_results()) {
    out.append("Attestation result ")
        .append(std::to_string(ignored.index))
        .append(" (the first is 0) was ignored: ");
    out.append(ignored.reason).append(".\n");
  }
  std::string skipped;
  for (const std::string_view name : verdict.not_performed())
    skipped.append(skipped.empty() ? "" : ", ").append(name);
  if (!skipped.empty()) out.append("Not checked: ").append(skipped).append(".\n");
  return out;
}

Explanation explain(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                    std::chrono::sys_seconds now, const VerifyOptions& options) {
  Verifier verifier(trust, now, options);
  Explanation explanation{verifier.run(chain), chain.size(), {}};
  const auto tokens = verifier.tokens();
  const auto signers = verifier.signers();
  for (std::size_t hop = 0; hop < tokens.size(); ++hop) {
    const Token* parent = hop == 0 ? nullptr : tokens[hop - 1].get();
    explanation.hops.push_back(
        describe(*tokens[hop], parent, hop < signers.size() ? signers[hop] : SignedBy{}));
    explanation.hops.back().state = state_of(explanation.verdict, hop);
    const auto& custody = explanation.verdict.custody();
    if (hop < custody.size()) explanation.hops.back().custody = custody[hop].text();
  }
  // A denial of the chain as a whole, before any token was read, is nobody's fault in particular.
  const bool unreadable = !explanation.verdict.valid() && explanation.verdict.denial().step == Step::kParse &&
                          explanation.verdict.denial().hop >= 0;
  if (unreadable) explanation.hops.emplace_back().state = State::kUnreadable;
  return explanation;
}

}  // namespace chancery
