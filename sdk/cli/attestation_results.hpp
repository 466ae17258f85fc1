#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <chancery/attestation_client.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/verify/attestation_result.hpp"

namespace chancery::cli {

/// What became of an attestation result.
struct JudgedResult {
  std::string compact;
  /// "valid", "malformed", "signature_invalid", "not_yet_valid", "expired", "custody_unproven"
  std::string outcome;
  std::string reason;                       ///< empty for a valid one
  std::optional<AttestationResult> claims;  ///< once its signature was good

  [[nodiscard]] bool is_valid() const { return outcome == "valid"; }
};

/// Judges in this order: form, signature, times, level. Pure.
/// \param required  nothing: any level will do
[[nodiscard]] JudgedResult judge_result(const std::string& compact, std::span<const VerifyKey> keys,
                                        std::optional<CustodyRequirement> required,
                                        std::chrono::sys_seconds now);

/// The same for a result that a verifier gave since `now`: it may have been issued since as well, for as long as a client
/// waits for an answer. Any level will do.
[[nodiscard]] JudgedResult judge_fetched_result(const std::string& compact, std::span<const VerifyKey> keys,
                                                std::chrono::sys_seconds now);

/// Of one or more: 1 when one is bad; else 2 when one proves less than was required, as for a chain; else 0.
[[nodiscard]] ExitCode exit_code(std::span<const JudgedResult> results);

void show_results(Output& output, std::span<const JudgedResult> results);
[[nodiscard]] json::Node to_json(const JudgedResult& result);

/// The keys under which a verifier's results count, as it publishes them.
[[nodiscard]] Checked<std::vector<VerifyKey>> result_keys(const AttestationClient& verifier);

}  // namespace chancery::cli
