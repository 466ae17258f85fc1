#pragma once

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>
#include <vector>

#include "hsm/gated_keys.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {

// What the tests of keys behind gates share.

template <typename T>
T required(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

inline attest::Name name_of(const SigningKey& approver) { return attest::signer_name(approver.public_key()); }

/// Approvers with keys in memory, in the order in which the policy takes them, and the gate that they open.
struct Gate {
  explicit Gate(std::size_t approvers, std::uint32_t quorum) : policy{{}, quorum, "refunds"} {
    for (std::size_t i = 0; i < approvers; ++i)
      keys.push_back(required(SigningKey::generate(Algorithm::kES256)));
    std::ranges::sort(keys, {}, [](const SigningKey& key) { return name_of(key); });
    for (const SigningKey& key : keys) policy.approvers.push_back(key.public_key());
  }

  [[nodiscard]] StoredKey create(TpmBackend& backend) const {
    return required(backend.gated_keys()->create({"daemon", "gated-1"}, policy, far_away()));
  }

  std::vector<SigningKey> keys;
  attest::GatePolicy policy;
};

/// The Name of a gated key, as an approver's tool takes it from the public area.
inline attest::Name name_of(TpmBackend& backend, const StoredKey& key, const Gate& gate) {
  const Bytes area = required(backend.gated_keys()->public_area(key));
  const auto judged = attest::judge_gated_key(area, gate.policy);
  BOOST_REQUIRE_MESSAGE(judged, (judged ? "" : judged.error().what));
  return judged->name;
}

struct GateRule {
  std::size_t approvers;
  std::uint32_t quorum;
};
inline std::ostream& operator<<(std::ostream& out, const GateRule& row) {
  return out << row.quorum << " of " << row.approvers;
}
/// Every rule that there is.
inline constexpr std::array kGateRules{GateRule{1, 1}, GateRule{2, 1}, GateRule{2, 2}, GateRule{3, 1},
                                GateRule{3, 2}, GateRule{3, 3}, GateRule{4, 1}, GateRule{4, 2},
                                GateRule{4, 3}, GateRule{4, 4}};

constexpr std::string_view kToken = "eyJhbGciOiJFUzI1NiJ9.eyJzY29wZSI6InBheW1lbnRzIn0";
constexpr std::string_view kOtherToken = "eyJhbGciOiJFUzI1NiJ9.eyJzY29wZSI6ImV2ZXJ5dGhpbmcifQ";

/// What one approver's tool gives out for a token.
inline PolicySignature approve(const SigningKey& approver, const attest::Name& key,
                               std::string_view token = kToken, std::string_view gate = "refunds") {
  const Bytes input = attest::policy_signature_input(key, as_bytes(token), gate);
  return {approver.public_key(), required(approver.sign(input))};
}

/// A backend's outcome of signing kToken behind the gate; a wrong signature ends the test.
inline Status sign_behind(TpmBackend& backend, const StoredKey& key, const Gate& gate,
                          const std::vector<PolicySignature>& signatures, Deadline deadline = far_away()) {
  const ByteView message = as_bytes(kToken);
  const auto signature = backend.gated_keys()->sign(key, gate.policy, message, signatures, deadline);
  if (!signature) return signature.error();
  BOOST_REQUIRE(verify_signature(key.public_key, sha256(message), message, *signature));
  return {};
}

/// A TPM, a gate, and a key behind it.
struct GatedScene {
  explicit GatedScene(std::size_t approvers, std::uint32_t quorum)
      : tpm(start_swtpm()),
        backend(open_backend(options_for(tpm.tcti()))),
        gate(approvers, quorum),
        key(gate.create(*backend)),
        name(name_of(*backend, key, gate)) {}

  [[nodiscard]] PolicySignature approved_by(std::size_t approver) const {
    return approve(gate.keys.at(approver), name);
  }
  [[nodiscard]] Status sign(const std::vector<PolicySignature>& signatures) const {
    return sign_behind(*backend, key, gate, signatures);
  }

  simulators::Swtpm tpm;
  std::unique_ptr<TpmBackend> backend;
  Gate gate;
  StoredKey key;
  attest::Name name;
};

}  // namespace chancery::hsm
