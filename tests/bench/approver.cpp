#include "tests/bench/approver.hpp"

#include <chrono>

#include <chancery/approval_client.hpp>
#include <chancery/approver_enrolment.hpp>

#include "tests/bench/scene.hpp"

namespace chancery::bench {
namespace {

constexpr const char* kBob = "user:bob@example.org";

}  // namespace

Approver::Approver(const Client& daemon) : key_(required(SigningKey::generate(Algorithm::kES256))) {
  Enrolment enrolment;
  enrolment.principal = kBob;
  enrolment.key = key_.public_key();
  enrolment.kind = "file";
  answered(ApprovalClient(daemon).enroll({enrolment_document(enrolment), {}}));
}

api::DecideApproval Approver::decision(const std::string& request, const std::string& sha256,
                                       ApprovalVerdict verdict) const {
  ApprovalDecision decision;
  decision.approver = kBob;
  decision.request = request;
  decision.request_sha256 = sha256;
  decision.verdict = verdict;
  decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  decision.key = key_.public_key().thumbprint();
  const std::string input = approval_decision_input(decision, Algorithm::kES256);
  return {signed_by_key(input, required(key_.sign(as_bytes(input)))), {}};
}

}  // namespace chancery::bench
