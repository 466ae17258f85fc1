#pragma once

#include <chancery/api.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::wire {

/// What an end of keys ends, as a member of several answers.
[[nodiscard]] json::Node ended_node(const api::Ended& ended);
/// `ended` of an answer.
[[nodiscard]] Result<api::Ended> answered_ended(const json::Value& answer);

}  // namespace chancery::wire
