#pragma once

#include <chrono>
#include <string>

namespace chancery::edge {

/// What tells one request from all others: 16 random octets in hexadecimal.
[[nodiscard]] std::string random_id();

/// The clock, read: only the edge does.
[[nodiscard]] std::chrono::sys_seconds now_in_seconds();

}  // namespace chancery::edge
