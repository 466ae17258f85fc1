#pragma once

#include "sdk/json/reader.hpp"

namespace chancery::runtime {

/// What of an upstream's answer is read.
inline constexpr json::Limits kAnswerLimits{.max_depth = 32, .max_values = 1u << 16};

}  // namespace chancery::runtime
