#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/api_approvals.hpp>
#include <chancery/api_audit.hpp>
#include <chancery/passkeys.hpp>

namespace chancery::api {

// The messages of the console (docs/protocol/console.md), as values. Times are seconds since 1970.

/// A link that opens the console once.
struct ConsoleLink {
  std::string url;  ///< a secret, in its fragment
  std::int64_t expires_at = 0;
  std::string role;       ///< "operator", "approver"
  std::string principal;  ///< of an approver
};

struct OpenConsole {
  std::string link;
};

/// A session as the page sees it.
struct ConsoleSession {
  std::string role;
  std::int64_t uid = 0;
  std::string principal;      ///< empty: an operator whom no passkey has named
  std::string passkey;        ///< thumbprint; empty: it was opened by its link alone
  std::string credential_id;  ///< of that passkey
  bool needs_passkey = false;
  std::uint64_t passkeys = 0;  ///< that could sign in
  std::int64_t began_at = 0;
  std::int64_t ends_at = 0;
  std::int64_t idle_s = 0;
  std::int64_t now = 0;
  std::string version;
  std::string issuer;
  std::string rp_id;
  std::vector<std::string> may;  ///< scopes
  std::string mark{};            ///< a secret that requests of the session show; only where it is given
};

/// What the browser is to ask a passkey.
struct PasskeyQuestion {
  std::string id;  ///< empty: the question is of the thing itself, and kept nowhere
  Bytes challenge;
  std::string rp_id;
  std::vector<std::string> credentials;  ///< ids, base64url
};

/// What it answered.
struct PasskeyAnswer {
  std::string id;
  std::string credential_id;
  PasskeyAssertion assertion;
};

/// What is to be signed for a decision, or for an authorization.
struct PreparedSignature {
  std::string input;           ///< the JWS signing input
  std::string request_sha256;  ///< of a decision
  PasskeyQuestion question;
};

struct PrepareDecision {
  std::string request;
  std::string verdict;  ///< "approve", "deny"
  std::string reason;   ///< may be empty
};

struct PrepareAuthorization {
  std::string enrolment;  ///< JCS
};

/// Which request a passkey is to confirm.
struct AskConfirmation {
  std::string method;
  std::string path;
  std::string body;  ///< as it will be sent; may be empty
};

/// Who is to have a new passkey.
struct AskPasskey {
  std::string principal;
  std::vector<std::string> groups;
  std::string replaces;  ///< thumbprint; may be empty
};

/// How the browser is to make it.
struct PasskeyCreation {
  PasskeyQuestion question;  ///< `credentials`: those that the person has
  std::string user_id;       ///< base64url
  std::string user_name;
};

struct CheckPasskey {
  std::string id;
  PasskeyRegistration registration;
};

/// A passkey that is what it should be, and is not enrolled yet.
struct CheckedPasskey {
  std::string enrolment;  ///< the document in JCS
  std::string sha256;
  std::string jkt;
  bool is_first = false;  ///< nobody is enrolled: the operator's word is enough
};

/// An agent in the list.
struct ConsoleAgent {
  std::string name;
  std::string id;      ///< SPIFFE ID
  std::string state;   ///< "active", "rotating", "lost", "revoked"
  std::string reason;  ///< of the last two
  std::string backend;
  std::string type;     ///< the backend's
  std::string custody;  ///< what is proved of the key; may be empty
  std::string jkt;
  std::int64_t created_at = 0;
  std::int64_t key_created_at = 0;
  std::optional<std::int64_t> last_used_at;
};

struct ConsoleAgentQuery {
  std::string search;
  std::string after;  ///< a name
  std::size_t limit = 50;
};

struct ConsoleAgentPage {
  std::vector<ConsoleAgent> agents;  ///< in the order of their names
  std::string next;                  ///< empty: this is the last page
  std::uint64_t active = 0;
  std::uint64_t retired = 0;
  std::uint64_t lost = 0;
};

/// What may be spent under a token, and has been.
struct ConsoleBudget {
  std::string token;
  std::string constraint;  ///< its key
  std::string kind;        ///< "lifetime", "subtree", "rate"
  std::string limit;       ///< decimal
  std::string spent;
  std::int64_t ends_at = 0;
};

struct ConsoleAgentSight {
  ConsoleAgent agent;
  std::vector<ConsoleBudget> budgets;
  std::uint64_t tokens = 0;
};

/// What a person needs who decides.
struct ConsoleApproval {
  Approval approval;
  std::vector<std::string> chain;  ///< root first; empty: not all of its tokens are known
};

struct ConsoleChain {
  std::vector<std::string> chain;
};

struct ConsoleAuditQuery {
  std::string ref;
  std::string action;
  std::optional<std::uint64_t> before;
  std::size_t limit = 50;
};

struct ConsoleAuditPage {
  std::vector<AuditEntry> entries;  ///< newest first
  std::uint64_t size = 0;
  std::optional<std::uint64_t> next;
};

}  // namespace chancery::api
