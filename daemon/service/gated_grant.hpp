#pragma once

#include <chancery/api.hpp>
#include <chancery/result.hpp>

#include "daemon/service/gates.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

/// A grant of scopes behind a gate that a TPM enforces: at first a request, whose document holds the complete unsigned token; when the
/// same is asked for again and the request was approved, the token, signed under the approvers' signatures.
/// \param claims    of DT_0, without `jti`
/// \param receiver  whose it is to be
/// \return the grant, or what waits; kInvalidArgument (scopes that the gate is not about), kForbidden when a person has denied it;
///         what GatedIssuers::current() and sign() say, kOverloaded, kConflict
[[nodiscard]] Result<api::Grant> grant_behind(Office& office, const CallContext& context,
                                              const api::CreateGrant& message, const Gate& gate,
                                              const store::Agent& receiver, Claims claims);

/// Publishes what the keys behind gates may grant, and the issuer's other keys beside them. The store's errors.
[[nodiscard]] Status publish_gates(const Office& office);

}  // namespace chancery::service
