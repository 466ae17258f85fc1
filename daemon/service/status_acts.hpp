#pragma once

#include <span>
#include <string_view>

#include <chancery/api.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

// Steps that revocation, impact and drills share.

/// Whether the caller may do `scope` to that target, which its chain may bound by `agent`, `principal`, `key` and
/// `token`, a subtree's and a chain's too.
/// \return the target; of a chain, whose tokens become known by this, the subtree of its last token. kForbidden;
///         kInvalidArgument for a chain that does not verify under this daemon's own keys, whatever its status
[[nodiscard]] Result<api::StatusTarget> admit_target(Office& office, const CallContext& context,
                                                     std::string_view scope, const api::StatusTarget& target);

/// The same for a target that is no chain.
[[nodiscard]] Status require_authority_on(const Office& office, const CallContext& context,
                                          std::string_view scope, const api::StatusTarget& target);

/// A chain that somebody shows in order to end it, verified but for its status.
/// \return kInvalidArgument when it is none under this daemon's own keys
[[nodiscard]] Result<VerifiedChain> verify_shown(const Office& office,
                                                 std::span<const std::string_view> chain,
                                                 std::chrono::sys_seconds now);

/// adopt(), also of what has ended.
[[nodiscard]] Status adopt_shown(Office& office, const VerifiedChain& chain);

/// Whether the caller may change, for an act that is there, which gives its target. To who may not, one that is not there is as one
/// that is.
/// \return the act, or kForbidden, kNotFound
[[nodiscard]] Result<store::StatusAct> require_act(const Office& office, const CallContext& context,
                                                   std::string_view scope, std::string_view id);

/// Whether the caller may end the target: not what its own chain stands on, by its tokens, the keys and agents that
/// hold them, the principal, or the issuer's key under which it begins. kForbidden.
[[nodiscard]] Status require_no_ancestor(const Office& office, const CallContext& context,
                                         const store::StatusTarget& target);

/// The target as the book knows it: an agent by its id.
/// \return kInvalidArgument for a target that is none, kNotFound for an agent that is not there
[[nodiscard]] Result<store::StatusTarget> resolve(const Office& office, const api::StatusTarget& target);

/// An act as callers see it: agents by their names.
[[nodiscard]] api::StatusAct describe_act(const Office& office, const store::StatusAct& act);

/// Facts for the audit log.
[[nodiscard]] AuditFacts act_facts(const store::StatusAct& act);

/// kInvalidArgument for a reason that is too long.
[[nodiscard]] Status check_reason(std::string_view reason);

}  // namespace chancery::service
