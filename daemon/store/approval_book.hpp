#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// What has become of a request. It is pending once, at first, and leaves that state once; one that was approved leaves that once
/// too: each by one statement, whose affected rows say whether it was this caller who did it.
enum class ApprovalState : std::uint8_t {
  kPending,
  kCancelled,
  kExpired,
  kApproved,
  kDenied,
  kUsed,
  kLapsed
};

/// "pending": as the database, the interface and the audit log have it.
[[nodiscard]] std::string_view approval_state_name(ApprovalState state) noexcept;
[[nodiscard]] std::optional<ApprovalState> approval_state_named(std::string_view name) noexcept;

/// Whether something can still come of it: then its document is kept.
[[nodiscard]] constexpr bool is_open(ApprovalState state) noexcept {
  return state == ApprovalState::kPending || state == ApprovalState::kApproved;
}

/// What a request is for.
enum class ApprovalKind : std::uint8_t {
  kCall,    ///< a call of a tool
  kAction,  ///< what an enforcement point asks for
  kGrant,   ///< the first token of a chain
};

/// "call", "action", "grant".
[[nodiscard]] std::string_view approval_kind_name(ApprovalKind kind) noexcept;

/// Who may not decide, of those whom a gate names.
inline constexpr std::string_view kSeparateNobody = "none";
inline constexpr std::string_view kSeparatePrincipal = "principal";  ///< for whom the chain acts
inline constexpr std::string_view kSeparateRequester = "requester";  ///< that one, and whoever asked

/// A gate as it was when the request was made: a decision is judged by this, whatever the configuration says by then.
struct GateTerms {
  std::string gate;  ///< its name
  std::vector<std::string>
      approvers;  ///< principals, and groups as `group:NAME`; at most kMostApproversOfGate; nobody opens it without
  std::uint32_t quorum = 1;                                  ///< of different persons
  std::string separation = std::string(kSeparateRequester);  ///< one of the three above
  bool tpm_enforced = false;
  bool operator==(const GateTerms&) const = default;
};

inline constexpr std::size_t kMostGates = 16;  ///< that one request is put to
inline constexpr std::size_t kMostApproversOfGate = 64;
inline constexpr std::uint32_t kMostQuorum = 8;

/// A call, an action or a grant that waits for a person, or did.
struct ParkedCall {
  std::string id;        ///< 32 hexadecimal digits, random
  std::string document;  ///< JCS: what is to be approved; empty when it has ended, and where it is left out
  std::string digest;    ///< SHA-256 of the document, 64 lower-case hexadecimal digits
  std::string
      subject;  ///< the same of the document without id and times: two requests for one thing have one
  /// SHA-256 of what it is about, whoever asks and in whichever way: a denial of this holds for all who ask by the same authority.
  std::string matter{};
  std::string
      runtime;        ///< id of the agent that asked for it; of others than calls whoever asked, by any name
  std::string token;  ///< id of the token by which the call is made; of a grant the one that is to be
  Thumbprint key;     ///< of the agent that makes it
  Thumbprint first;   ///< of the holder of the chain's first token, from whom the agent's authority comes
  std::string principal;  ///< for whom
  std::string tool;       ///< of others than calls what stands for it in lists: the scope
  ApprovalState state = ApprovalState::kPending;
  sys_seconds asked_at{};
  sys_seconds expires_at{};               ///< nobody can decide it from then on
  std::optional<sys_seconds> ended_at{};  ///< when it ceased to be pending or approved
  ApprovalKind kind = ApprovalKind::kCall;
  std::vector<GateTerms>
      gates{};  ///< each must be opened; with none nobody can approve it; at most kMostGates
  /// Who asked: principals, and `jkt:` with the thumbprint of a key. `key` is one of them without being named.
  std::vector<std::string> requesters{};
  std::chrono::seconds lifetime{300};           ///< how long an approval of it is good for
  std::optional<sys_seconds> approved_at{};     ///< by the last who was needed
  std::optional<sys_seconds> approved_until{};  ///< an approval is used before, or lapses
  // What lists show of the document; each may be empty.
  std::string agent{};    ///< SPIFFE ID
  std::string risk{};     ///< of a call
  std::string amounts{};  ///< JCS of an object of texts; forgotten with the document
  std::string scope{};  ///< of the action; of a grant, what stands behind the gate, with a blank between two
  bool operator==(const ParkedCall&) const = default;
};

/// The document of a request that was decided, as it is kept when the request itself has forgotten it.
struct DecidedDocument {
  std::string id;  ///< of the request
  bool is_approved = false;
  sys_seconds decided_at{};
  std::string digest;
  std::string document;  ///< what the digest says
  bool operator==(const DecidedDocument&) const = default;
};

/// Whether the TPM itself refuses to act on anything but decisions: every gate is enforced by it.
[[nodiscard]] bool is_tpm_enforced(const ParkedCall& call) noexcept;

/// What a person decided about a request, as it is kept.
struct Vote {
  std::string principal;
  Thumbprint key;
  bool approves = false;
  std::vector<std::string> gates;          ///< names of those for which it counts
  sys_seconds at{};                        ///< when the daemon had it
  std::string reason;                      ///< may be empty
  std::string jws;                         ///< the decision
  std::string policy_signature;            ///< for a TPM, raw, base64url; empty: none
  std::optional<sys_seconds> voided_at{};  ///< when its key was revoked before the request was used
  bool operator==(const Vote&) const = default;
};

