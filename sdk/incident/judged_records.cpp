#include "sdk/incident/judged_records.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <chancery/approval_decision.hpp>
#include <chancery/verify.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "sdk/verify/receipt.hpp"

namespace chancery::incident {
namespace {

constexpr std::size_t kCachedTokens = 4096;
constexpr std::size_t kLongestChain = 16;

void say(Report& report, Fault fault, const std::string& subject, const char* what) {
  report.findings.push_back({fault, subject, what});
}

// --- chains

using TokensById = std::map<std::string_view, const ChainToken*>;

/// Root first; empty when one above is not in the bundle.
std::vector<std::string_view> chain_of(const ChainToken& leaf, const TokensById& tokens) {
  std::vector<std::string_view> out;
  const ChainToken* at = &leaf;
  while (out.size() < kLongestChain) {
    out.emplace_back(at->compact);
    if (at->parent.empty()) {
      std::ranges::reverse(out);
      return out;
    }
    const auto parent = tokens.find(at->parent);
    if (parent == tokens.end()) return {};
    at = parent->second;
  }
  return {};
}

// When its last token was issued, everything above served: later some of it may have expired.
std::chrono::sys_seconds instant_of(const Claims& leaf) {
  const double from = std::max(leaf.iat, leaf.nbf.value_or(leaf.iat));
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(std::ceil(from))));
}

// Status comes after everything else that a chain shows by itself, and nobody can look it up offline: the bundle says it.
bool holds(const Verdict& verdict) {
  return verdict.valid() || verdict.outcome() == Outcome::kStatusUnknown ||
         verdict.outcome() == Outcome::kRevoked;
}

class ChainJudge {
 public:
  ChainJudge(const Evidence& evidence, const Terms& terms, Report& report)
      : terms_(terms), report_(report), cache_(kCachedTokens) {
    for (const ChainToken& token : evidence.tokens) tokens_.emplace(token.id, &token);
  }

  void judge(const ChainToken& record) {
    const auto token = Token::parse(record.compact);
    if (!token) return say(report_, Fault::kToken, record.id, "the token cannot be read");
    if (hex_encode(token->digest()) != record.id)
      return say(report_, Fault::kToken, record.id, "the token is another than its id names");
    ++report_.tokens;
    const std::vector<std::string_view> chain = chain_of(record, tokens_);
    if (terms_.trust == nullptr || chain.empty()) {
      ++report_.unverified_chains;
      return;
    }
    VerifyOptions options;
    options.cache = &cache_;
    const Verdict verdict = verify_chain(chain, *terms_.trust, instant_of(token->claims()), options);
    if (!holds(verdict)) return say(report_, Fault::kChain, record.id, verdict.denial().reason);
    ++report_.chains;
  }

 private:
  const Terms& terms_;
  Report& report_;
  TokensById tokens_;
  VerificationCache cache_;
};

// --- decisions

/// \return what is wrong with it; null: nothing
const char* fault_of(const Request& request, const Decision& decision,
                     const std::optional<RelyingParty>& passkeys) {
  const auto key = parse_jwk(decision.jwk);
  if (!key || key->thumbprint().text() != decision.jkt)
    return "the approver's key has another thumbprint than it is said to have";
  const auto read = read_approval_decision(decision.jws);
  if (!read) return read.error().what;
  if (read->request != request.id || read->request_sha256 != request.sha256)
    return "the decision is about another request";
  if (read->approver != decision.approver || verdict_name(read->verdict) != decision.verdict)
    return "the decision is another person's, or another verdict";
  const Status verified = verify_approval_decision(decision.jws, *key, passkeys);
  return verified ? nullptr : verified.error().what;
}

void judge_decision(const Evidence& evidence, const Request& request, const Decision& decision,
                    const EntryIndex& index, Report& report) {
  if (const char* const fault = fault_of(request, decision, evidence.passkeys); fault != nullptr)
    return say(report, Fault::kDecision, request.id, fault);
  const std::string_view logged = index.vote(request.id, decision.jkt);
  if (logged.empty()) {
    ++report.unlogged_decisions;
  } else if (logged == hex_encode(sha256(as_bytes(decision.jws)))) {
    ++report.decisions;
  } else {
    say(report, Fault::kDecision, request.id, "the log has another decision by this key");
  }
}

