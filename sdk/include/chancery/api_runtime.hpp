#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api_approvals.hpp>
#include <chancery/api_authorize.hpp>
#include <chancery/bytes.hpp>

namespace chancery::api {

// What a tool runtime asks the daemon, and what it is told (docs/protocol/runtime.md).

/// The outcome of a question that is to be asked again, with the same proof and ApprovalTerms: a gate is closed for the call.
inline constexpr std::string_view kTermsRequired = "terms_required";

/// "May the holder of this chain call this tool now?"
struct AskPermit {
  Authorize action;  ///< its proof must be of this very action; it has no `idempotency_key`
  std::string tool;
  std::string credential;  ///< the record's name; empty: the tool needs none
  std::string
      arguments_sha256;  ///< of the arguments as the tool gets them, in JCS: 64 lower-case hexadecimal digits
  bool release = false;  ///< answer with the credential at once
  /// What a person is to read about it: the tool takes an approval, or the answer was kTermsRequired.
  std::optional<ApprovalTerms> approval{};
};

/// A credential, for one call.
struct ReleasedCredential {
  std::string name;
  std::string type;
  std::int64_t version = 0;
  SecretBytes value;
  std::string username{};  ///< of a database role that was made for the call
  std::optional<std::int64_t>
      expires_at{};        ///< of what was issued for the call; none: it is a kept value, or has no known end
  bool is_issued = false;  ///< for this call, or for some minutes; else it is kept
};

struct Permit {
  Decision decision;
  std::string id;               ///< of what is permitted
  std::int64_t expires_at = 0;  ///< until when its credential is released
  std::optional<ReleasedCredential> credential;
};

/// What came of a call.
struct CallResult {
  std::string status;  ///< "done", "error" (the upstream's), "failed" (no answer), "refused" (by the runtime)
  std::string upstream_sha256;                     ///< of what the upstream answered; empty: nothing
  std::string result_sha256;                       ///< of what the agent is answered
  std::map<std::string, std::int64_t> redactions;  ///< what was taken out of it, by kind
  bool exposed = false;             ///< whether the credential itself stood in what the upstream answered
  bool refused_credential = false;  ///< whether the upstream did not accept the credential (401 of HTTP)
};

/// What the runtime refused by itself: a call before anybody was asked for a permit, or what an upstream wanted besides answering.
struct ToolRefusal {
  std::string tool;
  std::string
      reason;  ///< "arguments", "secret_in_arguments", "unknown_tool", "tool_changed", "upstream_request"
  std::string token;  ///< id of the token that came with it, which nobody has verified; may be empty
  std::map<std::string, std::int64_t> hits;  ///< what was found in the arguments, or wanted, by kind
};

/// Whether a refusal stands in the audit log; beyond sixty a minute they are counted only.
struct RecordedRefusal {
  bool is_recorded = false;
};

/// What the runtime signs.
struct Receipt {
  std::string json;  ///< JCS
};

struct SignReceipts {
  std::vector<std::string> permits;  ///< by id, 1 to 64
};

struct SignedReceipts {
  std::string jws;  ///< compact, `typ` chancery-receipts+jwt
};

}  // namespace chancery::api
