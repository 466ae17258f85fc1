#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include <chancery/api_approvals.hpp>
#include <chancery/approval_decision.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::tests {

// What an approver's tool sends, made without its scruples.

inline std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// A member of a JSON object: a string's text, or anything else as it stands there.
inline std::string member(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  BOOST_REQUIRE(document);
  const json::Value* const value = document->root().find(name);
  BOOST_REQUIRE_MESSAGE(value != nullptr, json);
  return std::string(value->string().value_or(value->source()));
}

/// What a person signs so that the TPM signs this token behind the gate, and nothing else.
inline std::string policy_signature_by(const SigningKey& key, const api::Gate& gate,
                                       const std::string& signing_input) {
  const auto name = hex_decode_exactly<std::tuple_size_v<attest::Name>>(gate.key_name);
  BOOST_REQUIRE(name);
  const Bytes input = attest::policy_signature_input(*name, as_bytes(signing_input), gate.name);
  const auto signature = key.sign(input);
  BOOST_REQUIRE(signature);
  return base64url_encode(*signature);
}

inline std::string approval_by(const SigningKey& key, const std::string& person,
                               const api::PendingApproval& request) {
  ApprovalDecision decision;
  decision.approver = person;
  decision.request = request.id;
  decision.request_sha256 = request.sha256;
  decision.verdict = ApprovalVerdict::kApprove;
  decision.issued_at = wall_clock();
  decision.key = key.public_key().thumbprint();
  const std::string input = approval_decision_input(decision, Algorithm::kES256);
  const auto signature = key.sign(as_bytes(input));
  BOOST_REQUIRE(signature);
  return signed_by_key(input, *signature);
}

}  // namespace chancery::tests
