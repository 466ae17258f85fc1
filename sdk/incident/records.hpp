#pragma once

#include <chancery/result.hpp>

#include "sdk/incident/bundle.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::incident {

// The parts of a bundle as JSON, both ways.

[[nodiscard]] json::Node entry_node(const LoggedEntry& entry);
/// Whatever other members there are. \return kMalformed
[[nodiscard]] Result<LoggedEntry> entry_from(const json::Value& object);

[[nodiscard]] json::Node reach_node(const Reach& reach);

/// \return kMalformed, which part
[[nodiscard]] Result<Evidence> evidence_from(const json::Value& object);

}  // namespace chancery::incident
