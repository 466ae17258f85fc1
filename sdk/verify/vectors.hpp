#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery {

/// What came of one conformance vector.
struct VectorResult {
  std::string id;
  std::string outcome;  ///< as outcome_name says it
  std::string step;     ///< "parse", "1" … "8"; empty when valid
  bool met = false;     ///< the outcome and step are the expected ones, or the outcome is tolerated

  /// `{"id":…,"outcome":…,"step":…}` in JCS; `step` is "parse", a number, or null.
  [[nodiscard]] std::string json() const;
};

/// Runs every vector of a file through verify_chain: a document with `vectors`, a bare array, or JSON Lines
/// (docs/protocol/vectors.md).
/// \param each  called with each result, in the file's order
/// \return kMalformed, kDuplicateMember … when the file or a vector cannot be read; results before it were
/// given
[[nodiscard]] Status run_vectors(std::string_view text, const std::function<void(const VectorResult&)>& each);

}  // namespace chancery
