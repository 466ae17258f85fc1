#pragma once

#include <chrono>
#include <string>

#include <chancery/keys.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// What the results that count say of a key's custody: the strongest of them, by name; empty when nothing does.
[[nodiscard]] std::string proved_custody(const Office& office, const Thumbprint& key,
                                         std::chrono::sys_seconds now);

}  // namespace chancery::service
