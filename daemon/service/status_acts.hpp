#pragma once

#include <string_view>

#include <chancery/api.hpp>

#include "daemon/service/office.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {

// Steps that revocation, impact and drills share.

/// Whether the caller may do `scope` to that target, which its chain may bound by `agent`, `principal`, `key` and
/// `token`, a subtree's too.
[[nodiscard]] Status require_authority_on(const Office& office, const CallContext& context,
                                          std::string_view scope, const api::StatusTarget& target);

/// The same for an act that is there, which gives its target. To who may not, one that is not there is as one
/// that is.
/// \return the act, or kForbidden, kNotFound
[[nodiscard]] Result<store::StatusAct> require_act(const Office& office, const CallContext& context,
                                                   std::string_view scope, std::string_view id);

/// Whether a change of the target's statuses may be made by the caller: see may_revoke().
[[nodiscard]] Status require_no_ancestor(Office& office, const CallContext& context,
                                         const store::StatusTarget& target);

/// The target as the book knows it: an agent by its id.
/// \return kInvalidArgument for a target that is none, kNotFound for an agent that is not there
[[nodiscard]] Result<store::StatusTarget> resolve(const Office& office, const api::StatusTarget& target);

/// An act as callers see it: agents by their names.
[[nodiscard]] api::StatusAct describe_act(const Office& office, const store::StatusAct& act);

/// Details for the audit log.
[[nodiscard]] json::Node act_details(const store::StatusAct& act);

/// kInvalidArgument for a reason that is too long.
[[nodiscard]] Status check_reason(std::string_view reason);

}  // namespace chancery::service
