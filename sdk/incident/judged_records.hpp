#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/audit/entry.hpp"
#include "sdk/incident/judge.hpp"

namespace chancery::incident {

/// The entries of a bundle by what is looked for in them. Borrows them.
class EntryIndex {
 public:
  explicit EntryIndex(const std::vector<audit::Entry>& entries);

  /// The SHA-256 of the decision that the log has of this key about this request; empty: none.
  [[nodiscard]] std::string_view vote(std::string_view request, std::string_view jkt) const;
  /// The SHA-256 of the receipt that the log has of this permit; empty: none.
  [[nodiscard]] std::string_view receipt(std::string_view permit) const;

 private:
  std::map<std::pair<std::string_view, std::string_view>, std::string_view> votes_;
  std::map<std::string_view, std::string_view> receipts_;
};

// What judge() consists of: each adds to the report.

void judge_keys(const Evidence& evidence, Report& report);
void judge_tokens(const Evidence& evidence, const Terms& terms, Report& report);
void judge_requests(const Evidence& evidence, const EntryIndex& index, Report& report);
void judge_calls(const Evidence& evidence, const EntryIndex& index, Report& report);
void judge_attestation(const Evidence& evidence, const Terms& terms, Report& report);

}  // namespace chancery::incident