// --- receipts

/// \return what is wrong with it; null: nothing
const char* fault_of(const ToolCall& call, const Receipt& receipt) {
  if (receipt.permit != call.permit || receipt.tool != call.tool || receipt.token != call.token ||
      receipt.decision != call.decision || receipt.key != call.jkt ||
      receipt.arguments_sha256 != call.arguments_sha256)
    return "the receipt is of another call";
  return nullptr;
}

void judge_receipt(const ToolCall& call, const EntryIndex& index, Report& report) {
  json::Node document = json::Node::object();
  document.set("receipt", json::Node::canonical(call.receipt));
  const auto receipt = read_receipt(json::to_jcs(document));
  if (!receipt) return say(report, Fault::kReceipt, call.permit, receipt.error().what);
  if (const char* const fault = fault_of(call, *receipt); fault != nullptr)
    return say(report, Fault::kReceipt, call.permit, fault);
  const std::string_view logged = index.receipt(call.permit);
  if (logged.empty()) {
    ++report.unlogged_receipts;
  } else if (logged == receipt->digest) {
    ++report.receipts;
  } else {
    say(report, Fault::kReceipt, call.permit, "the log has another result of this call");
  }
}

}  // namespace

EntryIndex::EntryIndex(const std::vector<audit::Entry>& entries) {
  for (const audit::Entry& entry : entries) {
    const std::string_view action = entry.action();
    if (entry.outcome() == "refused") continue;
    if (action == "approval.approve" || action == "approval.deny")
      votes_.emplace(std::pair(entry.id("approval"), entry.id("approver_key")), entry.id("vote"));
    if (action == "tool.result") receipts_.emplace(entry.id("permit"), entry.id("receipt"));
  }
}

std::string_view EntryIndex::vote(std::string_view request, std::string_view jkt) const {
  const auto found = votes_.find(std::pair(request, jkt));
  return found == votes_.end() ? std::string_view() : found->second;
}

std::string_view EntryIndex::receipt(std::string_view permit) const {
  const auto found = receipts_.find(permit);
  return found == receipts_.end() ? std::string_view() : found->second;
}

void judge_keys(const Evidence& evidence, Report& report) {
  for (const AgentKey& key : evidence.keys) {
    const auto parsed = parse_jwk(key.jwk);
    if (!parsed || parsed->thumbprint().text() != key.jkt)
      say(report, Fault::kKey, key.jkt, "the key has another thumbprint than it is said to have");
  }
}

void judge_tokens(const Evidence& evidence, const Terms& terms, Report& report) {
  ChainJudge judge(evidence, terms, report);
  for (const ChainToken& token : evidence.tokens) judge.judge(token);
}

void judge_requests(const Evidence& evidence, const EntryIndex& index, Report& report) {
  for (const Request& request : evidence.requests) {
    if (!request.document.empty() && digest_of(request.document) != request.sha256)
      say(report, Fault::kRequest, request.id, "the document is not the one whose hash was to be approved");
    for (const Decision& decision : request.decisions)
      judge_decision(evidence, request, decision, index, report);
  }
}

void judge_calls(const Evidence& evidence, const EntryIndex& index, Report& report) {
  for (const ToolCall& call : evidence.calls) {
    if (!call.receipt.empty()) judge_receipt(call, index, report);
  }
}

void judge_attestation(const Evidence& evidence, const Terms& terms, Report& report) {
  for (const Attested& attested : evidence.attestation) {
    const auto read = SignedAttestationResult::parse(attested.result);
    if (!read || read->claims().key.text() != attested.jkt || read->claims().issuer != attested.issuer ||
        custody_name(read->claims().custody) != attested.custody) {
      say(report, Fault::kAttestation, attested.jkt, "the attestation result says something else");
      continue;
    }
    if (terms.verifiers.empty()) {
      ++report.unverified_results;
    } else if (open_attestation_result(attested.result, terms.verifiers)) {
      ++report.results;
    } else {
      say(report, Fault::kAttestation, attested.jkt,
          "the attestation result is not by a verifier of the anchors that were given");
    }
  }
}

}  // namespace chancery::incident
