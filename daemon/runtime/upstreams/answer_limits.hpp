#pragma once

#include "sdk/json/reader.hpp"

namespace chancery::runtime {

/// What of an upstream's answer is read. What it writes beyond 2^53, identifiers mostly, passes as text: see tools::shape_response().
inline constexpr json::Limits kAnswerLimits{
    .max_depth = 32, .max_values = 1u << 16, .allow_unsafe_integers = true};

}  // namespace chancery::runtime