/// A decision that was verified, and is about to count.
struct Ballot {
  std::string request;  ///< its id
  std::string principal;
  Thumbprint key;
  bool approves = false;
  std::string reason;
  std::string jws;
  std::string policy_signature;  ///< needed to approve what a TPM enforces
  bool keeps_document = false;   ///< when this decides the request: for whoever decides the next one like it
};

/// What came of a ballot.
struct Counted {
  ParkedCall call;  ///< as it is now, without its document
  std::uint64_t sequence = 0;
};

/// Composes the entry for what becomes of a request, within the transaction: `call` is as it is then. Called on any thread, also for
/// requests that end with the one that somebody decided, or with a key. One of these whose row cannot be read has its id and its state
/// alone: its digest is empty.
using EntryOf = std::function<AuditEntry(const ParkedCall& call)>;

/// An approval that is about to be used up by what was asked for again.
struct ApprovalUse {
  std::string id;
  std::string subject;                ///< of what is asked for now
  const AuditEntry* audit = nullptr;  ///< `approval.use`; stands in the log before the decision; borrowed
};

/// How many calls may wait, so that nobody floods those who decide. Whoever may delegate chooses the keys below itself, and not
/// its own: what waits under one first holder is bounded together.
inline constexpr std::uint64_t kMostParkedOfKey = 32;
inline constexpr std::uint64_t kMostParkedOfFirst = 128;
inline constexpr std::uint64_t kMostParked = 1024;

/// Decided documents that are kept: of more, those that were decided first go.
inline constexpr std::int64_t kMostDecidedDocuments = 1000;

struct ApprovalQuery {
  std::size_t limit = 100;               ///< 1 … kMaxPage
  std::string after{};                   ///< id of the last of the page before; empty for the first page
  std::optional<ApprovalState> state{};  ///< none: all of them
  bool is_settled = false;               ///< those alone that are not pending; without a state
  bool is_newest_first = false;          ///< else in the order in which they were asked for
};

/// Remembers requests that wait for an approval until prune() forgets them; their documents only as long as something
/// can come of them. They come from Ledger::record(), which uses them up too.
/// Thread-safe. Errors common to all: the store's (see Store).
class ApprovalBook {
 public:
  virtual ~ApprovalBook() = default;

  /// With its document, while it is pending or approved. kNotFound; kStoreCorrupt when the document is not what its digest says.
  virtual Result<ParkedCall> find(std::string_view id) = 0;

  /// Without its document, so that one whose document is damaged can still be ended. kNotFound.
  virtual Result<ParkedCall> summary(std::string_view id) = 0;

  /// Without documents, in the order in which they were asked for or the other way around. kNotFound when `after` names none.
  virtual Result<std::vector<ParkedCall>> list(const ApprovalQuery& query) = 0;

  /// The request for the same thing that is pending or approved, overdue or not, without its document; none: there is none.
  virtual Result<std::optional<ParkedCall>> open_for(std::string_view subject) = 0;

  /// What was decided about it, in the order in which it was. kNotFound.
  virtual Result<std::vector<Vote>> votes(std::string_view id) = 0;

  /// Of the last request like this one that was decided, and whose document was kept: of the same kind, for the same tool (scope),
  /// the same principal and by the same key. None that is damaged: it says nothing about this request.
  virtual Result<std::optional<DecidedDocument>> last_decided_like(const ParkedCall& call) = 0;

  /// Counts a decision, in one transaction with all that it rests on: the request is pending and not overdue, the key is
  /// active and the principal's, one of the request's gates names the principal and separation does not exclude it there,
  /// and it has not decided before, by whichever key. A denial ends the request, and with it what is open of the same matter by the same
  /// key or first holder: that is cancelled, or lapses, with an entry of its own. When the approvals of different persons
  /// are enough for each gate, it is approved, for its lifetime from now.
  /// \return kNotFound; kConflict when it is not pending any more, has expired, or the person has decided; kForbidden for
  ///         key, gates and separation; kInvalidArgument when a signature for the TPM is missing
  virtual Result<Counted> decide(const Ballot& ballot, sys_seconds now, const EntryOf& entry) = 0;

  /// Ends one that is pending because somebody says so, and forgets its document.
  /// \return the sequence of the audit entry; kNotFound; kConflict when it is not pending any more, or has expired
  virtual Result<std::uint64_t> cancel(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Ends one that is pending because its time is over, and forgets its document.
  /// \return as cancel(); kConflict also when its time is not over
  virtual Result<std::uint64_t> expire(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Ends one that was approved and not used in time, and forgets its document. \return as expire()
  virtual Result<std::uint64_t> lapse(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Ends one that was approved, however much time is left, since that rests on nothing any more, and forgets its document. \return the
  /// sequence; kNotFound; kConflict when it is not approved any more
  virtual Result<std::uint64_t> withdraw(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Those that are pending though their time is over, and those that are approved though that is over, without documents, at most
  /// kMaxPage of each, the first that were due first. One that cannot be read is left out: it keeps no other from being ended.
  virtual Result<std::vector<ParkedCall>> overdue(sys_seconds now) = 0;

  /// How many wait.
  virtual Result<std::uint64_t> pending(sys_seconds now) = 0;

  /// Forgets requests that ended before, with all that was decided about them.
  virtual Status prune(sys_seconds before) = 0;

  /// Forgets the documents of what was decided before.
  virtual Status forget_decided(sys_seconds before) = 0;
};

inline constexpr Error kNoSuchApproval{
    ErrorCode::kNotFound, "no such approval: `chancery approval list` shows those that there are"};

}  // namespace chancery::store
