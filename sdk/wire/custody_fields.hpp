#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <chancery/api_authorize.hpp>
#include <chancery/verify.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::wire {

// What requests and verdicts have of custody.

/// `require_custody`, `custody_max_age_s` and `attestation_results`, which may all be absent. \return kMalformed
[[nodiscard]] Result<api::CustodyTerms> custody_terms(const json::Value& object);
void set_custody_terms(json::Node& object, const api::CustodyTerms& terms);

/// Terms as verification takes them. Borrows the results of a message, and is borrowed by the options.
class TermsToJudge {
 public:
  explicit TermsToJudge(const api::CustodyTerms& terms);
  void put_into(VerifyOptions& options) const;

 private:
  const api::CustodyTerms& terms_;
  std::vector<std::string_view> results_;
};

/// An array of what is proved of each token's key; nothing where nobody asked.
[[nodiscard]] std::optional<json::Node> custody_node(const Verdict& verdict);
/// Sets `custody`, and `ignored_results` where there are such.
void set_custody(json::Node& object, const Verdict& verdict);

}  // namespace chancery::wire
