#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/token.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

// Steps that grant, delegate and prove share.

/// A parent chain that verified, the agent that holds its leaf, and that agent's process asking.
struct AgentChain {
  VerifiedChain chain;
  store::Agent holder;
};

/// Verifies a chain and makes sure that the caller is the agent that holds its leaf, or may use its key for
/// what `scope` says.
/// \return kParentDenied (hop given), kNotHolder, kForbidden, kRetired, kKeyLost
[[nodiscard]] Result<AgentChain> require_holder(const Office& office, const CallContext& context,
                                                std::string_view scope,
                                                const std::vector<std::string>& chain);

/// The id of a chain's last token, whether it counts or not; empty when that cannot be read.
[[nodiscard]] std::string leaf_id(const std::vector<std::string>& chain);

/// kKeyLost or kRetired unless the agent, and the key by which it was found, may be used.
[[nodiscard]] Status require_serving(const store::Agent& agent, std::chrono::sys_seconds now);

/// Signs with an agent's own key. When the device no longer opens it, the key is marked as lost, with an
/// audit entry.
/// \return the device's errors; kForbidden for a frozen agent; kKeyLost, or kRetired when the key was ended meanwhile
[[nodiscard]] Result<Signature> sign_as(Office& office, const CallContext& context, const store::Agent& agent,
                                        std::string_view input);

/// Because a fresh child has a fresh `max_lifetime`, a token that can be delegated must bound the same key by
/// `max_subtree` too, else kUnboundedBudget.
[[nodiscard]] Status require_bounded_budgets(const Authority& authority);

/// Has a token that is to be signed refer to a status list, unless its lifetime is too short for that.
/// \return its place, for its record
[[nodiscard]] Result<std::optional<store::StatusPlace>> refer_to_status(Office& office, Claims& claims);

/// The record of a token.
/// \param receiver  whose it is; null: not an agent of ours
[[nodiscard]] store::IssuedToken record_of(const Token& token, const Token* parent,
                                           const store::Agent* receiver);

/// Makes those tokens of a chain known that were delegated offline under this daemon's roots: whoever ends an agent,
/// a key or a principal, or asks what that would end, means them too. kParentDenied when one has ended.
[[nodiscard]] Status adopt(Office& office, const VerifiedChain& chain);

/// Parses what was just signed, refusing what a verifier would refuse for its length. kTooLarge.
[[nodiscard]] Result<Token> accept_signed(const std::string& compact);

/// What else is said of DT_0.
struct RootRecord {
  std::string_view action;                       ///< in the log
  std::string gate{};                            ///< that all that is done under it is behind; empty: none
  const store::ApprovalUse* approved = nullptr;  ///< that it uses up; borrowed
};

/// Records DT_0 that a key of the issuer's has signed, before it is given to anybody. \return the store's errors
[[nodiscard]] Status record_root(Office& office, const CallContext& context, store::IssuedToken record,
                                 const Claims& claims, const Thumbprint& signer, const RootRecord& as);

/// Has the issuer's key sign DT_0, and records it before it is given to anybody.
/// \param receiver  the agent that is to hold it; null: somebody else
/// \return the compact token; the issuer key's errors, kTooLarge
[[nodiscard]] Result<std::string> issue_root(Office& office, const CallContext& context, Claims claims,
                                             const store::Agent* receiver, const RootRecord& as);

/// Has the agent that holds a chain sign a child of its leaf, and records it before it is given to anybody.
/// \param receiver  the agent that is to hold it; null: a key in the memory of the holder's own process
/// \return the compact token; the device's errors, kTooLarge
[[nodiscard]] Result<std::string> issue_child(Office& office, const CallContext& context,
                                              const AgentChain& parent, Claims claims,
                                              const store::Agent* receiver, std::string_view action);

/// Facts about an issued token for the audit log: identifiers and authority, never the token.
[[nodiscard]] AuditFacts issued_facts(const Policy& policy, const store::IssuedToken& token,
                                      const Claims& claims);

}  // namespace chancery::service
