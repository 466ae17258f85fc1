#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::api {

// Calls of tools that wait for a person (docs/protocol/approvals.md).

/// The outcome of a decision about a call that waits.
inline constexpr std::string_view kApprovalRequired = "approval_required";

/// What a tool runtime says of a call that takes an approval. Everything else in the request document is what the daemon
/// verified.
struct ApprovalTerms {
  std::string risk;         ///< "low", "medium", "high"
  std::string arguments;    ///< JSON of an object: what the tool would be called with
  std::string description;  ///< of the tool, for people: at most 512 octets; may be empty
};

/// A call that waits, as whoever asked for it is told.
struct PendingApproval {
  std::string id;  ///< 32 hexadecimal digits
  std::int64_t expires_at = 0;
  std::string document;  ///< JCS: what is to be approved
  std::string sha256;    ///< of these octets, in hexadecimal
};

struct Approval {
  std::string id;
  std::string state;  ///< "pending", "cancelled", "expired"
  std::string tool;
  std::string principal;  ///< for whom
  std::string key;        ///< thumbprint of the key of the agent that asks
  std::string sha256;     ///< of the document
  std::int64_t asked_at = 0;
  std::int64_t expires_at = 0;
  std::optional<std::int64_t> ended_at;  ///< when it ceased to be pending
  std::string document;                  ///< JCS; empty in a list, and when the call has ended
  bool operator==(const Approval&) const = default;
};

struct ApprovalPage {
  std::vector<Approval> approvals;  ///< in the order in which they were asked for
  std::string next;                 ///< `after` of the next page; empty: this is the last one
};

struct ApprovalQuery {
  std::string state;        ///< of these alone; empty: of all
  std::string after;        ///< the `next` of the page before; empty for the first
  std::size_t limit = 100;  ///< 1 to 1000
};

}  // namespace chancery::api
