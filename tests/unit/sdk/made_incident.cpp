#include "tests/unit/sdk/made_incident.hpp"

#include <array>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "sdk/audit/checkpoint.hpp"
#include "sdk/audit/merkle.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/incident/reach.hpp"
#include "sdk/verify/attestation_result.hpp"

namespace chancery::tests {
namespace {

using incident::Evidence;

const std::string kRequest(32, 'a');
const std::string kPermit(32, 'b');
const std::string kDigest(64, 'c');
constexpr std::int64_t kAt = 1'800'000'000;

std::string hash_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::string entry_of(const std::string& action, const std::string& outcome, const std::string& details,
                     const std::string& ids) {
  return R"({"action":")" + action + R"(","at":1800000000,"details":{)" + details + R"(},"ids":{)" + ids +
         R"(},"outcome":")" + outcome + R"(","v":1})";
}

std::vector<incident::ChainToken> tokens_of(const IssuedChain& chain) {
  std::vector<incident::ChainToken> out;
  for (const std::string& compact : chain.tokens) {
    const Token token = Token::parse(compact).value();
    incident::ChainToken record;
    record.id = hex_encode(token.digest());
    record.parent = out.empty() ? "" : out.back().id;
    record.place = out.empty() ? incident::kHeld : incident::kBelow;
    record.status = "revoked";
    record.agent = out.empty() ? "support" : "lookup";
    record.issued_at = kAt;
    record.expires_at = kAt + 3600;
    record.compact = compact;
    out.push_back(std::move(record));
  }
  return out;
}

incident::ToolCall call_of(const std::string& token, const std::string& jkt) {
  incident::ToolCall out;
  out.permit = kPermit;
  out.decision = "d";
  out.runtime = "r";
  out.token = token;
  out.jkt = jkt;
  out.tool = "refund";
  out.scope = "payments.refund";
  out.credential = "psp";
  out.arguments_sha256 = kDigest;
  out.given_at = kAt;
  out.ended_at = kAt;
  out.receipt = R"({"arguments_sha256":")" + kDigest + R"(","at":1800000000,"decision":"d","key":")" + jkt +
                R"(","permit":")" + kPermit + R"(","result_sha256":")" + kDigest +
                R"(","runtime":"spiffe://example.org/agent/tools","status":"done","token":")" + token +
                R"(","tool":"refund"})";
  return out;
}

incident::Request request_of() {
  incident::Request out;
  out.id = kRequest;
  out.kind = "call";
  out.state = "approved";
  out.document = R"({"id":"x","tool":"refund"})";
  out.sha256 = hash_of(out.document);
  out.tool = "refund";
  out.principal = "user:alice@example.org";
  out.enforcement = "software-enforced";
  out.gates = {"refunds"};
  out.asked_at = kAt;
  return out;
}

incident::Attested attested_of(const SigningKey& verifier, const Thumbprint& key) {
  AttestationResult result;
  result.issuer = "https://issuer.example";
  result.issued_at = kIssuedNow;
  result.expires_at = kIssuedNow + std::chrono::hours(1);
  result.key = key;
  result.custody = Custody::kSoftware;
  result.policy = "p";
  result.evidence_at = kIssuedNow;
  const std::string input = attestation_result_signing_input(result, verifier.public_key());
  const Signature signature = verifier.sign(as_bytes(input)).value();
  return {key.text(),
          result.issuer,
          "",
          std::string(custody_name(result.custody)),
          kAt,
          kAt + 3600,
          input + "." + base64url_encode(signature)};
}

audit::SubtreeHash tree_over(const std::vector<std::string>& log) {
  return [&log](const audit::Subtree& part) -> Result<Sha256Digest> {
    audit::Frontier frontier;
    const std::size_t size = std::size_t{1} << part.level;
    for (std::size_t i = 0; i < size; ++i)
      frontier.append(audit::leaf_hash(as_bytes(log[part.index * size + i])));
    return frontier.root();
  };
}

}  // namespace

