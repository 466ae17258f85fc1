#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/verify.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::tests {

/// A conformance vector, read by other code than the library's own runner, so that the two check each other.
struct ReadVector {
  std::string id;
  std::vector<std::string> tokens;
  TrustConfig trust;
  std::chrono::sys_seconds now{};
  VerifyOptions options;                 ///< without `request`: this struct moves
  std::optional<ActionRequest> request;  ///< in mode `request`
  std::string outcome;
  std::string step;  ///< "parse", "1" … "8"; empty for valid
  std::vector<std::string> tolerated;

  [[nodiscard]] std::vector<std::string_view> chain() const { return {tokens.begin(), tokens.end()}; }
  /// The options with the request, borrowed from this vector, and a cache.
  [[nodiscard]] VerifyOptions options_with(VerificationCache* cache) const;
  /// Whether a verdict is the expected one, or a tolerated denial.
  [[nodiscard]] bool met_by(std::string_view got_outcome, std::string_view got_step) const;
};

[[nodiscard]] ReadVector read_vector(const json::Value& vector);

/// Runs one vector file, given as text, through the library's runner, verify_chain, explain and a cache, and
/// checks (Boost.Test) that all give the expected answer and the same one.
/// \return how many vectors the runner gave results for
std::size_t check_vector_file(const std::string& text);

}  // namespace chancery::tests
