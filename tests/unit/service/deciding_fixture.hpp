#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "daemon/service/approvals.hpp"
#include "daemon/service/approvers.hpp"
#include "daemon/store/ledger.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {

inline constexpr std::uint32_t kStrangerUid = 4711;

/// Somebody with a key.
struct Person {
  explicit Person(std::string principal_, Algorithm algorithm = Algorithm::kES256)
      : principal(std::move(principal_)), key(*SigningKey::generate(algorithm)) {}

  [[nodiscard]] Thumbprint jkt() const { return key.public_key().thumbprint(); }

  std::string principal;
  SigningKey key;
};

/// Three approvers, of whom Carol's key is Ed25519, and requests that wait without anybody having asked.
struct Deciding : Approvals {
  Deciding() {
    BOOST_REQUIRE_MESSAGE(enroll(enrolment_of(bob, {"finance"})).status == 201, "Bob");
    for (const Person* const person : {&carol, &dave})
      BOOST_REQUIRE_MESSAGE(enroll(enrolment_of(*person), bob).status == 201, person->principal);
  }

  // --- enrolments

  static Enrolment enrolment_of(const Person& person, std::vector<std::string> groups = {}) {
    Enrolment out;
    out.principal = person.principal;
    out.groups = std::move(groups);
    out.key = person.key.public_key();
    out.kind = "file";
    return out;
  }
  static EnrolmentAuthorization authorization_of(const std::string& document, const Person& by) {
    EnrolmentAuthorization out;
    out.approver = by.principal;
    out.audience = kIssuerUrl;
    out.document_sha256 = digest_of(document);
    out.issued_at = kNow;
    out.key = by.jkt();
    return out;
  }
  static std::string sign(const EnrolmentAuthorization& authorization, const Person& by) {
    const std::string input = enrolment_authorization_input(authorization, by.key.public_key().algorithm());
    return signed_by_key(input, *by.key.sign(as_bytes(input)));
  }
  Response send_enrolment(const std::string& document, const std::string& authorization,
                          std::optional<std::uint32_t> uid) {
    return call("POST", "/v1/approvers", wire::write(api::EnrollApprover{document, authorization}), uid);
  }
  /// By the operator, without a signature.
  Response enroll(const Enrolment& enrolment) {
    return send_enrolment(enrolment_document(enrolment), "", kOperatorUid);
  }
  /// By somebody's signature, brought by anybody.
  Response enroll(const Enrolment& enrolment, const Person& by) {
    const std::string document = enrolment_document(enrolment);
    return send_enrolment(document, sign(authorization_of(document, by), by), kStrangerUid);
  }
  Response revoke(const Thumbprint& key, const std::string& authorization = "",
                  std::optional<std::uint32_t> uid = kOperatorUid) {
    return call("POST", "/v1/approver-keys/" + key.text() + "/revoke",
                wire::write(api::RevokeApproverKey{"lost", authorization}), uid);
  }

  // --- requests

  static store::GateTerms gate(const std::string& name, std::vector<std::string> approvers,
                               std::uint32_t quorum = 1) {
    store::GateTerms out;
    out.gate = name;
    out.approvers = std::move(approvers);
    out.quorum = quorum;
    return out;
  }
  static store::ParkedCall request(const std::string& name, std::vector<store::GateTerms> gates) {
    store::ParkedCall out;
    out.id = digest_of(name).substr(0, 32);
    out.document = R"({"tool":")" + name + "\"}";
    out.digest = digest_of(out.document);
    out.subject = digest_of("subject of " + name);
    out.runtime = "tools";
    out.token = std::string(64, 'b');
    out.key = Thumbprint{sha256(as_bytes(name))};
    out.first = out.key;
    out.principal = "user:alice@example.org";
    out.tool = "refund";
    out.asked_at = kNow;
    out.expires_at = kNow + std::chrono::minutes(15);
    out.gates = std::move(gates);
    return out;
  }
  store::ParkedCall park(store::ParkedCall call) {
    store::Decision decision;
    decision.caller = "uid:1";
    decision.at = kNow;
    decision.proof = {call.key, sha256(as_bytes(call.id)), kNow, kNow + std::chrono::minutes(6)};
    decision.parked = &call;
    const auto recorded = spending().ledger().record(decision, {.at = kNow, .action = "approval.request"});
    BOOST_REQUIRE((recorded && recorded->outcome == store::Recording::Outcome::kRecorded));
    return call;
  }
  /// One that Bob or Carol may decide.
  store::ParkedCall parked(const std::string& name) {
    return park(request(name, {gate("refunds", {bob.principal, carol.principal})}));
  }

  // --- decisions

  static ApprovalDecision decision_of(const store::ParkedCall& call, const Person& by, bool approves = true) {
    ApprovalDecision out;
    out.approver = by.principal;
    out.request = call.id;
    out.request_sha256 = call.digest;
    out.verdict = approves ? ApprovalVerdict::kApprove : ApprovalVerdict::kDeny;
    out.issued_at = kNow;
    out.key = by.jkt();
    return out;
  }
  static std::string sign(const ApprovalDecision& decision, const Person& by) {
    const std::string input = approval_decision_input(decision, by.key.public_key().algorithm());
    return signed_by_key(input, *by.key.sign(as_bytes(input)));
  }
  Response send(const std::string& id, const std::string& jws, const std::string& policy_signature = "",
                std::optional<std::uint32_t> uid = kStrangerUid) {
    return call("POST", "/v1/approvals/" + id + "/decision",
                wire::write(api::DecideApproval{jws, policy_signature}), uid);
  }
  Response decide(const store::ParkedCall& call, const Person& by, bool approves = true) {
    return send(call.id, sign(decision_of(call, by, approves), by));
  }
  store::ParkedCall found(const std::string& id) {
    const auto summary = office().approvals.summary(id);
    BOOST_REQUIRE(summary);
    return *summary;
  }
  std::string state_of(const store::ParkedCall& call) {
    return std::string(store::approval_state_name(found(call.id).state));
  }
  api::Approval shown(const std::string& id, const std::string& query = "") {
    const Response response = call("GET", "/v1/approvals/" + id + query, "", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
    const auto approval = wire::read_approval(response.body);
    BOOST_REQUIRE(approval);
    return *approval;
  }

  Person bob{"user:bob@example.org"};
  Person carol{"user:carol@example.org", Algorithm::kEd25519};
  Person dave{"user:dave@example.org"};
};

}  // namespace chancery::tests