incident::Decision MadeIncident::decision_by(const SigningKey& key, const incident::Request& request) {
  const ApprovalDecision decision{.approver = "user:bob@example.org",
                                  .request = request.id,
                                  .request_sha256 = request.sha256,
                                  .reason = "",
                                  .verdict = ApprovalVerdict::kApprove,
                                  .issued_at = kIssuedNow,
                                  .key = key.public_key().thumbprint(),
                                  .by_passkey = false};
  const std::string input = approval_decision_input(decision, Algorithm::kES256);
  incident::Decision out;
  out.approver = decision.approver;
  out.jkt = decision.key.text();
  out.jwk = key.public_key().jwk();
  out.verdict = "approve";
  out.at = kAt;
  out.jws = signed_by_key(input, key.sign(as_bytes(input)).value());
  return out;
}

MadeIncident::MadeIncident() {
  const PublicKey holder = chain.keys.at(1).public_key();
  const std::string jkt = holder.thumbprint().text();
  evidence.log = kOrigin;
  evidence.issuer = "https://issuer.example";
  evidence.agent = "support";
  evidence.agent_id = std::string(32, 'd');
  evidence.selectors = R"({"uid":1})";
  evidence.created_at = kAt;
  evidence.opened_at = kAt;
  evidence.reason = "spam";
  evidence.frozen = incident::Freeze{kAt, "spam", "software"};
  evidence.revoked = 7;
  evidence.keys = {{jkt, holder.jwk(), "active", "memory", kAt, std::nullopt}};
  evidence.tokens = tokens_of(chain);
  evidence.requests = {request_of()};
  evidence.requests[0].decisions = {decision_by(approver, evidence.requests[0])};
  evidence.calls = {call_of(evidence.tokens[0].id, jkt)};
  evidence.attestation = {attested_of(verifier, holder.thumbprint())};
  const incident::Decision& decision = evidence.requests[0].decisions[0];
  log = {
      entry_of("agent.create", "done", "", ""),
      entry_of("tool.permit", "permit", R"("scope":"payments.refund","tool":"refund")",
               R"("permit":")" + kPermit + "\""),
      entry_of("credential.release", "done", R"("scope":"payments.refund")", R"("credential":"psp")"),
      entry_of("approval.approve", "done", "",
               R"("approval":")" + kRequest + R"(","approver_key":")" + decision.jkt + R"(","vote":")" +
                   hash_of(decision.jws) + "\""),
      entry_of("tool.result", "done", "",
               R"("permit":")" + kPermit + R"(","receipt":")" + hash_of(evidence.calls[0].receipt) + "\"")};
  evidence.size = log.size();
  for (std::size_t i = 0; i < log.size(); ++i) evidence.entries.push_back({i + 1, log[i]});
  evidence.reached = incident::reached_by(evidence).value();
}

std::string MadeIncident::seal() {
  std::string text = incident::write_evidence(evidence);
  std::vector<std::string> all = log;
  all.push_back(R"({"action":")" + opening_action + R"(","agent":")" + opened_agent +
                R"(","at":1800000000,"details":{},"ids":{"agent_id":")" + evidence.agent_id +
                R"(","incident":")" + incident::digest_of(text) + R"("},"outcome":"done","v":1})");
  const audit::SubtreeHash tree = tree_over(all);
  const std::string head =
      audit::checkpoint_text({kOrigin, {all.size(), audit::root_of(all.size(), tree).value()}, {}});
  incident::Proof proof;
  proof.checkpoint = head + "\n" + audit::signature_line(key(), log_key.sign(as_bytes(head)).value()).value();
  proof.keys = {audit::verifier_key(key()).value()};
  proof.opening = {all.size(), all.back()};
  proof.opening_path = audit::inclusion_proof(all.size() - 1, all.size(), tree).value();
  for (const incident::LoggedEntry& entry : evidence.entries)
    proof.paths.push_back(audit::inclusion_proof(entry.number - 1, all.size(), tree).value());
  return incident::write_bundle(std::move(text), proof);
}

incident::Bundle MadeIncident::sealed() {
  auto bundle = incident::read_bundle(seal());
  BOOST_REQUIRE_MESSAGE(bundle, (bundle ? "" : bundle.error().what));
  return *std::move(bundle);
}

incident::Report MadeIncident::judge(const incident::Bundle& bundle) const {
  const std::array keys{key()};
  const std::array verifiers{VerifyKey::from(verifier.public_key()).value()};
  const TrustSnapshot trust = chain.trust();
  incident::Terms terms;
  terms.keys = keys;
  terms.trust = &trust;
  terms.verifiers = verifiers;
  return incident::judge(bundle, terms);
}

}  // namespace chancery::tests
