#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <chancery/api.hpp>

#include "daemon/service/occasion.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

// Steps that the use cases around keys share.

/// \param name  "ES256" or "Ed25519"; empty: `otherwise`
/// \return the algorithm, or kUnsupportedAlgorithm
[[nodiscard]] Result<Algorithm> read_algorithm(std::string_view name, Algorithm otherwise);

/// A key's name, its RFC 7638 thumbprint; kInvalidArgument for a text that is none.
[[nodiscard]] Result<Thumbprint> read_thumbprint(std::string_view text);

/// A time as messages have it: seconds since 1970.
[[nodiscard]] std::optional<std::int64_t> seconds_of(const std::optional<std::chrono::sys_seconds>& time);

/// What an end of these keys ends.
[[nodiscard]] Result<api::Ended> what_ends(const Office& office, const std::vector<store::Key>& keys,
                                           std::chrono::sys_seconds now);

/// Makes the key that follows an agent's present one, which serves until the intent's overlap ends.
[[nodiscard]] Result<store::Key> follow_key(Office& office, const store::Agent& agent, KeyLife::NewKey wanted,
                                            const Occasion& occasion);

/// Destroys a key that has ended, if its device is there; the store has it noted as to be destroyed.
/// \param key  as it was before it ended
void destroy_now_or_later(Office& office, const store::Key& key, const CallContext& context);

/// Ends a key, and with it what it holds or has signed; publishes that, and destroys it as destroy_now_or_later().
/// \param key  as it is
/// \return kConflict when it had ended; the store's errors
[[nodiscard]] Status revoke_at_once(Office& office, const store::Key& key, std::string_view reason,
                                    const CallContext& context);

/// An agent's state as the API has it: its newest key's, "rotating" while an earlier one serves too, or "retired".
[[nodiscard]] std::string_view agent_state(const store::Agent& agent) noexcept;

/// \param owner  the agent's name, or "issuer"
[[nodiscard]] api::Key describe_key(const store::Key& key, std::string_view owner);

}  // namespace chancery::service
