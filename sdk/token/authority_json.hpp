#pragma once

#include <chancery/result.hpp>
#include <chancery/token.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {

/// Reads a token's `agent_delegation` detail: `type`, `scopes`, optional `constraints`, nothing else.
/// \return the authority, or kMalformed
[[nodiscard]] Result<Authority> read_detail(const json::Value& detail);

/// The same without `type`, both members optional: as request bodies and configuration have it.
[[nodiscard]] Result<Authority> read_authority(const json::Value& object);

/// Reads arrays of scopes and of constraints by themselves.
[[nodiscard]] Result<std::vector<std::string>> read_scopes(const json::Value& scopes);
[[nodiscard]] Result<std::vector<Constraint>> read_constraints(const json::Value& constraints);

[[nodiscard]] json::Node to_json(const Authority& authority);
[[nodiscard]] json::Node to_json(const Constraint& constraint);

/// The typed member's value in JCS; for `rank` an object with `order` and `rank`.
[[nodiscard]] std::string rule_jcs(const Constraint& constraint);

}  // namespace chancery
